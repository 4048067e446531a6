"""One round of a schedule as explanations look at it: who is there, who sits with whom, who may meet whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import Acquaintance, Keys, meetings_of
from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.rules import NotAgain, Rule
from lti_tool.pairing.engine.schedule import Group, Reason, Schedule


@dataclass(frozen=True)
class Calendar:
    """All rounds of a schedule, and what is the same in all of them."""

    schedule: Schedule

    @cached_property
    def couples(self) -> Couples:
        return Couples(self.schedule.course)

    @cached_property
    def meetings(self) -> list[Keys]:
        """The meetings of every round; first those from before."""
        return [
            meetings_of(self.couples.people, groups) for groups in (self.schedule.course.met, *self.schedule.rounds)
        ]


@dataclass(frozen=True)
class Occasion:
    """One round. People are places in the course, except where ids are named."""

    calendar: Calendar
    number: int

    @property
    def schedule(self) -> Schedule:
        return self.calendar.schedule

    @property
    def couples(self) -> Couples:
        return self.calendar.couples

    # ---- who is where ----------------------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> dict[PersonId, Group]:
        """The group of everybody who has one, by ids."""
        return {person: group for group in self.schedule.rounds[self.number - 1] for person in group}

    def group(self, place: int) -> Group:
        """The group of this person, as ids; empty without one."""
        return self.groups.get(self.id(place), ())

    def id(self, place: int) -> PersonId:
        return int(self.couples.people.ids[place])

    def ids(self, places: Iterable[int]) -> Group:
        return tuple(self.id(place) for place in places)

    def places(self, members: Iterable[PersonId]) -> list[int]:
        """Those of these ids who are in the course."""
        return [place for place in self.couples.people.places(list(members)).tolist() if place >= 0]

    @cached_property
    def present(self) -> Bools:
        """For each person, whether they turn up."""
        present = np.ones(len(self.couples), dtype=np.bool_)
        unpaired = self.schedule.unpaired
        absent = [one.person for one in unpaired if one.round == self.number and one.reason is Reason.ABSENT]
        present[self.places(absent)] = False
        return present

    def others(self, place: int) -> Places:
        """Everybody else who turns up."""
        return np.flatnonzero(self.present & (np.arange(len(self.couples)) != place))

    def is_locked(self, *together: PersonId) -> bool:
        """Whether one lock holds all of these ids in this round."""
        locks = (lock for lock in self.schedule.course.locks if lock.round in {None, self.number})
        return any(set(together) <= set(lock.members) for lock in locks)

    # ---- who met whom ----------------------------------------------------------------------------------------------

    @cached_property
    def _before(self) -> Acquaintance:
        return Acquaintance.of(len(self.couples), *self.calendar.meetings[: self.number])

    @cached_property
    def _elsewhere(self) -> Acquaintance:
        meetings = self.calendar.meetings
        return Acquaintance.of(len(self.couples), *meetings[: self.number], *meetings[self.number + 1 :])

    @property
    def barred(self) -> NDArray[np.int64]:
        """Couples who may not meet because they meet at another time: sorted keys, none without "never again"."""
        return np.unique(self._elsewhere.keys) if self.couples.never_again else np.zeros(0, dtype=np.int64)

    def met(self, place: int, others: Places) -> Points:
        """How often this person met these others before the round."""
        return self._before.times(np.full(len(others), place, dtype=np.int64), others)

    # ---- what the rules say ----------------------------------------------------------------------------------------

    def allows(self, rule: Rule, place: int, others: Places) -> Bools:
        """What one rule says. "Never again" also stands against those whom the person meets in a later round."""
        one = np.full(len(others), place, dtype=np.int64)
        if isinstance(rule, NotAgain):
            never: Bools = self._elsewhere.times(one, others) == 0
            return never
        return rule.allows(self.couples.people, one, others)

    def broken(self, place: int, other: int) -> tuple[str, ...]:
        """The names of the rules that forbid a couple from being formed."""
        one = np.array([other], dtype=np.int64)
        return tuple(rule.name for rule in self.schedule.course.rules if not self.allows(rule, place, one)[0])

    def broken_by_partners(self, place: int, other: int) -> tuple[str, ...]:
        """The names of the rules that two partners break. If they meet again later, it is the later round that does."""
        one = np.array([other], dtype=np.int64)
        have_met = bool(self.met(place, one)[0])
        rules = (rule for rule in self.schedule.course.rules if have_met or not isinstance(rule, NotAgain))
        return tuple(rule.name for rule in rules if not self.allows(rule, place, one)[0])

    def possible(self, place: int) -> Bools:
        """For each person, whether the rules allow them as a partner and they turn up."""
        others = self.others(place)
        one = np.full(len(others), place, dtype=np.int64)
        fits = self.couples.allowed(one, others)
        if self.couples.never_again:
            fits &= self._elsewhere.times(one, others) == 0
        possible = np.zeros(len(self.couples), dtype=np.bool_)
        possible[others[fits]] = True
        return possible

    def points(self, place: int, others: Places) -> Points:
        """The points of this person with each of these others, allowed or not."""
        return self.couples.points(np.full(len(others), place, dtype=np.int64), others)
