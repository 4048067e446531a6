"""Is all well? What an operator is told about this installation and the platforms that it serves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.errors import ToolError
from lti_tool.registration import keys
from lti_tool.registration.dynamic import SCOPES
from lti_tool.registration.errors import TokenRefused
from lti_tool.registration.models import Registration
from lti_tool.registration.tokens import TokenClient
from lti_tool.support import schema
from lti_tool.support.http import Answer, CallFailed, Purpose
from lti_tool.support.kit import Kit

ROSTER_SCOPE: Final = SCOPES[-1]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Says nothing secret."""

    subject: str
    is_good: bool
    says: str


@dataclass(frozen=True, slots=True)
class _Platform:
    id: int
    title: str
    key_set_url: str
    paused_because: str | None


def check_everything(kit: Kit, engine: Engine) -> Iterator[Finding]:
    """Look at database, migrations, keys and each platform in turn. What cannot be looked at ends the round early."""
    yield Finding("settings", True, f"served at {kit.settings.base_url}")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as failure:
        yield Finding("database", False, f"cannot be reached ({type(failure).__name__})")
        return
    yield Finding("database", True, engine.dialect.name)
    if not schema.is_current(engine):
        yield Finding("migrations", False, "not up to date; run: lti-tool migrate")
        return
    yield Finding("migrations", True, "up to date")
    yield _signing_key(kit)
    with kit.open_session() as session:
        platforms = [
            _Platform(one.id, one.title, one.key_set_url, one.paused_because if one.paused_at else None)
            for one in session.scalars(select(Registration).order_by(Registration.id))
        ]
    for platform in platforms:
        if platform.paused_because is not None:
            yield Finding(platform.title, False, f"paused ({platform.paused_because})")
        yield _key_set(kit, platform)
        yield _token_endpoint(kit, platform)


def _signing_key(kit: Kit) -> Finding:
    try:
        with kit.open_session() as session:
            keys.signing_key(session, kit.secrets)
            published = len(keys.public_keys(session, now=kit.clock.now()))
    except ToolError as failure:
        return Finding("signing key", False, type(failure).__name__)
    return Finding("signing key", True, f"{published} published")


def _key_set(kit: Kit, platform: _Platform) -> Finding:
    subject = f"{platform.title}, key set"
    try:
        answer = kit.http.get(platform.key_set_url, Purpose.KEY_SET, headers={"Accept": "application/json"})
        found = _keys_in(answer)
    except CallFailed as failure:
        return Finding(subject, False, str(failure))
    if found is None:
        return Finding(subject, False, f"answered {answer.status} without keys")
    return Finding(subject, bool(found), f"{found} keys")


def _keys_in(answer: Answer) -> int | None:
    said: Any = answer.json() if answer.is_success else None
    listed = said.get("keys") if isinstance(said, dict) else None
    return len(listed) if isinstance(listed, list) else None


def _token_endpoint(kit: Kit, platform: _Platform) -> Finding:
    subject = f"{platform.title}, token endpoint"
    try:
        # Past the store of tokens, and without pausing anything: this only looks.
        granted = TokenClient(kit).ask(platform.id, ROSTER_SCOPE).granted
    except TokenRefused as refusal:
        return Finding(subject, refusal.error == "invalid_scope", f"answered {refusal.error}")
    except ToolError as failure:
        return Finding(subject, False, str(failure) if isinstance(failure, CallFailed) else type(failure).__name__)
    return Finding(subject, True, f"granted {len(granted)} of 1 scopes")
