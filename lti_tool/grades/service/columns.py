"""Look for an activity's column, one at a time, and record what was found."""

from datetime import datetime, timedelta

from sqlalchemy import case, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.grades import rules
from lti_tool.grades.gateway import Column
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.grades.rules import Reason
from lti_tool.grades.service.places import Place, place_of, registration_of_line
from lti_tool.grades.service.pushing import COLUMN_REASONS, Wait, ask_for_push
from lti_tool.jobs import queue
from lti_tool.support.kit import Kit

FIND_COLUMN = "grades.column"
SEARCH = timedelta(minutes=6)


def ask_for_column(session: Session, line: LineItem, *, makes: bool, is_asked: bool = False, now: datetime) -> None:
    """Have the column looked for in the background, and made where there is none (`makes`). `is_asked`: also where
    grades were declined in the LMS, because an instructor wants it.
    """
    queue.enqueue(
        session,
        FIND_COLUMN,
        {"line_item_id": line.id, "makes": makes, "is_asked": is_asked},
        institution_id=line.institution_id,
        now=now,
        unique_key=f"{FIND_COLUMN}:{line.id}:{makes}:{is_asked}",
        calls=registration_of_line(session, line),
    )


def begin_search(session: Session, kit: Kit, line_item_id: int, *, now: datetime) -> Place | Wait:
    """Become the only one who looks for the column, and perhaps makes it; or how long somebody else may take."""
    claimed = session.execute(
        update(LineItem)
        .where(
            LineItem.id == line_item_id,
            or_(LineItem.searched_by_until.is_(None), LineItem.searched_by_until <= now),
        )
        .values(searched_by_until=now + SEARCH)
        .returning(LineItem.id)
    ).first()
    if claimed is None:
        return Wait(timedelta(seconds=10))
    line = session.get_one(LineItem, line_item_id, populate_existing=True)
    return place_of(session, kit, line)


def end_search(
    session: Session,
    place: Place,
    state: str,
    column: Column | None,
    date: datetime | None,
    *,
    now: datetime,
    not_before: datetime | None = None,
    besides: int | None = None,
    is_rescaled: bool = False,
) -> None:
    """Record what the search found. All scores are sent to a column that is not the one we knew, or whose points we
    changed (`is_rescaled`); to the one we knew what waits is sent, not before the given time. The score `besides` is
    being sent already.
    """
    line = session.get_one(LineItem, place.line_item_id)
    line.searched_by_until, line.checked_at, line.state = None, now, state
    offset = rules.offset_of(date, now, None)
    if offset is not None:
        line.clock_offset_ms = round(offset.total_seconds() * 1000)
    if column is not None:
        is_another = line.url is not None and line.url != column.url
        line.url, line.label = column.url, column.label or line.label
        line.maximum = column.maximum if column.maximum is not None or is_another else line.maximum
        if is_another or is_rescaled:
            not_before = None
            _forget_what_was_told(session, line, is_another=is_another, now=now)
    waiting = select(ScoreState).where(ScoreState.line_item_id == line.id, ScoreState.state == "waiting")
    for score in session.scalars(waiting):
        if state == "linked":
            # The column is there and refused this score all the same.
            is_lasting = score.reason == Reason.COLUMN_GONE and score.waits_since is not None
            score.reason = Reason.NOT_FOUND if is_lasting else None
            if score.id != besides:
                ask_for_push(session, score, now=now, due_at=not_before)
        else:
            score.reason, score.changed_at = COLUMN_REASONS.get(state, Reason.NO_COLUMN), now
    session.flush()


def take_for_linked(session: Session, line_item_id: int) -> None:
    """Go on with a column that seemed to be gone, and of which nobody could find out."""
    line = session.get_one(LineItem, line_item_id)
    if line.state == "deleted" and line.url is not None:
        line.state = "linked"
        session.flush()


def release_search(session: Session, line_item_id: int) -> None:
    """Let others look for the column, after a search that broke off."""
    session.get_one(LineItem, line_item_id).searched_by_until = None


def _forget_what_was_told(session: Session, line: LineItem, *, is_another: bool, now: datetime) -> None:
    # In the same column timestamps go on rising.
    stamps = {"stamp": None} if is_another else {}
    session.execute(
        update(ScoreState)
        .where(ScoreState.line_item_id == line.id)
        .values(
            state=case((ScoreState.state == "delivered", "waiting"), else_=ScoreState.state),
            sent=None,
            sent_at=None,
            trying=None,
            conflicts=0,
            waits_since=None,
            looks=0,
            changed_at=now,
            **stamps,
        )
        .execution_options(synchronize_session="fetch")
    )
