"""All rounds of a small course as one question for OR-tools CP-SAT: who works with whom in which round.

One yes or no for each couple and round. What counts is asked one after the other, each answer binding the next: people
unpaired; how often the same people; repeats; who meets a third or fourth time; points. One worker, a fixed seed and a
limit that counts steps, not seconds: the same question has the same answer with the same version of OR-tools.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lti_tool.pairing.engine.people import Places, Points

STEPS: Final = 6.0
"""How long each question is looked into, in CP-SAT's deterministic time: steps of about a second."""
OFTEN: Final = 4
"""Meeting the fifth time is not told from meeting the fourth time."""


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
    """More than anybody's rounds without a partner can come to, for everybody together."""
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
