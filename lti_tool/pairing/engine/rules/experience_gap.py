"""Partners whose experience differs enough, or not too much."""

from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules.rule import RuleByValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperienceGap(RuleByValue):
    """The numbers of the two differ by at least and at most so much; None is no limit.

    With `at_least` its name is `gap:…`, because then it is true of a couple that they differ; else `close:…`.
    """

    attribute: str = "experience"
    at_least: int | None = None
    at_most: int | None = None

    @property
    def name(self) -> str:
        return f"close:{self.attribute}" if self.at_least is None else f"gap:{self.attribute}"

    def known(self, people: People) -> Bools:
        return people.numbers(self.attribute).known

    def allows_known(self, people: People, one: Places, other: Places) -> Bools:
        values = people.numbers(self.attribute).values
        gap = np.abs(values[one] - values[other])
        fits = np.ones(gap.shape, dtype=np.bool_)
        if self.at_least is not None:
            fits &= gap >= self.at_least
        if self.at_most is not None:
            fits &= gap <= self.at_most
        return fits
