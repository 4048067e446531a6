"""What a platform's notice says, and when a platform is asked for its notices."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lti_tool.launch.errors import ClaimRefused, MessageNotSupported
from lti_tool.launch.rules.context import read_context
from lti_tool.launch.rules.notices import (
    CopyNotice,
    addressee_of,
    is_subscription_due,
    read_copy_notice,
    tokens_of,
)
from lti_tool.launch.rules.values import LTI
from tests.fakes.platform import Platform

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
URL = "https://lms.example/notice-handlers/1"
PLAIN = {"iss", "aud", "nonce", "jti"}
GROUPS = "https://purl.imsglobal.org/spec/lti-gs/claim/groupsservice"


def notice(**changes: Any) -> dict[str, Any]:
    return {
        "iss": "https://lms.example",
        "aud": "client-1",
        "nonce": "nonce-1",
        f"{LTI}version": "1.3.0",
        f"{LTI}deployment_id": "1",
        f"{LTI}notice": {"id": "notice-1", "timestamp": "2026-11-02T09:00:00Z", "type": "LtiContextCopyNotice"},
        f"{LTI}context": {"id": "new", "label": "N", "title": "New", "type": []},
        f"{LTI}origin_contexts": ["old", "older", "old"],
    } | {
        f"{LTI}{name}" if name not in {"nonce", "jti", "aud", "iss"} else name: value for name, value in changes.items()
    }


def test_a_copy_names_the_courses_that_it_was_made_from() -> None:
    assert read_copy_notice(notice()) == CopyNotice("nonce-1", "1", "new", ("old", "older"))
    assert read_copy_notice(notice(jti="jti-1")).key == "jti-1"
    assert read_copy_notice(notice(nonce=None)).key == "notice-1"
    # Canvas names none where content was imported from a file.
    assert read_copy_notice(notice(origin_contexts=None)).origin_ids == ()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"notice": {"id": "1", "type": "LtiHelloWorldNotice"}}, MessageNotSupported),
        ({"notice": "LtiContextCopyNotice"}, ClaimRefused),
        ({"notice": {"type": "LtiContextCopyNotice"}, "nonce": None}, ClaimRefused),
        ({"version": "2"}, ClaimRefused),
        ({"context": {}}, ClaimRefused),
        ({"deployment_id": 1}, ClaimRefused),
        ({"origin_contexts": "old"}, ClaimRefused),
        ({"origin_contexts": [7]}, ClaimRefused),
        ({"nonce": ["x"]}, ClaimRefused),
    ],
)
def test_other_notices_are_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read_copy_notice(notice(**changes))


@pytest.mark.parametrize(
    "message",
    [None, [], {}, {"notices": []}, {"notices": {}}, {"notices": [{}]}, {"notices": [{"jwt": 1}]}, {"notices": [5]}],
)
def test_a_message_without_tokens_is_refused(message: object) -> None:
    with pytest.raises(ClaimRefused):
        tokens_of(message)


def test_an_addressee_is_one_client() -> None:
    assert addressee_of(notice(aud=["client-1"])) == ("https://lms.example", "client-1")
    for audience in (["client-1", "client-2"], [], None, 7):
        with pytest.raises(ClaimRefused):
            addressee_of(notice(aud=audience))


@pytest.mark.parametrize(
    ("known", "asked", "due"),
    [
        (None, None, True),
        (None, timedelta(hours=23), False),
        (None, timedelta(days=1), True),
        (URL, timedelta(days=29), False),
        (URL, timedelta(days=30), True),
        ("https://lms.example/old", timedelta(days=1), True),
    ],
)
def test_a_platform_is_asked_daily_until_it_agrees_and_monthly_from_then_on(
    known: str | None, asked: timedelta | None, due: bool
) -> None:
    assert is_subscription_due(known, None if asked is None else NOW - asked, URL, now=NOW) is due


def service_claims(**changes: Any) -> dict[str, Any]:
    return {
        "service_versions": ["1.0"],
        "platform_notification_service_url": URL,
        "scope": ["https://purl.imsglobal.org/spec/lti/scope/noticehandlers"],
        "notice_types_supported": ["LtiHelloWorldNotice", "LtiContextCopyNotice"],
    } | changes


@pytest.mark.parametrize(
    ("claim", "url"),
    [
        (service_claims(), URL),
        (service_claims(scope=[]), None),
        (service_claims(notice_types_supported=["LtiHelloWorldNotice"]), None),
        (service_claims(platform_notification_service_url="javascript:1"), None),
        (service_claims(scope=7), None),
        ("odd", None),
    ],
)
def test_only_a_service_that_is_offered_whole_is_used_and_no_launch_fails_by_it(claim: object, url: str | None) -> None:
    claims = Platform("https://lms.example", "client-1", "1").claims("n", now=NOW.timestamp())
    services = read_context({**claims, f"{LTI}platformnotificationservice": claim, GROUPS: claim}).services
    assert services.notices_url == url
    assert services.groups_url is None


def test_the_groups_service_is_read_from_its_claim() -> None:
    claims = Platform("https://lms.example", "client-1", "1").claims("n", now=NOW.timestamp())
    claims[GROUPS] = {
        "scope": ["https://purl.imsglobal.org/spec/lti-gs/scope/contextgroup.readonly"],
        "context_groups_url": "https://lms.example/2344/groups",
        "context_group_sets_url": "https://lms.example/2344/groups/sets",
        "service_versions": ["1.0"],
    }
    services = read_context(claims).services
    assert (services.groups_url, services.group_sets_url) == (
        "https://lms.example/2344/groups",
        "https://lms.example/2344/groups/sets",
    )
    assert services.groups_url in services.urls
