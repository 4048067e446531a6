"""What to do when a plan cannot be made or changed, and what a longer look found, in the reader's language."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from lti_tool.errors import N_
from lti_tool.pairing import engine, service
from lti_tool.pairing.errors import (
    WORDS,
    NoPlan,
    PinImpossible,
    PlanBegun,
    PlanChanged,
    PlanError,
    PlanFlawed,
    PlanImpossible,
    PlanPublished,
    RuleBroken,
    SwapImpossible,
    TooFewLearners,
)
from lti_tool.pairing.rules.comparing import LOCK, Comparison
from lti_tool.pairing.wording.sentences import breach_in_words, names_in_words
from lti_tool.web.access import Here

REFUSALS: Final[dict[type[PlanError], str]] = {
    PlanChanged: N_(
        "The plan has changed since you opened this page. This is how it is now; please repeat your change."
    ),
    PlanFlawed: N_(
        "People joined or left since these groups were proposed. Bring the plan up to date, then publish it."
    ),
    PlanBegun: N_("People have begun to work in their groups, so the plan can no longer be taken back."),
    PlanPublished: N_("The plan is published already. Take it back first if you want to propose other groups."),
    SwapImpossible: N_("Choose two people in different groups of this round, neither of which has begun."),
    TooFewLearners: N_("Pairing needs at least two learners. Read the roster again when they have joined the course."),
    NoPlan: N_("This plan no longer exists. This is how it is now."),
}
PINS: Final[dict[str, str]] = {
    "too few": N_("Choose two or more people who should stay together."),
    "too many": N_("A group of this activity cannot have so many people."),
    "pinned already": N_("You already keep these people together."),
    "somebody is pinned to others": N_(
        "You keep one of these people together with someone else. Take that back first, under “What you decided”."
    ),
    "begun": N_("One of these people is in a group that has begun to work, so it stays as it is."),
    "round over": N_("This round is over, so its groups stay as they are."),
}
IMPOSSIBLE: Final = N_(
    "The rules and what you decided about people contradict each other. Take something back under “What you decided”, "
    "on this page, or change a rule under “Pairing rules”."
)
IMPOSSIBLE_TO_OTHERS: Final = N_(
    "This contradicts a rule, or something an instructor decided. Nothing was changed; an instructor can see why."
)
FIGURES: Final = (
    ("unpaired", N_("Without a partner")),
    ("broken", N_("Broken rules")),
    ("repeats", N_("Pairs who have met before")),
    ("points", N_("Points for wishes")),
    ("uneven", N_("People whose turns are uneven by two or more")),
    ("groups", N_("Groups")),
)
"""What is told of two plans beside each other, in order of importance."""
SEATING: Final = frozenset({engine.Breach.MISSING.value, engine.Breach.UNKNOWN.value})
"""What the checker finds when people joined or left after groups were proposed."""


def what_to_do(refusal: PlanError, here: Here) -> str:
    """What to do about a refusal.

    Who is kept together, by name, and which rule is against it are told to those who may see attributes.
    """
    is_told = here.may("see attributes")
    match refusal:
        case PlanImpossible():
            if not is_told:
                return str(gettext(IMPOSSIBLE_TO_OTHERS))
            return _contradiction(here, refusal) or str(gettext(IMPOSSIBLE))
        case RuleBroken():
            rules = dict.fromkeys(breach.rule for breach in refusal.broken if is_told and breach.rule != LOCK)
            return " ".join([gettext("A rule forbids this."), *(f"{breach_in_words(rule)}." for rule in rules)])
        case PinImpossible() if refusal.why in PINS:
            return str(gettext(PINS[refusal.why]))
    if type(refusal) is PlanFlawed and not SEATING.intersection(refusal.breaches):
        return str(gettext(WORDS[PlanFlawed].what_to_do))
    return str(gettext(REFUSALS.get(type(refusal)) or WORDS[type(refusal)].what_to_do))


def _contradiction(here: Here, refusal: PlanImpossible) -> str | None:
    """Which pins contradict each other or a rule, by name, and where to take them back; None where nobody knows."""
    reason = refusal.reason
    match reason:
        case engine.LockForbidden():
            return str(
                gettext(
                    "You keep %(names)s together in round %(number)d, but a rule forbids it: %(rule)s. Take that "
                    "back under “What you decided”, on this page, or change the rule under “Pairing rules”.",
                    names=_names(here, reason.members),
                    number=reason.round,
                    rule=breach_in_words(reason.rule),
                )
            )
        case engine.LockConflict():
            pins = [
                pin
                for pin in service.pins_of(here.session, refusal.activity_id)
                if reason.person in pin.members and pin.round_number in {None, reason.round}
            ]
            return str(
                gettext(
                    "You keep %(name)s together with different people in round %(number)d: %(groups)s. Take one of "
                    "these back under “What you decided”, on this page.",
                    name=_names(here, (reason.person,)),
                    number=reason.round,
                    groups="; ".join(dict.fromkeys(_names(here, pin.members) for pin in pins)),
                )
            )
        case engine.LockSize():
            return str(
                gettext(
                    "You keep %(names)s together in round %(number)d, but no group of that round can have so many "
                    "people. Take that back under “What you decided”, on this page.",
                    names=_names(here, reason.members),
                    number=reason.round,
                )
            )
    return None


def _names(here: Here, members: tuple[int, ...]) -> str:
    return names_in_words(service.names_of(here.session, members), members)


def why_no_proposal(refusal: str | None) -> str | None:
    """What to do about a proposal that came to nothing in the background, by the name of its error."""
    if refusal is None:
        return None
    for kind, said in WORDS.items():
        if kind.__name__ == refusal:
            return str(gettext(said.what_to_do))
    return str(
        gettext("Something went wrong on our side. Try once more; if it happens again, tell your administrator.")
    )


def what_is_better(effect: Comparison | None, figures: Sequence[tuple[str, str]]) -> str:
    """What is better in the groups that a longer look found, in these numbers."""
    if effect is None:
        return ""
    told = [
        str(gettext("%(what)s: %(now)d, was %(before)d", what=gettext(words), now=now, before=before))
        for field, words in figures
        if (now := getattr(effect.after, field)) != (before := getattr(effect.before, field))
    ]
    return "; ".join(told) + "."
