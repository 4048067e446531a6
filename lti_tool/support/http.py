"""HTTP calls to the addresses that platforms gave us. The only importer of requests."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NoReturn, Self, cast

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import DecodeError, ReadTimeoutError
from urllib3.exceptions import HTTPError as TransportError

from lti_tool import __version__
from lti_tool.settings import Settings
from lti_tool.support.addresses import host_of, origin_of
from lti_tool.support.answers import Answer, date_of, next_page, retry_after
from lti_tool.support.failures import (
    AddressRefused,
    BadAnswer,
    CallFailed,
    Redirected,
    TooLarge,
    TooSlow,
    Unreachable,
)
from lti_tool.support.sockets import (
    Deadline,
    Dial,
    Guard,
    GuardedPools,
    Resolve,
    system_dial,
    system_resolve,
    tls_context,
)

__all__ = [
    "LIMITS",
    "AddressRefused",
    "Answer",
    "BadAnswer",
    "CallFailed",
    "Limit",
    "Outbound",
    "Patience",
    "Purpose",
    "Redirected",
    "Stream",
    "TooLarge",
    "TooSlow",
    "Unreachable",
    "hosts_that_answer",
    "next_page",
    "origin_of",
    "retry_after",
    "tls_context",
]

_CHUNK = 65_536
_REFUSAL_CAP = 65_536
_PAUSES = (0.3, 1.0)
"""Seconds before the second and the third attempt of a call that may be repeated."""
WHOLE_AGAIN = 600.0
"""After this many seconds a host that did not answer in time gets the whole time of a call again."""
SHORTEST = 3.0
"""The least time for a call in seconds, unless its purpose allows less."""


_answers: ContextVar[list[str]] = ContextVar("hosts that answered")


@contextmanager
def hosts_that_answer(hosts: list[str]) -> Iterator[None]:
    """Append to this list each host that gives a whole answer while the block runs, in this thread."""
    before = _answers.set(hosts)
    try:
        yield
    finally:
        _answers.reset(before)


class Purpose(Enum):
    """What a call is for; decides how long and how large its answer may be."""

    CONFIGURATION = "configuration"
    KEY_SET = "key set"
    TOKEN = "token"  # noqa: S105 - a purpose, not a password
    SCORE = "score"
    ROSTER = "roster"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a call may take as a whole, and how many bytes its answer may have once decompressed."""

    seconds: float
    bytes: int


LIMITS: Mapping[Purpose, Limit] = {
    Purpose.CONFIGURATION: Limit(5, 1_000_000),
    Purpose.KEY_SET: Limit(5, 1_000_000),
    # Canvas has been seen to take more than ten seconds for a token.
    Purpose.TOKEN: Limit(30, 64_000),
    Purpose.SCORE: Limit(30, 1_000_000),
    Purpose.ROSTER: Limit(60, 64_000_000),
    Purpose.GROUPS: Limit(20, 4_000_000),
}


class Patience:
    """How long to wait for a host that let us wait in vain lately.

    After a call that ran out of time, calls to that host get a third of theirs, after another one a ninth, so that a
    platform that hangs holds nobody up for long. Now and then one gets its whole time all the same: a platform that is
    slow and well must not look dead for ever. An answer ends this. Known to one process only.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._hung: dict[str, tuple[int, float]] = {}

    def seconds(self, host: str, whole: float) -> float:
        """Seconds for the next call to this host, out of the time that its purpose allows."""
        with self._lock:
            if host not in self._hung:
                return whole
            times, since = self._hung[host]
            if self._now() - since >= WHOLE_AGAIN:
                self._hung[host] = (times, self._now())
                return whole
            return max(whole / 3.0 ** min(times, 2), min(whole, SHORTEST))

    def ran_out(self, host: str) -> None:
        """Note that a call to this host ran out of time."""
        with self._lock:
            times, since = self._hung.get(host, (0, self._now()))
            self._hung[host] = (times + 1, since)

    def answered(self, host: str) -> None:
        """Note that the host gave a whole answer."""
        with self._lock:
            self._hung.pop(host, None)


class Stream:
    """An answer whose body is read as it arrives. Reading raises TooSlow, TooLarge, Unreachable or BadAnswer."""

    def __init__(self, host: str, response: requests.Response, limit: Limit, deadline: Deadline) -> None:
        self.host = host
        self.status = response.status_code
        self.reason = response.reason or ""
        self.headers: Mapping[str, str] = response.headers
        self._raw = cast(BaseHTTPResponse, response.raw)
        self._bytes_allowed = limit.bytes
        self._deadline = deadline

    @property
    def is_success(self) -> bool:
        """Whether the platform said yes."""
        return 200 <= self.status < 300

    @property
    def date(self) -> datetime | None:
        """The platform's clock when it answered, if it says."""
        return date_of(self)

    def read(self, size: int = _CHUNK) -> bytes:
        """Return up to that many decompressed bytes, at most 64 KB; nothing at the end. Fits ijson."""
        size = _CHUNK if size < 0 else min(size, _CHUNK)
        if size == 0:
            return b""
        try:
            chunk = self._raw.read(size, decode_content=True)
        except DecodeError:
            raise BadAnswer(self.host, "broken compression") from None
        except ReadTimeoutError:
            raise TooSlow(self.host) from None
        except (TransportError, OSError):
            if self._deadline.is_over:
                raise TooSlow(self.host) from None
            raise Unreachable(self.host, "broken off") from None
        self._bytes_allowed -= len(chunk)
        if self._bytes_allowed < 0:
            raise TooLarge(self.host)
        return chunk

    def chunks(self) -> Iterator[bytes]:
        """Yield the body piece by piece."""
        while chunk := self.read():
            yield chunk

    def whole(self) -> Answer:
        """Read to the end. Of a refusal only the beginning is kept: its status matters more than its length."""
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if not self.is_success and len(body) >= _REFUSAL_CAP:
                break
        return Answer(self.host, self.status, self.reason, self.headers, bytes(body))


@dataclass(frozen=True, slots=True)
class Outbound:
    """Calls platforms, and no other addresses.

    Only https to public addresses; private ones, and in development http, only to a host and port that the operator
    named. No redirects, no cookies, no proxies from the environment, one connection per call. Each call has a deadline
    and a size limit by its purpose. Every failure is a CallFailed; an answer of any status but 3xx is an Answer.
    """

    reachable_private_hosts: tuple[tuple[str, int], ...] = ()
    development: bool = False
    user_agent: str = f"Tandem/{__version__}"
    limits: Mapping[Purpose, Limit] = field(default_factory=lambda: LIMITS)
    tls: ssl.SSLContext = field(default_factory=lambda: tls_context(DEFAULT_CA_BUNDLE_PATH))
    resolve: Resolve = system_resolve
    dial: Dial = system_dial
    pause: Callable[[float], None] = time.sleep
    patience: Patience = field(default_factory=Patience, compare=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the client that the settings describe."""
        return cls(settings.reachable_private_hosts, settings.development)

    def get(self, url: str, purpose: Purpose, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch. Repeated a little when the platform is away for a moment."""
        return self._call("GET", url, purpose, headers)

    def post(
        self,
        url: str,
        purpose: Purpose,
        headers: Mapping[str, str] | None = None,
        *,
        form: Mapping[str, str] | None = None,
        json_body: object = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a form, JSON or bytes. Sent once, except for a token, which may be asked for again."""
        return self._call("POST", url, purpose, headers, data=form or body, json=json_body)

    def put(
        self,
        url: str,
        purpose: Purpose,
        headers: Mapping[str, str] | None = None,
        *,
        json_body: object = None,
        body: bytes | None = None,
    ) -> Answer:
        """Replace, once."""
        return self._call("PUT", url, purpose, headers, data=body, json=json_body)

    def delete(self, url: str, purpose: Purpose, headers: Mapping[str, str] | None = None) -> Answer:
        """Delete, once."""
        return self._call("DELETE", url, purpose, headers)

    @contextmanager
    def stream(self, url: str, purpose: Purpose, headers: Mapping[str, str] | None = None) -> Iterator[Stream]:
        """Fetch without holding the body in memory. The deadline runs until the block is left."""
        with self._open("GET", url, purpose, headers) as stream:
            yield stream

    def _call(self, method: str, url: str, purpose: Purpose, headers: Mapping[str, str] | None, **body: Any) -> Answer:
        with self._open(method, url, purpose, headers, **body) as stream:
            return stream.whole()

    @contextmanager
    def _open(
        self, method: str, url: str, purpose: Purpose, headers: Mapping[str, str] | None, **body: Any
    ) -> Iterator[Stream]:
        host = host_of(url)
        try:
            with self._answer(host, method, url, purpose, headers, **body) as stream:
                yield stream
        except TooSlow:
            self.patience.ran_out(host)
            raise
        self.patience.answered(host)
        _answers.get([]).append(host)

    @contextmanager
    def _answer(
        self, host: str, method: str, url: str, purpose: Purpose, headers: Mapping[str, str] | None, **body: Any
    ) -> Iterator[Stream]:
        request = self._prepared(host, method, url, headers or {}, **body)
        limit = self.limits[purpose]
        deadline = Deadline(self.patience.seconds(host, limit.seconds))
        pauses = list(_PAUSES) if method == "GET" or purpose is Purpose.TOKEN else []
        while True:
            with _Adapter(self._guard(), deadline, self.tls) as adapter:
                try:
                    response = adapter.send_once(host, request)
                except Unreachable as failure:
                    if failure.reason == "certificate" or not self._paused(pauses, deadline):
                        raise
                    continue
                with response:
                    stream = Stream(host, response, limit, deadline)
                    is_away = stream.status in {502, 503, 504} and "Retry-After" not in stream.headers
                    if is_away and self._paused(pauses, deadline):
                        continue
                    if 300 <= stream.status < 400:
                        raise Redirected(host, stream.status)
                    yield stream
                    return

    def _guard(self) -> Guard:
        return Guard(frozenset(self.reachable_private_hosts), self.development, self.resolve, self.dial)

    def _paused(self, pauses: list[float], deadline: Deadline) -> bool:
        """Wait before another attempt, if one is due and there is time left for it. Returns whether there is one."""
        if not pauses or deadline.seconds_left <= pauses[0]:
            return False
        self.pause(pauses.pop(0))
        return True

    def _prepared(
        self, host: str, method: str, url: str, headers: Mapping[str, str], **body: Any
    ) -> requests.PreparedRequest:
        ours = {"User-Agent": self.user_agent, "Accept-Encoding": "gzip", "Connection": "close"}
        try:
            return requests.Request(method, url, headers={**ours, **headers}, **body).prepare()
        except requests.exceptions.InvalidHeader:
            raise ValueError("a header cannot be sent as it is") from None  # the original words quote the token
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
            raise AddressRefused(host, "not a web address") from None


class _Adapter(HTTPAdapter):
    """One call over guarded connections. Used without a requests session: that would add cookies, .netrc, proxies and
    redirects, and read the whole body of a redirect before anybody can say no.

    A connection is not kept for the next call: a score sent on one that the platform is just closing is lost, and may
    not be repeated blindly.
    """

    def __init__(self, guard: Guard, deadline: Deadline, tls: ssl.SSLContext) -> None:
        self._guard, self._deadline, self._tls = guard, deadline, tls
        super().__init__(max_retries=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def init_poolmanager(self, *_: Any, **__: Any) -> None:
        self.poolmanager = GuardedPools(self._guard, self._deadline)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        where_to, _ = super().build_connection_pool_key_attributes(request, True)
        return where_to, {"ssl_context": self._tls}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the certificates to the TLS context, which is made once: reading them takes longer than a call."""

    def send_once(self, host: str, request: requests.PreparedRequest) -> requests.Response:
        """Send and return as soon as the headers are there. Raises CallFailed."""
        try:
            return self.send(request, stream=True, timeout=self._deadline.left())
        except requests.exceptions.SSLError:
            self._fail(host, Unreachable(host, "certificate"))
        except (requests.exceptions.Timeout, TimeoutError):
            raise TooSlow(host) from None
        except requests.exceptions.InvalidURL:
            raise AddressRefused(host, "not a web address") from None
        except (requests.RequestException, TransportError, OSError):
            self._fail(host, Unreachable(host, "broken off"))

    def _fail(self, host: str, failure: CallFailed) -> NoReturn:
        raise (TooSlow(host) if self._deadline.is_over else failure) from None
