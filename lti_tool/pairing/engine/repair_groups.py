"""One round that is to be repaired, and how trios, circles and rings are: only groups that must change do.

A group that loses someone is smaller. When it is too small, its people go where there is room: first into groups that
change anyway, then, as with people who join, together into a new group, then one by one into the smallest groups that
may take them. No one has looked at every arrangement, so this is a good answer and not a proof.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import (
    Couples,
    Groups,
    Meetings,
    Members,
)
from lti_tool.pairing.engine.locks import check_groups
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.problem import Kind, Shape

SMALLEST: Final = 2
"""Nobody is in a group alone."""
NOWHERE: Final = -1


@dataclass(frozen=True)
class Round:
    """A round without the groups that have begun. People are places among those of `couples`."""

    number: int
    couples: Couples
    stands: Groups
    """The groups of those who are still here."""
    whole: Bools
    """For each place, whether they are in a group all members of which are here."""
    seat: Places
    """Everyone who needs a group in this round, sorted."""
    begun: Places
    """Everyone in a group that has begun."""
    met: Meetings
    """Meetings outside of this round."""
    met_earlier: Meetings
    """Meetings because of which a couple of this round has to part, if they may never meet again: those before it."""
    locks: tuple[Members, ...]
    """Who must be together. No person is in two of them."""
    flagged: Bools
    """Who was without a partner last time."""
    in_trios: Points
    """How often each is in a trio in other rounds, or was before."""
    seed: int

    @cached_property
    def everyone(self) -> Places:
        """All places, which is also the groups where nobody is with anyone."""
        return np.arange(len(self.couples), dtype=np.int64)

    def kept(self, after: Groups) -> Bools:
        """For each place, whether they were in a whole group and all its members, and no others, are together after."""
        heads, sizes, same = self.stands.heads, self.stands.sizes, after.heads == self.stands.heads
        as_many = np.bincount(heads[same], minlength=len(same))[heads] == sizes
        kept: Bools = self.whole & as_many & (after.sizes == sizes)
        return kept

    def may_stay(self, first: Places, second: Places) -> Bools:
        """For each couple that is together now, whether they may go on."""
        return self.couples.allowed(first, second, self.met_earlier)

    def may_meet(self, first: Places, second: Places) -> Bools:
        """For each couple that is not together now, whether they may be: "never again" looks at later rounds, too."""
        return self.couples.allowed(first, second, self.met)

    def check_locks(self) -> None:
        """Raise what makes the locks impossible: LockConflict, LockSize or LockForbidden."""
        check_groups(self.couples, self.number, self.locks, len(self.seat), self.met_earlier)


def group_sizes(people: int, shape: Shape) -> tuple[int, ...]:
    """The sizes of the groups of one round, largest first; they differ by at most one. Nobody and one person: none.

    Fewer people than the size of the shape are one group. Trios: one person too many makes a group of four, two too
    many a pair. Circles and rings: as near to the size as possible, never more than one larger; where two numbers of
    groups come equally near, the larger groups; never two members where three are possible. So 7 people in circles of
    5 are 4 and 3, and only 5 people in circles of 3 leave a group of two.
    """
    if people < 2:
        return ()
    size = 3 if shape.kind is Kind.TRIOS else shape.size
    if people <= size:
        return (people,)
    if shape.kind is Kind.TRIOS:
        return (4,) + (3,) * (people // 3 - 1) if people % 3 == 1 else _even(people, -(-people // 3))
    fewest = -(-people // (size + 1))
    return min(
        (_even(people, groups) for groups in range(max(fewest, people // size - 1), people // size + 2)),
        key=lambda sizes: (
            sizes[-1] < 3,
            max(abs(some - size) for some in sizes),
            sum(abs(some - size) for some in sizes),
        ),
    )


def _even(people: int, groups: int) -> tuple[int, ...]:
    small, larger = divmod(people, groups)
    return (small + 1,) * larger + (small,) * (groups - larger)


def repair_groups(before: Round) -> Groups:
    """The groups of the round with few changes: as many people as possible in groups that rules let be.

    A group has at most one member more than the size of the shape, and at least two; circles and rings three, where
    others have room.
    """
    return _Groups(before).repaired()


class _Groups:
    def __init__(self, before: Round) -> None:
        self.before, self.shape = before, before.couples.course.shape
        self.least = SMALLEST if self.shape.kind is Kind.TRIOS else 3
        self.most = self.shape.size + 1
        self.everyone = before.everyone
        self.group_of: Places = np.full(len(before.couples), NOWHERE, dtype=np.int64)
        self.locked: Bools = np.zeros(len(before.couples), dtype=np.bool_)
        self.stands: list[bool] = []
        """Of each group, whether it is as it was."""

    def repaired(self) -> Groups:
        for members in self.before.stands.members:
            self._read(members)
        for lock in self.before.locks:
            self._bring_together(lock)
        self._give_up_small_groups()
        while (
            self._fill()
            or self._start_group(self.least)
            or any(self._seat(person, may_cost=True) for person in self._loose())
            or self._start_group(SMALLEST, SMALLEST)
            or self._take_one()
        ):
            pass
        order = np.argsort(self.group_of, kind="stable")
        sizes = np.bincount(self.group_of + 1, minlength=1)[1:]
        return Groups.listed(order[-int(sizes.sum()) :] if sizes.any() else order[:0], sizes, len(self.everyone))

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

    def _read(self, members: Members) -> None:
        """A group without whom a rule does not let stay."""
        locked = [person for lock in self.before.locks if set(lock) <= set(members) for person in lock]
        stay = list(members)
        while stay:
            places = np.array(stay, dtype=np.int64)
            first, second = np.repeat(places, len(places)), np.tile(places, len(places))
            against = len(places) - 1 - self.before.may_stay(first, second).reshape(len(places), -1).sum(axis=1)
            if not against.any() and len(stay) <= self.most:
                break
            # Who is locked or was left out goes last.
            is_free, is_new = ~np.isin(places, locked), ~self.before.flagged[places]
            stay.pop(int(np.lexsort((places, against, is_new, is_free, against > 0))[-1]))
        self.group_of[stay] = len(self.stands)
        self.locked[locked] = True
        self.stands.append(bool(self.before.whole[members[0]]) and len(stay) == len(members))

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

    def _start_group(self, least: int, size: int = 0) -> bool:
        """Start a group of at least so many loose people, of this size or (0) as even as they can be."""
        loose = self._loose()
        for first in loose if len(loose) >= least else ():
            members = self._around(first, loose, size or group_sizes(len(loose), self.shape)[0])
            if len(members) >= least:
                self._start(members)
                return True
        return False

    def _around(self, first: int, loose: list[int], size: int) -> list[int]:
        """Loose people who may be together, so many if possible: each next one met them least and has most points."""
        members, free = [first], np.isin(self.everyone, loose) & (self.everyone != first)
        times = points = np.zeros(len(self.everyone), dtype=np.int64)
        while len(members) < size:
            fits, met, worth = self._beside(members[-1])
            free, times, points = free & fits, times + met, points + worth
            others = np.flatnonzero(free)
            if not len(others):
                break
            members.append(int(others[np.lexsort((others, -points[others], times[others]))[0]]))
            free[members[-1]] = False
        return members

    def _start(self, members: list[int]) -> None:
        self.group_of[members] = len(self.stands)
        self.stands.append(False)

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
        """Start a pair with a member of a group that stays one, rather of one that stays large enough."""
        sizes = self._sizes()
        cost = np.where(self.stands, sizes, 0)
        for person in self._loose():
            fits, times, points = self._beside(person)
            others = np.flatnonzero((self.group_of >= 0) & fits & ~self.locked)
            others = others[sizes[self.group_of[others]] > SMALLEST]
            if len(others):
                groups = self.group_of[others]
                best = np.lexsort((others, -points[others], times[others], cost[groups], sizes[groups] <= self.least))[
                    0
                ]
                self.stands[int(self.group_of[others[best]])] = False
                self._start([person, int(others[best])])
                return True
        return False

    def _beside(self, person: int) -> tuple[Bools, Points, Points]:
        """For everyone: whether they may work with this person, how often the two met, and the points."""
        first = np.full(len(self.everyone), person, dtype=np.int64)
        before = self.before
        times, points = before.met.times(first, self.everyone), before.couples.points(first, self.everyone)
        return before.may_meet(first, self.everyone), times, points
