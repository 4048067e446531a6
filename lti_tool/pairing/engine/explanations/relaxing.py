"""What it would change if a rule were dropped. Nothing is dropped here: that is for the designer to decide.

For pairs. Each rule is taken away in turn, and the largest matching of each round with unpaired people is made anew
from the present couples, the other rounds staying as they are.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import meetings_of
from lti_tool.pairing.engine.compiled import Couples, among
from lti_tool.pairing.engine.course import Kind, PersonId
from lti_tool.pairing.engine.coverage.alternating import ALONE
from lti_tool.pairing.engine.coverage.attaching import best_third
from lti_tool.pairing.engine.coverage.covering import Weigh, cover
from lti_tool.pairing.engine.people import Places, Points
from lti_tool.pairing.engine.rules.not_again import NotAgain
from lti_tool.pairing.engine.rules.rule import NEVER, Rule
from lti_tool.pairing.engine.schedule import Group, Placed, Reason, Schedule


@dataclass(frozen=True, slots=True)
class Against:
    """Two people who would sit together although these rules forbid it."""

    round: int
    couple: tuple[PersonId, PersonId]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What would happen without some rules."""

    rules: tuple[str, ...]
    """Names. One, or several where none by itself helps anybody."""
    seated: tuple[tuple[int, PersonId], ...] = ()
    """Round and person: who would have a partner then and has none now. Everybody else keeps one."""
    against: tuple[Against, ...] = ()
    """The couples that would break the rules: few, but not proven to be the fewest."""
    is_advised: bool = False
    """The first that helps anybody."""

    @property
    def more(self) -> int:
        """How many people more would have a partner, counted in each round."""
        return len(self.seated)


def proposals(
    schedule: Schedule,
    round: int | None = None,  # noqa: A002 - the word for it
    *,
    fixed: Collection[Placed] = (),
) -> tuple[Relaxation, ...]:
    """For each rule that may be given up, in order of priority, what dropping it alone would change.

    Looked at are the people without a partner in this round, or in all. Rules of priority `NEVER` are never proposed.
    If no single rule helps, the last entry names several that help together: rules in order of priority up to where
    somebody is helped, less those that are not needed for it. Locked groups and those in `fixed` stay. Empty if
    everybody has a partner, and for groups other than pairs. Nothing is changed; the same schedule, the same answer.
    """
    if schedule.course.shape.kind is not Kind.PAIRS:
        return ()
    rounds = range(1, len(schedule.rounds) + 1) if round is None else (round,)
    short = [number for number in rounds if _looking(schedule, number)]
    if not short:
        return ()
    rules = sorted(
        (rule for rule in schedule.course.rules if rule.priority < NEVER), key=lambda rule: (rule.priority, rule.name)
    )
    found = [_without((rule,), schedule, short, fixed) for rule in rules]
    if not any(one.more for one in found):
        together = _together(rules, schedule, short, fixed)
        return (*found, replace(together, is_advised=True)) if together else tuple(found)
    advised = next(at for at, one in enumerate(found) if one.more)
    return tuple(replace(one, is_advised=at == advised) for at, one in enumerate(found))


def _looking(schedule: Schedule, number: int) -> list[PersonId]:
    """Who has no partner in a round and should have one."""
    return sorted(one.person for one in schedule.unpaired if one.round == number and one.reason is not Reason.ABSENT)


def _together(
    rules: Sequence[Rule], schedule: Schedule, rounds: Sequence[int], fixed: Collection[Placed]
) -> Relaxation | None:
    """The first rules that help when all of them are dropped, without those that can stay."""
    for size in range(2, len(rules) + 1):
        found = _without(rules[:size], schedule, rounds, fixed)
        if found.more:
            dropped = list(rules[:size])
            for rule in rules[: size - 1][::-1]:
                fewer = [one for one in dropped if one is not rule]
                without = _without(fewer, schedule, rounds, fixed)
                if without.more:
                    dropped, found = fewer, without
            return found
    return None


def _without(
    dropped: Sequence[Rule], schedule: Schedule, rounds: Sequence[int], fixed: Collection[Placed]
) -> Relaxation:
    course = schedule.course
    kept = tuple(rule for rule in course.rules if all(rule is not one for one in dropped))
    couples = Couples(replace(course, rules=kept))
    groups = {number: schedule.rounds[number - 1] for number in range(1, len(schedule.rounds) + 1)}
    seated: list[tuple[int, PersonId]] = []
    against: list[Against] = []
    for number in rounds:
        elsewhere = [group for other, some in groups.items() if other != number for group in some]
        met = np.unique(meetings_of(couples.people, [*course.met, *elsewhere]))
        stays = [group for group in groups[number] if _stays(schedule, number, group, fixed)]
        occasion = _Occasion(couples, tuple(dropped), met)
        alone = _looking(schedule, number)
        moving = [group for group in groups[number] if group not in stays]
        found = occasion.seat(moving, alone, may_have_trio=not any(len(group) > 2 for group in stays))
        here = {one for group in found for one in group}
        helped = [one for one in alone if one in here]
        if helped:
            groups[number] = (*stays, *found)
            seated += [(number, one) for one in helped]
            against += [Against(number, couple, names) for couple, names in occasion.broken(found)]
    return Relaxation(tuple(rule.name for rule in dropped), tuple(seated), tuple(against))


def _stays(schedule: Schedule, number: int, group: Group, fixed: Collection[Placed]) -> bool:
    locks = (lock for lock in schedule.course.locks if lock.round in {None, number})
    return (number, group) in fixed or any(len(set(lock.members) & set(group)) > 1 for lock in locks)


@dataclass(frozen=True)
class _Occasion:
    """One round without some rules."""

    couples: Couples
    dropped: tuple[Rule, ...]
    met: NDArray[np.int64]
    """Sorted keys of everybody who meets at another time."""

    def seat(self, groups: Sequence[Group], alone: Sequence[PersonId], *, may_have_trio: bool) -> list[Group]:
        """Groups for everybody of `groups` and as many of `alone` as can be."""
        trios = [group for group in groups if len(group) > 2]
        pairs = [group for group in groups if len(group) == 2]
        members = [one for group in groups for one in group]
        found = [*trios, *self._groups(self._matched(pairs, alone, members))]
        if may_have_trio and (len(members) + len(alone)) % 2:
            # The trio may be another one: for the time being it is a couple, and somebody without a partner.
            ends = [(trio[0], trio[-1]) for trio in trios]
            middle = [one for trio in trios for one in trio[1:-1]]
            other = self._with_trio([*pairs, *ends], [*alone, *middle], members)
            seated = {one for group in other for one in group}
            if len(seated) > sum(map(len, found)) and seated.issuperset(members):
                return other
        return found

    def _with_trio(self, pairs: Sequence[Group], alone: Sequence[PersonId], first: Sequence[PersonId]) -> list[Group]:
        partner = self._matched(pairs, alone, first)
        who = self._places([*(one for pair in pairs for one in pair), *alone])
        favoured = self._places(first)
        third = best_third(self.couples, who, partner, self._banned, weigh=self._weigh(pairs), left_out=favoured)
        if third is None:
            return self._groups(partner)
        one, other = (int(self.couples.people.ids[place]) for place in third.couple)
        trio = (one, int(self.couples.people.ids[third.person]), other)
        return [*(group for group in self._groups(third.partner) if group[0] not in trio), trio]

    def _matched(self, pairs: Sequence[Group], alone: Sequence[PersonId], first: Sequence[PersonId]) -> Places:
        """A largest matching. Whoever has a partner is favoured, and so keeps one, though perhaps another."""
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        ends = self._places([one for pair in pairs for one in pair]).reshape(-1, 2)
        partner[ends[:, 0]], partner[ends[:, 1]] = ends[:, 1], ends[:, 0]
        who = np.concatenate([ends.ravel(), self._places(alone)])
        favoured = self._places(first)
        return cover(self.couples, who, partner, self._banned, weigh=self._weigh(pairs), left_out=favoured)

    def _weigh(self, pairs: Sequence[Group]) -> Weigh:
        """Few broken rules, then few other couples than now, then points."""
        ends = self._places([one for pair in pairs for one in pair]).reshape(-1, 2)
        present = np.unique(self.couples.keys(ends[:, 0], ends[:, 1]))
        keep = len(self.couples) * (self.couples.most + 1)

        def weigh(one: Places, other: Places) -> Points:
            kept = among(present, self.couples.keys(one, other))
            breaks = np.any([self._breaks(rule, one, other) for rule in self.dropped], axis=0)
            worth: Points = self.couples.points(one, other) + keep * kept - keep * len(self.couples) * breaks
            return worth

        return weigh

    @property
    def _banned(self) -> NDArray[np.int64]:
        return self.met if self.couples.never_again else np.zeros(0, dtype=np.int64)

    def _places(self, ids: Sequence[PersonId]) -> Places:
        return self.couples.people.places(np.array(ids, dtype=np.int64))

    def _groups(self, partner: Places) -> list[Group]:
        ids = self.couples.people.ids.tolist()
        return [(ids[one], ids[other]) for one, other in enumerate(partner.tolist()) if one < other]

    def broken(self, groups: Iterable[Group]) -> Iterator[tuple[tuple[PersonId, PersonId], tuple[str, ...]]]:
        """The couples that break rules which were dropped, and which."""
        ids = self.couples.people.ids
        listed = sorted(tuple(sorted(couple)) for group in groups for couple in combinations(group, 2))
        one, other = self._places([one for couple in listed for one in couple]).reshape(-1, 2).T
        per_rule = [(rule.name, self._breaks(rule, one, other)) for rule in self.dropped]
        for at in np.flatnonzero(np.any([breaks for _, breaks in per_rule], axis=0)).tolist():
            couple = int(ids[one[at]]), int(ids[other[at]])
            yield couple, tuple(name for name, breaks in per_rule if breaks[at])

    def _breaks(self, rule: Rule, one: Places, other: Places) -> NDArray[np.bool_]:
        if isinstance(rule, NotAgain):
            return among(self.met, self.couples.keys(one, other))
        forbidden: NDArray[np.bool_] = ~rule.allows(self.couples.people, one, other)
        return forbidden
