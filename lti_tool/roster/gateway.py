"""The platform's roster service: one page at a time, kept on disk while it is read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, cast

import ijson

from lti_tool.registration.tokens import TokenClient
from lti_tool.roster import rules
from lti_tool.roster.errors import BrokenRoster, RosterGone, RosterRefused, RosterThrottled, RosterUnavailable
from lti_tool.support.http import Purpose, Stream, next_page, retry_after
from lti_tool.support.kit import Kit

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
IN_MEMORY = 1_000_000
PAUSE_UNSAID = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the platform sent it. Its entries are parsed as they are asked for."""

    course_id: int
    next_url: str | None
    _spool: IO[bytes]

    def members(self) -> Iterator[object]:
        """Every entry, unjudged. Raises BrokenRoster where the page is no JSON, or has no list of members."""
        try:
            count = 0
            self._spool.seek(0)
            for member in ijson.items(self._spool, "members.item", use_float=True):
                count += 1
                yield member
            if not count and not self._has_list():
                # An answer without the list must not pass for a course without people.
                raise BrokenRoster(self.course_id, "no list of members")
        except (ijson.JSONError, UnicodeError, ValueError):
            raise BrokenRoster(self.course_id, "not JSON") from None

    def _has_list(self) -> bool:
        self._spool.seek(0)
        return ("members", "start_array") in ((prefix, event) for prefix, event, _ in ijson.parse(self._spool))


@contextmanager
def page(kit: Kit, registration_id: int, course_id: int, url: str) -> Iterator[Page]:
    """Fetch one page. No transaction may be open.

    Raises RosterGone, RosterRefused, RosterThrottled, RosterUnavailable, what `support.http` raises, and what asking
    for a token raises.
    """
    tokens = TokenClient(kit)
    with cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)) as spool:
        for is_last_try in (False, True):
            token = tokens.token(registration_id, [SCOPE])
            headers = {"Accept": MEDIA_TYPE, "Authorization": f"Bearer {token.value}"}
            with kit.http.stream(url, Purpose.ROSTER, headers) as stream:
                if stream.status == 401 and not is_last_try:
                    tokens.forget(token)
                    continue
                _judge(stream, course_id, kit)
                for chunk in stream.chunks():
                    spool.write(chunk)
                following = next_page(stream, url)
            break
        yield Page(course_id, following, spool)


def has_link(kit: Kit, registration_id: int, course_id: int, memberships_url: str, resource_link_id: str) -> bool:
    """Whether the platform still has this link in the course; only a clear no counts. Raises as `page` does otherwise.

    No transaction may be open.
    """
    try:
        with page(kit, registration_id, course_id, rules.of_link(memberships_url, resource_link_id)):
            return True
    except RosterGone:
        return False
    except RosterRefused:
        return True


def _judge(stream: Stream, course_id: int, kit: Kit) -> None:
    if stream.status == 200:
        return
    words = stream.read(2000).lower()
    if stream.status == 429 or (stream.status == 403 and b"rate limit" in words):
        # The second is Canvas's older way to say 429.
        raise RosterThrottled(course_id, retry_after(stream, kit.clock.now()) or PAUSE_UNSAID)
    if stream.status >= 500 or stream.status in {408, 425}:
        raise RosterUnavailable(course_id, stream.status)
    if stream.status in {404, 410}:
        if b"<html" in words:
            # A page for people, as during maintenance, says nothing of the course.
            raise RosterUnavailable(course_id, stream.status)
        raise RosterGone(course_id)
    raise RosterRefused(course_id, stream.status)
