"""Rather somebody with whom more than one thing is shared: time slots, languages."""

from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.people import People, Places, Points
from lti_tool.pairing.engine.rules.subjects import in_parts
from lti_tool.pairing.engine.wishes.wish import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraShared(Wish):
    """The weight for each name that the two share beyond the first, up to `cap` points in all."""

    cap: int
    """In points, as everywhere."""

    @property
    def name(self) -> str:
        return f"extra_shared:{self.attribute}"

    @property
    def most(self) -> int:
        return self.cap

    def points(self, people: People, one: Places, other: Places) -> Points:
        sets = people.sets(self.attribute)
        extra = np.maximum(in_parts(sets.masks.shape[1], one, other, sets.shared) - 1, 0)
        points: Points = np.minimum(self.weight * extra, self.cap)
        return points
