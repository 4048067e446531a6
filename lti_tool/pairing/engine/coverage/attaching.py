"""The one trio of an odd number of people, where rules leave more people over than one.

A trio is a couple and one more, so it seats one person more than the largest matching, and no trio can do better. Each
of its three could be the one who is left over, so they are in one part of `Forest.blossoms`; and what is left of the
part must fall into couples, because the other parts need all of the barrier. So each part can be judged by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.coverage.alternating import ALONE, Forest
from lti_tool.pairing.engine.coverage.covering import NONE_BANNED, Weigh
from lti_tool.pairing.engine.coverage.meeting import Meeting
from lti_tool.pairing.engine.people import Places

ENOUGH: Final = 64
"""Trios among which the best is chosen."""
MOST_THIRDS: Final = 2_000
"""People of a part who are tried as the third of a couple."""
MOST_TRIOS: Final = 500
"""Trios of a part for which new couples are searched, when no couple takes a third. All of a part of 14 people."""


@dataclass(frozen=True, slots=True)
class Third:
    """Who joins which couple, in a matching that may be another than before but has as many couples."""

    person: int
    couple: tuple[int, int]
    partner: Places


def best_third(
    couples: Couples,
    who: Places,
    partner: Places,
    banned: NDArray[np.int64] = NONE_BANNED,
    *,
    weigh: Weigh | None = None,
    left_out: Places | None = None,
) -> Third | None:
    """Somebody without a partner who can be the third of a couple, all three of whom may meet each other.

    `partner` is a largest matching of `who` (the answer of `cover`, with the same arguments) that leaves somebody over.
    The answer's matching has as many couples; the third has no partner in it, and everybody who had one still has one
    or is the third. People of `left_out` who are without a partner come first. Of several, the trio with the largest
    sum of `weigh` for the two new couples is taken.
    None: no trio seats one person more. That is exact for parts (see above) of up to 14 people, and whenever all parts
    are single people; of larger parts many trios are tried, not all.
    """
    meeting = Meeting(couples, np.unique(who).astype(np.int64), banned)
    forest = Forest(meeting, partner)
    forest.spread(forest.alone())
    first = set() if left_out is None else set(left_out.tolist())
    parts = [part for part in forest.blossoms() if len(part) > 2]
    for part in sorted(parts, key=lambda part: (forest.root(part[0]) not in first, part[0])):
        trio = _trio_of(_Part(meeting, part, forest.partner, forest.stem(part[0])), weigh or couples.points)
        if trio is not None:
            forest.free(forest.stem(part[0]))
            found = np.array(forest.partner, dtype=np.int64)
            found[part] = trio.partner[part]
            return Third(trio.person, trio.couple, found)
    return None


class _Part:
    """People of whom everybody but one finds a partner among them, whoever that one is."""

    def __init__(self, meeting: Meeting, members: list[int], partner: list[int], over: int) -> None:
        self.members = np.array(members, dtype=np.int64)
        self.meeting = Meeting(meeting.couples, self.members, meeting.banned)
        self.partner = np.full(len(meeting.couples), ALONE, dtype=np.int64)
        self.partner[self.members] = np.array(partner, dtype=np.int64)[self.members]
        self.partner[over] = ALONE
        self.over = over
        self.forest = Forest(self.meeting, self.partner)
        self.forest.spread((over,))

    def without(self, person: int) -> Places:
        """Couples of all others."""
        found = self.partner.copy()
        chain = self.forest.chain(person)[1:]
        found[person] = ALONE
        found[chain[::2]], found[chain[1::2]] = chain[1::2], chain[::2]
        return found


def _trio_of(part: _Part, weigh: Weigh) -> Third | None:
    best: tuple[int, Third] | None = None
    for tried, third in enumerate(_attached(part, weigh)):
        worth = sum(_weight(weigh, third.person, one) for one in third.couple)
        if best is None or worth > best[0]:
            best = worth, third
        if tried + 1 == ENOUGH:
            break
    return best[1] if best else next(_made(part), None)


def _weight(weigh: Weigh, one: int, other: int) -> int:
    return int(weigh(np.array([one]), np.array([other]))[0])


def _attached(part: _Part, weigh: Weigh) -> Iterator[Third]:
    """For each person the best couple that takes them as a third while the others are in couples."""
    order = [part.over, *(one for one in part.members.tolist() if one != part.over)]
    for person in order[:MOST_THIRDS]:
        partner = part.without(person)
        near = part.meeting.partners(person, part.members)
        is_near = np.zeros(len(partner), dtype=np.bool_)
        is_near[near] = True
        one = near[(partner[near] > near) & is_near[partner[near]]]
        if len(one):
            other = partner[one]
            person_ = np.full(len(one), person, dtype=np.int64)
            at = int(np.argmax(weigh(person_, one) + weigh(person_, other)))
            yield Third(person, (int(one[at]), int(other[at])), partner)


def _made(part: _Part) -> Iterator[Third]:
    """Trios for which the others are coupled anew."""
    tried = 0
    for person in part.members.tolist():
        partner = part.without(person)
        near = part.meeting.partners(person, part.members[part.members > person])
        for one, other in combinations(near.tolist(), 2):
            if not part.meeting.allowed(np.array([one]), np.array([other]))[0]:
                continue
            if tried == MOST_TRIOS:
                return
            tried += 1
            rest = partner.copy()
            rest[[one, other, *partner[[one, other]].tolist()]] = ALONE
            others = np.setdiff1d(part.members, [person, one, other])
            forest = Forest(Meeting(part.meeting.couples, others, part.meeting.banned), rest)
            forest.largest()
            if not forest.alone():
                found = np.array(forest.partner, dtype=np.int64)
                found[one], found[other] = other, one
                yield Third(person, (one, other), found)
