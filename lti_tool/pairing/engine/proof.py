"""Why no one more could be paired, and whom that concerns.

In a largest matching, those who could be freed fall into parts of odd size between which nobody may meet, and only the
people of the barrier link them to the rest (Gallai 1964, Edmonds 1965). There are more parts than people in the
barrier, so as many stay unpaired, whatever one does (Tutte 1947, Berge 1958).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.couples import NO_KEYS, Couples, Keys
from lti_tool.pairing.engine.matching import INNER, Candidates, Forest
from lti_tool.pairing.engine.people import Places


class NotLargest(ValueError):
    """The matching can be made larger, so there is no barrier for it."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Some people, and the only ones outside of whom they need: places in the course, sorted.

    Each of the `parts` has an odd size and nobody of it may meet someone of another part, so at least one person of
    each part needs someone of `partners`. There are more parts than partners. With parts of one person each: "these 6
    people are the only possible partners of these 10".
    """

    parts: tuple[tuple[int, ...], ...]
    partners: tuple[int, ...]

    @property
    def needing(self) -> tuple[int, ...]:
        """Everyone of all parts."""
        return tuple(sorted(person for part in self.parts for person in part))

    @property
    def lacking(self) -> int:
        """How many of them stay without a partner at least."""
        return len(self.parts) - len(self.partners)


def barrier(couples: Couples, who: Places, partner: Places, banned: Keys = NO_KEYS) -> Places:
    """Sorted places of people such that, without them, the others of `who` fall apart as a `Proof` says.

    The number of parts of odd size less the number of people in the barrier is the number of `who` without a partner.
    Arguments as in `cover`, whose answer `partner` is. Raises NotLargest if `partner` is no largest matching.
    """
    forest = Forest(Candidates(couples, np.unique(who).astype(np.int64), banned), partner)
    if forest.grow(forest.alone()):
        raise NotLargest(len(forest.alone()))
    return np.array(forest.of_state(INNER), dtype=np.int64)


def odd_parts(
    couples: Couples, barrier: Places, banned: Keys = NO_KEYS, *, who: Places | None = None
) -> tuple[Shortage, ...]:
    """What a barrier says, cut into shortages that have nothing to do with each other, the smallest first.

    `who`: everyone whom the proof is about (default: the whole course). Pieces that lack nobody are not named.
    """
    everyone = np.arange(len(couples), dtype=np.int64) if who is None else np.unique(who).astype(np.int64)
    candidates = Candidates(couples, everyone, banned)
    parts = [part for part in _connected(candidates, np.setdiff1d(everyone, barrier)) if len(part) % 2]
    pieces = _linked(candidates, parts, np.intersect1d(everyone, barrier))
    return tuple(
        sorted((piece for piece in pieces if piece.lacking > 0), key=lambda one: (len(one.needing), one.parts))
    )


def _partners(candidates: Candidates, person: int, among: Places) -> Places:
    found: Places = among[candidates.allowed(np.full(len(among), person, dtype=np.int64), among)]
    return found


def _connected(candidates: Candidates, who: Places) -> list[list[int]]:
    """People between whom a chain of possible couples runs; sorted, in the order of their first person."""
    unreached = who
    found = []
    while len(unreached):
        waiting, unreached = [int(unreached[0])], unreached[1:]
        part = []
        while waiting:
            here = waiting.pop()
            part.append(here)
            reached = _partners(candidates, here, unreached)
            waiting += reached.tolist()
            unreached = np.setdiff1d(unreached, reached, assume_unique=True)
        found.append(sorted(part))
    return found


def _linked(candidates: Candidates, parts: Sequence[Sequence[int]], barrier: Places) -> list[Shortage]:
    """The parts in groups that have a possible partner of the barrier in common."""
    part_of = {person: number for number, part in enumerate(parts) for person in part}
    unreached, needed = np.array(sorted(part_of), dtype=np.int64), barrier
    found = []
    while len(unreached):
        waiting, reached, partners = [part_of[int(unreached[0])]], list[int](), list[int]()
        while waiting:
            number = waiting.pop()
            if number in reached:
                continue
            reached.append(number)
            unreached = np.setdiff1d(unreached, parts[number])
            for person in parts[number]:
                near = _partners(candidates, person, needed)
                needed = np.setdiff1d(needed, near, assume_unique=True)
                partners += near.tolist()
                for one in near.tolist():
                    waiting += sorted({part_of[place] for place in _partners(candidates, one, unreached).tolist()})
        found.append(Shortage(tuple(sorted(tuple(parts[part]) for part in reached)), tuple(sorted(partners))))
    return found
