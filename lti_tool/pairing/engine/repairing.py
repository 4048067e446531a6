"""After people left or joined, or rules changed: the fewest changes that give everybody a partner again."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import chain, combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import Acquaintance, Keys, meetings_of
from lti_tool.pairing.engine.barriers import NotLargest, barrier
from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.covering import NONE_BANNED
from lti_tool.pairing.engine.errors import ImpossibleRequest, LockConflict, LockForbidden, LockSize
from lti_tool.pairing.engine.mending import mend
from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.schedule import Group, Placed, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.sitting import Mended, Seats, Sitting
from lti_tool.pairing.engine.taking_turns import take_turns

NOT_AGAIN: Final = "not_again"
"""The name of the rule whose couples are found round by round: who met before may not meet again."""


def repair(
    schedule: Schedule,
    left: Collection[PersonId],
    joined: Collection[PersonId],
    from_round: int,
    *,
    fixed: Collection[Placed] = (),
) -> Schedule:
    """The same schedule without those who left and with those who joined, from this round on.

    Rounds before it and groups in `fixed` (they have begun) stay as they are, to the byte. Whoever lost a partner,
    joined, had no partner, or sits in a group that a rule forbids now, gets one with the fewest changes for others;
    people who are locked together are brought together. Somebody who is in `schedule.course` and in no group counts as
    joined. Of solutions with equally few changes the one with the fewest repeats, then with the most points is taken.
    Repeating a repair changes nothing. Raises ImpossibleRequest when somebody both left and joined, or for a round that
    does not exist, and its kinds LockConflict, LockSize and LockForbidden for locks that cannot be. Method: `mending`.
    """
    gone, new = frozenset(left), frozenset(joined)
    if gone & new or not 1 <= from_round <= len(schedule.rounds) + 1:
        raise ImpossibleRequest(from_round, len(gone & new))
    course = _after(schedule.course, gone, new)
    numbers = range(from_round, len(schedule.rounds) + 1)
    return _Repair(replace(schedule, course=course), gone, new, frozenset(), fixed, numbers=numbers).repaired()


def step_in(
    schedule: Schedule, absent: Collection[PersonId], number: int, *, fixed: Collection[Placed] = ()
) -> Schedule:
    """The same schedule where these people do not turn up in one round: who was to meet them meets somebody else.

    The absent are listed as unpaired with the reason ABSENT and stay in all other rounds. Who is in a group of `fixed`
    stays there. A repair in which they are `joined` lets them in again. Raises ImpossibleRequest for a round that does
    not exist.
    """
    if not 1 <= number <= len(schedule.rounds):
        raise ImpossibleRequest(number, len(absent))
    nobody: frozenset[PersonId] = frozenset()
    return _Repair(schedule, nobody, nobody, frozenset(absent), fixed, numbers=range(number, number + 1)).repaired()


def _after(course: Course, gone: frozenset[PersonId], new: frozenset[PersonId]) -> Course:
    people = tuple(one for one in course.people if one not in gone)
    people += tuple(sorted(new.difference(people)))
    locks = (replace(lock, members=tuple(one for one in lock.members if one not in gone)) for lock in course.locks)
    return replace(course, people=people, locks=tuple(lock for lock in locks if len(lock.members) > 1))


class _Repair:
    """Goes through the rounds one after the other; what is known of all rounds is kept up to date."""

    def __init__(
        self,
        schedule: Schedule,
        gone: frozenset[PersonId],
        new: frozenset[PersonId],
        absent: frozenset[PersonId],
        fixed: Collection[Placed],
        *,
        numbers: range,
    ) -> None:
        self.schedule, self.gone, self.new, self.absent, self.numbers = schedule, gone, new, absent, numbers
        self.rounds = list(schedule.rounds)
        self.begun: dict[int, set[Group]] = {}
        for number, group in fixed:
            self.begun.setdefault(number, set()).add(group)
        self.unpaired: dict[int, list[Unpaired]] = {}
        for one in schedule.unpaired:
            self.unpaired.setdefault(one.round, []).append(one)
        seated = chain.from_iterable(chain.from_iterable(self.rounds[number - 1] for number in numbers))
        listed = (one.person for number in numbers for one in self.unpaired.get(number, ()))
        everybody = set(schedule.course.people).union(seated, listed) - gone
        self.couples = Couples(replace(schedule.course, people=tuple(sorted(everybody))))
        self.people: People = self.couples.people
        self.met: Keys = meetings_of(self.people, schedule.course.met)
        self.meetings = [meetings_of(self.people, groups) for groups in self.rounds]
        self.proofs = {proof.round: proof for proof in schedule.proofs}
        self.formed: set[Placed] = set()
        self.never_again = any(rule.name == NOT_AGAIN for rule in schedule.course.rules)

    def repaired(self) -> Schedule:
        for number in self.numbers:
            self._mend(number)
        unpaired = chain.from_iterable(self.unpaired[number] for number in sorted(self.unpaired))
        proofs = tuple(self.proofs[number] for number in sorted(self.proofs))
        rounds = tuple(self.rounds)
        if self.formed:
            rounds = take_turns(rounds, self.formed, self.schedule.course.ahead, self.schedule.seed)
        return replace(self.schedule, rounds=rounds, unpaired=tuple(unpaired), proofs=proofs)

    def _mend(self, number: int) -> None:
        groups = self.rounds[number - 1]
        begun = self.begun.get(number, set())
        movable = [group for group in groups if group not in begun] if begun else list(groups)
        in_begun = {person for group in groups if group in begun for person in group} if begun else set()
        away = self._away(number, in_begun)
        sitting = self._sitting(number, movable, in_begun, away)
        mended = mend(sitting)
        if mended.alone and self.never_again:
            # Who meets in a later round may meet now all the same; then the later meeting moves.
            mended = min(mended, mend(replace(sitting, met=sitting.met_earlier)), key=lambda one: len(one.alone))
        ids = self.people.ids
        kept = {group for group, stays in zip(movable, mended.kept.tolist(), strict=True) if stays}
        formed = sorted(tuple(ids[list(seats)].tolist()) for seats in mended.formed)
        if len(kept) < len(movable) or formed:
            self.rounds[number - 1] = (*(group for group in groups if group in begun or group in kept), *formed)
            self.formed.update((number, group) for group in formed)
            self.meetings[number - 1] = meetings_of(self.people, self.rounds[number - 1])
        self._explain(number, sitting, mended, in_begun)
        self.unpaired[number] += [Unpaired(person, number, Reason.ABSENT) for person in away]
        self.unpaired[number].sort(key=lambda one: one.person)

    def _explain(self, number: int, sitting: Sitting, mended: Mended, in_begun: set[PersonId]) -> None:
        """Say why people are alone, and prove it where no group has begun."""
        self.proofs.pop(number, None)
        reasons = [self._reason(sitting, place, in_begun) for place in mended.alone]
        if Reason.TOO_FEW_PARTNERS in reasons and not in_begun:
            # Earlier rounds are settled now; what becomes of later ones cannot make the proof untrue.
            banned = sitting.met_earlier.keys if self.never_again else NONE_BANNED
            try:
                found = barrier(self.couples, mended.free, mended.partner, banned)
                self.proofs[number] = Proof(number, tuple(self.people.ids[found].tolist()))
            except NotLargest:
                reasons = [Reason.NONE_BETTER_FOUND if one is Reason.TOO_FEW_PARTNERS else one for one in reasons]
        listed = zip(self.people.ids[mended.alone].tolist(), reasons, strict=True)
        self.unpaired[number] = [Unpaired(person, number, reason) for person, reason in listed]

    def _sitting(self, number: int, movable: list[Group], in_begun: set[PersonId], away: set[PersonId]) -> Sitting:
        members, sizes = self._seats(movable, away)
        seat = np.ones(len(self.people), dtype=np.bool_)
        seat[self._places(in_begun | away)] = False
        locks = self._locks(number, seat)
        others = [keys for at, keys in enumerate(self.meetings, start=1) if at != number]
        met = met_earlier = Acquaintance.of(len(self.people), self.met, *others)
        if self.never_again:
            met_earlier = Acquaintance.of(len(self.people), self.met, *others[: number - 1], self._locked_after(number))
            met = Acquaintance.of(len(self.people), met.keys, self._locked_after(number))
        self._check(number, locks, int(seat.sum()) % 2, met_earlier)
        return Sitting(
            couples=self.couples,
            members=members,
            sizes=sizes,
            seat=np.flatnonzero(seat),
            met=met,
            never_again=self.never_again,
            met_earlier=met_earlier,
            locks=locks,
            flagged=self._flagged(number),
            in_trios=self._in_trios(number),
            seed=self.schedule.seed + number,
        )

    def _away(self, number: int, in_begun: set[PersonId]) -> set[PersonId]:
        """Who does not turn up in the round."""
        known = {one.person for one in self.unpaired.get(number, ()) if one.reason is Reason.ABSENT} - self.new
        return (known | self.absent) - self.gone - in_begun

    def _seats(self, groups: list[Group], away: set[PersonId]) -> tuple[Places, NDArray[np.int64]]:
        sizes = np.fromiter(map(len, groups), dtype=np.int64, count=len(groups))
        ids = np.fromiter(chain.from_iterable(groups), dtype=np.int64, count=int(sizes.sum()))
        places = self.people.places(ids)
        if away:
            places[np.isin(places, self._places(away))] = -1
        return places, sizes

    def _places(self, people: Iterable[PersonId]) -> Places:
        places = self.people.places(np.array(sorted(people), dtype=np.int64))
        return places[places >= 0]

    def _met(self, number: int) -> Acquaintance:
        others = (keys for at, keys in enumerate(self.meetings, start=1) if at != number)
        return Acquaintance.of(len(self.people), self.met, *others)

    def _locks(self, number: int, seat: Bools) -> tuple[Seats, ...]:
        """Locks between people who all need a group in this round. Of a lock, those count who are here."""
        found: set[Seats] = set()
        for lock in self.schedule.course.locks:
            places = self.people.places(sorted(set(lock.members)))
            here = places[places >= 0]
            if lock.round in {None, number} and len(here) > 1 and seat[here].all():
                found.add(tuple(here.tolist()))
        return tuple(sorted(found))

    def _locked_after(self, number: int) -> Keys:
        """Couples who are locked together in a later round."""
        locks = (lock for lock in self.schedule.course.locks if lock.round is not None and lock.round > number)
        return meetings_of(self.people, [lock.members for lock in locks])

    def _check(self, number: int, locks: tuple[Seats, ...], odd: int, met_earlier: Acquaintance) -> None:
        """Raise what makes locks impossible."""
        seated: set[int] = set()
        trios = sum(len(lock) == 3 for lock in locks)
        for lock in locks:
            members = tuple(self.people.ids[list(lock)].tolist())
            if seated.intersection(lock):
                raise LockConflict(number, int(self.people.ids[min(seated.intersection(lock))]))
            seated.update(lock)
            if self.schedule.course.shape.kind is Kind.PAIRS and (len(lock) > 3 or trios > odd):
                raise LockSize(number, members)
            for two in combinations(lock, 2):
                one, other = np.array(two[:1]), np.array(two[1:])
                rules = (
                    rule.name for rule in self.schedule.course.rules if not rule.allows(self.people, one, other)[0]
                )
                broken = next(rules, "")
                if self.never_again and met_earlier.times(one, other)[0]:
                    broken = broken or NOT_AGAIN
                if broken:
                    raise LockForbidden(number, members, broken)

    def _flagged(self, number: int) -> Bools:
        flagged = np.zeros(len(self.people), dtype=np.bool_)
        last = [one.person for one in self.unpaired.get(number - 1, ()) if one.reason is not Reason.ABSENT]
        flagged[self._places(self.schedule.course.left_out if number == 1 else last)] = True
        return flagged

    def _in_trios(self, number: int) -> NDArray[np.int64]:
        counted = np.zeros(len(self.people), dtype=np.int64)
        for person, times in self.schedule.course.in_trios.items():
            counted[self._places((person,))] += times
        for at, groups in enumerate(self.rounds, start=1):
            for group in groups if at != number else ():
                if len(group) == 3:
                    counted[self._places(group)] += 1
        return counted

    def _reason(self, sitting: Sitting, place: int, in_begun: set[PersonId]) -> Reason:
        one = np.full(len(self.people), place, dtype=np.int64)
        others = np.arange(len(self.people))
        fits = sitting.couples.allowed(one, others)
        if self.never_again:
            fits &= sitting.met_earlier.times(one, others) == 0
        begun = self._places(in_begun)
        if fits[begun].any():
            return Reason.OTHERS_HAVE_BEGUN
        if len(sitting.seat) + len(begun) == 1:
            return Reason.OTHERS_HAVE_BEGUN if in_begun else Reason.NOBODY_ELSE
        return Reason.TOO_FEW_PARTNERS if fits[sitting.seat].any() else Reason.NOBODY_ALLOWED
