"""People as arrays: the form in which rules and wishes look at many couples at once.

A person is the place of their id among the sorted ids of the course. Columns are made when somebody first asks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Places: TypeAlias = NDArray[np.int64]
"""Places of people, 0 … n-1."""
Bools: TypeAlias = NDArray[np.bool_]
Points: TypeAlias = NDArray[np.int64]
Masks: TypeAlias = NDArray[np.uint64]

Column = TypeVar("Column")


@dataclass(frozen=True)
class People:
    """The people of a course in the order of their ids, and what is known of them."""

    listed: tuple[int, ...]
    attributes: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)
    _columns: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """Sorted ids; `ids[place]` is the person."""
        return np.array(sorted(self.listed), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.listed)

    def places(self, ids: Any) -> Places:
        """Where these ids stand; -1 for people who are not in the course."""
        wanted = np.asarray(ids, dtype=np.int64)
        if not len(self.ids):
            return np.full(wanted.shape, -1, dtype=np.int64)
        result = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[result] == wanted, result, -1)

    def known(self, attribute: str) -> Bools:
        """For each person, whether the attribute has a value; None is no value."""
        return self._column(attribute, _known)

    def codes(self, attribute: str) -> Points:
        """The attribute as one name a person: a number, the same for the same name. Any number where it is unknown."""
        return self._column(attribute, _codes)

    def numbers(self, attribute: str) -> Points:
        """The attribute as one whole number a person; 0 where it is unknown."""
        return self._column(attribute, _numbers)

    def masks(self, attribute: str) -> Masks:
        """The attribute as several names a person: name b is bit b % 64 of column b // 64. None where it is unknown."""
        return self._column(attribute, _masks)

    def kept(self, owner: object, make: Callable[[], Column]) -> Column:
        """What `make` gives for this owner (a rule), worked out once for these people. The owner is kept with it."""
        key = id(owner)
        if key not in self._columns or self._columns[key][0] is not owner:
            self._columns[key] = owner, make()
        column: Column = self._columns[key][1]
        return column

    def _column(self, attribute: str, make: Callable[[Sequence[Any]], Column]) -> Column:
        key = attribute, make
        if key not in self._columns:
            values = self.attributes.get(attribute, {})
            self._columns[key] = make([values.get(person) for person in self.ids.tolist()])
        column: Column = self._columns[key]
        return column


def _known(values: Sequence[Any]) -> Bools:
    return np.array([value is not None for value in values], dtype=np.bool_)


def _codes(values: Sequence[str | None]) -> Points:
    code = {name: number for number, name in enumerate(dict.fromkeys(values))}
    return np.array([code[name] for name in values], dtype=np.int64)


def _numbers(values: Sequence[int | None]) -> Points:
    return np.array([value or 0 for value in values], dtype=np.int64)


def _masks(values: Sequence[frozenset[str] | None]) -> Masks:
    bit = {name: number for number, name in enumerate(sorted({name for several in values for name in several or ()}))}
    masks = np.zeros((len(values), max(1, -(-len(bit) // 64))), dtype=np.uint64)
    for place, several in enumerate(values):
        for name in several or ():
            masks[place, bit[name] // 64] |= np.uint64(1 << (bit[name] % 64))
    return masks
