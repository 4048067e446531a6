"""Reminders that staff send, and what staff and a learner see of all reminders."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.progress import service as progress
from lti_tool.progress.models import StaffAct
from lti_tool.progress.rules import What
from lti_tool.reminders.models import Letter, Reminder
from lti_tool.reminders.rules import STAFF_FOR, Rule


@dataclass(frozen=True, slots=True)
class Given:
    """A reminder as lists show it."""

    member_id: int
    rule: Rule
    round_number: int | None
    at: datetime
    words: str
    letter: str | None
    """The state of the letter that brought it; None for one that stands on the first page only."""


def remind(
    session: Session, activity: Activity, members: Collection[int], words: str, *, by: int, now: datetime
) -> StaffAct:
    """Remind learners on their first page, and with their next letter where they get letters. `by` is a person."""
    act = progress.note_act(session, activity, What.REMIND, dict.fromkeys(members), by=by, now=now, words=words)
    session.add_all(
        Reminder(member_id=one, activity_id=activity.id, rule=Rule.STAFF, mark=str(act.id), at=now, act_id=act.id)
        for one in members
    )
    session.flush()
    return act


def take_back(session: Session, act: StaffAct) -> tuple[int, int]:
    """Undo a reminder of staff. Returns for how many people, and how many of them a letter had reached before."""
    of_act = (Reminder.act_id == act.id, Reminder.rule == Rule.STAFF)
    mailed = session.scalar(select(func.count()).where(*of_act, Reminder.letter_id.is_not(None))) or 0
    session.execute(
        delete(Reminder).where(*of_act, Reminder.letter_id.is_(None)).execution_options(synchronize_session=False)
    )
    return len(act.before), mailed


def shown_to(session: Session, activity_id: int, member_id: int, *, now: datetime) -> Given | None:
    """The last reminder of staff that stands on a learner's first page."""
    lately = (Reminder.rule == Rule.STAFF, Reminder.at > now - STAFF_FOR, StaffAct.undone_at.is_(None))
    given = _given(session, Reminder.activity_id == activity_id, Reminder.member_id == member_id, *lately, most=1)
    return given[0] if given else None


def reminders_of(session: Session, activity_id: int, member_id: int, *, most: int = 50) -> list[Given]:
    """When a learner was reminded of an activity, and why; newest first."""
    return _given(session, Reminder.activity_id == activity_id, Reminder.member_id == member_id, most=most)


def given_in(session: Session, activity_id: int, *, most: int, after: int = 0) -> list[Given]:
    """All reminders of an activity, newest first, without the first `after`."""
    return _given(session, Reminder.activity_id == activity_id, most=most, after=after)


def _given(session: Session, *which: ColumnElement[bool], most: int, after: int = 0) -> list[Given]:
    rows = session.execute(
        select(Reminder, StaffAct.words, Letter.state)
        .outerjoin(StaffAct, StaffAct.id == Reminder.act_id)
        .outerjoin(Letter, Letter.id == Reminder.letter_id)
        .where(*which)
        .order_by(Reminder.at.desc(), Reminder.id.desc())
        .limit(most)
        .offset(after)
    )
    return [
        Given(row.member_id, Rule(row.rule), row.round_number, row.at, words or "", state) for row, words, state in rows
    ]
