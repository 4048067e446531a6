"""Tells browsers of a meeting that nothing has changed, before anything else of a request is done.

Nine of ten requests of a meeting are polls that find nothing new. They are answered in front of the app: by one query,
for whoever was let into the meeting a moment ago.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import parse_cookie

from lti_tool.feedback.service import VERSION, version_in
from lti_tool.web.access import COOKIE_PREFIX

LISTENS_FOR: Final = timedelta(seconds=30)
"""So long after a browser was let in, it is told without being let in again. It learns nothing but that."""
MOST_LISTENERS: Final = 10_000

Place = tuple[str, str, int]
"""The key of a visit, its secret and the number of a round."""
_POLL = re.compile(r"/v/([^/]+)/round/(\d{1,9})/meeting/changes")
_HEADERS: Final = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]


@dataclass(frozen=True, slots=True)
class Listener:
    """The group whose meeting a browser follows, and until when it is known to be allowed to."""

    group_id: int
    until: datetime


class Listening:
    """The app with its listeners; each web process has its own."""

    def __init__(self, app: Callable[..., Iterable[bytes]], engine: Engine, now: Callable[[], datetime]) -> None:
        self._app, self._engine, self._now = app, engine, now
        self._query: Any = VERSION.compile(dialect=engine.dialect)
        self._listeners: dict[Place, Listener] = {}

    def let_in(self, place: Place, group_id: int) -> None:
        """Note that this browser was let into the meeting of a group just now."""
        if len(self._listeners) >= MOST_LISTENERS:
            self._listeners.clear()
        self._listeners[place] = Listener(group_id, self._now() + LISTENS_FOR)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and self._knows(environ):
            start_response("304 NOT MODIFIED", _HEADERS)
            return []
        return self._app(environ, start_response)

    def _knows(self, environ: dict[str, Any]) -> bool:
        """Whether this is a poll of a listener whose version is still the newest."""
        seen, poll = environ.get("HTTP_IF_NONE_MATCH"), _POLL.fullmatch(environ.get("PATH_INFO", ""))
        if not seen or poll is None:
            return False
        key, number = poll[1], int(poll[2])
        listener = self._listeners.get((key, _secret(environ, key), number))
        if listener is None or listener.until <= self._now():
            return False
        try:
            return str(seen) == f'"{self._version_of(listener.group_id)}"'
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            # The app says what is wrong, or finds that nothing is.
            return False

    def _version_of(self, group_id: int) -> str:
        """As `feedback.service.version_of`. Past the session, which costs several times as much as the query."""
        connection = self._engine.raw_connection()
        driver: Any = connection.dbapi_connection
        try:
            if self._engine.dialect.name != "sqlite":
                # One statement needs no transaction around it, which would take two more ways to the server.
                driver.autocommit = True
            cursor = connection.cursor()
            values = self._query.construct_params({"group_id": group_id})
            names = self._query.positiontup
            cursor.execute(str(self._query), [values[name] for name in names] if names is not None else values)
            row = cursor.fetchone() or ()
            cursor.close()
            if self._engine.dialect.name != "sqlite":
                driver.autocommit = False
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()
        return version_in(row)


def _secret(environ: dict[str, Any], key: str) -> str:
    """The visit's secret as `web.access.secret_sent` reads it; empty where none was sent."""
    kind, _, bearer = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if kind.lower() == "bearer":
        return str(bearer.strip())
    return str(parse_cookie(environ.get("HTTP_COOKIE", "")).get(COOKIE_PREFIX + key, ""))
