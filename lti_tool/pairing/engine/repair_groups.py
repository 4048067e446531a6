"""Trios, circles and rings after people came or went: only groups that must change do.

A group that loses someone is smaller. When it is too small, its people go where there is room: first into groups that
change anyway, then, as with people who join, together into a new group, then one by one into the smallest groups that
may take them. No one has looked at every arrangement, so this is a good answer and not a proof.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.circles import group_sizes
from lti_tool.pairing.engine.course import Kind, Shape
from lti_tool.pairing.engine.locks import Members
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.repair_round import Repaired, Round

SMALLEST: Final = 2
"""Nobody is in a group alone."""
NOWHERE: Final = -1


def repair_groups(before: Round, shape: Shape) -> Repaired:
    """The round with few changes: everyone in a group of at most one more than the size of the shape, where rules let.

    Groups of trios have at least two members, circles and rings three, where others have room. Lists in `Repaired` are
    as for pairs; there is no matching.
    """
    return _Groups(before, shape).repaired()


class _Groups:
    def __init__(self, before: Round, shape: Shape) -> None:
        self.before, self.shape = before, shape
        self.least = SMALLEST if shape.kind is Kind.TRIOS else 3
        self.most = shape.size + 1
        self.everyone = np.arange(len(before.couples), dtype=np.int64)
        self.group_of: Places = np.full(len(before.couples), NOWHERE, dtype=np.int64)
        self.locked: Bools = np.zeros(len(before.couples), dtype=np.bool_)
        self.stands: list[bool] = []
        """Of each group, whether it is as it was."""

    def repaired(self) -> Repaired:
        for number in range(len(self.before.sizes)):
            self._read(number)
        for lock in self.before.locks:
            self._bring_together(lock)
        self._give_up_small_groups()
        while self._fill() or self._start_group() or self._squeeze_in() or self._take_one():
            pass
        count = len(self.before.sizes)
        formed = [self._members(number) for number, stands in enumerate(self.stands) if not stands]
        kept = np.array(self.stands[:count], dtype=np.bool_)
        loose = self._loose()
        return Repaired(kept, [members for members in formed if members], loose, (len(loose), int((~kept).sum())))

    # ---- what is there -----------------------------------------------------------------------------------------------

    def _members(self, number: int) -> Members:
        return tuple(np.flatnonzero(self.group_of == number).tolist())

    def _sizes(self) -> NDArray[np.int64]:
        return np.bincount(self.group_of[self.group_of >= 0], minlength=len(self.stands))

    def _loose(self) -> list[int]:
        """Who has no group; first those who had none last time."""
        seat = self.before.seat
        loose = seat[self.group_of[seat] == NOWHERE]
        ordered: list[int] = loose[np.lexsort((loose, ~self.before.flagged[loose]))].tolist()
        return ordered

    def _read(self, number: int) -> None:
        """A group without those who are gone, and without whom a rule does not let stay."""
        members = self.before.group(number)
        locked = {person for lock in self.before.locks if set(lock) <= set(members) for person in lock}
        stay = list(members)
        while stay:
            places = np.array(stay, dtype=np.int64)
            one, other = np.repeat(places, len(places)), np.tile(places, len(places))
            may = self.before.may_stay(one, other).reshape(len(places), len(places))
            broken = (len(places) - 1 - may.sum(axis=1)).tolist()
            if not any(broken) and len(stay) <= self.most:
                break
            stay.remove(max(stay, key=lambda person: (person not in locked, broken[stay.index(person)], person)))
        self.group_of[stay] = number
        self.locked[list(locked)] = True
        self.stands.append(bool(stay) and bool(self.before.whole[number]) and len(stay) == len(members))

    def _bring_together(self, lock: Members) -> None:
        """Locked people go to the group of most of them if all fit there, else into a group of their own."""
        members = list(lock)
        homes = self.group_of[members]
        self.locked[members] = True
        if homes[0] != NOWHERE and (homes == homes[0]).all():
            return
        groups, counts = np.unique(homes[homes != NOWHERE], return_counts=True)
        home = int(groups[counts.argmax()]) if len(groups) else NOWHERE
        together = sorted({*lock, *self._members(home)}) if home != NOWHERE else []
        if not together or len(together) > self.most or not self._all_fit(together):
            home = len(self.stands)
            self.stands.append(False)
        for group in {*groups.tolist(), home}:
            self.stands[group] = False
        self.group_of[members] = home

    def _all_fit(self, people: list[int]) -> bool:
        first, second = np.triu_indices(len(people), 1)
        places = np.array(people, dtype=np.int64)
        return bool(self.before.may_meet(places[first], places[second]).all())

    def _give_up_small_groups(self) -> None:
        sizes = self._sizes()
        for number, stands in enumerate(self.stands):
            members = list(self._members(number)) if 0 < sizes[number] < self.least and not stands else []
            if members and (len(members) == 1 or not self.locked[members].any()):
                self.group_of[members] = NOWHERE

    # ---- where loose people go ---------------------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Seat people in groups that change anyway."""
        return sum(self._seat(person, may_cost=False) for person in self._loose()) > 0

    def _start_group(self) -> bool:
        """Start groups of loose people, while they are enough."""
        loose = self._loose()
        if len(loose) < self.least:
            return False
        size = group_sizes(len(loose), self.shape)[0]
        for first in loose:
            members = self._around(first, loose, size)
            if len(members) >= self.least:
                self._start(members)
                return True
        return False

    def _around(self, first: int, loose: list[int], size: int) -> list[int]:
        """Loose people who may be together, so many if possible: each next one met them least and has most points."""
        members, others = [first], np.array([one for one in loose if one != first], dtype=np.int64)
        times = points = np.zeros(len(others), dtype=np.int64)
        while len(others):
            last = np.full(len(others), members[-1], dtype=np.int64)
            times = times + self.before.met.times(last, others)
            points = points + self.before.couples.points(last, others)
            fits = self.before.may_meet(last, others)
            if len(members) == size or not fits.any():
                break
            others, times, points = others[fits], times[fits], points[fits]
            best = int(np.lexsort((others, -points, times))[0])
            members.append(int(others[best]))
            stays = np.arange(len(others)) != best
            others, times, points = others[stays], times[stays], points[stays]
        return members

    def _start(self, members: list[int]) -> None:
        self.group_of[members] = len(self.stands)
        self.stands.append(False)

    def _squeeze_in(self) -> bool:
        """Seat someone in a group that could have stayed as it is; start a pair where nobody has room."""
        loose = self._loose()
        if any(self._seat(person, may_cost=True) for person in loose):
            return True
        for first in loose:
            members = self._around(first, loose, SMALLEST)
            if len(members) == SMALLEST:
                self._start(members)
                return True
        return False

    def _seat(self, person: int, *, may_cost: bool) -> bool:
        """Seat one in the group that costs least: company changed, members, repeats, points."""
        fits, times, points = self._beside(person)
        seated = self.group_of >= 0
        sizes = self._sizes()
        cost = np.where(self.stands, sizes, 0)
        refused = np.bincount(self.group_of[seated & ~fits], minlength=len(sizes)) > 0
        room = (sizes > 0) & (sizes < self.most) & ~refused & ((cost == 0) | may_cost)
        groups = np.flatnonzero(room)
        if not len(groups):
            return False
        met = np.bincount(self.group_of[seated], times[seated], minlength=len(sizes))[groups]
        worth = np.bincount(self.group_of[seated], points[seated], minlength=len(sizes))[groups]
        group = int(groups[np.lexsort((groups, -worth, met, sizes[groups], cost[groups]))[0]])
        self.group_of[person] = group
        self.stands[group] = False
        return True

    def _take_one(self) -> bool:
        """Start a pair with a member of a group that stays large enough."""
        sizes = self._sizes()
        cost = np.where(self.stands, sizes, 0)
        for person in self._loose():
            fits, times, points = self._beside(person)
            others = np.flatnonzero((self.group_of >= 0) & fits & ~self.locked)
            others = others[sizes[self.group_of[others]] > self.least]
            if len(others):
                best = np.lexsort((others, -points[others], times[others], cost[self.group_of[others]]))[0]
                self.stands[int(self.group_of[others[best]])] = False
                self._start([person, int(others[best])])
                return True
        return False

    def _beside(self, person: int) -> tuple[Bools, Points, Points]:
        """For everyone: whether they may work with this person, how often the two met, and the points."""
        one = np.full(len(self.everyone), person, dtype=np.int64)
        before = self.before
        times, points = before.met.times(one, self.everyone), before.couples.points(one, self.everyone)
        return before.may_meet(one, self.everyone), times, points
