"""What would change if a rule were relaxed. Nothing is relaxed here: that is for the designer to decide.

For pairs. Each rule is taken away in turn, and for each round with unpaired people a largest matching is made again
from the present couples; the other rounds stay as they are.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Couples, meetings_of
from lti_tool.pairing.engine.course import Couple, Kind, PersonId
from lti_tool.pairing.engine.matching import ALONE, best_third, cover
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.rules import NEVER, NotAgain, Rule, couple_keys, listed_in
from lti_tool.pairing.engine.schedule import Group, Placed, Reason, Schedule


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
    """Round and person: who would have a partner then and has none now. Everyone else keeps one."""
    against: tuple[Against, ...] = ()
    """The couples that would break the rules: few, but not proven to be the fewest."""
    is_advised: bool = False
    """The first that helps anyone."""

    @property
    def more(self) -> int:
        """How many people more would have a partner, counted in each round."""
        return len(self.seated)


def proposals(
    schedule: Schedule,
    round: int | None = None,
    *,
    fixed: Collection[Placed] = (),
) -> tuple[Relaxation, ...]:
    """For each rule that may be relaxed, in order of priority, what would change without it.

    It looks at the people without a partner in this round, or in all. Rules of priority `NEVER` are never proposed.
    If no single rule helps, the last entry names several that help together: rules in order of priority up to where
    someone is helped, less those that are not needed for it. Locked groups and those in `fixed` stay. Empty if everyone
    has a partner, and for groups other than pairs. Nothing is changed; the same schedule gives the same answer.
    """
    rounds = range(1, len(schedule.rounds) + 1) if round is None else (round,)
    short = [number for number in rounds if _looking(schedule, number)]
    if schedule.course.shape.kind is not Kind.PAIRS or not short:
        return ()
    rules = sorted(
        (rule for rule in schedule.course.rules if rule.priority < NEVER), key=lambda rule: (rule.priority, rule.name)
    )

    def without(some: Sequence[Rule]) -> Relaxation:
        return _without(some, schedule, short, fixed)

    relaxed = [without([rule]) for rule in rules]
    if not any(one.more for one in relaxed):
        # The first rules that help when all of them are dropped, without those that can stay.
        for size in range(2, len(rules) + 1):
            dropped, together = rules[:size], without(rules[:size])
            if together.more:
                for rule in rules[: size - 1][::-1]:
                    fewer = [other for other in dropped if other is not rule]
                    if (answer := without(fewer)).more:
                        dropped, together = fewer, answer
                return (*relaxed, replace(together, is_advised=True))
    advised = next((at for at, one in enumerate(relaxed) if one.more), None)
    return tuple(replace(one, is_advised=at == advised) for at, one in enumerate(relaxed))


def _looking(schedule: Schedule, number: int) -> list[PersonId]:
    """Who has no partner in a round and should have one."""
    return sorted(one.person for one in schedule.unpaired if one.round == number and one.reason is not Reason.ABSENT)


def _without(
    dropped: Sequence[Rule], schedule: Schedule, rounds: Sequence[int], fixed: Collection[Placed]
) -> Relaxation:
    course = schedule.course
    couples = Couples(replace(course, rules=tuple(rule for rule in course.rules if rule not in dropped)))
    groups = dict(enumerate(schedule.rounds, start=1))
    seated: list[tuple[int, PersonId]] = []
    against: list[Against] = []
    for number in rounds:
        elsewhere = chain.from_iterable(some for other, some in groups.items() if other != number)
        met = np.unique(meetings_of(couples.people, [*course.met, *elsewhere]))
        stays = [group for group in groups[number] if _stays(schedule, number, group, fixed)]
        moving = [group for group in groups[number] if group not in stays]
        relaxed, alone = _Relaxed(couples, tuple(dropped), met), _looking(schedule, number)
        after = relaxed.seat(moving, alone, may_have_trio=not any(len(group) > 2 for group in stays))
        helped = set(alone).intersection(chain.from_iterable(after))
        if helped:
            groups[number] = (*stays, *after)
            seated += [(number, person) for person in sorted(helped)]
            against += [Against(number, couple, names) for couple, names in relaxed.broken(after)]
    return Relaxation(tuple(rule.name for rule in dropped), tuple(seated), tuple(against))


def _stays(schedule: Schedule, number: int, group: Group, fixed: Collection[Placed]) -> bool:
    locks = (lock for lock in schedule.course.locks if lock.round in {None, number})
    return (number, group) in fixed or any(len(set(lock.members) & set(group)) > 1 for lock in locks)


@dataclass(frozen=True)
class _Relaxed:
    """One round without some rules."""

    couples: Couples
    dropped: tuple[Rule, ...]
    met: NDArray[np.int64]
    """Sorted keys of all couples who meet at another time."""

    def seat(self, groups: Sequence[Group], alone: Sequence[PersonId], *, may_have_trio: bool) -> list[Group]:
        """Groups for everyone of `groups` and for as many of `alone` as possible."""
        trios = [group for group in groups if len(group) > 2]
        pairs = [group for group in groups if len(group) == 2]
        members = list(chain.from_iterable(groups))
        seated = [*trios, *self._arranged(pairs, alone, members)]
        if may_have_trio and (len(members) + len(alone)) % 2:
            # The trio may be another one: for the time being it is a couple, and someone without a partner.
            ends = [(trio[0], trio[-1]) for trio in trios]
            middle = [person for trio in trios for person in trio[1:-1]]
            again = self._arranged([*pairs, *ends], [*alone, *middle], members, with_trio=True)
            everyone = set(chain.from_iterable(again))
            if len(everyone) > sum(map(len, seated)) and everyone.issuperset(members):
                return again
        return seated

    def _arranged(
        self, pairs: Sequence[Group], alone: Sequence[PersonId], first: Sequence[PersonId], *, with_trio: bool = False
    ) -> list[Group]:
        """The groups of a largest matching. The `first` have partners and keep one, though perhaps someone else."""
        ends = self._places(chain.from_iterable(pairs)).reshape(-1, 2)
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        partner[ends[:, 0]], partner[ends[:, 1]] = ends[:, 1], ends[:, 0]
        who, favored = np.concatenate([ends.ravel(), self._places(alone)]), self._places(first)
        banned = self.met if self.couples.never_again else self.met[:0]
        present = np.unique(self._keys(ends[:, 0], ends[:, 1]))
        keep = len(self.couples) * (self.couples.most + 1)

        def weigh(one: Places, other: Places) -> Points:
            """Few broken rules, then few couples other than now, then points."""
            kept = listed_in(present, self._keys(one, other))
            breaks = np.any([self._breaks(rule, one, other) for rule in self.dropped], axis=0)
            worth: Points = self.couples.points(one, other) + keep * kept - keep * len(self.couples) * breaks
            return worth

        partner = cover(self.couples, who, partner, banned, weigh=weigh, left_out=favored)
        third = best_third(self.couples, who, partner, banned, weigh=weigh, left_out=favored) if with_trio else None
        ids = self.couples.people.ids.tolist()
        trio: Group = ()
        if third is not None:
            partner, trio = third.partner, (ids[third.couple[0]], ids[third.person], ids[third.couple[1]])
        groups = [(ids[at], ids[other]) for at, other in enumerate(partner.tolist()) if at < other]
        return [*(group for group in groups if group[0] not in trio), *([trio] if trio else [])]

    def broken(self, groups: Iterable[Group]) -> Iterator[tuple[Couple, tuple[str, ...]]]:
        """The couples that break rules which were dropped, and which."""
        listed = sorted((min(two), max(two)) for group in groups for two in combinations(group, 2))
        one, other = self._places(chain.from_iterable(listed)).reshape(-1, 2).T
        by_rule = [self._breaks(rule, one, other).tolist() for rule in self.dropped]
        for couple, breaks in zip(listed, zip(*by_rule, strict=True), strict=True):
            if any(breaks):
                yield (
                    couple,
                    tuple(rule.name for rule, is_broken in zip(self.dropped, breaks, strict=True) if is_broken),
                )

    def _breaks(self, rule: Rule, one: Places, other: Places) -> Bools:
        if isinstance(rule, NotAgain):
            return listed_in(self.met, self._keys(one, other))
        return ~rule.allows(self.couples.people, one, other)

    def _keys(self, one: Places, other: Places) -> NDArray[np.int64]:
        return couple_keys(one, other, len(self.couples))

    def _places(self, ids: Iterable[PersonId]) -> Places:
        return self.couples.people.places(np.array([*ids], dtype=np.int64))
