"""An optional second look at a small course in pairs: all rounds at once instead of one after the other.

Rounds that are planned one by one can spend early what later rounds need. Here they are one question for OR-tools
CP-SAT, which the engine does without elsewhere: one yes or no for each couple and round. What counts is asked one after
the other, each answer binding the next: people unpaired; how often the same people; repeats; who meets a third or
fourth time; points. One worker, a fixed seed and a limit that counts steps, not seconds: the same question has the same
answer with the same version of OR-tools.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from random import Random
from typing import Any, Final

import numpy as np

from lti_tool.pairing.engine.couples import Couples, Keys, Meetings, meetings_of, merged
from lti_tool.pairing.engine.course import Kind, Shape
from lti_tool.pairing.engine.errors import ImproverMissing
from lti_tool.pairing.engine.matching import ALONE, cover
from lti_tool.pairing.engine.people import Places, Points
from lti_tool.pairing.engine.proof import NotLargest, barrier
from lti_tool.pairing.engine.schedule import Group, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns import give_turns

STEPS: Final = 6.0
"""How long each question is looked into, in CP-SAT's deterministic time: steps of about a second."""
OFTEN: Final = 4
"""Meeting the fifth time is not told from meeting the fourth time."""


MOST_CHOICES: Final = 12_000
"""Allowed couples times rounds, beyond which there is no second look: 40 people and 15 rounds without rules."""
NOT_LOOKING: Final = frozenset({Reason.ABSENT, Reason.OTHERS_HAVE_BEGUN})


# ---- the question ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """What is free to be decided. Couples are `one[i]`, `other[i]`: all that rules allow, each once."""

    one: Places
    other: Places
    points: Points
    met: Points
    """For each couple, how often they meet in any case: before the first round, and in groups that stay."""
    free: tuple[Places, ...]
    """For each round the people who sit in no group that stays."""
    flagged: Places
    """People who had no partner last time."""
    never_again: bool


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """What is wrong with an answer, the gravest first."""

    unpaired: int
    left_out: int
    """In the first round of those who had no partner last time; then how often the same people."""
    repeats: int
    often: int
    """Meetings for the third time and more, each counted once more than the one before."""
    lack: int
    """Points below 0."""


Answer = tuple[Places, ...]
"""For each round, the numbers of its couples in the question, ascending."""


def cost(question: Question, answer: Answer) -> Cost:
    """What is wrong with an answer."""
    couples = np.concatenate([np.zeros(0, dtype=np.int64), *answer])
    times = np.bincount(couples, minlength=len(question.one)) + question.met
    unpaired = np.zeros(_people(question), dtype=np.int64)
    flagged = 0
    for number, (free, chosen) in enumerate(zip(question.free, answer, strict=True)):
        alone = np.setdiff1d(free, np.concatenate([question.one[chosen], question.other[chosen]]))
        unpaired[alone] += 1
        flagged += int(np.isin(alone, question.flagged).sum()) if number == 0 else 0
    before = np.zeros(len(unpaired), dtype=np.int64)
    before[question.flagged] = 1
    again = int((unpaired * (unpaired - 1) // 2 + before * unpaired).sum())
    met = np.maximum(times - 1, 0) - np.maximum(question.met - 1, 0)
    often = sum(int(np.maximum(times - more, 0).sum()) for more in range(2, OFTEN + 1))
    points = int(question.points[couples].sum())
    return Cost(int(unpaired.sum()), flagged * _flag(question) + again, int(met.sum()), often, -points)


def _people(question: Question) -> int:
    several = (question.one, question.other, question.flagged, *question.free)
    return 1 + max((int(some.max()) for some in several if len(some)), default=-1)


def _flag(question: Question) -> int:
    """More than anyone's rounds without a partner can come to, for everyone together."""
    rounds = len(question.free)
    return _people(question) * rounds * (rounds + 1) + 1


def solve(question: Question, start: Answer, seed: int) -> Answer:
    """An answer that costs no more than `start`. Needs OR-tools."""
    model = _Model(question, start, seed)
    for level in model.levels():
        model.ask(level)
    return model.answer


class _Model:
    def __init__(self, question: Question, start: Answer, seed: int) -> None:
        from ortools.sat.python import cp_model  # noqa: PLC0415 - an optional extra

        self.cp, self.question, self.answer, self.seed = cp_model, question, start, seed
        self.model: Any = cp_model.CpModel()
        self.sits: list[dict[int, Any]] = []
        """For each round, by number of the couple, whether they sit together."""
        self.alone: list[dict[int, Any]] = []
        for free, chosen in zip(question.free, start, strict=True):
            self._add_round(free, chosen)
        self.beyond: list[tuple[Any, int, int]] = []
        """A variable, the couple, and the meetings beyond which it counts."""
        self.again: list[tuple[Any, int, int]] = []
        """A variable, the person, and how many rounds without a partner come before."""
        self.times: dict[int, Any] = {
            couple: sum(sits[couple] for sits in self.sits if couple in sits)
            for couple in sorted({couple for sits in self.sits for couple in sits})
        }

    def _add_round(self, free: Places, chosen: Places) -> None:
        here = np.isin(self.question.one, free) & np.isin(self.question.other, free)
        if self.question.never_again:
            here &= self.question.met == 0
        sits = {couple: self.model.new_bool_var("") for couple in np.flatnonzero(here).tolist()}
        by_person: dict[int, list[Any]] = {person: [] for person in free.tolist()}
        for couple, var in sits.items():
            by_person[int(self.question.one[couple])].append(var)
            by_person[int(self.question.other[couple])].append(var)
        over = len(free) - 2 * len(chosen)
        may_be_alone = self.question.never_again or over > 0
        alone = {person: self.model.new_bool_var("") for person in by_person} if may_be_alone else {}
        if alone and not self.question.never_again:
            # Rounds have nothing to do with each other here, and the start is known to leave the fewest people over.
            self.model.add(sum(alone.values()) == over)
        for person, some in by_person.items():
            self.model.add_exactly_one([*some, *([alone[person]] if person in alone else [])])
        self.sits.append(sits)
        self.alone.append(alone)

    def levels(self) -> list[Any]:
        """What is to be made small, in order."""
        question = self.question
        found = []
        if question.never_again:
            for times in self.times.values():
                self.model.add(times <= 1)
            found.append(sum(var for alone in self.alone for var in alone.values()))
        if any(self.alone):
            found.append(self._left_out())
        if not question.never_again:
            found.append(sum(self._beyond(couple, 1) for couple in self.times))
            if cost(question, self.answer).repeats:
                more = (self._beyond(couple, more) for couple in self.times for more in range(2, OFTEN + 1))
                found.append(sum(more))
        if question.points.any():
            found.append(-sum(int(question.points[couple]) * times for couple, times in self.times.items()))
        return found

    def _left_out(self) -> Any:
        """Each time that the same person has no partner costs more than the time before."""
        question = self.question
        found: Any = 0
        for person in sorted({person for alone in self.alone for person in alone}):
            times = [alone[person] for alone in self.alone if person in alone]
            flagged = int(person in question.flagged)
            steps = [self.model.new_bool_var("") for _ in times]
            self.model.add(sum(steps) == sum(times))
            self.again += ((step, person, at) for at, step in enumerate(steps))
            found += sum((at + flagged) * step for at, step in enumerate(steps))
            if flagged and person in self.alone[0]:
                found += _flag(question) * self.alone[0][person]
        return found

    def _beyond(self, couple: int, times: int) -> Any:
        """How often a couple meets in these rounds after having met so often."""
        met = int(self.question.met[couple])
        if met >= times:
            return self.times[couple]
        most = sum(couple in sits for sits in self.sits)
        if most + met <= times:
            return 0
        found = self.model.new_int_var(0, most + met - times, "")
        self.model.add(found >= self.times[couple] + met - times)
        self.beyond.append((found, couple, times))
        return found

    def ask(self, level: Any) -> None:
        """Make this as small as possible, and keep it there."""
        if isinstance(level, int):
            return
        self._hint()
        solver = self.cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.seed % (1 << 31)
        solver.parameters.max_deterministic_time = STEPS
        self.model.minimize(level)
        status = solver.solve(self.model)
        if status in (self.cp.OPTIMAL, self.cp.FEASIBLE):
            found = tuple(
                np.array([couple for couple, var in sits.items() if solver.boolean_value(var)], dtype=np.int64)
                for sits in self.sits
            )
            self.answer = min(self.answer, found, key=lambda one: cost(self.question, one))
            self.model.add(level <= round(solver.objective_value))

    def _hint(self) -> None:
        """Begin with the answer so far. Everything is said, so that the search need not find it again."""
        question, model = self.question, self.model
        model.clear_hints()
        times = np.bincount(np.concatenate(self.answer), minlength=len(question.one)) + question.met
        over = [0] * _people(question)
        for sits, alone, chosen in zip(self.sits, self.alone, self.answer, strict=True):
            together = set(chosen.tolist())
            for couple, var in sits.items():
                model.add_hint(var, couple in together)
            paired = {*question.one[chosen].tolist(), *question.other[chosen].tolist()}
            for person, var in alone.items():
                model.add_hint(var, person not in paired)
                over[person] += person not in paired
        for var, couple, least in self.beyond:
            model.add_hint(var, max(0, int(times[couple]) - least))
        for var, person, at in self.again:
            model.add_hint(var, at < over[person])


# ---- a schedule as a question, and back ------------------------------------------------------------------------------


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
            Meetings(len(couples), merged(self.met, staying)).times(one, other),
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
        chance = Random(self.before.seed)
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

    def _banned(self, partners: list[Places], number: int) -> Keys:
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
