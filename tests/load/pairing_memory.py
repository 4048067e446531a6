"""One plan in a process of its own, and the most memory it had: `python -m tests.load.pairing_memory PEOPLE ROUNDS …`.

Arguments: people, rounds, seed. Prints one line of JSON. It says what the interpreter with its libraries took
before there was a course, what the course took, and the peak while the plan was made, its result included.
"""

import json
import sys
import time
from pathlib import Path

from lti_tool.pairing import engine
from lti_tool.pairing.engine.check import score
from tests.factories.cohorts import corporate


def peak() -> float:
    """The most memory that this process ever had, in MB. Linux resets it when a program starts, unlike ru_maxrss."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    people, rounds, seed = sys.argv[1:]
    engine.plan(corporate(4), 1, seed=1)
    before = peak()
    course = corporate(int(people))
    with_course = peak()
    wall, cpu = time.perf_counter(), time.process_time()
    schedule = engine.plan(course, int(rounds), int(seed))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = peak()
    found = score(course, schedule)
    print(
        json.dumps(
            {
                "interpreter": before,
                "course": with_course - before,
                "plan": after - with_course,
                "over_interpreter": after - before,
                "wall": wall,
                "cpu": cpu,
                "breaches": len(engine.verify(course, schedule)),
                "unpaired": found.unpaired,
                "repeats": found.repeats,
                "objective": found.objective,
                "balance": found.coach_balance,
            }
        )
    )


if __name__ == "__main__":
    main()
