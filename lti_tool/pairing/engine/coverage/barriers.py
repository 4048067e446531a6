"""What shows that nobody more could be paired, and whom it names.

In a largest matching those who could be freed fall into parts of odd size between which nobody may meet, and only the
people of the barrier link them to the rest (Gallai 1964, Edmonds 1965). More parts than people in the barrier: so many
stay over, whatever one does (Tutte 1947, Berge 1958).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.coverage.alternating import Forest
from lti_tool.pairing.engine.coverage.meeting import Meeting
from lti_tool.pairing.engine.people import Places

NONE_BANNED: Final = np.zeros(0, dtype=np.int64)


class NotLargest(ValueError):
    """The matching can be made larger, so that there is no barrier for it."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Some people, and the only ones outside of whom they need: places in the course, sorted.

    Each of the `parts` has an odd size and nobody of it may meet somebody of another part, so at least one person of
    each part needs somebody of `partners`. There are more parts than partners. With parts of one person each: "these 6
    people are the only possible partners of these 10".
    """

    parts: tuple[tuple[int, ...], ...]
    partners: tuple[int, ...]

    @property
    def needing(self) -> tuple[int, ...]:
        """Everybody of all parts."""
        return tuple(sorted(one for part in self.parts for one in part))

    @property
    def lacking(self) -> int:
        """How many of them stay without a partner at least."""
        return len(self.parts) - len(self.partners)


def barrier(couples: Couples, who: Places, partner: Places, banned: NDArray[np.int64] = NONE_BANNED) -> Places:
    """Sorted places of people such that, without them, the others of `who` fall apart as a `Proof` says.

    The number of parts of odd size less the number of people in the barrier is the number of `who` without a partner.
    Arguments as in `cover`, whose answer `partner` is. Raises NotLargest if `partner` is no largest matching.
    """
    forest = Forest(Meeting(couples, np.unique(who).astype(np.int64), banned), partner)
    if not forest.spread(forest.alone()):
        raise NotLargest(len(forest.alone()))
    return np.array(forest.inner(), dtype=np.int64)


def odd_parts(
    couples: Couples, barrier: Places, banned: NDArray[np.int64] = NONE_BANNED, *, who: Places | None = None
) -> tuple[Shortage, ...]:
    """What a barrier says, cut into shortages that have nothing to do with each other, the smallest first.

    `who`: everybody whom the proof is about (default: the whole course). Pieces that lack nobody are not named.
    """
    everybody = np.arange(len(couples), dtype=np.int64) if who is None else np.unique(who).astype(np.int64)
    meeting = Meeting(couples, everybody, banned)
    parts = [part for part in _parts(meeting, np.setdiff1d(everybody, barrier)) if len(part) % 2]
    links = _Links(meeting, parts, barrier)
    pieces = []
    while len(links.unreached):
        pieces.append(links.shortage_from(int(links.unreached[0])))
    return tuple(sorted((one for one in pieces if one.lacking > 0), key=lambda one: (len(one.needing), one.parts)))


def shortage_of(
    couples: Couples,
    person: int,
    shortages: Sequence[Shortage],
    partner: Places,
    banned: NDArray[np.int64] = NONE_BANNED,
) -> Shortage | None:
    """The part of a shortage that explains one unpaired person: one part more than partners, and often far smaller.

    `partner`: the round's couples as in `cover`, in which the person has none. None if no shortage needs the person.
    """
    whole = next((one for one in shortages if person in one.needing), None)
    if whole is None:
        return None
    everybody = np.array(sorted((*whole.needing, *whole.partners)), dtype=np.int64)
    links = _Links(Meeting(couples, everybody, banned), whole.parts, np.array(whole.partners, dtype=np.int64))
    return links.shortage_from(person, partner)


def _parts(meeting: Meeting, who: Places) -> list[list[int]]:
    """People between whom a chain of possible couples runs; sorted, in the order of their first person."""
    unreached = who
    found = []
    while len(unreached):
        waiting, unreached = [int(unreached[0])], unreached[1:]
        part = []
        while waiting:
            here = waiting.pop()
            part.append(here)
            if len(unreached):
                reached = meeting.partners(here, unreached)
                waiting += reached.tolist()
                unreached = np.setdiff1d(unreached, reached, assume_unique=True)
        found.append(sorted(part))
    return found


class _Links:
    """Which parts have a possible partner in common. Whoever was reached is not looked at again."""

    def __init__(self, meeting: Meeting, parts: Sequence[Sequence[int]], barrier: Places) -> None:
        self.meeting, self.parts = meeting, parts
        self.part_of = np.full(len(meeting.couples), -1, dtype=np.int64)
        for number, part in enumerate(parts):
            self.part_of[list(part)] = number
        self.unreached = np.flatnonzero(self.part_of >= 0)
        """People of parts."""
        self.needed = np.unique(barrier)
        """People of the barrier."""

    def shortage_from(self, person: int, partner: Places | None = None) -> Shortage:
        """The parts linked to this person's; with `partner`, from each partner only to the part they serve now."""
        waiting, reached, needed = [int(self.part_of[person])], [], list[int]()
        self._leave(np.array(self.parts[waiting[0]]))
        while waiting:
            reached.append(waiting.pop())
            for one in self.parts[reached[-1]]:
                near = self.meeting.partners(one, self.needed)
                self.needed = np.setdiff1d(self.needed, near, assume_unique=True)
                needed += near.tolist()
                for other in near.tolist():
                    waiting += self._next(other, partner)
        return Shortage(tuple(sorted(tuple(self.parts[part]) for part in reached)), tuple(sorted(needed)))

    def _next(self, needed: int, partner: Places | None) -> list[int]:
        served = self.meeting.partners(needed, self.unreached) if partner is None else partner[[needed]]
        parts: list[int] = np.unique(self.part_of[np.intersect1d(served, self.unreached)]).tolist()
        for part in parts:
            self._leave(np.array(self.parts[part]))
        return parts

    def _leave(self, members: Places) -> None:
        self.unreached = np.setdiff1d(self.unreached, members, assume_unique=True)
