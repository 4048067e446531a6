"""Hands due jobs to a message broker, from which worker processes take them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, TypeAlias

from lti_tool.jobs import queue
from lti_tool.jobs.loop import Loop
from lti_tool.jobs.queue import Claim, JobContext
from lti_tool.support.kit import Kit

OWN, GRADES, ROSTERS, LETTERS, DOCUMENTS = QUEUES = ("own", "grades", "rosters", "letters", "documents")
MOST_OF_OTHERS: Final = 200
"""Jobs of one lane that calls nobody which are with the broker or run at a time: enough to keep 50 processes busy, and
few enough that another lane's turn comes soon.
"""

Send: TypeAlias = Callable[[Claim, str], None]
"""Sends the ids of a claim to the queue of this name, or raises whatever keeps it from doing so."""


class Relay(Loop):
    """Claims due jobs and sends their ids to a broker until it is stopped.

    What was sent is held by a lease, as if it ran. Who receives the ids takes the job up (`Worker.take_up`). If nobody
    does so before the lease is over, because the broker lost the message or no process takes from that queue, the job
    is sent again. This counts as no attempt.
    """

    def __init__(self, kit: Kit, send: Send, periodic: Mapping[str, timedelta] | None = None) -> None:
        super().__init__(kit, periodic, threads=1)
        self._send = send

    def run_one(self) -> bool:
        """Claim one job and send its ids. False when none may be sent. Raises BrokerDown if the broker does not take
        it; the job then waits again.
        """
        limit = self._kit.settings.most_per_platform
        held = self._claim(most_per_platform=limit, most_of_others=MOST_OF_OTHERS, begins=False)
        if held is None:
            return False
        try:
            self._send(held, queue_of(held.context))
        except Exception as trouble:  # each broker's library has errors of its own
            with self._kit.open_session() as session:
                now = self._kit.clock.now()
                queue.put_back(session, held, None, due_at=now, now=now)
            raise BrokerDown from trouble
        return True


class BrokerDown(Exception):
    """The broker took no message."""


def queue_of(job: JobContext) -> str:
    """The queue of a job, from its lane: of those that call a platform, rosters and everything else are apart."""
    if job.lane > queue.OWN:
        return ROSTERS if job.name.startswith("roster.") else GRADES
    return {queue.OWN: OWN, queue.MAIL: LETTERS, queue.DOCUMENTS: DOCUMENTS}[job.lane]
