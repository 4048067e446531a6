"""The independent check of plans and reviews, and what a plan is worth.

It evaluates the definitions of rules and wishes and shares nothing else with the code that plans. Nothing that it is
given is trusted: people may be unknown, groups empty, and proofs false.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
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
from lti_tool.pairing.engine.rules import NotAgain, couple_keys, listed_in

MayMeet = Callable[[Places, Places], Bools]
"""For each couple of places, whether the two may work together."""
Keys = NDArray[np.int64]
"""One number for each couple of places."""

NEEDS_NO_PROOF: Final = frozenset({Reason.NOBODY_ELSE, Reason.OTHERS_HAVE_BEGUN})
AT_ONCE: Final = 1 << 18
"""Couples that are looked at in one step; bounds memory."""


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
    violations = [
        Violation(Breach.UNKNOWN, out.round, (out.person,))
        for out in schedule.unpaired
        if not 1 <= out.round <= len(rounds)
    ]
    violations += [
        Violation(Breach.PROOF, proof.round, proof.barrier)
        for proof in schedule.proofs
        if not 1 <= proof.round <= len(rounds)
    ]
    is_repair = from_round > 1 and not schedule.proofs
    for round_ in rounds[from_round - 1 :]:
        violations += round_.violations([met.keys for met in rounds], is_repair=is_repair)
    return sorted(violations, key=lambda one: one.round)


def verify_reviews(course: Course, k: int, reviews: Reviews) -> list[Violation]:
    """Everything that is wrong with these reviews; an empty list means that they may be used. The round is always 1.

    UNKNOWN: someone who is not in the course. TWICE: an author twice for a reviewer, or oneself. SIZE: more than k.
    RULE: a review that a rule forbids. MISSING: fewer than k, and not listed as short with the true numbers, or listed
    and not short. PROOF: someone is short, and the proof is missing or does not show that there cannot be more.
    """
    known, pairs = frozenset(course.people), reviews.pairs
    people = _people(course)
    met = _keys_of(people, course.met)
    violations = [Violation(Breach.UNKNOWN, 1, (person,)) for person in sorted({*chain(*pairs)} - known)]
    for pair, times in sorted(Counter(pairs).items()):
        if times > 1 or pair[0] == pair[1]:
            violations.append(Violation(Breach.TWICE, 1, pair))
    real = [pair for pair in pairs if known.issuperset(pair)]
    first, second = people.places(np.array(real, dtype=np.int64).reshape(-1, 2)).T
    for rule in course.rules:
        is_again = isinstance(rule, NotAgain) & listed_in(np.sort(met), couple_keys(first, second, len(people)))
        for at in np.flatnonzero(~rule.allows(people, first, second) | is_again).tolist():
            violations.append(Violation(Breach.RULE, 1, real[at], rule.name))
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
        if proof is None or len(pairs) < _most_reviews(people, _may_meet(course, people, met), k, proof):
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
    beside = sum(int(rows.sum()) for _, rows in _tables(may_meet, reviewers, others))
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
    met = np.concatenate([np.zeros(0, dtype=np.int64), *(round_.keys for round_ in rounds)])
    turns = np.array([round_.turns for round_ in rounds], dtype=np.int64).reshape(len(rounds), len(people))
    ahead = np.array([course.ahead.get(person, 0) for person in people.ids.tolist()], dtype=np.int64)
    points: Counter[int] = Counter()
    for round_ in rounds:
        first, second, group = round_.couples
        for wish in course.wishes:
            worth, sizes = wish.points(people, first, second), round_.sizes[group]
            points.update({size: int(worth[sizes == size].sum()) for size in np.unique(sizes).tolist()})
    return Score(
        violations=sum(one.breach in {Breach.RULE, Breach.LOCK} for one in verify(course, schedule)),
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


@dataclass(frozen=True)
class _Round:
    """One round as arrays. `places` are those of `people`; -1 for people who are not in the course."""

    course: Course
    people: People
    schedule: Schedule
    number: int
    fixed: frozenset[Placed]

    @property
    def groups(self) -> tuple[Group, ...]:
        return self.schedule.rounds[self.number - 1]

    @property
    def is_pairs(self) -> bool:
        return self.course.shape.kind is Kind.PAIRS

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        return np.fromiter(map(len, self.groups), dtype=np.int64, count=len(self.groups))

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """The members of all groups, one group after the other."""
        return np.fromiter(chain.from_iterable(self.groups), dtype=np.int64, count=int(self.sizes.sum()))

    @cached_property
    def places(self) -> Places:
        """The same as places."""
        return self.people.places(self.ids)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where the members of each group begin."""
        return np.cumsum(self.sizes) - self.sizes

    @cached_property
    def group(self) -> NDArray[np.int64]:
        """For each member, the number of the group."""
        return np.repeat(np.arange(len(self.groups)), self.sizes)

    @cached_property
    def begun(self) -> Bools:
        """Of each group, whether it has begun."""
        return np.array([(self.number, group) in self.fixed for group in self.groups], dtype=np.bool_)

    @cached_property
    def reasons(self) -> dict[PersonId, Reason]:
        """Who is listed as unpaired, and why."""
        return {out.person: out.reason for out in self.schedule.unpaired if out.round == self.number}

    @cached_property
    def absent(self) -> Places:
        """Who does not turn up: no one looks for a partner for them."""
        absent = [person for person, reason in self.reasons.items() if reason is Reason.ABSENT]
        places = self.people.places(np.array(absent, dtype=np.int64))
        return places[places >= 0]

    @cached_property
    def group_of(self) -> NDArray[np.int64]:
        """For each person of the course, the number of their group, or -1."""
        group_of = np.full(len(self.people), -1, dtype=np.int64)
        here = self.places >= 0
        group_of[self.places[here]] = self.group[here]
        return group_of

    @cached_property
    def outside(self) -> Bools:
        """For each person of the course, whether they turn up and are in no group that has begun."""
        outside = ~np.append(self.begun, False)[self.group_of]
        outside[self.absent] = False
        return outside

    @cached_property
    def couples(self) -> tuple[Places, Places, NDArray[np.int64]]:
        """Every two members of a group, and its number. People who are not in the course are left out."""
        parts = [np.zeros((3, 0), dtype=np.int64)]
        for size in np.flatnonzero(np.bincount(self.sizes)).tolist():
            group = np.flatnonzero(self.sizes == size)
            members = self.places[self.starts[group][:, None] + np.arange(size)]
            parts += [np.array((members[:, a], members[:, b], group)) for a, b in combinations(range(size), 2)]
        first, second, group = np.concatenate(parts, axis=1)
        real = (first >= 0) & (second >= 0) & (first != second)
        return first[real], second[real], group[real]

    @cached_property
    def keys(self) -> Keys:
        """The couples as numbers."""
        return couple_keys(*self.couples[:2], len(self.people))

    @cached_property
    def turns(self) -> NDArray[np.int64]:
        """For each person of the course: +1 who is first in their group, -1 who is last, 0 everyone else."""
        turns = np.zeros(len(self.people), dtype=np.int64)
        large = self.sizes > 1
        for at, turn in ((self.starts[large], 1), ((self.starts + self.sizes - 1)[large], -1)):
            places = self.places[at]
            turns[places[places >= 0]] = turn
        return turns

    @cached_property
    def locked(self) -> list[tuple[Group, Places]]:
        """The locks of this round of whom all are in the course, and those of their members who turn up."""
        locks = [lock.members for lock in self.course.locks if lock.round in {None, self.number}]
        known = set(self.course.people) if locks else set()
        places = [(members, self.people.places(members)) for members in locks if known.issuperset(members)]
        return [(members, who[~np.isin(who, self.absent)]) for members, who in places]

    # ---- what is wrong ----

    def violations(self, met: list[Keys], *, is_repair: bool) -> Iterator[Violation]:
        """Everything that is wrong with this round. `met`: the couples of every round."""
        before = _keys_of(self.people, self.course.met)
        yield from self._rules([before, *met[: self.number - 1]])
        yield from self._sizes()
        yield from self._presence()
        yield from self._locks()
        yield from self._unpaired([before, *met[: self.number - 1], *met[self.number :]], is_repair=is_repair)

    def _rules(self, earlier: list[Keys]) -> Iterator[Violation]:
        judged = ~self.begun[self.couples[2]]
        first, second = self.couples[0][judged], self.couples[1][judged]
        for rule in self.course.rules:
            if isinstance(rule, NotAgain):
                broken = listed_in(np.sort(np.concatenate(earlier)), self.keys[judged])
            else:
                broken = ~rule.allows(self.people, first, second)
            for couple in zip(*self.people.ids[[first[broken], second[broken]]].tolist(), strict=True):
                yield Violation(Breach.RULE, self.number, couple, rule.name)

    def _sizes(self) -> Iterator[Violation]:
        largest = 3 if self.is_pairs else self.course.shape.size + 1
        for at in np.flatnonzero(~self.begun & ((self.sizes < 2) | (self.sizes > largest))).tolist():
            yield Violation(Breach.SIZE, self.number, self.groups[at])

    def _presence(self) -> Iterator[Violation]:
        listed = [out.person for out in self.schedule.unpaired if out.round == self.number]
        everyone = np.sort(np.concatenate([self.ids, np.array(listed, dtype=np.int64)]))
        missing = self.people.ids[~listed_in(everyone, self.people.ids)].tolist()
        twice = np.unique(everyone[1:][everyone[1:] == everyone[:-1]]).tolist()
        strangers = _without(everyone[~listed_in(self.people.ids, everyone)], self.ids[self.begun[self.group]])
        for breach, some in ((Breach.MISSING, missing), (Breach.TWICE, twice), (Breach.UNKNOWN, strangers)):
            yield from (Violation(breach, self.number, (person,)) for person in some)
        trios = np.flatnonzero(~self.begun & (self.sizes == 3)).tolist() if self.is_pairs else []
        if len(trios) > int(self.outside.sum()) % 2:
            yield from (Violation(Breach.TRIOS, self.number, self.groups[at]) for at in trios)

    def _locks(self) -> Iterator[Violation]:
        for members, places in self.locked:
            groups = set(self.group_of[places].tolist())
            has_begun = any(group >= 0 and self.begun[group] for group in groups)
            if len(places) > 1 and not has_begun and (len(groups) > 1 or groups == {-1}):
                yield Violation(Breach.LOCK, self.number, members)

    def _unpaired(self, elsewhere: list[Keys], *, is_repair: bool) -> Iterator[Violation]:
        proofs = [proof for proof in self.schedule.proofs if proof.round == self.number]
        alone = np.setdiff1d(self.people.places(np.array([*self.reasons], dtype=np.int64)), [-1, *self.absent])
        if not len(alone):
            yield from (Violation(Breach.PROOF, self.number, proof.barrier) for proof in proofs)
            return
        may_meet = _may_meet(self.course, self.people, np.concatenate(elsewhere))
        proven = [proof for proof in proofs if self._proves(proof, may_meet, alone)]
        yield from (Violation(Breach.PROOF, self.number, proof.barrier) for proof in proofs if proof not in proven)
        needless = self._have_room(may_meet, alone)
        if not proven:
            needless |= _have_partner(may_meet, alone, alone)
        for person in self.people.ids[alone[needless]].tolist():
            yield Violation(Breach.NEEDLESSLY_UNPAIRED, self.number, (person,))
        if proofs or self.begun.any() or is_repair or not self.is_pairs:
            return
        # Without a proof, reasons must say truly that nothing could be done.
        present = _without(np.arange(len(self.people)), self.absent)
        for place, can_meet in zip(alone, _have_partner(may_meet, alone, np.array(present, np.int64)), strict=True):
            person = int(self.people.ids[place])
            is_true = self.reasons[person] is Reason.NOBODY_ALLOWED and not can_meet
            if self.reasons[person] not in NEEDS_NO_PROOF and not is_true:
                yield Violation(Breach.PROOF, self.number, (person,))

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
            members = members[(members >= 0).all(axis=1)]
            tables = [_tables(may_meet, alone, column) for column in members.T]
            for parts in zip(*tables, strict=True):
                fits[parts[0][0]] |= np.logical_and.reduce([rows for _, rows in parts]).any(axis=1)
        return fits


# ---- who may meet ----------------------------------------------------------------------------------------------------


def _people(course: Course) -> People:
    return People(tuple(sorted(set(course.people))), course.attributes)


def _keys_of(people: People, met: Collection[tuple[PersonId, PersonId]]) -> Keys:
    """The keys of these couples. People who are not in the course do not count."""
    places = people.places(np.array(list(met), dtype=np.int64).reshape(-1, 2))
    first, second = places[(places >= 0).all(axis=1)].T
    return couple_keys(first, second, len(people))


def _may_meet(course: Course, people: People, barred: Keys) -> MayMeet:
    """Whether all rules of the course allow couples of places. `barred` are keys of couples who met."""
    bars = np.sort(barred) if any(isinstance(rule, NotAgain) for rule in course.rules) else barred[:0]

    def may_meet(first: Places, second: Places) -> Bools:
        allowed: Bools = (first != second) & ~listed_in(bars, couple_keys(first, second, len(people)))
        for rule in course.rules:
            allowed &= rule.allows(people, first, second)
        return allowed

    return may_meet


def _tables(may_meet: MayMeet, who: Places, others: Places) -> Iterator[tuple[slice, Bools]]:
    """Who of `who` may meet whom of `others`, as a table of a few rows at a time."""
    step = max(1, AT_ONCE // max(1, len(others)))
    for start in range(0, len(who), step):
        rows = who[start : start + step]
        yield slice(start, start + step), _table(may_meet, rows, others)


def _table(may_meet: MayMeet, rows: Places, columns: Places) -> Bools:
    answers = may_meet(np.repeat(rows, len(columns)), np.tile(columns, len(rows)))
    return answers.reshape(len(rows), len(columns))


def _have_partner(may_meet: MayMeet, who: Places, others: Places) -> Bools:
    """For each of these people, whether they may work with any of the others."""
    return np.concatenate([np.zeros(0, np.bool_), *(rows.any(axis=1) for _, rows in _tables(may_meet, who, others))])


def _odd_parts(may_meet: MayMeet, who: Places) -> int:
    """How many of the parts into which these people fall have an odd number of members.

    Two people are in one part when a chain of allowed couples joins them.
    """
    unreached, odd = who, 0
    while len(unreached):
        waiting, unreached = unreached[-1:], unreached[:-1]
        size = 1
        while len(waiting) and len(unreached):
            # One row at first; many at once when little is left to reach, or most rows reach no one.
            width = max(1, AT_ONCE // len(unreached)) if size > 1 else 1
            reached = _table(may_meet, waiting[:width], unreached).any(axis=0)
            waiting = np.concatenate([waiting[width:], unreached[reached]])
            size += int(reached.sum())
            unreached = unreached[~reached]
        odd += size % 2
    return odd


def _without(everyone: NDArray[np.int64], some: NDArray[np.int64]) -> list[int]:
    rest: list[int] = np.setdiff1d(everyone, some).tolist()
    return rest
