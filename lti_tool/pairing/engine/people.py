"""People as arrays: the form in which rules and wishes look at many couples at once.

A person is the place of their id among the sorted ids of the course. Columns are made when somebody first asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Places: TypeAlias = NDArray[np.int64]
"""Places of people, 0 … n-1."""
Bools: TypeAlias = NDArray[np.bool_]
Points: TypeAlias = NDArray[np.int64]

Column = TypeVar("Column")


@dataclass(frozen=True, slots=True)
class Names:
    """One name a person: a department. `codes` count the distinct names in their sorted order; -1 is unknown."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def known(self) -> Bools:
        return self.codes >= 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """One whole number a person: experience. `values` is 0 where it is not known."""

    values: NDArray[np.int64]
    known: Bools


@dataclass(frozen=True, slots=True)
class Sets:
    """Several names a person: languages. Bit b % 64 of `masks[:, b // 64]` is name b; empty where it is not known."""

    masks: NDArray[np.uint64]
    names: tuple[str, ...]
    known: Bools

    def shared(self, first: Places, second: Places) -> Points:
        """How many names each couple has in common."""
        shared: Points = np.bitwise_count(self.masks[first] & self.masks[second]).sum(axis=-1, dtype=np.int64)
        return shared


@dataclass(frozen=True)
class People:
    """The people of a course in the order of their ids, and what is known of them."""

    listed: tuple[int, ...]
    attributes: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)
    _columns: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

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

    def names(self, attribute: str) -> Names:
        """The attribute as one name a person."""
        return self._column("names", attribute, self._as_names)

    def numbers(self, attribute: str) -> Numbers:
        """The attribute as one whole number a person."""
        return self._column("numbers", attribute, self._as_numbers)

    def sets(self, attribute: str) -> Sets:
        """The attribute as several names a person."""
        return self._column("sets", attribute, self._as_sets)

    def kept(self, owner: object, make: Callable[[], Column]) -> Column:
        """What `make` gives for this owner (a rule), worked out once for these people. The owner is kept with it."""
        key = f"kept:{id(owner)}"
        if key not in self._columns or self._columns[key][0] is not owner:
            self._columns[key] = owner, make()
        column: Column = self._columns[key][1]
        return column

    def _column(self, form: str, attribute: str, make: Callable[[Mapping[int, Any]], Column]) -> Column:
        key = f"{form}:{attribute}"
        if key not in self._columns:
            self._columns[key] = make(self.attributes.get(attribute, {}))
        column: Column = self._columns[key]
        return column

    def _as_names(self, values: Mapping[int, str | None]) -> Names:
        result = [values.get(person) for person in self.ids.tolist()]
        names = tuple(sorted({name for name in result if name is not None}))
        code = {name: number for number, name in enumerate(names)}
        return Names(np.array([-1 if name is None else code[name] for name in result], dtype=np.int64), names)

    def _as_numbers(self, values: Mapping[int, int | None]) -> Numbers:
        result = [values.get(person) for person in self.ids.tolist()]
        known = np.array([value is not None for value in result], dtype=np.bool_)
        return Numbers(np.array([value or 0 for value in result], dtype=np.int64), known)

    def _as_sets(self, values: Mapping[int, frozenset[str] | None]) -> Sets:
        result = [values.get(person) for person in self.ids.tolist()]
        names = tuple(sorted({name for several in result if several for name in several}))
        bit = {name: number for number, name in enumerate(names)}
        masks = np.zeros((len(result), max(1, -(-len(names) // 64))), dtype=np.uint64)
        for place, several in enumerate(result):
            for name in several or ():
                masks[place, bit[name] // 64] |= np.uint64(1 << (bit[name] % 64))
        return Sets(masks, names, np.array([several is not None for several in result], dtype=np.bool_))
