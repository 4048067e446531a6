"""Refusals and reasons of the plan page in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from flask_babel import gettext

from lti_tool.activities.rules import local_parts
from lti_tool.attributes.rules.matching import key_of
from lti_tool.errors import N_
from lti_tool.pairing import comparing, engine, service, wording
from lti_tool.pairing.engine import Kind
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
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import GroupView, Unplaced
from lti_tool.pairing.words import label, names_in_words
from lti_tool.web.access import Here

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
IMPOSSIBLE: Final = N_(
    "Not everything that you said of people can be kept, with the rules as they are. Take something back under "
    "“What you said”, on this page, or change a rule under “Who may meet whom”."
)
IMPOSSIBLE_TO_OTHERS: Final = N_(
    "This contradicts a rule, or what an instructor said of people. Nothing was changed; an instructor can see why."
)
FIGURES: Final = (
    ("unpaired", N_("Without a partner")),
    ("broken", N_("Rules that are broken")),
    ("repeats", N_("Meetings of two who met before")),
    ("points", N_("Points for wishes")),
    ("uneven", N_("People whose turns are two or more apart")),
    ("groups", N_("Groups")),
)
"""What is told of two plans beside each other, in order of importance."""


SEATING: Final = frozenset({engine.Breach.MISSING.value, engine.Breach.UNKNOWN.value})
"""What the checker finds when people joined or left after groups were proposed."""


def what_to_do(refusal: PlanError, here: Here | None = None) -> str:
    """What to do about a refusal, in the reader's language.

    Who is kept together, by name, and which rule is against it are told to those who may see attributes.
    """
    is_told = here is not None and here.may("see attributes")
    if isinstance(refusal, PlanImpossible):
        found = _contradiction(here, refusal) if here is not None and is_told else None
        return found or str(gettext(IMPOSSIBLE if is_told or here is None else IMPOSSIBLE_TO_OTHERS))
    if isinstance(refusal, RuleBroken) and here is not None and not is_told:
        return str(gettext("A rule forbids this."))
    if type(refusal) is PlanFlawed and not SEATING.intersection(refusal.breaches):
        return str(gettext(WORDS[PlanFlawed].what_to_do))
    if isinstance(refusal, RuleBroken):
        named = dict.fromkeys(one.rule for one in refusal.broken if one.rule != comparing.LOCK)
        broken = " ".join(f"{breach_in_words(name)}." for name in named)
        return str(gettext("A rule forbids this.")) + f" {broken}"
    if isinstance(refusal, PinImpossible) and refusal.why in PINS:
        return str(gettext(PINS[refusal.why]))
    return str(gettext(REFUSALS.get(type(refusal)) or WORDS[type(refusal)].what_to_do))


def _contradiction(here: Here, refusal: PlanImpossible) -> str | None:
    """Which pins contradict each other or a rule, by name, and where to take them back; None where nobody knows."""
    reason = refusal.reason
    match reason:
        case engine.LockForbidden():
            return str(
                gettext(
                    "You keep %(names)s together in round %(number)d, and a rule forbids it: %(rule)s. Take that "
                    "back under “What you said”, on this page, or change the rule under “Who may meet whom”.",
                    names=_together(here, reason.members),
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
            listed = dict.fromkeys(_together(here, pin.members) for pin in pins)
            return str(
                gettext(
                    "You keep %(name)s together with different people in round %(number)d: %(groups)s. Take one of "
                    "these back under “What you said”, on this page.",
                    name=_together(here, (reason.person,)),
                    number=reason.round,
                    groups="; ".join(listed),
                )
            )
        case engine.LockSize():
            return str(
                gettext(
                    "You keep %(names)s together in round %(number)d, and no group of that round can have so many "
                    "people. Take that back under “What you said”, on this page.",
                    names=_together(here, reason.members),
                    number=reason.round,
                )
            )
    return None


def _together(here: Here, members: tuple[int, ...]) -> str:
    return names_in_words(service.names_of(here.session, members), members)


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


def what_a_longer_look_found(effect: comparing.Comparison | None, figures: Sequence[tuple[str, str]]) -> str:
    """What is better in the groups that a longer look found, in these numbers."""
    if effect is None:
        return ""
    told = [
        str(gettext("%(what)s: %(now)d, was %(before)d", what=gettext(words), now=now, before=before))
        for field, words in figures
        if (now := getattr(effect.after, field)) != (before := getattr(effect.before, field))
    ]
    return "; ".join(told) + "."


def breach_in_words(name: str) -> str:
    """What is true of two people whom a rule forbids, by its name in the engine."""
    said = wording.of_rule(name)
    return str(gettext(said.breach, attribute=label(said.attribute)))


def met_in_words(name: str) -> str:
    """What is true of two people who got points for a wish, by its name in the engine."""
    said = wording.of_wish(name)
    return str(gettext(said.met, attribute=label(said.attribute)))


def as_table(
    plan: Plan, groups: Iterable[GroupView], unplaced: Iterable[Unplaced], names: Mapping[int, str | None], zone: str
) -> tuple[list[str], list[list[object]]]:
    """A plan for a spreadsheet: header, and a line for everybody in every round, also for those without a group.

    Times are those of `zone`.
    """
    header = [
        gettext("Round"),
        gettext("Opens"),
        gettext("Due"),
        gettext("Group"),
        gettext("Learner"),
        gettext("Tandem key"),
        gettext("Works with"),
        gettext("Observed first"),
        gettext("Has begun"),
    ]
    yes, no = gettext("yes"), gettext("no")

    def at(moment: datetime | None) -> str:
        return "{} {:%H:%M}".format(*local_parts(moment, zone)) if moment is not None else ""

    def name(member_id: int) -> str:
        return names.get(member_id) or str(gettext("Learner %(number)s", number=member_id))

    lines: list[list[object]] = []
    for group in groups:
        for seat in group.seats:
            partners = [name(one.member_id) for one in group.seats if one is not seat]
            begins = "" if plan.kind == Kind.RINGS else yes if seat is group.begins else no
            about = [name(seat.member_id), key_of(seat.member_id), ", ".join(partners)]
            when = [group.round_number, at(group.opens_at), at(group.due_at), group.number]
            lines.append([*when, *about, begins, yes if group.has_begun else no])
    for one in unplaced:
        why = gettext("does not turn up") if one.reason is engine.Reason.ABSENT else gettext("without a partner")
        lines.append([one.round_number, "", "", "", name(one.member_id), key_of(one.member_id), why, "", ""])
    return header, lines
