"""Registration files, and which addresses belong to a platform."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.registration.errors import FileMistakes
from lti_tool.registration.rules.registrations import NewDeployments, next_address, owns, read_entries

GOOD: dict[str, Any] = {
    "title": "Moodle",
    "issuer": "https://lms.example",
    "client_id": "abc",
    "deployment_ids": ["1"],
    "auth_login_url": "https://lms.example/auth",
    "auth_token_url": "https://lms.example/token",
    "auth_audience": None,
    "key_set_url": "https://lms.example/jwks",
    "platform_origin": "https://lms.example",
}


@dataclass
class Platform:
    platform_origins: list[str]


def mistakes_in(*written: Any, development: bool = False) -> list[str]:
    with pytest.raises(FileMistakes) as caught:
        read_entries(list(written), development=development)
    return caught.value.mistakes


@pytest.mark.parametrize(
    ("url", "is_owned"),
    [
        ("https://lms.example/scores?type_id=1", True),
        ("https://LMS.example:443/scores", True),
        ("https://lms.example:8443/scores", False),
        ("http://lms.example/scores", False),
        ("https://lms.example.attacker.example/scores", False),
        ("https://lms.example@attacker.example/scores", False),
        ("https://attacker.example/https://lms.example", False),
        ("https://lms.example\\@attacker.example/", False),
        ("//lms.example/scores", False),
        ("", False),
        ("javascript:alert(1)", False),
    ],
)
def test_a_token_goes_only_to_the_platforms_own_origins(url: str, is_owned: bool) -> None:
    assert owns(Platform(["https://lms.example"]), url) is is_owned


def test_a_file_may_hold_one_registration_or_a_list() -> None:
    assert read_entries(GOOD, development=False) == read_entries([GOOD], development=False)


def test_listed_deployments_refuse_others_and_an_empty_list_waits_for_them() -> None:
    (listed,) = read_entries([GOOD], development=False)
    (expecting,) = read_entries([GOOD | {"deployment_ids": []}], development=False)
    (chosen,) = read_entries([GOOD | {"new_deployments": "join"}], development=False)
    assert (listed.new_deployments, expecting.new_deployments, chosen.new_deployments) == (
        NewDeployments.REFUSE,
        NewDeployments.PARK,
        NewDeployments.JOIN,
    )


def test_several_origins_are_taken_without_path_and_usual_port() -> None:
    (entry,) = read_entries(
        [GOOD | {"platform_origin": ["https://LMS.example:443/", "https://files.lms.example"]}], development=False
    )
    assert entry.platform_origins == ("https://lms.example", "https://files.lms.example")


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"title": ""}, "title must be a text"),
        ({"title": "x" * 256}, "title must be a text"),
        ({"issuer": 5}, "issuer must be a text"),
        ({"client_id": "a\nb"}, "client_id must be a text"),
        ({"deployment_ids": "1"}, "deployment_ids must be a list"),
        ({"deployment_ids": [1]}, "deployment_ids must be a list"),
        ({"auth_login_url": "http://lms.example/auth"}, "auth_login_url must be an https address"),
        ({"auth_token_url": "lms.example/token"}, "auth_token_url must be an https address"),
        ({"key_set_url": "https://name:password@lms.example/jwks"}, "key_set_url must be an https address"),
        ({"auth_audience": 3}, "auth_audience must be a text or null"),
        ({"platform_origin": []}, "platform_origin must be one origin"),
        ({"platform_origin": "https://lms.example/path"}, "platform_origin must be one origin"),
        ({"platform_origin": {"a": 1}}, "platform_origin must be one origin"),
        ({"new_deployments": "maybe"}, "new_deployments must be refuse, park or join"),
        ({"new_deployments": []}, "new_deployments must be refuse, park or join"),
        ({"institution": " "}, "institution must be a text"),
        ({"client-id": "x"}, "client-id is not a field; did you mean client_id?"),
    ],
)
def test_each_mistake_is_told_with_its_place(change: dict[str, Any], mistake: str) -> None:
    (found,) = mistakes_in(GOOD | {"client_id": "other"}, {**GOOD, **change})
    assert found.startswith("entry 2")
    assert mistake in found


def test_all_mistakes_of_all_entries_come_together() -> None:
    found = mistakes_in(5, {}, GOOD | {"issuer": 1, "client_id": 2})
    assert found[0] == "entry 1: must be an object"
    assert sum("is missing" in one for one in found) == 8
    assert sum(one.startswith("entry 3 (Moodle): ") for one in found) == 2


@pytest.mark.parametrize("written", [[], "text", 5, None])
def test_a_file_of_another_kind_is_named_as_such(written: Any) -> None:
    with pytest.raises(FileMistakes, match="list of registrations"):
        read_entries(written, development=False)


def test_the_same_registration_twice_is_a_mistake_unless_institutions_share_it() -> None:
    assert "same issuer and client_id as entry 1" in mistakes_in(GOOD, GOOD)[0]
    one, other = GOOD | {"institution": "A"}, GOOD | {"institution": "B"}
    assert "shares a deployment with entry 1" in mistakes_in(one, other)[0]
    assert len(read_entries([one, other | {"deployment_ids": ["2"]}], development=False)) == 2


def test_http_is_for_development() -> None:
    written = GOOD | {"auth_login_url": "http://127.0.0.1:8081/auth", "platform_origin": "http://127.0.0.1:8081"}
    assert len(mistakes_in(written)) == 2
    assert read_entries([written], development=True)


@dataclass
class Owner:
    platform_origins: list[str]


@pytest.mark.parametrize(
    ("named", "called"),
    [
        ("https://lms.example/api/m?page=2", "https://lms.example/api/m?page=2"),
        ("http://lms.example/api/m?page=2", "https://lms.example/api/m?page=2"),
        ("https://LMS.example:443/m?Page=2", "https://LMS.example:443/m?Page=2"),
        ("http://lms.example:8080/m?page=2#top", "https://lms.example/m?page=2"),
        ("https://lms.example./m?page=2", "https://lms.example/m?page=2"),
        ("https://cdn.lms.example/m?page=2", "https://cdn.lms.example/m?page=2"),
        ("http://lms.example@evil.example/m", "http://lms.example@evil.example/m"),
        ("http://lms.example//evil.example/m", "https://lms.example//evil.example/m"),
        ("https://api.example/m", "https://api.example/m"),
        ("nonsense", "nonsense"),
    ],
)
def test_the_next_page_is_called_where_we_called_the_last(named: str, called: str) -> None:
    owner = Owner(["https://lms.example", "https://api.example"])
    assert next_address(owner, "https://lms.example/api/m?page=1", named) == called


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(GOOD, anything)) | anything, min_size=1, max_size=3))
def test_no_file_can_do_more_than_be_wrong(written: list[Any]) -> None:
    try:
        entries = read_entries(written, development=False)
    except FileMistakes:
        return
    assert all(entry.auth_token_url.startswith("https://") for entry in entries)
