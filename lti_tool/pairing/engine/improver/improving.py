"""An optional second look at a small course: all rounds at once instead of one after the other.

Rounds that are planned one by one can spend early what later rounds need. This needs OR-tools, which the engine does
without elsewhere.
"""

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import Acquaintance, meetings_of
from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.course import Kind, Shape
from lti_tool.pairing.engine.coverage.alternating import ALONE
from lti_tool.pairing.engine.coverage.barriers import NotLargest, barrier
from lti_tool.pairing.engine.coverage.covering import cover
from lti_tool.pairing.engine.improver.joint import Answer, Question, cost, solve
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.schedule import Group, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns.giving import give_turns

MOST_CHOICES: Final = 12_000
"""Allowed couples times rounds, beyond which there is no second look: 40 people and 15 rounds without rules."""
NOT_LOOKING: Final = frozenset({Reason.ABSENT, Reason.OTHERS_HAVE_BEGUN})


class ImproverMissing(RuntimeError):
    """OR-tools is not installed. It comes with the extra `improve`."""


def can_improve(shape: Shape, people: int, rounds: int) -> bool:
    """Whether `improve` looks at plans of this shape and size at all, whatever the rules are."""
    return shape.kind is Kind.PAIRS and people * (people - 1) // 2 * rounds <= MOST_CHOICES


def improve(schedule: Schedule) -> Schedule:
    """The schedule, or one that is better in what counts, in the same order of importance; never a worse one.

    For pairs, and up to `MOST_CHOICES`; other schedules come back as they are. Locked groups stay, and so do trios,
    whose members were chosen to be others each time. Where another schedule is better, turns are given anew. `engine`
    names the improver and its version, even where nothing better was found. The same schedule and the same version
    give the same answer. Raises ImproverMissing.
    """
    try:
        improver = f"cp-sat {version('ortools')}"
    except PackageNotFoundError as missing:
        raise ImproverMissing from missing
    if schedule.course.shape.kind is not Kind.PAIRS or not schedule.rounds:
        return schedule
    whole = _Whole(schedule)
    question = whole.question()
    if len(question.one) * len(schedule.rounds) > MOST_CHOICES:
        return schedule
    start = whole.present(question)
    found = solve(question, start, schedule.seed)
    better = whole.schedule(question, found) if cost(question, found) < cost(question, start) else None
    return replace(better or schedule, engine=f"{schedule.engine}+{improver}")


class _Whole:
    """A schedule as a question, and back."""

    def __init__(self, schedule: Schedule) -> None:
        self.before, self.couples = schedule, Couples(schedule.course)
        self.stays = [
            [group for group in groups if self._must_stay(number, group)]
            for number, groups in enumerate(schedule.rounds, start=1)
        ]
        not_looking = [one for one in schedule.unpaired if one.reason in NOT_LOOKING]
        self.not_looking = [
            [one for one in not_looking if one.round == number] for number in range(1, len(schedule.rounds) + 1)
        ]
        self.met = meetings_of(self.couples.people, schedule.course.met)

    def _must_stay(self, number: int, group: Group) -> bool:
        places = self._places(group)
        return (
            len(group) != 2
            or bool((places < 0).any())
            or not self.couples.allowed(places[:1], places[1:])[0]
            or any(len(set(locked) & set(group)) > 1 for locked in self._locked(number))
        )

    def _locked(self, number: int) -> list[Group]:
        return [lock.members for lock in self.before.course.locks if lock.round in {None, number}]

    def _places(self, ids: Iterable[int]) -> Places:
        return self.couples.people.places(np.array(list(ids), dtype=np.int64))

    def _free(self, number: int) -> Places:
        taken = [one for group in self.stays[number] for one in group]
        taken += [one.person for one in self.not_looking[number]]
        return np.setdiff1d(np.arange(len(self.couples), dtype=np.int64), self._places(taken))

    def question(self) -> Question:
        """What is free to be decided."""
        couples, course = self.couples, self.before.course
        one, other = (side.astype(np.int64) for side in np.triu_indices(len(couples), 1))
        allowed = couples.allowed(one, other)
        one, other = one[allowed], other[allowed]
        staying = meetings_of(couples.people, [group for groups in self.stays for group in groups])
        flagged = self._places(sorted(course.left_out))
        return Question(
            one,
            other,
            couples.points(one, other),
            Acquaintance.of(len(couples), self.met, staying).times(one, other),
            tuple(self._free(number) for number in range(len(self.stays))),
            flagged[flagged >= 0],
            couples.never_again,
        )

    def present(self, question: Question) -> Answer:
        """The couples of the schedule, as numbers of the question."""
        keys = self.couples.keys(question.one, question.other)
        found = []
        for groups, stays in zip(self.before.rounds, self.stays, strict=True):
            ends = self._places(one for group in groups if group not in stays for one in group).reshape(-1, 2)
            found.append(np.sort(np.searchsorted(keys, self.couples.keys(ends[:, 0], ends[:, 1]))))
        return tuple(found)

    def schedule(self, question: Question, answer: Answer) -> Schedule | None:
        """The answer as a schedule; None in the rare case that a round's unpaired people cannot be proven."""
        partners = [self._partner(question, chosen) for chosen in answer]
        if question.never_again:
            self._seat_more(question, partners)
        ids = self.couples.people.ids.tolist()
        rounds = []
        for partner, stays in zip(partners, self.stays, strict=True):
            pairs = [(ids[one], ids[other]) for one, other in enumerate(partner.tolist()) if one < other]
            rounds.append([*sorted([*pairs, *(group for group in stays if len(group) == 2)], key=min), *_larger(stays)])
        chance = Random(self.before.seed)  # noqa: S311 - chance that must be repeatable, and guards nothing
        given = give_turns(rounds, chance, ahead=self.before.course.ahead)
        proofs = self.before.proofs
        if question.never_again:
            try:
                proofs = tuple(self._proofs(question, partners))
            except NotLargest:
                return None
        return replace(self.before, rounds=given, unpaired=tuple(self._unpaired(question, partners)), proofs=proofs)

    def _partner(self, question: Question, chosen: Places) -> Places:
        found = np.full(len(self.couples), ALONE, dtype=np.int64)
        one, other = question.one[chosen], question.other[chosen]
        found[one], found[other] = other, one
        return found

    def _seat_more(self, question: Question, partners: list[Places]) -> None:
        """Under "never again", rounds that were moved about may leave room for a couple more in one of them."""
        seated = -1
        while seated < (seated := sum(int((partner != ALONE).sum()) for partner in partners)):
            for number, free in enumerate(question.free):
                partners[number] = cover(self.couples, free, partners[number], self._banned(partners, number))

    def _banned(self, partners: list[Places], number: int) -> NDArray[np.int64]:
        """Who meets at another time than in this round, or in a group of it that stays."""
        elsewhere = [group for at, stays in enumerate(self.stays) if at != number for group in stays]
        found = [self.met, meetings_of(self.couples.people, elsewhere)]
        for at, partner in enumerate(partners):
            one = np.flatnonzero(partner > np.arange(len(partner)))
            found += [self.couples.keys(one, partner[one])] if at != number else []
        return np.unique(np.concatenate(found))

    def _proofs(self, question: Question, partners: list[Places]) -> Iterable[Proof]:
        ids = self.couples.people.ids
        for number, (free, partner) in enumerate(zip(question.free, partners, strict=True)):
            if (partner[free] == ALONE).any():
                who, whole = [free], partner.copy()
                for group in self.stays[number]:
                    if len(group) == 3 and not any(
                        len(set(lock) & set(group)) > 1 for lock in self._locked(number + 1)
                    ):
                        # A trio is a couple and one more, who has no partner in an arrangement in pairs.
                        first, third, last = self._places(group).tolist()
                        whole[first], whole[last] = last, first
                        who.append(np.array([first, third, last]))
                banned = self._banned(partners, number)
                found = barrier(self.couples, np.concatenate(who), whole, banned)
                yield Proof(number + 1, tuple(ids[found].tolist()))

    def _unpaired(self, question: Question, partners: list[Places]) -> Iterable[Unpaired]:
        """Reasons stay with the people who have them; others have partners whom others need."""
        ids = self.couples.people.ids
        reasons = {one.person: one.reason for one in self.before.unpaired if one.reason is Reason.NOBODY_ALLOWED}
        for number, (free, partner) in enumerate(zip(question.free, partners, strict=True)):
            yield from self.not_looking[number]
            for person in ids[free[partner[free] == ALONE]].tolist():
                yield Unpaired(person, number + 1, reasons.get(person, Reason.TOO_FEW_PARTNERS))


def _larger(groups: Iterable[Group]) -> list[Group]:
    return [group for group in groups if len(group) > 2]
