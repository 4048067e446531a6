"""Better groups for a large round: swap two people of different groups as long as that is better for all concerned.

Groups are laid beside each other in pairs, in an order that chance decides, and of all swaps between the two the best
is made: thousands of pairs of groups in one step. Then those who are still badly off look through all seats.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.circles.company import Company
from lti_tool.pairing.engine.people import Bools, Places, Points

Seats = NDArray[np.int64]
"""One group in a row; the number of people stands for an empty seat. At most one seat in a group is empty."""
NEVER: Final = 1 << 60
SWEEPS: Final = 160
MORE_SWEEPS: Final = 300_000
"""Divided by the number of people: so many sweeps more, because they are cheap for few; at most five times as many."""
LOOKS: Final = 400
"""How many people look through all seats, at most, in one round."""


@dataclass(frozen=True)
class Swapping:
    """Swaps within one round. Who is locked never moves."""

    company: Company
    locked: Bools
    """For each place, and for the empty seat (which may move)."""

    def improve(self, seats: Seats, rng: np.random.Generator, *, is_start: bool = False) -> Seats:
        """The same groups with people swapped; the costs never rise. Work: sweeps x people x size of a group.

        `is_start` makes fewer sweeps: others will look for better groups from here.
        """
        seats = seats.copy()
        if len(seats) < 2:
            return seats
        costs = self.costs(seats)
        more = min(MORE_SWEEPS // self.company.people, 4 * SWEEPS)
        for _ in range(SWEEPS // 4 if is_start else SWEEPS + more):
            order = rng.permutation(len(seats))
            half = len(seats) // 2
            self._sweep(seats, costs, order[:half], order[half : 2 * half])
        self._look_through(seats, costs)
        return seats

    def costs(self, seats: Seats) -> Points:
        """What each person pays for their group, in the shape of the seats."""
        found: Points = self._between(seats, seats).sum(axis=2)
        return found

    def _between(self, one: Seats, other: Seats) -> NDArray[np.int64]:
        """The costs of all couples of a member of one[i] and a member of other[i]."""
        found = self.company.between(one[:, :, None], other[:, None, :])
        empty = self.company.people
        rare = self.company.was_exception
        if (one == empty).any() or (other == empty).any():
            found += (one == empty)[:, :, None] * rare[other][:, None, :]
            found += (other == empty)[:, None, :] * rare[one][:, :, None]
        return found

    def _sweep(self, seats: Seats, costs: Points, here: Places, there: Places) -> None:
        """Make the best swap between each two of these groups. `costs` is kept true here and below."""
        one, other = seats[here], seats[there]
        across = self._between(one, other)
        leaves = costs[here][:, :, None] + costs[there][:, None, :]
        gain = leaves - across.sum(axis=2)[:, :, None] - across.sum(axis=1)[:, None, :] + 2 * across
        self._forbid(gain, one, other)
        flat = gain.reshape(len(gain), -1)
        best = flat.argmax(axis=1)
        # At equal cost people move too: the way out of a corner may lead along the level.
        chosen = np.flatnonzero(flat[np.arange(len(flat)), best] >= 0)
        row, column = np.divmod(best[chosen], seats.shape[1])
        seats[here[chosen], row], seats[there[chosen], column] = other[chosen, column], one[chosen, row]
        changed = np.concatenate([here[chosen], there[chosen]])
        costs[changed] = self.costs(seats[changed])

    def _forbid(self, gain: NDArray[np.int64], one: Seats, other: Seats) -> None:
        """Locked people stay, and no group gets a second empty seat."""
        empty = self.company.people
        gain[np.repeat(self.locked[one][:, :, None], other.shape[1], axis=2)] = -NEVER
        gain[np.repeat(self.locked[other][:, None, :], one.shape[1], axis=1)] = -NEVER
        both = ((one == empty).any(axis=1) & (other == empty).any(axis=1))[:, None, None]
        gain[both & ((one == empty)[:, :, None] != (other == empty)[:, None, :])] = -NEVER

    def _look_through(self, seats: Seats, costs: Points) -> None:
        """Whoever pays for more than a wish that is not met looks at every seat of the round."""
        looks = 0
        while looks < LOOKS:
            shown = np.where((seats == self.company.people) | self.locked[seats], -NEVER, costs)
            worst = np.argsort(-shown, axis=None, kind="stable")[: LOOKS - looks]
            worst = worst[shown.reshape(-1)[worst] >= self.company.scale.repeat]
            moved = [self._look(seats, costs, int(seat)) for seat in worst]
            looks += max(1, len(moved))
            if not any(moved):
                return

    def _look(self, seats: Seats, costs: Points, seat: int) -> bool:
        """Swap whoever sits here with the person for whom that is best, if it helps."""
        group, place = divmod(seat, seats.shape[1])
        person, empty = seats[group, place], self.company.people
        mine = np.delete(seats[group], place)
        alone = np.full((len(seats), 1), person)
        to_them = self._between(alone, seats)[:, 0, :]
        from_them = self._between(seats.reshape(-1, 1), np.broadcast_to(mine, (seats.size, len(mine)))).sum(axis=2)
        gain = costs[group, place] + costs - (to_them.sum(axis=1)[:, None] - to_them) - from_them.reshape(seats.shape)
        gain[self.locked[seats]] = -NEVER
        gain[group] = -NEVER
        if (mine == empty).any():
            gain[seats == empty] = -NEVER
        best = int(gain.argmax())
        if gain.reshape(-1)[best] <= 0:
            return False
        there = divmod(best, seats.shape[1])
        seats[group, place], seats[there] = seats[there], person
        changed = [group, there[0]]
        costs[changed] = self.costs(seats[changed])
        return True
