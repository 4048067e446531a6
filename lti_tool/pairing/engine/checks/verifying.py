"""An independent check of a schedule. It shares no step with the code that makes one, only what the rules say."""

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.checks.seating import Seating, counted_before, keys, seat
from lti_tool.pairing.engine.checks.witnessing import AT_ONCE, MayMeet, have_partner, least_unpaired, may_meet
from lti_tool.pairing.engine.course import Course, Kind
from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules import NotAgain
from lti_tool.pairing.engine.schedule import Breach, Group, Placed, Proof, Reason, Schedule, Violation

NEEDS_NO_PROOF: Final = frozenset({Reason.NOBODY_ELSE, Reason.OTHERS_HAVE_BEGUN})


def verify(
    course: Course, schedule: Schedule, *, from_round: int = 1, fixed: Collection[Placed] = ()
) -> list[Violation]:
    """Everything that is wrong from this round on; an empty list means that the schedule may be used.

    Groups in `fixed` have begun: they may hold people who have left, and neither their size, rules nor locks are
    judged. Of all others:

    * Everybody is in exactly one group or listed as unpaired, and nobody else is.
    * Pairs: groups of two; at most one of three where the number of people outside begun groups is odd. Trios: two to
      four members. Circles and rings: from two to one more than the size of the shape, because leavers make groups
      small. How even the sizes of a fresh plan are is not judged.
    * Every rule allows every two members of a group. "Never again" forbids who met before or in an earlier round.
    * Locked people are together. A lock that names somebody who is not in the course has ended.
    * Nobody is needlessly unpaired: no two unpaired people may work together, and none may join a group that has room
      (pairs: any couple, if the number is odd and there is no trio). Meetings in later rounds count for "never again".
      Who is absent from a round is not counted in it at all.
    * Pairs: a round with unpaired people has a true proof, unless all of them say truly that nobody else is here or
      that nobody is allowed, or groups have begun, or this is a repair (no proofs at all, and a later round than 1).

    Violations come by round. A broken rule names the couple and the rule.
    """
    people = People(tuple(sorted(set(course.people))), course.attributes)
    check = _Check(course, people, schedule, seat(people, schedule, fixed), from_round)
    return sorted(check.violations(), key=lambda one: one.round)


class _Check:
    def __init__(self, course: Course, people: People, schedule: Schedule, seating: Seating, from_round: int) -> None:
        self.course, self.people, self.schedule, self.seating = course, people, schedule, seating
        self.from_round = from_round
        self.rounds = range(from_round, len(schedule.rounds) + 1)
        self.is_pairs = course.shape.kind is Kind.PAIRS
        self.judged = ~seating.begun & (seating.round >= from_round)
        """Of each group."""
        self.never_again = any(isinstance(rule, NotAgain) for rule in course.rules)
        self.before = np.unique(counted_before(people, course.met)) if self.never_again else np.zeros(0, dtype=np.int64)

    def violations(self) -> Iterator[Violation]:
        yield from self._rules()
        yield from self._sizes()
        yield from self._strangers()
        for number in self.rounds:
            yield from self._presence(number)
            yield from self._locks(number)
            yield from self._unpaired(number)

    def _rules(self) -> Iterator[Violation]:
        met = self.seating.meetings()
        chosen = np.flatnonzero(self.judged[met.group] & (met.one >= 0) & (met.other >= 0) & (met.one != met.other))
        one, other, group = met.one[chosen], met.other[chosen], met.group[chosen]
        for rule in self.course.rules:
            if isinstance(rule, NotAgain):
                couples = self._met_again(keys(one, other, len(self.people)), self.seating.round[group])
            else:
                couples = np.flatnonzero(~rule.allows(self.people, one, other))
            for couple in couples.tolist():
                members = (int(self.people.ids[one[couple]]), int(self.people.ids[other[couple]]))
                yield Violation(Breach.RULE, int(self.seating.round[group[couple]]), members, rule.name)

    def _met_again(self, wanted: NDArray[np.int64], rounds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of these couples met before the schedule or in an earlier round of it."""
        all_keys, all_rounds = self._all_meetings()
        order = np.lexsort((all_rounds, all_keys))
        first_keys, at = np.unique(all_keys[order], return_index=True)
        first_round = all_rounds[order][at]
        earlier = rounds > first_round[np.searchsorted(first_keys, wanted)]
        return np.flatnonzero(earlier | np.isin(wanted, self.before))

    def _all_meetings(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        met = self.seating.meetings()
        real = (met.one >= 0) & (met.other >= 0) & (met.one != met.other)
        return keys(met.one[real], met.other[real], len(self.people)), met.round[real]

    def _sizes(self) -> Iterator[Violation]:
        largest = 3 if self.is_pairs else self.course.shape.size + 1
        wrong = self.judged & ((self.seating.size < 2) | (self.seating.size > largest))
        for group in np.flatnonzero(wrong).tolist():
            yield Violation(Breach.SIZE, int(self.seating.round[group]), self.seating.groups[group])

    def _strangers(self) -> Iterator[Violation]:
        for number, unpaired in self.seating.unpaired.items():
            if not 1 <= number <= len(self.schedule.rounds):
                yield from (Violation(Breach.UNKNOWN, number, (person,)) for person in unpaired)
        for proof in self.schedule.proofs:
            if not 1 <= proof.round <= len(self.schedule.rounds):
                yield Violation(Breach.PROOF, proof.round, proof.barrier)

    def _presence(self, number: int) -> Iterator[Violation]:
        seating, seats = self.seating, self.seating.seats(number)
        ids = seating.ids[seats]
        begun = seating.begun[seating.group_of_seat[seats]]
        alone = np.array(seating.unpaired.get(number, []), dtype=np.int64)
        everybody, times = np.unique(np.concatenate([ids, alone]), return_counts=True)
        for person in np.setdiff1d(self.people.ids, everybody).tolist():
            yield Violation(Breach.MISSING, number, (person,))
        for person in everybody[times > 1].tolist():
            yield Violation(Breach.TWICE, number, (person,))
        for person in np.setdiff1d(everybody, np.concatenate([self.people.ids, ids[begun]])).tolist():
            yield Violation(Breach.UNKNOWN, number, (person,))
        if self.is_pairs:
            to_group = int(self._outside(number).sum())
            trios = np.flatnonzero(self.judged & (seating.round == number) & (seating.size == 3)).tolist()
            if len(trios) > to_group % 2:
                yield from (Violation(Breach.TRIOS, number, seating.groups[group]) for group in trios)

    def _groups_of(self, number: int) -> NDArray[np.int64]:
        """For each place, the group in this round, or -1."""
        found = np.full(len(self.people), -1, dtype=np.int64)
        places = self.seating.places[self.seating.seats(number)]
        found[places[places >= 0]] = self.seating.group_of_seat[self.seating.seats(number)][places >= 0]
        return found

    def _absent(self, number: int) -> Places:
        """Who does not turn up in this round: nobody looks for a partner for them."""
        absent = [one.person for one in self.schedule.unpaired if one.round == number and one.reason is Reason.ABSENT]
        places = self.people.places(np.array(absent, dtype=np.int64))
        return places[places >= 0]

    def _outside(self, number: int) -> Bools:
        """For each place, whether they turn up in this round and are in no group that has begun."""
        group_of = self._groups_of(number)
        outside = group_of < 0
        outside[~outside] = ~self.seating.begun[group_of[~outside]]
        outside[self._absent(number)] = False
        return outside

    def _locked(self, number: int) -> list[tuple[Group, list[int]]]:
        """The locks of a round, and the places of those of their members who turn up. All are in the course."""
        locks = [lock for lock in self.course.locks if lock.round in {None, number}]
        places = self.people.places(np.array([one for lock in locks for one in lock.members], dtype=np.int64)).tolist()
        ends = np.cumsum([len(lock.members) for lock in locks], dtype=np.int64).tolist()
        absent = frozenset(self._absent(number).tolist()) if locks else frozenset()
        named = [places[end - len(lock.members) : end] for lock, end in zip(locks, ends, strict=True)]
        return [
            (lock.members, [place for place in members if place not in absent])
            for lock, members in zip(locks, named, strict=True)
            if all(place >= 0 for place in members)
        ]

    def _locks(self, number: int) -> Iterator[Violation]:
        locked = self._locked(number)
        group_of = self._groups_of(number).tolist() if locked else []
        for members, places in locked:
            groups = {group_of[place] for place in places}
            if any(group >= 0 and self.seating.begun[group] for group in groups):
                continue
            if len(places) > 1 and (len(groups) > 1 or groups == {-1}):
                yield Violation(Breach.LOCK, number, members)

    def _unpaired(self, number: int) -> Iterator[Violation]:
        proofs = [proof for proof in self.schedule.proofs if proof.round == number]
        listed = np.unique(np.array(self.seating.unpaired.get(number, []), dtype=np.int64))
        alone = np.setdiff1d(self.people.places(listed), self._absent(number))
        alone = alone[alone >= 0]
        if not len(alone):
            yield from (Violation(Breach.PROOF, number, proof.barrier) for proof in proofs)
            return
        allows = may_meet(self.course, self.people, self._barred(number))
        outside = self._outside(number)
        proven = [proof for proof in proofs if self._proves(proof, number, allows, outside, alone)]
        yield from (Violation(Breach.PROOF, number, proof.barrier) for proof in proofs if proof not in proven)
        needless = np.zeros(len(alone), dtype=np.bool_)
        if not proven:
            needless |= have_partner(allows, alone, alone)
        needless |= self._have_room(number, allows, alone, int(outside.sum()))
        for person in self.people.ids[alone[needless]].tolist():
            yield Violation(Breach.NEEDLESSLY_UNPAIRED, number, (person,))
        if not proofs and not (self.seating.begun & (self.seating.round == number)).any():
            yield from self._reasons(number, allows, alone)

    def _barred(self, number: int) -> NDArray[np.int64]:
        """Couples who may not meet in this round because they meet at another time."""
        if not self.never_again:
            return self.before
        met, rounds = self._all_meetings()
        return np.union1d(self.before, met[rounds != number])

    def _proves(self, proof: Proof, number: int, allows: MayMeet, outside: Bools, alone: Places) -> bool:
        """Locked people sit where they must, so a proof may be about the others only; or about everybody."""
        barrier = self.people.places(np.array(proof.barrier, dtype=np.int64))
        if not self.is_pairs or len(np.unique(barrier)) < len(barrier) or (barrier < 0).any():
            return False
        free = outside.copy()
        for _, places in self._locked(number):
            if len(places) > 1:
                free[places] = False
        seats = self.seating.seats(number)
        groups = self.seating.group_of_seat[seats]
        thirds = self.seating.places[seats][(self.seating.size[groups] == 3) & ~self.seating.begun[groups]]
        for about in (free, outside) if not np.array_equal(free, outside) else (outside,):
            # A trio is a couple and one more, who has no partner in an arrangement in pairs.
            over = int(about[thirds[thirds >= 0]].sum()) % 2
            if about[barrier].all() and least_unpaired(allows, np.flatnonzero(about), barrier) >= len(alone) + over:
                return True
        return False

    def _have_room(self, number: int, allows: MayMeet, alone: Places, outside: int) -> Bools:
        """Which of these people may join a group as it is."""
        seating = self.seating
        here = (seating.round == number) & ~seating.begun
        fits = np.zeros(len(alone), dtype=np.bool_)
        if self.is_pairs and (outside % 2 == 0 or (here & (seating.size > 2)).any()):
            return fits
        starts = seating.starts[:-1]
        for size in range(2, 3 if self.is_pairs else self.course.shape.size + 1):
            groups = np.flatnonzero(here & (seating.size == size))
            members = seating.places[starts[groups][:, None] + np.arange(size)]
            members = members[(members >= 0).all(axis=1)]
            step = max(1, AT_ONCE // max(1, len(members)))
            for at in range(0, len(alone) if len(members) else 0, step):
                some = alone[at : at + step]
                joins = np.ones((len(some), len(members)), dtype=np.bool_)
                for column in range(size):
                    one, other = np.repeat(some, len(members)), np.tile(members[:, column], len(some))
                    joins &= allows(one, other).reshape(joins.shape)
                fits[at : at + step] |= joins.any(axis=1)
        return fits

    def _reasons(self, number: int, allows: MayMeet, alone: Places) -> Iterator[Violation]:
        """Without a proof, reasons must say truly that nothing could be done."""
        if not self.is_pairs or (self.from_round > 1 and not self.schedule.proofs):
            return
        said = {one.person: one.reason for one in self.schedule.unpaired if one.round == number}
        present = np.setdiff1d(np.arange(len(self.people)), self._absent(number))
        for place in alone.tolist():
            person = int(self.people.ids[place])
            if said[person] in NEEDS_NO_PROOF:
                continue
            if said[person] is not Reason.NOBODY_ALLOWED or have_partner(allows, np.array([place]), present).any():
                yield Violation(Breach.PROOF, number, (person,))
