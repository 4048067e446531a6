"""Who is paired with whom, and who is not, for other features and for pages."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import CourseRole, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing.engine import Reason
from lti_tool.pairing.models import Plan, Seat
from lti_tool.pairing.rules import NotPaired, Unplaced, WhyNot
from lti_tool.pairing.rules.comparing import Comparison, compare
from lti_tool.pairing.service.conditions import conditions_of
from lti_tool.pairing.store.plans import find_plan, load
from lti_tool.roster.service import who_takes_part
from lti_tool.support.db import in_batches


def unplaced(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> list[Unplaced]:
    """Learners without a group in rounds that are not over. Reads no other seats of the plan than theirs."""
    rounds = session.execute(
        select(Round.number, Round.due_at).where(Round.activity_id == activity.id).order_by(Round.number)
    ).all()
    last_over = max((number for number, due_at in rounds if due_at and due_at <= now), default=0)
    ahead = [number for number, _ in rounds if number > last_over]
    if not ahead:
        return []
    seats = select(Seat.member_id).join(Round, Round.id == Seat.round_id)
    seats = seats.where(Seat.plan_id == plan.id, Round.number > last_over)
    in_all = seats.group_by(Seat.member_id).having(func.count() >= len(ahead))
    taking_part = who_takes_part(session, activity.course_id, activity.placement_id)
    people = session.scalars(taking_part.where(Member.id.not_in(in_all)).order_by(Member.id)).all()
    seated = {
        tuple(row)
        for batch in in_batches(people)
        for row in session.execute(seats.add_columns(Round.number).where(Seat.member_id.in_(batch)))
    }
    reasons = {(member_id, number): Reason(why) for number, member_id, why in plan.unpaired}
    return [
        Unplaced(member_id, number, False, reasons.get((member_id, number)))
        for number in ahead
        for member_id in people
        if (member_id, number) not in seated
    ]


def compare_proposals(session: Session, activity: Activity) -> Comparison | None:
    """The proposal compared with the earlier one, by the rules and wishes of today; None if there is only one."""
    former, plan = (find_plan(session, activity.id, state) for state in ("previous", "draft"))
    if former is None or plan is None:
        return None
    course = conditions_of(session, activity).course(plan.shape)
    return compare(course, load(session, former).schedule, load(session, plan).schedule)


def not_paired(session: Session, course_id: int) -> list[NotPaired]:
    """People on the roster who are not paired on purpose, and why, without people who left."""
    rows = session.execute(
        select(Member, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id, Member.status == "active", Member.in_roster_at.is_not(None))
        .where(~Member.is_learner)
        .order_by(Member.id)
    )
    members = dict(rows.all())
    names = told_apart(session, course_id, {member.id: name for member, name in members.items()})
    return [NotPaired(member.id, names[member.id], _why_not(member)) for member in members]


def _why_not(member: Member) -> WhyNot:
    if member.is_test:
        return WhyNot.TEST_PERSON
    if member.role == CourseRole.OBSERVER:
        return WhyNot.OBSERVES
    if member.role != CourseRole.LEARNER:
        return WhyNot.TEACHES
    return WhyNot.WAS_STAFF if member.named_staff_at is None else WhyNot.NAMED_STAFF
