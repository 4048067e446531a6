"""A course made ready for the solver: rules and wishes as functions of many couples at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.people import Bools, People, Places, Points


@dataclass(frozen=True)
class Couples:
    """What the rules and wishes of a course say of couples. A person is a place among the sorted ids."""

    course: Course

    @cached_property
    def people(self) -> People:
        return People(self.course.people, self.course.attributes)

    def __len__(self) -> int:
        return len(self.people)

    def allowed(self, one: Places, other: Places) -> Bools:
        """For each couple, whether every rule allows it. Nobody may meet themselves."""
        found: Bools = one != other
        for rule in self.course.rules:
            found &= rule.allows(self.people, one, other)
        return found

    def points(self, one: Places, other: Places) -> Points:
        """For each couple, the sum over the wishes."""
        found = np.zeros(np.broadcast(one, other).shape, dtype=np.int64)
        for wish in self.course.wishes:
            found += wish.points(self.people, one, other)
        return found

    def partners(self, person: int) -> Places:
        """Everybody whom this person may work with."""
        others = np.arange(len(self), dtype=np.int64)
        return others[self.allowed(np.full(len(self), person, dtype=np.int64), others)]
