"""Why somebody was put together with their partners, or has none, as far as they may know it themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.attributes.service.reading import known_of
from lti_tool.launch.models import Course, Member
from lti_tool.pairing.engine import Value
from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.rules import NotAgain, RuleByValue
from lti_tool.pairing.gathering import course_of
from lti_tool.pairing.keeping import find_plan
from lti_tool.pairing.models import Absence, Plan, Seat
from lti_tool.pairing.rules import Alone, GroupView
from lti_tool.pairing.wanting import preferences_of
from lti_tool.pairing.wording import of_rule, of_wish
from lti_tool.roster.service import latest


@dataclass(frozen=True, slots=True)
class WhyMatched:
    """Names of rules and wishes whose sentences for learners are true of somebody and all their partners.

    The sentences are `wording.of_rule(name).learner` and `wording.of_wish(name).learner`. Managers, exclusions and what
    is on anybody's list are never among them, and nothing that is not wanted in this activity is.
    """

    rules: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()
    is_first_time: bool = False
    """Whether they are with none of them in an earlier round or in another activity. Only asked where the names above
    are none."""


def why_matched(session: Session, activity: Activity, group: GroupView) -> WhyMatched:
    """Why the member whose view of a group this is has these partners. Reads what is known of the group, no more."""
    here = [seat.member_id for seat in group.seats if seat.status == "active"]
    if group.member_id not in here or len(here) < 2:
        return WhyMatched()
    wanted = preferences_of(session, activity).preferences
    known = known_of(session, here) if wanted.reads else {}
    attributes: dict[str, dict[int, Value]] = {}
    for member_id, values in known.items():
        for name, one in values.items():
            value = _plain(one.value, is_zone=name == "time_zone")
            if value is not None:
                attributes.setdefault(name, {})[member_id] = value
    course = course_of(here, wanted, attributes=attributes)
    people = Couples(course).people
    others = people.places([one for one in here if one != group.member_id])
    me = np.full(len(others), people.places([group.member_id])[0])
    rules = []
    for rule in course.rules:
        is_true = (
            bool(
                (rule.known(people)[others].all() and rule.known(people)[me].all())
                and rule.allows(people, me, others).all()
            )
            if isinstance(rule, RuleByValue)
            else isinstance(rule, NotAgain) and not _have_met(session, activity, group, here)
        )
        if is_true and of_rule(rule.name).learner is not None:
            rules.append(rule.name)
    wishes = [wish.name for wish in course.wishes if (wish.points(people, me, others) > 0).all()]
    wishes = [name for name in wishes if of_wish(name).learner and name not in rules]
    is_first_time = not rules and not wishes and not _have_met(session, activity, group, here, until_then=True)
    return WhyMatched(tuple(rules), tuple(wishes), is_first_time)


def why_alone(session: Session, activity: Activity, member_id: int, *, now: datetime) -> dict[int, Alone]:
    """Why a learner has no group, by number of the rounds in which they have none."""
    plan = find_plan(session, activity.id, "published")
    seated = (
        select(Seat.round_id).where(Seat.plan_id == plan.id, Seat.member_id == member_id) if plan is not None else None
    )
    rounds = select(Round).where(Round.activity_id == activity.id).order_by(Round.number)
    without = session.scalars(rounds.where(Round.id.not_in(seated)) if seated is not None else rounds).all()
    if not without:
        return {}
    outside = _outside(session, activity, member_id)
    absent = set(session.scalars(select(Absence.round_id).where(Absence.member_id == member_id)))
    told = {number for number, one, _ in (plan.unpaired if plan is not None else ()) if one == member_id}
    found = {}
    for one in without:
        if one.due_at is not None and one.due_at <= now:
            found[one.number] = Alone.OVER
        elif one.id in absent:
            found[one.number] = Alone.ABSENT
        elif outside is not None:
            found[one.number] = outside
        elif plan is None:
            found[one.number] = Alone.NOT_PLANNED
        else:
            found[one.number] = Alone.NOBODY if one.number in told else Alone.COMING
    return found


def _outside(session: Session, activity: Activity, member_id: int) -> Alone | None:
    """Why plans do not count with somebody at all; None of somebody who takes part."""
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


def _have_met(
    session: Session, activity: Activity, group: GroupView, here: list[int], *, until_then: bool = False
) -> bool:
    """Whether the member shares another group of a published plan of the course with one of these people.

    `until_then`: later rounds of the activity do not count. Other activities always do, also where they play no part in
    pairing: what is said of the past must be true.
    """
    own, other = aliased(Seat), aliased(Seat)
    shared = session.scalar(
        select(func.count())
        .select_from(own)
        .join(other, and_(other.group_id == own.group_id, other.member_id != own.member_id))
        .join(Plan, and_(Plan.id == own.plan_id, Plan.state == "published"))
        .join(Activity, Activity.id == Plan.activity_id)
        .join(Round, Round.id == own.round_id)
        .where(
            or_(literal(not until_then), Plan.activity_id != activity.id, Round.number < group.round_number),
            Activity.course_id == activity.course_id,
            own.member_id == group.member_id,
            own.group_id != group.id,
            other.member_id.in_(here),
        )
    )
    return bool(shared)


def _plain(kept: Mapping[str, object], *, is_zone: bool) -> Value:
    """A value as the engine has it; None for people and for whatever else learners are told nothing of."""
    match kept:
        case {"name": str(name)}:
            return name if is_zone else name.casefold()
        case {"number": int(number)}:
            return number
        case {"names": list(names)}:
            return frozenset(str(name).casefold() for name in names)
    return None
