"""What a designer should know before planning: things that are allowed, and seldom meant."""

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

import numpy as np

from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.explanations.costing import partners_left
from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.rules import NotAgain, ReportingLine, RuleByValue, loops


class Concern(StrEnum):
    """What may be wrong."""

    NOBODY_HAS = "nobody_has"
    """An attribute that a rule or a wish reads is known of nobody."""
    HALF_UNKNOWN = "half_unknown"
    """It is unknown of half of the people, or more."""
    UNKNOWN_REFUSED = "unknown_refused"
    """A rule refuses everybody of whom something is unknown, and there are such people: they have no partner at all."""
    MANAGER_LOOP = "manager_loop"
    """Managers who are above each other."""
    MORE_ROUNDS_THAN_PARTNERS = "more_rounds_than_partners"
    """People who cannot meet somebody new in every round."""


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to look at, and whom it concerns."""

    concern: Concern
    about: str
    """The attribute, or the name of the rule for UNKNOWN_REFUSED; empty for rounds."""
    people: tuple[PersonId, ...]
    """Ids: those of whom it is unknown; the loop from its smallest id up the line; those with too few partners."""


def warnings(course: Course, rounds: int = 0) -> tuple[Caution, ...]:
    """Everything that deserves a look, in the order of `Concern`. `rounds`: how many will be planned.

    Of more than 2,000 people only some of those with too few partners are found. Nobody to group, nothing to say.
    """
    if not course.people:
        return ()
    people = People(tuple(sorted(set(course.people))), course.attributes)
    return (*_unknown(course, people), *_refused(course, people), *_loops(course), *_rounds(course, people, rounds))


def _unknown(course: Course, people: People) -> list[Caution]:
    with_none = {rule.attribute for rule in course.rules if isinstance(rule, ReportingLine)}
    found = []
    read = [rule.reads for rule in course.rules] + [wish.reads for wish in course.wishes]
    for attribute in dict.fromkeys(chain.from_iterable(read)):
        values = course.attributes.get(attribute, {})
        ids = people.ids.tolist()
        missing = tuple(one for one in ids if one not in values or (values[one] is None and attribute not in with_none))
        if len(missing) == len(ids):
            found.append(Caution(Concern.NOBODY_HAS, attribute, missing))
        elif 2 * len(missing) >= len(ids):
            found.append(Caution(Concern.HALF_UNKNOWN, attribute, missing))
    return sorted(found, key=lambda one: one.concern is Concern.HALF_UNKNOWN)


def _refused(course: Course, people: People) -> list[Caution]:
    strict = [rule for rule in course.rules if isinstance(rule, RuleByValue) and not rule.unknown_is_allowed]
    unknown = [(rule, tuple(people.ids[~rule.known(people)].tolist())) for rule in strict]
    return [Caution(Concern.UNKNOWN_REFUSED, rule.name, missing) for rule, missing in unknown if missing]


def _loops(course: Course) -> list[Caution]:
    lines = [rule.attribute for rule in course.rules if isinstance(rule, ReportingLine)]
    return [
        Caution(Concern.MANAGER_LOOP, attribute, loop)
        for attribute in lines
        for loop in loops(course.attributes, attribute)
    ]


def _rounds(course: Course, people: People, rounds: int) -> list[Caution]:
    size = {Kind.PAIRS: 2, Kind.TRIOS: 3}.get(course.shape.kind, course.shape.size)
    fresh = course.rules if any(isinstance(rule, NotAgain) for rule in course.rules) else (*course.rules, NotAgain())
    left = partners_left(replace(course, rules=fresh)) if rounds else np.zeros(0, dtype=np.int64)
    few = tuple(people.ids[np.flatnonzero(left < rounds * (size - 1))].tolist())
    return [Caution(Concern.MORE_ROUNDS_THAN_PARTNERS, "", few)] if few else []
