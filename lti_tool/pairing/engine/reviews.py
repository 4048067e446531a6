"""Who reviews whose work: k reviews done by everyone and k of everyone's work, wherever that is possible.

People are in a ring in an order that chance decides, and the j-th review of everyone goes a fixed number of places on.
Then two reviewers exchange authors wherever that is worth more, so the numbers never change: first reviews that a rule
forbids, then all reviewers in pairs, whole arrays at a time, then who reviews one another. Where rules leave too little
room, maximum flow finds as many reviews as there can be, and shows why there are no more.
"""

from dataclasses import replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Couples, Keys
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.errors import ImpossibleRequest, ImproverMissing, ListedTwice
from lti_tool.pairing.engine.matching import partner_lists
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.schedule import Reason, ReviewProof, Reviews, Short

NAME: Final = "tandem-reviews/2"

Authors: TypeAlias = NDArray[np.int64]
"""Whom everyone reviews, one reviewer in a row; NOBODY where a review is missing."""
NOBODY: Final = -1
SWEEPS: Final = 300
MORE_SWEEPS: Final = 30_000
"""Divided by the number of people: so many sweeps more, because they are cheap for few."""
PASSES: Final = 40
"""How often other reviews are drawn at random for those that are forbidden …"""
DRAWS: Final = 1 << 15
"""… so many at a time, but no more than …"""
DRAWS_EACH: Final = 4_096
"""… for each."""
LOOKS: Final = 512
"""With how many other reviews one of two people who review each other is compared."""
MOST_LOOKING: Final = 3_000
"""How many of those are compared, at most."""
SPARSE: Final = 20
"""If one couple of so many or fewer is allowed, reviews to exchange are drawn among those allowed …"""
SWEEPS_LISTED: Final = 150
"""… so often."""
REMEMBERED: Final = 4_000_000
"""How many allowed couples are remembered at most, over all people."""
FEW: Final = 1_000
"""Up to this many people the improver can look at every allowed couple."""


def reviews(course: Course, k: int, seed: int, *, improve: bool = False) -> Reviews:
    """k reviews done by everyone and k of everyone, exactly, if the rules leave room for that.

    Nobody reviews themselves or the same author twice, and every review keeps the rules; a rule that keeps a group
    apart (`Other`) makes it "not the own group". If there is no room for all, there are as many reviews as can be, they
    are spread evenly, and a proof says why. Then few review one another or someone they met, and wishes count. Shape,
    locks and rounds of the course play no part. The same course, k and seed give the same reviews. Raises
    ImpossibleRequest for k below 1 and people listed twice.

    With `improve`, minimum-cost flow by OR-tools takes the place of the exchanges for up to 1,000 people (raises
    ImproverMissing without it): the most points there are, as far as it does not matter who reviews one another.
    `make bench-pairing` measures the exchanges.
    """
    people = sorted(course.people)
    twice = tuple(one for one, other in pairwise(people) if one == other)
    if k < 1:
        raise ImpossibleRequest(k)
    if twice:
        raise ListedTwice(twice)
    couples = Couples(course)
    table = _Table(couples, np.random.default_rng([abs(seed), int(seed < 0)]), k)
    engine = f"{NAME}+min-cost-flow {_improver()}" if improve else NAME
    if improve and len(couples) <= FEW:
        table.solve_exactly()
    else:
        table.mend()
        table.exchange()
        # In place of two reviews of people who met, one that is forbidden may have come.
        table.mend()
    table.settle()
    cut = None
    if table.authors.shape[1] < k or table.are_broken():
        flow = _Flow(table)
        cut = flow.fill()
        if cut:
            flow.even_out()
        table.authors = flow.table()
        table.settle()
    table.exchange_listed()
    return replace(_answer(couples, k, table.authors, cut), course=course, seed=seed, engine=engine)


def _improver() -> str:
    try:
        return version("ortools")
    except PackageNotFoundError as missing:
        raise ImproverMissing from missing


def _answer(couples: Couples, k: int, authors: Authors, cut: "_Cut | None") -> Reviews:
    rows, columns = np.nonzero(authors != NOBODY)
    ids = couples.people.ids
    pairs = sorted(zip(ids[rows].tolist(), ids[authors[rows, columns]].tolist(), strict=True))
    done = np.bincount(rows, minlength=len(couples))
    received = np.bincount(authors[rows, columns], minlength=len(couples))
    short = tuple(
        Short(int(ids[place]), int(done[place]), int(received[place]), _reason(couples, place, int(done[place])))
        for place in np.flatnonzero((done < k) | (received < k)).tolist()
    )
    proof = None
    if cut:
        proof = ReviewProof(*(tuple(ids[list(side)].tolist()) for side in cut))
    return Reviews(tuple(pairs), short, proof, k=k)


def _reason(couples: Couples, person: int, done: int) -> Reason:
    if len(couples) < 2:
        return Reason.NOBODY_ELSE
    return Reason.TOO_FEW_PARTNERS if done or len(couples.partners(person)) else Reason.NOBODY_ALLOWED


# ---- exchanges -------------------------------------------------------------------------------------------------------


class _Table:
    """Who reviews whom, what each review is worth, and exchanges that make reviews worth more."""

    def __init__(self, couples: Couples, rng: np.random.Generator, k: int) -> None:
        self.couples, self.rng = couples, rng
        met = couples.people.places(np.array(couples.course.met, dtype=np.int64).reshape(-1, 2))
        met = met[(met >= 0).all(axis=1)]
        self.met = np.unique(couples.keys(met[:, 0], met[:, 1]))
        self.avoided: Keys = np.union1d(couples.banned, self.met)
        """Couples that a review should not be made of: forbidden one by one, or met before."""
        self.k = k
        self.authors = self._ring(min(k, max(0, len(couples) - 1)))

    def allowed(self, reviewer: Places, author: Places) -> Bools:
        """For each review, whether every rule allows it, "never again" included."""
        found = self.couples.allowed(reviewer, author)
        if self.couples.never_again:
            found = found & ~listed_in(self.met, self.couples.keys(reviewer, author))
        return found

    def worth(self, reviewer: Places, author: Places) -> Points:
        """The points of each review; far below 0 where it is forbidden or should not be."""
        found = self.couples.weigh(reviewer, author)
        found[listed_in(self.avoided, self.couples.keys(reviewer, author))] += self.couples.forbidden
        found[reviewer == author] += self.couples.forbidden
        return found

    def slots(self) -> tuple[Places, Places]:
        """All reviews that there are: rows and columns."""
        rows, columns = np.nonzero(self.authors != NOBODY)
        return rows, columns

    def are_broken(self) -> bool:
        """Whether a review is missing or forbidden."""
        return bool((self.authors == NOBODY).any()) or len(self._broken()[0]) > 0

    def _broken(self) -> tuple[Places, Places]:
        rows, columns = self.slots()
        bad = ~self.allowed(rows, self.authors[rows, columns])
        return rows[bad], columns[bad]

    def _ring(self, k: int) -> Authors:
        """Reviews along a ring, k for each and of each; as few as possible are of two people by one another."""
        people = len(self.couples)
        authors = np.empty((people, k), dtype=np.int64)
        if not k:
            return authors
        order = self.rng.permutation(people)
        steps: list[int] = []
        again: list[int] = []
        taken = np.zeros(people + 1, dtype=np.bool_)
        for step in (self.rng.permutation(people - 1) + 1).tolist():
            (again if taken[people - step] or 2 * step == people else steps).append(step)
            taken[step] = True
            if len(steps) == k:
                break
        for column, step in enumerate((*steps, *again)[:k]):
            authors[order, column] = np.roll(order, -step)
        return authors

    def mend(self) -> None:
        """Exchange reviews that a rule forbids with others, drawn at random, that suit both."""
        for _ in range(PASSES):
            rows, columns = self._broken()
            if not len(rows):
                return
            draws = max(1, min(DRAWS_EACH, DRAWS // len(rows)))
            others, at = np.divmod(self.rng.integers(0, self.authors.size, (len(rows), draws)), self.authors.shape[1])
            mine = np.repeat(self.authors[rows, columns], draws).reshape(others.shape)
            me = np.repeat(rows, draws).reshape(others.shape)
            theirs = self.authors[others, at]
            fits = np.zeros(others.shape, dtype=np.bool_)
            unmet = self._unmet(me, theirs) & self._unmet(others, mine) & (theirs != NOBODY)
            fits[unmet] = self.allowed(me[unmet], theirs[unmet]) & self.allowed(others[unmet], mine[unmet])
            chosen = np.flatnonzero(fits.any(axis=1))
            first = fits[chosen].argmax(axis=1)
            self._exchange((rows[chosen], columns[chosen]), (others[chosen, first], at[chosen, first]))

    def _unmet(self, reviewer: Places, author: Places) -> Bools:
        unmet: Bools = (reviewer != author) & ~listed_in(self.avoided, self.couples.keys(reviewer, author))
        return unmet

    def _exchange(self, here: tuple[Places, Places], there: tuple[Places, Places]) -> None:
        """Exchange the authors of these reviews two by two, if no one gets an author twice."""
        # Everyone is in one exchange at a time, so that what is asked before all of them holds after all of them.
        people = np.concatenate([here[0], there[0]])
        is_first = np.zeros(len(people), dtype=np.bool_)
        is_first[np.unique(people, return_index=True)[1]] = True
        given, taken = self.authors[here], self.authors[there]
        fits = is_first.reshape(2, -1).all(axis=0)
        fits &= ~(self.authors[here[0]] == taken[:, None]).any(axis=1)
        fits &= ~(self.authors[there[0]] == given[:, None]).any(axis=1)
        self.authors[here[0][fits], here[1][fits]] = taken[fits]
        self.authors[there[0][fits], there[1][fits]] = given[fits]

    def exchange(self) -> None:
        """Let reviewers exchange authors, sweep after sweep, where both together gain."""
        course = self.couples.course
        people, k = self.authors.shape
        if people < 4 or not (course.rules or course.wishes or course.met):
            return
        columns = [np.ascontiguousarray(self.authors[:, column]) for column in range(k)]
        worths = [self.worth(np.arange(people), column) for column in columns]
        idle = 0
        # Each sweep costs k x k; who reviews very many has less to choose.
        for _ in range((SWEEPS + MORE_SWEEPS // max(people, 100)) // (1 + k // 10)):
            if all(int(worth.min()) >= self.couples.most for worth in worths):
                break  # every review is worth as much as any can be
            order = self.rng.permutation(people)
            idle += 1
            for number in range(k):
                # Another partner for the next column, from the same order.
                half = people // 2
                turned = np.roll(order, number * 7)
                if self._sweep(columns, number, worths[number], turned[:half], turned[half : 2 * half]):
                    idle = 0
            if idle > 2 * people:
                break  # nearly every two reviewers were beside each other since the last exchange
        for number, column in enumerate(columns):
            self.authors[:, number] = column

    def _sweep(self, columns: list[Places], number: int, worth: Points, one: Places, other: Places) -> bool:
        column = columns[number]
        mine, theirs = column[one], column[other]
        new_one, new_other = self.couples.weigh(one, theirs), self.couples.weigh(other, mine)
        better = np.flatnonzero(new_one + new_other > worth[one] + worth[other])
        one, other, mine, theirs = one[better], other[better], mine[better], theirs[better]
        fits = self._unmet(one, theirs) & self._unmet(other, mine)
        for third in columns:
            fits &= (third[one] != theirs) & (third[other] != mine)
        one, other = one[fits], other[fits]
        column[one], column[other] = theirs[fits], mine[fits]
        worth[one], worth[other] = new_one[better][fits], new_other[better][fits]
        return len(one) > 0

    def exchange_listed(self) -> None:
        """Exchange along allowed reviews, where so few are allowed that two reviewers by chance can hardly exchange.

        An allowed review is drawn; its reviewer gives up an author for it, whom a reviewer of the new author takes.
        """
        people, k = self.authors.shape
        listed = self.couples.sparse
        if not k or listed is None or not 0 < len(listed[0]) * 2 * SPARSE <= people * (people - 1):
            return
        reviewers, authors = np.concatenate(listed), np.concatenate(listed[::-1])
        for _ in range(SWEEPS_LISTED):
            drawn = self.rng.integers(0, len(reviewers), 4 * people)
            one, new, column = reviewers[drawn], authors[drawn], self.rng.integers(0, k, len(drawn))
            order = np.argsort(self.authors, axis=None, kind="stable")
            starts = np.searchsorted(self.authors.reshape(-1)[order], np.arange(people + 1))
            reviewed = np.diff(starts)[new]
            real = (reviewed > 0) & (self.authors[one, column] != NOBODY)
            one, new, column, reviewed = one[real], new[real], column[real], reviewed[real]
            other, at = np.divmod(order[starts[new] + self.rng.integers(0, reviewed)], k)
            old = self.authors[one, column]
            gain = self._value(one, new) + self._value(other, old) - self._value(one, old) - self._value(other, new)
            better = np.flatnonzero((gain > 0) & self.allowed(one, new) & self.allowed(other, old))
            self._exchange((one[better], column[better]), (other[better], at[better]))

    def settle(self) -> None:
        """Exchange reviews of two people by one another with the best of many others."""
        rows, columns = self.slots()
        found = self.authors[rows, columns]
        returned = (rows < found) & (self.authors[found] == rows[:, None]).any(axis=1)
        mutual = zip(rows[returned].tolist(), columns[returned].tolist(), strict=True)
        for row, column in list(mutual)[:MOST_LOOKING]:
            if (self.authors[self.authors[row, column]] == row).any():
                size = self.authors.size
                looks = self.rng.permutation(size) if size <= LOOKS else self.rng.integers(0, size, LOOKS)
                self._exchange_one(row, column, *np.divmod(looks, self.authors.shape[1]))

    def _exchange_one(self, row: int, column: int, others: Places, at: Places) -> None:
        authors, author = self.authors, int(self.authors[row, column])
        theirs = authors[others, at]
        fits = (others != row) & (others != author) & (theirs != row) & (theirs != author) & (theirs != NOBODY)
        fits &= ~(authors[row] == theirs[:, None]).any(axis=1) & ~(authors[others] == author).any(axis=1)
        others, at, theirs = others[fits], at[fits], theirs[fits]
        me, mine = np.full(len(others), row), np.full(len(others), author)
        fits = self.allowed(me, theirs) & self.allowed(others, mine)
        others, at, theirs, me, mine = others[fits], at[fits], theirs[fits], me[fits], mine[fits]
        if not len(others):
            return
        gain = self._value(me, theirs) + self._value(others, mine) - self._value(me, mine) - self._value(others, theirs)
        best = int(gain.argmax())
        if gain[best] > 0:
            authors[row, column], authors[others[best], at[best]] = theirs[best], author

    def _value(self, reviewer: Places, author: Places) -> Points:
        """What a review is worth, less as much as any couple can be worth if the author reviews the reviewer."""
        returned = (self.authors[author] == reviewer[:, None]).any(axis=1)
        found: Points = self.worth(reviewer, author) - (self.couples.most + 1) * returned
        return found

    def solve_exactly(self) -> None:
        """As many reviews as there can be, and of those the ones with the most points: minimum-cost flow."""
        from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - an extra

        people, k = self.authors.shape
        if not people or not k:
            return
        reviewer, author = np.divmod(np.arange(people * people, dtype=np.int64), people)
        fits = self.allowed(reviewer, author)
        reviewer, author = reviewer[fits], author[fits]
        everyone = np.arange(people, dtype=np.int64)
        source, sink = np.full(people, 2 * people), np.full(people, 2 * people + 1)
        flow = min_cost_flow.SimpleMinCostFlow()
        arcs = flow.add_arcs_with_capacity_and_unit_cost(
            np.concatenate([reviewer, source, everyone + people]),
            np.concatenate([author + people, everyone, sink]),
            np.concatenate([np.ones(len(reviewer), dtype=np.int64), np.full(2 * people, k)]),
            np.concatenate([-self.worth(reviewer, author), np.zeros(2 * people, dtype=np.int64)]),
        )
        flow.set_nodes_supplies(np.array([2 * people, 2 * people + 1]), np.array([people * k, -people * k]))
        status = flow.solve_max_flow_with_min_cost()
        if status != flow.OPTIMAL:
            raise RuntimeError(status)
        chosen = np.flatnonzero(flow.flows(arcs)[: len(reviewer)] > 0)
        lists: list[list[int]] = [[] for _ in range(people)]
        for who, whom in zip(reviewer[chosen].tolist(), author[chosen].tolist(), strict=True):
            lists[who].append(whom)
        self.authors = np.array([row + [NOBODY] * (k - len(row)) for row in lists], dtype=np.int64)


# ---- as many reviews as there can be ---------------------------------------------------------------------------------

_Cut: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""Why there cannot be more: these reviewers have only these authors, and few couples beside."""


class _Flow:
    """Maximum flow (Ford and Fulkerson 1956) from the reviews of a table that no rule forbids.

    Someone who has a review too few takes an author; if that author has enough, one of their reviewers gives them up
    and looks on, until an author is found who has too few. When no such chain is left, those reached show why.
    """

    def __init__(self, table: _Table) -> None:
        self.reviews, self.k = table, table.k
        people = len(table.couples)
        # Dictionaries, because they keep the order in which reviews came.
        self.given: list[dict[int, None]] = [{} for _ in range(people)]
        """Whom everyone reviews."""
        self.taken: list[dict[int, None]] = [{} for _ in range(people)]
        """By whom everyone is reviewed."""
        self._rows: dict[int, Places] = {}
        self._room = REMEMBERED
        rows, columns = table.slots()
        authors = table.authors[rows, columns]
        fits = table.allowed(rows, authors)
        for reviewer, author in zip(rows[fits].tolist(), authors[fits].tolist(), strict=True):
            self._add(reviewer, author)

    def _add(self, reviewer: int, author: int) -> None:
        self.given[reviewer][author] = None
        self.taken[author][reviewer] = None

    def table(self) -> Authors:
        """The reviews as a table again."""
        authors = np.full((len(self.given), self.k), NOBODY, dtype=np.int64)
        for reviewer, several in enumerate(self.given):
            authors[reviewer, : len(several)] = list(several)
        return authors

    @cached_property
    def _listed(self) -> list[list[int]] | None:
        """Everyone's partners, where so few couples are allowed that they can be listed."""
        sparse = self.reviews.couples.sparse
        if sparse is None:
            return None
        fits = self.reviews.allowed(*sparse)
        return partner_lists(len(self.given), sparse[0][fits], sparse[1][fits])

    def _new_authors(self, reviewer: int, seen: bytearray) -> list[int]:
        """Whom this person may review, does not, and nobody on the way here asked for."""
        own = self.given[reviewer]
        if self._listed is not None:
            return [author for author in self._listed[reviewer] if not seen[author] and author not in own]
        partners = self._partners(reviewer)
        new = partners[np.frombuffer(seen, dtype=np.uint8)[partners] == 0]
        return [author for author in new.tolist() if author not in own]

    def _partners(self, person: int) -> Places:
        found = self._rows.get(person)
        if found is None:
            everyone = np.arange(len(self.given), dtype=np.int64)
            found = everyone[self.reviews.allowed(np.full(len(everyone), person, dtype=np.int64), everyone)]
            if len(found) <= self._room:
                self._rows[person], self._room = found, self._room - len(found)
        return found

    def fill(self) -> "_Cut | None":
        """Add reviews until there cannot be more; if someone has too few, the cut that shows why."""
        reached, closed = bytearray(len(self.given)), bytearray(len(self.given))
        for start in range(len(self.given)):
            while len(self.given[start]) < self.k and not reached[start]:
                self._chain(start, reached, closed, None)
        if not any(reached):
            return None
        reviewers, authors = (tuple(at for at, mark in enumerate(side) if mark) for side in (reached, closed))
        return reviewers, authors

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
            new = self._new_authors(reviewer, seen_authors)
            if many is None:
                needy = [author for author in new if len(self.taken[author]) < self.k]
                if needy:
                    end = min(needy, key=lambda author: len(self.taken[author]))
                    self._hand_over(start, reviewer, end, asks, gives_up)
                    return
            # Everyone begins elsewhere: the first authors are those whose reviewers gave up first.
            turn = start % max(1, len(new))
            for author in new[turn:] + new[:turn]:
                seen_authors[author] = True
                asks[author] = reviewer
                for other in self.taken[author]:
                    if seen[other]:
                        continue
                    seen[other] = True
                    gives_up[other] = author
                    if many is not None and len(self.given[other]) >= many:
                        del self.given[other][author], self.taken[author][other]
                        self._hand_over(start, reviewer, author, asks, gives_up)
                        return
                    queue.append(other)
        reached[:], closed[:] = seen, seen_authors

    def _hand_over(
        self, start: int, reviewer: int, author: int, asks: dict[int, int], gives_up: dict[int, int]
    ) -> None:
        while True:
            self._add(reviewer, author)
            if reviewer == start:
                return
            author = gives_up[reviewer]
            del self.given[reviewer][author], self.taken[author][reviewer]
            reviewer = asks[author]

    def even_out(self) -> None:
        """Where not everyone can have k: nobody does two reviews more than someone who could do one of them.

        Then the same for the reviews that people get.
        """
        self._even_out_given()
        self.given, self.taken = self.taken, self.given
        self._even_out_given()
        self.given, self.taken = self.taken, self.given

    def _even_out_given(self) -> None:
        stuck, closed = bytearray(len(self.given)), bytearray(len(self.given))
        for few in range(self.k - 1):
            for start in range(len(self.given)):
                if len(self.given[start]) == few and not stuck[start]:
                    self._chain(start, stuck, closed, few + 2)
