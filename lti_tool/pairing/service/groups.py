"""Who is paired with whom and why, and who is not, for other features and for pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.attributes.rules.catalogue import Kept, engine_values
from lti_tool.attributes.service.reading import values_of_members
from lti_tool.launch.models import Course, CourseRole, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Schedule, Value
from lti_tool.pairing.models import Absence, Plan, Seat, published_seats
from lti_tool.pairing.rules import current
from lti_tool.pairing.rules.comparing import Comparison, compare
from lti_tool.pairing.rules.conditions import Conditions
from lti_tool.pairing.rules.views import Alone, GroupView, NotPaired, Unplaced, WhyNot
from lti_tool.pairing.rules.why import WhyMatched, of_rule, of_wish
from lti_tool.pairing.service.conditions import conditions_of, preferences_of
from lti_tool.pairing.store import find_plan, load
from lti_tool.roster.service import latest, learners_to_pair

NOT_AGAIN: Final = engine.NotAgain().name


def why_matched(session: Session, activity: Activity, group: GroupView) -> WhyMatched:
    """Why the member whose view of a group this is has these partners. Reads only what is known about the group."""
    members = tuple(seat.member_id for seat in group.seats if seat.status == "active")
    if group.member_id not in members or len(members) < 2:
        return WhyMatched()
    wanted = preferences_of(session, activity).preferences
    course = Conditions(members, wanted, _attributes(session, members) if wanted.reads else {}).course()
    partners = engine.why(Schedule(((members,),), course=course), group.member_id, 1).partners
    rules = [rule for rule in partners[0].rules if all(rule in partner.rules for partner in partners)]
    if NOT_AGAIN in rules and _have_met(session, activity, group, members):
        rules.remove(NOT_AGAIN)
    given = [{wish for wish, _ in partner.wishes} for partner in partners]
    wishes = [wish for wish, _ in partners[0].wishes if all(wish in some for some in given) and wish not in rules]
    sentences = [*map(of_rule, rules), *map(of_wish, wishes)]
    told = tuple(dict.fromkeys(sentence for sentence in sentences if sentence))
    return WhyMatched(told, not told and not _have_met(session, activity, group, members, until_then=True))


def _attributes(session: Session, members: tuple[int, ...]) -> Mapping[str, Mapping[int, Value]]:
    """What is known about these members, except about other people and what learners may not know."""
    kept: dict[str, dict[int, Kept]] = {}
    for member_id, values in values_of_members(session, members).items():
        for name, known in values.items():
            kept.setdefault(name, {})[member_id] = known.value
    return engine_values(kept)


def _have_met(
    session: Session, activity: Activity, group: GroupView, members: tuple[int, ...], *, until_then: bool = False
) -> bool:
    """Whether the member shares another group of a published plan of the course with any of these people.

    `until_then`: later rounds of the activity do not count. Other activities always count, even if they do not in
    pairing, because what a page says about the past must be true.
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
            partner.member_id.in_(members),
        )
    )
    return bool(shared)


def why_alone(session: Session, activity: Activity, member_id: int, *, now: datetime) -> dict[int, Alone]:
    """Why a learner has no group, by the numbers of the rounds in which they have none."""
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

    def why(round_: Round) -> Alone:
        if round_.due_at is not None and round_.due_at <= now:
            return Alone.OVER
        if round_.id in absent:
            return Alone.ABSENT
        if outside is None and plan is not None:
            return Alone.NOBODY if round_.number in unpaired else Alone.COMING
        return outside or Alone.NOT_PLANNED

    return {round_.number: why(round_) for round_ in without}


def _why_outside(session: Session, activity: Activity, member_id: int) -> Alone | None:
    """Why someone takes no part in pairing at all; None if they do."""
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


def unplaced(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> list[Unplaced]:
    """Learners without a group in rounds that are not over."""
    stored = load(session, plan)
    learners = learners_to_pair(session, activity.course_id, activity.placement_id)
    missing = current.unplaced(stored.schedule, learners, from_round=1 + stored.last_over(now))
    return [person for person in missing if not person.is_over]


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
