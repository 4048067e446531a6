"""PDFs of pages: the only importer of WeasyPrint, which the extra `pdf` installs."""

import logging
from functools import cache
from pathlib import Path
from threading import get_ident
from typing import Any

from lti_tool.errors import ToolError


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
    boxes, log = _Boxes(), logging.getLogger("weasyprint")
    log.addFilter(boxes)
    try:
        html = weasyprint.HTML(string=page, url_fetcher=_fetch_nothing)
        made: bytes = html.write_pdf(stylesheets=[weasyprint.CSS(string=style.read_text())], pdf_variant="pdf/ua-1")
    finally:
        log.removeFilter(boxes)
    if boxes.count:
        raise LettersMissing(boxes.count)
    return made


def _fetch_nothing(url: str, *_: object, **__: object) -> Any:
    raise ValueError("a page on paper fetches nothing")
