"""Refusals and reasons of the plan page in the reader's language."""

from typing import Final

from flask_babel import gettext

from lti_tool.errors import N_
from lti_tool.pairing import comparing, wording
from lti_tool.pairing.errors import (
    WORDS,
    NoPlan,
    PinImpossible,
    PlanBegun,
    PlanChanged,
    PlanError,
    PlanFlawed,
    PlanPublished,
    RuleBroken,
    SwapImpossible,
    TooFewLearners,
)
from lti_tool.pairing.words import label

REFUSALS: Final[dict[type[PlanError], str]] = {
    PlanChanged: N_("The plan has changed since you opened this page. This is how it is now. Repeat what you wanted."),
    PlanFlawed: N_(
        "People joined or left since these groups were proposed. Bring the plan up to date, then publish it."
    ),
    PlanBegun: N_("People have begun to work in their groups, so the plan cannot be taken back any more."),
    PlanPublished: N_("The plan is published already. Take it back first if you want to propose other groups."),
    SwapImpossible: N_("Choose two people in different groups of this round, neither of which has begun."),
    TooFewLearners: N_("Two learners are needed. Read the roster again when they have joined the course."),
    NoPlan: N_("There is no such plan any more. This is how it is now."),
}
PINS: Final[dict[str, str]] = {
    "too few": N_("Choose the people who are to stay together: two of them, or more."),
    "too many": N_("These are more people than a group of this activity can have."),
    "pinned already": N_("You keep these people together already."),
    "somebody is pinned to others": N_(
        "You keep one of these people together with somebody else. Take that back first, under “What you said”."
    ),
    "begun": N_("One of these people is in a group that has begun to work, so it stays as it is."),
    "round over": N_("This round is over, so its groups stay as they are."),
}
FIGURES: Final = (
    ("unpaired", N_("Without a partner")),
    ("broken", N_("Rules that are broken")),
    ("repeats", N_("Meetings of two who met before")),
    ("points", N_("Points for wishes")),
    ("groups", N_("Groups")),
)
"""What is told of two plans beside each other, in order of importance."""


def what_to_do(refusal: PlanError) -> str:
    """What to do about a refusal, in the reader's language."""
    if isinstance(refusal, RuleBroken):
        named = dict.fromkeys(one.rule for one in refusal.broken if one.rule != comparing.LOCK)
        broken = " ".join(f"{breach_in_words(name)}." for name in named)
        return str(gettext("A rule forbids this.")) + f" {broken}"
    if isinstance(refusal, PinImpossible) and refusal.why in PINS:
        return str(gettext(PINS[refusal.why]))
    return str(gettext(REFUSALS.get(type(refusal)) or WORDS[type(refusal)].what_to_do))


def why_no_draft(refusal: str | None) -> str | None:
    """What to do about a proposal that came to nothing in the background."""
    if refusal is None:
        return None
    for kind, said in WORDS.items():
        if kind.__name__ == refusal:
            return str(gettext(said.what_to_do))
    return str(
        gettext("Something went wrong on our side. Try once more; if it happens again, tell your administrator.")
    )


def breach_in_words(name: str) -> str:
    """What is true of two people whom a rule forbids, by its name in the engine."""
    said = wording.of_rule(name)
    return str(gettext(said.breach, attribute=label(said.attribute)))


def met_in_words(name: str) -> str:
    """What is true of two people who got points for a wish, by its name in the engine."""
    said = wording.of_wish(name)
    return str(gettext(said.met, attribute=label(said.attribute)))
