"""The figures of activities, gathered in a number of statements that does not grow with people, and their report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import kind_for
from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.evidence.errors import FigureUnknown
from lti_tool.evidence.models import ClosingReport
from lti_tool.evidence.rules.catalog import BY_KEY, FIGURES
from lti_tool.evidence.rules.facts import (
    Facts,
    FollowThrough,
    GoalStanding,
    GroupMeeting,
    PlannedAction,
    Sharing,
)
from lti_tool.evidence.rules.figures import Figure, Table, counted
from lti_tool.feedback.models import Entry
from lti_tool.goals.models import Action, CheckIn, Goal, LookBack
from lti_tool.goals.rules import ActionState
from lti_tool.jobs import queue
from lti_tool.meetings import service as meetings
from lti_tool.meetings.models import Appointment, MeetingGroup, MeetingTime
from lti_tool.meetings.rules.times import dates_of
from lti_tool.pairing.rules.views import GroupView
from lti_tool.practices import service as practices
from lti_tool.programmes.models import Programme
from lti_tool.progress import service as progress
from lti_tool.quality import service as quality
from lti_tool.quality.service import MEET
from lti_tool.support.db import find_or_add, served_institution
from lti_tool.support.paper import PdfState
from lti_tool.surveys import service as surveys

PDF: Final = "evidence.pdf"
AGREE: Final = "agree"
"""The step in which members agree on confidentiality."""
REPORT_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Part:
    """An activity and its figures: one part of a report, which has as many as a program has activities."""

    activity: Activity
    facts: Facts
    tables: Sequence[Table]


def part_of(session: Session, activity: Activity, *, now: datetime) -> Part:
    """The activity with every figure."""
    facts = facts_of(session, activity, now=now)
    return Part(activity, facts, [counted(figure, facts) for figure in FIGURES])


def figure_named(key: str) -> Figure:
    """The figure with this key. Raises FigureUnknown."""
    if key not in BY_KEY:
        raise FigureUnknown(key)
    return BY_KEY[key]


def facts_of(session: Session, activity: Activity, *, now: datetime) -> Facts:
    """Everything that the figures of an activity are counted from."""
    kind = kind_for(activity)
    of_feedback = quality.quality_of(session, activity, now=now)
    first = _first_said(session, activity)
    groups = of_feedback.published
    course_practices = practices.counts_of(session, activity.course_id)
    survey = surveys.results_of(session, activity).rows if activity.survey is not None else []
    return Facts(
        now=now,
        kind=kind,
        rounds=list(
            session.scalars(select(Round.number).where(Round.activity_id == activity.id).order_by(Round.number))
        ),
        summaries=progress.summaries_of_all(session, activity.id, now),
        waits=meetings.waiting_since(session, activity.id),
        meetings=_meetings(session, activity, groups, first),
        given=of_feedback.pieces,
        expected=of_feedback.awaited,
        quality=[*of_feedback.rounds.items(), (None, of_feedback.whole)],
        turns=list(quality.turns_of(groups, kind)),
        actions=_actions(session, activity),
        goals=_goals(session, activity),
        survey=survey,
        sharing=Sharing(
            groups=len(groups),
            agreed=sum((group.id, AGREE) in first for group in groups),
            offered=course_practices.offered,
            shown=course_practices.shown,
            in_institution=course_practices.in_institution,
        ),
    )


def _first_said(session: Session, activity: Activity) -> dict[tuple[int, str], datetime]:
    """When the first member of a group said that they had met or agreed, by group and step."""
    rows = session.execute(
        select(Entry.group_id, Entry.step, func.min(Entry.submitted_at).label("at"))
        .where(Entry.activity_id == activity.id, Entry.step.in_((MEET, AGREE)), Entry.submitted_at.is_not(None))
        .group_by(Entry.group_id, Entry.step)
    )
    return {(row.group_id, row.step): row.at for row in rows}


def _meetings(
    session: Session,
    activity: Activity,
    groups: Sequence[GroupView],
    first: Mapping[tuple[int, str], datetime],
) -> list[GroupMeeting]:
    zone = ZoneInfo(activity.time_zone)
    # Columns instead of entities: a large course has thousands of meetings.
    rows = session.execute(
        select(
            MeetingGroup.group_id,
            MeetingTime.starts_at,
            MeetingTime.minutes,
            MeetingTime.time_zone,
            MeetingTime.rhythm,
            MeetingTime.skipped,
            Round.due_at,
        )
        .join(Appointment, Appointment.id == MeetingGroup.meeting_id)
        .join(MeetingTime, and_(MeetingTime.meeting_id == Appointment.id, MeetingTime.state == "agreed"))
        .join(Round, Round.id == Appointment.round_id)
        .where(Round.activity_id == activity.id)
    )
    planned: dict[int, tuple[date, ...]] = {}
    for row in rows:
        rhythm = Rhythm(row.rhythm) if row.rhythm else None
        there = ZoneInfo(row.time_zone)
        dates = dates_of(row.starts_at, row.minutes, there, rhythm, until=row.due_at, skipped=row.skipped)
        planned[row.group_id] = tuple(one.starts_at.astimezone(zone).date() for one in dates if not one.is_skipped)
    listed = []
    for group in groups:
        days, said_at = planned.get(group.id, ()), first.get((group.id, MEET))
        held_on = said_at.astimezone(zone).date() if said_at is not None else None
        if held_on is not None:
            held_on = max((day for day in days if day <= held_on), default=held_on)
        listed.append(GroupMeeting(group.round_number, group.members, days, held_on))
    return listed


def _actions(session: Session, activity: Activity) -> list[PlannedAction]:
    was_looked_at = exists().where(LookBack.action_id == Action.id)
    rows = session.execute(
        select(Round.number, Action.owner_id, Action.state, was_looked_at.label("was_looked_at"))
        .join(Round, Round.id == Action.round_id)
        .where(Round.activity_id == activity.id)
    )
    became = {ActionState.DONE: FollowThrough.DONE, ActionState.DROPPED: FollowThrough.DROPPED}
    left = {True: FollowThrough.MOVED, False: FollowThrough.OPEN}
    return [
        PlannedAction(row.number, row.owner_id, became.get(ActionState(row.state)) or left[bool(row.was_looked_at)])
        for row in rows
    ]


def _goals(session: Session, activity: Activity) -> list[GoalStanding]:
    newest = (
        select(CheckIn.goal_id, func.max(CheckIn.id).label("id"))
        .where(CheckIn.value.is_not(None), CheckIn.removed_at.is_(None))
        .group_by(CheckIn.goal_id)
        .subquery()
    )
    rows = session.execute(
        select(Goal.owner_id, Goal.state, Goal.start, Goal.target, CheckIn.value)
        .join(Round, Round.id == Goal.round_id)
        .outerjoin(newest, newest.c.goal_id == Goal.id)
        .outerjoin(CheckIn, CheckIn.id == newest.c.id)
        .where(Round.activity_id == activity.id)
    )
    return [
        GoalStanding(row.owner_id, row.state, row.start, row.value if row.value is not None else row.start, row.target)
        for row in rows
    ]


# ---- the closing report on paper -------------------------------------------------------------------------------------


def report_of(session: Session, subject: Activity | Programme) -> ClosingReport | None:
    """The report on paper that was asked for last; None where none is kept."""
    return session.scalar(select(ClosingReport).filter_by(**_about(subject)))


def keep_document(
    session: Session, subject: Activity | Programme, document: str, *, can_print: bool, now: datetime
) -> ClosingReport:
    """Have a PDF made of this document, in place of the one before."""
    about = _about(subject)
    report = find_or_add(
        session,
        select(ClosingReport).filter_by(**about).with_for_update(),
        lambda: ClosingReport(**about, made_at=now, pdf_state=PdfState.IMPOSSIBLE),
    )
    report.document, report.pdf, report.made_at = document, None, now
    report.pdf_state = PdfState.WAITING if can_print else PdfState.IMPOSSIBLE
    session.flush()
    if can_print:
        queue.enqueue(
            session,
            PDF,
            {"report_id": report.id},
            institution_id=served_institution(session),
            now=now,
            unique_key=f"{PDF}:{report.id}",
            calls=queue.DOCUMENTS,
        )
    return report


def pdf_of(session: Session, subject: Activity | Programme) -> bytes | None:
    """The PDF of a report; None while there is none."""
    return session.scalar(select(ClosingReport.pdf).filter_by(**_about(subject)))


def _about(subject: Activity | Programme) -> dict[str, int]:
    return {"activity_id" if isinstance(subject, Activity) else "programme_id": subject.id}
