"""Why someone works with whom, why someone has no partner or another one now, and what deserves a look before planning.

Answers hold ids of people and names of rules and wishes; `pairing/wording` has the words.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import chain, combinations

import numpy as np

from lti_tool.pairing.engine.costs import partners_left
from lti_tool.pairing.engine.couples import NO_KEYS, Couples, Keys, Meetings, merged
from lti_tool.pairing.engine.people import Bools, People, Places, Points
from lti_tool.pairing.engine.problem import Course, Group, ImpossibleRequest, Kind, PersonId, Reason, Schedule
from lti_tool.pairing.engine.proof import Needed, shortages
from lti_tool.pairing.engine.rules import Known, NotAgain, ReportingLine, RuleByValue, loops, refused


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


@dataclass(frozen=True)
class Explanations:
    """Answers questions about one schedule; what several need is worked out once.

    All raise ImpossibleRequest for a person who is not in `schedule.course` or a round that does not exist.
    """

    schedule: Schedule

    def why(self, person: PersonId, number: int) -> Why:
        """What speaks for the group of a person in a round, counted from 1."""
        here = self._round(number)
        place = here.place(person)
        return Why(person, tuple(here.partner(place, partner) for partner in here.group(place) if partner != person))

    def why_not(self, person: PersonId, number: int) -> WhyNot:
        """What stands between a person and a partner in a round, counted from 1."""
        here = self._round(number)
        return here.why_not(here.place(person))

    def shortages(self, number: int) -> tuple[Needed, ...]:
        """Whom too many others need, as the proof of a round shows. Empty for a round without a proof."""
        return self._round(number).shortages()

    def _round(self, number: int) -> "_Round":
        if number not in self._rounds:
            raise ImpossibleRequest(number)
        return self._rounds[number]

    @cached_property
    def _rounds(self) -> dict[int, "_Round"]:
        couples = Couples(self.schedule.course)
        meetings = [couples.met.keys, *(couples.groups(groups).keys for groups in self.schedule.rounds)]
        numbers = range(1, len(self.schedule.rounds) + 1)
        return {number: _Round(self.schedule, couples, meetings, number) for number in numbers}


@dataclass(frozen=True)
class _Round:
    """One round. People are places in the course, except where ids are named."""

    schedule: Schedule
    couples: Couples
    meetings: list[Keys]
    """Of the couples who met before the schedule, then in each round."""
    number: int

    # ---- who is where ----

    def place(self, person: PersonId) -> int:
        places = self.places([person])
        if not places:
            raise ImpossibleRequest(person, self.number)
        return places[0]

    def places(self, members: Iterable[PersonId]) -> list[int]:
        """Those of these ids who are in the course."""
        return [place for place in self.couples.people.places(list(members)).tolist() if place >= 0]

    def group(self, place: int) -> Group:
        """The group of this person, as ids; empty without one."""
        return self._groups.get(self.couples.ids([place])[0], ())

    @cached_property
    def _groups(self) -> dict[PersonId, Group]:
        return {person: group for group in self.schedule.rounds[self.number - 1] for person in group}

    @cached_property
    def present(self) -> Bools:
        """For each person, whether they turn up."""
        present = np.ones(len(self.couples), dtype=np.bool_)
        unpaired = self.schedule.unpaired
        absent = [out.person for out in unpaired if out.round == self.number and out.reason is Reason.ABSENT]
        present[self.places(absent)] = False
        return present

    @cached_property
    def locked(self) -> list[frozenset[PersonId]]:
        """Who is locked together in this round."""
        locks = self.schedule.course.locks
        return [frozenset(lock.members) for lock in locks if lock.round in {None, self.number}]

    # ---- what is so between a person and others ----

    @cached_property
    def before(self) -> Meetings:
        """All meetings before this round."""
        return Meetings(len(self.couples), merged(*self.meetings[: self.number]))

    @cached_property
    def elsewhere(self) -> Meetings:
        """All meetings but those of this round."""
        return self.before.also(*self.meetings[self.number + 1 :])

    def refused(self, place: int, others: Places) -> Bools:
        """For each rule and each of these others, whether it forbids the couple. Shape (rules, others).

        "Never again" also forbids those whom the person meets in a later round.
        """
        first = np.full_like(others, place)
        again = self.elsewhere.times(first, others) > 0
        return refused(self.schedule.course.rules, self.couples.people, first, others, again)

    def welcome(self, place: int, others: Places) -> tuple[Points, Points]:
        """How often this person met each of these others before, and the points of the two, allowed or not."""
        first = np.full_like(others, place)
        return self.before.times(first, others), self.couples.points(first, others)

    # ---- answers ----

    def partner(self, place: int, person: PersonId) -> Partner:
        """What speaks for this partner of someone."""
        is_locked = any(lock.issuperset((self.couples.ids([place])[0], person)) for lock in self.locked)
        if not self.places([person]):
            return Partner(person, is_locked=is_locked)
        partner, people, rules = self.place(person), self.couples.people, self.schedule.course.rules
        everyone = np.arange(len(people), dtype=np.int64)
        met, points = self.welcome(place, everyone)
        against = self.refused(place, everyone)
        possible = self.present & (everyone != place) & ~against.any(axis=0)
        # Where two meet again later, it is the later round that breaks the rule.
        breaks = tuple(
            rule.name
            for rule, by in zip(rules, against[:, partner].tolist(), strict=True)
            if by and not (isinstance(rule, NotAgain) and not met[partner])
        )
        possible[partner] = not breaks
        better = possible & ((met < met[partner]) | ((met == met[partner]) & (points > points[partner])))
        elsewhere = ~np.isin(everyone, self.places(self.group(place)))
        wanted = np.flatnonzero(better & elsewhere)
        if not len(wanted):
            wanted = np.flatnonzero(possible & elsewhere & (points > points[partner]))
        wanted = wanted[np.lexsort((wanted, -points[wanted], met[wanted]))]
        at, beside = np.array([place]), np.array([partner])
        given = ((wish.name, int(wish.points(people, at, beside)[0])) for wish in self.schedule.course.wishes)
        return Partner(
            person=person,
            met=int(met[partner]),
            is_locked=is_locked,
            wishes=tuple((name, number) for name, number in given if number),
            rules=tuple(name for name in self._told(place, partner) if name not in breaks),
            breaks=breaks,
            rank=1 + int(better.sum()) if possible[partner] else None,
            choices=int(possible.sum()),
            better=self._exchange(place, partner, int(wanted[0])) if len(wanted) else None,
        )

    def _told(self, place: int, partner: int) -> Iterator[str]:
        """The names of rules that say something about two people, and may be told."""
        for rule in self.schedule.course.rules:
            if isinstance(rule, RuleByValue) and not isinstance(rule, Known):
                if rule.known(self.couples.people)[[place, partner]].all():
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
        against = {couple: self.refused(couple[0], np.array(couple[1:]))[:, 0] for couple in strange}
        forbidden = {frozenset(couple) for couple, by in against.items() if by.any()}
        breaks = np.any([*against.values()], axis=0) if against else []
        is_apart = len(new_after) == 2 and frozenset(new_after) in forbidden
        alone = new_after if is_apart else [] if len(new_after) > 1 else [partner]
        beside = [self.couples.ids([wanted, member]) for member in new if member != wanted]
        return Alternative(
            person=self.couples.ids([wanted])[0],
            met=int(self.welcome(place, np.array([wanted]))[0][0]),
            cost=self._worth(place, (old, new), set()) - self._worth(place, (old_after, new_after), forbidden),
            breaks=tuple(rule.name for rule, by in zip(self.schedule.course.rules, breaks, strict=False) if by),
            leaves=self.couples.ids(sorted(alone)),
            is_locked=any(lock.issuperset(couple) for lock in self.locked for couple in beside),
        )

    def _worth(self, place: int, groups: Iterable[list[int]], forbidden: set[frozenset[int]]) -> int:
        """The points of these groups for everyone but this person; a forbidden couple is worth nothing."""
        return sum(
            int(self.couples.points(np.array([first]), np.array([second]))[0]) * (1 if place in {first, second} else 2)
            for group in groups
            for first, second in combinations(group, 2)
            if frozenset((first, second)) not in forbidden
        )

    def why_not(self, place: int) -> WhyNot:
        """What stands between this person and a partner."""
        others = np.flatnonzero(self.present & (np.arange(len(self.couples)) != place))
        against, people = self.refused(place, others), self.couples.people
        removals = []
        for rule, by in zip(self.schedule.course.rules, against, strict=True):
            known = rule.known(people) if isinstance(rule, RuleByValue) else np.ones(len(people), np.bool_)
            unknown = by & ~(known[others] & known[place])
            removals.append(Removal(rule.name, int(by.sum()), int(unknown.sum())))
        left = others[~against.any(axis=0)]
        met, points = self.welcome(place, left)
        return WhyNot(
            person=self.couples.ids([place])[0],
            removals=tuple(
                sorted(filter(lambda rule: rule.removed, removals), key=lambda rule: (-rule.removed, rule.rule))
            ),
            candidates=self.couples.ids(left[np.lexsort((left, -points, met))].tolist()),
        )

    def shortages(self) -> tuple[Needed, ...]:
        """Everything that the proof of the round says, in pieces that have nothing to do with each other."""
        barriers = [self.places(proof.barrier) for proof in self.schedule.proofs if proof.round == self.number]
        if not barriers:
            return ()
        barrier = np.array(barriers[0], dtype=np.int64)
        banned = np.unique(self.elsewhere.keys) if self.couples.never_again else NO_KEYS
        # The proof is about those who are not locked, or about everyone.
        free = self.present.copy()
        free[self.places(chain.from_iterable(self.locked))] = False
        about = (np.union1d(np.flatnonzero(who), barrier) for who in (free, self.present))
        return next(filter(None, (shortages(self.couples, barrier, banned, who) for who in about)), ())


# ---- after a change --------------------------------------------------------------------------------------------------


class Cause(StrEnum):
    """Why someone is with others than before. None of them says anything about another person."""

    JOINED = "joined"
    """They are new, or take part again."""
    HAD_NOBODY = "had_nobody"
    """They had no partner before."""
    ABSENT = "absent"
    """They themselves do not turn up in the round."""
    PARTNER_LEFT = "partner_left"
    """Someone of their group left the course."""
    PARTNER_ABSENT = "partner_absent"
    """Someone of their group does not turn up in the round."""
    SOMEBODY_JOINED = "somebody_joined"
    """Their group stays together and someone comes to it."""
    MADE_ROOM = "made_room"
    """Their group could have stayed; it changed so that someone else has a partner."""
    RULE_CHANGED = "rule_changed"
    """Their group breaks a rule or a lock that holds now."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """Someone who is here has other company than before in a round, or none any more."""

    person: PersonId
    round: int
    cause: Cause


def changes(before: Schedule, after: Schedule) -> tuple[Change, ...]:
    """Everyone who is in `after` and is with others than in `before`, by person and round, with the first cause.

    `after.course` says who is here and what holds. Who left is not among them, and nobody is whose group is the same,
    in whatever order of turn. The two schedules have the same number of rounds.
    """
    course = after.course
    if not course.people:
        seated = {person for groups in after.rounds for group in groups for person in group}
        course = replace(course, people=tuple(seated.union(out.person for out in after.unpaired)))
    couples = Couples(course)
    result: list[Change] = []
    met = couples.met
    for number, (old, new) in enumerate(zip(before.rounds, after.rounds, strict=True), start=1):
        reasons = [
            {out.person: out.reason for out in schedule.unpaired if out.round == number} for schedule in (before, after)
        ]
        left, came = set(map(frozenset, old)).difference(map(frozenset, new)), set(map(frozenset, new))
        was = {person: group for group in left for person in group}
        now = {person: group for group in came.difference(map(frozenset, old)) for person in group}
        locks = [frozenset(lock.members) for lock in course.locks if lock.round in {None, number}]
        could_stay = {group: _could_stay(couples, group, locks, met) for group in left}
        for person in {**was, **now}.keys() & set(course.people):
            cause = _cause(person, was.get(person), now.get(person, frozenset()), reasons, set(course.people))
            if cause is Cause.MADE_ROOM and not could_stay[was[person]]:
                cause = Cause.RULE_CHANGED
            result.append(Change(person, number, cause))
        met = met.also(couples.groups(new).keys)
    return tuple(sorted(result))


def _cause(
    person: PersonId,
    was: frozenset[PersonId] | None,
    now: frozenset[PersonId],
    reasons: list[dict[PersonId, Reason]],
    here: set[PersonId],
) -> Cause:
    before, after = reasons
    if after.get(person) is Reason.ABSENT:
        return Cause.ABSENT
    if was is None:
        return Cause.JOINED if before.get(person, Reason.ABSENT) is Reason.ABSENT else Cause.HAD_NOBODY
    if was - here:
        return Cause.PARTNER_LEFT
    if any(after.get(member) is Reason.ABSENT for member in was):
        return Cause.PARTNER_ABSENT
    return Cause.SOMEBODY_JOINED if was < now else Cause.MADE_ROOM


def _could_stay(
    couples: Couples, company: frozenset[PersonId], locks: Iterable[frozenset[PersonId]], met: Meetings
) -> bool:
    """Whether rules and locks let these people stay together."""
    places = couples.people.places(sorted(company))
    if (places < 0).any() or any(lock & company and not lock <= company for lock in locks):
        return False
    first, second = np.triu_indices(len(places), 1)
    return bool(couples.allowed(places[first], places[second], met).all())


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
            missing = tuple(people.ids[~rule.known(people)].tolist())
            cautions.append(Caution(Concern.UNKNOWN_REFUSED, rule.name, missing))
    for attribute in lines:
        cautions += [Caution(Concern.MANAGER_LOOP, attribute, loop) for loop in loops(course.attributes, attribute)]
    if rounds:
        size = {Kind.PAIRS: 2, Kind.TRIOS: 3}.get(course.shape.kind, course.shape.size)
        left = partners_left(replace(course, rules=(*course.rules, NotAgain())))
        few = tuple(people.ids[left < rounds * (size - 1)].tolist())
        cautions += [Caution(Concern.MORE_ROUNDS_THAN_PARTNERS, "", few)] if few else []
    return tuple(cautions)


def _unknown(course: Course, people: People, lines: list[str]) -> list[Caution]:
    cautions = []
    read = [*(rule.reads for rule in course.rules), *(wish.reads for wish in course.wishes)]
    for attribute in dict.fromkeys(chain.from_iterable(read)):
        values = course.attributes.get(attribute, {})
        # That someone has no manager is a known value.
        known = {person for person, value in values.items() if value is not None or attribute in lines}
        missing = tuple(person for person in people.ids.tolist() if person not in known)
        if 2 * len(missing) >= len(people):
            concern = Concern.NOBODY_HAS if len(missing) == len(people) else Concern.HALF_UNKNOWN
            cautions.append(Caution(concern, attribute, missing))
    return sorted(cautions, key=lambda caution: caution.concern is Concern.HALF_UNKNOWN)
