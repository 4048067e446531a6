"""Background work on plans."""

from typing import Final

from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.launch.service.arrivals import ROSTER_CHANGED
from lti_tool.pairing import drafting, service
from lti_tool.pairing.errors import PlanChanged, PlanError
from lti_tool.support.kit import Kit

TRIES: Final = 3
"""How often a proposal is worked out anew when the course changes under it."""


def roster_changed(kit: Kit, job: JobContext) -> None:
    """Bring every plan of the course up to date with who is in it, one activity in a transaction."""
    with kit.open_session(job.institution) as session:
        planned = service.planned_activities(session, job.number("course_id"))
    failed: PlanError | None = None
    for activity_id in planned:
        try:
            with kit.open_session(job.institution) as session:
                service.follow_course(session, activity_id, now=kit.clock.now())
        except PlanError as refusal:
            # One activity whose rules and pins cannot all be had must not keep the others from being looked after.
            failed = refusal
    if failed is not None:
        raise failed


def draft(kit: Kit, job: JobContext) -> None:
    """Work out the proposal that somebody waits for. No transaction is open while the engine works."""
    activity_id = job.number("activity_id")
    for attempt in range(1, TRIES + 1):
        try:
            _draft(kit, job.institution, activity_id)
        except PlanError as refusal:
            if isinstance(refusal, PlanChanged) and attempt < TRIES:
                continue
            with kit.open_session(job.institution) as session:
                drafting.end_drafting(session, activity_id, type(refusal).__name__)
        return


def _draft(kit: Kit, institution_id: int, activity_id: int) -> None:
    with kit.open_session(institution_id) as session:
        wish = drafting.drafting_of(session, activity_id)
        if wish is None or wish.refusal is not None:
            return
        asked = drafting.ask(session, activity_id)
        before = drafting.draft_as_it_is(session, asked) if wish.improve else None
    if wish.improve:
        schedule = drafting.look_longer(asked, before, seed=wish.seed)
    else:
        schedule = drafting.propose(asked, seed=wish.seed)
    with kit.open_session(institution_id) as session:
        drafting.keep(session, asked, schedule, by=wish.asked_by_id, now=kit.clock.now(), only_better=wish.improve)


HANDLERS: dict[str, Handler] = {ROSTER_CHANGED: roster_changed, drafting.DRAFT: draft}
