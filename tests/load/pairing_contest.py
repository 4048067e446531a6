"""Contenders that take turns, and the table of what they took. What is checked and counted is no part of the time."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

DATABASE: Final = "database"
TOO_SHORT: Final = 0.002
"""Nothing is said of ratios to fewer seconds than that."""
CLOCK: Final = 0.03
"""The CPU time of a server is known in steps of 10 ms: a ratio needs some of them."""


@dataclass
class Contender:
    """One program: how it runs with a seed, and what is checked and counted of its result afterwards."""

    title: str
    run: Callable[[int], Any]
    check: Callable[[Any], Mapping[str, float]]
    cpu_elsewhere: Callable[[], float] = lambda: 0.0
    """CPU seconds so far of another process that works for this one: a server."""
    told: Callable[[Any], tuple[float, float]] | None = None
    """Reads seconds and CPU seconds from the result of a process that measured itself."""
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    found: list[Mapping[str, float]] = field(default_factory=list)

    def take_turn(self, seed: int) -> None:
        gc.collect()
        elsewhere = self.cpu_elsewhere()
        wall, cpu = time.perf_counter(), time.process_time()
        result = self.run(seed)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        cpu += self.cpu_elsewhere() - elsewhere
        if self.told:
            wall, cpu = self.told(result)
        self.found.append(self.check(result))
        self.seconds.append(wall)
        self.cpu.append(cpu)


def compete(contenders: Sequence[Contender], times: int) -> None:
    """All take turns, each round of measurement in another order; then the table is printed."""
    for number in range(times):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            contender.take_turn(seed=number + 1)
    ours = statistics.median(contenders[0].cpu)
    at = next((one for one in contenders if one.title == DATABASE), None)
    database = "of database, s / CPU" if at else ""
    print("  " + f"{'':<22}{'seconds (min to max)':>27}{'CPU s':>9}  {'x ' + contenders[0].title:>16}  {database:>20}")
    for one in contenders:
        wall, cpu = statistics.median(one.seconds), statistics.median(one.cpu)
        beside = f"{_over(wall, at.seconds)} / {_over(cpu, at.cpu, CLOCK)}" if at and one is not at else ""
        spread = f"{wall:.3f} ({min(one.seconds):.3f} to {max(one.seconds):.3f})"
        of_first = "" if one is at else _over(cpu, [ours])
        print(f"  {one.title:<22}{spread:>27}{cpu:>9.3f}  {of_first:>16}  {beside:>20}  {_facts(one.found)}".rstrip())


def _over(value: float, others: Sequence[float], least: float = TOO_SHORT) -> str:
    middle = statistics.median(others)
    return f"{value / middle:.1f}" if middle >= least else "-"


def _facts(found: Sequence[Mapping[str, float]]) -> str:
    """The median of each fact, and the largest where they differ."""
    told = []
    for name in found[0]:
        values = [one[name] for one in found]
        middle, most = statistics.median(values), max(values)
        text = f"{middle:.2f}" if middle % 1 else f"{middle:.0f}"
        told.append(f"{name} {text}" + (f" (at most {most:.2f})" if most - middle > 0.005 else ""))
    return ", ".join(told)


def note(text: str) -> None:
    print(f"  {text}")
