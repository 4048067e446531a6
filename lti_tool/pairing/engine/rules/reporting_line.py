"""Nobody works with their own manager, nor with anybody above them in the line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.rules.rule import NEVER, RuleByCouple


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingLine(RuleByCouple):
    """One of the two is not above the other, at any distance.

    The attribute is the id of each person's manager, None for who has none. The line is followed through managers who
    are not in the course. Where it runs in a loop, everybody of the loop is above everybody of it and below it.
    The list holds as many couples as everybody has people of the course above them: N times the depth.
    """

    attribute: str = "manager"
    priority: int = NEVER

    @property
    def name(self) -> str:
        return "reporting_line"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.attribute,)

    def list_forbidden(self, people: People) -> NDArray[np.int64]:
        above = people.attributes.get(self.attribute, {})
        everybody = np.unique(np.array([*people.listed, *above, *_managers(above)], dtype=np.int64))
        manager = _places_of_managers(everybody, above)
        here = people.places(everybody)
        on_loop = np.zeros(len(everybody), dtype=np.bool_)
        ends = [np.searchsorted(everybody, loop) for loop in loops(people.attributes, self.attribute)]
        for loop in ends:
            on_loop[loop] = True
        root = np.arange(len(everybody), dtype=np.int64)
        found = [np.empty((0, 2), dtype=np.int64)]
        below = np.flatnonzero(~on_loop & (manager >= 0))
        climbed = manager[below]
        while len(below):
            found.append(np.column_stack((below, climbed)))
            root[below] = climbed
            further = ~on_loop[climbed] & (manager[climbed] >= 0)
            below, climbed = below[further], manager[climbed[further]]
        for loop in ends:
            under = np.flatnonzero(np.isin(root, loop))
            found += [np.column_stack((under, np.full(len(under), member))) for member in loop]
        couples = here[np.concatenate(found)]
        in_course: NDArray[np.int64] = couples[(couples >= 0).all(axis=1)]
        return in_course


def loops(attributes: Mapping[str, Mapping[int, Any]], attribute: str = "manager") -> tuple[tuple[int, ...], ...]:
    """Everywhere a line of managers comes back to where it began: the ids from the smallest one up the line."""
    above = attributes.get(attribute, {})
    seen: set[int] = set()
    found = []
    for start in sorted(above):
        walked: dict[int, None] = {}
        here: int | None = start
        while here is not None and here not in seen:
            seen.add(here)
            walked[here] = None
            here = above.get(here)
        if here in walked:
            line = list(walked)
            loop = line[line.index(here) :]
            first = loop.index(min(loop))
            found.append((*loop[first:], *loop[:first]))
    return tuple(sorted(found))


def _managers(above: Mapping[int, Any]) -> list[int]:
    return [manager for manager in above.values() if manager is not None]


def _places_of_managers(everybody: NDArray[np.int64], above: Mapping[int, Any]) -> NDArray[np.int64]:
    """For each of everybody the place of their manager among them; -1 where there is none or it is not known."""
    manager = np.full(len(everybody), -1, dtype=np.int64)
    led = [(person, who) for person, who in above.items() if who is not None]
    if led:
        couples = np.searchsorted(everybody, np.array(led, dtype=np.int64))
        manager[couples[:, 0]] = couples[:, 1]
    return manager
