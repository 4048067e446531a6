"""What the answer to the dialog that places activities says, and to whom."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from lti_tool.launch.rules.context import DeepLinking
from lti_tool.launch.service.deep_linking import (
    Addressee,
    GradeColumn,
    LinkItem,
    accepts_links,
    answer,
    asked_of,
    return_origin,
    sign,
)
from lti_tool.registration.service.keys import Signer
from lti_tool.support.crypto import load_private_key, new_signing_key

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
TO = Addressee("https://lms.example", "client-1", "7")
ASKED = DeepLinking(
    return_url="https://lms.example/return?course=2",
    data=None,
    accept_types=("ltiResourceLink",),
    accept_targets=("iframe",),
    accepts_multiple=True,
    accepts_line_item=None,
    title=None,
    text=None,
)
LINK = LinkItem(
    "Observe é",
    "https://tandem.example/lti/launch",
    "abc",
    "Watch.\n\nThen write.",
    GradeColumn("Observe é", 20, "abc", "completion"),
)


def items(asked: DeepLinking = ASKED, link: LinkItem = LINK) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(asked, [link], TO, nonce="n", now=NOW)[f"{DL}content_items"]
    return found


def nulls_in(value: object, at: str = "") -> list[str]:
    if isinstance(value, dict):
        return [found for name, part in value.items() for found in nulls_in(part, f"{at}/{name}")]
    if isinstance(value, list):
        return [found for part in value for found in nulls_in(part, f"{at}[]")]
    return [at] if value is None else []


def test_the_answer_says_who_answers_whom_and_what() -> None:
    claims = answer(ASKED, [LINK], TO, nonce="once", now=NOW)
    assert claims["iss"] == "client-1"
    assert claims["aud"] == ["https://lms.example"]
    assert claims["nonce"] == "once"
    assert (claims["iat"], claims["exp"]) == (1793610000, 1793610300)
    assert claims[f"{LTI}deployment_id"] == "7"
    assert claims[f"{LTI}message_type"] == "LtiDeepLinkingResponse"
    assert claims[f"{LTI}version"] == "1.3.0"


def test_one_link_with_its_column() -> None:
    [item] = items()
    assert item == {
        "type": "ltiResourceLink",
        "title": "Observe é",
        "url": "https://tandem.example/lti/launch",
        "text": "Watch.",
        "custom": {
            "activity": "abc",
            "context_id_history": "$Context.id.history",
            "resource_link_id_history": "$ResourceLink.id.history",
        },
        "lineItem": {
            "scoreMaximum": 20,
            "label": "Observe é",
            "resourceId": "abc",
            "tag": "completion",
            "submissionReview": {"reviewableStatus": ["InProgress", "Submitted", "Completed"]},
        },
    }


@pytest.mark.parametrize("data", [None, "", 'csrf=ü&"<>', "x" * 4000, 0, False, [], {"a": [1, None]}])
def test_data_comes_back_as_it_was_and_only_if_it_was(data: Any) -> None:
    claims = answer(replace(ASKED, data=data), [LINK], TO, nonce="n", now=NOW)
    assert claims.get(f"{DL}data", None) == data
    assert (f"{DL}data" in claims) is (data is not None)


@pytest.mark.parametrize("column", [None, LINK.column])
@pytest.mark.parametrize("text", ["", "Watch."])
@pytest.mark.parametrize("data", [None, "d"])
def test_no_answer_holds_a_null(column: GradeColumn | None, text: str, data: str | None) -> None:
    claims = answer(replace(ASKED, data=data), [replace(LINK, column=column, text=text)], TO, nonce="n", now=NOW)
    assert nulls_in(claims) == []


@pytest.mark.parametrize(("accepts", "has_column"), [(None, True), (True, True), (False, False)])
def test_a_column_goes_along_unless_the_platform_takes_none(accepts: bool | None, has_column: bool) -> None:
    [item] = items(replace(ASKED, accepts_line_item=accepts))
    assert ("lineItem" in item) is has_column


def test_leaving_the_dialog_answers_with_an_empty_list() -> None:
    assert answer(ASKED, [], TO, nonce="n", now=NOW)[f"{DL}content_items"] == []


def test_a_long_text_is_cut_between_words() -> None:
    [item] = items(link=replace(LINK, text="word " * 200))
    assert len(item["text"]) <= 500
    assert item["text"].endswith("word…")


@pytest.mark.parametrize(
    ("types", "fits"),
    [
        (("ltiResourceLink",), True),
        (("link", "ltiResourceLink"), True),
        (("link", "html", "file", "image"), False),
        ((), False),
    ],
)
def test_only_a_dialog_for_links_takes_what_we_have(types: tuple[str, ...], fits: bool) -> None:
    assert accepts_links(replace(ASKED, accept_types=types)) is fits


OWNED = ["https://lms.example", "http://127.0.0.1:8081"]


@pytest.mark.parametrize(
    ("url", "may_be_http", "origin"),
    [
        ("https://lms.example/return?a=b", False, "https://lms.example"),
        ("https://LMS.example:443/return", False, "https://lms.example"),
        ("http://127.0.0.1:8081/return", True, "http://127.0.0.1:8081"),
        ("http://127.0.0.1:8081/return", False, None),
        ("https://elsewhere.example/return", False, None),
        ("https://lms.example.evil.example/", False, None),
        ("https://lms.example@evil.example/", False, None),
        ("javascript:alert(1)", True, None),
        ("", True, None),
    ],
)
def test_the_answer_goes_only_where_the_registration_owns_the_address(
    url: str, may_be_http: bool, origin: str | None
) -> None:
    assert return_origin(replace(ASKED, return_url=url), OWNED, may_be_http=may_be_http) == origin


def test_what_a_visit_keeps_of_the_question_reads_back_the_same() -> None:
    kept = {**asdict(ASKED), "accept_types": ["ltiResourceLink"], "accept_targets": ["iframe"]}
    assert asked_of(kept) == ASKED


def test_the_answer_is_signed_with_rs256_and_names_its_key() -> None:
    made = new_signing_key()
    token = sign(answer(ASKED, [LINK], TO, nonce="n", now=NOW), Signer(made.kid, load_private_key(made.private_pem)))
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": made.kid}
    read = jwt.decode(
        token,
        jwt.PyJWK(dict(made.public_jwk)),
        algorithms=["RS256"],
        audience="https://lms.example",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert read[f"{DL}content_items"] == items()
