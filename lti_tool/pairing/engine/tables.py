"""Rules and wishes by value, worked out once for every two values that occur.

Two people with the same values are alike to a rule by value. So a small table over the values that occur answers for
any number of couples with one look-up, and it fits the processor's cache. Tables are joined while they stay small.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import People, Places
from lti_tool.pairing.engine.rules import RuleByValue
from lti_tool.pairing.engine.wishes import Wish

Cells = NDArray[np.integer[Any]]

ENTRIES: Final = 1 << 20
"""How large a table may grow. A table of 16-bit numbers of this size still stays in a usual second-level cache."""
AT_ONCE: Final = 1 << 18
"""How many couples of values are worked out in one step; bounds memory."""


@dataclass(frozen=True, slots=True)
class Table:
    """The points of couples by the codes of the two people: `cells[codes[one] * width + codes[other]]`.

    A couple that a rule forbids has less than `-most`, where `most` is what all wishes together can give. Cells are so
    wide that the sums of several tables for several couples can be added in them.
    """

    codes: Places
    width: int
    cells: Cells


def codes_of(ids: Sequence[int], attributes: Iterable[Mapping[int, Any]]) -> tuple[Places, Places]:
    """A code for every person, the same for people with the same values, and the place of the first of each code.

    Codes are counted in the order of first appearance. A person who is missing from an attribute is unlike one whose
    value is None.
    """
    columns = [[values.get(one, _UNKNOWN) for one in ids] for values in attributes]
    values: list[Any] = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
    number = {value: code for code, value in enumerate(dict.fromkeys(values))}
    codes = np.fromiter((number[value] for value in values), dtype=np.int64, count=len(values))
    return codes, np.unique(codes, return_index=True)[1].astype(np.int64)


class _Unknown:
    """Stands for no value. It is equal to itself alone."""


_UNKNOWN: Final = _Unknown()


def tabulate(
    people: People, rules: Sequence[RuleByValue], wishes: Sequence[Wish], forbidden: int
) -> tuple[list[Table], list[RuleByValue], list[Wish]]:
    """Tables for the rules and wishes, and those of both whose values are too many for a table."""
    together: defaultdict[tuple[str, ...], tuple[list[RuleByValue], list[Wish]]] = defaultdict(lambda: ([], []))
    for rule in rules:
        together[rule.reads][0].append(rule)
    for wish in wishes:
        together[getattr(wish, "reads", (wish.attribute,))][1].append(wish)
    ids = people.ids.tolist()
    tables: list[Table] = []
    large_rules: list[RuleByValue] = []
    large_wishes: list[Wish] = []
    for reads in sorted(together):
        judged, wished = together[reads]
        codes, first = codes_of(ids, [people.attributes.get(name, {}) for name in reads])
        if len(first) ** 2 > ENTRIES:
            large_rules += judged
            large_wishes += wished
        else:
            few = People(tuple(people.ids[first].tolist()), people.attributes)
            tables.append(_without_doubles(Table(codes, len(first), _cells(few, judged, wished, forbidden))))
    joined = _joined(tables)
    least = 4 * forbidden * (len(joined) + 1)
    kind = np.int16 if least > -(1 << 15) else np.int32 if least > -(1 << 31) else np.int64
    narrow = [Table(table.codes, table.width, table.cells.astype(kind)) for table in joined]
    return narrow, large_rules, large_wishes


def _cells(few: People, rules: Sequence[RuleByValue], wishes: Sequence[Wish], forbidden: int) -> Cells:
    cells = np.zeros(len(few) ** 2, dtype=np.int64)
    for some, one, other in _grid(len(few)):
        for wish in wishes:
            cells[some] += wish.points(few, one, other)
        for rule in rules:
            cells[some][~rule.allows(few, one, other)] = forbidden
    return cells


def _grid(width: int) -> Iterator[tuple[slice, Places, Places]]:
    """All couples of codes, a few rows at a time, with where they stand in the table."""
    rows = max(1, AT_ONCE // max(width, 1))
    for start in range(0, width, rows):
        some = np.arange(start, min(start + rows, width), dtype=np.int64)
        every = np.arange(width, dtype=np.int64)
        yield slice(start * width, int(some[-1] + 1) * width), np.repeat(some, width), np.tile(every, len(some))


def _without_doubles(table: Table) -> Table:
    """Codes that are alike to everybody become one."""
    if not table.width:
        return table
    square = np.ascontiguousarray(table.cells.reshape(table.width, table.width))
    rows = square.view(np.dtype((np.void, square.dtype.itemsize * table.width))).ravel()
    _, first, code = np.unique(rows, return_index=True, return_inverse=True)
    if len(first) == table.width:
        return table
    return Table(code.ravel().astype(np.int64)[table.codes], len(first), square[np.ix_(first, first)].ravel())


def _joined(tables: list[Table]) -> list[Table]:
    """Fewer tables that say the same: the smallest two become one as long as that is small enough."""
    tables = sorted(tables, key=_width)
    while len(tables) > 1:
        one, other = tables[:2]
        pairs, first, codes = np.unique(one.codes * other.width + other.codes, return_index=True, return_inverse=True)
        if len(pairs) ** 2 > ENTRIES:
            break
        left, right = one.codes[first], other.codes[first]
        cells = one.cells.reshape(one.width, one.width)[np.ix_(left, left)]
        cells = cells + other.cells.reshape(other.width, other.width)[np.ix_(right, right)]
        joint = _without_doubles(Table(codes.ravel().astype(np.int64), len(pairs), cells.ravel()))
        tables = sorted([joint, *tables[2:]], key=_width)
    return tables


def _width(table: Table) -> int:
    return table.width
