"""What stands between somebody and a partner in a round: the rules, one by one, and the need of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lti_tool.pairing.engine.coverage.barriers import Shortage, odd_parts, shortage_of
from lti_tool.pairing.engine.explanations.occasions import Occasion
from lti_tool.pairing.engine.explanations.reasons import Candidate, Needed, Removal, WhyNot
from lti_tool.pairing.engine.people import Bools, Places
from lti_tool.pairing.engine.rules import Rule, RuleByValue


@dataclass(frozen=True)
class Obstacles:
    """What keeps people from having partners in one round."""

    occasion: Occasion

    def why_not(self, place: int) -> WhyNot:
        """Everything that `why_not` says of this person."""
        occasion, rules = self.occasion, self.occasion.schedule.course.rules
        others = occasion.others(place)
        refused = np.array([~occasion.allows(rule, place, others) for rule in rules], dtype=np.bool_)
        refused = refused.reshape(len(rules), len(others))
        times = refused.sum(axis=0)
        removals = [
            Removal(
                rule.name, _count(by), _count(by & (times == 1)), _count(by & _unknown(occasion, rule, place, others))
            )
            for rule, by in zip(rules, refused, strict=True)
            if by.any()
        ]
        person, number = occasion.id(place), occasion.number
        reasons = [one.reason for one in occasion.schedule.unpaired if (one.person, one.round) == (person, number)]
        return WhyNot(
            person=person,
            round=number,
            reason=reasons[0] if reasons else None,
            others=len(others),
            removals=tuple(sorted(removals, key=lambda one: (-one.removed, one.rule))),
            candidates=_candidates(occasion, place, others[times == 0]),
            needed=_needed(occasion, place, self._shortages) if reasons else None,
        )

    @property
    def shortages(self) -> tuple[Needed, ...]:
        """Everything that the proof of the round says, in pieces that have nothing to do with each other."""
        return tuple(_by_ids(self.occasion, one) for one in self._shortages)

    @cached_property
    def _shortages(self) -> tuple[Shortage, ...]:
        """The proof is about those who are not locked, or about everybody."""
        occasion = self.occasion
        proof = next((one for one in occasion.schedule.proofs if one.round == occasion.number), None)
        if proof is None:
            return ()
        free = occasion.present.copy()
        for lock in occasion.schedule.course.locks:
            if lock.round in {None, occasion.number}:
                free[occasion.places(lock.members)] = False
        barrier = np.array(occasion.places(proof.barrier), dtype=np.int64)
        for who in (free, occasion.present):
            about = np.union1d(np.flatnonzero(who), barrier)
            if found := odd_parts(occasion.couples, barrier, occasion.barred, who=about):
                return found
        return ()


def _count(which: Bools) -> int:
    return int(which.sum())


def _unknown(occasion: Occasion, rule: Rule, place: int, others: Places) -> Bools:
    if not isinstance(rule, RuleByValue):
        return np.zeros(len(others), dtype=np.bool_)
    known = rule.known(occasion.couples.people)
    unknown: Bools = ~(known[others] & known[place])
    return unknown


def _candidates(occasion: Occasion, place: int, others: Places) -> tuple[Candidate, ...]:
    met = occasion.met(place, others)
    order = np.lexsort((others, -occasion.points(place, others), met))
    return tuple(
        Candidate(
            person=occasion.id(other),
            partners=tuple(one for one in occasion.group(other) if one != occasion.id(other)),
            met=times,
        )
        for other, times in zip(others[order].tolist(), met[order].tolist(), strict=True)
    )


def _needed(occasion: Occasion, place: int, shortages: Sequence[Shortage]) -> Needed | None:
    for shortage in shortages:
        if place in shortage.needing:
            partner = _partners(occasion, shortage)
            near = shortage_of(occasion.couples, place, (shortage,), partner, occasion.barred)
            return _by_ids(occasion, near if near is not None and near.lacking > 0 else shortage)
    return None


def _by_ids(occasion: Occasion, found: Shortage) -> Needed:
    parts = tuple(occasion.ids(part) for part in found.parts)
    return Needed(occasion.ids(found.needing), parts, occasion.ids(found.partners), found.lacking)


def _partners(occasion: Occasion, shortage: Shortage) -> Places:
    """For each person the partner or -1. Two of a trio count as a couple, somebody who is needed among them."""
    partner = np.full(len(occasion.couples), -1, dtype=np.int64)
    for group in occasion.schedule.rounds[occasion.number - 1]:
        one, *rest = sorted(occasion.places(group), key=lambda place: place not in shortage.partners) or [-1]
        if rest:
            partner[one], partner[rest[0]] = rest[0], one
    return partner
