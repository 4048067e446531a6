"""Why someone works with whom, why someone has no partner, and what deserves a look before planning.

Answers hold ids of people and names of rules and wishes; `pairing/wording.py` has the words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.costs import partners_left
from lti_tool.pairing.engine.couples import Couples, meetings_of
from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.errors import ImpossibleRequest
from lti_tool.pairing.engine.people import Bools, People, Places, Points
from lti_tool.pairing.engine.proof import odd_parts
from lti_tool.pairing.engine.rules import Known, NotAgain, ReportingLine, RuleByValue, couple_keys, loops
from lti_tool.pairing.engine.schedule import Group, Reason, Schedule

# ---- answers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alternative:
    """Someone who would have been better for one person, and what it would have meant for the others.

    They and the present partner change places, and no one else does.
    """

    person: PersonId
    met: int
    """How often the two met before. More than 0: it would be a repeat."""
    cost: int
    """How many points all others together would lose; less than 0 when they would gain."""
    breaks: tuple[str, ...]
    """Names of the rules that would forbid a couple among the others."""
    leaves: Group
    """Who would be without a partner then."""
    is_locked: bool
    """Whether they are locked to whom they work with now."""


@dataclass(frozen=True, slots=True)
class Partner:
    """One of the people someone works with in a round."""

    person: PersonId
    met: int = 0
    """How often the two met before this round."""
    is_locked: bool = False
    wishes: tuple[tuple[str, int], ...] = ()
    """The points by the name of the wish, where it gave any. What the wish says is true of the two."""
    rules: tuple[str, ...] = ()
    """Names of the rules that are kept and say something about the two: what they ask is known of both, and true.

    Without the reporting line, exclusions and `known`, which are told to no one.
    """
    breaks: tuple[str, ...] = ()
    """Names of rules that forbid the two; only where a person or a later change put them together."""
    rank: int | None = None
    """1: no one whom the rules allow would have been better in this round (first fewer repeats, then more points)."""
    choices: int = 0
    """How many people the rules allow."""
    better: Alternative | None = None
    """The best of those who would have been better; else someone with more points who was met more often."""


@dataclass(frozen=True, slots=True)
class Why:
    """Whom a person works with in a round, and what speaks for it. Without a group there are no partners."""

    person: PersonId
    partners: tuple[Partner, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """How many of a person's possible partners one rule takes away."""

    rule: str
    removed: int
    unknown: int
    """How many of them because one of the two has no value for what the rule reads."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What stands between a person and a partner in a round."""

    person: PersonId
    removals: tuple[Removal, ...]
    """Every rule that takes someone away, the largest first."""
    candidates: tuple[PersonId, ...]
    """Whom the rules leave: those met least first, then the most welcome."""


@dataclass(frozen=True, slots=True)
class Needed:
    """These `partners` are the only possible partners of all those `needing` one, outside of their own part."""

    needing: Group
    parts: tuple[Group, ...]
    """Those needing a partner, in parts of an odd number between which no one may meet. Mostly of one person each.
    There are more parts than partners, so some people stay without a partner, whatever one does."""
    partners: Group


# ---- questions -------------------------------------------------------------------------------------------------------


def why(schedule: Schedule, person: PersonId, round: int) -> Why:
    """What speaks for the group of a person in a round, counted from 1.

    Raises ImpossibleRequest for a person who is not in `schedule.course` or a round that does not exist. Whoever asks
    more than once makes one `Explanations`.
    """
    return Explanations(schedule).why(person, round)


def why_not(schedule: Schedule, person: PersonId, round: int) -> WhyNot:
    """What stands between a person and a partner in a round, counted from 1. Raises as `why`."""
    return Explanations(schedule).why_not(person, round)


def shortages(schedule: Schedule, round: int) -> tuple[Needed, ...]:
    """Whom too many others need, as the proof of a round shows. Empty for a round without a proof.

    Raises ImpossibleRequest for a round that does not exist.
    """
    return Explanations(schedule).shortages(round)


@dataclass(frozen=True)
class Explanations:
    """Answers many questions about one schedule; what all of them need is worked out once."""

    schedule: Schedule

    def why(self, person: PersonId, number: int) -> Why:
        """As `why`."""
        here = self._round(number)
        place = here.place(person)
        return Why(person, tuple(here.partner(place, partner) for partner in here.group(place) if partner != person))

    def why_not(self, person: PersonId, number: int) -> WhyNot:
        """As `why_not`."""
        here = self._round(number)
        return here.why_not(here.place(person))

    def shortages(self, number: int) -> tuple[Needed, ...]:
        """As `shortages`."""
        return self._round(number).shortages()

    def _round(self, number: int) -> "_Round":
        if number not in self._rounds:
            raise ImpossibleRequest(number)
        return self._rounds[number]

    @cached_property
    def _rounds(self) -> dict[int, "_Round"]:
        course, rounds = self.schedule.course, self.schedule.rounds
        people = People(course.people, course.attributes)
        meetings = [meetings_of(people, groups) for groups in (course.met, *rounds)]
        return {number: _Round(self.schedule, people, meetings, number) for number in range(1, len(rounds) + 1)}


@dataclass(frozen=True)
class _Round:
    """One round. People are places in the course, except where ids are named."""

    schedule: Schedule
    people: People
    meetings: list[NDArray[np.int64]]
    """Keys of the couples who met before the schedule, then in each round."""
    number: int

    # ---- who is where ----

    def place(self, person: PersonId) -> int:
        places = self.places([person])
        if not places:
            raise ImpossibleRequest(person, self.number)
        return places[0]

    def places(self, members: Iterable[PersonId]) -> list[int]:
        """Those of these ids who are in the course."""
        return [place for place in self.people.places(list(members)).tolist() if place >= 0]

    def ids(self, places: Iterable[int]) -> Group:
        return tuple(self.people.ids[list(places)].tolist())

    def group(self, place: int) -> Group:
        """The group of this person, as ids; empty without one."""
        return self._groups.get(int(self.people.ids[place]), ())

    @cached_property
    def _groups(self) -> dict[PersonId, Group]:
        return {person: group for group in self.schedule.rounds[self.number - 1] for person in group}

    @cached_property
    def present(self) -> Bools:
        """For each person, whether they turn up."""
        present = np.ones(len(self.people), dtype=np.bool_)
        unpaired = self.schedule.unpaired
        absent = [out.person for out in unpaired if out.round == self.number and out.reason is Reason.ABSENT]
        present[self.places(absent)] = False
        return present

    @cached_property
    def locked(self) -> list[frozenset[PersonId]]:
        """Who is locked together in this round."""
        locks = self.schedule.course.locks
        return [frozenset(lock.members) for lock in locks if lock.round in {None, self.number}]

    def are_locked(self, *together: PersonId) -> bool:
        """Whether one lock holds all of these ids."""
        return any(lock.issuperset(together) for lock in self.locked)

    # ---- what is so between a person and everyone ----

    @cached_property
    def before(self) -> NDArray[np.int64]:
        """Sorted keys of all meetings before this round; couples who met twice are there twice."""
        return np.sort(np.concatenate(self.meetings[: self.number]))

    @cached_property
    def elsewhere(self) -> NDArray[np.int64]:
        """The same of all meetings but those of this round."""
        return np.sort(np.concatenate(self.meetings[: self.number] + self.meetings[self.number + 1 :]))

    def times(self, meetings: NDArray[np.int64], place: int, others: Places) -> Points:
        """How often this person met these others, by sorted keys."""
        wanted = couple_keys(np.full(len(others), place, dtype=np.int64), others, len(self.people))
        return np.searchsorted(meetings, wanted, side="right") - np.searchsorted(meetings, wanted)

    def refused(self, place: int, others: Places) -> Bools:
        """For each rule and each of these others, whether it forbids the couple. Shape (rules, others).

        "Never again" also forbids those whom the person meets in a later round.
        """
        first = np.full(len(others), place, dtype=np.int64)
        refused = np.zeros((len(self.schedule.course.rules), len(others)), dtype=np.bool_)
        for number, rule in enumerate(self.schedule.course.rules):
            if isinstance(rule, NotAgain):
                refused[number] = self.times(self.elsewhere, place, others) > 0
            else:
                refused[number] = ~rule.allows(self.people, first, others)
        return refused

    def points(self, place: int, others: Places) -> Points:
        """The points of this person with each of these others, allowed or not."""
        first = np.full(len(others), place, dtype=np.int64)
        points = np.zeros(len(others), dtype=np.int64)
        for wish in self.schedule.course.wishes:
            points += wish.points(self.people, first, others)
        return points

    # ---- answers ----

    def partner(self, place: int, person: PersonId) -> Partner:
        """What speaks for this partner of someone."""
        is_locked = self.are_locked(int(self.people.ids[place]), person)
        if not self.places([person]):
            return Partner(person, is_locked=is_locked)
        partner, rules, wishes = self.place(person), self.schedule.course.rules, self.schedule.course.wishes
        everyone = np.arange(len(self.people), dtype=np.int64)
        met, points = self.times(self.before, place, everyone), self.points(place, everyone)
        refused = self.refused(place, everyone)
        possible = self.present & (everyone != place) & ~refused.any(axis=0)
        # Where two meet again later, it is the later round that breaks the rule.
        breaks = tuple(
            rule.name
            for rule, by in zip(rules, refused[:, partner].tolist(), strict=True)
            if by and not (isinstance(rule, NotAgain) and not met[partner])
        )
        possible[partner] = not breaks
        better = possible & ((met < met[partner]) | ((met == met[partner]) & (points > points[partner])))
        elsewhere = ~np.isin(everyone, self.places(self.group(place)))
        wanted = better & elsewhere
        if not wanted.any():
            wanted = possible & elsewhere & (points > points[partner])
        at, other = np.array([place]), np.array([partner])
        given = [(wish.name, int(wish.points(self.people, at, other)[0])) for wish in wishes]
        return Partner(
            person=person,
            met=int(met[partner]),
            is_locked=is_locked,
            wishes=tuple((name, number) for name, number in given if number),
            rules=tuple(name for name in self._told(place, partner) if name not in breaks),
            breaks=breaks,
            rank=1 + int(better.sum()) if possible[partner] else None,
            choices=int(possible.sum()),
            better=self._exchange(place, partner, _first(wanted, met, points)) if wanted.any() else None,
        )

    def _told(self, place: int, partner: int) -> Iterator[str]:
        """The names of rules that say something about two people, and may be told."""
        for rule in self.schedule.course.rules:
            if isinstance(rule, RuleByValue) and not isinstance(rule, Known):
                if rule.known(self.people)[[place, partner]].all():
                    yield rule.name
            elif isinstance(rule, NotAgain):
                yield rule.name

    def _exchange(self, place: int, partner: int, wanted: int) -> Alternative:
        """What it would have meant for the others if `wanted` and the partner of this person had changed places."""
        old, new = self.places(self.group(place)), self.places(self.group(wanted))
        old_after = [wanted if member == partner else member for member in old]
        new_after = [partner if member == wanted else member for member in new]
        strange = [(wanted, member) for member in old_after if member not in {wanted, place}]
        strange += [(partner, member) for member in new_after if member != partner]
        refused = {couple: self.refused(couple[0], np.array(couple[1:]))[:, 0] for couple in strange}
        forbidden = {frozenset(couple) for couple, by in refused.items() if by.any()}
        breaks = np.any([*refused.values()], axis=0) if refused else []
        is_apart = len(new_after) == 2 and frozenset(new_after) in forbidden
        alone = new_after if is_apart else [] if len(new_after) > 1 else [partner]
        others = (member for member in new if member != wanted)
        return Alternative(
            person=self.ids([wanted])[0],
            met=int(self.times(self.before, place, np.array([wanted]))[0]),
            cost=self._worth(place, (old, new), set()) - self._worth(place, (old_after, new_after), forbidden),
            breaks=tuple(rule.name for rule, by in zip(self.schedule.course.rules, breaks, strict=False) if by),
            leaves=self.ids(sorted(alone)),
            is_locked=any(self.are_locked(*self.ids([wanted, member])) for member in others),
        )

    def _worth(self, place: int, groups: Iterable[list[int]], forbidden: set[frozenset[int]]) -> int:
        """The points of these groups for everyone but this person; a forbidden couple is worth nothing."""
        return sum(
            int(self.points(first, np.array([second]))[0]) * (1 if place in {first, second} else 2)
            for group in groups
            for first, second in combinations(group, 2)
            if frozenset((first, second)) not in forbidden
        )

    def why_not(self, place: int) -> WhyNot:
        """What stands between this person and a partner."""
        others = np.flatnonzero(self.present & (np.arange(len(self.people)) != place))
        refused = self.refused(place, others)
        removals = []
        for rule, by in zip(self.schedule.course.rules, refused, strict=True):
            known = rule.known(self.people) if isinstance(rule, RuleByValue) else np.ones(len(self.people), np.bool_)
            unknown = by & ~(known[others] & known[place])
            removals.append(Removal(rule.name, int(by.sum()), int(unknown.sum())))
        left = others[~refused.any(axis=0)]
        order = np.lexsort((left, -self.points(place, left), self.times(self.before, place, left)))
        return WhyNot(
            person=int(self.people.ids[place]),
            removals=tuple(sorted((one for one in removals if one.removed), key=lambda one: (-one.removed, one.rule))),
            candidates=self.ids(left[order].tolist()),
        )

    def shortages(self) -> tuple[Needed, ...]:
        """Everything that the proof of the round says, in pieces that have nothing to do with each other."""
        barriers = [self.places(proof.barrier) for proof in self.schedule.proofs if proof.round == self.number]
        if not barriers:
            return ()
        barrier = np.array(barriers[0], dtype=np.int64)
        couples = Couples(self.schedule.course)
        barred = np.unique(self.elsewhere) if couples.never_again else self.elsewhere[:0]
        # The proof is about those who are not locked, or about everyone.
        free = self.present.copy()
        free[self.places(chain.from_iterable(self.locked))] = False
        for who in (free, self.present):
            about = np.union1d(np.flatnonzero(who), barrier)
            if pieces := odd_parts(couples, barrier, barred, who=about):
                return tuple(
                    Needed(self.ids(piece.needing), tuple(map(self.ids, piece.parts)), self.ids(piece.partners))
                    for piece in pieces
                )
        return ()


def _first(wanted: Bools, met: Points, points: Points) -> int:
    """Of these people the one who was met least and then gives the most points."""
    places = np.flatnonzero(wanted)
    return int(places[np.lexsort((places, -points[places], met[places]))[0]])


# ---- before planning -------------------------------------------------------------------------------------------------


class Concern(StrEnum):
    """What may be wrong: things that are allowed, and seldom meant."""

    NOBODY_HAS = "nobody_has"
    """No one has a value for an attribute that a rule or a wish reads."""
    HALF_UNKNOWN = "half_unknown"
    """Half of the people, or more, have none."""
    UNKNOWN_REFUSED = "unknown_refused"
    """A rule refuses people without a value, and there are such people: they have no possible partner at all."""
    MANAGER_LOOP = "manager_loop"
    """Managers who are above each other."""
    MORE_ROUNDS_THAN_PARTNERS = "more_rounds_than_partners"
    """People who cannot meet someone new in every round."""


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to look at, and whom it concerns."""

    concern: Concern
    about: str
    """The attribute, or the name of the rule for UNKNOWN_REFUSED; empty for rounds."""
    people: tuple[PersonId, ...]
    """Ids: those without a value; the loop from its smallest id up the line; those with too few partners."""


def warnings(course: Course, rounds: int = 0) -> tuple[Caution, ...]:
    """Everything that deserves a look, in the order of `Concern`. `rounds`: how many will be planned.

    Of more than 2,000 people only some of those with too few partners are named. Empty for a course without people.
    """
    if not course.people:
        return ()
    people = People(tuple(sorted(set(course.people))), course.attributes)
    lines = [rule.attribute for rule in course.rules if isinstance(rule, ReportingLine)]
    cautions = [*_unknown(course, people, lines)]
    for rule in course.rules:
        if isinstance(rule, RuleByValue) and not rule.unknown_is_allowed and not rule.known(people).all():
            cautions.append(
                Caution(Concern.UNKNOWN_REFUSED, rule.name, tuple(people.ids[~rule.known(people)].tolist()))
            )
    for attribute in lines:
        cautions += [Caution(Concern.MANAGER_LOOP, attribute, loop) for loop in loops(course.attributes, attribute)]
    return (*cautions, *_too_many_rounds(course, people, rounds))


def _unknown(course: Course, people: People, lines: list[str]) -> list[Caution]:
    cautions = []
    read = [*(rule.reads for rule in course.rules), *(wish.reads for wish in course.wishes)]
    for attribute in dict.fromkeys(chain.from_iterable(read)):
        values = course.attributes.get(attribute, {})
        # That someone has no manager is a known value.
        known = {person for person, value in values.items() if value is not None or attribute in lines}
        missing = tuple(person for person in people.ids.tolist() if person not in known)
        if len(missing) == len(people):
            cautions.append(Caution(Concern.NOBODY_HAS, attribute, missing))
        elif 2 * len(missing) >= len(people):
            cautions.append(Caution(Concern.HALF_UNKNOWN, attribute, missing))
    return sorted(cautions, key=lambda one: one.concern is Concern.HALF_UNKNOWN)


def _too_many_rounds(course: Course, people: People, rounds: int) -> list[Caution]:
    if not rounds:
        return []
    size = {Kind.PAIRS: 2, Kind.TRIOS: 3}.get(course.shape.kind, course.shape.size)
    rules = course.rules if any(isinstance(rule, NotAgain) for rule in course.rules) else (*course.rules, NotAgain())
    few = np.flatnonzero(partners_left(replace(course, rules=rules)) < rounds * (size - 1))
    return [Caution(Concern.MORE_ROUNDS_THAN_PARTNERS, "", tuple(people.ids[few].tolist()))] if len(few) else []
