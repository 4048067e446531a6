"""The search for an activity's column: one at a time, with its result recorded."""

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
    """Enqueue a job that looks for the column, and makes one if there is none and `makes`.

    `is_asked`: an instructor wants it, even if grades were declined in the LMS.
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
    """Claim the search for the column, or return how long to wait for the search that is under way."""
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
    skipped_score: int | None = None,
    is_rescaled: bool = False,
) -> None:
    """Record the result of a search.

    A new column, or one whose points we changed (`is_rescaled`), gets all scores again. A known column gets those that
    wait, `not_before` that time. `skipped_score` is the score that its caller is about to send.
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
            _reset_scores(session, line, is_another=is_another, now=now)
    waiting = select(ScoreState).where(ScoreState.line_item_id == line.id, ScoreState.state == "waiting")
    for score in session.scalars(waiting):
        if state == "linked":
            # A score was refused although the column is there.
            is_lasting = score.reason == Reason.COLUMN_GONE and score.waits_since is not None
            score.reason = Reason.NOT_FOUND if is_lasting else None
            if score.id != skipped_score:
                ask_for_push(session, score, now=now, due_at=not_before)
        else:
            score.reason, score.changed_at = COLUMN_REASONS.get(state, Reason.NO_COLUMN), now
    session.flush()


def treat_as_linked(session: Session, line_item_id: int) -> None:
    """Go on using a column that seemed to be deleted, because the platform did not say so for certain."""
    line = session.get_one(LineItem, line_item_id)
    if line.state == "deleted" and line.url is not None:
        line.state = "linked"
        session.flush()


def release_search(session: Session, line_item_id: int) -> None:
    """End a search that failed, so that another one may begin."""
    session.get_one(LineItem, line_item_id).searched_by_until = None


def _reset_scores(session: Session, line: LineItem, *, is_another: bool, now: datetime) -> None:
    # Within one column timestamps must rise, so only another column starts without a stamp.
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
