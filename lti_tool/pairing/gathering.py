"""Gathers what the engine is told of an activity: who takes part, what is known, who met, what is wanted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.attributes.service import attributes_of
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Lock, Shape, Value
from lti_tool.pairing.engine.rules import Exclusions, Rule, ShouldNot
from lti_tool.pairing.engine.wishes import minutes_ahead
from lti_tool.pairing.models import Absence, Group, Plan, Seat
from lti_tool.pairing.preferences import Preferences
from lti_tool.pairing.rules import ForbidKind
from lti_tool.pairing.wanting import exclusions_of, pins_of, preferences_of
from lti_tool.roster.service import learners_to_pair

UTC_OFFSET: Final = "utc_offset"
"""The attribute that stands for time zones in the engine: minutes ahead."""


@dataclass(frozen=True, slots=True)
class Past:
    """What other activities of the course leave behind: published plans count, drafts do not."""

    met: tuple[engine.Couple, ...] = ()
    ahead: Mapping[int, int] = field(default_factory=dict)
    in_trios: Mapping[int, int] = field(default_factory=dict)
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that has a say in the groups of an activity.

    What a change would do is computed from another one of these: `with_pin`, `apart` and the others say what will be
    kept when the change is made.
    """

    learners: tuple[int, ...]
    wanted: Preferences
    attributes: Mapping[str, Mapping[int, Value]]
    pins: tuple[Lock, ...]
    exclusions: tuple[tuple[int, int, ForbidKind], ...]
    past: Past

    def course(self, shape: Shape | None = None) -> Course:
        """The course as the engine is told of it; `shape` is that of a plan which is there already."""
        wanted = self.wanted if shape is None else replace(self.wanted, kind=shape.kind, size=shape.size)
        return course_of(
            self.learners,
            wanted,
            attributes=self.attributes,
            pins=self.pins,
            exclusions=self.exclusions,
            past=self.past,
        )

    def known(self) -> Counter[str]:
        """Of how many learners each attribute is known; that nobody leads somebody is known, too."""
        return Counter(
            name
            for name, values in self.attributes.items()
            for one in self.learners
            if one in values and (values[one] is not None or name == "manager")
        )

    def with_pin(self, members: tuple[int, ...], round_number: int | None) -> "Gathered":
        """With one more pin."""
        return replace(self, pins=(*self.pins, Lock(members, round_number)))

    def apart(self, one: int, other: int, kind: ForbidKind) -> "Gathered":
        """With two people kept apart; what was said of the two before holds no more."""
        couple = min(one, other), max(one, other)
        kept = tuple(said for said in self.exclusions if said[:2] != couple)
        return replace(self, exclusions=(*kept, (*couple, kind)))

    def without_rules(self, names: Iterable[str]) -> "Gathered":
        """With these rules switched off, by their names in the engine."""
        wanted = self.wanted
        for name in sorted(names):
            wanted = wanted.without(name)
        return replace(self, wanted=wanted)

    def left_out(self, member_id: int) -> "Gathered":
        """With one learner who takes part no longer."""
        return replace(self, learners=tuple(one for one in self.learners if one != member_id))


def gather(session: Session, activity: Activity) -> Gathered:
    """Read what has a say in the groups of an activity today. It asks the same few questions of any course."""
    return Gathered(
        learners_of(session, activity),
        preferences_of(session, activity).preferences,
        attributes_of(session, activity.course_id),
        tuple(Lock(pin.members, pin.round_number) for pin in pins_of(session, activity.id)),
        tuple((one.one_id, one.other_id, one.kind) for one in exclusions_of(session, activity.course_id)),
        past_of(session, activity),
    )


def course_for(session: Session, activity: Activity, shape: Shape | None = None) -> Course:
    """The course of an activity as the engine is told of it today; `shape` is that of a plan which is there already."""
    return gather(session, activity).course(shape)


def course_of(
    learners: Iterable[int],
    wanted: Preferences,
    *,
    attributes: Mapping[str, Mapping[int, Value]] | None = None,
    pins: Iterable[Lock] = (),
    exclusions: Iterable[tuple[int, int, ForbidKind]] = (),
    past: Past = Past(),
) -> Course:
    """The engine's course, put together from plain values. Only attributes that a rule or a wish reads go in."""
    people = frozenset(learners)
    rules, wishes = wanted.to_engine()
    counted = past if wanted.history_counts else Past()
    return Course(
        people=tuple(sorted(people)),
        met=counted.met,
        attributes={name: values for name, values in _known(attributes or {}).items() if name in wanted.reads},
        rules=(*rules, *_exclusion_rules(exclusions, wanted)),
        wishes=wishes,
        locks=_locks(pins, people),
        shape=wanted.shape,
        ahead={one: turns for one, turns in sorted(counted.ahead.items()) if one in people and turns},
        left_out=counted.left_out & people,
        in_trios={one: times for one, times in sorted(counted.in_trios.items()) if one in people},
    )


def learners_of(session: Session, activity: Activity) -> tuple[int, ...]:
    """Members who take part in pairing, by id: those whom the platform lets open the activity."""
    return tuple(learners_to_pair(session, activity.course_id, activity.placement_id))


def past_of(session: Session, activity: Activity) -> Past:
    """What published plans of the course's other activities say of who met, who began, and who was left out last."""
    plans = session.scalars(
        select(Plan)
        .join(Activity, Activity.id == Plan.activity_id)
        .where(Activity.course_id == activity.course_id, Activity.id != activity.id, Plan.state == "published")
        .order_by(Plan.published_at, Plan.id)
    ).all()
    if not plans:
        return Past()
    groups: dict[int, list[int]] = defaultdict(list)
    sizes: dict[int, set[int]] = defaultdict(set)
    for plan_id, group_id, member_id in session.execute(
        select(Seat.plan_id, Seat.group_id, Seat.member_id)
        .where(Seat.plan_id.in_([plan.id for plan in plans]))
        .order_by(Seat.plan_id, Seat.round_id, Seat.group_id, Seat.turn)
    ):
        groups[group_id].append(member_id)
        sizes[plan_id].add(group_id)
    ahead = engine.balance([[tuple(people) for people in groups.values()]])
    in_trios: Counter[int] = Counter()
    for of_plan in sizes.values():
        # Where others sat in pairs, a trio is the exception that goes round.
        if any(len(groups[one]) == 2 for one in of_plan):
            in_trios.update(person for one in of_plan if len(groups[one]) == 3 for person in groups[one])
    return Past(
        met=tuple(couple for people in groups.values() for couple in combinations(sorted(people), 2)),
        ahead=ahead,
        in_trios=in_trios,
        left_out=_left_out(session, plans[-1]),
    )


def absences_of(session: Session, activity_id: int) -> dict[int, frozenset[int]]:
    """For each round number, who staff said does not turn up in it."""
    found: dict[int, set[int]] = defaultdict(set)
    for number, member_id in session.execute(
        select(Round.number, Absence.member_id)
        .join(Round, Round.id == Absence.round_id)
        .where(Round.activity_id == activity_id)
        .order_by(Round.number, Absence.member_id)
    ):
        found[number].add(member_id)
    return {number: frozenset(people) for number, people in found.items()}


def _left_out(session: Session, plan: Plan) -> frozenset[int]:
    last = session.scalar(
        select(Round.number)
        .join(Group, Group.round_id == Round.id)
        .where(Group.plan_id == plan.id)
        .order_by(Round.number.desc())
        .limit(1)
    )
    return frozenset(
        member_id for number, member_id, why in plan.unpaired if number == last and why != engine.Reason.ABSENT
    )


def _exclusion_rules(exclusions: Iterable[tuple[int, int, ForbidKind]], wanted: Preferences) -> tuple[Rule, ...]:
    by_kind: dict[ForbidKind, list[engine.Couple]] = {kind: [] for kind in ForbidKind}
    for one, other, said in exclusions:
        by_kind[said].append((one, other))
    never, rather_not = (tuple(sorted(by_kind[kind])) for kind in (ForbidKind.NEVER, ForbidKind.RATHER_NOT))
    rules: list[Rule] = []
    if never:
        rules.append(Exclusions(couples=never))
    if rather_not and wanted.should_not_holds:
        rules.append(ShouldNot(couples=rather_not))
    return tuple(rules)


def _known(attributes: Mapping[str, Mapping[int, Value]]) -> dict[str, Mapping[int, Value]]:
    """What is known, and how far everybody's clock is ahead, which the engine must not look up by itself."""
    found = dict(attributes)
    zones = found.pop("time_zone", {})
    ahead = {zone: minutes_ahead(str(zone)) for zone in sorted({str(zone) for zone in zones.values() if zone})}
    offsets = {one: ahead.get(str(zone)) for one, zone in zones.items()}
    found[UTC_OFFSET] = {one: minutes for one, minutes in offsets.items() if minutes is not None}
    return found


def _locks(pins: Iterable[Lock], people: frozenset[int]) -> tuple[Lock, ...]:
    """Pins of people who are here; with fewer than two of them left a pin says nothing."""
    here = [(tuple(one for one in pin.members if one in people), pin.round) for pin in pins]
    return tuple(Lock(members, number) for members, number in here if len(members) > 1)
