"""Who reviews whose work: k reviews done by everyone and k of everyone's work, wherever that is possible.

People are in a ring in an order that chance decides, and the j-th review of everyone goes a fixed number of places on.
Then two reviewers exchange authors wherever that is worth more, so the numbers never change. Where rules leave too
little room, maximum flow finds as many reviews as there can be, and shows why there are no more.
"""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from lti_tool.pairing.engine.couples import NO_KEYS, Couples
from lti_tool.pairing.engine.matching import Candidates
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.problem import (
    Course,
    ImpossibleRequest,
    ListedTwice,
    Reason,
    ReviewProof,
    Reviews,
    Short,
)
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.turns import Choice

NAME: Final = "tandem-reviews/4"

NOBODY: Final = -1
"""Stands for the author where a review is missing."""
SWEEPS, IDLE = 120, 6
"""How often reviews are exchanged, at most, and how often in vain …"""
DRAWS: Final = 1 << 14
"""… and how many exchanges are looked at together."""
REMEMBERED: Final = 4_000_000
"""How many allowed couples are remembered at most, over all people."""

Slots: TypeAlias = tuple[Places, Places]
"""Reviews by their place in the table: rows (who reviews) and columns."""
Cut: TypeAlias = tuple[Places, Places]
"""Why there cannot be more: these reviewers have only these authors, and few couples beside."""


def reviews(course: Course, k: int, seed: int) -> Reviews:
    """k reviews done by everyone and k of everyone, exactly, if the rules leave room for that.

    Nobody reviews themselves or the same author twice, and every review keeps the rules; a rule that keeps a group
    apart (`Other`) makes it "not the own group". If there is no room for all, there are as many reviews as can be, they
    are spread evenly, and a proof says why. Then few review one another or someone they met, and wishes count. Shape,
    locks and rounds of the course play no part. The same course, k and seed give the same reviews. Raises
    ImpossibleRequest for k below 1 and people listed twice.
    """
    people = sorted(course.people)
    twice = tuple(person for person, following in pairwise(people) if person == following)
    if k < 1:
        raise ImpossibleRequest(k)
    if twice:
        raise ListedTwice(twice)
    couples = Couples(course)
    table = _Table(couples, np.random.default_rng([abs(seed), int(seed < 0)]), k)
    table.exchange()
    cut = None
    if table.authors.shape[1] < k or table.are_broken():
        table.authors, cut = _filled(table)
        table.exchange()
    return replace(_answer(couples, k, table.authors, cut), course=course, seed=seed, engine=NAME)


def _answer(couples: Couples, k: int, authors: Places, cut: Cut | None) -> Reviews:
    rows, columns = np.nonzero(authors != NOBODY)
    ids = couples.people.ids
    pairs = sorted(zip(ids[rows].tolist(), ids[authors[rows, columns]].tolist(), strict=True))
    done, received = (np.bincount(side, minlength=len(couples)) for side in (rows, authors[rows, columns]))
    short = tuple(
        Short(int(ids[place]), int(done[place]), int(received[place]), couples.reason(place, Reason.TOO_FEW_PARTNERS))
        for place in np.flatnonzero((done < k) | (received < k)).tolist()
    )
    proof = ReviewProof(*(tuple(ids[side].tolist()) for side in cut)) if cut else None
    return Reviews(tuple(pairs), short, proof, k=k)


# ---- exchanges -------------------------------------------------------------------------------------------------------


class _Table:
    """Who reviews whom (`authors`: one reviewer in a row), what each review is worth, and exchanges for better ones."""

    def __init__(self, couples: Couples, rng: np.random.Generator, k: int) -> None:
        self.couples, self.rng, self.k = couples, rng, k
        self.met = np.unique(couples.met.keys)
        self.unit = couples.most + 1
        """More than the points of any couple."""
        self.authors = self._ring(min(k, max(0, len(couples) - 1)))

    def _ring(self, k: int) -> Places:
        """Reviews along a ring, k for each and of each; as few as possible are of two people by one another."""
        people = len(self.couples)
        authors, order = np.empty((people, k), dtype=np.int64), self.rng.permutation(people)
        half = self.rng.permutation(max(0, people - 1) // 2) + 1
        half = np.where(self.rng.random(len(half)) < 0.5, half, people - half)
        # Two steps that lead around the ring together are reviews by one another, and so is half of the ring.
        steps = [*half.tolist(), *(people - half).tolist(), people // 2]
        for column in range(k):
            authors[order, column] = np.roll(order, -steps[column])
        return authors

    def worth(self, reviewer: Places, author: Places) -> Points:
        """The points of each review, less for two who met, and far less for who may not meet."""
        couples = self.couples
        result, keys = couples.weigh(reviewer, author), couples.keys(reviewer, author)
        result[(result < 0) | (reviewer == author) | listed_in(couples.banned, keys)] = -8 * self.unit
        if len(self.met):
            result -= (6 if couples.never_again else 2) * self.unit * listed_in(self.met, keys)
        return result

    def allowed(self, reviewer: Places, author: Places) -> Bools:
        """For each review, whether every rule allows it, "never again" included."""
        return self.couples.allowed(reviewer, author, self.couples.met)

    def are_broken(self) -> bool:
        """Whether a review is missing or forbidden."""
        rows, columns = np.nonzero(self.authors != NOBODY)
        return len(rows) < self.authors.size or not self.allowed(rows, self.authors[rows, columns]).all()

    def _value(self, reviewer: Places, author: Places) -> Points:
        """What a review is worth, less as much as any couple can be worth if the author reviews the reviewer."""
        result: Points = self.worth(reviewer, author) - self.unit * self._has(author, reviewer)
        return result

    def _has(self, reviewer: Places, author: Places) -> Bools:
        """For each couple, whether the first reviews the second as it is."""
        has: Bools = np.logical_or.reduce([column[reviewer] == author for column in self.authors.T])
        return has

    def exchange(self) -> None:
        """Let people exchange authors where that is worth more; every other time only those whose review is bad."""
        people, k = self.authors.shape
        reviewers, idle = np.arange(people)[:, None], 0
        for sweep in range(SWEEPS if people > 2 else 0):
            value = np.where(self.authors == NOBODY, self.couples.most, self._value(reviewers, self.authors))
            if idle > IDLE or value.min(initial=self.couples.most) >= self.couples.most:
                break
            bad = np.nonzero(value < 0)
            here = bad if len(bad[0]) and sweep % 2 == 0 else np.nonzero(value < self.couples.most)
            draws = max(1, min(value.size, DRAWS // len(here[0])))
            drawn = self.rng.integers(value.size, size=(len(here[0]), draws))
            near, far = (here[0][:, None], here[1][:, None]), np.divmod(drawn, k)
            if here is bad:
                gain = self._gain(near, far)
            else:
                # A quick look that leaves few: no review is worth more than its points.
                gain = self.couples.weigh(near[0], self.authors[far]) + self.couples.weigh(far[0], self.authors[near])
                gain -= value[near] + value[far]
            best = drawn[np.arange(len(drawn)), gain.argmax(axis=1)]
            gains = np.flatnonzero(gain.max(axis=1) > 0)
            idle = 0 if self._exchanged((here[0][gains], here[1][gains]), np.divmod(best[gains], k)) else idle + 1

    def _gain(self, here: Slots, there: Slots) -> Points:
        """What exchanging the authors of these reviews would bring; far below 0 where someone had an author twice."""
        first, second, mine, theirs = here[0], there[0], self.authors[here], self.authors[there]
        gain = (
            self._value(first, theirs)
            + self._value(second, mine)
            - self._value(first, mine)
            - self._value(second, theirs)
        )
        twice = self._has(first, theirs) | self._has(second, mine)
        gain[twice | (mine == NOBODY) | (theirs == NOBODY)] = -99 * self.unit
        return gain

    def _exchanged(self, here: Slots, there: Slots) -> bool:
        """Exchange the authors of these reviews two by two where that gains; everyone is in one exchange at most."""
        gains = np.flatnonzero(self._gain(here, there) > 0)
        # What is asked before all of them holds after all of them.
        people = np.stack((here[0][gains], there[0][gains]), axis=1)
        is_first = np.zeros(people.size, dtype=np.bool_)
        is_first[np.unique(people, return_index=True)[1]] = True
        gains = gains[is_first.reshape(-1, 2).all(axis=1)]
        here, there = ((row[gains], column[gains]) for row, column in (here, there))
        self.authors[here], self.authors[there] = self.authors[there], self.authors[here]
        return len(gains) > 0


# ---- as many reviews as there can be ---------------------------------------------------------------------------------


def _filled(table: _Table) -> tuple[Places, Cut | None]:
    """As many reviews as there can be, spread evenly, made of those that no rule forbids; and why there are no more.

    Everyone reviews k people, or all whom they may review. Then reviews are handed on from authors who have more than
    k to those who have fewer, as long as a chain of reviewers leads there (augmenting paths: Ford and Fulkerson 1956).
    Authors who are stuck with more are the cut: whoever reviews one of them has no one else to review.
    """
    couples, k, people = table.couples, table.k, len(table.couples)
    candidates = Candidates(
        couples, np.arange(people, dtype=np.int64), np.unique(couples.met.keys) if couples.never_again else NO_KEYS
    )
    partners = lru_cache(maxsize=REMEMBERED // max(1, people))(candidates.partners)
    rows, columns = np.nonzero(table.authors != NOBODY)
    authors = table.authors[rows, columns]
    fits = table.allowed(rows, authors)
    chosen = [set[int]() for _ in range(people)]
    for reviewer, author in zip(rows[fits].tolist(), authors[fits].tolist(), strict=True):
        chosen[reviewer].add(author)
    received = dict(enumerate(np.bincount(authors[fits], minlength=people).tolist()))
    for reviewer, some in enumerate(chosen):
        left = [author for author in partners(reviewer) if author not in some] if len(some) < k else []
        for author in sorted(left, key=received.__getitem__)[: k - len(some)]:
            some.add(author)
            received[author] += 1
    choice = Choice(partners, received, chosen)
    choice.hand_on(most=k)
    stuck = choice.stuck.copy()
    short = [reviewer for reviewer, some in enumerate(chosen) if len(some) < k or not some.isdisjoint(stuck)]
    choice.hand_on()
    reviewers, done = [set[int]() for _ in range(people)], {person: len(some) for person, some in enumerate(chosen)}
    for reviewer, some in enumerate(chosen):
        for author in some:
            reviewers[author].add(reviewer)
    for several in reviewers:
        for reviewer in sorted(several, key=lambda person: (-done[person], person))[: max(0, len(several) - k)]:
            several.remove(reviewer)
            done[reviewer] -= 1
    Choice(partners, done, reviewers).hand_on()
    rows, authors = (
        np.array(
            sorted((reviewer, author) for author, several in enumerate(reviewers) for reviewer in several),
            dtype=np.int64,
        )
        .reshape(-1, 2)
        .T
    )
    filled = np.full((people, k), NOBODY, dtype=np.int64)
    filled[rows, np.arange(len(rows)) - np.searchsorted(rows, rows)] = authors
    return filled, (np.array(short), np.array(sorted(stuck), dtype=np.int64)) if short else None
