"""Goals are set, sharpened, shown, asked about, checked in on and ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from lti_tool.goals import rules
from lti_tool.goals.errors import ChangedMeanwhile, NotShown, NotYourGroup
from lti_tool.goals.models import CheckIn, Goal, GoalShare, GoalVersion, Remark
from lti_tool.goals.service.places import Place, own_groups, partners_by_group, record_writing, refuse_closed, values_of
from lti_tool.launch.models import Course, Member
from lti_tool.pairing import service as pairing
from lti_tool.support.db import find_or_add

COLUMNS = tuple(field.key for field in rules.GOAL.fields)


def wording_of(row: Goal | GoalVersion) -> dict[str, Any]:
    """What a goal says, by column."""
    return {column: getattr(row, column) for column in COLUMNS}


def set_goal(session: Session, place: Place, sent: Mapping[str, str], *, now: datetime) -> Goal:
    """Set a goal of this member; the members of their group see it. Raises GoalsClosed, NotForStaff, Refused."""
    refuse_closed(place)
    values = values_of(rules.read(rules.GOAL, sent))
    goal = Goal(
        course_id=place.course_id,
        owner_id=place.member.id,
        round_id=place.round_id,
        created_at=now,
        worded_at=now,
        **values,
    )
    session.add(goal)
    session.flush()
    if place.group_id is not None:
        session.add(GoalShare(goal_id=goal.id, group_id=place.group_id, at=now))
    record_writing(session, place, now=now)
    return goal


@dataclass(frozen=True, slots=True)
class GoalElsewhere:
    """An open goal of the same person in another course."""

    id: int
    words: str
    course_title: str | None


def goals_elsewhere(session: Session, place: Place) -> list[GoalElsewhere]:
    """Open goals of this person in their other courses, newest first, but for those that say the same as one here."""
    here = select(Goal.words).where(Goal.owner_id == place.member.id)
    rows = session.execute(
        select(Goal.id, Goal.words, Course.title)
        .join(Course, Course.id == Goal.course_id)
        .where(_is_elsewhere(place), Goal.state == rules.GoalState.OPEN, Goal.words.not_in(here))
        .order_by(Goal.id.desc())
    )
    return [GoalElsewhere(row.id, row.words, row.title) for row in rows]


def bring_along(session: Session, place: Place, goal_id: int, *, now: datetime) -> Goal:
    """Set a goal from another course of this person here, too. Nobody else sees it until its owner shows it.

    Raises GoalsClosed, NotForStaff and NotShown.
    """
    refuse_closed(place)
    goal = session.scalar(select(Goal).where(Goal.id == goal_id, _is_elsewhere(place)))
    if goal is None:
        raise NotShown("goal", goal_id)
    copy = Goal(
        course_id=place.course_id,
        owner_id=place.member.id,
        round_id=place.round_id,
        created_at=now,
        worded_at=now,
        **wording_of(goal),
    )
    session.add(copy)
    record_writing(session, place, now=now, in_group=False)
    return copy


def _is_elsewhere(place: Place) -> ColumnElement[bool]:
    own = select(Member.id).where(Member.person_id == place.member.person_id)
    return and_(Goal.owner_id.in_(own), Goal.course_id != place.course_id)


def sharpen(
    session: Session, place: Place, goal_id: int, sent: Mapping[str, str], *, expected_version: int, now: datetime
) -> Goal:
    """Give a goal other words and keep those that it had. The same words again make no version.

    Raises GoalsClosed, NotForStaff, NotShown, Refused, and ChangedMeanwhile where it was saved since that version.
    """
    refuse_closed(place)
    goal = own_goal(session, place, goal_id)
    values = values_of(rules.read(rules.GOAL, sent))
    before = wording_of(goal)
    if values == before:
        return goal
    if goal.version != expected_version:
        raise ChangedMeanwhile("goal", goal_id)
    session.add(GoalVersion(goal_id=goal.id, worded_at=goal.worded_at, **before))
    for column, value in values.items():
        setattr(goal, column, value)
    goal.worded_at = now
    session.flush()
    return goal


def end_goal(session: Session, place: Place, goal_id: int, state: rules.GoalState, *, now: datetime) -> None:
    """Say that a goal is reached or dropped, or take it up again."""
    refuse_closed(place)
    goal = own_goal(session, place, goal_id)
    goal.state = state
    goal.ended_at = None if state is rules.GoalState.OPEN else now
    session.flush()


def show(session: Session, place: Place, goal_id: int, group_id: int, *, now: datetime) -> None:
    """Let the members of a group of the owner's see the goal. Showing it twice is harmless. Raises NotYourGroup."""
    refuse_closed(place)
    own_goal(session, place, goal_id)
    if group_id not in set(session.scalars(own_groups(place.member.id))):
        raise NotYourGroup(group_id, place.member.id)
    pairing.begin(session, group_id, now=now)
    find_or_add(
        session,
        select(GoalShare).where(GoalShare.goal_id == goal_id, GoalShare.group_id == group_id),
        lambda: GoalShare(goal_id=goal_id, group_id=group_id, at=now),
    )


def hide(session: Session, place: Place, goal_id: int, group_id: int) -> None:
    """Let the people of this group see the goal no longer, in whichever round it was shown to just them.

    What they wrote beside it stays.
    """
    refuse_closed(place)
    own_goal(session, place, goal_id)
    groups = partners_by_group(session, place.course_id, place.member.id)
    same = [group for group, people in groups.items() if people.keys() == groups.get(group_id, {}).keys()]
    session.execute(
        delete(GoalShare)
        .where(GoalShare.goal_id == goal_id, GoalShare.group_id.in_({group_id, *same}))
        .execution_options(synchronize_session=False)
    )


def ask(session: Session, place: Place, goal_id: int, sent: Mapping[str, str], *, now: datetime) -> None:
    """Write a question or an answer beside a goal that this member sees. Raises NotShown, Refused."""
    refuse_closed(place)
    shown_goal(session, goal_id, place)
    text = values_of(rules.read(rules.QUESTION, sent))["text"]
    session.add(Remark(author_id=place.member.id, goal_id=goal_id, text=text, at=now))
    session.flush()


def check_in(session: Session, place: Place, goal_id: int, sent: Mapping[str, str], *, now: datetime) -> None:
    """Say how one's own goal stands. Raises NotShown, Refused."""
    refuse_closed(place)
    own_goal(session, place, goal_id)
    values = values_of(rules.read(rules.CHECK_IN, sent))
    session.add(CheckIn(goal_id=goal_id, round_id=place.round_id, at=now, **values))
    record_writing(session, place, now=now, in_group=False)


def own_goal(session: Session, place: Place, goal_id: int) -> Goal:
    """A goal of this member, locked. Raises NotShown."""
    goal = session.scalar(
        select(Goal)
        .where(Goal.id == goal_id, Goal.owner_id == place.member.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if goal is None:
        raise NotShown("goal", goal_id)
    return goal


def shown_goal(session: Session, goal_id: int, place: Place) -> Goal:
    """A goal of the course that this member may see: their own, or one shown to a group of theirs. Raises NotShown."""
    goal = session.scalar(
        select(Goal).where(Goal.id == goal_id, Goal.course_id == place.course_id, goal_is_seen_by(place.member.id))
    )
    if goal is None:
        raise NotShown("goal", goal_id)
    return goal


def goal_is_seen_by(member_id: int) -> Any:
    """The condition under which a goal is the member's own, or shown to a group in which they have a seat."""
    shown = select(GoalShare.goal_id).where(GoalShare.group_id.in_(own_groups(member_id)))
    return or_(Goal.owner_id == member_id, Goal.id.in_(shown))
