"""Launches whose parts were replaced by anything at all: refused or taken, never our own failure."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.contract.launch_stage import Stage
from tests.fakes.platform import LTI, Claims, Platform
from tests.functional.launching import BASE_URL
from tests.unit.pairing.budget import examples

pytestmark = pytest.mark.store

FUZZED = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], print_blob=True
)

MESSAGES: Final[list[Callable[[Platform, str, float], Claims]]] = [
    lambda platform, nonce, now: platform.claims(nonce, now=now),
    lambda platform, nonce, now: platform.deep_linking_claims(nonce, now=now),
    lambda platform, nonce, now: platform.review_claims(nonce, now=now),
]
OPTIONAL: Final[Claims] = {
    f"{LTI}custom": {"activity": "key", "time_zone": "99", "context_id_history": "old-1", "tandem_team": "Blue"},
    f"{LTI}launch_presentation": {
        "locale": "sv_SE",
        "document_target": "iframe",
        "return_url": "https://lms.example/back",
    },
    f"{LTI}tool_platform": {"guid": "1", "name": "LMS", "product_family_code": "moodle", "version": "4.5"},
    f"{LTI}lis": {"person_sourcedid": "00423"},
    f"{LTI}role_scope_mentor": ["person-2"],
    "azp": "client-1",
    "nbf": 0,
    "locale": "sv-SE",
    "picture": "https://lms.example/p.png",
}
"""What many platforms send besides."""
BINDING: Final = {"iss", "aud", "nonce", "iat", "exp"}
"""Almost any change to these is refused before the rest is read."""


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


half = st.sampled_from(["\ud800", "\udfff", "x\udc00y", "\ud83d"])
texts = st.one_of(
    st.text(st.characters(codec=None), max_size=12),
    half,
    st.sampled_from(
        ["", " ", "\x00", "a\x00b", "\ufeff", "\u202e", "x" * 300, "https://[", "http://a:999999/", "//", "$Person.id"]
    ),
    st.sampled_from(["<img src=x onerror=alert(1)>", "{{7*7}}", "%s%n", "' OR 1=1 --", "javascript:alert(1)"]),
)
numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 2**64, 10**400, -(10**4000)]),
    st.floats(allow_nan=True, allow_infinity=True),
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
deep = st.sampled_from([20, 40, 200]).map(nested)
REMOVED: Final = object()


@dataclass(frozen=True)
class Spoiled:
    """The text that stood there, with something in it that no honest platform sends."""

    by: str


spoiled = st.sampled_from(["\x00", "\ud800", "\udfff", "\u202e", "\ufeff", "\x85", " ", "x" * 5000]).map(Spoiled)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a value that something else may stand in, the whole claims left out."""
    if isinstance(value, dict):
        inner = [place for key, one in value.items() for place in places(one, (*path, key))]
    elif isinstance(value, list):
        inner = [place for number, one in enumerate(value) for place in places(one, (*path, number))]
    else:
        inner = []
    return [path, *inner] if path else inner


PLACES: Final = sorted(
    {
        place
        for message in MESSAGES
        for place in places(OPTIONAL | message(Platform("https://lms.example", "client-1", "deployment-1"), "n", 0))
        if place[0] not in BINDING
    },
    key=repr,
)

IDENTIFIERS: Final = [("sub",), (f"{LTI}context", "id"), (f"{LTI}resource_link", "id"), (f"{LTI}roles", 0), ("name",)]
change = st.tuples(
    st.one_of(st.sampled_from(PLACES), st.sampled_from(sorted(BINDING)).map(lambda one: (one,))),
    st.one_of(spoiled, anything, deep, st.just(REMOVED)),
)
changes = st.one_of(
    st.lists(change, min_size=1, max_size=4),
    st.tuples(st.sampled_from(IDENTIFIERS), spoiled).map(lambda one: [one]),
)


def put(claims: Claims, path: tuple[Any, ...], value: object) -> None:
    """Replace what stands in a place, or remove it. Nothing happens where an earlier change took the place away."""
    *way, last = path
    at: Any = claims
    for step in way:
        try:
            at = at[step]
        except (LookupError, TypeError):
            return
    try:
        if value is REMOVED:
            del at[last]
        elif isinstance(value, Spoiled):
            at[last] = f"{at[last]}{value.by}"
        else:
            at[last] = value
    except (LookupError, TypeError):
        return


def landed(stage: Stage, answer: TestResponse, before: int) -> None:
    """A launch that was taken opened one visit, whose first page can be shown; any other opened none."""
    assert answer.status_code < 500, answer.text
    is_taken = answer.status_code == 303
    assert stage.visits() == before + is_taken
    if is_taken:
        address = answer.headers["Location"].partition("?")[0]
        page = stage.browser.client.get(
            address, base_url=BASE_URL, headers={"Accept": "text/html"}, follow_redirects=True
        )
        assert page.status_code < 500, page.text
        assert "<img src=x" not in page.text


@given(message=st.sampled_from(MESSAGES), with_optional=st.booleans(), changed=changes)
@settings(FUZZED, max_examples=examples(100))
def test_claims_of_any_shape_never_make_us_fail(
    stage: Stage,
    message: Callable[[Platform, str, float], Claims],
    with_optional: bool,
    changed: list[tuple[tuple[Any, ...], object]],
) -> None:
    before = stage.visits()
    begun = stage.begin()
    claims = message(stage.first, begun.request["nonce"], stage.now)
    claims = deepcopy((OPTIONAL if with_optional else {}) | claims)
    for path, value in changed:
        put(claims, path, value)

    landed(stage, stage.post(begun, stage.first.sign(claims)), before)


TOKEN_PARTS: Final = ["{token}", "{token}.", "{token}\x00", "{token} ", "\x00", "é", "\ud800", "a.b.c", "..", "{state}"]
fields_of_launches = st.dictionaries(
    st.sampled_from(["id_token", "state", "error", "error_description", "secret", "x\x00"]),
    st.lists(st.one_of(st.sampled_from(TOKEN_PARTS), texts), min_size=0, max_size=3),
    max_size=4,
)


@given(changed=fields_of_launches)
@settings(FUZZED, max_examples=examples(30))
def test_fields_of_a_launch_that_are_doubled_missing_or_nonsense_never_make_us_fail(
    stage: Stage, changed: dict[str, list[str]]
) -> None:
    before = stage.visits()
    begun = stage.begin()
    token, state = stage.first.sign(stage.claims(begun)), begun.request["state"]
    fields = {"id_token": ["{token}"], "state": ["{state}"], **changed}
    sent = {
        sendable(name): [sendable(value.replace("{token}", token).replace("{state}", state)) for value in values]
        for name, values in fields.items()
    }

    for address in ("/lti/launch", "/lti/launch/confirm"):
        answer = stage.browser.client.post(address, data=sent, base_url=BASE_URL)
        landed(stage, answer, before)
        before = stage.visits()


@given(
    changed=st.dictionaries(
        st.sampled_from([*Platform("https://lms.example", "client-1", "d").login_fields(), "lti_storage_target"]),
        st.lists(texts, max_size=2),
        min_size=1,
        max_size=3,
    ),
    method=st.sampled_from(["GET", "POST"]),
)
@settings(FUZZED, max_examples=examples(30))
def test_logins_with_nonsense_never_make_us_fail(stage: Stage, changed: dict[str, list[str]], method: str) -> None:
    fields = {name: [value] for name, value in stage.first.login_fields().items()} | changed
    sent = {name: [sendable(value) for value in values] for name, values in fields.items()}

    for address in ("/lti/login", "/lti/new-tab"):
        where: dict[str, Any] = {"data": sent} if method == "POST" else {"query_string": sent}
        answer = stage.browser.client.open(address, method=method, base_url=BASE_URL, **where)
        assert answer.status_code < 500, answer.text
    assert stage.visits() == 0


def sendable(text: str) -> str:
    """Half a surrogate pair cannot be sent as UTF-8; what it looks like to somebody who sends it all the same."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
