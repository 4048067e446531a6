"""Structured logs with ids, and without personal data."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from lti_tool.settings import LogFormat

HIDDEN = "(hidden)"
DEEPEST_CAUSE = 10

# Names that mean a secret or a person, wherever they stand among the words of a key: access_token, learner_name.
_HIDDEN_WORDS = frozenset(
    (
        # opens a door
        "token", "tokens", "secret", "secrets", "password", "passwd", "authorization", "bearer", "cookie", "cookies",
        "credential", "credentials", "assertion", "jwt", "nonce", "state", "code", "pem", "hint", "invite",
        # names a person
        "name", "names", "email", "mail", "address", "phone", "picture", "avatar", "locale", "birthdate", "login",
        "username", "sub", "lis", "person", "people",
        # holds what a person or a platform wrote
        "body", "text", "comment", "note", "notes", "answer", "claims", "payload", "form", "query", "headers", "url",
        "uri", "title",
    )
)  # fmt: skip
# Keys of our own that use such a word for something harmless.
_SHOWN = frozenset({"status_code", "reason_code", "error_code", "job_name", "logger_name", "exit_code", "person_id"})
_LOOKS_LIKE_A_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}")
_LOOKS_LIKE_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_QUERY = re.compile(r"(/[^\s?#\"'<>]{1,500})[?#][^\s\"'<>]*")
# What databases quote of the row that they refused.
_ROW = re.compile(r"(\[parameters: |DETAIL: ).*?(?=\n\(Background|\n\[SQL|\Z)", re.DOTALL)


def hide_persons_and_secrets(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """Replace personal data and secrets, recognized by their key or by what they look like."""
    return {key: _hide(key, value) for key, value in event_dict.items()}


def set_up(log_format: LogFormat, level: str, stream: TextIO | None = None) -> None:
    """Send all logs, ours and those of the libraries, to one stream (standard error) in one format."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Hides after tracebacks have become text, so that they are searched too.
    ending: list[Processor] = [structlog.processors.ExceptionRenderer(_failure), hide_persons_and_secrets]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These write addresses with their queries, and statements with their values.
    for chatty in ("urllib3", "requests", "sqlalchemy.engine", "pylti1p3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _failure(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """Where it failed, and the kind of the error. The texts of errors are left out, because they may quote what was
    typed.
    """
    parts: list[str] = []
    failure: BaseException | None = exc_info[1]
    while failure is not None and len(parts) < DEEPEST_CAUSE:
        kind = type(failure)
        frames = "".join(traceback.format_tb(failure.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{kind.__module__}.{kind.__qualname__}")
        failure = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    return "\nafter\n".join(reversed(parts))


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger. The event is a short fixed sentence; what varies goes into keys, and those are ids."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(name)
    return logger


def bound(**ids: Any) -> AbstractContextManager[None]:
    """Add ids to everything logged inside the block: reference of the request, job, registration."""
    return structlog.contextvars.bound_contextvars(**ids)


def bind(**ids: Any) -> None:
    """Add ids to everything logged from here until clear()."""
    structlog.contextvars.bind_contextvars(**ids)


def clear() -> None:
    """Forget what was bound. Called where a request or a job begins, since threads are used again."""
    structlog.contextvars.clear_contextvars()


def _hide(key: str, value: Any) -> Any:
    if _is_hidden(key):
        return value if value is None or isinstance(value, bool) else HIDDEN
    if isinstance(value, str):
        value = _LOOKS_LIKE_A_TOKEN.sub(HIDDEN, value)
        value = _QUERY.sub(rf"\1?{HIDDEN}", value)
        value = _ROW.sub(rf"\1{HIDDEN}", value)
        return _LOOKS_LIKE_MAIL.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {inner: _hide(str(inner), inner_value) for inner, inner_value in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hide("", item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _hide("", str(value))


def _is_hidden(key: str) -> bool:
    lowered = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()
    words = re.split(r"[^a-z0-9]+", lowered)
    return lowered not in _SHOWN and words[-1] != "id" and not _HIDDEN_WORDS.isdisjoint(words)
