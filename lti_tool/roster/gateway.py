"""The platform's roster service: one page at a time, kept on disk while it is read."""

import codecs
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, cast

import ijson

from lti_tool.registration.errors import TokenRefused
from lti_tool.registration.rules.dynamic import GROUPS_SCOPE
from lti_tool.registration.rules.registrations import next_address, owns
from lti_tool.registration.service.tokens import Token, TokenClient
from lti_tool.roster import rules
from lti_tool.roster.errors import (
    BrokenRoster,
    RosterError,
    RosterGone,
    RosterRefused,
    RosterThrottled,
    RosterTooLarge,
    RosterUnavailable,
)
from lti_tool.roster.rules import NamedGroup
from lti_tool.support.http import Purpose, Stream, TooLarge, next_page, retry_after
from lti_tool.support.kit import Kit

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
GROUPS_TYPE = "application/vnd.ims.lti-gs.v1.contextgroupcontainer+json"
SETS_TYPE = "application/vnd.ims.lti-gs.v1.contextgroupsetcontainer+json"
MOST_PAGES_OF_GROUPS = 100
MOST_GROUPS_OF_COURSE = 5000
IN_MEMORY = 1_000_000
PAUSE_UNSAID = timedelta(seconds=30)
MOST_ON_PAGE = 50_000
LONGEST_TEXT = 200_000
"""Bytes of one text, give or take a piece of the answer. The parser takes half a minute for one of sixty million."""
_QUOTE = re.compile(rb'(?<!\\)"')


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the platform sent it. Its entries are parsed as they are asked for."""

    course_id: int
    next_url: str | None
    _spool: IO[bytes]

    def members(self) -> Iterator[object]:
        """Every entry, unjudged.

        Raises BrokenRoster where the page is no JSON or has no list of members, and RosterTooLarge.
        """
        try:
            count = 0
            for member in ijson.items(self._text(), "members.item", use_float=True):
                count += 1
                if count > MOST_ON_PAGE:
                    raise RosterTooLarge(self.course_id)
                yield member
            if not count and not self._has_list():
                # An answer without the list must not pass for a course without people.
                raise BrokenRoster(self.course_id, "no list of members")
        except (ijson.JSONError, UnicodeError, ValueError):
            raise BrokenRoster(self.course_id, "not JSON") from None

    def _has_list(self) -> bool:
        return ("members", "start_array") in ((prefix, event) for prefix, event, _ in ijson.parse(self._text()))

    def _text(self) -> IO[bytes]:
        """The page from its first character on: a byte-order mark before it is no part of JSON."""
        self._spool.seek(0)
        if self._spool.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            self._spool.seek(0)
        return self._spool


@dataclass
class _Measure:
    """Looks for a text of unreasonable length while the page arrives."""

    course_id: int
    length: int = 0

    def take(self, chunk: bytes) -> bytes:
        """Return the chunk. Raises RosterTooLarge."""
        self.length = 0 if _QUOTE.search(chunk) else self.length + len(chunk)
        if self.length > LONGEST_TEXT:
            raise RosterTooLarge(self.course_id)
        return chunk


@contextmanager
def page(kit: Kit, registration_id: int, course_id: int, url: str, *, with_groups: bool = False) -> Iterator[Page]:
    """Fetch one page. No transaction may be open. `with_groups`: the address asks for each person's groups.

    Raises RosterGone, RosterRefused, RosterThrottled, RosterTooLarge, RosterUnavailable, what `support.http` raises,
    and what asking for a token raises.
    """
    tokens = TokenClient(kit)
    with cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)) as spool:
        for is_last_try in (False, True):
            token = _token(tokens, registration_id, with_groups=with_groups)
            headers = {"Accept": MEDIA_TYPE, "Authorization": f"Bearer {token.value}"}
            with kit.http.stream(url, Purpose.ROSTER, headers) as stream:
                if stream.status == 401 and not is_last_try:
                    tokens.forget(token)
                    continue
                _judge(stream, course_id, kit)
                measure = _Measure(course_id)
                try:
                    for chunk in stream.chunks():
                        spool.write(measure.take(chunk))
                except TooLarge:
                    raise RosterTooLarge(course_id) from None
                following = next_page(stream, url)
            break
        yield Page(course_id, following, spool)


def _token(tokens: TokenClient, registration_id: int, *, with_groups: bool) -> Token:
    """A token for the roster, which is read without groups where the platform grants none."""
    if with_groups:
        try:
            return tokens.token(registration_id, [SCOPE, GROUPS_SCOPE])
        except TokenRefused:
            pass
    return tokens.token(registration_id, [SCOPE])


@dataclass(frozen=True, slots=True)
class CourseRoster:
    """Where a course's roster is, for questions about its links."""

    course_id: int
    registration_id: int
    platform_origins: list[str]
    url: str
    page_size: int | None


def who_may_open(kit: Kit, roster: CourseRoster, resource_link_id: str) -> set[str] | None:
    """The subs of everybody who may open one link; None where the platform does not have the link any more.

    Raises BrokenRoster and what `page` raises otherwise. No transaction may be open.
    """
    following: str | None = rules.of_link(roster.url, resource_link_id, roster.page_size)
    asked: set[str] = set()
    listed: set[str] = set()
    try:
        while following is not None:
            if following in asked or len(asked) >= rules.MAX_PAGES or not owns(roster, following):
                raise BrokenRoster(roster.course_id, "next page")
            asked.add(following)
            with page(kit, roster.registration_id, roster.course_id, following) as current:
                rows = (rules.row_of(member, names_are_escaped=False) for member in current.members())
                # A status that is not understood locks nobody out.
                listed.update(row.sub for row in rows if row is not None and row.is_active is not False)
                following = current.next_url
    except RosterGone:
        if len(asked) > 1:
            raise BrokenRoster(roster.course_id, "next page") from None
        return None
    return listed


def has_link(kit: Kit, roster: CourseRoster, resource_link_id: str) -> bool:
    """Whether the platform still has this link in the course; only a clear no counts. Raises as `page` does otherwise.

    No transaction may be open.
    """
    url = rules.of_link(roster.url, resource_link_id)
    try:
        with page(kit, roster.registration_id, roster.course_id, url):
            return True
    except RosterGone:
        return False
    except (RosterRefused, RosterTooLarge):
        return True


def has_roster(kit: Kit, registration_id: int, course_id: int, url: str) -> bool:
    """Whether the platform still has a roster at this address; only a clear no counts. Raises what `page` raises of
    tokens and calls. No transaction may be open.
    """
    try:
        with page(kit, registration_id, course_id, url):
            return True
    except RosterGone:
        return False
    except RosterError:
        return True


@dataclass(frozen=True, slots=True)
class GroupsService:
    """Where the groups of a course are."""

    course_id: int
    registration_id: int
    platform_origins: list[str]
    groups_url: str
    sets_url: str | None


def course_groups(kit: Kit, service: GroupsService) -> dict[str, NamedGroup]:
    """The groups of a course by id. No transaction may be open.

    Raises BrokenRoster, RosterRefused if no token for groups is granted, and what `page` raises otherwise.
    """
    sets: list[object] = []
    if service.sets_url is not None:
        sets = _listed(kit, service, service.sets_url, "sets", SETS_TYPE)
    return rules.named_groups(_listed(kit, service, service.groups_url, "groups", GROUPS_TYPE), sets)


def _listed(kit: Kit, service: GroupsService, url: str, key: str, media_type: str) -> list[object]:
    """What all pages of one list hold."""
    tokens, asked, listed = TokenClient(kit), set[str](), list[object]()
    following: str | None = url
    while following is not None:
        if following in asked or len(asked) >= MOST_PAGES_OF_GROUPS or not owns(service, following):
            raise BrokenRoster(service.course_id, "next page")
        asked.add(following)
        token = tokens.token(service.registration_id, [SCOPE, GROUPS_SCOPE])
        if GROUPS_SCOPE not in token.granted:
            raise RosterRefused(service.course_id, 403)
        headers = {"Accept": media_type, "Authorization": f"Bearer {token.value}"}
        with kit.http.stream(following, Purpose.GROUPS, headers) as stream:
            if stream.status == 401:
                tokens.forget(token)
            _judge(stream, service.course_id, kit)
            answer = stream.whole().json()
            address = next_page(stream, following)
        entries = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(entries, list):
            raise BrokenRoster(service.course_id, f"no list of {key}")
        listed += entries
        if len(listed) > MOST_GROUPS_OF_COURSE:
            raise RosterTooLarge(service.course_id)
        following = None if address is None else next_address(service, following, address)
    return listed


def _judge(stream: Stream, course_id: int, kit: Kit) -> None:
    if stream.status == 200:
        return
    words = stream.read(2000).lower()
    if stream.status == 429 or (stream.status == 403 and b"rate limit" in words):
        # The second is Canvas's older way to say 429.
        raise RosterThrottled(course_id, retry_after(stream, kit.clock.now()) or PAUSE_UNSAID)
    if stream.status >= 500 or stream.status in {408, 425}:
        raise RosterUnavailable(course_id, stream.status)
    if stream.status == 400 and b"resourcelink was not found" in words:
        # Canvas's way to say that a link is gone.
        raise RosterGone(course_id)
    if stream.status in {404, 410}:
        if b"<html" in words:
            # A page for people, as during maintenance, says nothing of the course.
            raise RosterUnavailable(course_id, stream.status)
        raise RosterGone(course_id)
    raise RosterRefused(course_id, stream.status)
