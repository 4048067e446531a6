"""Switches that make the LMS fail on purpose."""

from dataclasses import dataclass, field
from threading import Lock

ENDPOINTS = (
    "openid_configuration",
    "register",
    "auth",
    "jwks",
    "token",
    "roster",
    "line_items",
    "scores",
    "results",
    "groups",
    "notices",
)


@dataclass(slots=True)
class Fault:
    """One way to fail, a number of times or (None) until it is cleared."""

    endpoint: str
    times: int | None = None
    status: int | None = None
    """Answer with this status and do nothing."""
    reason: str | None = None
    body: str = ""
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Wait before the answer."""
    drops: str | None = None
    """Close the connection without an answer: `before` the work is done, or `after` it."""
    break_after_page: int | None = None
    """Roster: deliver so many pages, then break off in the middle of the next."""
    replaces_body: bool = False
    """Do the work, but answer with `body`."""

    def describe(self) -> str:
        """One line for people."""
        what = []
        if self.seconds:
            what.append(f"wait {self.seconds:g} s")
        if self.status is not None:
            what.append(f"answer {self.status}")
        if self.replaces_body:
            what.append("answer something else")
        if self.drops:
            what.append(f"close the connection {self.drops} the work is done")
        if self.break_after_page is not None:
            what.append(f"break off after page {self.break_after_page}")
        how_often = "until switched off" if self.times is None else "once" if self.times == 1 else f"{self.times} times"
        return f"{self.endpoint}: {', '.join(what) or 'nothing'} ({how_often})"


class Faults:
    """The faults that are switched on. Each request to an endpoint uses the oldest one up first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.active: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self.active.append(fault)
        return fault

    def clear(self) -> None:
        """Switch everything off."""
        with self._lock:
            self.active.clear()

    def take(self, endpoint: str, page: int = 1) -> Fault | None:
        """The fault that this request meets, counted off."""
        with self._lock:
            for fault in self.active:
                if fault.endpoint != endpoint:
                    continue
                if fault.break_after_page is not None and page <= fault.break_after_page:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.active.remove(fault)
                return fault
        return None

    def answer(
        self,
        endpoint: str,
        status: int,
        *,
        times: int | None = 1,
        retry_after: int | str | None = None,
        body: str = "",
        content_type: str = "text/plain",
        headers: dict[str, str] | None = None,
        reason: str | None = None,
    ) -> Fault:
        """Refuse requests to an endpoint with this status."""
        given = dict(headers or {})
        if retry_after is not None:
            given["Retry-After"] = str(retry_after)
        return self.add(Fault(endpoint, times, status, reason, body, content_type, given))

    def scores(
        self,
        status: int = 500,
        retry_after: int | str | None = None,
        times: int | None = 1,
        *,
        body: str = "",
        headers: dict[str, str] | None = None,
        reason: str | None = None,
    ) -> Fault:
        """Refuse scores."""
        return self.answer(
            "scores", status, times=times, retry_after=retry_after, body=body, headers=headers, reason=reason
        )

    def line_items(self, status: int = 500, times: int | None = 1, retry_after: int | None = None) -> Fault:
        """Refuse calls about line items."""
        return self.answer("line_items", status, times=times, retry_after=retry_after)

    def results(self, status: int = 500, times: int | None = 1) -> Fault:
        """Refuse calls about results."""
        return self.answer("results", status, times=times)

    def token(self, status: int = 500, times: int | None = 1, body: str = "", retry_after: int | None = None) -> Fault:
        """Refuse token requests."""
        return self.answer("token", status, times=times, body=body, retry_after=retry_after)

    def jwks(
        self, status: int = 500, times: int | None = 1, body: str = "", content_type: str = "application/json"
    ) -> Fault:
        """Answer something else than the key set."""
        return self.answer("jwks", status, times=times, body=body, content_type=content_type)

    def roster(
        self,
        status: int | None = None,
        times: int | None = 1,
        *,
        break_after_page: int | None = None,
        retry_after: int | None = None,
    ) -> Fault:
        """Refuse the roster, or deliver so many pages and break off in the middle of the next."""
        if break_after_page is not None:
            return self.add(Fault("roster", times, break_after_page=break_after_page))
        return self.answer("roster", status or 500, times=times, retry_after=retry_after)

    def delay(self, endpoint: str, seconds: float, times: int | None = 1) -> Fault:
        """Answer late."""
        return self.add(Fault(endpoint, times, seconds=seconds))

    def close_connection(self, endpoint: str, times: int | None = 1, *, after: bool = False) -> Fault:
        """Close the connection without an answer, before the work is done or (`after`) when it is."""
        return self.add(Fault(endpoint, times, drops="after" if after else "before"))

    def garble(
        self, endpoint: str, body: str = "<html>oops", times: int | None = 1, content_type: str = "text/html"
    ) -> Fault:
        """Do the work, but answer something unreadable with the usual status."""
        return self.add(Fault(endpoint, times, body=body, content_type=content_type, replaces_body=True))
