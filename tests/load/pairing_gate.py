"""Whether the pairing engine is at least as good as an earlier one: both plan and repair the same made-up courses.

`python -m tests.load.pairing_gate [--against COMMIT] [--every N]` takes the earlier engine out of the repository's
history and runs it in a process of its own, in turn with this one; with `--every` only each Nth course is asked. The
gate holds when no course has more people unpaired or more repeats, no plan of pairs has more than 0.2 % fewer points,
no repair moves more people, and both take no more CPU time in total. Prints a table of what differs and exits with 1 if
the gate does not hold.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Kind, Lock, Shape, Value
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Other, ReportingLine, Rule, Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap, RatherOther, RatherSame, Wish

EARLIER: Final = "d1fe0b4"
"""The last commit before the engine was made smaller."""
SEED: Final = 20_261
PAIRS: Final = 100
CIRCLES: Final = 10
SIZES: Final = (8, 300)
ROUNDS: Final = (2, 6)
LOST_POINTS: Final = 0.002
"""The share of points that a plan may lose."""
NOISE: Final = 1.05
"""Times of one program on one machine differ by as much."""
TURNS: Final = 2
"""How often each engine answers everything; the shorter time of each course counts."""
ATTRIBUTES: Final = ("department", "languages", "slots", "experience", "manager")
LAYOUT: Final = ("plain", "history", "odd", "locks", "few partners", "never again", "company", "two groups", "mixed")


@dataclass(frozen=True, slots=True)
class Task:
    """A course to plan, and who then leaves and joins from which round on."""

    name: str
    course: Course
    rounds: int
    seed: int
    left: tuple[int, ...]
    joined: tuple[int, ...]
    from_round: int


def tasks() -> list[Task]:
    """The same courses on every machine: first those in pairs, then trios, circles and rings."""
    pairs = [_task(number, LAYOUT[number % len(LAYOUT)], None) for number in range(PAIRS)]
    shapes = (Shape(Kind.TRIOS, 3), Shape(Kind.CIRCLES, 4), Shape(Kind.RINGS, 4), Shape(Kind.CIRCLES, 5))
    layouts = ("plain", "history", "locks", "company", "mixed")
    return pairs + [
        _task(1000 + number, layouts[number % len(layouts)], shapes[number % len(shapes)]) for number in range(CIRCLES)
    ]


def _task(number: int, layout: str, shape: Shape | None) -> Task:
    chance = random.Random(SEED + number)
    least, most = SIZES
    people = round(least * (most / least) ** chance.random())
    people += (people % 2 == 0) == (layout == "odd")
    rounds = chance.randint(*ROUNDS)
    ids = range(1, people + 1)
    course = Course(
        tuple(ids),
        attributes={name: _values(name, people, chance) for name in ATTRIBUTES},
        rules=_rules(layout, people, chance),
        wishes=_wishes(chance),
    )
    if layout in {"history", "never again", "mixed"}:
        course = replace(course, met=tuple(_couple(ids, chance) for _ in range(people * chance.randint(1, 3))))
    if layout in {"history", "odd", "few partners", "mixed"}:
        course = replace(course, left_out=frozenset(chance.sample(ids, k=max(1, people // 12))))
    if layout in {"odd", "mixed"}:
        course = replace(course, in_trios=dict.fromkeys(chance.sample(ids, k=people // 3), 1))
    if layout in {"locks", "mixed"}:
        course = replace(course, locks=_locks(course, rounds, chance))
    if shape:
        course = replace(course, shape=shape)
    left = tuple(sorted(chance.sample(ids, k=1 + people // 50)))
    joined = tuple(range(people + 1, people + 1 + chance.randint(0, 2)))
    return Task(f"{number} {layout} {people} x {rounds}", course, rounds, number, left, joined, chance.randint(1, 2))


def _values(name: str, people: int, chance: random.Random) -> dict[int, Value]:
    """What is known of everybody, and of those who may join."""
    makers: dict[str, Any] = {
        "department": lambda _: chance.choice("abcdef"),
        "languages": lambda _: frozenset(chance.sample(("en", "nl", "sv", "fr"), k=chance.choice((1, 1, 2, 3)))),
        "slots": lambda _: frozenset(one for one in "abcde" if chance.random() < 0.5) or frozenset("a"),
        "experience": lambda _: chance.randint(1, 5),
        "manager": lambda one: None if one < 8 else chance.randint(1, max(1, one // 8)),
    }
    return {one: makers[name](one) for one in range(1, people + 3)}


def _rules(layout: str, people: int, chance: random.Random) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    if layout in {"company", "mixed", "locks"}:
        rules += [ReportingLine(), Share(attribute="languages")]
        rules.append(Exclusions(couples=tuple(_couple(range(1, people + 1), chance) for _ in range(people // 10))))
    if layout == "company":
        rules.append(Share(attribute="slots"))
    if layout == "few partners":
        rules += [Share(attribute="slots", at_least=2), Share(attribute="languages")]
    if layout == "two groups":
        rules.append(Other(attribute="department"))
    if layout == "never again":
        rules.append(NotAgain())
    return tuple(rules)


def _wishes(chance: random.Random) -> tuple[Wish, ...]:
    wishes: list[Wish] = [
        chance.choice((RatherOther, RatherSame))(attribute="department", weight=10),
        RatherGap(attribute="experience", weight=3, cap=9),
        ExtraShared(attribute="slots", weight=chance.randint(1, 3), cap=4),
    ]
    return tuple(chance.sample(wishes, k=chance.randint(1, 3)))


def _couple(ids: range, chance: random.Random) -> tuple[int, int]:
    one, other = chance.sample(ids, k=2)
    return one, other


def _locks(course: Course, rounds: int, chance: random.Random) -> tuple[Lock, ...]:
    """Couples whom every rule allows, each in one round or in all of them, nobody in two."""
    order = chance.sample(course.people, k=len(course.people) // 4 * 2)
    banned = {frozenset(two) for rule in course.rules if isinstance(rule, Exclusions) for two in rule.couples}
    locks = []
    for one, other in zip(order[::2], order[1::2], strict=True):
        values = course.attributes
        speak = values["languages"][one], values["languages"][other]
        apart = (
            min(one, other) >= 8 and not isinstance(speak[0], int) and bool(set(speak[0] or ()) & set(speak[1] or ()))
        )
        apart = apart and not _is_above(course, one, other) and not _is_above(course, other, one)
        if apart and frozenset((one, other)) not in banned and len(locks) < 4:
            locks.append(Lock((one, other), chance.choice((None, *range(1, rounds + 1)))))
    return tuple(locks)


def _is_above(course: Course, one: int, other: int) -> bool:
    """Whether the first is on the reporting line of the second."""
    managers = course.attributes["manager"]
    while isinstance(other, int) and other:
        above = managers.get(other)
        if above == one:
            return True
        other = above if isinstance(above, int) and above != other else 0
    return False


# ---- answers ---------------------------------------------------------------------------------------------------------


def answer(task: Task) -> dict[str, Any]:
    """What the engine that is imported here makes of it, and the CPU seconds for the plan and for the repair."""
    start = time.process_time()
    planned = engine.plan(task.course, task.rounds, task.seed)
    middle = time.process_time()
    # Every engine repairs a plan of its own, so that a repair is judged by itself.
    repaired = engine.repair(planned, task.left, task.joined, task.from_round)
    end = time.process_time()
    checks = (planned.course, planned, 1), (repaired.course, repaired, task.from_round)
    flaws = [one.breach for course, plan, first in checks for one in engine.verify(course, plan, from_round=first)]
    found, after = engine.score(planned.course, planned), engine.score(repaired.course, repaired)
    here = frozenset(repaired.course.people)
    is_even = task.course.shape.kind is Kind.PAIRS and len(here) % 2 == 0
    return {
        "flaws": flaws,
        "unpaired": found.unpaired,
        "flagged": found.flagged_unpaired,
        "repeats": found.repeats,
        "points": found.objective,
        "seconds": middle - start,
        "repair": {
            "unpaired": after.unpaired,
            "moved": sum(
                sum(frozenset(group) not in {frozenset(one) for one in old} for group in new for _ in group)
                for old, new in zip(planned.rounds, repaired.rounds, strict=True)
            ),
            "must": sum(
                len(set(group) & here)
                for groups in planned.rounds[task.from_round - 1 :]
                for group in groups
                # Where the number of people becomes even, the trio of a round has to part as well.
                if set(group) - here or (is_even and len(group) == 3)
            ),
            "repeats": after.repeats,
            "seconds": end - middle,
        },
    }


def answers(every: int) -> list[dict[str, Any]]:
    return [answer(task) for task in tasks()[::every]]


def in_a_process(engine_folder: Path, every: int) -> list[dict[str, Any]]:
    """The answers of the engine in this folder."""
    environment = {**os.environ, "PYTHONPATH": str(engine_folder)}
    command = [sys.executable, str(Path(__file__)), "--answer", "--every", str(every)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def earlier_engine(commit: str, folder: Path) -> None:
    """Put the pairing engine of a commit into a folder."""
    root = Path(__file__).parents[2]
    paths = ("lti_tool/__init__.py", "lti_tool/pairing/__init__.py", "lti_tool/pairing/engine")
    archive = subprocess.run(["git", "archive", commit, *paths], cwd=root, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)


# ---- comparison ------------------------------------------------------------------------------------------------------


def compare(named: list[Task], before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[str]:
    """Say for each course what breaks the gate; print what differs, and the sums."""
    print(f"  {'course':<28}{'unpaired':>12}{'repeats':>14}{'points %':>10}{'repair: moved':>16}{'CPU s':>14}")
    for task, old, new in zip(named, before, after, strict=True):
        flaws = list(_flaws(task, old, new))
        yield from (f"{task.name}: {flaw}" for flaw in flaws)
        gain = 100 * (new["points"] / old["points"] - 1) if old["points"] else 0.0
        differs = any(old[name] != new[name] for name in ("unpaired", "flagged", "repeats", "points"))
        if flaws or differs or old["repair"]["moved"] != new["repair"]["moved"]:
            print(
                f"  {task.name:<28}{old['unpaired']:>6}{new['unpaired']:>6}{old['repeats']:>7}{new['repeats']:>7}"
                f"{gain:>10.2f}{old['repair']['moved']:>8}{new['repair']['moved']:>8}"
                f"{old['seconds']:>7.2f}{new['seconds']:>7.2f} {'FAILS' if flaws else ''}"
            )
    total = [0.0, 0.0]
    for title, pick in (("plans", dict), ("repairs", lambda one: one["repair"])):
        for name in ("unpaired", "repeats", "points", "moved", "seconds"):
            sums = [sum(pick(one).get(name, 0) for one in side) for side in (before, after)]
            if any(sums):
                print(f"  {title + ', ' + name:<28}{sums[0]:>14.6g}{sums[1]:>14.6g}")
            if name == "seconds":
                total = [sum(both) for both in zip(total, sums, strict=True)]
    if total[1] > NOISE * total[0]:
        yield f"{total[1]:.2f} CPU seconds where {total[0]:.2f} were needed before"


def _flaws(task: Task, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    if new["flaws"]:
        yield f"does not pass verify: {Counter(new['flaws'])}"
    for name in ("unpaired", "flagged", "repeats"):
        if new[name] > old[name] and all(new[one] >= old[one] for one in ("unpaired",)):
            yield f"{name}: {new[name]} in place of {old[name]}"
    is_alike = all(new[name] == old[name] for name in ("unpaired", "repeats"))
    if is_alike and task.course.shape.kind is Kind.PAIRS and new["points"] < (1 - LOST_POINTS) * old["points"]:
        yield f"points: {new['points']} in place of {old['points']}"
    if new["repair"]["unpaired"] > old["repair"]["unpaired"] and new["unpaired"] >= old["unpaired"]:
        yield f"unpaired after the repair: {new['repair']['unpaired']} in place of {old['repair']['unpaired']}"
    excess = [side["repair"]["moved"] - side["repair"]["must"] for side in (old, new)]
    if task.course.shape.kind is Kind.PAIRS and excess[1] > excess[0] + 2:
        yield f"moved by the repair beyond what must be: {excess[1]} in place of {excess[0]}"


def gate(against: str = EARLIER, every: int = 1) -> bool:
    """Compare, print and tell whether the gate holds."""
    named = tasks()[::every]
    print(f"The engine beside that of {against}: {len(named)} of {PAIRS + CIRCLES} courses")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        earlier_engine(against, folder)
        root = Path(__file__).parents[2]
        runs = [(in_a_process(folder, every), in_a_process(root, every)) for _ in range(TURNS)]
    before, after = (_quickest([run[side] for run in runs]) for side in (0, 1))
    failures = list(compare(named, before, after))
    for failure in failures:
        print(f"  FAILS {failure}")
    print("  The gate holds." if not failures else f"  The gate does not hold: {len(failures)} failures.")
    return not failures


def hold() -> None:
    """Exit with 1 if the gate does not hold."""
    if not gate():
        sys.exit(1)


def _quickest(runs: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The first answers with the shortest times; every run must give the same groups."""
    found = []
    for several in zip(*runs, strict=True):
        first = several[0]
        if any(one[name] != first[name] for one in several for name in ("unpaired", "repeats", "points")):
            raise SystemExit("The same course and seed gave two different plans.")
        repair = {**first["repair"], "seconds": min(one["repair"]["seconds"] for one in several)}
        found.append({**first, "seconds": min(one["seconds"] for one in several), "repair": repair})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.pairing_gate")
    parser.add_argument("--against", default=EARLIER, metavar="COMMIT")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="ask only each Nth course")
    parser.add_argument("--answer", action="store_true", help="only print the answers of this engine as JSON")
    chosen = parser.parse_args()
    if chosen.answer:
        json.dump(answers(chosen.every), sys.stdout)
    elif not gate(chosen.against, chosen.every):
        sys.exit(1)


if __name__ == "__main__":
    main()
