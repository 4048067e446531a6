"""A course in arrays: who met, and what rules and wishes say of many couples at once.

A person is a place among the sorted ids of the course. A couple is one number, `couple_keys`; sorted keys are looked up
with `listed_in`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations, pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, People, Places, Points
from lti_tool.pairing.engine.problem import Course, Group, Reason
from lti_tool.pairing.engine.rules import (
    NotAgain,
    Rule,
    RuleByCouple,
    RuleByValue,
    Share,
    couple_keys,
    listed_in,
)
from lti_tool.pairing.engine.wishes import Wish

Cells = NDArray[np.integer[Any]]
Keys = NDArray[np.int64]
"""Couples as one number each, `smaller place * people + larger place`. A couple may be there more than once."""
NO_KEYS: Final = np.zeros(0, dtype=np.int64)

Members: TypeAlias = tuple[int, ...]
"""Sorted places of people who are together."""

FEW_PEOPLE: Final = 2048
"""Up to this many people, all couples can be looked at."""
FEW_IN_TABLE: Final = 320
"""Of up to this many people, meetings are looked up in a table of all couples."""
FEW_COUPLES: Final = 64
"""A course is sparse if the rules allow at most this many couples per person."""


@dataclass(frozen=True)
class Couples:
    """What the rules and wishes of a course say of couples. A person is a place among the sorted ids.

    Rules by value are looked up in tables, rules by couple among sorted keys. "Not again" is a matter of rounds:
    whoever plans them adds the couples who met to those that are banned.
    """

    course: Course

    @cached_property
    def people(self) -> People:
        return People(self.course.people, self.course.attributes)

    def __len__(self) -> int:
        return len(self.people)

    @cached_property
    def most(self) -> int:
        """The most points that one couple can have."""
        return sum(wish.most for wish in self.course.wishes)

    @cached_property
    def forbidden(self) -> int:
        """What a rule by value that is broken adds to the weight: two allowed couples are always worth more."""
        return -2 * self.most - 2

    @cached_property
    def never_again(self) -> bool:
        """Whether who met may not meet again."""
        return any(isinstance(rule, NotAgain) for rule in self.course.rules)

    @cached_property
    def banned(self) -> Keys:
        """The couples whom rules by couple forbid: sorted keys."""
        listed = [rule.forbidden(self.people) for rule in self.course.rules if isinstance(rule, RuleByCouple)]
        return merged(*(self.keys(*couples.T) for couples in listed))

    @cached_property
    def _looked_up(self) -> tuple[list["_Table"], list[Rule], list[Wish]]:
        """Tables, and the rules and wishes that are in none of them."""
        by_value = [rule for rule in self.course.rules if isinstance(rule, RuleByValue)]
        unlike = [rule for rule in self.course.rules if not isinstance(rule, RuleByValue | RuleByCouple | NotAgain)]
        tables, rules, wishes = _tables(self.people, by_value, self.course.wishes, self.forbidden)
        return tables, [*rules, *unlike], wishes

    @cached_property
    def met(self) -> "Meetings":
        """Who met before the first round."""
        first, second = self.people.places(np.array(self.course.met, dtype=np.int64).reshape(-1, 2)).T
        known = (first >= 0) & (second >= 0) & (first != second)
        return Meetings(len(self), merged(self.keys(first[known], second[known])))

    def groups(self, listed: Iterable[Group]) -> "Groups":
        """The groups of a round. Who is not in the course is nobody."""
        return Groups.listed(*self.listed(listed), len(self))

    def listed(self, groups: Iterable[Group]) -> tuple[Places, Points]:
        """The places of all members of groups, -1 for who is not in the course, and the sizes of the groups."""
        members = list(groups)
        sizes = np.fromiter(map(len, members), dtype=np.int64, count=len(members))
        ids = np.fromiter(chain.from_iterable(members), dtype=np.int64, count=int(sizes.sum()))
        return self.people.places(ids), sizes

    def keys(self, first: Places, second: Places) -> Keys:
        """One number for each couple, the same for (a, b) and (b, a)."""
        return couple_keys(first, second, len(self))

    def weigh(self, first: Places, second: Places) -> Points:
        """For each couple its points; below 0 where a rule forbids it. Couples that are `banned` are not looked up."""
        tables, rules, wishes = self._looked_up
        result = np.zeros(np.broadcast(first, second).shape, dtype=np.int64)
        for table in tables:
            result += table.cells[table.codes[first] * table.width + table.codes[second]]
        for wish in wishes:
            result += wish.points(self.people, first, second)
        for rule in rules:
            result += np.where(rule.allows(self.people, first, second), 0, self.forbidden)
        return result

    def allowed(self, first: Places, second: Places, met: "Meetings | None" = None) -> Bools:
        """For each couple, whether every rule allows it; where nobody may meet again, those who `met` may not.

        Nobody may meet themselves.
        """
        result: Bools = (first != second) & (self.weigh(first, second) >= 0)
        if len(self.banned):
            result &= ~listed_in(self.banned, self.keys(first, second))
        if met is not None and self.never_again:
            result &= met.times(first, second) == 0
        return result

    def points(self, first: Places, second: Places) -> Points:
        """For each couple, the sum over the wishes."""
        result = self.weigh(first, second)
        unlike = np.flatnonzero(result < 0)
        if len(unlike):
            first, second = (np.broadcast_to(side, result.shape).reshape(-1)[unlike] for side in (first, second))
            wished = (wish.points(self.people, first, second) for wish in self.course.wishes)
            result.reshape(-1)[unlike] = sum(wished, start=np.zeros(len(unlike), dtype=np.int64))
        return result

    def ids(self, places: Iterable[int]) -> Group:
        """The ids of these places."""
        return tuple(self.people.ids[list(places)].tolist())

    def reason(self, person: int, otherwise: Reason) -> Reason:
        """Why someone has no partner, as far as the rules alone show it."""
        if len(self) < 2:
            return Reason.NOBODY_ELSE
        return otherwise if len(self.partners(person)) else Reason.NOBODY_ALLOWED

    def partners(self, person: int) -> Places:
        """Everybody whom this person may work with."""
        everyone = np.arange(len(self), dtype=np.int64)
        return everyone[self.allowed(np.full(len(self), person, dtype=np.int64), everyone)]

    @cached_property
    def sparse(self) -> tuple[Places, Places] | None:
        """All couples that are allowed, smaller place first, sorted; None when they are too many to be listed.

        They are found by looking at every couple of few people, or through the names that a rule wants to be shared.
        """
        size = len(self)
        listed = np.column_stack(np.triu_indices(size, 1)) if size <= FEW_PEOPLE else self._listed()
        if listed is None:
            return None
        first, second = listed.astype(np.int64).T
        fits = self.allowed(first, second)
        return (first[fits], second[fits]) if int(fits.sum()) <= FEW_COUPLES * size else None

    def _listed(self) -> NDArray[np.int64] | None:
        """Couples among whom all that are allowed are, from a rule that can list them."""
        for rule in self._looked_up[1]:
            if isinstance(rule, Share) and not (rule.unknown_is_allowed and not rule.known(self.people).all()):
                listed = rule.couples_sharing(self.people, 4 * FEW_COUPLES * len(self))
                if listed is not None:
                    return listed
        return None


# ---- who is together -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of one round, of any size. What follows from them is worked out when it is first asked."""

    heads: Places
    """For each place the smallest place of their group; their own where they are alone."""

    @classmethod
    def listed(cls, places: Places, sizes: Sequence[int] | Points, people: int) -> "Groups":
        """Groups of so many members each, which have nobody in common. Places below 0 are nobody."""
        known, group = places >= 0, np.repeat(np.arange(len(sizes)), sizes)
        places, group = places[known], group[known]
        heads = np.arange(people, dtype=np.int64)
        if len(places):
            starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
            heads[places] = np.repeat(np.minimum.reduceat(places, starts), np.diff(np.append(starts, len(places))))
        return cls(heads)

    def where(self, stays: Bools) -> "Groups":
        """The same, where everyone is alone who does not stay."""
        return Groups(np.where(stays, self.heads, np.arange(len(self.heads))))

    @cached_property
    def sizes(self) -> Points:
        """For each place, how many people are in their group."""
        sizes: Points = np.bincount(self.heads, minlength=len(self.heads))[self.heads]
        return sizes

    @cached_property
    def couples(self) -> Places:
        """Every two members of each group, the smaller place first, of shape (2, couples)."""
        later = np.flatnonzero(self.heads != np.arange(len(self.heads)))
        later = later[np.argsort(self.heads[later], kind="stable")]
        first = self.heads[later]
        if not (first[1:] == first[:-1]).any():
            # Pairs alone, as mostly.
            return np.stack((first, later))
        order = np.argsort(self.heads, kind="stable")
        group, listed = self.heads[order], [np.zeros((2, 0), dtype=np.int64)]
        for distance in range(1, len(order)):
            same = np.flatnonzero(group[distance:] == group[:-distance])
            if not len(same):
                break
            listed.append(np.stack((order[same], order[same + distance])))
        return np.concatenate(listed, axis=1)

    @cached_property
    def partners(self) -> Places:
        """For each place the partner or -1. Of a larger group two are partners, and the others have none."""
        partners = np.full(len(self.heads), -1, dtype=np.int64)
        first, at = np.unique(self.couples[0], return_index=True)
        is_head = self.heads[first] == first
        first, second = first[is_head], self.couples[1][at[is_head]]
        partners[first], partners[second] = second, first
        return partners

    @cached_property
    def keys(self) -> Keys:
        """The keys of the couples, sorted."""
        first, second = self.couples
        return np.sort(couple_keys(first, second, len(self.heads)))

    @cached_property
    def members(self) -> list[Members]:
        """The groups of two and more people in the order of their smallest places, each sorted."""
        order = np.argsort(self.heads, kind="stable")
        order = order[self.sizes[order] > 1]
        ends, members = (np.flatnonzero(np.diff(self.heads[order])) + 1).tolist(), order.tolist()
        return [tuple(members[start:end]) for start, end in pairwise([0, *ends, len(members)]) if end]


def couples_of(groups: Iterable[Sequence[int]]) -> Places:
    """Every two members of listed groups, which may have members in common, of shape (2, couples)."""
    listed = [couple for group in groups for couple in combinations(group, 2)]
    return np.array(listed, dtype=np.int64).reshape(-1, 2).T


# ---- who met ---------------------------------------------------------------------------------------------------------


def merged(*several: Keys) -> Keys:
    """All of them, sorted. Quick where each is sorted already."""
    return np.sort(np.concatenate([NO_KEYS, *several]), kind="stable")


@dataclass(frozen=True)
class Meetings:
    """Who met how often, of people who are places among `people`. `keys` are sorted; who met twice is there twice."""

    people: int
    keys: Keys

    def times(self, first: Places, second: Places) -> Points:
        """For each couple, how often they met."""
        wanted = couple_keys(first, second, self.people)
        if not len(self.keys):
            return np.zeros(wanted.shape, dtype=np.int64)
        if self.people <= FEW_IN_TABLE:
            return self._table[wanted]
        return np.searchsorted(self.keys, wanted, side="right") - np.searchsorted(self.keys, wanted)

    @cached_property
    def _table(self) -> Points:
        """How often a couple of few people met, by its key."""
        return np.bincount(self.keys, minlength=self.people**2)

    def also(self, *several: Keys) -> "Meetings":
        """These meetings and others."""
        return Meetings(self.people, merged(self.keys, *several))


# ---- tables ----------------------------------------------------------------------------------------------------------
#
# Two people with the same values are alike to a rule by value. So a small table over the values that occur answers for
# any number of couples with one look-up, and it fits the processor's cache. Tables are joined while they stay small.

ENTRIES: Final = 1 << 20
"""How large a table may grow. A table of 16-bit numbers of this size still stays in a usual second-level cache."""
AT_ONCE: Final = 1 << 18
"""How many couples of values are worked out in one step."""
UNKNOWN: Final = object()
"""Stands for no value. It is equal to itself alone."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The points of couples by the codes of the two people: `cells[codes[one] * width + codes[other]]`.

    A couple that a rule forbids has less than `-most`, where `most` is what all wishes together can give. Cells are so
    wide that the sums of several tables for several couples can be added in them.
    """

    codes: Places
    width: int
    cells: Cells


def _tables(
    people: People, rules: Sequence[RuleByValue], wishes: Sequence[Wish], forbidden: int
) -> tuple[list[_Table], list[RuleByValue], list[Wish]]:
    """Tables for the rules and wishes, and those of both whose values are too many for a table."""
    together: defaultdict[tuple[str, ...], tuple[list[RuleByValue], list[Wish]]] = defaultdict(lambda: ([], []))
    for rule in rules:
        together[rule.reads][0].append(rule)
    for wish in wishes:
        together[wish.reads][1].append(wish)
    tables: list[_Table] = []
    large: tuple[list[RuleByValue], list[Wish]] = [], []
    for reads in sorted(together) if len(people) else ():
        codes, first = _codes(people.ids.tolist(), [people.attributes.get(name, {}) for name in reads])
        if len(first) ** 2 > ENTRIES:
            large[0].extend(together[reads][0])
            large[1].extend(together[reads][1])
        else:
            few = People(tuple(people.ids[first].tolist()), people.attributes)
            tables.append(_without_doubles(codes, _cells(few, *together[reads], forbidden)))
    tables.sort(key=lambda table: table.width)
    while len(tables) > 1:
        # The smallest two become one as long as that is small enough.
        small, next_ = tables[:2]
        pairs, first, codes = np.unique(small.codes * next_.width + next_.codes, return_index=True, return_inverse=True)
        if len(pairs) ** 2 > ENTRIES:
            break
        left, right = (
            table.cells.reshape(table.width, -1)[np.ix_(table.codes[first], table.codes[first])]
            for table in (small, next_)
        )
        tables = sorted([_without_doubles(codes.ravel(), left + right), *tables[2:]], key=lambda table: table.width)
    least = 4 * forbidden * (len(tables) + 1)
    kind = np.int16 if least > -(1 << 15) else np.int32 if least > -(1 << 31) else np.int64
    return [_Table(table.codes, table.width, table.cells.astype(kind)) for table in tables], *large


def _codes(ids: Sequence[int], attributes: Iterable[Mapping[int, Any]]) -> tuple[Places, Places]:
    """A code for every person, the same for people with the same values, and the place of the first of each code.

    Codes are counted in the order of first appearance. A person who is missing from an attribute is unlike one whose
    value is None.
    """
    values = list(zip(*([column.get(person, UNKNOWN) for person in ids] for column in attributes), strict=True))
    number = {value: code for code, value in enumerate(dict.fromkeys(values))}
    codes = np.fromiter((number[value] for value in values), dtype=np.int64, count=len(values))
    return codes, np.unique(codes, return_index=True)[1].astype(np.int64)


def _cells(few: People, rules: Sequence[RuleByValue], wishes: Sequence[Wish], forbidden: int) -> Points:
    """The points of every two of these people, as a square; a few rows at a time."""
    cells, every = np.zeros((len(few), len(few)), dtype=np.int64), np.arange(len(few), dtype=np.int64)
    for rows in np.array_split(every, -(-(len(few) ** 2) // AT_ONCE) or 1):
        first, second = (side.ravel() for side in np.broadcast_arrays(rows[:, None], every))
        for wish in wishes:
            cells[rows] += wish.points(few, first, second).reshape(len(rows), len(few))
        for rule in rules:
            cells[rows] = np.where(rule.allows(few, first, second).reshape(len(rows), len(few)), cells[rows], forbidden)
    return cells


def _without_doubles(codes: Places, square: Cells) -> _Table:
    """A table in which codes that are alike to everybody are one."""
    _, first, code = np.unique(square, axis=0, return_index=True, return_inverse=True)
    return _Table(code.ravel().astype(np.int64)[codes], len(first), square[np.ix_(first, first)].ravel())
