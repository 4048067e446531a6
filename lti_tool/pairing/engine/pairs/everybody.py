"""Everybody meets everybody: the circle method, for courses in which hardly anything but repeats counts.

One stays, the others move on by a seat each round. So nobody meets twice before everybody met everybody.
"""

from typing import Final

import numpy as np

from lti_tool.pairing.engine.acquaintance import Acquaintance
from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.pairs.seated import Seated, Trio, met_before
from lti_tool.pairing.engine.people import Places, Points

NOBODY: Final = -1
"""Sits opposite whoever is the third of a trio, when the number is odd."""
SEATINGS: Final = 16
"""How many orders of seats are tried for …"""
FEW: Final = 320
"""… so many people."""


def everybody_meets(couples: Couples, rounds: int, rng: np.random.Generator) -> list[Seated] | None:
    """All rounds in a circle, or None when that needs a couple that a rule forbids, or that met before.

    Of small courses several orders of seats are tried. With an even number there is no repeat, if the rounds are fewer
    than the people. With an odd number everybody is the third once before anybody is twice, and hosts may meet again.
    """
    people = len(couples)
    if people < 2 or (couples.never_again and (people % 2 or rounds >= people)):
        return None
    in_trios = np.array([couples.course.in_trios.get(one, 0) for one in couples.people.ids.tolist()], dtype=np.int64)
    met = met_before(couples)
    for _ in range(SEATINGS if people <= FEW else 1):
        circle = _in_a_circle(_seats(in_trios, rng), rounds)
        one, other = circle[:, 0, people % 2 :], circle[:, 1, people % 2 :]
        if not met.times(one, other).any() and couples.allowed(one, other).all():
            if people % 2 == 0:
                return [_seated(*pair) for pair in circle]
            return _with_thirds(couples, circle, met, in_trios, rng)
    return None


def _seats(in_trios: Points, rng: np.random.Generator) -> Places:
    """An even number of seats by lot. With an odd number, whoever was in a trio least is the first to be a third."""
    order = rng.permutation(len(in_trios)).astype(np.int64)
    if len(order) % 2 == 0:
        return order
    ring = order[np.argsort(in_trios[order], kind="stable")]
    return np.concatenate((np.array([NOBODY]), np.roll(ring, -1)))


def _in_a_circle(seated: Places, rounds: int) -> Places:
    """The couples of every round, of shape (rounds, 2, couples). NOBODY, if seated, is in the first couple."""
    ring = seated[1:]
    places = (np.arange(len(ring))[None, :] + np.arange(rounds)[:, None]) % len(ring)
    row = np.concatenate((np.broadcast_to(seated[:1], (rounds, 1)), ring[places]), axis=1)
    half = len(seated) // 2
    return np.stack((row[:, :half], row[:, : half - 1 : -1]), axis=1)


def _with_thirds(
    couples: Couples, circle: Places, met: Acquaintance, in_trios: Points, rng: np.random.Generator
) -> list[Seated] | None:
    """Whoever sits opposite nobody joins the couple that they know least, in all rounds; the hosts take turns."""
    one, other = circle[:, 0, 1:], circle[:, 1, 1:]
    known = Acquaintance.of(len(couples), met.keys, couples.keys(one, other).ravel())
    hosted = in_trios.copy()
    found = []
    for number, third in enumerate(circle[:, 1, 0].tolist()):
        left, right = one[number], other[number]
        alone = np.full(len(left), third, dtype=np.int64)
        fits = np.flatnonzero(couples.allowed(left, alone) & couples.allowed(right, alone))
        if not len(fits):
            return None
        times = (known.times(left, alone) + known.times(right, alone))[fits]
        host = int(fits[np.lexsort((rng.permutation(len(fits)), (hosted[left] + hosted[right])[fits], times))[0]])
        trio = Trio(int(left[host]), third, int(right[host]))
        hosted[list(trio)] += 1
        keys = couples.keys(np.array([trio.first, trio.last]), np.array([third, third]))
        known = Acquaintance.of(len(couples), known.keys, keys)
        found.append(_seated(np.delete(left, host), np.delete(right, host), (trio,)))
    return found


def _seated(left: Places, right: Places, trios: tuple[Trio, ...] = ()) -> Seated:
    order = np.argsort(np.minimum(left, right))
    return Seated(np.minimum(left, right)[order], np.maximum(left, right)[order], trios)
