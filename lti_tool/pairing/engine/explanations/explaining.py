"""Why somebody works with whom, and why somebody with nobody. Ids and names of rules; the words are made elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TypeAlias

import numpy as np

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.errors import ImpossibleRequest
from lti_tool.pairing.engine.explanations.obstacles import Obstacles
from lti_tool.pairing.engine.explanations.occasions import Calendar, Occasion
from lti_tool.pairing.engine.explanations.reasons import Alternative, Needed, Partner, Why, WhyNot
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.rules import Known, NotAgain, RuleByValue
from lti_tool.pairing.engine.schedule import Schedule

Two: TypeAlias = tuple[int, int]
"""Places of two people."""


def why(schedule: Schedule, person: PersonId, round: int) -> Why:  # noqa: A002 - the word for it
    """What speaks for the group of a person in a round, counted from 1.

    Raises ImpossibleRequest for a person who is not in `schedule.course` or a round that does not exist. Whoever asks
    more than once makes one `Explanations`.
    """
    return Explanations(schedule).why(person, round)


def why_not(schedule: Schedule, person: PersonId, round: int) -> WhyNot:  # noqa: A002 - the word for it
    """What stands between a person and a partner in a round, counted from 1. Raises as `why`."""
    return Explanations(schedule).why_not(person, round)


def shortages(schedule: Schedule, round: int) -> tuple[Needed, ...]:  # noqa: A002 - the word for it
    """What the proof of a round says in people: whom too many others need. Empty for a round without a proof.

    `why_not` gives the part of it that one person is concerned by. Raises ImpossibleRequest for no such round.
    """
    return Explanations(schedule).shortages(round)


@dataclass(frozen=True)
class Explanations:
    """Answers many questions about one schedule; what all of them need is worked out once."""

    schedule: Schedule

    def why(self, person: PersonId, number: int) -> Why:
        """As `why`."""
        occasion, place = self._find(person, number)
        group = occasion.group(place)
        partners = tuple(_partner(occasion, place, other) for other in group if other != person)
        return Why(person, number, group, any(one.is_locked for one in partners), partners)

    def why_not(self, person: PersonId, number: int) -> WhyNot:
        """As `why_not`."""
        _, place = self._find(person, number)
        return self._rounds[number].why_not(place)

    def shortages(self, number: int) -> tuple[Needed, ...]:
        """As `shortages`."""
        if number not in self._rounds:
            raise ImpossibleRequest(number)
        return self._rounds[number].shortages

    @cached_property
    def _rounds(self) -> dict[int, Obstacles]:
        calendar = Calendar(self.schedule)
        return {number: Obstacles(Occasion(calendar, number)) for number in range(1, len(self.schedule.rounds) + 1)}

    def _find(self, person: PersonId, number: int) -> tuple[Occasion, int]:
        places = self._rounds[number].occasion.places([person]) if number in self._rounds else []
        if not places:
            raise ImpossibleRequest(person, number)
        return self._rounds[number].occasion, places[0]


def _partner(occasion: Occasion, place: int, partner: PersonId) -> Partner:
    is_locked = occasion.is_locked(occasion.id(place), partner)
    here = occasion.places([partner])
    if not here:
        return Partner(partner, 0, is_locked, 0, (), (), (), None, 0, 0, None)
    other, people = here[0], occasion.couples.people
    everybody = np.arange(len(people), dtype=np.int64)
    possible, met, points = occasion.possible(place), occasion.met(place, everybody), occasion.points(place, everybody)
    broken = occasion.broken_by_partners(place, other)
    possible[other] = not broken
    as_often = met == met[other]
    better = possible & ((met < met[other]) | (as_often & (points > points[other])))
    elsewhere = np.ones(len(people), dtype=np.bool_)
    elsewhere[occasion.places(occasion.group(place))] = False
    wanted = better & elsewhere
    wanted = wanted if wanted.any() else possible & elsewhere & (points > points[other])
    one, two = np.array([place]), np.array([other])
    wishes = [(wish.name, int(wish.points(people, one, two)[0])) for wish in occasion.schedule.course.wishes]
    return Partner(
        person=partner,
        met=int(met[other]),
        is_locked=is_locked,
        points=int(points[other]),
        wishes=tuple((name, given) for name, given in wishes if given),
        rules=tuple(name for name in _true(occasion, place, other) if name not in broken),
        breaks=broken,
        rank=1 + int(better.sum()) if possible[other] else None,
        ties=int((possible & as_often & (points == points[other])).sum()),
        choices=int(possible.sum()),
        better=_exchange(occasion, place, other, _first(wanted, met, points)) if wanted.any() else None,
    )


def _true(occasion: Occasion, place: int, other: int) -> Iterable[str]:
    """The names of rules which say something of two people that may be told."""
    for rule in occasion.schedule.course.rules:
        if isinstance(rule, NotAgain):
            yield rule.name
        elif isinstance(rule, RuleByValue) and not isinstance(rule, Known):
            known = rule.known(occasion.couples.people)
            if known[place] and known[other]:
                yield rule.name


def _first(wanted: Bools, met: Points, points: Points) -> int:
    """Of these people the one who was met least and then gives the most points."""
    places = np.flatnonzero(wanted)
    return int(places[np.lexsort((places, -points[places], met[places]))[0]])


def _exchange(occasion: Occasion, place: int, partner: int, wanted: int) -> Alternative:
    """What it would have meant for the others if somebody had changed places with the partner of this person."""
    old, new = occasion.places(occasion.group(place)), occasion.places(occasion.group(wanted))
    old_after = [wanted if one == partner else one for one in old]
    new_after = [partner if one == wanted else one for one in new]
    strange = _couples(wanted, [one for one in old_after if one != place]) + _couples(partner, new_after)
    broken = {two: occasion.broken(*two) for two in strange}
    forbidden = {frozenset(two) for two, names in broken.items() if names}
    named = {name for names in broken.values() for name in names}
    is_apart = len(new_after) == 2 and frozenset(new_after) in forbidden
    alone = new_after if is_apart else [] if len(new_after) > 1 else [partner]
    couple = np.array([wanted], dtype=np.int64)
    others = [one for one in new if one != wanted]
    return Alternative(
        person=occasion.id(wanted),
        partners=occasion.ids(others),
        points=int(occasion.points(place, couple)[0]),
        met=int(occasion.met(place, couple)[0]),
        cost=_worth(occasion, place, (old, new), set()) - _worth(occasion, place, (old_after, new_after), forbidden),
        breaks=tuple(rule.name for rule in occasion.schedule.course.rules if rule.name in named),
        leaves=occasion.ids(sorted(alone)),
        is_locked=any(occasion.is_locked(occasion.id(wanted), one) for one in occasion.ids(others)),
    )


def _couples(one: int, others: Iterable[int]) -> list[Two]:
    return [(one, other) for other in others if other != one]


def _worth(occasion: Occasion, place: int, groups: Iterable[list[int]], forbidden: set[frozenset[int]]) -> int:
    """What the couples of these groups are worth to everybody but this person; a forbidden couple is worth nothing."""
    couples = [two for group in groups for two in combinations(group, 2) if frozenset(two) not in forbidden]
    sides: Places = np.array(couples, dtype=np.int64).reshape(-1, 2)
    takers = np.where((sides == place).any(axis=1), 1, 2)
    return int((occasion.couples.points(sides[:, 0], sides[:, 1]) * takers).sum())
