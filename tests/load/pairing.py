"""`make bench-pairing`: plans beside other programs and beside the database, in one run. Nothing counts unchecked.

Run `python -m tests.load.pairing [--only ROW …] [--rounds-of-measurement N]`.
"""

import argparse
import json
import os
import platform as machine
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, Final

import networkx as nx
import numpy as np
import psycopg
import rustworkx as rx

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Couple, Course, Schedule, Value
from lti_tool.pairing.engine.check import score
from lti_tool.pairing.engine.rules import Other
from lti_tool.pairing.engine.turns import give_turns
from tests.factories.cohorts import corporate
from tests.load import pairing_gate
from tests.load.pairing_bounds import optimum, price_bound
from tests.load.pairing_contest import DATABASE, Contender, compete, note
from tests.load.pairing_rivals import (
    Database,
    allowed_rows,
    by_networkx,
    complete_graph,
    database,
    greedy,
    least_loaded,
)

ROUNDS: Final = 5
UNPROVEN: Final = frozenset({Breach.PROOF, Breach.NEEDLESSLY_UNPAIRED})
"""What rivals are forgiven: they leave people unpaired and cannot show that it must be so."""


def planner(course: Course, rounds: int, bound: float) -> Contender:
    """The engine."""
    return Contender(
        "engine",
        lambda seed: engine.plan(course, rounds, seed),
        lambda schedule: worth(course, schedule, bound),
    )


def worth(course: Course, schedule: Schedule, bound: float, *, is_rival: bool = False) -> Mapping[str, float]:
    """Refuse a flawed schedule; then count what it is worth."""
    breaches = {one.breach for one in engine.verify(course, schedule)}
    if breaches - (UNPROVEN if is_rival else set()):
        raise SystemExit(f"A schedule is flawed: {breaches}")
    found = score(course, schedule)
    gap = 100 * (1 - found.objective / bound)
    return {"gap %": gap, "unpaired": found.unpaired, "repeats": found.repeats, "balance": found.coach_balance}


def rival(title: str, course: Course, bound: float, run: Callable[[int], Schedule]) -> Contender:
    return Contender(title, run, lambda schedule: worth(course, schedule, bound, is_rival=True))


def at_database(course: Course, schedule: Schedule, at: Database) -> Contender:
    """What the database takes for the people and these couples, whoever found them."""
    at.fill(course)
    couples = sum(len(groups) for groups in schedule.rounds)

    def check(written: int) -> Mapping[str, float]:
        if written != couples:
            raise SystemExit(f"The database took {written} of {couples} couples.")
        return {}

    return Contender(DATABASE, lambda _: at.read_and_write(schedule), check, at.cpu)


# ---- rows ------------------------------------------------------------------------------------------------------------


def small(people: int, rounds: int, times: int, at: Database) -> None:
    """300 and 1,000 people: beside the proven optimum and networkx."""
    course = corporate(people)
    best = optimum(course)
    contenders = [planner(course, rounds, best * rounds)]
    if rounds == 1:
        graph = complete_graph(course, is_weighted=people <= 300)
        title = "networkx, weighted" if people <= 300 else "networkx, unweighted"
        contenders.append(rival(title, course, best, lambda _: by_networkx(course, graph)))
    contenders.append(rival("random greedy", course, best * rounds, lambda seed: greedy(course, rounds, seed)))
    contenders.append(at_database(course, engine.plan(course, rounds, 1), at))
    compete(contenders, times)
    note(f"Gap: below {best * rounds}, the proven optimum of a round by rustworkx on the complete graph x {rounds}.")


def large(times: int, at: Database) -> None:
    """10,000 people and 12 rounds: beside the database."""
    course = corporate(10_000)
    bound = price_bound(course)
    contenders = [planner(course, 12, bound * 12)]
    contenders.append(rival("random greedy", course, bound * 12, lambda seed: greedy(course, 12, seed)))
    contenders.append(at_database(course, engine.plan(course, 12, 1), at))
    compete(contenders, times)
    note(f"Gap: below 12 x {bound}, a bound by prices (linear programme; reporting lines and exclusions left out).")


def largest(times: int) -> None:
    """100,000 people and 12 rounds, each in a fresh process."""
    bound = price_bound(corporate(100_000)) * 12
    engine_alone = Contender(
        "engine",
        lambda seed: alone(100_000, 12, seed),
        lambda told: {
            "gap %": 100 * (1 - told["objective"] / bound),
            "unpaired": told["unpaired"],
            "repeats": told["repeats"],
            "plan, MB": told["plan"],
            "course, MB": told["course"],
            "interpreter, MB": told["interpreter"],
        },
        told=lambda result: (result["wall"], result["cpu"]),
    )
    compete([engine_alone], times)
    note("MB: peaks, each above the one before it: interpreter with libraries, course, plan (its result included).")
    note(f"Gap: below 12 x {bound // 12}, a bound by prices (as above; nothing extrapolated).")


def alone(people: int, rounds: int, seed: int) -> Mapping[str, float]:
    command = [sys.executable, "-m", "tests.load.pairing_memory", str(people), str(rounds), str(seed)]
    told: Mapping[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if told["breaches"]:
        raise SystemExit(f"A schedule is flawed: {told}")
    return told


def reviews(people: int, times: int) -> None:
    """Three reviews each: without rules; not the own group, where one is half of the course; and in the company."""
    k = 3
    ids = range(1, people + 1)
    group: Mapping[int, Value] = {one: "half" if one <= people // 2 else str(one % 20) for one in ids}
    free = Course(tuple(ids))
    large = replace(free, attributes={"group": group}, rules=(Other(attribute="group"),))
    for title, course in (("no rules", free), ("not the own group", large), ("the company", corporate(people))):
        print(f"  {title}")
        compete(_reviewing(course, k), times)
    note("Uneven: how many people do another number of reviews than three, and how many get another number.")


def _reviewing(course: Course, k: int) -> list[Contender]:
    allowed = allowed_rows(course)

    def balanced(pairs: Sequence[Couple]) -> Mapping[str, float]:
        done, got = (Counter(pair[which] for pair in pairs) for which in (0, 1))
        uneven = sum(counted[one] != k for counted in (done, got) for one in course.people)
        return {"uneven": uneven, "mutual": len(set(pairs) & {(other, one) for one, other in pairs}) // 2}

    def checked(found: engine.Reviews) -> Mapping[str, float]:
        if engine.verify_reviews(course, k, found):
            raise SystemExit(f"Reviews are flawed: {engine.verify_reviews(course, k, found)[:3]}")
        return balanced(found.pairs)

    return [
        Contender("engine", lambda seed: engine.reviews(course, k, seed), checked),
        Contender("least-loaded random", lambda seed: least_loaded(course, allowed, k, seed), balanced),
    ]


def repair(times: int) -> None:
    """100 leavers and 50 joiners in 10,000 x 12."""
    everybody = corporate(10_050)
    course = replace(everybody, people=everybody.people[:10_000])
    before = engine.plan(course, 12, 1)
    left = frozenset(Random(1).sample(course.people, k=100))
    joined = frozenset(everybody.people[10_000:])
    after = replace(everybody, people=tuple(sorted((set(course.people) - left) | joined)))
    widowed = sum(len(left & set(group)) == 1 for groups in before.rounds for group in groups)

    def changed(schedule: Schedule) -> Mapping[str, float]:
        moved = 0
        for old, new in zip(before.rounds, schedule.rounds, strict=True):
            kept = {frozenset(group) for group in old}
            moved += sum(len(group) for group in new if frozenset(group) not in kept)
        return {**worth(after, schedule, bound), "changed": moved, "must change": widowed + 12 * len(joined)}

    bound = price_bound(after) * 12
    compete(
        [
            Contender("repair", lambda _: engine.repair(before, left, joined, 1), changed),
            replace(planner(after, 12, bound), check=changed),
        ],
        times,
    )
    note("Changed: people in rounds who have other partners than before. Must change: who lost theirs, and joiners.")


def roles(times: int) -> None:
    """What turns cost of a plan of 10,000 x 12, given the groups."""
    course = corporate(10_000)
    groups = engine.plan(course, 12, 1).rounds

    def check(turns: Any) -> Mapping[str, float]:
        if engine.verify(course, Schedule(turns)):
            raise SystemExit("Turns made a schedule flawed.")
        return {"balance": max(abs(one) for till in range(1, 13) for one in engine.balance(turns[:till]).values())}

    whole = planner(course, 12, 1)
    turn = Contender("turns", lambda seed: give_turns(groups, Random(seed)), check)
    compete([replace(whole, check=lambda schedule: check(schedule.rounds)), turn], times)
    note("Balance: the most that anybody was ahead or behind after any round. A plan gives turns too; its share is the")
    note("last row by the first ones.")


ROWS: Final[Mapping[str, tuple[str, Callable[[int, Database], None]]]] = {
    "300x1": ("300 learners, 1 round", lambda times, at: small(300, 1, times, at)),
    "1000x1": ("1,000 learners, 1 round", lambda times, at: small(1_000, 1, times, at)),
    "1000x12": ("1,000 learners, 12 rounds", lambda times, at: small(1_000, 12, times, at)),
    "10000x12": ("10,000 learners, 12 rounds", large),
    "100000x12": ("100,000 learners, 12 rounds", lambda times, _: largest(times)),
    "reviews-3000": ("3 reviews each, 3,000 learners", lambda times, _: reviews(3_000, times)),
    "reviews-10000": ("3 reviews each, 10,000 learners", lambda times, _: reviews(10_000, times)),
    "repair": ("100 leave and 50 join, 10,000 learners, 12 rounds", lambda times, _: repair(times)),
    "gate": ("the engine beside an earlier one", lambda *_: pairing_gate.hold()),
    "roles": ("turns, 10,000 learners, 12 rounds", lambda times, _: roles(times)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-pairing")
    parser.add_argument(
        "--only", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW", help=", ".join(ROWS)
    )
    parser.add_argument("--rounds-of-measurement", type=int, default=ROUNDS, metavar="N")
    chosen = parser.parse_args()
    _introduce(chosen.rounds_of_measurement)
    with _database() as at:
        for name in chosen.only:
            title, run = ROWS[name]
            print(f"{title} [{name}]", flush=True)
            run(chosen.rounds_of_measurement, at)
            print(flush=True)


@contextmanager
def _database() -> Iterator[Database]:
    try:
        with database() as at:
            yield at
    except psycopg.OperationalError as error:
        raise SystemExit(f"The benchmark needs PostgreSQL (TANDEM_TEST_POSTGRES): {error}") from error


def _introduce(times: int) -> None:
    versions = f"numpy {np.__version__}, rustworkx {rx.__version__}, networkx {nx.__version__}"
    print(f"{engine.NAME} on {os.cpu_count()} cores, Python {machine.python_version()}, {versions}")
    print(
        f"Medians of {times}; contenders take turns. Every result passed `verify` before its time counted (rivals: but"
    )
    print("for people whom they left unpaired without need or proof). Ratios are of CPU.")
    print()


if __name__ == "__main__":
    main()
