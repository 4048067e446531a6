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

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import ActivityState, kind_for
from lti_tool.feedback.models import Entry
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.launch.models import Course, Member, Placement
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Group, Plan, published
from lti_tool.practices import service as practices
from lti_tool.quality.service import MEET
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
    BEHIND = "behind"


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
    groups_late: int
    """Of rounds that are over, those that have not begun."""
    meetings: int
    """Groups that said they have met."""
    feedback: int
    """Pieces that were given, without answers to them."""


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


def courses_of(session: Session, text: str, *, page: int, now: datetime, show: Show = Show.ALL) -> list[CourseHealth]:
    """The institution's courses whose title holds this text, the newest first. Has one more than ON_ONE_PAGE if there
    are further ones.

    `show` narrows them to those with a running activity, to those where a roster or scores need somebody, or to those
    with a running activity in which a round is over and groups have not begun.
    """
    narrowed = {
        Show.RUNNING: (_is_running(),),
        Show.TROUBLE: (_is_in_trouble(),),
        Show.BEHIND: (_is_running(), _has_late_groups(now)),
    }
    rows = session.execute(
        select(Course, Registration.title)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(Registration, Registration.id == Deployment.registration_id)
        .where(*([func.coalesce(Course.title, "").icontains(text, autoescape=True)] if text else []))
        .where(*narrowed.get(show, ()))
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
    activities = _activities(session, ids, now)
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


def _is_late(now: datetime) -> ColumnElement[bool]:
    """Whether a group of a published plan has not begun although its round is over."""
    return and_(Group.begun_at.is_(None), Round.due_at < now)


def _has_late_groups(now: datetime) -> ColumnElement[bool]:
    late = published(Plan.activity_id).where(_is_late(now))
    return exists().where(Activity.course_id == Course.id, Activity.id.in_(late))


def _by_course(session: Session, statement: Any) -> dict[int, int]:
    return dict(session.execute(statement).all())


def _activities(session: Session, course_ids: Sequence[int], now: datetime) -> dict[int, list[ActivityHealth]]:
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
    counts = (func.count(), func.count(Group.begun_at), func.count().filter(_is_late(now)))
    begun = session.execute(
        published(Plan.activity_id, *counts).where(Plan.activity_id.in_(planned)).group_by(Plan.activity_id)
    )
    groups = {activity_id: tuple(of_groups) for activity_id, *of_groups in begun}
    done = _done(session, [activity for activity, *_ in rows])
    activities: dict[int, list[ActivityHealth]] = {}
    for activity, gone_at, last_launch_at in rows:
        all_groups, groups_begun, groups_late = groups.get(activity.id, (0, 0, 0))
        health = ActivityHealth(
            title=activity.title,
            state=activity.state,
            is_gone=gone_at is not None,
            has_plan=activity.id in planned,
            last_launch_at=last_launch_at,
            scores=scores.get(activity.id, {}),
            groups=all_groups,
            groups_begun=groups_begun,
            groups_late=groups_late,
            meetings=done[activity.id][0],
            feedback=done[activity.id][1],
        )
        activities.setdefault(activity.course_id, []).append(health)
    return activities


def _done(session: Session, activities: Sequence[Activity]) -> dict[int, tuple[int, int]]:
    """By activity how many groups met, and how many pieces of feedback were given."""
    given: dict[int, dict[str, Any]] = {activity.id: {} for activity in activities}
    steps = session.execute(
        select(Entry.activity_id, Entry.step, func.count(), func.count(Entry.group_id.distinct()))
        .where(Entry.activity_id.in_(given), Entry.submitted_at.is_not(None))
        .group_by(Entry.activity_id, Entry.step)
    )
    for activity_id, step, entries, groups in steps:
        given[activity_id][step] = entries, groups
    return {
        activity.id: (
            given[activity.id].get(MEET, (0, 0))[1],
            sum(
                given[activity.id].get(step.key, (0, 0))[0]
                for step in kind_for(activity).steps
                if step.is_to_partners and step.form and not step.is_answer
            ),
        )
        for activity in activities
    }


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
    courses = courses_of(here.session, text, page=page, now=here.now, show=show)
    return render_template(
        "institution/courses.html",
        practices=practices.count_in_library(here.session),
        courses=courses[:ON_ONE_PAGE],
        has_more=len(courses) > ON_ONE_PAGE,
        page=page,
        text=text,
        show=show,
    )
