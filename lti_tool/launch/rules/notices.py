"""From the verified claims of a platform's notice to what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from lti_tool.launch.errors import ClaimRefused, MessageNotSupported
from lti_tool.launch.rules.values import LTI, identifier, object_of, texts

COPY_NOTICE: Final = "LtiContextCopyNotice"
MOST_NOTICES: Final = 100
"""Notices in one message. Canvas sends one."""
MOST_ORIGINS: Final = 20
ASKED_AGAIN_AFTER: Final = timedelta(days=1)
RENEWED_AFTER: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CopyNotice:
    """A platform says that a course was made from others, or got their content."""

    key: str
    """Differs from that of every other notice of the platform."""
    deployment_id: str
    context_id: str
    origin_ids: tuple[str, ...]
    """Contexts whose content was copied."""


def tokens_of(message: object) -> list[str]:
    """The signed notices in a message, which looks like `{"notices": [{"jwt": "…"}]}`. Raises ClaimRefused."""
    notices = message.get("notices") if isinstance(message, Mapping) else None
    if not isinstance(notices, list) or not 0 < len(notices) <= MOST_NOTICES:
        raise ClaimRefused("notices")
    tokens = [notice.get("jwt") if isinstance(notice, Mapping) else None for notice in notices]
    if not all(isinstance(token, str) for token in tokens):
        raise ClaimRefused("jwt")
    return [str(token) for token in tokens]


def addressee_of(claims: Mapping[str, Any]) -> tuple[str, str]:
    """Issuer and client id of a notice. Raises ClaimRefused unless it names exactly one of each."""
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    return identifier(claims, "iss"), identifier({"aud": audience}, "aud")


def read_copy_notice(claims: Mapping[str, Any]) -> CopyNotice:
    """Read the claims of a verified notice. Raises MessageNotSupported for another kind, or ClaimRefused."""
    notice = object_of(claims, f"{LTI}notice")
    if identifier(notice, "type") != COPY_NOTICE:
        raise MessageNotSupported("notice type")
    if claims.get(f"{LTI}version") != "1.3.0":
        raise ClaimRefused("version")
    unique = next((name for name in ("jti", "nonce") if claims.get(name)), None)
    origins = texts(claims, f"{LTI}origin_contexts")
    return CopyNotice(
        # Canvas sends a nonce, as in launches; every notice has an id of its own.
        key=identifier(claims, unique) if unique is not None else identifier(notice, "id"),
        deployment_id=identifier(claims, f"{LTI}deployment_id"),
        context_id=identifier(object_of(claims, f"{LTI}context"), "id"),
        origin_ids=tuple(dict.fromkeys(origin for origin in origins if 0 < len(origin) <= 255))[:MOST_ORIGINS],
    )


def is_subscription_due(known_url: str | None, asked_at: datetime | None, url: str, *, now: datetime) -> bool:
    """Whether to ask a platform for its notices: at first, daily while it refuses, and again after a month.

    `known_url` is the service that has taken our address, `url` the one of the launch.
    """
    if asked_at is None:
        return True
    return now - asked_at >= (RENEWED_AFTER if known_url == url else ASKED_AGAIN_AFTER)
