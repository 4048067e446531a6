"""What people offer and what they need, as bits that can be held against each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, People, Places, Points

Answers = TypeVar("Answers", Bools, Points)

WORDS_AT_ONCE: Final = 1 << 22
"""How many words of 64 names are compared at a time: 32 MB, however many names there are."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Two rows of bits a person, of what they offer and of what they need; bit b is the same subject in both."""

    offered: NDArray[np.uint64]
    needed: NDArray[np.uint64]

    @classmethod
    def of(cls, people: People, offers: str, needs: str) -> "Subjects":
        """The subjects that somebody offers and somebody needs; others can bring nobody together."""
        ids = people.ids.tolist()
        given, wanted = people.attributes.get(offers, {}), people.attributes.get(needs, {})
        supply = dict.fromkeys(sorted({subject for one in ids for subject in given.get(one) or ()}))
        demand = {subject for one in ids for subject in wanted.get(one) or ()}
        bit = {subject: number for number, subject in enumerate(subject for subject in supply if subject in demand)}
        return cls(_masks([given.get(one) for one in ids], bit), _masks([wanted.get(one) for one in ids], bit))

    def helps(self, one: Places, other: Places) -> Bools:
        """For each couple, whether the first offers something that the second needs."""

        def says(one: Places, other: Places) -> Bools:
            some: Bools = np.bitwise_or.reduce(self.offered[one] & self.needed[other], axis=-1) != 0
            return some

        return in_parts(self.offered.shape[1], one, other, says)


def in_parts(words: int, one: Places, other: Places, says: Callable[[Places, Places], Answers]) -> Answers:
    """What `says` answers for all couples, asked for so few at a time that rows of so many words fit in memory."""
    step = max(1, WORDS_AT_ONCE // words)
    if np.broadcast(one, other).size <= step:
        return says(one, other)
    one, other = np.broadcast_arrays(one, other)
    flat, against = one.reshape(-1), other.reshape(-1)
    parts = [says(flat[start : start + step], against[start : start + step]) for start in range(0, one.size, step)]
    return np.concatenate(parts).reshape(one.shape)


def _masks(found: list[Any], bit: dict[str, int]) -> NDArray[np.uint64]:
    masks = np.zeros((len(found), max(1, -(-len(bit) // 64))), dtype=np.uint64)
    for place, several in enumerate(found):
        for subject in several or ():
            if subject in bit:
                masks[place, bit[subject] // 64] |= np.uint64(1 << (bit[subject] % 64))
    return masks
