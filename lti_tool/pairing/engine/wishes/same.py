"""Rather somebody from the own department, group or cohort."""

from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.people import People, Places, Points
from lti_tool.pairing.engine.wishes.wish import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class RatherSame(Wish):
    """The weight once, where the two have the same name in the attribute."""

    @property
    def name(self) -> str:
        return f"same:{self.attribute}"

    @property
    def most(self) -> int:
        return self.weight

    def points(self, people: People, one: Places, other: Places) -> Points:
        names = people.names(self.attribute)
        known = names.known[one] & names.known[other]
        return np.where(known & (names.codes[one] == names.codes[other]), self.weight, 0)
