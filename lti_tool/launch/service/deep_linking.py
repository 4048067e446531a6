"""The answer to the dialog that places activities: which links go into the course, signed by us.

Built here rather than by the library, whose answers hold nulls, always a `data`, and an unescaped form.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import jwt

from lti_tool.launch.rules.context import DeepLinking
from lti_tool.launch.rules.values import LTI
from lti_tool.registration.rules.dynamic import TITLE
from lti_tool.registration.service.keys import Signer
from lti_tool.support.addresses import origin_of
from lti_tool.support.failures import AddressRefused

LINK: Final = "ltiResourceLink"
DEEP_LINKING: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
ANSWER_LIFETIME: Final = timedelta(minutes=5)
LONGEST_TEXT: Final = 500

REVIEWABLE: Final = ("InProgress", "Submitted", "Completed")
"""When a platform's gradebook may open us for one person: we show how far they are at any time."""
HISTORY: Final[Mapping[str, str]] = {
    "context_id_history": "$Context.id.history",
    "resource_link_id_history": "$ResourceLink.id.history",
}
"""The custom parameter that shows, in a copied course, which activity a link was copied from. Platforms that do not
know the variable send it back as it is.
"""


@dataclass(frozen=True, slots=True)
class GradeColumn:
    """The column that comes with a link."""

    label: str
    maximum: int
    resource_id: str
    tag: str


@dataclass(frozen=True, slots=True)
class LinkItem:
    """One link to one activity."""

    title: str
    url: str
    activity_key: str
    text: str = ""
    column: GradeColumn | None = None


@dataclass(frozen=True, slots=True)
class Addressee:
    """The platform and deployment that get the answer."""

    issuer: str
    client_id: str
    deployment_id: str


def asked_of(kept: Mapping[str, Any]) -> DeepLinking:
    """What the dialog asked for, read from the JSON that the visit stores."""
    asked = DeepLinking(**kept)
    return replace(asked, accept_types=tuple(asked.accept_types), accept_targets=tuple(asked.accept_targets))


def accepts_links(asked: DeepLinking) -> bool:
    """Whether the dialog takes what we have to give. Some dialogs want files, images or plain web links only."""
    return LINK in asked.accept_types


def title_typed(title: str | None) -> str | None:
    """The title that the teacher typed for a link; None where the platform only repeats our name.

    Moodle does so where the title is still empty, and most platforms name a link after its tool to begin with.
    """
    return None if title is None or title.casefold() == TITLE.casefold() else title


def accepts_answer_from_tab(asked: DeepLinking) -> bool:
    """Whether an answer posted from a tab of its own places something.

    Otherwise it must come from the dialog's frame, because the page around the frame fills its form with it.
    """
    return asked.auto_create


def takes_columns(asked: DeepLinking) -> bool:
    """Whether a grade column may come with the link. A platform that does not say mostly takes one."""
    return asked.accepts_line_item is not False


def return_origin(asked: DeepLinking, owned: Collection[str], *, may_be_http: bool) -> str | None:
    """The origin to which the answer may be posted; None where the registration does not own it."""
    try:
        origin = origin_of(asked.return_url)
    except AddressRefused:
        return None
    is_safe = origin.startswith("https://") or (may_be_http and origin.startswith("http://"))
    return origin if is_safe and origin in owned else None


def answer(
    asked: DeepLinking, items: Sequence[LinkItem], to: Addressee, *, nonce: str, now: datetime
) -> dict[str, Any]:
    """The claims of the answer; no items means that nothing is placed. Holds no nulls, and `data` only if it came."""
    claims: dict[str, Any] = {
        "iss": to.client_id,
        "aud": [to.issuer],
        "iat": int(now.timestamp()),
        "exp": int((now + ANSWER_LIFETIME).timestamp()),
        "nonce": nonce,
        f"{LTI}deployment_id": to.deployment_id,
        f"{LTI}message_type": "LtiDeepLinkingResponse",
        f"{LTI}version": "1.3.0",
        f"{DEEP_LINKING}content_items": [_content_item(item, asked) for item in items],
    }
    if asked.data is not None:
        claims[f"{DEEP_LINKING}data"] = asked.data
    return claims


def sign(claims: Mapping[str, Any], signer: Signer) -> str:
    """The answer as a token that the platform checks with our key set."""
    return jwt.encode(dict(claims), signer.key, algorithm="RS256", headers={"kid": signer.kid})


def _content_item(item: LinkItem, asked: DeepLinking) -> dict[str, Any]:
    content: dict[str, Any] = {
        "type": LINK,
        "title": item.title,
        "url": item.url,
        "custom": {"activity": item.activity_key, **HISTORY},
    }
    if item.text:
        # What the teacher typed in the LMS goes back as it came; a template's instructions are too long to stand there.
        content["text"] = item.text if item.text == asked.text else _shortened(item.text)
    if item.column is not None and takes_columns(asked):
        content["lineItem"] = {
            "scoreMaximum": item.column.maximum,
            "label": item.column.label,
            "resourceId": item.column.resource_id,
            "tag": item.column.tag,
            "submissionReview": {"reviewableStatus": list(REVIEWABLE)},
        }
    return content


def _shortened(text: str) -> str:
    """The first paragraph, cut between words where it is long."""
    first = text.strip().split("\n\n", 1)[0]
    if len(first) <= LONGEST_TEXT:
        return first
    return first[: LONGEST_TEXT - 1].rsplit(" ", 1)[0] + "…"
