"""One round that is to be repaired: who is together, who waits, what must hold; and what becomes of it.

A round of pairs is the question that planning asks too, in which couples that stand weigh more than all wishes and
repeats. So of an even number of people, and of a few, the answer is the best there is: people without a partner, those
of them who had none last time, people whose group could have stayed, people who were together and are not any more,
repeats, points.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import NO_KEYS, Couples, Meetings
from lti_tool.pairing.engine.course import Kind
from lti_tool.pairing.engine.locks import Members, check_groups
from lti_tool.pairing.engine.matching import ALONE
from lti_tool.pairing.engine.pairs import History, Question, couples_of
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.proof import NotLargest, barrier
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.schedule import Proof, Reason, Unpaired

NOBODY: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Round:
    """A round without the groups that have begun. People are places among those of `couples`."""

    number: int
    couples: Couples
    members: Places
    """The members of all groups, one group after the other; -1 for people who are not here any more."""
    sizes: NDArray[np.int64]
    """Of each group, those who are not here any more included."""
    seat: Places
    """Everyone who needs a group in this round, sorted."""
    begun: Places
    """Everyone in a group that has begun."""
    met: Meetings
    """Meetings outside of this round."""
    met_earlier: Meetings
    """Meetings because of which a couple of this round has to part, if they may never meet again: those before it."""
    locks: tuple[Members, ...]
    """Who must be together. No person is in two of them."""
    flagged: Bools
    """Who was without a partner last time."""
    in_trios: Points
    """How often each is in a trio in other rounds, or was before."""
    seed: int

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where the members of each group begin."""
        starts: NDArray[np.int64] = np.cumsum(self.sizes) - self.sizes
        return starts

    @cached_property
    def whole(self) -> Bools:
        """Of each group, whether all its members are here."""
        number = np.repeat(np.arange(len(self.sizes)), self.sizes)
        whole: Bools = np.bincount(number[self.members < 0], minlength=len(self.sizes)) == 0
        return whole

    def group(self, number: int) -> Members:
        """Those members of a group who are here."""
        start = self.starts[number]
        return tuple(place for place in self.members[start : start + self.sizes[number]].tolist() if place >= 0)

    def may_stay(self, one: Places, other: Places) -> Bools:
        """For each couple that is together now, whether they may go on."""
        return self._allowed(one, other, self.met_earlier)

    def may_meet(self, one: Places, other: Places) -> Bools:
        """For each couple that is not together now, whether they may be: "never again" looks at later rounds, too."""
        return self._allowed(one, other, self.met)

    def _allowed(self, one: Places, other: Places, met: Meetings) -> Bools:
        found = self.couples.allowed(one, other)
        return found & (met.times(one, other) == 0) if self.couples.never_again else found

    def check_locks(self) -> None:
        """Raise what makes the locks impossible: LockConflict, LockSize or LockForbidden."""
        ids = self.couples.people.ids
        groups = [tuple(ids[list(lock)].tolist()) for lock in self.locks]
        one, other = couples_of(self.locks)
        again = self.met_earlier.times(one, other) > 0
        met = {frozenset(pair) for pair in zip(ids[one[again]].tolist(), ids[other[again]].tolist(), strict=True)}
        check_groups(self.couples, self.number, groups, len(self.seat), met)


@dataclass(frozen=True)
class Repaired:
    """What became of a round."""

    kept: Bools
    """Of each group, whether it stays."""
    formed: list[Members] = field(default_factory=list)
    """New groups, in no order of turn."""
    alone: list[int] = field(default_factory=list)
    """Who has no group, sorted."""
    cost: tuple[int, ...] = ()
    """What counts before repeats, the most important first: people alone, groups that could have stayed …"""
    free: Places = field(default_factory=lambda: NOBODY)
    """Pairs: everyone who is not locked."""
    partner: Places = field(default_factory=lambda: NOBODY)
    """Pairs: for every place the partner or -1; of a trio that is not locked two are partners."""


def reasons_of(before: Round, after: Repaired) -> tuple[tuple[Unpaired, ...], Proof | None]:
    """Everyone without a group with a reason, and for pairs a proof where one is needed and no group has begun."""
    couples, number = before.couples, before.number
    is_pairs = couples.course.shape.kind is Kind.PAIRS
    reasons = [_reason(before, place) for place in after.alone]
    proof = None
    if Reason.TOO_FEW_PARTNERS in reasons and is_pairs and not len(before.begun):
        # Earlier rounds are settled now; what becomes of later ones cannot make the proof untrue.
        banned = np.unique(before.met_earlier.keys) if couples.never_again else NO_KEYS
        try:
            found = barrier(couples, after.free, after.partner, banned)
            proof = Proof(number, tuple(couples.people.ids[found].tolist()))
        except NotLargest:
            pass
    if proof is None and not (is_pairs and len(before.begun)):
        reasons = [Reason.NONE_BETTER_FOUND if one is Reason.TOO_FEW_PARTNERS else one for one in reasons]
    listed = zip(couples.people.ids[after.alone].tolist(), reasons, strict=True)
    return tuple(Unpaired(person, number, reason) for person, reason in listed), proof


def _reason(before: Round, place: int) -> Reason:
    others = np.arange(len(before.couples), dtype=np.int64)
    fits = before.may_stay(np.full(len(others), place, dtype=np.int64), others)
    if fits[before.begun].any():
        return Reason.OTHERS_HAVE_BEGUN
    if len(before.seat) + len(before.begun) == 1:
        return Reason.NOBODY_ELSE
    return Reason.TOO_FEW_PARTNERS if fits[before.seat].any() else Reason.NOBODY_ALLOWED


# ---- pairs -----------------------------------------------------------------------------------------------------------


def repair_pairs(before: Round) -> Repaired:
    """The round with the fewest changes. Groups that are locked stay; a rule is never broken."""
    stood, old_trio = _standing(before)
    partner, bound, trio = _locked(before, stood, old_trio)
    is_bound = trio in before.locks
    groups = [before.group(number) for number in np.flatnonzero(~before.whole | (before.sizes != 2)).tolist()]
    question = Question(
        before.couples,
        History(before.met, before.flagged.astype(np.int64), np.zeros_like(before.in_trios), before.in_trios),
        np.random.default_rng([abs(before.seed), int(before.seed < 0)]),
        before.seat[~bound[before.seat]],
        partner,
        bound,
        is_odd=len(before.seat) % 2 == 1 and not is_bound,
        trio=() if is_bound else trio,
        ties=np.unique(before.couples.keys(*couples_of(groups))),
    )
    found = question.arranged()
    return _outcome(before, question, found.partner, trio if is_bound else tuple(sorted(found.trio or ())))


def _standing(before: Round) -> tuple[Places, Members]:
    """For each place the partner whom they have and may keep or -1; and the trio that may stay, if the number is odd.

    Of several trios it is the one with the most locked people.
    """
    stood: Places = np.full(len(before.couples), ALONE, dtype=np.int64)
    pairs = np.flatnonzero(before.whole & (before.sizes == 2))
    one, other = before.members[before.starts[pairs]], before.members[before.starts[pairs] + 1]
    stays = before.may_stay(one, other)
    stood[one[stays]], stood[other[stays]] = other[stays], one[stays]
    whole = [before.group(number) for number in np.flatnonzero(before.whole & (before.sizes == 3)).tolist()]
    trios = [group for group in whole if before.may_stay(*couples_of([group])).all()]
    locked = {person for lock in before.locks for person in lock}
    if not trios or len(before.seat) % 2 == 0:
        return stood, ()
    return stood, tuple(sorted(max(trios, key=lambda group: (len(locked.intersection(group)), -min(group)))))


def _locked(before: Round, stood: Places, trio: Members) -> tuple[Places, Bools, Members]:
    """Partners and trio once locked people are together, and for each place whether they are locked."""
    partner, bound = stood.copy(), np.zeros(len(stood), dtype=np.bool_)
    for lock in before.locks:
        members = list(lock)
        bound[members] = True
        partner[np.isin(partner, members)] = ALONE
        partner[members] = lock[::-1] if len(lock) == 2 else ALONE
        if len(lock) == 3:
            trio = lock
        elif 0 < len(set(lock) & set(trio)) < 2:
            trio = ()
    return partner, bound, trio


def _outcome(before: Round, question: Question, partner: Places, trio: Members) -> Repaired:
    """What became of the round: these couples and this trio."""
    stood, old_trio = _standing(before)
    everyone = np.arange(len(partner))
    one = np.flatnonzero(partner > everyone)
    new = one[stood[one] != partner[one]]
    formed: list[Members] = list(zip(new.tolist(), partner[new].tolist(), strict=True))
    formed += [trio] if trio and trio != old_trio else []
    kept: Bools = np.zeros(len(before.sizes), dtype=np.bool_)
    pairs = np.flatnonzero(before.whole & (before.sizes == 2))
    first, last = before.members[before.starts[pairs]], before.members[before.starts[pairs] + 1]
    kept[pairs] = (stood[first] == last) & (partner[first] == last)
    for number in np.flatnonzero(before.whole & (before.sizes == 3)).tolist():
        kept[number] = trio == old_trio == tuple(sorted(before.group(number)))
    is_alone = (partner == ALONE) & ~np.isin(everyone, trio)
    alone = before.seat[is_alone[before.seat]]
    changed = int(((stood != ALONE) & (stood != partner)).sum()) + (3 if old_trio and trio != old_trio else 0)
    keys = before.couples.keys
    together = np.append(keys(one, partner[one]), keys(*couples_of([trio])))
    cost = len(alone), int(before.flagged[alone].sum()), changed, -int(listed_in(question.ties, together).sum())
    free = before.seat[~question.bound[before.seat]]
    if trio and not question.bound[list(trio)].any():
        partner[list(trio[:2])] = trio[1::-1]
    return Repaired(kept, formed, alone.tolist(), cost, free, partner)
