"""Rather somebody who offers what one needs: cross-training."""

from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.people import People, Places, Points
from lti_tool.pairing.engine.rules.subjects import Subjects
from lti_tool.pairing.engine.wishes.wish import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class OffersFit(Wish):
    """The weight for each of the two who offers something that the other needs: once or twice."""

    attribute: str = "offers"
    needs: str = "needs"

    @property
    def name(self) -> str:
        return "offers"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.attribute, self.needs)

    @property
    def most(self) -> int:
        return 2 * self.weight

    def points(self, people: People, one: Places, other: Places) -> Points:
        subjects = people.kept(self, lambda: Subjects.of(people, self.attribute, self.needs))
        ways = subjects.helps(one, other).astype(np.int64) + subjects.helps(other, one)
        points: Points = self.weight * ways
        return points
