"""What is kept about one person, for an export, and what an erasure removes."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.progress.models import StaffAct
from lti_tool.reminders.models import Letter, MailPreference, Reminder


def everything_of(session: Session, person_id: int, members: Collection[int]) -> dict[str, list[dict[str, Any]]]:
    """Letters, reminders, the wish to get none, and what they did as staff, as plain values."""
    own = session.execute(
        select(Reminder, Activity.title, StaffAct.words)
        .join(Activity, Activity.id == Reminder.activity_id)
        .outerjoin(StaffAct, StaffAct.id == Reminder.act_id)
        .where(Reminder.member_id.in_(members))
        .order_by(Reminder.id)
    )
    acts = session.execute(
        select(StaffAct, Activity.title)
        .join(Activity, Activity.id == StaffAct.activity_id)
        .where(StaffAct.by_id == person_id)
        .order_by(StaffAct.id)
    )
    letters = session.scalars(select(Letter).where(Letter.person_id == person_id).order_by(Letter.id))
    preferences = session.scalars(select(MailPreference).where(MailPreference.person_id == person_id))
    return {
        "letters": [{"at": one.made_at.isoformat(timespec="seconds"), "state": one.state} for one in letters],
        "reminded": [
            {
                "activity": title,
                "round": row.round_number,
                "why": row.rule,
                "at": row.at.isoformat(timespec="seconds"),
                "text": words or "",
            }
            for row, title, words in own
        ],
        "letters_stopped": [
            {
                "since": one.stopped_at.isoformat(timespec="seconds") if one.stopped_at else None,
                "address_refused": one.refused_at.isoformat(timespec="seconds") if one.refused_at else None,
            }
            for one in preferences
        ],
        "done_as_staff": [
            {
                "activity": title,
                "what": act.what,
                "round": act.round_number,
                "at": act.at.isoformat(timespec="seconds"),
                "text": act.words,
            }
            for act, title in acts
        ],
    }


def forget(session: Session, person_id: int, members: Collection[int]) -> None:
    """Remove letters and reminders of a person, and the words of what they sent as staff."""
    for statement in (
        delete(Reminder).where(Reminder.member_id.in_(members)),
        delete(Letter).where(Letter.person_id == person_id),
        delete(MailPreference).where(MailPreference.person_id == person_id),
        update(StaffAct).where(StaffAct.by_id == person_id).values(words=""),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
