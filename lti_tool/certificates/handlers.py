"""Jobs of this feature: the PDF of a certificate."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from lti_tool.certificates import service
from lti_tool.certificates.rules import PdfState
from lti_tool.jobs.queue import JobContext
from lti_tool.support.kit import Kit
from lti_tool.support.paper import LettersMissing, PdfImpossible, to_pdf

STYLE: Final = Path(__file__).parent.parent / "static" / "certificate.css"

log = structlog.get_logger(__name__)


def make_pdf(kit: Kit, job: JobContext) -> None:
    """Make the PDF of a certificate, outside any transaction."""
    certificate_id = job.number("certificate_id")
    with kit.open_session(job.institution) as session:
        document = service.document_of(session, certificate_id)
    if document is None:
        return
    pdf: bytes | None = None
    try:
        pdf, state = to_pdf(document, STYLE), PdfState.READY
    except LettersMissing as missing:
        state = PdfState.NO_LETTERS
        log.warning("fonts missing for a certificate", certificate=certificate_id, letters=missing.count)
    except PdfImpossible:
        state = PdfState.IMPOSSIBLE
    with kit.open_session(job.institution) as session:
        service.keep_pdf(session, certificate_id, document, pdf, state)


HANDLERS: Final[dict[str, Callable[[Kit, JobContext], None]]] = {service.PDF: make_pdf}
