"""Reads what decides about the groups of an activity: who takes part, what is known, who met, what is wanted."""

from collections import Counter, defaultdict
from datetime import datetime
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import To, kind_for
from lti_tool.attributes.service import attributes_of
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Lock
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.pairing.rules.changes import CurrentPlan
from lti_tool.pairing.rules.conditions import Conditions, History
from lti_tool.pairing.rules.views import Apart
from lti_tool.pairing.service.decisions import absences_of, apart_of, pins_of
from lti_tool.pairing.service.preferences import preferences_of
from lti_tool.pairing.store.plans import Stored, load
from lti_tool.roster.service import learners_to_pair


def conditions_of(session: Session, activity: Activity) -> Conditions:
    """What decides about the groups of an activity today. The number of queries is the same in any course."""
    return Conditions(
        tuple(learners_to_pair(session, activity.course_id, activity.placement_id)),
        preferences_of(session, activity).preferences.going_round(is_ring=is_ring(activity)),
        attributes_of(session, activity.course_id),
        tuple(Lock(pin.members, pin.round_number) for pin in pins_of(session, activity.id)),
        tuple((*apart.members, Apart(apart.kind)) for apart in apart_of(session, activity.course_id)),
        history_of(session, activity),
    )


def is_ring(activity: Activity) -> bool:
    """Whether each member of a group writes to the next, so that their order matters."""
    return any(step.to is To.NEXT for step in kind_for(activity).steps)


def current_plan(
    session: Session, activity: Activity, plan: Plan, *, now: datetime, stored: Stored | None = None
) -> CurrentPlan:
    """A plan as it is now, with everything that decides about its groups."""
    stored = stored or load(session, plan)
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
