"""Who has another company after a change, in which round, and why: what everyone moved is told."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.schedule import Reason, Schedule


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
        course = replace(course, people=_everyone(after))
    couples = Couples(course)
    found: list[Change] = []
    for number in range(1, len(after.rounds) + 1):
        found += _Round(number, before, after, couples).changes()
    return tuple(sorted(found))


def _everyone(schedule: Schedule) -> tuple[PersonId, ...]:
    seated = {person for groups in schedule.rounds for group in groups for person in group}
    return tuple(sorted(seated.union(one.person for one in schedule.unpaired)))


class _Round:
    def __init__(self, number: int, before: Schedule, after: Schedule, couples: Couples) -> None:
        self.number, self.after, self.couples = number, after, couples
        self.here = frozenset(couples.course.people)
        old, new = before.rounds[number - 1], after.rounds[number - 1]
        stays, stayed = frozenset(new), frozenset(old)
        self.company = {person: frozenset(group) for group in old if group not in stays for person in group}
        self.now = {person: frozenset(group) for group in new if group not in stayed for person in group}
        self.alone_before = {one.person: one.reason for one in before.unpaired if one.round == number}
        alone = {one.person: one.reason for one in after.unpaired if one.round == number}
        self.absent = frozenset(person for person, reason in alone.items() if reason is Reason.ABSENT)

    def changes(self) -> list[Change]:
        moved = [person for person in {**self.company, **self.now} if person in self.here]
        return [
            Change(person, self.number, self._cause(person))
            for person in moved
            if self.company.get(person) != self.now.get(person)
        ]

    def _cause(self, person: PersonId) -> Cause:
        if person in self.absent:
            return Cause.ABSENT
        company = self.company.get(person)
        if company is None:
            return (
                Cause.HAD_NOBODY if self.alone_before.get(person, Reason.ABSENT) is not Reason.ABSENT else Cause.JOINED
            )
        if company - self.here:
            return Cause.PARTNER_LEFT
        if company & self.absent:
            return Cause.PARTNER_ABSENT
        if company < self.now.get(person, frozenset()):
            return Cause.SOMEBODY_JOINED
        return Cause.MADE_ROOM if self._could_stay(company) else Cause.RULE_CHANGED

    def _could_stay(self, company: frozenset[PersonId]) -> bool:
        """Whether rules and locks let these people stay together."""
        locks = (
            set(lock.members) & self.here for lock in self.couples.course.locks if lock.round in {None, self.number}
        )
        if any(lock & company and not lock <= company for lock in locks if len(lock) > 1):
            return False
        places = self.couples.people.places(sorted(company))
        first, second = np.triu_indices(len(places), 1)
        if not self.couples.allowed(places[first], places[second]).all():
            return False
        return not (self.couples.never_again and self._met_before(company))

    def _met_before(self, company: frozenset[PersonId]) -> bool:
        earlier = self.after.rounds[: self.number - 1]
        groups = (*self.couples.course.met, *(group for groups in earlier for group in groups))
        return any(len(company.intersection(group)) > 1 for group in groups)
