"""The best couples of up to about a thousand people, proven, given couples that are nearly as good.

Let everybody take and be taken, by different people if need be. The best of that is found by rings (`chains.py`), and
when no ring gains, the chains give everybody a price, so that no couple has more points than its two prices together
(linear programming duality; Kuhn 1955, Egerváry 1931). All prices are then a bound on the points of any couples. A
better set of couples can only consist of couples whose prices are hardly more than their points, and among those few
the blossom algorithm looks (Edmonds 1965; sparse graphs and prices: Ball and Derigs 1983).
"""

from typing import Final

import numpy as np

from lti_tool.pairing.engine.compiled import Couples, Keys
from lti_tool.pairing.engine.pairs.blocks import ALONE, best_couples
from lti_tool.pairing.engine.pairs.chains import Rings, too_little, weights_of
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.tables import Cells

STEPS: Final = 300
"""How long chains may become. Good couples need a tenth of it."""


def proven(couples: Couples, one: Places, other: Places, banned: Keys) -> tuple[Places, Places]:
    """The same people in the couples with the most points, of all that are neither forbidden nor banned.

    All of the given couples are allowed. Time and memory grow with the square of the people: 1,000 take 10 MB. The
    given couples come back where they are the best, or if chains should become too long to tell.
    """
    if not len(one):
        return one, other
    taker, taken = np.concatenate((one, other)), np.concatenate((other, one))
    people = len(taker)
    weight = weights_of(couples, taker[None], taken[None], STEPS)
    _bar(weight[0], len(couples), taken, taker, banned)
    present = int(np.trace(weight[0].astype(np.int64)))
    rings = Rings(weight)
    taken = taken[rings.best(STEPS)[0]]
    if not rings.is_best:
        return one, other
    # Each price twice, so that it is a whole number: what one asks as taker and as taken.
    price = np.zeros(len(couples), dtype=np.int64)
    price[taker] -= rings.best_end[0]
    price[taken] += rings.own()[0].astype(np.int64) + rings.best_end[0]
    over = int(price[taker].sum()) - present
    if over < 2:
        return one, other
    row, column = np.nonzero((weight[0] >= 0) & (taken[:, None] < taker[None, :]))
    points = weight[0][row, column].astype(np.int64)
    near = price[taken[row]] + price[taker[column]] - 2 * points <= over - 2
    place = np.empty(len(couples), dtype=np.int64)
    place[taker] = np.arange(people)
    found = best_couples(people, place[taken[row[near]]], column[near], points[near])
    better = taker[np.maximum(found, 0)]
    if (found == ALONE).any() or int(couples.points(taker, better).sum()) <= present:
        return one, other
    first = taker < better
    return taker[first], better[first]


def _bar(weight: Cells, people: int, taken: Places, taker: Places, banned: Keys) -> None:
    """Nobody takes themselves, nor somebody with whom they are banned."""
    row, column = np.full((2, people), -1, dtype=np.int64)
    row[taken], column[taker] = np.arange(len(taken)), np.arange(len(taker))
    one, other = np.divmod(banned, people)
    here = (row[one] >= 0) & (row[other] >= 0)
    one, other = one[here], other[here]
    least = too_little(weight.dtype)
    weight[row[one], column[other]] = weight[row[other], column[one]] = least
    weight[row[taker], column[taker]] = least
