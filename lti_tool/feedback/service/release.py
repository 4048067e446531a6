"""When what was given can be read, and what makes that lasting."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import FEWEST_WITHOUT_NAMES, KINDS, Release, kind_for
from lti_tool.activities.service import completion_changed
from lti_tool.feedback import rules
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.tasks import Task
from lti_tool.jobs import queue
from lti_tool.launch.models import Course
from lti_tool.pairing import service as pairing

ANSWERS: Final = sorted({step.key for kind in KINDS.values() for step in kind.steps if step.is_answer})
"""Steps in which somebody answers: their time of release is their own."""
BATCH: Final = 1000
"""Entries released in one transaction; a job that meets more asks for another turn."""


def is_counterpart(back: Any) -> Any:
    """Joins what the receiver wrote to the author in the same step and round."""
    return and_(
        back.round_id == Entry.round_id,
        back.step == Entry.step,
        back.author_id == Entry.recipient_id,
        back.recipient_id == Entry.author_id,
    )


def anonymous_order(entry: Any) -> tuple[Any, Any]:
    """The order of anonymous feedback in every list: by when all of a pool was shown, and within it by chance."""
    return entry.released_at or datetime.max.replace(tzinfo=UTC), entry.alias


def moments_of(
    entry: Entry,
    counterpart_submitted_at: datetime | None,
    round_: Round,
    activity: Activity,
    course_ended_at: datetime | None,
) -> rules.Moments:
    """What decides whether this entry is released. The end of its course is the activity's close as well."""
    closed_at = activity.closed_at or course_ended_at
    given_back_at, is_withheld = counterpart_submitted_at, entry.withheld_at is not None
    return rules.Moments(
        entry.submitted_at, entry.released_at, given_back_at, round_.due_at, closed_at, is_withheld=is_withheld
    )


def is_readable(
    entry: Entry,
    counterpart_submitted_at: datetime | None,
    round_: Round,
    activity: Activity,
    course_ended_at: datetime | None,
    *,
    now: datetime,
) -> bool:
    """Whether the receiver may read it now."""
    step = kind_for(activity).step(entry.step)
    rule = rules.release_rule(step, activity.release, is_anonymous=entry.alias is not None)
    moments = moments_of(entry, counterpart_submitted_at, round_, activity, course_ended_at)
    return entry.recipient_id is not None and rules.is_released(rule, moments, now=now)


def release_due(session: Session, *, now: datetime, round_id: int | None = None) -> int:
    """Release what became due, of one round or of all that the session sees. Returns how many, BATCH at most."""
    back = aliased(Entry)
    back_at = select(back.submitted_at).where(is_counterpart(back)).correlate(Entry).scalar_subquery()
    is_over = or_(Round.due_at <= now, Activity.closed_at <= now, Course.ended_at <= now)
    is_answer = Entry.step.in_(ANSWERS)
    is_due = or_(
        and_(is_over, or_(is_answer, Activity.release != Release.BY_INSTRUCTOR)),
        and_(is_answer, Round.due_at.is_(None)),
        and_(
            Entry.step.not_in(ANSWERS),
            or_(
                Activity.release == Release.AT_ONCE,
                and_(Activity.release == Release.AT_DUE, Round.due_at.is_(None)),
                and_(Activity.release == Release.WHEN_BOTH_GAVE, back_at.is_not(None)),
            ),
        ),
    )
    waiting = session.execute(
        select(Entry, back_at, Activity, Round, Course.ended_at)
        .select_from(Entry)
        .join(Activity, Activity.id == Entry.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Round, Round.id == Entry.round_id)
        .where(Entry.submitted_at.is_not(None), Entry.released_at.is_(None), Entry.recipient_id.is_not(None), is_due)
        .where(Entry.withheld_at.is_(None), Entry.alias.is_(None))
        .where(Entry.round_id == round_id if round_id is not None else Entry.round_id.is_not(None))
        .order_by(Entry.id)
        .limit(BATCH)
        .with_for_update(of=Entry)
    ).all()
    released = 0
    for entry, counterpart_at, activity, round_, ended_at in waiting:
        if is_readable(entry, counterpart_at, round_, activity, ended_at, now=now):
            _release(session, entry, now=now)
            released += 1
    session.flush()
    return released


def release_pools(
    session: Session, *, now: datetime, round_id: int | None = None, recipient_id: int | None = None
) -> None:
    """Release anonymous feedback that became due, each time all that one person was given in a round.

    Of one receiver also what everybody has given. Nothing else releases it, and this runs in jobs alone: of two who
    give at the same moment, neither sees what the other has not committed.
    """
    waits = (
        Entry.alias.is_not(None),
        Entry.submitted_at.is_not(None),
        Entry.released_at.is_(None),
        Entry.withheld_at.is_(None),
    )
    pools = (
        select(Entry.round_id, Entry.recipient_id, Entry.step)
        .join(Round, Round.id == Entry.round_id)
        .join(Activity, Activity.id == Entry.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .where(*waits, Entry.round_id == round_id if round_id is not None else Entry.round_id.is_not(None))
        .group_by(Entry.round_id, Entry.recipient_id, Entry.step)
        .having(func.count() >= FEWEST_WITHOUT_NAMES)
    )
    if recipient_id is None:
        pools = pools.where(or_(Round.due_at <= now, Activity.closed_at <= now, Course.ended_at <= now))
    else:
        pools = pools.where(Entry.recipient_id == recipient_id)
    for pool in session.execute(pools).all():
        here = (Entry.round_id == pool.round_id, Entry.recipient_id == pool.recipient_id, Entry.step == pool.step)
        given = session.scalars(select(Entry).where(*here, *waits).order_by(Entry.id).with_for_update()).all()
        round_ = session.get_one(Round, pool.round_id)
        activity = session.get_one(Activity, round_.activity_id)
        ended_at = session.get_one(Course, activity.course_id).ended_at
        is_over = rules.is_over(round_.due_at, activity.closed_at or ended_at, now=now)
        is_ready = rules.is_pool_ready(
            activity.release,
            given=len(given),
            everybody_gave=_everybody_gave(session, activity, round_, recipient_id, pool.step),
            is_over=is_over,
        )
        for entry in given if is_ready else ():
            _release(session, entry, now=now)
    session.flush()


def _everybody_gave(session: Session, activity: Activity, round_: Round, recipient_id: int | None, step: str) -> bool:
    """Whether everybody who owes this step to the receiver in the round has given it; unknown where there is none."""
    if recipient_id is None:
        return False
    groups = pairing.published_groups(session, activity.id, member_id=recipient_id)
    asked = {
        giver
        for group in groups
        if group.round_id == round_.id
        for giver in group.givers_to(kind_for(activity), recipient_id, step)
    }
    gave = session.scalars(
        select(Entry.author_id).where(
            Entry.round_id == round_.id,
            Entry.recipient_id == recipient_id,
            Entry.step == step,
            Entry.submitted_at.is_not(None),
        )
    )
    return asked <= set(gave)


def _release(session: Session, entry: Entry, *, now: datetime) -> None:
    entry.released_at = now
    completion_changed(
        session,
        entry.activity_id,
        {one for one in (entry.author_id, entry.recipient_id) if one is not None},
        now=now,
        institution_id=entry.institution_id,
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Feedback that an instructor has not released: that it is there, and not a word of it."""

    entry_id: int
    round_number: int
    author_id: int
    recipient_id: int
    given_at: datetime
    is_open_to_staff: bool


def waiting_for_instructor(session: Session, activity: Activity) -> list[Waiting]:
    """What was given and waits for an instructor, oldest first; empty where none is asked."""
    if activity.release != Release.BY_INSTRUCTOR:
        return []
    rows = session.execute(
        select(Entry.id, Round.number, Entry.author_id, Entry.recipient_id, Entry.submitted_at, Entry.is_open_to_staff)
        .join(Round, Round.id == Entry.round_id)
        .where(*_waits(activity))
        .order_by(Round.number, Entry.submitted_at, Entry.id)
    )
    return [
        Waiting(row.id, row.number, row.author_id or 0, row.recipient_id or 0, row.submitted_at, row.is_open_to_staff)
        for row in rows
        if row.submitted_at is not None
    ]


def release_by_instructor(
    session: Session, activity: Activity, entries: Collection[int] | None, *, now: datetime
) -> int:
    """Release those of these that wait, or all; also after the activity's close. Returns how many were released."""
    if activity.release != Release.BY_INSTRUCTOR:
        return 0
    wanted = (Entry.id.in_(entries),) if entries is not None else ()
    waiting = session.scalars(
        select(Entry).where(*_waits(activity), *wanted).order_by(Entry.id).with_for_update()
    ).all()
    for entry in waiting:
        _release(session, entry, now=now)
    session.flush()
    return len(waiting)


def take_back_release(
    session: Session, activity: Activity, entries: Collection[int], *, now: datetime
) -> frozenset[int]:
    """Let feedback wait for an instructor again, where its receiver has not opened it. Returns which that was."""
    if activity.release != Release.BY_INSTRUCTOR:
        return frozenset()
    of_activity = (Entry.activity_id == activity.id, Entry.id.in_(entries), Entry.step.not_in(ANSWERS))
    unread = (Entry.released_at.is_not(None), Entry.read_at.is_(None))
    released = session.scalars(select(Entry).where(*of_activity, *unread).order_by(Entry.id).with_for_update()).all()
    for entry in released:
        entry.released_at = None
    people = {one for entry in released for one in (entry.author_id, entry.recipient_id) if one is not None}
    if people:
        completion_changed(session, activity.id, people, now=now)
    session.flush()
    return frozenset(entry.id for entry in released)


def _waits(activity: Activity) -> tuple[ColumnElement[bool], ...]:
    return (
        Entry.activity_id == activity.id,
        Entry.submitted_at.is_not(None),
        Entry.released_at.is_(None),
        Entry.recipient_id.is_not(None),
        Entry.withheld_at.is_(None),
        Entry.alias.is_(None),
        Entry.step.not_in(ANSWERS),
    )


def release_after(session: Session, task: Task, entries: dict[int, Entry], *, now: datetime) -> None:
    """Release what may be read now that one of these was given; have the rest released when the round is due."""
    for given in entries.values():
        back = entries.get(given.recipient_id or 0)
        back_at = back.submitted_at if back is not None else None
        if given.released_at is None and is_readable(
            given, back_at, task.round, task.activity, task.course_ended_at, now=now
        ):
            given.released_at = now
    entry = entries[task.author_id]
    if task.activity.anonymous_feedback and not task.step.is_answer and entry.recipient_id is not None:
        queue.enqueue(
            session,
            "feedback.release",
            {"round_id": task.round.id, "recipient_id": entry.recipient_id},
            institution_id=entry.institution_id,
            now=now,
            unique_key=f"feedback.release:{task.round.id}:{entry.recipient_id}",
        )
    is_held = not task.step.is_answer and task.activity.release == Release.BY_INSTRUCTOR
    if entry.recipient_id is not None and entry.released_at is None and task.round.due_at is not None and not is_held:
        queue.enqueue(
            session,
            "feedback.release",
            {"round_id": task.round.id},
            institution_id=entry.institution_id,
            now=now,
            due_at=task.round.due_at,
            unique_key=f"feedback.release:{task.round.id}",
        )
