"""Jobs of this feature: the PDF of a closing report."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from lti_tool.evidence import service
from lti_tool.evidence.models import ClosingReport
from lti_tool.jobs.queue import JobContext
from lti_tool.support.kit import Kit
from lti_tool.support.paper import print_waiting

STYLE: Final = Path(__file__).parent.parent / "static" / "report.css"


def make_pdf(kit: Kit, job: JobContext) -> None:
    """Make the PDF of a closing report, outside any transaction."""
    print_waiting(kit, ClosingReport, job.number("report_id"), STYLE, institution_id=job.institution)


HANDLERS: Final[dict[str, Callable[[Kit, JobContext], None]]] = {service.PDF: make_pdf}
