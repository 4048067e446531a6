"""An optional second look at a small course in pairs: all rounds at once instead of one after the other.

Rounds that are planned one by one can spend early what later rounds need. Here they are one question for OR-tools
CP-SAT, which the engine does without elsewhere: one yes or no for each couple and round. What counts is asked one after
the other, each answer binding the next: people unpaired; how often the same people; repeats, and who meets a third or
fourth time; points. One worker, a fixed seed and a limit that counts steps, not seconds: the same question has the same
answer with the same version of OR-tools.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import numpy as np

from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.locks import Members
from lti_tool.pairing.engine.pairs import History, Paired, Trio
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.problem import Group, ImproverMissing, Kind, Reason, Schedule, Shape
from lti_tool.pairing.engine.proof import NotLargest
from lti_tool.pairing.engine.rounds import Rounds

STEPS: Final = 6.0
"""How long each question is looked into, in CP-SAT's deterministic time: steps of about a second."""
OFTEN: Final = 4
"""Meeting the fifth time is not told from meeting the fourth time."""
MOST_CHOICES: Final = 12_000
"""Allowed couples times rounds, beyond which there is no second look: 40 people and 15 rounds without rules."""
NOT_LOOKING: Final = frozenset({Reason.ABSENT, Reason.OTHERS_HAVE_BEGUN})


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
    course = schedule.course
    if course.shape.kind is not Kind.PAIRS or not schedule.rounds:
        return schedule
    couples = Couples(course)
    first, second = (side.astype(np.int64) for side in np.triu_indices(len(couples), 1))
    allowed = couples.allowed(first, second)
    if int(allowed.sum()) * len(schedule.rounds) > MOST_CHOICES:
        return schedule
    locked = [_locked(schedule, couples, number) for number in range(1, len(schedule.rounds) + 1)]
    planner = Rounds(couples, locked, np.random.default_rng(0))
    before = [_paired(couples, groups, absent) for groups, absent in zip(schedule.rounds, locked, strict=True)]
    after = _Model(planner, before, first[allowed], second[allowed], schedule.seed).answered()
    better = schedule
    if _cost(planner, after) < _cost(planner, before):
        try:
            better = planner.schedule(after, schedule.seed)
        except NotLargest:
            # In the rare case that a round's unpaired people cannot be proven, the plan stays as it is.
            better = schedule
        else:
            kept = [first for first in schedule.unpaired if first.reason in NOT_LOOKING]
            unpaired = sorted((*better.unpaired, *kept), key=lambda first: (first.round, first.person))
            better = replace(better, unpaired=tuple(unpaired))
    return replace(better, engine=f"{schedule.engine}+{improver}")


def _locked(schedule: Schedule, couples: Couples, number: int) -> list[Members]:
    """The groups of a round that are not to be touched, and who is away, each by themselves."""
    locks = [set(lock.members) for lock in schedule.course.locks if lock.round in {None, number}]
    away = [(out.person,) for out in schedule.unpaired if out.round == number and out.reason in NOT_LOOKING]
    groups: list[Group] = [*away]
    for group in schedule.rounds[number - 1]:
        places = couples.people.places(group)
        is_allowed = (places >= 0).all() and couples.allowed(places[:1], places[-1:])[0]
        if not is_allowed or any(len(lock.intersection(group)) > 1 for lock in locks):
            groups.append(group)
    return [tuple(place for place in couples.people.places(group).tolist() if place >= 0) for group in groups]


def _paired(couples: Couples, groups: Iterable[Group], locked: Sequence[Members]) -> Paired:
    """A round of a schedule as planners see it. Who is away counts as nowhere."""
    members = [couples.people.places(group) for group in groups]
    pairs = np.array([np.sort(some) for some in members if len(some) == 2], dtype=np.int64).reshape(-1, 2)
    trios = tuple(Trio(*some.tolist()) for some in members if len(some) > 2)
    away = [group[0] for group in locked if len(group) == 1]
    alone = np.setdiff1d(np.arange(len(couples)), np.concatenate([pairs.ravel(), *members, away]).astype(np.int64))
    pairs = pairs[np.argsort(pairs[:, 0])]
    return Paired(pairs[:, 0], pairs[:, 1], trios, alone)


def _cost(planner: Rounds, rounds: Sequence[Paired]) -> tuple[int, ...]:
    cost = planner.cost(rounds)
    flagged = History.of(planner.couples).left_out[rounds[0].alone].sum()
    return cost.unpaired, int(flagged), *cost[1:]


class _Model:
    """One variable for each round and couple, by number of the couple."""

    def __init__(self, planner: Rounds, before: Sequence[Paired], first: Places, second: Places, seed: int) -> None:
        from ortools.sat.python import cp_model  # noqa: PLC0415 - an optional extra

        self.cp, self.seed, self.answer = cp_model, seed, list(before)
        self.model: Any = cp_model.CpModel()
        self.couples, self.first, self.second = planner.couples, first, second
        self.history = History.of(planner.couples)
        self.free: list[Places] = []
        self.stays: list[Paired] = []
        for paired, locked in zip(before, planner.locked, strict=True):
            bound = list({person for group in (*locked, *paired.trios) for person in group})
            self.free.append(np.setdiff1d(np.arange(len(self.couples)), bound))
            stays = np.isin(paired.first, bound)
            self.stays.append(
                paired._replace(first=paired.first[stays], second=paired.second[stays], alone=paired.alone[:0])
            )
        self.met = self.history.also(planner.couples, self.stays).met.times(first, second).tolist()
        self.sits: list[dict[int, Any]] = []
        """For each round, by number of the couple, whether they sit together."""
        self.alone: list[dict[int, Any]] = []
        for paired, free in zip(before, self.free, strict=True):
            self._add_round(free, int(np.isin(paired.alone, free).sum()))
        numbers = sorted({couple for sits in self.sits for couple in sits})
        self.times = {couple: sum(sits[couple] for sits in self.sits if couple in sits) for couple in numbers}

    def _add_round(self, free: Places, over: int) -> None:
        never_again = self.couples.never_again
        here = np.isin(self.first, free) & np.isin(self.second, free)
        if never_again:
            here &= np.array(self.met, dtype=np.int64) == 0
        sits = {couple: self.model.new_bool_var("") for couple in np.flatnonzero(here).tolist()}
        by_person: dict[int, list[Any]] = {person: [] for person in free.tolist()}
        for couple, var in sits.items():
            by_person[int(self.first[couple])].append(var)
            by_person[int(self.second[couple])].append(var)
        alone = {person: self.model.new_bool_var("") for person in by_person} if never_again or over else {}
        if alone and not never_again:
            # Rounds have nothing to do with each other here, and the start is known to leave the fewest people over.
            self.model.add(sum(alone.values()) == over)
        for person, some in by_person.items():
            self.model.add_exactly_one([*some, *([alone[person]] if person in alone else [])])
        self.sits.append(sits)
        self.alone.append(alone)

    def answered(self) -> list[Paired]:
        """All rounds as they are best, as far as was found."""
        if self.couples.never_again:
            for times in self.times.values():
                self.model.add(times <= 1)
            self._ask(sum(var for alone in self.alone for var in alone.values()))
        if any(self.alone):
            self._ask(self._left_out())
        if not self.couples.never_again:
            weights = {1: len(self.first) * len(self.sits) * OFTEN, **dict.fromkeys(range(2, OFTEN + 1), 1)}
            beyond = (weight * self._beyond(couple, more) for couple in self.times for more, weight in weights.items())
            self._ask(sum(beyond))
        points = self.couples.points(self.first, self.second).tolist()
        self._ask(-sum(points[couple] * times for couple, times in self.times.items()))
        return self.answer

    def _left_out(self) -> Any:
        """Each time that the same person has no partner costs more than the time before; at first it costs most."""
        rounds, result = len(self.alone), 0
        first = len(self.couples) * rounds * (rounds + 1) + 1
        for person, flagged in enumerate(self.history.left_out.tolist()):
            times = [alone[person] for alone in self.alone if person in alone]
            steps = [self.model.new_bool_var("") for _ in times]
            self.model.add(sum(steps) == sum(times))
            result += sum((at + flagged) * step for at, step in enumerate(steps))
            if flagged and person in self.alone[0]:
                result += first * self.alone[0][person]
        return result

    def _beyond(self, couple: int, times: int) -> Any:
        """How often a couple meets in these rounds after having met so often."""
        met = self.met[couple]
        if met >= times:
            return self.times[couple]
        most = sum(couple in sits for sits in self.sits)
        if most + met <= times:
            return 0
        result = self.model.new_int_var(0, most + met - times, "")
        self.model.add(result >= self.times[couple] + met - times)
        return result

    def _ask(self, level: Any) -> None:
        """Make this as small as possible, and keep it there."""
        if isinstance(level, int):
            return
        self.model.clear_hints()
        for sits, alone, paired in zip(self.sits, self.alone, self.answer, strict=True):
            together = set(self.couples.keys(paired.first, paired.second).tolist())
            keys = self.couples.keys(self.first, self.second).tolist()
            over = set(paired.alone.tolist())
            for couple, var in sits.items():
                self.model.add_hint(var, keys[couple] in together)
            for person, var in alone.items():
                self.model.add_hint(var, person in over)
        solver = self.cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.seed % (1 << 31)
        solver.parameters.max_deterministic_time = STEPS
        self.model.minimize(level)
        if solver.solve(self.model) in (self.cp.OPTIMAL, self.cp.FEASIBLE):
            self.answer = [
                self._round(number, [couple for couple, var in sits.items() if solver.boolean_value(var)])
                for number, sits in enumerate(self.sits)
            ]
            self.model.add(level <= round(solver.objective_value))

    def _round(self, number: int, chosen: list[int]) -> Paired:
        stays, free = self.stays[number], self.free[number]
        first, second = np.append(stays.first, self.first[chosen]), np.append(stays.second, self.second[chosen])
        order = np.argsort(first)
        return stays._replace(
            first=first[order], second=second[order], alone=np.setdiff1d(free, np.append(first, second))
        )
