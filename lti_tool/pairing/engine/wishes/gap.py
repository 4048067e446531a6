"""Rather somebody whose experience is another one."""

from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.people import People, Places, Points
from lti_tool.pairing.engine.wishes.wish import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class RatherGap(Wish):
    """The weight for each step by which the numbers of the two differ, up to `cap` points in all."""

    attribute: str = "experience"
    cap: int
    """In points, not in steps: weight 3 and cap 9 count three steps."""

    @property
    def name(self) -> str:
        return f"gap:{self.attribute}"

    @property
    def most(self) -> int:
        return self.cap

    def points(self, people: People, one: Places, other: Places) -> Points:
        numbers = people.numbers(self.attribute)
        known = numbers.known[one] & numbers.known[other]
        gap = np.abs(numbers.values[one] - numbers.values[other])
        return np.where(known, np.minimum(self.weight * gap, self.cap), 0)
