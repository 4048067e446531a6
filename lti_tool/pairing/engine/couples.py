"""A course in arrays: who met, and what rules and wishes say of many couples at once.

A person is a place among the sorted ids of the course. A couple is one number, `couple_keys`; sorted keys are looked up
with `listed_in`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.course import Course, PersonId
from lti_tool.pairing.engine.people import Bools, People, Places, Points
from lti_tool.pairing.engine.rules import (
    NotAgain,
    Rule,
    RuleByCouple,
    RuleByValue,
    Share,
    couple_keys,
    listed_in,
)
from lti_tool.pairing.engine.tables import Table, tabulate
from lti_tool.pairing.engine.wishes import Wish

Keys = NDArray[np.int64]
"""Couples as one number each, `smaller place * people + larger place`. A couple may be there more than once."""
NO_KEYS: Final = np.zeros(0, dtype=np.int64)

FEW_PEOPLE: Final = 2048
"""Up to this many people, all couples can be looked at."""
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
    def _compiled(self) -> tuple[list[Table], list[RuleByValue], list[Wish]]:
        by_value = [rule for rule in self.course.rules if isinstance(rule, RuleByValue)]
        return tabulate(self.people, by_value, self.course.wishes, self.forbidden)

    @property
    def tables(self) -> list[Table]:
        """Together the weight of a couple, as far as `whole` is true."""
        return self._compiled[0]

    @cached_property
    def other_rules(self) -> list[Rule]:
        """Rules that are neither in the tables nor among the banned couples."""
        unlike = [rule for rule in self.course.rules if not isinstance(rule, RuleByValue | RuleByCouple | NotAgain)]
        return [*self._compiled[1], *unlike]

    @property
    def other_wishes(self) -> list[Wish]:
        """Wishes that are not in the tables."""
        return self._compiled[2]

    @property
    def never_again(self) -> bool:
        """Whether who met may not meet again."""
        return any(isinstance(rule, NotAgain) for rule in self.course.rules)

    @cached_property
    def banned(self) -> Keys:
        """The couples whom rules by couple forbid: sorted keys."""
        listed = [rule.forbidden(self.people) for rule in self.course.rules if isinstance(rule, RuleByCouple)]
        found = [self.keys(couples[:, 0], couples[:, 1]) for couples in listed]
        return merged(*found)

    def keys(self, one: Places, other: Places) -> Keys:
        """One number for each couple, the same for (a, b) and (b, a)."""
        return couple_keys(one, other, len(self))

    def weigh(self, one: Places, other: Places) -> Points:
        """For each couple its points; below 0 where a rule forbids it. Couples that are `banned` are not looked up."""
        found = np.zeros(np.broadcast(one, other).shape, dtype=np.int64)
        for table in self.tables:
            found += table.cells[table.codes[one] * table.width + table.codes[other]]
        return found + self.weigh_beside(one, other) if self.other_rules or self.other_wishes else found

    def weigh_beside(self, one: Places, other: Places) -> Points:
        """The part of `weigh` that is not in the tables."""
        found = np.zeros(np.broadcast(one, other).shape, dtype=np.int64)
        for wish in self.other_wishes:
            found += wish.points(self.people, one, other)
        for rule in self.other_rules:
            found[~rule.allows(self.people, one, other)] = self.forbidden
        return found

    def allowed(self, one: Places, other: Places, met: "Meetings | None" = None) -> Bools:
        """For each couple, whether every rule allows it; where nobody may meet again, those who `met` may not.

        Nobody may meet themselves.
        """
        found: Bools = one != other
        weight = np.zeros(np.broadcast(one, other).shape, dtype=np.int64)
        for table in self.tables:
            weight += table.cells[table.codes[one] * table.width + table.codes[other]]
        found = found & (weight >= 0)
        for rule in self.other_rules:
            found &= rule.allows(self.people, one, other)
        if len(self.banned):
            found &= ~listed_in(self.banned, self.keys(one, other))
        if met is not None and self.never_again:
            found &= met.times(one, other) == 0
        return found

    def points(self, one: Places, other: Places) -> Points:
        """For each couple, the sum over the wishes."""
        found = self.weigh(one, other)
        unlike = np.flatnonzero(found < 0)
        if len(unlike):
            one, other = (np.broadcast_to(side, found.shape).reshape(-1)[unlike] for side in (one, other))
            wished = np.zeros(len(unlike), dtype=np.int64)
            for wish in self.course.wishes:
                wished += wish.points(self.people, one, other)
            found.reshape(-1)[unlike] = wished
        return found

    def partners(self, person: int) -> Places:
        """Everybody whom this person may work with."""
        others = np.arange(len(self), dtype=np.int64)
        return others[self.allowed(np.full(len(self), person, dtype=np.int64), others)]

    @cached_property
    def sparse(self) -> tuple[Places, Places] | None:
        """All couples that are allowed, smaller place first, sorted; None when they are too many to be listed.

        They are found by looking at every couple of few people, or through the names that a rule wants to be shared.
        """
        size = len(self)
        if size <= FEW_PEOPLE:
            one, other = np.triu_indices(size, 1)
        else:
            listed = self._listed()
            if listed is None:
                return None
            one, other = listed[:, 0], listed[:, 1]
        one, other = one.astype(np.int64), other.astype(np.int64)
        fits = self.allowed(one, other)
        if int(fits.sum()) > FEW_COUPLES * size:
            return None
        return one[fits], other[fits]

    def _listed(self) -> NDArray[np.int64] | None:
        """Couples among whom all that are allowed are, from a rule that can list them."""
        for rule in self.other_rules:
            if isinstance(rule, Share) and not (rule.unknown_is_allowed and not rule.known(self.people).all()):
                found = rule.couples_sharing(self.people, 4 * FEW_COUPLES * len(self))
                if found is not None:
                    return found
        return None


def merged(*several: Keys) -> Keys:
    """All of them, sorted. Quick where each is sorted already."""
    return np.sort(np.concatenate([NO_KEYS, *several]), kind="stable")


@dataclass(frozen=True)
class Meetings:
    """Who met how often, of people who are places among `people`. `keys` are sorted; who met twice is there twice."""

    people: int
    keys: Keys

    def times(self, one: Places, other: Places) -> Points:
        """For each couple, how often they met."""
        wanted = couple_keys(one, other, self.people)
        if not len(self.keys):
            return np.zeros(wanted.shape, dtype=np.int64)
        return np.searchsorted(self.keys, wanted, side="right") - np.searchsorted(self.keys, wanted)

    def also(self, *several: Keys) -> "Meetings":
        """These meetings and others."""
        return Meetings(self.people, merged(self.keys, *several))


def meetings_of(people: People, groups: Iterable[tuple[PersonId, ...]]) -> Keys:
    """Every two members of every group who are in the course, sorted."""
    listed = list(groups)
    sizes = np.fromiter(map(len, listed), dtype=np.int64, count=len(listed))
    members = people.places(np.fromiter(chain.from_iterable(listed), dtype=np.int64, count=int(sizes.sum())))
    starts = np.cumsum(sizes) - sizes
    found: list[Keys] = []
    for size in np.unique(sizes).tolist():
        rows = starts[sizes == size]
        for first, second in combinations(range(size), 2):
            one, other = members[rows + first], members[rows + second]
            real = (one >= 0) & (other >= 0) & (one != other)
            found.append(couple_keys(one[real], other[real], len(people)))
    return merged(*found)
