"""Why people are together or without a partner: what learners may know, and what staff see.

Nothing that learners are told reveals private values: the reporting line, people who are kept apart, and values such as
languages are never named.
"""

from dataclasses import dataclass, replace
from typing import Final

from lti_tool.errors import N_
from lti_tool.pairing import engine
from lti_tool.pairing.rules.current import CurrentPlan
from lti_tool.pairing.rules.views import RULE_REASONS

MOST_EXPLAINED: Final = 12
"""The number of people in a round for whom the reasons are given one by one."""

# ---- for learners ----------------------------------------------------------------------------------------------------

TOLD: Final[dict[str, str]] = {
    "not_again": N_("You have not worked together before."),
    "other:department": N_("You work in different departments."),
    "other:group": N_("You are in different groups."),
    "other:cohort": N_("You are in different cohorts."),
    "same:department": N_("You work in the same department."),
    "same:group": N_("You are in the same group."),
    "same:cohort": N_("You are in the same cohort."),
    "share:languages": N_("You share a language."),
    "share:slots": N_("You have free time in common."),
    "extra_shared:languages": N_("You share a language."),
    "extra_shared:slots": N_("You have free time in common."),
    "gap": N_("You bring different experience."),
    "close": N_("You have about the same length of experience."),
    "near": N_("Your days begin at about the same time."),
    "offers": N_("One of you offers what the other wants to learn."),
}
"""By the name of a rule or wish, or by its kind; true of two people whom the rule allows, or who got points for the
wish. Other rules are not told."""


def told(name: str) -> str | None:
    """What a learner may know about a rule that allows the pair, or a wish that is fulfilled; None if nothing."""
    return TOLD.get(name) or TOLD.get(name.partition(":")[0])


# ---- for staff -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lacking:
    """The same people whom the rules leave without a partner in some rounds, for the same reasons."""

    numbers: tuple[int, ...]
    people: tuple[int, ...]
    is_proven: bool
    """Whether it is proven that no plan leaves fewer people without a partner."""
    explained: tuple[engine.WhyNot, ...] = ()
    """For the first of them."""
    needed: tuple[engine.Needed, ...] = ()
    """Which partners too many people need, from the proof."""

    @property
    def without_any(self) -> tuple[int, ...]:
        """People who may meet no one at all."""
        return tuple(person for needed in self.needed if _have_no_one(needed) for person in needed.needing)

    @property
    def competing(self) -> tuple[engine.Needed, ...]:
        """People who need the same partners as too many others, or someone from outside their own part."""
        return tuple(needed for needed in self.needed if not _have_no_one(needed))


def shortfall(current: CurrentPlan, *, explains: bool = True) -> tuple[Lacking, ...]:
    """Whom the rules leave without a partner in rounds that are not over.

    Without `explains` it names no rules: for those who may not see attributes.
    """
    proven = {proof.round for proof in current.schedule.proofs}
    waiting: dict[int, list[int]] = {}
    for missing in current.unplaced_ahead:
        if missing.reason in RULE_REASONS:
            waiting.setdefault(missing.round_number, []).append(missing.member_id)
    explanations = engine.Explanations(current.judged) if explains and waiting else None
    alike: dict[object, Lacking] = {}
    for number, people in sorted(waiting.items()):
        lacking = Lacking((number,), tuple(people), number in proven)
        if explanations is not None:
            explained = tuple(explanations.why_not(person, number) for person in people[:MOST_EXPLAINED])
            needed = explanations.shortages(number) if lacking.is_proven else ()
            lacking = replace(lacking, explained=explained, needed=needed)
        reasons = tuple((why.person, why.removals, len(why.candidates)) for why in lacking.explained)
        key = (lacking.people, lacking.is_proven, reasons, lacking.needed)
        earlier = alike.get(key)
        alike[key] = lacking if earlier is None else replace(earlier, numbers=(*earlier.numbers, number))
    return tuple(alike.values())


def _have_no_one(needed: engine.Needed) -> bool:
    return not needed.partners and all(len(part) == 1 for part in needed.parts)


def relaxations(current: CurrentPlan) -> tuple[engine.Relaxation, ...]:
    """Who would have a partner without each rule that helps if it is relaxed, in order; the first is advised.

    Empty if no one is unpaired in rounds that are not over.
    """
    course, fixed = current.tolerating(current.course)
    schedule = current.schedule_for(course)
    waiting = tuple(missing for missing in schedule.unpaired if missing.round >= current.from_round)
    proposals = engine.proposals(replace(schedule, unpaired=waiting), sorted(current.gone), fixed=sorted(fixed))
    return tuple(relaxation for relaxation in proposals if relaxation.more)
