"""How a plan is today: who is unpaired, who left, and which rules leave people without a partner."""

from dataclasses import dataclass, replace
from typing import Final

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Schedule
from lti_tool.pairing.rules.changes import CurrentPlan
from lti_tool.pairing.rules.views import RULE_REASONS, Unplaced

MOST_EXPLAINED: Final = 12
"""The number of people in a round for whom the reasons are given one by one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How a plan is today."""

    schedule: Schedule
    """With the course of today in it."""
    learners: tuple[int, ...]
    unplaced: tuple[Unplaced, ...]
    gone: tuple[int, ...]
    """Members who no longer take part and are in a group that can still be changed."""
    gone_from_begun: tuple[int, ...]
    """Members who no longer take part and whose groups have begun, so that these stay as they are."""
    repeats: int
    """Meetings of two people who also meet in another round or another activity of the course."""
    has_begun: bool
    """Whether someone wrote something in any group of the plan."""


def overview(current: CurrentPlan) -> Overview:
    """How a plan is with the learners of today."""
    learners = set(current.conditions.learners)
    reasons = {(missing.round, missing.person): missing.reason for missing in current.schedule.unpaired}
    unplaced = []
    can_change: set[int] = set()
    stay: set[int] = set()
    for number, groups in enumerate(current.schedule.rounds, start=1):
        is_over = number < current.from_round
        missing = sorted(learners.difference(*groups))
        unplaced += [Unplaced(person, number, is_over, reasons.get((number, person))) for person in missing]
        for group in () if is_over else groups:
            (stay if (number, group) in current.fixed else can_change).update(set(group) - learners)
    return Overview(
        replace(current.schedule, course=current.course),
        tuple(sorted(learners)),
        tuple(unplaced),
        tuple(sorted(can_change)),
        tuple(sorted(stay - can_change)),
        engine.repeats(Course((), current.conditions.history.met), current.schedule),
        has_begun=bool(current.fixed),
    )


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


@dataclass(frozen=True, slots=True)
class Shortfall:
    """People whom the rules leave without a partner, and the rules that would help if they were relaxed, in order."""

    lacking: tuple[Lacking, ...] = ()
    relaxations: tuple[engine.Relaxation, ...] = ()


def shortfall(current: CurrentPlan, *, explains: bool = True) -> Shortfall:
    """Whom the rules leave without a partner in rounds that are not over, and what would help.

    Without `explains` it names no rules: for those who may not see attributes.
    """
    proven = {proof.round for proof in current.schedule.proofs}
    waiting: dict[int, list[int]] = {}
    for missing in overview(current).unplaced:
        if not missing.is_over and missing.reason in RULE_REASONS:
            waiting.setdefault(missing.round_number, []).append(missing.member_id)
    if not waiting:
        return Shortfall()
    explanations = engine.Explanations(replace(current.schedule, course=current.course)) if explains else None
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
    helpful = [relaxation for relaxation in relaxations(current) if relaxation.more] if explains else []
    return Shortfall(tuple(alike.values()), tuple(helpful))


def _have_no_one(needed: engine.Needed) -> bool:
    return not needed.partners and all(len(part) == 1 for part in needed.parts)


def relaxations(current: CurrentPlan) -> tuple[engine.Relaxation, ...]:
    """Who would have a partner without each rule that may be relaxed, in order; the first that helps is advised.

    Empty if no one is unpaired in rounds that are not over.
    """
    course, fixed = current.tolerating(current.course)
    schedule = current.schedule_for(course)
    waiting = tuple(missing for missing in schedule.unpaired if missing.round >= current.from_round)
    return engine.proposals(replace(schedule, unpaired=waiting), sorted(current.gone), fixed=sorted(fixed))
