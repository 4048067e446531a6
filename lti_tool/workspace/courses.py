"""The institution's list of courses and activities, with their state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.launch.models import Course, Member, Placement
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Group, Plan
from lti_tool.practices import service as practices
from lti_tool.registration.models import Deployment, Registration
from lti_tool.roster.models import RosterSync
from lti_tool.support.db import across_institutions
from lti_tool.web.access import Here
from lti_tool.workspace.administration import administrators

pages = Blueprint("courses", __name__)

ON_ONE_PAGE: Final = 50


class Show(StrEnum):
    """Which courses the list has."""

    ALL = "all"
    RUNNING = "running"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class ActivityHealth:
    """One activity in numbers that name nobody."""

    title: str
    state: str
    is_gone: bool
    has_plan: bool
    last_launch_at: datetime | None
    scores: Mapping[str, int]
    """How many scores are in each state: waiting, delivered, refused, asks."""
    groups: int
    """Of all rounds of the published plan."""
    groups_begun: int


@dataclass(frozen=True, slots=True)
class CourseHealth:
    """One course, its roster and its activities."""

    id: int
    title: str | None
    platform: str
    learners: int
    ended_at: datetime | None
    has_roster: bool
    roster: RosterSync | None
    """The last reading of the roster."""
    activities: tuple[ActivityHealth, ...]


def courses_of(session: Session, text: str, *, page: int, show: Show = Show.ALL) -> list[CourseHealth]:
    """The institution's courses whose title holds this text, the newest first. Has one more than ON_ONE_PAGE if there
    are further ones.

    `show` narrows them to those with a running activity, or to those where a roster or scores need somebody.
    """
    rows = session.execute(
        select(Course, Registration.title)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(Registration, Registration.id == Deployment.registration_id)
        .where(*([func.coalesce(Course.title, "").icontains(text, autoescape=True)] if text else []))
        .where(*([] if show is Show.ALL else [_is_running() if show is Show.RUNNING else _is_in_trouble()]))
        .order_by(Course.id.desc())
        .limit(ON_ONE_PAGE + 1)
        .offset(page * ON_ONE_PAGE)
    ).all()
    ids = [course.id for course, _ in rows]
    learners = _by_course(
        session,
        select(Member.course_id, func.count())
        .where(Member.course_id.in_(ids), Member.takes_part)
        .group_by(Member.course_id),
    )
    newest = select(func.max(RosterSync.id)).where(RosterSync.course_id.in_(ids)).group_by(RosterSync.course_id)
    rosters = {one.course_id: one for one in session.scalars(select(RosterSync).where(RosterSync.id.in_(newest)))}
    activities = _activities(session, ids)
    return [
        CourseHealth(
            id=course.id,
            title=course.title,
            platform=platform,
            learners=learners.get(course.id, 0),
            ended_at=course.ended_at,
            has_roster=course.memberships_url is not None,
            roster=rosters.get(course.id),
            activities=tuple(activities.get(course.id, ())),
        )
        for course, platform in rows
    ]


def _is_running() -> ColumnElement[bool]:
    plans = select(Plan.activity_id).where(Plan.state == "published")
    running = exists().where(
        Activity.course_id == Course.id,
        Activity.state == ActivityState.READY,
        Activity.id.in_(plans),
        Placement.id == Activity.placement_id,
        Placement.gone_at.is_(None),
    )
    return and_(running, Course.ended_at.is_(None))


def _is_in_trouble() -> ColumnElement[bool]:
    """Whether scores were refused or ask for a decision, or the last reading of the roster failed or does."""
    scores = exists().where(
        Activity.course_id == Course.id,
        LineItem.activity_id == Activity.id,
        ScoreState.line_item_id == LineItem.id,
        ScoreState.state.in_(["refused", "asks"]),
    )
    last = aliased(RosterSync)
    newest = select(func.max(last.id)).where(last.course_id == Course.id).correlate(Course).scalar_subquery()
    roster = exists().where(RosterSync.id == newest, RosterSync.state.in_(["failed", "asks"]))
    return or_(scores, and_(roster, Course.ended_at.is_(None)))


def _by_course(session: Session, statement: Any) -> dict[int, int]:
    return dict(session.execute(statement).all())


def _activities(session: Session, course_ids: Sequence[int]) -> dict[int, list[ActivityHealth]]:
    rows = session.execute(
        select(Activity, Placement.gone_at, Placement.last_launch_at)
        .join(Placement, Placement.id == Activity.placement_id)
        .where(Activity.course_id.in_(course_ids))
        .order_by(Activity.id)
    ).all()
    planned = pairing.with_published_plan(session, [activity.id for activity, *_ in rows])
    counted = session.execute(
        select(LineItem.activity_id, ScoreState.state, func.count())
        .join(ScoreState, ScoreState.line_item_id == LineItem.id)
        .where(LineItem.activity_id.in_([activity.id for activity, *_ in rows]))
        .group_by(LineItem.activity_id, ScoreState.state)
    )
    scores: dict[int, dict[str, int]] = {}
    for activity_id, state, count in counted:
        scores.setdefault(activity_id, {})[state] = count
    begun = session.execute(
        select(Plan.activity_id, func.count(), func.count(Group.begun_at))
        .join(Group, Group.plan_id == Plan.id)
        .where(Plan.state == "published", Plan.activity_id.in_(planned))
        .group_by(Plan.activity_id)
    )
    groups = {activity_id: (all_of, begun_of) for activity_id, all_of, begun_of in begun}
    activities: dict[int, list[ActivityHealth]] = {}
    for activity, gone_at, last_launch_at in rows:
        health = ActivityHealth(
            title=activity.title,
            state=activity.state,
            is_gone=gone_at is not None,
            has_plan=activity.id in planned,
            last_launch_at=last_launch_at,
            scores=scores.get(activity.id, {}),
            groups=groups.get(activity.id, (0, 0))[0],
            groups_begun=groups.get(activity.id, (0, 0))[1],
        )
        activities.setdefault(activity.course_id, []).append(health)
    return activities


def placed_on(session: Session, registration_ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """The activities that open through each of these registrations, as "title (course)"."""
    with across_institutions(session):
        rows = session.execute(
            select(Deployment.registration_id, Activity.title, Course.title)
            .select_from(Activity)
            .join(Course, Course.id == Activity.course_id)
            .join(Deployment, Deployment.id == Course.deployment_id)
            .join(Placement, Placement.id == Activity.placement_id)
            .where(Deployment.registration_id.in_(registration_ids), Placement.gone_at.is_(None))
            .order_by(Activity.id)
        ).all()
    titles: dict[int, list[str]] = {}
    for registration_id, title, course in rows:
        words = gettext("%(activity)s in %(course)s", activity=title, course=course) if course else title
        titles.setdefault(registration_id, []).append(words)
    return titles


@pages.get("/institution/courses")
@administrators
def show_courses(here: Here) -> ResponseReturnValue:
    """Every course with its roster, its activities and their scores, as counts."""
    text = request.args.get("text", "").strip()[:255]
    page = min(max(request.args.get("page", 0, type=int), 0), 1_000_000)
    show = next((one for one in Show if one == request.args.get("show")), Show.ALL)
    courses = courses_of(here.session, text, page=page, show=show)
    return render_template(
        "institution/courses.html",
        practices=practices.count_in_library(here.session),
        courses=courses[:ON_ONE_PAGE],
        has_more=len(courses) > ON_ONE_PAGE,
        page=page,
        text=text,
        show=show,
    )
