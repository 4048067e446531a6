"""Everything that decides about the groups of an activity, as plain data, and the course for the engine."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Couple, Course, Lock, Shape, Value
from lti_tool.pairing.rules.comparing import couple_of
from lti_tool.pairing.rules.preferences import Preferences
from lti_tool.pairing.rules.views import Apart

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
