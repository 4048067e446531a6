"""A plan as it is now, with everything that decides about its groups. Plain data."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Final

from lti_tool.pairing import engine
from lti_tool.pairing.engine import (
    Breach,
    Couple,
    Course,
    Group,
    Lock,
    Placed,
    Reason,
    Schedule,
    Shape,
    Unpaired,
    Value,
    Violation,
)
from lti_tool.pairing.rules import comparing
from lti_tool.pairing.rules.comparing import couple_of, couples_in
from lti_tool.pairing.rules.preferences import Preferences
from lti_tool.pairing.rules.views import Apart, Unplaced

UTC_OFFSET: Final = "utc_offset"
"""The attribute for time zones in the engine: minutes ahead."""
NO_HISTORY: Final = Course(())


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything that decides about the groups of an activity. A change is computed from changed conditions."""

    learners: tuple[int, ...]
    wanted: Preferences
    attributes: Mapping[str, Mapping[int, Value]] = field(default_factory=dict)
    pins: tuple[Lock, ...] = ()
    apart: tuple[tuple[int, int, Apart], ...] = ()
    """Couples, the smaller id first, and whether never or only if it can be avoided."""
    history: Course = NO_HISTORY
    """Who met, was ahead, in trios and left out in published plans of other activities of the course."""

    def course(self, shape: Shape | None = None) -> Course:
        """The course for the engine, with the attributes that a rule or wish reads.

        `shape` is that of an existing plan.
        """
        people = frozenset(self.learners)
        wanted = self.wanted if shape is None else replace(self.wanted, kind=shape.kind, size=shape.size)
        rules, wishes = wanted.to_engine()
        history = self.history if wanted.history_counts else NO_HISTORY
        return Course(
            people=tuple(sorted(people)),
            met=history.met,
            attributes={name: values for name, values in self._attributes().items() if name in wanted.reads},
            rules=(*rules, *self._rules_of_couples()),
            wishes=wishes,
            locks=self._locks(people),
            shape=wanted.shape,
            ahead={person: turns for person, turns in sorted(history.ahead.items()) if person in people and turns},
            left_out=history.left_out & people,
            in_trios={person: times for person, times in sorted(history.in_trios.items()) if person in people},
        )

    def known(self) -> Counter[str]:
        """For how many learners each attribute is known; having no manager counts as known."""
        return Counter(
            name
            for name, values in self.attributes.items()
            for person in self.learners
            if person in values and (values[person] is not None or name == "manager")
        )

    def with_apart(self, couple: Couple, kind: Apart) -> "Conditions":
        """With two people kept apart; an earlier decision about the two is replaced."""
        couple = couple_of(*couple)
        rest = tuple(pair for pair in self.apart if pair[:2] != couple)
        return replace(self, apart=(*rest, (*couple, kind)))

    def _rules_of_couples(self) -> Iterable[engine.Rule]:
        never, avoided = (
            tuple(sorted((first, second) for first, second, firmly in self.apart if firmly is kind)) for kind in Apart
        )
        if never:
            yield engine.Exclusions(couples=never)
        if avoided and self.wanted.should_not_holds:
            yield engine.ShouldNot(couples=avoided)

    def _attributes(self) -> dict[str, Mapping[int, Value]]:
        """What is known, with minutes ahead instead of time zones, which the engine does not look up."""
        attributes = dict(self.attributes)
        zones = attributes.pop("time_zone", {})
        ahead = {
            zone: engine.minutes_ahead(str(zone)) for zone in sorted({str(zone) for zone in zones.values() if zone})
        }
        offsets = {person: ahead.get(str(zone)) for person, zone in zones.items()}
        attributes[UTC_OFFSET] = {person: minutes for person, minutes in offsets.items() if minutes is not None}
        return attributes

    def _locks(self, people: frozenset[int]) -> tuple[Lock, ...]:
        """Pins of people in the course; with fewer than two of them a pin has no effect."""
        pins = (Lock(tuple(person for person in pin.members if person in people), pin.round) for pin in self.pins)
        return tuple(pin for pin in pins if len(pin.members) > 1)


WAITS: Final = Reason.NOBODY_ELSE
"""The reason for everyone without a group until the engine has looked for a partner."""


@dataclass(frozen=True)
class CurrentPlan:
    """A plan as it is now, and everything that decides about its groups."""

    activity_id: int
    plan_id: int
    schedule: Schedule
    """As it is stored, without a course."""
    fixed: frozenset[Placed]
    """Groups that have begun."""
    from_round: int
    """The first round that is not over; those before stay as they are."""
    shape: Shape
    """The shape that the plan was made in; later changes keep it."""
    conditions: Conditions
    absent: frozenset[tuple[int, int]]
    """Round and person, for everyone who is absent in a round."""

    @cached_property
    def course(self) -> Course:
        """Today's learners, rules and pins for the engine."""
        return self.conditions.course(self.shape)

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """Every group with the number of its round."""
        numbered = enumerate(self.schedule.rounds, start=1)
        return tuple((number, group) for number, groups in numbered for group in groups)

    @cached_property
    def seated(self) -> frozenset[int]:
        """Everyone who has a group in some round."""
        return frozenset(person for _, group in self.placed for person in group)

    @property
    def known(self) -> frozenset[int]:
        """Everyone who takes part, or has a group."""
        return self.seated.union(self.course.people)

    @cached_property
    def gone(self) -> frozenset[int]:
        """Those of them who no longer take part."""
        return self.seated.difference(self.course.people)

    @property
    def gone_from_open(self) -> list[int]:
        """Those who no longer take part and are in a group that can still be changed."""
        return sorted(self._gone_from(is_fixed=False))

    @property
    def gone_from_begun(self) -> list[int]:
        """The others who no longer take part: their groups have begun, so that these stay as they are."""
        return sorted(self._gone_from(is_fixed=True) - self._gone_from(is_fixed=False))

    def _gone_from(self, *, is_fixed: bool) -> frozenset[int]:
        """Who no longer takes part and is in such a group of a round that is not over."""
        groups = [at[1] for at in self.placed if at[0] >= self.from_round and (at in self.fixed) is is_fixed]
        return self.gone.intersection(chain.from_iterable(groups))

    @cached_property
    def unplaced(self) -> tuple[Unplaced, ...]:
        """Today's learners without a group, by round."""
        return tuple(
            Unplaced(person, number, self._reasons.get((number, person)))
            for number, groups in enumerate(self.schedule.rounds, start=1)
            for person in sorted(set(self.course.people).difference(*groups))
        )

    @property
    def unplaced_ahead(self) -> tuple[Unplaced, ...]:
        """Those of them in rounds that are not over."""
        return tuple(missing for missing in self.unplaced if missing.round_number >= self.from_round)

    @cached_property
    def judged(self) -> Schedule:
        """The schedule with the course of today in it."""
        return replace(self.schedule, course=self.course)

    @property
    def repeats(self) -> int:
        """Meetings of two people who also meet in another round or another activity of the course."""
        return engine.repeats(self.conditions.history, self.schedule)

    @cached_property
    def broken(self) -> tuple[Violation, ...]:
        """Groups that break a rule of today, and pins that are not kept, in rounds that are not over."""
        return comparing.broken(self.course, self.schedule.rounds, from_round=self.from_round)

    def flaws(self) -> list[engine.Violation]:
        """What the checker finds in rounds that are not over, except in begun groups and what is in `broken`."""
        course, fixed = self.tolerating(self.course)
        return engine.verify(course, self.schedule, from_round=self.from_round, fixed=fixed)

    def schedule_for(self, course: Course) -> Schedule:
        """The schedule for the engine: everyone of the course has a group or is listed as unpaired."""
        unpaired = [missing for missing in self.schedule.unpaired if missing.round < self.from_round]
        for number, groups in enumerate(self.schedule.rounds[self.from_round - 1 :], start=self.from_round):
            for person in sorted(set(course.people).difference(*groups)):
                is_absent, known = (number, person) in self.absent, self._reasons.get((number, person), WAITS)
                reason = Reason.ABSENT if is_absent else WAITS if known is Reason.ABSENT else known
                unpaired.append(Unpaired(person, number, reason))
        people = tuple(sorted(self.seated.union(course.people)))
        return replace(self.schedule, course=replace(course, people=people), unpaired=tuple(unpaired))

    def group_of(self, member_id: int, round_number: int) -> Group | None:
        """The group of a person in a round."""
        return next((group for number, group in self.placed if number == round_number and member_id in group), None)

    def tolerating(self, course: Course) -> tuple[Course, frozenset[Placed]]:
        """The course without pins that are not kept today, and the groups that stay: those begun and those broken.

        A broken group is not among them if a member left, because it changes anyway.
        """
        missed = {(breach.round, breach.people) for breach in self.broken if breach.breach is Breach.LOCK}
        couples = {(breach.round, breach.people) for breach in self.broken if breach.breach is Breach.RULE}
        against_rules = {
            (number, group)
            for number, group in self.placed
            if not self.gone & set(group) and any((number, couple) in couples for couple in couples_in([group]))
        }
        if missed:
            locks = [lock for lock in self.locks(course) if (lock.round, tuple(sorted(lock.members))) not in missed]
            course = replace(course, locks=tuple(locks))
        return course, self.fixed | against_rules

    def locks(self, course: Course) -> list[Lock]:
        """The locks of a course, one for each round of the plan."""
        return [
            replace(lock, round=number)
            for number in range(1, len(self.schedule.rounds) + 1)
            for lock in course.locks
            if lock.round in {None, number}
        ]

    @cached_property
    def _reasons(self) -> dict[tuple[int, int], Reason]:
        """Why people are without a partner, by round and person."""
        return {(missing.round, missing.person): missing.reason for missing in self.schedule.unpaired}
