"""Background work on rosters."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from lti_tool.jobs.queue import MAX_ATTEMPTS, GiveUp, Handler, JobContext, RetryLater
from lti_tool.registration.errors import Denial, RegistrationPaused, TokenRefused, TokenUnavailable
from lti_tool.registration.rules.registrations import LOOKS_DAILY
from lti_tool.roster import gateway, rules
from lti_tool.roster.errors import RosterError, RosterGone, RosterRefused, RosterThrottled, RosterTooLarge
from lti_tool.roster.gateway import Page
from lti_tool.roster.rules import RosterRow
from lti_tool.roster.service import readings
from lti_tool.roster.service.readings import Step
from lti_tool.support.http import CallFailed
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

log = get_logger(__name__)
REFRESH = "roster.refresh"
AT_ONCE = 500
"""People written in one transaction: enough to be quick, few enough that others get their turn on SQLite."""
OF_DENIAL: Final[Mapping[Denial, str]] = {
    Denial.CREDENTIALS: "credentials",
    Denial.CLOCK: "clock",
    Denial.KEY_SET: "key set",
    Denial.SCOPE: "refused",
    Denial.UNCLEAR: "no access",
}
"""The failure of a reading while the platform gives us no token."""


def sync(kit: Kit, job: JobContext) -> None:
    """Read one page of a course's roster, and leave a job for the next."""
    course_id = job.number("course_id")
    with kit.open_session(job.institution) as session:
        step = readings.next_step(session, course_id, now=kit.clock.now())
    if step is None:
        return
    try:
        with gateway.page(kit, step.registration_id, course_id, step.url, with_groups=step.with_groups) as page:
            _keep(kit, job.institution, step, page)
    except RosterGone:
        _stop(kit, job.institution, step, "gone")
    except RosterRefused as refusal:
        log.warning(
            "roster refused", registration_id=step.registration_id, course_id=course_id, status_code=refusal.status
        )
        _stop(kit, job.institution, step, "refused")
    except RosterTooLarge as refusal:
        _stop(kit, job.institution, step, "too large")
        raise GiveUp(type(refusal).__name__) from None
    except RegistrationPaused:
        # Whoever resumes the registration, or the next launch, has it read again.
        _stop(kit, job.institution, step, "paused")
    except TokenRefused as refusal:
        _stop(kit, job.institution, step, OF_DENIAL[refusal.denial], looks_again_at=refusal.asks_again_at)
    except RosterThrottled as throttled:
        raise _wait(kit, job.institution, step, throttled.after) from None
    except TokenUnavailable as away:
        if away.retry_after is not None:
            raise _wait(kit, job.institution, step, away.retry_after) from None
        _stop_after_last_attempt(kit, job, step)
        raise
    except (RosterError, CallFailed):
        _stop_after_last_attempt(kit, job, step)
        raise


def refresh(kit: Kit, _: JobContext) -> None:
    """Have the rosters of courses that are in use read again."""
    with kit.open_session() as session:
        readings.refresh(session, now=kit.clock.now())


def _keep(kit: Kit, institution_id: int, step: Step, page: Page) -> None:
    new, unread, waiting = 0, 0, list[RosterRow]()

    def write() -> int:
        with kit.open_session(institution_id) as session:
            return readings.keep(session, step, rules.merged(waiting), now=kit.clock.now())

    for member in page.members():
        row = rules.row_of(member, names_are_escaped=step.names_are_escaped)
        unread += row is None or not row.is_understood
        if row is not None:
            waiting.append(row)
        if len(waiting) >= AT_ONCE:
            new += write()
            waiting.clear()
    new += write()
    with kit.open_session(institution_id) as session:
        readings.turn_page(session, step, page.next_url, new=new, unread=unread, now=kit.clock.now())


def _stop_after_last_attempt(kit: Kit, job: JobContext, step: Step) -> None:
    """End the reading after the last attempt of this job; another one begins a day later."""
    if job.attempts >= MAX_ATTEMPTS:
        _stop(kit, job.institution, step, "unreachable", looks_again_at=kit.clock.now() + LOOKS_DAILY)


def _wait(kit: Kit, institution_id: int, step: Step, after: timedelta) -> RetryLater:
    with kit.open_session(institution_id) as session:
        readings.note_wait(session, step.sync_id, kit.clock.now() + after)
    return RetryLater(after)


def _stop(kit: Kit, institution_id: int, step: Step, failure: str, *, looks_again_at: datetime | None = None) -> None:
    with kit.open_session(institution_id) as session:
        now = kit.clock.now()
        next_reading_at = readings.next_reading_at(session, step.course_id, now=now)
        if failure not in readings.FAILED_FOR_NOW or next_reading_at is None:
            looks_again_at = None
        else:
            looks_again_at = looks_again_at or next_reading_at
        readings.stop(session, step.sync_id, failure, now=now, looks_again_at=looks_again_at)
        if failure == "gone" and step.is_first:
            readings.ask_whether_course_is_over(session, step.course_id, now=now)


HANDLERS: dict[str, Handler] = {readings.SYNC: sync, REFRESH: refresh}
PERIODIC: dict[str, timedelta] = {REFRESH: timedelta(hours=1)}
