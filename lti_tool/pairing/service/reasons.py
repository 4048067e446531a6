"""Why a learner has these partners, or none, as far as they may know it themselves."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.attributes.rules.catalogue import Kept, engine_values
from lti_tool.attributes.service.reading import values_of_members
from lti_tool.launch.models import Course, Member
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Value
from lti_tool.pairing.models import Absence, Plan, Seat, published_seats
from lti_tool.pairing.rules import Alone, GroupView
from lti_tool.pairing.rules.conditions import Conditions
from lti_tool.pairing.rules.reasons import WhyMatched, of_rule, of_wish
from lti_tool.pairing.service.preferences import preferences_of
from lti_tool.pairing.store.plans import find_plan
from lti_tool.roster.service import latest


def why_matched(session: Session, activity: Activity, group: GroupView) -> WhyMatched:
    """Why the member whose view of a group this is has these partners. Reads what is known of the group, no more."""
    here = tuple(seat.member_id for seat in group.seats if seat.status == "active")
    if group.member_id not in here or len(here) < 2:
        return WhyMatched()
    wanted = preferences_of(session, activity).preferences
    course = Conditions(here, wanted, _attributes(session, here) if wanted.reads else {}).course()
    people = engine.People(course.people, course.attributes)
    others = people.places([member_id for member_id in here if member_id != group.member_id])
    me = np.full(len(others), people.places([group.member_id])[0])

    def is_true(rule: engine.Rule) -> bool:
        if isinstance(rule, engine.NotAgain):
            return not _have_met(session, activity, group, here)
        is_known = isinstance(rule, engine.RuleByValue) and bool(rule.known(people).all())
        return is_known and bool(rule.allows(people, me, others).all())

    rules = [rule.name for rule in course.rules if of_rule(rule.name) and is_true(rule)]
    wishes = [wish.name for wish in course.wishes if (wish.points(people, me, others) > 0).all()]
    sentences = [*map(of_rule, rules), *(of_wish(name) for name in wishes if name not in rules)]
    told = tuple(dict.fromkeys(sentence for sentence in sentences if sentence))
    return WhyMatched(told, not told and not _have_met(session, activity, group, here, until_then=True))


def _attributes(session: Session, members: tuple[int, ...]) -> Mapping[str, Mapping[int, Value]]:
    """What is known of these members, but for other people and whatever else learners are told nothing of."""
    kept: dict[str, dict[int, Kept]] = {}
    for member_id, values in values_of_members(session, members).items():
        for name, known in values.items():
            kept.setdefault(name, {})[member_id] = known.value
    return engine_values(kept)


def _have_met(
    session: Session, activity: Activity, group: GroupView, here: tuple[int, ...], *, until_then: bool = False
) -> bool:
    """Whether the member shares another group of a published plan of the course with one of these people.

    `until_then`: later rounds of the activity do not count. Other activities always do, also where they play no part in
    pairing: what is said of the past must be true.
    """
    partner = aliased(Seat)
    shared = session.scalar(
        published_seats(func.count())
        .join(partner, and_(partner.group_id == Seat.group_id, partner.member_id != Seat.member_id))
        .join(Activity, Activity.id == Plan.activity_id)
        .where(
            or_(literal(not until_then), Plan.activity_id != activity.id, Round.number < group.round_number),
            Activity.course_id == activity.course_id,
            Seat.member_id == group.member_id,
            Seat.group_id != group.id,
            partner.member_id.in_(here),
        )
    )
    return bool(shared)


def why_alone(session: Session, activity: Activity, member_id: int, *, now: datetime) -> dict[int, Alone]:
    """Why a learner has no group, by number of the rounds in which they have none."""
    plan = find_plan(session, activity.id, "published")
    rounds = select(Round).where(Round.activity_id == activity.id).order_by(Round.number)
    if plan is not None:
        own = select(Seat.round_id).where(Seat.plan_id == plan.id, Seat.member_id == member_id)
        rounds = rounds.where(Round.id.not_in(own))
    without = session.scalars(rounds).all()
    if not without:
        return {}
    outside = _why_outside(session, activity, member_id)
    absent = set(session.scalars(select(Absence.round_id).where(Absence.member_id == member_id)))
    unpaired = {number for number, person, _ in (plan.unpaired if plan is not None else ()) if person == member_id}
    found = {}
    for round_ in without:
        if round_.due_at is not None and round_.due_at <= now:
            found[round_.number] = Alone.OVER
        elif round_.id in absent:
            found[round_.number] = Alone.ABSENT
        elif outside is not None:
            found[round_.number] = outside
        elif plan is None:
            found[round_.number] = Alone.NOT_PLANNED
        else:
            found[round_.number] = Alone.NOBODY if round_.number in unpaired else Alone.COMING
    return found


def _why_outside(session: Session, activity: Activity, member_id: int) -> Alone | None:
    """Why somebody takes no part in pairing at all; None of somebody who does."""
    member = session.get_one(Member, member_id)
    course = session.get_one(Course, activity.course_id)
    if member.is_test:
        return Alone.TEST_PERSON
    if course.memberships_url is None or member.in_roster_at is not None or member.is_taken_in:
        return None
    if member.is_taken_in is False:
        return Alone.LEFT_OUT
    sync = latest(session, course.id)
    is_read = sync is not None and sync.state in {"finished", "asks"} and sync.started_at >= member.created_at
    return Alone.UNLISTED if is_read else Alone.ROSTER_ASKED
