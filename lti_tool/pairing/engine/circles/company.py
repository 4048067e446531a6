"""What it costs to seat two people in the same group: forbidden, met before, and what is wished for.

Costs are whole numbers of very different size, so that one number compares in the order of importance: a couple that a
rule forbids, a repeat, another turn in the group whose size is the exception, points (which are costs below 0).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Meetings
from lti_tool.pairing.engine.rules import couple_keys as keys
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.people import Bools, Places, Points

FEW: Final = 1500
"""So few people that the cost of every couple is worked out once: 18 MB."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much each step of the order of importance weighs."""

    exception: int
    """Once more in the group whose size is the exception."""
    repeat: int
    forbidden: int

    @classmethod
    def of(cls, couples: Couples, size: int, rounds: int) -> "Scale":
        """So large that no single swap of two people between groups of `size` gives up more for less."""
        around = 4 * (size + 1)
        exception = around * couples.most + 1
        repeat = around * (couples.most + exception * (rounds + 1)) + 1
        met = len(couples.course.met) + rounds
        return cls(exception, repeat, around * (repeat * (met + 1)) + 1)


class Company:
    """The cost of every couple, given who has met. The place `len(couples)` is an empty seat."""

    def __init__(self, couples: Couples, scale: Scale) -> None:
        self.couples, self.scale, self.people = couples, scale, len(couples)
        places = couples.people.places(np.array(couples.course.met, dtype=np.int64).reshape(-1, 2))
        known = places[(places >= 0).all(axis=1) & (places[:, 0] != places[:, 1])]
        self.met = Meetings(self.people, np.sort(keys(known[:, 0], known[:, 1], self.people)))
        self.per_meeting = scale.forbidden if couples.never_again else scale.repeat
        self.was_exception = np.zeros(self.people + 1, dtype=np.int64)
        """What an empty seat in their group costs each person; 0 for an empty seat."""
        left_out = couples.course.left_out
        self.matters = np.array([1 + (one in left_out) for one in couples.people.ids.tolist()], dtype=np.int64)
        self.expected = np.zeros(0, dtype=np.int64)
        self.matrix: NDArray[np.int64] | None = None
        if self.people <= FEW:
            self.matrix = self._all_couples()

    def _all_couples(self) -> NDArray[np.int64]:
        matrix = np.zeros((self.people + 1, self.people + 1), dtype=np.int64)
        one, other = np.triu_indices(self.people, 1)
        matrix[one, other] = matrix[other, one] = self._work_out(one, other)
        return matrix

    def _work_out(self, one: Places, other: Places) -> Points:
        cost = -self.couples.weigh(one, other)
        is_forbidden = cost > 0
        if len(self.couples.banned):
            is_forbidden |= listed_in(self.couples.banned, keys(one, other, self.people))
        where = np.nonzero(is_forbidden)
        cost[where] = self.scale.forbidden * np.maximum(self.matters[one[where]], self.matters[other[where]])
        if len(self.met.keys):
            cost += self.per_meeting * self.met.times(one, other)
        if len(self.expected):
            cost += self.per_meeting * listed_in(self.expected, keys(one, other, self.people))
        return cost

    def expect(self, couples: list[tuple[int, int]]) -> None:
        """Keep these couples apart as if they had met: they will, later. Replaces who was expected before."""
        listed = np.array(sorted({(min(couple), max(couple)) for couple in couples}), dtype=np.int64).reshape(-1, 2)
        before, self.expected = self.expected, keys(listed[:, 0], listed[:, 1], self.people)
        if self.matrix is not None:
            for sign, which in ((-1, before), (1, self.expected)):
                one, other = np.divmod(which, self.people)
                self.matrix[one, other] += sign * self.per_meeting
                self.matrix[other, one] += sign * self.per_meeting

    def between(self, one: Places, other: Places) -> Points:
        """The cost of each couple, of any shape; 0 for somebody with themselves. Not for empty seats."""
        if self.matrix is not None:
            return self.matrix[one, other]
        one, other = np.broadcast_arrays(one, other)
        flat_one, flat_other = one.reshape(-1), other.reshape(-1)
        real = np.flatnonzero((flat_one != flat_other) & (flat_one < self.people) & (flat_other < self.people))
        found = np.zeros(flat_one.shape, dtype=np.int64)
        found[real] = self._work_out(flat_one[real], flat_other[real])
        return found.reshape(one.shape)

    def may_meet(self, one: Places, other: Places) -> Bools:
        """For each couple, whether it may sit together: every rule, "never again" included."""
        # Points are taken off the cost of having met, and all that is allowed costs far less than half of this.
        found: Bools = (self.between(one, other) < self.scale.forbidden // 2) & (one != other)
        return found

    def remember(self, seats: NDArray[np.int64]) -> None:
        """These groups (one in a row; the number of people stands for an empty seat) have met."""
        one, other = (seats[:, side].reshape(-1) for side in np.triu_indices(seats.shape[1], 1))
        real = (one < self.people) & (other < self.people)
        one, other = one[real], other[real]
        self.met = self.met.also(keys(one, other, self.people))
        if self.matrix is not None:
            # No couple sits together twice in one round, so no index is repeated.
            self.matrix[one, other] += self.per_meeting
            self.matrix[other, one] += self.per_meeting
        self._remember_exceptions(seats)

    def _remember_exceptions(self, seats: NDArray[np.int64]) -> None:
        is_short = (seats == self.people).any(axis=1)
        if not is_short.any() or is_short.all():
            return
        is_rare = 2 * int(is_short.sum()) <= len(seats)
        exceptional = seats[is_short if is_rare else ~is_short].reshape(-1)
        self.was_exception[exceptional] += self.scale.exception if is_rare else -self.scale.exception
        self.was_exception[self.people] = 0
