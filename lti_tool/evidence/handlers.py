"""Jobs of this feature: the PDF of a closing report."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from lti_tool.evidence import service
from lti_tool.jobs.queue import JobContext
from lti_tool.support.kit import Kit
from lti_tool.support.paper import attempt

STYLE: Final = Path(__file__).parent.parent / "static" / "report.css"


def make_pdf(kit: Kit, job: JobContext) -> None:
    """Make the PDF of a closing report, outside any transaction."""
    report_id = job.number("report_id")
    with kit.open_session(job.institution) as session:
        document = service.document_of(session, report_id)
    if document is None:
        return
    pdf, state = attempt(document, STYLE, what="closing report", number=report_id)
    with kit.open_session(job.institution) as session:
        service.keep_pdf(session, report_id, document, pdf, state)


HANDLERS: Final[dict[str, Callable[[Kit, JobContext], None]]] = {service.PDF: make_pdf}
