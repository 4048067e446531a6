"""What would change if a rule were relaxed. Nothing is relaxed here: that is for the designer to decide.

For pairs. The schedule is repaired as it will be when the rule is switched off, so what is promised is what happens.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import TypeAlias

import numpy as np

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.problem import (
    Couple,
    ImpossibleRequest,
    Kind,
    PersonId,
    Placed,
    Reason,
    Schedule,
    meetings,
)
from lti_tool.pairing.engine.repair import repair
from lti_tool.pairing.engine.rules import NEVER, Rule, refused

Waiting: TypeAlias = frozenset[tuple[int, PersonId]]
"""Round and person: who has no partner and should have one."""


@dataclass(frozen=True, slots=True)
class Against:
    """Two people who would work together although these rules forbid it."""

    round: int
    couple: Couple
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What would happen without some rules."""

    rules: tuple[str, ...]
    """Names. One, or several where none by itself helps anyone."""
    seated: tuple[tuple[int, PersonId], ...] = ()
    """Round and person: who would have a partner then, and has none now nor after a repair under all rules."""
    against: tuple[Against, ...] = ()
    """The new couples that would break the rules."""
    is_advised: bool = False
    """The first that helps anyone."""
    unseated: int = 0
    """How many would give up their partner to people who were left out before."""

    @property
    def more(self) -> int:
        """How many people more would have a partner, counted in each round."""
        return len(self.seated) - self.unseated


def proposals(
    schedule: Schedule, left: Collection[PersonId] = (), *, fixed: Collection[Placed] = ()
) -> tuple[Relaxation, ...]:
    """For each rule that may be relaxed, in order of priority, what a repair without it would change.

    `left` and `fixed` are those of `repair`; rounds before the first with people unpaired stay. Rules of priority
    `NEVER` are never proposed. If no single rule helps, the last entry names several that help together: rules in order
    of priority up to where someone is helped, less those that are not needed for it. Empty if everyone has a partner,
    and for groups other than pairs. Where locks make a repair impossible, nothing helps. The same schedule gives the
    same answer.
    """
    waiting = _waiting(schedule)
    if schedule.course.shape.kind is not Kind.PAIRS or not waiting:
        return ()
    from_round = min(number for number, _ in waiting)
    rules = sorted(
        (rule for rule in schedule.course.rules if rule.priority < NEVER), key=lambda rule: (rule.priority, rule.name)
    )

    def repaired(dropped: Sequence[Rule]) -> Schedule:
        kept = tuple(rule for rule in schedule.course.rules if rule not in dropped)
        relaxed = replace(schedule, course=replace(schedule.course, rules=kept))
        try:
            return repair(relaxed, left, (), from_round, fixed=fixed)
        except ImpossibleRequest:
            # Locks contradict each other or a rule that stays: nothing would change.
            return schedule

    still = _waiting(repaired(()))

    def without(dropped: Sequence[Rule]) -> Relaxation:
        after = repaired(dropped)
        alone, names = _waiting(after), tuple(rule.name for rule in dropped)
        seated, unseated = sorted((waiting & still) - alone), len(alone - still)
        if len(seated) <= unseated:
            return Relaxation(names)
        return Relaxation(names, tuple(seated), tuple(_against(schedule, after, dropped)), unseated=unseated)

    relaxed = [without([rule]) for rule in rules]
    if not any(relaxation.more for relaxation in relaxed):
        # The first rules that help when all of them are dropped, without those that can stay.
        for size in range(2, len(rules) + 1):
            dropped, together = rules[:size], without(rules[:size])
            if together.more:
                for rule in rules[: size - 1][::-1]:
                    fewer = [another for another in dropped if another is not rule]
                    if (answer := without(fewer)).more:
                        dropped, together = fewer, answer
                return (*relaxed, replace(together, is_advised=True))
    advised = next((at for at, relaxation in enumerate(relaxed) if relaxation.more), None)
    return tuple(replace(relaxation, is_advised=at == advised) for at, relaxation in enumerate(relaxed))


def _waiting(schedule: Schedule) -> Waiting:
    return frozenset((alone.round, alone.person) for alone in schedule.unpaired if alone.reason is not Reason.ABSENT)


def _against(before: Schedule, after: Schedule, dropped: Sequence[Rule]) -> Iterator[Against]:
    """The couples of new groups that break these rules, by round."""
    people = People(after.course.people, after.course.attributes)
    times = meetings((*after.rounds, after.course.met))
    for number, (old, new) in enumerate(zip(before.rounds, after.rounds, strict=True), start=1):
        stood = {frozenset(group) for group in old}
        formed = (group for group in new if frozenset(group) not in stood)
        couples = sorted(chain.from_iterable(combinations(sorted(group), 2) for group in formed))
        first, second = people.places(np.array(couples, dtype=np.int64).reshape(-1, 2)).T
        again = np.array([times[frozenset(couple)] > 1 for couple in couples], dtype=np.bool_)
        broken = refused(dropped, people, first, second, again)
        for couple, by_rule in zip(couples, broken.T.tolist(), strict=True):
            if any(by_rule):
                names = tuple(rule.name for rule, breaks in zip(dropped, by_rule, strict=True) if breaks)
                yield Against(number, couple, names)
