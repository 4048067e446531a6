"""Background work on progress: completion is worked out again, and what follows from it is told to the gradebook."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Protocol

from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.launch.models import Member
from lti_tool.progress import service
from lti_tool.progress.rules import Progress, Summary
from lti_tool.support.kit import Kit


class Follower(Protocol):
    """What goes by people's completion. `grades` does, which comes later in the story, so `wiring` brings it here."""

    def note_progress(
        self, session: Session, activity: Activity, member_id: int, progress: Progress, *, now: datetime
    ) -> None: ...

    def members_to_check(self, session: Session, activity: Activity, summaries: Mapping[int, Summary]) -> list[int]: ...


def progress_changed(follower: Follower, kit: Kit, job: JobContext) -> None:
    """Work out a learner's completion and keep what follows for the gradebook."""
    activity_id, member_id = job.number("activity_id"), job.number("member_id")
    now = kit.clock.now()
    with kit.open_session(job.institution) as session:
        activity = session.get(Activity, activity_id)
        # Held, so that of two who look at once the later sees what the earlier did not.
        member = session.get(Member, member_id, with_for_update={"key_share": True})
        if activity is None or member is None:
            return
        progress = service.progress_of(session, activity_id, member_id, now)
        follower.note_progress(session, activity, member_id, progress, now=now)
        _look_at_next_date(session, activity_id, now=now)


def everybody_changed(follower: Follower, kit: Kit, job: JobContext) -> None:
    """Work out everybody's completion, and have those looked at for whom something follows from it."""
    activity_id, now = job.number("activity_id"), kit.clock.now()
    with kit.open_session(job.institution) as session:
        activity = session.get(Activity, activity_id)
        if activity is None:
            return
        summaries = service.summaries_of_all(session, activity_id, now)
        members = follower.members_to_check(session, activity, summaries)
        _look_at_next_date(session, activity_id, now=now)
    for at in range(0, len(members), activities.FEW):
        with kit.open_session(job.institution) as session:
            activities.completion_changed(session, activity_id, members[at : at + activities.FEW], now=now)


def _look_at_next_date(session: Session, activity_id: int, *, now: datetime) -> None:
    """A partner who has written nothing by a date is not waited for, and nobody does anything to say so."""
    ends_at = service.next_date(session, activity_id, now=now)
    if ends_at is not None:
        activities.completion_changes_at(session, activity_id, ends_at, now=now)


def handlers(follower: Follower) -> dict[str, Handler]:
    """The jobs of this feature, with what goes by their outcome."""

    def followed(work: Callable[[Follower, Kit, JobContext], None]) -> Handler:
        @wraps(work)
        def handle(kit: Kit, job: JobContext) -> None:
            work(follower, kit, job)

        return handle

    return {
        activities.PROGRESS_CHANGED: followed(progress_changed),
        activities.EVERYBODY_CHANGED: followed(everybody_changed),
    }
