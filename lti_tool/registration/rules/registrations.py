"""Decisions about platforms and their addresses, and registrations that an operator wrote down."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

from lti_tool.registration.errors import Denial, FileMistakes
from lti_tool.support.addresses import host_of, origin_of
from lti_tool.support.failures import AddressRefused


class NewDeployments(StrEnum):
    """What becomes of a launch from a deployment that nobody named before."""

    REFUSE = "refuse"
    PARK = "park"
    JOIN = "join"


class OwnsOrigins(Protocol):
    """What knows which origins belong to a platform, such as a registration."""

    @property
    def platform_origins(self) -> list[str]: ...


def owns(registration: OwnsOrigins, url: str) -> bool:
    """Whether a token of this registration may go to this address."""
    try:
        return origin_of(url) in registration.platform_origins
    except AddressRefused:
        return False


def next_address(registration: OwnsOrigins, here: str, following: str) -> str:
    """The address of the next page as it can be called, coming from the page at `here`.

    Behind a proxy a platform may write its own address with http, an inner port or a dot at the end of its name. Where
    the host is the one that we are talking to, we go on talking to it as before. Whether the address may be called at
    all is still to be asked.
    """
    try:
        if owns(registration, following) or _bare_host(following) != _bare_host(here):
            return following
    except AddressRefused:
        return following
    parts = urlsplit(following)
    return origin_of(here) + urlunsplit(("", "", parts.path, parts.query, ""))


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
"""What is refused for as long as this is left to people."""
CLOCKS_APART: Final = timedelta(seconds=30)
"""From this difference on, clocks may be why something was refused."""

_CREDENTIALS_ERRORS: Final = frozenset({"invalid_client", "unauthorized_client"})
_CLOCK_WORDS: Final = re.compile(r"prior to|expired|not yet valid|in the future|\b(?:iat|nbf|exp)\b")
# What Moodle says when it could not fetch our keys, or when the copy that it keeps is an old one.
_KEY_SET_WORDS: Final = re.compile(
    r"parsekeyset|fix_jwks_alg|key ?set|jwks|lookup correct key|signature verification failed|url is blocked"
)


def pause_after(refusals: int) -> timedelta:
    """How long to wait after so many refusals in a row before looking again: minutes, then hours, then a day."""
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


def read_frame_origins(written: str, *, development: bool) -> list[str]:
    """The origins that somebody wrote, one a line or with blanks and commas between; each once.

    Raises AddressRefused, whose last word is what cannot be used.
    """
    origins = []
    for word in written.replace(",", " ").split():
        if not is_usable_address(word, development=development) or len(word) > 255:
            raise AddressRefused("?", word[:100])
        origins.append(origin_of(word))
    origins = list(dict.fromkeys(origins))
    if len(origins) > MOST_FRAME_ORIGINS:
        raise AddressRefused("?", origins[MOST_FRAME_ORIGINS])
    return origins


# Registration files


@dataclass(frozen=True, slots=True)
class Entry:
    """One platform as a registration file describes it."""

    place: str
    title: str
    issuer: str
    client_id: str
    deployment_ids: tuple[str, ...]
    auth_login_url: str
    auth_token_url: str
    auth_audience: str | None
    key_set_url: str
    platform_origins: tuple[str, ...]
    institution: str | None
    new_deployments: NewDeployments
    require_browser_binding: bool


REQUIRED: Final = (
    "title", "issuer", "client_id", "deployment_ids", "auth_login_url", "auth_token_url", "key_set_url",
    "platform_origin",
)  # fmt: skip
OPTIONAL: Final = ("auth_audience", "institution", "new_deployments", "require_browser_binding")


def read_entries(written: Any, *, development: bool) -> list[Entry]:
    """Check a registration file that was read as JSON. Raises FileMistakes with every mistake and its place."""
    if isinstance(written, dict):
        written = [written]
    if not isinstance(written, list) or not written:
        raise FileMistakes(["the file must hold a list of registrations"])
    mistakes: list[str] = []
    entries = [
        entry
        for number, one in enumerate(written, start=1)
        if (entry := _entry(one, number, development, mistakes)) is not None
    ]
    mistakes += _collisions(entries)
    if mistakes:
        raise FileMistakes(mistakes)
    return entries


def _entry(written: Any, number: int, development: bool, mistakes: list[str]) -> Entry | None:
    if not isinstance(written, dict):
        mistakes.append(f"entry {number}: must be an object")
        return None
    title = written.get("title")
    place = f"entry {number} ({title[:60]})" if isinstance(title, str) and is_short_text(title) else f"entry {number}"
    wrong = [*_strange_fields(written), *_wrong_values(written, development)]
    if wrong:
        mistakes += [f"{place}: {mistake}" for mistake in wrong]
        return None
    origins = written["platform_origin"]
    return Entry(
        place=place,
        title=written["title"].strip(),
        issuer=written["issuer"],
        client_id=written["client_id"],
        deployment_ids=tuple(dict.fromkeys(written["deployment_ids"])),
        auth_login_url=written["auth_login_url"],
        auth_token_url=written["auth_token_url"],
        auth_audience=written.get("auth_audience"),
        key_set_url=written["key_set_url"],
        platform_origins=tuple(origin_of(one) for one in ([origins] if isinstance(origins, str) else origins)),
        institution=written.get("institution"),
        # A file that lists deployments means those; one that lists none expects them to show up.
        new_deployments=NewDeployments(
            written.get("new_deployments", "refuse" if written["deployment_ids"] else "park")
        ),
        require_browser_binding=written.get("require_browser_binding", True),
    )


def _strange_fields(written: dict[str, Any]) -> Iterator[str]:
    known = (*REQUIRED, *OPTIONAL)
    for name in written:
        if name not in known:
            similar = difflib.get_close_matches(name, known, n=1)
            yield f"{name} is not a field" + (f"; did you mean {similar[0]}?" if similar else "")
    yield from (f"{name} is missing" for name in REQUIRED if name not in written)


def _wrong_values(written: dict[str, Any], development: bool) -> Iterator[str]:
    def is_address(value: Any) -> bool:
        return is_usable_address(value, development=development)

    def is_origin(value: Any) -> bool:
        return is_address(value) and urlsplit(value)[2:] in {("", "", ""), ("/", "", "")}

    def is_list_of(fits: Callable[[Any], bool], value: Any) -> bool:
        return isinstance(value, list) and all(fits(one) for one in value)

    short = (is_short_text, "must be a text of 1 to 255 characters")
    address = (is_address, "must be an https address")
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        **dict.fromkeys(("title", "issuer", "client_id"), short),
        "institution": (lambda value: value is None or is_short_text(value), "must be a text of 1 to 255 characters"),
        **dict.fromkeys(("auth_login_url", "auth_token_url", "key_set_url"), address),
        "auth_audience": (lambda value: value is None or is_short_text(value), "must be a text or null"),
        "deployment_ids": (
            lambda value: is_list_of(is_short_text, value),
            "must be a list of texts of 1 to 255 characters",
        ),
        "platform_origin": (
            lambda value: is_origin(value) or (is_list_of(is_origin, value) and value != []),
            "must be one origin such as https://lms.example.org, or a list of them",
        ),
        "new_deployments": (lambda value: value in tuple(NewDeployments), "must be refuse, park or join"),
        "require_browser_binding": (lambda value: isinstance(value, bool), "must be true or false"),
    }
    yield from (f"{name} {says}" for name, (fits, says) in rules.items() if name in written and not fits(written[name]))


def _collisions(entries: Sequence[Entry]) -> list[str]:
    """The same registration twice is fine where institutions share a client, and only there."""
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
