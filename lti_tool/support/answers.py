"""What a platform answered, and how to read its headers. Tolerant of what real platforms send."""

import contextlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, Protocol
from urllib.parse import urljoin

from lti_tool.support.failures import BadAnswer

LONGEST_WAIT = timedelta(days=1)
_LINK_HEADER_CAP = 16_384
# Straight quotes, single quotes, Moodle's curly quotes, or none.
_LINK_PARAMETER = re.compile(
    r"""[\s;]*([\w*-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[\u201c\u201d][^\u201c\u201d]*[\u201c\u201d]|[^\s;,<]*))?"""
)


class Headed(Protocol):
    """Anything that has the headers of an answer."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by name, in any case."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A platform's whole answer, whatever its status. Prints only host and status, so it may stand in a log."""

    host: str
    status: int
    reason: str = field(repr=False)
    """The words after the status. Moodle puts its refusals here and echoes the request in them: never log it."""
    headers: Mapping[str, str] = field(repr=False)
    """By name, in any case."""
    body: bytes = field(repr=False)
    """Complete for a success. Of a refusal only the first 64 KB."""

    @property
    def is_success(self) -> bool:
        """Whether the platform said yes."""
        return 200 <= self.status < 300

    @property
    def date(self) -> datetime | None:
        """The platform's clock when it answered, if it says."""
        return date_of(self)

    def json(self) -> Any:
        """Return the body read as JSON. Raises BadAnswer for anything that is not strict JSON."""
        try:
            return json.loads(self.body, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            raise BadAnswer(self.host, "not JSON") from None


def date_of(answer: Headed) -> datetime | None:
    """Return the Date header as an aware datetime in UTC, or None if it is missing or garbled."""
    return _http_date(answer.headers.get("Date", ""))


def retry_after(answer: Headed, now: datetime) -> timedelta | None:
    """Return how long the platform asks us to wait, at most a day; None if it does not ask or is not understood."""
    value = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(timedelta(seconds=int(value)), LONGEST_WAIT)
    due_at = _http_date(value)
    if due_at is None:
        return None
    return min(max(due_at - now, timedelta(0)), LONGEST_WAIT)


def next_page(answer: Headed, base_url: str) -> str | None:
    """Return the absolute address of the next page, or None on the last one.

    Understands rel=next in any quotes and at any place, several links, relative addresses and HTML-escaped
    ampersands, and keeps upper and lower case. Whether the address may be called is for the caller to judge.
    """
    value = answer.headers.get("Link", "")
    # Headers arrive as Latin-1; curly quotes come as UTF-8.
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    for target, relations in _links(value[:_LINK_HEADER_CAP]):
        if "next" in relations and target:
            try:
                return urljoin(base_url, target.replace("&amp;", "&"))
            except ValueError:
                return None
    return None


def _links(header: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each link of a Link header as its target and its relations in lower case."""
    at = 0
    while (start := header.find("<", at)) >= 0 and (end := header.find(">", start)) >= 0:
        relations: list[str] | None = None
        at = end + 1
        while match := _LINK_PARAMETER.match(header, at):
            at = match.end()
            if match[1].lower() == "rel" and relations is None:
                relations = (match[2] or "").strip("\"'\u201c\u201d").lower().split()
        yield header[start + 1 : end].strip(), relations or []


def _http_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
