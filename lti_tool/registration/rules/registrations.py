"""Decisions about platforms and their addresses, and registrations that an operator wrote down."""

import difflib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
)

from lti_tool.registration.errors import Denial, FileMistakes
from lti_tool.support.addresses import host_of, origin_of
from lti_tool.support.failures import AddressRefused


class NewDeployments(StrEnum):
    """How a launch from an unknown deployment is treated."""

    REFUSE = "refuse"
    PARK = "park"
    JOIN = "join"


class OwnsOrigins(Protocol):
    """Anything with the origins that belong to a platform, such as a registration."""

    @property
    def platform_origins(self) -> list[str]: ...


def owns(registration: OwnsOrigins, url: str) -> bool:
    """Whether a token of this registration may go to this address."""
    try:
        return origin_of(url) in registration.platform_origins
    except AddressRefused:
        return False


def next_address(registration: OwnsOrigins, current: str, following: str) -> str:
    """The address of the next page as it can be called, coming from the page at `current`.

    Behind a proxy a platform may write its own address with http, an inner port or a dot at the end of its name. Where
    the host is the one that we are talking to, we go on talking to it as before. Whether the address may be called at
    all is still to be asked.
    """
    try:
        if owns(registration, following) or _bare_host(following) != _bare_host(current):
            return following
    except AddressRefused:
        return following
    parts = urlsplit(following)
    return origin_of(current) + urlunsplit(("", "", parts.path, parts.query, ""))


def _bare_host(url: str) -> str:
    return host_of(url).rstrip(".")


# What a platform refused for now


_LOOKS_AGAIN_AFTER: Final = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=8),
)
LOOKS_DAILY: Final = timedelta(days=1)
LOOKS_FOR: Final = timedelta(days=30)
"""Refused for this long, it is left to people."""
CLOCKS_APART: Final = timedelta(seconds=30)
"""With at least this difference, clocks may be the reason for a refusal."""

_CREDENTIALS_ERRORS: Final = frozenset({"invalid_client", "unauthorized_client"})
_CLOCK_WORDS: Final = re.compile(r"prior to|expired|not yet valid|in the future|\b(?:iat|nbf|exp)\b")
# What Moodle says when it could not fetch our keys, or when the copy that it keeps is an old one.
_KEY_SET_WORDS: Final = re.compile(
    r"parsekeyset|fix_jwks_alg|key ?set|jwks|lookup correct key|signature verification failed|url is blocked"
)


def pause_after(refusals: int) -> timedelta:
    """The pause after this many refusals in a row: minutes, then hours, then a day."""
    return _LOOKS_AGAIN_AFTER[refusals - 1] if refusals <= len(_LOOKS_AGAIN_AFTER) else LOOKS_DAILY


def is_left_to_people(since: datetime, now: datetime) -> bool:
    """Whether something has been refused for so long that looking again by itself ends."""
    return now - since >= LOOKS_FOR


def denial_of(error: str, words: str, clock_offset: timedelta | None) -> Denial:
    """Why a token was refused. `words` are the answer in lower case; `clock_offset` is what its Date header showed.

    A platform that finds our request too old may call that invalid credentials, so clocks come first. The words of a
    web page are those of a firewall, or of an error that was not meant for us.
    """
    is_page = "<html" in words
    if not is_page and _CLOCK_WORDS.search(words):
        return Denial.CLOCK
    if error == "invalid_scope":
        return Denial.SCOPE
    if are_apart(clock_offset):
        return Denial.CLOCK
    if error in _CREDENTIALS_ERRORS:
        return Denial.CREDENTIALS
    return Denial.KEY_SET if _KEY_SET_WORDS.search(words) else Denial.UNCLEAR


def are_apart(clock_offset: timedelta | None) -> bool:
    """Whether two clocks differ by so much that requests may be refused because of it."""
    return clock_offset is not None and abs(clock_offset) >= CLOCKS_APART


MOST_FRAME_ORIGINS: Final = 20
"""Addresses that may frame our pages, so that the policy that browsers read stays short."""


def read_frame_origins(text: str, *, development: bool) -> list[str]:
    """The origins in a text, one a line or separated by blanks and commas; each once.

    Raises AddressRefused, whose last word is what cannot be used.
    """
    origins = []
    for word in text.replace(",", " ").split():
        if not is_usable_address(word, development=development) or len(word) > 255:
            raise AddressRefused("?", word[:100])
        origins.append(origin_of(word))
    origins = list(dict.fromkeys(origins))
    if len(origins) > MOST_FRAME_ORIGINS:
        raise AddressRefused("?", origins[MOST_FRAME_ORIGINS])
    return origins


# Registration files


def _short_text(text: str) -> str:
    if not is_short_text(text):
        raise ValueError
    return text


def _address(url: str, info: ValidationInfo) -> str:
    if not is_usable_address(url, development=info.context is not None and info.context["development"]):
        raise ValueError
    return url


def _origin(url: str) -> str:
    if urlsplit(url)[2:] not in {("", "", ""), ("/", "", "")}:
        raise ValueError
    return origin_of(url)


ShortText = Annotated[str, AfterValidator(_short_text)]
Address = Annotated[str, AfterValidator(_address)]
Origin = Annotated[Address, AfterValidator(_origin)]
SHORT_TEXT: Final = "must be a text of 1 to 255 characters"
ADDRESS: Final = "must be an https address"


class Entry(BaseModel):
    """One platform in a registration file. The description of a field is the sentence for its mistakes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    title: Annotated[ShortText, AfterValidator(str.strip)] = Field(description=SHORT_TEXT)
    issuer: ShortText = Field(description=SHORT_TEXT)
    client_id: ShortText = Field(description=SHORT_TEXT)
    deployment_ids: Annotated[tuple[ShortText, ...], AfterValidator(lambda ids: tuple(dict.fromkeys(ids)))] = Field(
        strict=False, description="must be a list of texts of 1 to 255 characters"
    )
    auth_login_url: Address = Field(description=ADDRESS)
    auth_token_url: Address = Field(description=ADDRESS)
    auth_audience: ShortText | None = Field(None, description="must be a text or null")
    key_set_url: Address = Field(description=ADDRESS)
    platform_origins: Annotated[
        tuple[Origin, ...], BeforeValidator(lambda origins: [origins] if isinstance(origins, str) else origins)
    ] = Field(
        alias="platform_origin",
        strict=False,
        min_length=1,
        description="must be one origin such as https://lms.example.org, or a list of them",
    )
    institution: ShortText | None = Field(None, description=SHORT_TEXT)
    # A file that lists deployments means those; one that lists none expects them to show up.
    new_deployments: NewDeployments = Field(
        default_factory=lambda read: NewDeployments.REFUSE if read.get("deployment_ids") else NewDeployments.PARK,
        strict=False,
        description="must be refuse, park or join",
    )
    require_browser_binding: bool = Field(True, description="must be true or false")

    _place: str = PrivateAttr(default="")

    def model_post_init(self, context: Any) -> None:
        self._place = context["place"] if context else ""

    @property
    def place(self) -> str:
        """The entry in words, for sentences about mistakes."""
        return self._place


def read_entries(document: Any, *, development: bool) -> list[Entry]:
    """Check a registration file that was read as JSON. Raises FileMistakes with every mistake and its place."""
    if isinstance(document, dict):
        document = [document]
    if not isinstance(document, list) or not document:
        raise FileMistakes(["the file must hold a list of registrations"])
    mistakes: list[str] = []
    entries = []
    for number, item in enumerate(document, start=1):
        title = item.get("title") if isinstance(item, dict) else None
        named = f" ({title[:60]})" if isinstance(title, str) and is_short_text(title) else ""
        place = f"entry {number}{named}"
        try:
            entries.append(Entry.model_validate(item, context={"place": place, "development": development}))
        except ValidationError as caught:
            mistakes += dict.fromkeys(
                f"{place}: {sentence}"
                for error in caught.errors()
                if (sentence := _in_words(error["type"], error["loc"]))
            )
    mistakes += _collisions(entries)
    if mistakes:
        raise FileMistakes(mistakes)
    return entries


def _in_words(kind: str, at: Sequence[int | str]) -> str | None:
    """The sentence for an error of pydantic; None if the error only follows from another one."""
    if not at:
        return "must be an object"
    name = str(at[0])
    fields = {field.alias or key: field for key, field in Entry.model_fields.items()}
    if kind == "missing":
        return f"{name} is missing"
    if kind == "default_factory_not_called":
        return None
    if name in fields:
        return f"{name} {fields[name].description}"
    similar = difflib.get_close_matches(name, fields, n=1)
    return f"{name} is not a field" + (f"; did you mean {similar[0]}?" if similar else "")


def _collisions(entries: Sequence[Entry]) -> list[str]:
    """Mistakes by entries with the same registration, which only institutions that share a client may have."""
    first: dict[tuple[str, str], Entry] = {}
    mistakes = []
    for entry in entries:
        earlier = first.setdefault((entry.issuer, entry.client_id), entry)
        if earlier is entry:
            continue
        if earlier.institution == entry.institution:
            mistakes.append(f"{entry.place}: same issuer and client_id as {earlier.place}")
        elif set(earlier.deployment_ids) & set(entry.deployment_ids):
            mistakes.append(f"{entry.place}: shares a deployment with {earlier.place}, of another institution")
    return mistakes


def is_short_text(value: Any) -> bool:
    """Whether this can be stored as a name or an id: 1 to 255 printable characters, not all blank."""
    return isinstance(value, str) and value.strip() != "" and len(value) <= 255 and value.isprintable()


def is_usable_address(value: Any, *, development: bool) -> bool:
    """Whether this is a web address that a platform may have: https, or http in development."""
    if not isinstance(value, str) or not value.isascii():
        return False
    try:
        return origin_of(value).startswith("https://") or development
    except AddressRefused:
        return False
