"""How a plan is today: who is unpaired, who left, how even it is; and which rules leave people without a partner."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Schedule
from lti_tool.pairing.rules.changes import CurrentPlan
from lti_tool.pairing.rules.views import RULE_REASONS, Unplaced

MOST_EXPLAINED: Final = 12
"""So many people of a round are explained one by one."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How a plan is today."""

    schedule: Schedule
    """With the course of today in it."""
    balance: Mapping[int, int]
    """For each member, how often they are observed first less how often last."""
    learners: tuple[int, ...]
    unplaced: tuple[Unplaced, ...]
    gone: tuple[int, ...]
    """Members who no longer take part, and are in a group that can still be changed."""
    gone_from_begun: tuple[int, ...]
    """The others who no longer take part: their groups have begun, and stay as they are."""
    repeats: int
    """Meetings of two people who meet in another round or another activity of the course, too."""
    has_begun: bool
    """Whether anybody wrote something in any group of the plan."""


def overview(current: CurrentPlan) -> Overview:
    """How a plan is, with the learners of today."""
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
        engine.balance(current.schedule.rounds),
        tuple(sorted(learners)),
        tuple(unplaced),
        tuple(sorted(can_change)),
        tuple(sorted(stay - can_change)),
        engine.repeats(Course((), current.conditions.history.met), current.schedule),
        has_begun=bool(current.fixed),
    )


@dataclass(frozen=True, slots=True)
class RoundShortfall:
    """One round with people whom the rules leave without a partner."""

    number: int
    people: tuple[int, ...]
    is_proven: bool
    """Whether it is proven that no arrangement leaves fewer people without a partner."""
    explained: tuple[engine.WhyNot, ...] = ()
    """Of the first of them."""
    needed: tuple[engine.Needed, ...] = ()
    """Who is needed by too many, from the round's proof."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Everything that is said of people whom the rules leave without a partner."""

    rounds: tuple[RoundShortfall, ...] = ()
    relaxations: tuple[engine.Relaxation, ...] = ()
    """Rules that would help somebody if they were relaxed, in their order; one is advised."""

    @property
    def members(self) -> frozenset[int]:
        """Everybody who is named in it."""
        return frozenset(self._named())

    def _named(self) -> Iterator[int]:
        for of_round in self.rounds:
            yield from of_round.people
            for why in of_round.explained:
                yield from why.candidates[:3]
            for needed in of_round.needed:
                yield from (*needed.needing, *needed.partners)
        for relaxation in self.relaxations:
            yield from (person for _, person in relaxation.seated)
            yield from (person for against in relaxation.against for person in against.couple)


def shortfall(current: CurrentPlan, *, explains: bool = True) -> Shortfall:
    """Whom the rules leave without a partner in rounds that are not over, and what stands in their way.

    Without `explains` it says who, and no rule: for those who may not see attributes.
    """
    proven = {proof.round for proof in current.schedule.proofs}
    waiting: dict[int, list[int]] = {}
    for missing in overview(current).unplaced:
        if not missing.is_over and missing.reason in RULE_REASONS:
            waiting.setdefault(missing.round_number, []).append(missing.member_id)
    rounds = [RoundShortfall(number, tuple(people), number in proven) for number, people in sorted(waiting.items())]
    if not rounds or not explains:
        return Shortfall(tuple(rounds))
    explanations = engine.Explanations(replace(current.schedule, course=current.course))
    return Shortfall(
        tuple(
            replace(
                of_round,
                explained=tuple(
                    explanations.why_not(person, of_round.number) for person in of_round.people[:MOST_EXPLAINED]
                ),
                needed=explanations.shortages(of_round.number) if of_round.is_proven else (),
            )
            for of_round in rounds
        ),
        tuple(relaxation for relaxation in relaxations(current) if relaxation.more),
    )


def relaxations(current: CurrentPlan) -> tuple[engine.Relaxation, ...]:
    """For each rule that may be relaxed, in order, who would have a partner without it; the first to help is advised.

    Empty where nobody is unpaired in rounds that are not over.
    """
    schedule = current.schedule_for(current.course)
    waiting = tuple(missing for missing in schedule.unpaired if missing.round >= current.from_round)
    return engine.proposals(replace(schedule, unpaired=waiting), fixed=current.fixed)
