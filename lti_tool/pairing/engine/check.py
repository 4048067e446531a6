"""The independent check of plans and reviews, and what a plan is worth.

It evaluates the definitions of rules and wishes and shares nothing else with the code that plans. Nothing that it is
given is trusted: people may be unknown, groups empty, and proofs false.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.problem import (
    Breach,
    Course,
    Group,
    Kind,
    PersonId,
    Placed,
    Proof,
    Reason,
    ReviewProof,
    Reviews,
    Schedule,
    Violation,
)
from lti_tool.pairing.engine.rules import couple_keys, listed_in, refused

MayMeet = Callable[[Places, Places], Bools]
"""For each couple of places, whether the two may work together."""
Keys = NDArray[np.int64]
"""One number for each couple of places."""

NEEDS_NO_PROOF: Final = frozenset({Reason.NOBODY_ELSE, Reason.OTHERS_HAVE_BEGUN})


def verify(
    course: Course, schedule: Schedule, *, from_round: int = 1, fixed: Collection[Placed] = ()
) -> list[Violation]:
    """Everything that is wrong from this round on; an empty list means that the schedule may be used.

    Groups in `fixed` have begun: they may hold people who have left, and neither their size, rules nor locks are
    judged. Of all others:

    * Everyone is in exactly one group or listed as unpaired, and no one else is.
    * Pairs: groups of two; at most one of three where the number of people outside begun groups is odd. Trios: two to
      four members. Circles and rings: from two to one more than the size of the shape, because leavers make groups
      small. How even the sizes of a fresh plan are is not judged.
    * Every rule allows every two members of a group. "Never again" forbids who met before or in an earlier round.
    * Locked people are together. A lock that names someone who is not in the course has ended.
    * No one is needlessly unpaired: no two unpaired people may work together, and none may join a group that has room
      (pairs: any couple, if the number is odd and there is no trio). Meetings in later rounds count for "never again".
      Who is absent from a round is not counted in it at all.
    * Pairs: a round with unpaired people has a true proof, unless all of them say truly that no one else is here or
      that no one is allowed, or groups have begun, or this is a repair (no proofs at all, and a later round than 1).

    Violations come by round. A broken rule names the couple and the rule.
    """
    rounds = _rounds(course, schedule, fixed)
    numbers = range(1, len(rounds) + 1)
    violations = [Violation(Breach.UNKNOWN, out.round, (out.person,)) for out in schedule.unpaired]
    violations += [Violation(Breach.PROOF, proof.round, proof.barrier) for proof in schedule.proofs]
    violations = [violation for violation in violations if violation.round not in numbers]
    is_repair = from_round > 1 and not schedule.proofs
    for checked in rounds[from_round - 1 :]:
        violations += checked.violations([met.keys for met in rounds], is_repair=is_repair)
    return sorted(violations, key=lambda violation: violation.round)


def verify_reviews(course: Course, k: int, reviews: Reviews) -> list[Violation]:
    """Everything that is wrong with these reviews; an empty list means that they may be used. The round is always 1.

    UNKNOWN: someone who is not in the course. TWICE: an author twice for a reviewer, or oneself. SIZE: more than k.
    RULE: a review that a rule forbids. MISSING: fewer than k, and not listed as short with the true numbers, or listed
    and not short. PROOF: someone is short, and the proof is missing or does not show that there cannot be more.
    """
    known, pairs = frozenset(course.people), reviews.pairs
    people = _people(course)
    met = np.sort(_keys_of(people, course.met))
    may_meet = _may_meet(course, people, met)
    violations = [Violation(Breach.UNKNOWN, 1, (person,)) for person in sorted({*chain(*pairs)} - known)]
    for pair, times in sorted(Counter(pairs).items()):
        if times > 1 or pair[0] == pair[1]:
            violations.append(Violation(Breach.TWICE, 1, pair))
    real = [pair for pair in pairs if known.issuperset(pair)]
    first, second = people.places(np.array(real, dtype=np.int64).reshape(-1, 2)).T
    for name, broken in _broken(course, people, first, second, met):
        violations += [Violation(Breach.RULE, 1, real[at], name) for at in np.flatnonzero(broken).tolist()]
    done, received = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    listed = {short.person: (short.done, short.received) for short in reviews.short}
    for person in sorted(known | listed.keys()):
        counted = done[person], received[person]
        if max(counted) > k:
            violations.append(Violation(Breach.SIZE, 1, (person,)))
        if (min(counted) < k) != (person in listed) or listed.get(person, counted) != counted:
            violations.append(Violation(Breach.MISSING, 1, (person,)))
    if len(pairs) < k * len(known):
        proof = reviews.proof
        if proof is None or len(pairs) < _most_reviews(people, may_meet, k, proof):
            violations.append(Violation(Breach.PROOF, 1, proof.reviewers if proof else ()))
    return violations


def _most_reviews(people: People, may_meet: MayMeet, k: int, proof: ReviewProof) -> float:
    """How many reviews there can be: those by other people than the proof's reviewers, those of its authors, and every
    allowed couple beside. A proof that names someone twice, or a stranger, says nothing.
    """
    reviewers, authors = (people.places(np.array(side, dtype=np.int64)) for side in (proof.reviewers, proof.authors))
    for side in (reviewers, authors):
        if (side < 0).any() or len(np.unique(side)) < len(side):
            return np.inf
    others = np.setdiff1d(np.arange(len(people)), authors)
    beside = sum(int(_row(may_meet, person, others).sum()) for person in reviewers.tolist())
    return k * (len(people) - len(reviewers)) + k * len(authors) + beside


@dataclass(frozen=True, slots=True)
class Score:
    """Schedules are compared in this order of importance: violations, unpaired, flagged, repeats, objective."""

    violations: int
    """Broken rules, each couple and rule by itself, and locks that are not kept."""
    unpaired: int
    """People in rounds without a partner; the absent are not counted."""
    flagged_unpaired: int
    """Of those in round 1, how many had no partner last time."""
    repeats: int
    """Meetings of two people who had met before, ahead of the schedule or in an earlier round."""
    objective: int
    """Points of people: 2w for a couple, w12 + w13 + w23 for three, so that each counts the mean of their partners.

    In larger groups 2/(size - 1) for each couple, rounded down once for each size.
    """
    coach_balance: int
    """The largest |times first - times last| of anyone after the last round, what was ahead included."""
    same_role_twice_running: int
    """How often someone was first, or last, in two rounds that follow each other."""


def score(course: Course, schedule: Schedule) -> Score:
    """Count everything that a schedule is judged by."""
    people, rounds = _people(course), _rounds(course, schedule)
    alone = [out for out in schedule.unpaired if out.reason is not Reason.ABSENT]
    met = np.concatenate([np.zeros(0, dtype=np.int64), *(counted.keys for counted in rounds)])
    turns = np.array([counted.turns() for counted in rounds], dtype=np.int64).reshape(len(rounds), len(people))
    ahead = np.array([course.ahead.get(person, 0) for person in people.ids.tolist()], dtype=np.int64)
    points: Counter[int] = Counter()
    for counted in rounds:
        for wish in course.wishes:
            worth, sizes = wish.points(people, counted.first, counted.second), counted.sizes[counted.together]
            points.update({size: int(worth[sizes == size].sum()) for size in np.unique(sizes).tolist()})
    return Score(
        violations=sum(result.breach in {Breach.RULE, Breach.LOCK} for result in verify(course, schedule)),
        unpaired=len(alone),
        flagged_unpaired=sum(out.round == 1 and out.person in course.left_out for out in alone),
        repeats=len(met) - len(np.setdiff1d(met, _keys_of(people, course.met))),
        objective=sum(2 * worth // (size - 1) for size, worth in points.items()),
        coach_balance=int(np.abs(turns.sum(axis=0) + ahead).max(initial=0)),
        same_role_twice_running=int(((turns[1:] == turns[:-1]) & (turns[1:] != 0)).sum()),
    )


# ---- one round -------------------------------------------------------------------------------------------------------


def _rounds(course: Course, schedule: Schedule, fixed: Collection[Placed] = ()) -> list["_Round"]:
    people, begun = _people(course), frozenset(fixed)
    return [_Round(course, people, schedule, number, begun) for number in range(1, len(schedule.rounds) + 1)]


class _Round:
    """One round as arrays. People are places among `people`; -1 for those who are not in the course."""

    def __init__(
        self, course: Course, people: People, schedule: Schedule, number: int, fixed: frozenset[Placed]
    ) -> None:
        self.course, self.people, self.number, self.groups = course, people, number, schedule.rounds[number - 1]
        self.is_pairs = course.shape.kind is Kind.PAIRS
        self.proofs = [proof for proof in schedule.proofs if proof.round == number]
        self.listed = [(out.person, out.reason) for out in schedule.unpaired if out.round == number]
        self.reasons = dict(self.listed)
        self.sizes = np.fromiter(map(len, self.groups), dtype=np.int64, count=len(self.groups))
        self.ids = np.fromiter(chain.from_iterable(self.groups), dtype=np.int64, count=int(self.sizes.sum()))
        self.places = people.places(self.ids)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.group = np.repeat(np.arange(len(self.groups)), self.sizes)
        """For each member, the number of the group."""
        self.begun = np.array([(number, group) in fixed for group in self.groups], dtype=np.bool_)
        away = [person for person, reason in self.reasons.items() if reason is Reason.ABSENT]
        self.absent = _real(people.places(np.array(away, dtype=np.int64)))
        self.group_of = np.full(len(people), -1, dtype=np.int64)
        """For each person of the course, the number of their group, or -1."""
        here = self.places >= 0
        self.group_of[self.places[here]] = self.group[here]
        self.outside: Bools = ~np.append(self.begun, False)[self.group_of]
        """For each person of the course, whether they turn up and are in no group that has begun."""
        self.outside[self.absent] = False
        self.first, self.second, self.together = self._couples()
        self.keys = couple_keys(self.first, self.second, len(people))
        locks = [lock.members for lock in course.locks if lock.round in {None, number}]
        known = set(course.people) if locks else set()
        self.locked = [
            (members, np.array(_without(people.places(members), self.absent), dtype=np.int64))
            for members in locks
            if known.issuperset(members)
        ]
        """The locks of this round of whom all are in the course, and those of their members who turn up."""

    def _couples(self) -> tuple[Places, Places, NDArray[np.int64]]:
        """Every two members of a group, and its number. People who are not in the course are left out."""
        parts = [np.zeros((3, 0), dtype=np.int64)]
        for size in np.unique(self.sizes).tolist():
            group = np.flatnonzero(self.sizes == size)
            members = self.places[self.starts[group][:, None] + np.arange(size)]
            parts += [np.array((members[:, a], members[:, b], group)) for a, b in combinations(range(size), 2)]
        first, second, group = np.concatenate(parts, axis=1)
        real = (first >= 0) & (second >= 0) & (first != second)
        return first[real], second[real], group[real]

    def turns(self) -> NDArray[np.int64]:
        """For each person of the course: +1 who is first in their group, -1 who is last, 0 everyone else."""
        turns = np.zeros(len(self.people), dtype=np.int64)
        large = self.sizes > 1
        turns[_real(self.places[self.starts[large]])] = 1
        turns[_real(self.places[(self.starts + self.sizes - 1)[large]])] = -1
        return turns

    def violations(self, met: list[Keys], *, is_repair: bool) -> Iterator[Violation]:
        """Everything that is wrong with this round. `met`: the couples of every round."""
        before = _keys_of(self.people, self.course.met)
        earlier = np.sort(np.concatenate([before, *met[: self.number - 1]]))
        judged = ~self.begun[self.together]
        first, second = self.first[judged], self.second[judged]
        for name, broken in _broken(self.course, self.people, first, second, earlier):
            for couple in zip(*self.people.ids[[first[broken], second[broken]]].tolist(), strict=True):
                yield self._wrong(Breach.RULE, couple, name)
        largest = 3 if self.is_pairs else self.course.shape.size + 1
        for at in np.flatnonzero(~self.begun & ((self.sizes < 2) | (self.sizes > largest))).tolist():
            yield self._wrong(Breach.SIZE, self.groups[at])
        yield from self._presence()
        for members, places in self.locked:
            groups = set(self.group_of[places].tolist())
            has_begun = any(group >= 0 and self.begun[group] for group in groups)
            if len(places) > 1 and not has_begun and (len(groups) > 1 or groups == {-1}):
                yield self._wrong(Breach.LOCK, members)
        yield from self._unpaired(np.concatenate([earlier, *met[self.number :]]), is_repair=is_repair)

    def _wrong(self, breach: Breach, people: Group, rule: str = "") -> Violation:
        return Violation(breach, self.number, people, rule)

    def _presence(self) -> Iterator[Violation]:
        listed = np.array([person for person, _ in self.listed], dtype=np.int64)
        everyone = np.sort(np.concatenate([self.ids, listed]))
        missing = self.people.ids[~listed_in(everyone, self.people.ids)].tolist()
        twice = np.unique(everyone[1:][everyone[1:] == everyone[:-1]]).tolist()
        strangers = _without(everyone[~listed_in(self.people.ids, everyone)], self.ids[self.begun[self.group]])
        for breach, some in ((Breach.MISSING, missing), (Breach.TWICE, twice), (Breach.UNKNOWN, strangers)):
            yield from (self._wrong(breach, (person,)) for person in some)
        trios = np.flatnonzero(~self.begun & (self.sizes == 3)).tolist() if self.is_pairs else []
        if len(trios) > int(self.outside.sum()) % 2:
            yield from (self._wrong(Breach.TRIOS, self.groups[at]) for at in trios)

    def _unpaired(self, elsewhere: Keys, *, is_repair: bool) -> Iterator[Violation]:
        alone = np.setdiff1d(self.people.places(np.array([*self.reasons], dtype=np.int64)), [-1, *self.absent])
        may_meet = _may_meet(self.course, self.people, elsewhere)
        proven = [proof for proof in self.proofs if len(alone) and self._proves(proof, may_meet, alone)]
        yield from (self._wrong(Breach.PROOF, proof.barrier) for proof in self.proofs if proof not in proven)
        if not len(alone):
            return
        needless = self._have_room(may_meet, alone)
        if not proven:
            needless |= _have_partner(may_meet, alone, alone)
        for person in self.people.ids[alone[needless]].tolist():
            yield self._wrong(Breach.NEEDLESSLY_UNPAIRED, (person,))
        if self.proofs or self.begun.any() or is_repair or not self.is_pairs:
            return
        # Without a proof, reasons must say truly that nothing could be done.
        present = np.array(_without(np.arange(len(self.people)), self.absent), dtype=np.int64)
        can_meet = _have_partner(may_meet, alone, present)
        for person, can in zip(self.people.ids[alone].tolist(), can_meet.tolist(), strict=True):
            is_true = self.reasons[person] is Reason.NOBODY_ALLOWED and not can
            if self.reasons[person] not in NEEDS_NO_PROOF and not is_true:
                yield self._wrong(Breach.PROOF, (person,))

    def _proves(self, proof: Proof, may_meet: MayMeet, alone: Places) -> bool:
        """Whether every arrangement in pairs leaves as many people without a partner, as far as this proof shows.

        Tutte (1947) and Berge (1958): take the people of the barrier away, and count the parts of odd size into which
        the others fall; at least so many more parts than people in the barrier stay without a partner. Locked people
        are where they must be, so a proof may be about the others only; or about everyone.
        """
        barrier = self.people.places(np.array(proof.barrier, dtype=np.int64))
        if not self.is_pairs or len(np.unique(barrier)) < len(barrier) or (barrier < 0).any():
            return False
        free = self.outside.copy()
        for _, places in self.locked:
            if len(places) > 1:
                free[places] = False
        thirds = self.places[(self.sizes[self.group] == 3) & ~self.begun[self.group] & (self.places >= 0)]
        for about in (free, self.outside) if (free != self.outside).any() else (free,):
            # A trio is a couple and one more person, who has no partner in an arrangement in pairs.
            over = int(about[thirds].sum()) % 2
            parts = np.array(_without(np.flatnonzero(about), barrier), dtype=np.int64)
            if about[barrier].all() and _odd_parts(may_meet, parts) - len(barrier) >= len(alone) + over:
                return True
        return False

    def _have_room(self, may_meet: MayMeet, alone: Places) -> Bools:
        """Which of these people may join a group as it is."""
        fits = np.zeros(len(alone), dtype=np.bool_)
        can_host = self.outside.sum() % 2 and not (~self.begun & (self.sizes > 2)).any()
        if self.is_pairs and not can_host:
            return fits
        for size in range(2, 3 if self.is_pairs else self.course.shape.size + 1):
            groups = np.flatnonzero(~self.begun & (self.sizes == size))
            members = self.places[self.starts[groups][:, None] + np.arange(size)]
            columns = members[(members >= 0).all(axis=1)].T
            for at, person in enumerate(alone.tolist()):
                fits[at] |= np.logical_and.reduce([_row(may_meet, person, column) for column in columns]).any()
        return fits


# ---- who may meet ----------------------------------------------------------------------------------------------------


def _people(course: Course) -> People:
    return People(tuple(sorted(set(course.people))), course.attributes)


def _real(places: Places) -> Places:
    return places[places >= 0]


def _keys_of(people: People, met: Collection[tuple[PersonId, PersonId]]) -> Keys:
    """The keys of these couples. People who are not in the course do not count."""
    places = people.places(np.array(list(met), dtype=np.int64).reshape(-1, 2))
    first, second = places[(places >= 0).all(axis=1)].T
    return couple_keys(first, second, len(people))


def _broken(course: Course, people: People, first: Places, second: Places, met: Keys) -> Iterator[tuple[str, Bools]]:
    """For each rule its name, and which of these couples it forbids. `met`: sorted keys of who met."""
    again = listed_in(met, couple_keys(first, second, len(people)))
    names = [rule.name for rule in course.rules]
    yield from zip(names, refused(course.rules, people, first, second, again), strict=True)


def _may_meet(course: Course, people: People, met: Keys) -> MayMeet:
    """Whether all rules of the course allow couples of places."""
    sorted_met = np.sort(met)

    def may_meet(first: Places, second: Places) -> Bools:
        again = listed_in(sorted_met, couple_keys(first, second, len(people)))
        allowed: Bools = (first != second) & ~refused(course.rules, people, first, second, again).any(axis=0)
        return allowed

    return may_meet


def _row(may_meet: MayMeet, person: int, others: Places) -> Bools:
    """For each of these others, whether the person may work with them."""
    return may_meet(np.full(len(others), person, dtype=np.int64), others)


def _have_partner(may_meet: MayMeet, who: Places, others: Places) -> Bools:
    """For each of these people, whether they may work with any of the others."""
    return np.array([_row(may_meet, person, others).any() for person in who.tolist()], dtype=np.bool_)


def _odd_parts(may_meet: MayMeet, who: Places) -> int:
    """How many of the parts into which these people fall have an odd number of members.

    Two people are in one part when a chain of allowed couples joins them.
    """
    unreached, odd = who, 0
    while len(unreached):
        waiting, unreached, size = [int(unreached[-1])], unreached[:-1], 0
        while waiting:
            size += 1
            reached = _row(may_meet, waiting.pop(), unreached)
            waiting += unreached[reached].tolist()
            unreached = unreached[~reached]
        odd += size % 2
    return odd


def _without(everyone: NDArray[np.int64], some: NDArray[np.int64]) -> list[int]:
    rest: list[int] = np.setdiff1d(everyone, some).tolist()
    return rest
