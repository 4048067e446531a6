"""Jobs of this feature: the PDF of a certificate."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from lti_tool.certificates import service
from lti_tool.jobs.queue import JobContext
from lti_tool.support.kit import Kit
from lti_tool.support.paper import attempt

STYLE: Final = Path(__file__).parent.parent / "static" / "certificate.css"


def make_pdf(kit: Kit, job: JobContext) -> None:
    """Make the PDF of a certificate, outside any transaction."""
    certificate_id = job.number("certificate_id")
    with kit.open_session(job.institution) as session:
        document = service.document_of(session, certificate_id)
    if document is None:
        return
    pdf, state = attempt(document, STYLE, what="certificate", number=certificate_id)
    with kit.open_session(job.institution) as session:
        service.keep_pdf(session, certificate_id, document, pdf, state)


HANDLERS: Final[dict[str, Callable[[Kit, JobContext], None]]] = {service.PDF: make_pdf}
