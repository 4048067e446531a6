"""What decides about the groups of an activity: what a designer wants, who takes part, what is known, who met."""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.attributes.service import attributes_of
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Lock
from lti_tool.pairing.errors import PreferencesChanged
from lti_tool.pairing.models import Group, PairingPreferences, Plan, Seat
from lti_tool.pairing.rules.conditions import Conditions, History
from lti_tool.pairing.rules.current import CurrentPlan
from lti_tool.pairing.rules.preferences import Preferences, read
from lti_tool.pairing.rules.views import Apart
from lti_tool.pairing.store import absences_of, apart_of, hold, load, pins_of
from lti_tool.roster.service import learners_to_pair
from lti_tool.web.visits import Visit


def conditions_of(session: Session, activity: Activity) -> Conditions:
    """What decides about the groups of an activity today. The number of queries is the same in any course."""
    return Conditions(
        tuple(learners_to_pair(session, activity.course_id, activity.placement_id)),
        preferences_of(session, activity).preferences,
        attributes_of(session, activity.course_id),
        tuple(Lock(pin.members, pin.round_number) for pin in pins_of(session, activity.id)),
        tuple((*apart.members, Apart(apart.kind)) for apart in apart_of(session, activity.course_id)),
        history_of(session, activity),
    )


def current_plan(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> CurrentPlan:
    """A plan as it is now, with everything that decides about its groups."""
    stored = load(session, plan)
    return CurrentPlan(
        activity.id,
        plan.id,
        stored.schedule,
        stored.fixed,
        1 + stored.last_over(now),
        plan.shape,
        conditions_of(session, activity),
        absences_of(session, activity.id),
    )


def history_of(session: Session, activity: Activity) -> History:
    """Who met, who began and who was left out last, in published plans of other activities of the course."""
    plans = session.scalars(
        select(Plan)
        .join(Activity, Activity.id == Plan.activity_id)
        .where(Activity.course_id == activity.course_id, Activity.id != activity.id, Plan.state == "published")
        .order_by(Plan.published_at, Plan.id)
    ).all()
    if not plans:
        return History()
    groups: dict[int, list[int]] = defaultdict(list)
    by_plan: dict[int, set[int]] = defaultdict(set)
    for plan_id, group_id, member_id in session.execute(
        select(Seat.plan_id, Seat.group_id, Seat.member_id)
        .where(Seat.plan_id.in_([plan.id for plan in plans]))
        .order_by(Seat.plan_id, Seat.round_id, Seat.group_id, Seat.turn)
    ):
        groups[group_id].append(member_id)
        by_plan[plan_id].add(group_id)
    in_trios: Counter[int] = Counter()
    for group_ids in by_plan.values():
        # A trio in a plan of pairs is an exception that everyone should have equally often.
        if any(len(groups[group_id]) == 2 for group_id in group_ids):
            in_trios.update(
                person for group_id in group_ids if len(groups[group_id]) == 3 for person in groups[group_id]
            )
    return History(
        met=tuple(couple for people in groups.values() for couple in combinations(sorted(people), 2)),
        ahead=engine.balance([[tuple(people) for people in groups.values()]]),
        in_trios=in_trios,
        left_out=_left_out(session, plans[-1]),
    )


def _left_out(session: Session, plan: Plan) -> frozenset[int]:
    """Who had no partner in the last round of a plan, without people who were absent."""
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


# ---- what a designer wants -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SavedPreferences:
    """An activity's preferences, and how often they were saved."""

    preferences: Preferences
    version: int = 0
    """0 if nothing was saved: these are the defaults, or the preferences of the activity that this is a copy of."""


def preferences_of(session: Session, activity: Activity) -> SavedPreferences:
    """What the designer wants. A copy without saved preferences has those of the activity it was copied from."""
    seen: set[int] = set()
    source: Activity | None = activity
    while source is not None and source.id not in seen:
        seen.add(source.id)
        row = _row(session, source.id)
        if row is not None:
            return SavedPreferences(_read(row), row.version if source.id == activity.id else 0)
        source = session.get(Activity, source.copied_from_id) if source.copied_from_id is not None else None
    return SavedPreferences(Preferences())


def save_preferences(
    session: Session, activity_id: int, wanted: Preferences, *, expected_version: int, by: int | None, now: datetime
) -> None:
    """Save what a designer wants. Groups stay as they are until someone proposes or mends. `by` is a person.

    Raises PreferencesInvalid, PreferencesChanged if someone saved since `expected_version`, and ActivityReadOnly.
    """
    activities.refuse_read_only(session, hold(session, activity_id))
    read(wanted.to_json())
    row = _row(session, activity_id)
    if (row.version if row is not None else 0) != expected_version:
        raise PreferencesChanged(activity_id)
    _write(session, row or PairingPreferences(activity_id=activity_id), wanted, by=by, now=now)


def after_launch(session: Session, visit: Visit, context: LaunchContext, now: datetime) -> None:
    """If the launch of a copied link made a copy of an activity, give it the preferences that the original has today.

    Repeating it changes nothing. Rules are copied; pins and people who are kept apart are not.
    """
    if not context.custom.get("activity"):
        return  # Only links with a key are ever copies.
    copy = activities.activity_of(session, visit.placement_id)
    if copy is None or copy.copied_from_id is None:
        return
    saved = preferences_of(session, copy)
    if saved.version == 0 and saved.preferences != Preferences():
        # Someone else may have launched the same new link first.
        with suppress(IntegrityError), session.begin_nested():
            _write(session, PairingPreferences(activity_id=copy.id), saved.preferences, by=None, now=now)


def _row(session: Session, activity_id: int) -> PairingPreferences | None:
    """The saved row as it is now, also if this session has read it before."""
    saved = select(PairingPreferences).where(PairingPreferences.activity_id == activity_id)
    return session.scalar(saved.execution_options(populate_existing=True))


def _read(row: PairingPreferences) -> Preferences:
    return read({field.name: getattr(row, field.name) for field in fields(Preferences)})


def _write(session: Session, row: PairingPreferences, wanted: Preferences, *, by: int | None, now: datetime) -> None:
    for field, value in wanted.to_json().items():
        setattr(row, field, value)
    row.changed_by_id, row.changed_at = by, now
    session.add(row)
    session.flush()
