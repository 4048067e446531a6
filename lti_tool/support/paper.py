"""PDFs of pages: the only importer of WeasyPrint, which the extra `pdf` installs."""

import logging
from enum import StrEnum
from functools import cache
from pathlib import Path
from threading import get_ident
from typing import Any, TypeAlias

import structlog
from sqlalchemy import LargeBinary, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column, undefer

from lti_tool.errors import ToolError
from lti_tool.support.db import Tenant
from lti_tool.support.kit import Kit

log = structlog.get_logger(__name__)


class PdfState(StrEnum):
    """How far the PDF of a page is."""

    WAITING = "waiting"
    READY = "ready"
    NO_LETTERS = "no_letters"
    """No font of the server has all its letters."""
    IMPOSSIBLE = "impossible"
    """The server makes no PDFs."""


Made: TypeAlias = tuple[bytes | None, PdfState]
"""A PDF, or None and why there is none."""


class OnPaper(Tenant):
    """Mixin of a table whose rows have a PDF, which a job makes from a page."""

    document: Mapped[str] = mapped_column(Text, default="", deferred=True)
    """The page on paper, from which the PDF is made."""
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    pdf_state: Mapped[str] = mapped_column(String(16))
    """A word of `PdfState`."""


class PdfImpossible(ToolError):
    """WeasyPrint, or Pango that it draws text with, is not installed."""


class LettersMissing(ToolError):
    """No installed font has some letter of the page, so there would be empty boxes on paper."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class _Boxes(logging.Filter):
    """Counts the letters of one thread's page that no font has. Nothing that WeasyPrint says is logged: it quotes
    letters of names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thread, self.count = get_ident(), 0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread == self.thread and ".notdef" in record.msg:
            self.count += 1
        return False


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint  # noqa: PLC0415 - optional, and takes half a second
    except (ImportError, OSError):  # OSError: Pango is missing
        return None
    return weasyprint


def can_make_pdf() -> bool:
    """Whether this process can make PDFs."""
    return _weasyprint() is not None


def to_pdf(page: str, style: Path) -> bytes:
    """A page that needs nothing but this style as a tagged PDF (PDF/UA-1). Raises PdfImpossible or LettersMissing."""
    weasyprint = _weasyprint()
    if weasyprint is None:
        raise PdfImpossible
    boxes, messages = _Boxes(), logging.getLogger("weasyprint")
    messages.addFilter(boxes)
    try:
        html = weasyprint.HTML(string=page, url_fetcher=_fetch_nothing)
        made: bytes = html.write_pdf(stylesheets=[weasyprint.CSS(string=style.read_text())], pdf_variant="pdf/ua-1")
    finally:
        messages.removeFilter(boxes)
    if boxes.count:
        raise LettersMissing(boxes.count)
    return made


def print_waiting(kit: Kit, table: type[OnPaper], number: int, style: Path, *, institution_id: int) -> None:
    """Make the PDF of a row that waits for one, outside any transaction. Without a page that waits, nothing is made."""
    with kit.open_session(institution_id) as session:
        document = waiting_document(session, table, number)
    if document is None:
        return
    made = _attempt(document, style, what=table.__name__, number=number)
    with kit.open_session(institution_id) as session:
        keep_pdf(session, table, number, document, made)


def waiting_document(session: Session, table: type[OnPaper], number: int) -> str | None:
    """The page of which a PDF is to be made; None where none is waited for."""
    row = session.get(table, number, options=[undefer(table.document)])
    return row.document if row is not None and row.pdf_state == PdfState.WAITING else None


def keep_pdf(session: Session, table: type[OnPaper], number: int, document: str, made: Made) -> None:
    """Keep what became of the PDF of this page, unless the row has another page by now."""
    row = session.scalar(
        select(table)
        .where(table.id == number, table.document == document)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is not None:
        row.pdf, row.pdf_state = made
        session.flush()


def _attempt(page: str, style: Path, *, what: str, number: int) -> Made:
    """The PDF of a page, or why there is none. `what` and `number` name it in the log."""
    try:
        return to_pdf(page, style), PdfState.READY
    except LettersMissing as missing:
        log.warning("fonts missing for a page", what=what, number=number, letters=missing.count)
        return None, PdfState.NO_LETTERS
    except PdfImpossible:
        return None, PdfState.IMPOSSIBLE


def _fetch_nothing(url: str, *_: object, **__: object) -> Any:
    raise ValueError("a page on paper fetches nothing")
