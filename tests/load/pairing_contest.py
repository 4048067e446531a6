"""Contenders that take turns, and the table of what they took. What is checked and counted is no part of the time."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Contender:
    """One program: how it runs with a seed, and what is checked and counted of its result afterwards."""

    title: str
    run: Callable[[int], Any]
    check: Callable[[Any], Mapping[str, float]]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    found: list[Mapping[str, float]] = field(default_factory=list)

    def take_turn(self, seed: int) -> None:
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        result = self.run(seed)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
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
    is_there = next((one for one in contenders if one.title == "database"), None)
    print(
        "  "
        + "seconds (min to max)".rjust(48)
        + "CPU".rjust(9)
        + f"of {contenders[0].title}".rjust(20)
        + "of database".rjust(13)
    )
    for one in contenders:
        wall, cpu = statistics.median(one.seconds), statistics.median(one.cpu)
        of_first = "" if one is is_there else f"{cpu / ours:.2f}" if ours else ""
        of_database = f"{wall / statistics.median(is_there.seconds):.1f}" if is_there else ""
        spread = f"{wall:.3f} ({min(one.seconds):.3f} to {max(one.seconds):.3f})"
        print(f"  {one.title:<22}{spread:>26}{cpu:>9.3f}{of_first:>20}{of_database:>13}   {_facts(one.found)}")


def _facts(found: Sequence[Mapping[str, float]]) -> str:
    """The median of each fact, and the worst where they differ."""
    told = []
    for name in found[0]:
        values = [one[name] for one in found]
        middle, most = statistics.median(values), max(values)
        text = f"{middle:.2f}" if isinstance(middle, float) and middle % 1 else f"{middle:.0f}"
        told.append(f"{name} {text}" + (f" (at most {most:.2f})" if most - middle > 0.005 else ""))
    return ", ".join(told)


def note(text: str) -> None:
    print(f"  {text}")
