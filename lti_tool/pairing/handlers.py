"""Background work on plans."""

from typing import Final

from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.launch.service.arrivals import ROSTER_CHANGED
from lti_tool.pairing import service
from lti_tool.pairing.errors import PlanChanged, PlanError
from lti_tool.pairing.rules import proposing
from lti_tool.support.kit import Kit

TRIES: Final = 3
"""How often a proposal is worked out if the course changes in the meantime."""


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
    """Work out the proposal that was asked for. No transaction is open while the engine works."""
    activity_id = job.number("activity_id")
    for attempt in range(1, TRIES + 1):
        try:
            _propose(kit, job.institution, activity_id)
        except PlanError as refusal:
            if isinstance(refusal, PlanChanged) and attempt < TRIES:
                continue
            with kit.open_session(job.institution) as session:
                service.end_request(session, activity_id, type(refusal).__name__)
        return


def _propose(kit: Kit, institution_id: int, activity_id: int) -> None:
    with kit.open_session(institution_id) as session:
        request = service.proposal_request(session, activity_id)
        if request is None or request.refusal is not None:
            return
        basis = service.basis_of(session, activity_id)
    schedule = proposing.work_out(basis, seed=request.seed)
    with kit.open_session(institution_id) as session:
        by, now = request.asked_by_id, kit.clock.now()
        service.keep(session, basis, schedule, by=by, now=now)


HANDLERS: dict[str, Handler] = {ROSTER_CHANGED: roster_changed, service.PROPOSE: propose}
