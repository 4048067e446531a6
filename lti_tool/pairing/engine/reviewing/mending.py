"""Reviews that rules forbid, exchanged many at once with reviews that suit them.

Where one group is half of the course, every review inside it needs a review among the others to exchange with, and in
the end there are few of those: two reviewers by chance hardly ever meet. People with the same values are alike to rules
by value, so what suits one forbidden review suits all of its kind, and is looked up among all reviews in one step.
"""

from typing import Final

import numpy as np

from lti_tool.pairing.engine.rules import couple_keys as keys
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.people import Bools, Places
from lti_tool.pairing.engine.reviewing.allocating import MANY, NOBODY, Allocation, Authors

PASSES: Final = 40
KINDS: Final = 64
"""Of more kinds, too few reviews are alike for this to be of use."""
EACH: Final = 500
"""So few forbidden reviews that what suits can be looked up for each by itself."""


def mend(allocation: Allocation, authors: Authors) -> None:
    """Exchange reviews that a rule forbids until none is left or no exchange was found. Changes `authors`.

    There are never more forbidden reviews than before, and nobody gets an author twice, or one whom they met. Where
    there are more than 500 forbidden reviews of more than 64 kinds nothing is done. Work: for each kind some passes
    over all reviews. Measured with one group of half of the course: 7 passes for 10,000 people, three reviews each.
    """
    couples = allocation.couples
    values = _values(couples)
    is_told = not couples.other_rules
    for _ in range(PASSES):
        rows, columns = allocation.broken(authors)
        if not len(rows):
            return
        is_few = len(rows) <= EACH and len(rows) * MANY < authors.size
        # Tables may not tell everything: then people are alike only to some of the rules.
        if is_few and not is_told and _mend_each(allocation, authors, rows, columns):
            continue
        kinds = np.unique(values[rows] * len(couples) + values[authors[rows, columns]], return_inverse=True)[1]
        if _mend_kinds(allocation, authors, (rows, columns), kinds.reshape(-1)):
            continue
        if not is_few:
            return
        # The last ones may not suit one another: they would give somebody the same author twice.
        _move(allocation, authors, rows, columns)


def _mend_kinds(allocation: Allocation, authors: Authors, slots: tuple[Places, Places], kinds: Places) -> bool:
    """Whether anything was exchanged."""
    sizes = np.bincount(kinds)
    if len(sizes) > KINDS:
        return False
    rows, columns = slots
    old = authors[slots]
    is_changed = False
    for kind in np.argsort(-sizes, kind="stable").tolist():
        # Some may have been exchanged in the meantime, for one of another kind.
        alike = np.flatnonzero((kinds == kind) & (authors[slots] == old))
        if len(alike):
            one, author = int(rows[alike[0]]), int(old[alike[0]])
            suiting = _by_tables(allocation.couples, one), _by_tables(allocation.couples, author)
            is_changed |= _exchange(allocation, authors, (rows[alike], columns[alike]), suiting)
    return is_changed


def _mend_each(allocation: Allocation, authors: Authors, rows: Places, columns: Places) -> bool:
    """Whether anything was exchanged."""
    is_changed = False
    for row, column, author in zip(rows.tolist(), columns.tolist(), authors[rows, columns].tolist(), strict=True):
        if authors[row, column] == author:
            suiting = _by_everything(allocation, row), _by_everything(allocation, author)
            suiting[0][authors[row]] = False
            suiting[1][(authors == author).any(axis=1)] = False
            is_changed |= _exchange(allocation, authors, (np.array([row]), np.array([column])), suiting)
    return is_changed


def _move(allocation: Allocation, authors: Authors, rows: Places, columns: Places) -> None:
    """Make other forbidden reviews of them, of which the reviewer or the author is another, at random."""
    anybody = np.ones(len(authors), dtype=np.bool_)
    _exchange(allocation, authors, (rows, columns), (anybody, anybody), is_for_both=False)


def _exchange(
    allocation: Allocation,
    authors: Authors,
    slots: tuple[Places, Places],
    suiting: tuple[Bools, Bools],
    *,
    is_for_both: bool = True,
) -> bool:
    """Exchange these with reviews whose author and whose reviewer suit. Whether anything was exchanged.

    Both new reviews are allowed, or else at least one.
    """
    rng = allocation.rng
    as_author, as_reviewer = suiting
    others = np.flatnonzero(as_author[authors] & as_reviewer[:, None] & (authors != NOBODY))
    chosen = rng.permutation(others)[: len(slots[0])]
    mine = rng.permutation(len(slots[0]))[: len(chosen)]
    here, there = (slots[0][mine], slots[1][mine]), np.divmod(chosen, authors.shape[1])
    # Everybody is in one exchange at a time, so that what is asked before all of them holds after all of them.
    fits = _first(np.concatenate([here[0], there[0]])).reshape(2, -1).all(axis=0)
    (one, _), (other, _) = here, there
    given, taken = authors[here], authors[there]
    fits &= ~(authors[one] == taken[:, None]).any(axis=1) & ~(authors[other] == given[:, None]).any(axis=1)
    first, second = allocation.allowed(one, taken), allocation.allowed(other, given)
    fits &= first & second if is_for_both else first | second
    fits &= _unmet(allocation, one, taken) & _unmet(allocation, other, given)
    authors[one[fits], here[1][fits]] = taken[fits]
    authors[other[fits], there[1][fits]] = given[fits]
    return bool(fits.any())


def _first(people: Places) -> Bools:
    """For each, whether it is the first time that this person is there."""
    found = np.zeros(len(people), dtype=np.bool_)
    found[np.unique(people, return_index=True)[1]] = True
    return found


def _unmet(allocation: Allocation, reviewer: Places, author: Places) -> Bools:
    return ~listed_in(allocation.avoided, keys(reviewer, author, len(allocation.couples)))


def _by_everything(allocation: Allocation, person: int) -> Bools:
    """For everybody, whether they may and should work with this person."""
    everybody = np.arange(len(allocation.couples), dtype=np.int64)
    same = np.full(len(everybody), person, dtype=np.int64)
    return allocation.allowed(same, everybody) & _unmet(allocation, same, everybody)


def _by_tables(couples: Couples, person: int) -> Bools:
    """For everybody, whether rules in tables allow them with this person."""
    weight = np.zeros(len(couples), dtype=np.int64)
    for table in couples.tables:
        weight += table.cells[int(table.codes[person]) * table.width + table.codes]
    return weight >= 0


def _values(couples: Couples) -> Places:
    """A number for everybody, the same for people whom the tables do not tell apart."""
    found = np.zeros(len(couples), dtype=np.int64)
    for table in couples.tables:
        found = np.unique(found * table.width + table.codes, return_inverse=True)[1].reshape(-1)
    return found
