"""Background work on plans."""

from datetime import timedelta
from typing import Final

from lti_tool.jobs.queue import Handler, JobContext, RetryLater
from lti_tool.launch.service.arrivals import ROSTER_CHANGED
from lti_tool.pairing import service
from lti_tool.pairing.errors import PlanChanged, PlanError
from lti_tool.pairing.rules import proposing
from lti_tool.support.kit import Kit

AGAIN: Final = timedelta(seconds=2)
"""The pause before a proposal is worked out anew."""


def roster_changed(kit: Kit, job: JobContext) -> None:
    """Bring every plan of the course up to date with its roster, each in a transaction of its own."""
    with kit.open_session(job.institution) as session:
        planned = service.planned_activities(session, job.number("course_id"))
    failed: PlanError | None = None
    for activity_id in planned:
        try:
            with kit.open_session(job.institution) as session:
                service.follow_course(session, activity_id, now=kit.clock.now())
        except PlanError as refusal:
            # The other plans are brought up to date even if rules and pins of this activity contradict each other.
            failed = refusal
    if failed is not None:
        raise failed


def propose(kit: Kit, job: JobContext) -> None:
    """Work out the proposal that was asked for. No transaction is open while the engine works.

    If the course changes in the meantime, the work begins anew.
    """
    activity_id = job.number("activity_id")
    try:
        with kit.open_session(job.institution) as session:
            request = service.proposal_request(session, activity_id)
            if request is None or request.refusal is not None:
                return
            basis = service.basis_of(session, activity_id)
        schedule = proposing.work_out(basis, seed=request.seed)
        with kit.open_session(job.institution) as session:
            service.keep(session, basis, schedule, by=request.asked_by_id, now=kit.clock.now())
    except PlanChanged:
        raise RetryLater(AGAIN) from None
    except PlanError as refusal:
        with kit.open_session(job.institution) as session:
            service.end_request(session, activity_id, refusal.cause)


HANDLERS: dict[str, Handler] = {ROSTER_CHANGED: roster_changed, service.PROPOSE: propose}
