"""Who reviews whose work: k reviews done by everyone and k of everyone's work, wherever that is possible.

People are in a ring in an order that chance decides, and the j-th review of everyone goes a fixed number of places on.
Then two reviewers exchange authors wherever that is worth more, so the numbers never change. Where rules leave too
little room, maximum flow finds as many reviews as there can be, and shows why there are no more.
"""

from collections.abc import Callable
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

NAME: Final = "tandem-reviews/3"

NOBODY: Final = -1
"""Stands for the author where a review is missing."""
SWEEPS: Final = 100
"""How often everyone looks for an exchange, for each of their reviews …"""
MORE_SWEEPS: Final = 12_000
"""… and so many times more, divided by the number of people, because it is cheap for few."""
PASSES, IDLE = 40, 4
"""How often exchanges are drawn at random for bad reviews, at most, and how often in vain …"""
DRAWS: Final = 1 << 15
"""… so many at a time, but no more than …"""
DRAWS_EACH: Final = 4_096
"""… for each."""
SPARSE: Final = 20
"""If one couple of so many or fewer is allowed, exchanges are drawn among allowed reviews."""
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
        flow = _Flow(table)
        cut = flow.fill()
        if cut:
            flow.even_out()
        table.authors = flow.table()
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
        authors = np.empty((people, k), dtype=np.int64)
        order = self.rng.permutation(people)
        steps: list[int] = []
        again: list[int] = []
        taken = np.zeros(people + 1, dtype=np.bool_)
        for step in (self.rng.permutation(max(0, people - 1)) + 1).tolist():
            (again if taken[people - step] or 2 * step == people else steps).append(step)
            taken[step] = True
            if len(steps) == k:
                break
        for column, step in enumerate((*steps, *again)[:k]):
            authors[order, column] = np.roll(order, -step)
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
        """Let everyone exchange authors where that is worth more, sweep after sweep, and mend before and after."""
        people, k = self.authors.shape
        if people < 3 or not k:
            return
        self.mend()
        here = np.divmod(np.arange(people * k, dtype=np.int64), k)
        worth = self.worth(here[0], self.authors[here])
        draw, idle = self._draws(), 0
        for _ in range((SWEEPS + MORE_SWEEPS // max(people, 100)) // (1 + k // 10)):
            if int(worth.min()) >= self.couples.most or idle > 4 * people:
                break
            there = draw(here[0])
            mine, theirs = self.authors[here], self.authors[there]
            now = worth + worth[there[0] * k + there[1]]
            # A quick look that leaves few: no review is worth more than this.
            better = np.flatnonzero(self.couples.weigh(here[0], theirs) + self.couples.weigh(there[0], mine) > now)
            changed = self._exchanged(*((row[better], column[better]) for row, column in (here, there)))
            for row, column in changed:
                worth[row * k + column] = self.worth(row, self.authors[row, column])
            idle = 0 if len(changed[0][0]) else idle + 1
        self.mend()

    def _draws(self) -> Callable[[Places], Slots]:
        """A function that draws a review for each of these people to exchange with."""
        people, k = self.authors.shape
        listed = self.couples.sparse
        if listed is None or not 0 < len(listed[0]) * 2 * SPARSE <= people * (people - 1):
            return lambda rows: (self.rng.integers(people, size=rows.shape), self.rng.integers(k, size=rows.shape))
        reviewers, authors = np.concatenate(listed), np.concatenate(listed[::-1])
        order = np.argsort(reviewers, kind="stable")
        wanted, starts = authors[order], np.searchsorted(reviewers[order], np.arange(people + 1))

        def draw(rows: Places) -> Slots:
            """A review of someone whom they may review, if there is any."""
            count = np.diff(starts)[rows]
            author = wanted[(starts[rows] + self.rng.integers(0, np.maximum(count, 1))) % len(wanted)]
            slots = np.argsort(self.authors, axis=None, kind="stable")
            begins = np.searchsorted(self.authors.reshape(-1)[slots], np.arange(people + 1))
            reviewed = np.diff(begins)[author]
            at = slots[(begins[author] + self.rng.integers(0, np.maximum(reviewed, 1))) % len(slots)]
            row, column = np.divmod(at, k)
            return row, column

        return draw

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

    def _exchanged(self, here: Slots, there: Slots) -> tuple[Slots, Slots]:
        """Exchange the authors of these reviews two by two where that gains; everyone is in one exchange at most."""
        gains = self._gain(here, there) > 0
        here, there = ((row[gains], column[gains]) for row, column in (here, there))
        # What is asked before all of them holds after all of them.
        people = np.stack((here[0], there[0]), axis=1)
        is_first = np.zeros(people.size, dtype=np.bool_)
        is_first[np.unique(people, return_index=True)[1]] = True
        first = is_first.reshape(-1, 2).all(axis=1)
        here, there = ((row[first], column[first]) for row, column in (here, there))
        self.authors[here], self.authors[there] = self.authors[there], self.authors[here]
        return here, there

    def mend(self) -> None:
        """Exchange reviews of people who may not meet, met, or review one another with the best of many others."""
        idle = 0
        for _ in range(PASSES):
            rows, columns = np.nonzero(self.authors != NOBODY)
            authors = self.authors[rows, columns]
            is_bad = (rows < authors) & self._has(authors, rows) | (self.worth(rows, authors) < 0)
            rows, columns = rows[is_bad], columns[is_bad]
            if not len(rows):
                return
            size, k = self.authors.size, self.authors.shape[1]
            drawn = self.rng.integers(size, size=(len(rows), max(1, min(DRAWS_EACH, 2 * size, DRAWS // len(rows)))))
            gain = self._gain((rows[:, None], columns[:, None]), np.divmod(drawn, k))
            best = drawn[np.arange(len(rows)), gain.argmax(axis=1)]
            changed, _ = self._exchanged((rows, columns), np.divmod(best, k))
            idle = 0 if len(changed[0]) else idle + 1
            if idle == IDLE:
                return


def as_table(people: int, k: int, reviewer: Places, author: Places) -> Places:
    """The reviews in a table. They are in the order of reviewers."""
    authors = np.full((people, k), NOBODY, dtype=np.int64)
    authors[reviewer, np.arange(len(reviewer)) - np.searchsorted(reviewer, reviewer)] = author
    return authors


# ---- as many reviews as there can be ---------------------------------------------------------------------------------


class _Flow:
    """Maximum flow (Ford and Fulkerson 1956) from the reviews of a table that no rule forbids.

    Someone who has a review too few takes an author; if that author has enough, one of their reviewers gives them up
    and looks on, until an author is found who has too few. When no such chain is left, those reached show why.
    """

    def __init__(self, table: _Table) -> None:
        self.k, people = table.k, len(table.couples)
        # Dictionaries, because they keep the order in which reviews came.
        self.given: list[dict[int, None]] = [{} for _ in range(people)]
        """Whom everyone reviews."""
        self.taken: list[dict[int, None]] = [{} for _ in range(people)]
        """By whom everyone is reviewed."""
        rows, columns = np.nonzero(table.authors != NOBODY)
        authors = table.authors[rows, columns]
        fits = table.allowed(rows, authors)
        for reviewer, author in zip(rows[fits].tolist(), authors[fits].tolist(), strict=True):
            self._add(reviewer, author)
        couples = table.couples
        met = np.unique(couples.met.keys) if couples.never_again else NO_KEYS
        candidates = Candidates(couples, np.arange(people, dtype=np.int64), met)

        @lru_cache(maxsize=REMEMBERED // max(1, people))
        def partners(person: int) -> Places:
            return np.array(candidates.partners(person), dtype=np.int64)

        self.partners = partners

    def _add(self, reviewer: int, author: int) -> None:
        self.given[reviewer][author] = None
        self.taken[author][reviewer] = None

    def table(self) -> Places:
        """The reviews as a table again."""
        listed = [(reviewer, author) for reviewer, several in enumerate(self.given) for author in several]
        return as_table(len(self.given), self.k, *np.array(listed, dtype=np.int64).reshape(-1, 2).T)

    def fill(self) -> Cut | None:
        """Add reviews until there cannot be more; if someone has too few, the cut that shows why."""
        reached, closed = bytearray(len(self.given)), bytearray(len(self.given))
        for start in range(len(self.given)):
            while len(self.given[start]) < self.k and not reached[start]:
                self._chain(start, reached, closed, None)
        reviewers, authors = (np.flatnonzero(np.frombuffer(side, dtype=np.uint8)) for side in (reached, closed))
        return (reviewers, authors) if len(reviewers) else None

    def _chain(self, start: int, reached: bytearray, closed: bytearray, many: int | None) -> None:
        """Give `start` one more review at the end of a chain: a new one, or one of someone who has `many` or more.

        If there is none, everyone on the way is marked: no later chain leads out of them.
        """
        seen, seen_authors = bytearray(reached), bytearray(closed)
        seen[start] = True
        asks: dict[int, int] = {}
        gives_up: dict[int, int] = {}
        queue = [start]
        for reviewer in queue:
            partners = self.partners(reviewer)
            unseen = partners[np.frombuffer(seen_authors, dtype=np.uint8)[partners] == 0].tolist()
            new = [author for author in unseen if author not in self.given[reviewer]]
            needy = [author for author in new if len(self.taken[author]) < self.k] if many is None else []
            if needy:
                end = min(needy, key=lambda author: len(self.taken[author]))
                return self._hand_over(start, reviewer, end, asks, gives_up)
            # Everyone begins elsewhere: the first authors are those whose reviewers gave up first.
            turn = start % max(1, len(new))
            for author in new[turn:] + new[:turn]:
                seen_authors[author] = True
                asks[author] = reviewer
                for rival in self.taken[author]:
                    if seen[rival]:
                        continue
                    seen[rival] = True
                    gives_up[rival] = author
                    if many is not None and len(self.given[rival]) >= many:
                        del self.given[rival][author], self.taken[author][rival]
                        return self._hand_over(start, reviewer, author, asks, gives_up)
                    queue.append(rival)
        reached[:], closed[:] = seen, seen_authors
        return None

    def _hand_over(
        self, start: int, reviewer: int, author: int, asks: dict[int, int], gives_up: dict[int, int]
    ) -> None:
        self._add(reviewer, author)
        while reviewer != start:
            author = gives_up[reviewer]
            del self.given[reviewer][author], self.taken[author][reviewer]
            reviewer = asks[author]
            self._add(reviewer, author)

    def even_out(self) -> None:
        """Where not everyone can have k: nobody does two reviews more than someone who could do one of them.

        Then the same for the reviews that people get.
        """
        for _ in range(2):
            stuck, closed = bytearray(len(self.given)), bytearray(len(self.given))
            for few in range(self.k - 1):
                for start in range(len(self.given)):
                    if len(self.given[start]) == few and not stuck[start]:
                        self._chain(start, stuck, closed, few + 2)
            self.given, self.taken = self.taken, self.given
