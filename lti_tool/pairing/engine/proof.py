"""Why no one more could be paired, and whom that concerns.

In a largest matching, those who could be freed fall into parts of odd size between which nobody may meet, and only the
people of the barrier link them to the rest (Gallai 1964, Edmonds 1965). There are more parts than people in the
barrier, so as many stay unpaired, whatever one does (Tutte 1947, Berge 1958).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.couples import NO_KEYS, Couples, Keys
from lti_tool.pairing.engine.matching import INNER, Candidates, Forest
from lti_tool.pairing.engine.people import Bools, Places
from lti_tool.pairing.engine.problem import Group


class NotLargest(ValueError):
    """The matching can be made larger, so there is no barrier for it."""


@dataclass(frozen=True, slots=True)
class Needed:
    """These `partners` are the only possible partners of all those `needing` one, outside of their own part."""

    needing: Group
    parts: tuple[Group, ...]
    """Those needing a partner, in parts of an odd number between which no one may meet. Mostly of one person each.
    There are more parts than partners, so some people stay without a partner, whatever one does."""
    partners: Group


def barrier(couples: Couples, who: Places, partner: Places, banned: Keys = NO_KEYS) -> Places:
    """Sorted places of people such that, without them, the others of `who` fall apart as a `Proof` says.

    The number of parts of odd size less the number of people in the barrier is the number of `who` without a partner.
    `partner`: for each place the partner or -1. Raises NotLargest if that is no largest matching.
    """
    forest = Forest(Candidates(couples, np.unique(who).astype(np.int64), banned), partner)
    if forest.grow(forest.alone()):
        raise NotLargest(len(forest.alone()))
    return np.array(forest.of_state(INNER), dtype=np.int64)


def shortages(couples: Couples, barrier: Places, banned: Keys, who: Places) -> tuple[Needed, ...]:
    """What a barrier says, cut into pieces that have nothing to do with each other, the smallest first.

    `who`: everyone whom the proof is about, the barrier among them. Pieces that lack nobody are not named.
    """
    candidates = Candidates(couples, who, banned)
    pieces: list[tuple[list[Group], set[int]]] = []
    isolated: list[tuple[list[Group], set[int]]] = []
    for part in _connected(candidates, np.setdiff1d(who, barrier)):
        if len(part) % 2:
            needed = barrier
            for person in part:
                needed = needed[~_may(candidates, person, needed)]
            near = set(barrier.tolist()) - set(needed.tolist())
            if not near:
                isolated.append(([part], near))
                continue
            linked = [piece for piece in pieces if not near.isdisjoint(piece[1])]
            pieces = [piece for piece in pieces if near.isdisjoint(piece[1])]
            parts = [part, *(known for piece in linked for known in piece[0])]
            pieces.append((parts, near.union(*(piece[1] for piece in linked))))
    short = [
        (sorted(parts), sorted(partners)) for parts, partners in (*isolated, *pieces) if len(parts) > len(partners)
    ]

    def ids(places: Places | Group | list[int]) -> Group:
        return tuple(couples.people.ids[list(places)].tolist())

    return tuple(
        Needed(ids(sorted(person for part in parts for person in part)), tuple(map(ids, parts)), ids(partners))
        for parts, partners in sorted(short, key=lambda piece: (sum(map(len, piece[0])), piece[0]))
    )


def _may(candidates: Candidates, person: int, among: Places) -> Bools:
    return candidates.allowed(np.full(len(among), person, dtype=np.int64), among)


def _connected(candidates: Candidates, who: Places) -> Iterator[Group]:
    """People between whom a chain of possible couples runs; sorted, in the order of their first person."""
    while len(who):
        part, waiting, who = [], [int(who[0])], who[1:]
        while waiting:
            part.append(waiting.pop())
            reached = _may(candidates, part[-1], who)
            waiting += who[reached].tolist()
            who = who[~reached]
        yield tuple(sorted(part))
