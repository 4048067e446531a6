"""Pairs after people came or went: the fewest changes in one round that give everybody a partner again.

What counts, in this order: people without a partner, those of them who had none last time, people whose group is
another one than before, people who sat together and do not any more, repeats, points. All of it goes into one exact
matching in which a couple that stands weighs more than all wishes and repeats: first of the loose people alone (who
lost a partner, joined, or sat in a group that a rule forbids now), then together with couples that stand. In a round of
up to `AT_ONCE` people these are all couples, so for an even number the answer is the best there is; in a larger one
they are couples near the loose people, more and more of them. An alternating path through L couples changes 2 L people.

Of an odd number one person is the third of a trio. Up to `EVERY_TRIO` people all trios are tried, so the answer is the
best there is; beyond that some people are tried as the third, and the first who changes no more than must be is taken.
"""

from copy import copy
from itertools import combinations
from typing import Final

import numpy as np

from lti_tool.pairing.engine.acquaintance import Keys, keys
from lti_tool.pairing.engine.proof import NotLargest, barrier
from lti_tool.pairing.engine.couples import NO_KEYS as NONE_BANNED
from lti_tool.pairing.engine.matching import cover
from lti_tool.pairing.engine.people import Bools, Places
from lti_tool.pairing.engine.repairs.sitting import Mended, Sitting
from lti_tool.pairing.engine.repairs.standing import Pairs, every

AT_ONCE: Final = 300
"""So many people are matched exactly in one step."""
POOLS: Final = (32, 128)
"""How many couples are opened for loose people, first and then, in rounds of more than `AT_ONCE` people."""
BLOCK: Final = 160
"""Of more loose people than `AT_ONCE`, so many are matched together at first."""
EVERY_TRIO: Final = 9
"""Up to so many people every possible trio is tried."""
THIRDS: Final = 24
"""Beyond that, so many people are tried as the third of a trio when the first one fits nowhere."""
LOOKED_AT: Final = 64
"""Of more people who wait, so many are looked at when couples are chosen that might help them."""


def mend(sitting: Sitting) -> Mended:
    """The round with the fewest changes. Groups that are locked stay; a rule is never broken."""
    pairs = Pairs(sitting)
    if len(sitting.seat) % 2 == 0 or pairs.trio_is_bound:
        _pair_up(pairs)
        return pairs.mended()
    if not pairs.trio:
        return _with_a_third(pairs).mended()
    kept = _copy(pairs)
    _pair_up(kept)
    if not len(kept.waiting()) and kept.changes() <= 2:
        return kept.mended()
    pairs.dissolve()
    return min(kept, _with_a_third(pairs), key=Pairs.cost).mended()


def _copy(pairs: Pairs) -> Pairs:
    other = copy(pairs)
    other.partner, other.bound = pairs.partner.copy(), pairs.bound.copy()
    return other


# ---- couples ---------------------------------------------------------------------------------------------------------


def _pair_up(pairs: Pairs) -> None:
    """Give a partner to as many as possible of those who wait; who is in the trio or locked stays there."""
    waiting = pairs.waiting()
    if len(waiting) > 1:
        _match_loose(pairs, waiting)
    waiting = pairs.waiting()
    if not len(waiting) or len(waiting) <= _least(pairs, waiting):
        return
    free = pairs.free()
    if len(free) <= AT_ONCE:
        pairs.rematch(free)
        return
    for cap in POOLS:
        pairs.rematch(_near(pairs, waiting, cap))
        waiting = pairs.waiting()
        if len(waiting) <= _least(pairs, waiting) or _is_largest(pairs):
            return
    _cover(pairs)


def _banned(pairs: Pairs) -> Keys:
    """Who may not meet because they meet outside of this round, but for couples that stand."""
    if not pairs.sitting.never_again:
        return NONE_BANNED
    one = np.flatnonzero(pairs.stood > np.arange(len(pairs.stood)))
    return np.setdiff1d(pairs.sitting.met.couples(), keys(one, pairs.stood[one], len(pairs.stood)))


def _is_largest(pairs: Pairs) -> bool:
    try:
        barrier(pairs.sitting.couples, pairs.free(), pairs.partner, _banned(pairs))
    except NotLargest:
        return False
    return True


def _cover(pairs: Pairs) -> None:
    """The last resort, which looks at everybody: not sure to change the fewest, but to leave out the fewest."""
    free = pairs.free()
    flagged = free[pairs.sitting.flagged[free]]
    before = pairs.partner.copy()
    pairs.partner = cover(
        pairs.sitting.couples, free, before, _banned(pairs), left_out=flagged, seed=pairs.sitting.seed
    )
    changed = np.flatnonzero(before != pairs.partner)
    if 1 < len(changed) <= AT_ONCE:
        # Their former partners are among them, so the couples that need not change can come back.
        pairs.rematch(changed)


def _match_loose(pairs: Pairs, loose: Places) -> None:
    if len(loose) > AT_ONCE:
        # Who remains of a block is matched with the rest of the others.
        mixed = np.random.default_rng(pairs.sitting.seed).permutation(loose)
        for block in np.array_split(mixed, -(-len(mixed) // BLOCK)):
            pairs.rematch(np.sort(block))
        loose = pairs.waiting()[:AT_ONCE]
    pairs.rematch(loose)


def _least(pairs: Pairs, waiting: Places) -> int:
    """How many of them must wait for certain: those who fit nobody, and one more when the others are an odd number."""
    fits = _fits(pairs, waiting[:LOOKED_AT], pairs.free())
    nowhere = int((~fits.any(axis=1)).sum())
    return nowhere + (len(waiting) - nowhere) % 2


def _fits(pairs: Pairs, people: Places, others: Places) -> Bools:
    """Of shape (people, others): whether they may work together."""
    one, other = np.repeat(people, len(others)), np.tile(others, len(people))
    fits: Bools = pairs.allowed(one, other).reshape(len(people), len(others))
    return fits


def _near(pairs: Pairs, waiting: Places, cap: int) -> Places:
    """Those who wait, and the members of couples through which an alternating path to two of them may lead.

    At first couples of which both fit somebody who waits; then couples of which one fits, and who fits their partners.
    """
    free = pairs.free()
    coupled = free[pairs.partner[free] >= 0]
    rng = np.random.default_rng([pairs.sitting.seed, cap])
    chosen = np.zeros(len(pairs.partner), dtype=np.bool_)
    ends = waiting[:LOOKED_AT]
    fits = _fits(pairs, ends, coupled)
    adjacent = np.zeros(len(pairs.partner), dtype=np.int64)
    adjacent[coupled] = fits.sum(axis=0)
    only = np.zeros(len(pairs.partner), dtype=np.int64)
    only[coupled] = fits.argmax(axis=0)
    mates = pairs.partner[coupled]
    # Two different people must wait at the two ends.
    differ = (adjacent[coupled] > 1) | (adjacent[mates] > 1) | (only[coupled] != only[mates])
    steps = coupled[(adjacent[coupled] > 0) & (adjacent[mates] > 0) & differ]
    _choose(pairs, chosen, steps, cap, rng)
    reached = adjacent > 0
    while chosen.sum() < 2 * cap:
        before = int(chosen.sum())
        steps = coupled[reached[coupled] & ~chosen[coupled]]
        _choose(pairs, chosen, steps, cap, rng)
        if chosen.sum() == before:
            break
        ends = pairs.partner[np.flatnonzero(chosen & reached)]
        reached[coupled] |= _fits(pairs, ends[:LOOKED_AT], coupled).any(axis=0)
    return np.union1d(np.flatnonzero(chosen), waiting[:AT_ONCE])


def _choose(pairs: Pairs, chosen: Bools, steps: Places, cap: int, rng: np.random.Generator) -> None:
    """Mark couples of these people until `cap` couples are marked; those first whose change costs nothing."""
    mixed = rng.permutation(steps)
    stands = pairs.stood[mixed] == pairs.partner[mixed]
    for person in mixed[np.argsort(stands, kind="stable")].tolist():
        if chosen.sum() >= 2 * cap:
            return
        chosen[[person, pairs.partner[person]]] = True


# ---- the third -------------------------------------------------------------------------------------------------------


def _with_a_third(pairs: Pairs) -> Pairs:
    """An odd number of people without a trio: pair them up, and let one be the third where they fit."""
    if len(pairs.sitting.seat) <= EVERY_TRIO:
        return _of_every_trio(pairs)
    loose = len(pairs.waiting())
    best = _copy(pairs)
    _pair_up(best)
    waiting = best.waiting()
    tried = [_seated(best, person) for person in waiting[:THIRDS].tolist()]
    best = min(tried, key=Pairs.cost)
    # A trio of loose people changes nobody else; with fewer than three of them a pair has to open.
    if best.trio and len(best.waiting()) == len(waiting) - 1 and best.changes() <= (0 if loose > 2 else 2):
        return best
    for person in _other_thirds(pairs, waiting):
        another = _copy(pairs)
        another.part((person,))
        another.seated = another.seated.copy()
        another.seated[person] = False
        _pair_up(another)
        another.seated = pairs.seated
        best = min(best, _seated(another, person), key=Pairs.cost)
    return best


def _seated(pairs: Pairs, person: int) -> Pairs:
    seated = _copy(pairs)
    seated.seat_third(person)
    return seated


def _other_thirds(pairs: Pairs, waiting: Places) -> list[int]:
    """Who else could be the third: other loose people, and the partners of those who fit somebody who waits."""
    rng = np.random.default_rng(pairs.sitting.seed)
    loose = np.setdiff1d(pairs.waiting(), waiting)
    free = pairs.free()
    coupled = free[pairs.partner[free] >= 0]
    beside = pairs.partner[coupled[_fits(pairs, waiting[:LOOKED_AT], coupled).any(axis=0)]]
    found = [*rng.permutation(loose)[: THIRDS // 2].tolist(), *rng.permutation(beside).tolist()]
    return found[:THIRDS]


def _of_every_trio(pairs: Pairs) -> Pairs:
    """The best of all possible trios, and of none."""
    sitting = pairs.sitting
    found = _copy(pairs)
    found.rematch(found.free())
    for trio in combinations(sitting.seat.tolist(), 3):
        locked = [person for person in trio if pairs.bound[person]]
        if any(pairs.partner[person] not in trio for person in locked) or not every(pairs.allowed, trio):
            continue
        another = _copy(pairs)
        another.part(trio)
        another.trio = trio
        another.rematch(another.free())
        found = min(found, another, key=Pairs.cost)
    return found
