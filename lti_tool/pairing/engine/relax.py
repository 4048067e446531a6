"""What would change if a rule were relaxed. Nothing is relaxed here: that is for the designer to decide.

For pairs. Each rule is taken away in turn, and for each round with unpaired people a largest matching is made again
from the present couples; the other rounds stay as they are.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Couples, Meetings, meetings_of
from lti_tool.pairing.engine.course import Couple, Kind, PersonId
from lti_tool.pairing.engine.matching import ALONE
from lti_tool.pairing.engine.pairs import History, Question
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
        """Groups for everyone of `groups` and for as many of `alone` as possible: few broken rules, few changes."""
        members, people = self._places(chain.from_iterable(groups)), len(self.couples)
        pairs = self._places(chain.from_iterable(group for group in groups if len(group) == 2)).reshape(-1, 2)
        trios = [tuple(self._places(sorted(group)).tolist()) for group in groups if len(group) > 2]
        is_odd = may_have_trio and (len(members) + len(alone)) % 2 == 1
        partner: Places = np.full(people, ALONE, dtype=np.int64)
        partner[pairs[:, 0]], partner[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
        first: Points = np.zeros(people, dtype=np.int64)
        first[members] = 1
        who = np.union1d(members, self._places(alone))
        nobody = np.zeros(people, dtype=np.int64)
        found = Question(
            self.couples,
            # Who has a partner keeps one, though perhaps someone else.
            History(Meetings(people, self.met), first, nobody, nobody),
            np.random.default_rng(0),
            who if is_odd else np.setdiff1d(who, [person for trio in trios for person in trio]),
            partner,
            np.zeros(people, dtype=np.bool_),
            is_odd=is_odd,
            trio=trios[0] if trios and is_odd else (),
            breaks=lambda one, other: np.any([self._breaks(rule, one, other) for rule in self.dropped], axis=0),
        ).arranged()
        trios = [found.trio] if found.trio else [] if is_odd else trios
        seated = [(one, other) for one, other in enumerate(found.partner.tolist()) if one < other] + trios
        ids = self.couples.people.ids
        return [tuple(ids[list(group)].tolist()) for group in seated]

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
