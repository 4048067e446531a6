"""Jobs that look for an activity's column, make it, and change its points."""

from datetime import datetime, timedelta

from lti_tool.grades.errors import ForeignAddress
from lti_tool.grades.gateway import Column, Gradebook
from lti_tool.grades.service import columns
from lti_tool.grades.service.places import Place, line_item_of
from lti_tool.grades.service.pushing import Wait
from lti_tool.jobs.queue import GiveUp, JobContext, RetryLater
from lti_tool.registration.errors import RegistrationPaused, TokenRefused
from lti_tool.roster.service import ask_whether_course_is_over
from lti_tool.support.kit import Kit


def find_column(kit: Kit, job: JobContext) -> None:
    """Look for a column, and make one if the job says so."""
    try:
        find(
            kit,
            job,
            job.number("line_item_id"),
            makes=bool(job.payload.get("makes")),
            is_asked=bool(job.payload.get("is_asked")),
        )
    except (RegistrationPaused, ForeignAddress) as refusal:
        raise GiveUp(type(refusal).__name__) from None
    except TokenRefused as refusal:
        raise retry_when_token_is_due(kit, refusal) from None


def points_changed(kit: Kit, job: JobContext) -> None:
    """Set the column's maximum to the activity's points. If that changed it, send every score again.

    Makes no column: one that is made later gets these points. A column that the platform does not let us change, or
    that has these points already, keeps its maximum.
    """
    with kit.open_session(job.institution) as session:
        line_item_id = line_item_of(session, job.number("activity_id")).id
        place = columns.begin_search(session, kit, line_item_id, now=kit.clock.now())
    if isinstance(place, Wait):
        raise RetryLater(place.after)
    try:
        column, changed, date = _set_maximum(place)
    except (RegistrationPaused, ForeignAddress) as refusal:
        raise GiveUp(type(refusal).__name__) from None
    except TokenRefused as refusal:
        raise retry_when_token_is_due(kit, refusal) from None
    finally:
        with kit.open_session(job.institution) as session:
            columns.release_search(session, line_item_id)
    if column is not None:
        with kit.open_session(job.institution) as session:
            columns.end_search(
                session,
                place,
                "linked",
                changed or column,
                date,
                now=kit.clock.now(),
                is_rescaled=changed is not None,
            )


def _set_maximum(place: Place) -> tuple[Column | None, Column | None, datetime | None]:
    """Set the column's maximum to the activity's points.

    Returns the column as it was (None if there is none), the changed column (None if nothing changed), and the
    platform's time.
    """
    _, column, date = _search(place, makes=False)
    if column is None or column.maximum == place.maximum or not place.gradebook.makes_columns:
        return column, None, date
    return column, place.gradebook.change_maximum(column, place.maximum), date


def retry_when_token_is_due(kit: Kit, refusal: TokenRefused) -> RetryLater:
    """The exception that runs the job again at the next request for a token."""
    now = kit.clock.now()
    return RetryLater(max((refusal.asks_again_at or now) - now, timedelta(seconds=1)))


def find(
    kit: Kit,
    job: JobContext,
    line_item_id: int,
    *,
    makes: bool,
    is_asked: bool = False,
    not_before: datetime | None = None,
    skipped_score: int | None = None,
) -> None:
    """Look for the column and record the result. One search at a time: raises RetryLater while another one runs."""
    with kit.open_session(job.institution) as session:
        place = columns.begin_search(session, kit, line_item_id, now=kit.clock.now())
    if isinstance(place, Wait):
        raise RetryLater(place.after)
    try:
        state, column, date = _search(place, makes=makes, is_asked=is_asked)
    except BaseException:
        with kit.open_session(job.institution) as session:
            columns.release_search(session, line_item_id)
        raise
    with kit.open_session(job.institution) as session:
        now = kit.clock.now()
        columns.end_search(
            session, place, state, column, date, now=now, not_before=not_before, skipped_score=skipped_score
        )
        if state in {"none", "deleted"}:
            ask_whether_course_is_over(session, place.course_id, now=now)


def _search(place: Place, *, makes: bool, is_asked: bool = False) -> tuple[str, Column | None, datetime | None]:
    """Find the column by its stored address, the launch's claim or its link, or make one.

    Returns the line item's state, the column and the platform's time. `makes`: whether to make a column; if grades were
    declined in the LMS, one is made only if `is_asked`.
    """
    gradebook = place.gradebook
    if not gradebook.takes_scores:
        return "readonly", None, None
    column, date = _column_at_known_address(place, gradebook)
    can_look = place.container is not None and place.resource_link_id is not None
    if column is None and can_look and gradebook.reads_columns:
        column = _column_of_link(place, gradebook)
    may_make = column is None and can_look and makes and gradebook.makes_columns
    if may_make and gradebook.platform.asks_about_grades and place.url is None and not is_asked:
        return "declined", None, date
    if may_make:
        column = gradebook.make_column(
            place.container or "",
            label=place.title,
            maximum=place.maximum,
            resource_link_id=place.resource_link_id or "",
            resource_id=place.resource_id,
        )
    if column is not None:
        return "linked", column, date
    return ("none" if place.url is None else "deleted"), None, date


def _column_at_known_address(place: Place, gradebook: Gradebook) -> tuple[Column | None, datetime | None]:
    date: datetime | None = None
    known_urls = [url for url in dict.fromkeys((place.url, place.claimed_url)) if url]
    if not gradebook.reads_columns:
        # We may not read columns, so believe the launch, unless this column was deleted.
        urls = [url for url in known_urls if url != place.url or place.state != "deleted"]
        return (Column(urls[-1], "", None, None) if urls else None), None
    for url in known_urls:
        column, date = gradebook.column(url)
        if column is not None:
            return column, date
    return None, date


def _column_of_link(place: Place, gradebook: Gradebook) -> Column | None:
    """The column of the activity's link. If there are several, the one that we made, else the first."""
    candidates = gradebook.columns_of(place.container or "", place.resource_link_id or "")
    ours = [column for column in candidates if column.resource_id == place.resource_id]
    return next(iter([*ours, *candidates]), None)
