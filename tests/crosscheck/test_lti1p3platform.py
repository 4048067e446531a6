"""What lti1p3platform says about our launches, tokens and the shape of our deep links."""

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from lti1p3platform.content_item import LTI_DEEP_LINKING_CONTENT_ITEM_TYPE
from lti1p3platform.exceptions import LtiDeepLinkingResponseException
from lti1p3platform.lineitem import TDeepLinkingLineItem

from tests.crosscheck.openlearning import DIALOG, OpenLearning
from tests.crosscheck.rig import ACTIVITY, Tool, platform_and_tool

SCORES = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/"


def make(url: str) -> OpenLearning:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return OpenLearning(url, private.decode(), public.decode())


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[OpenLearning, Tool]]:
    with platform_and_tool(make, tmp_path) as (platform, tool):
        assert isinstance(platform, OpenLearning)
        platform.knows(tool)
        yield platform, tool


def test_its_launch_opens_a_visit(both: tuple[OpenLearning, Tool]) -> None:
    platform, tool = both
    visit = tool.launch(platform.launch(tool, "Learner"))
    assert (visit.kind, visit.role) == ("activity", "learner")


def test_it_grants_a_token_for_our_assertion(both: tuple[OpenLearning, Tool]) -> None:
    platform, tool = both
    token = tool.token(SCORES)
    assert token.granted == {SCORES}
    assert platform.knows(tool).validate_token(token.value, [SCORES])


def test_our_deep_link_has_the_shape_it_describes(both: tuple[OpenLearning, Tool]) -> None:
    platform, tool = both
    placing = tool.launch(platform.launch(tool, "Instructor", is_placing=True))
    [item] = platform.knows(tool).validate_deeplinking_resp({"JWT": tool.place(placing, platform.url)})

    described = LTI_DEEP_LINKING_CONTENT_ITEM_TYPE[item.pop("type")].__annotations__
    assert item.keys() <= described.keys()
    # This platform has no submission review, which the grade services describe.
    assert item["lineItem"].keys() - {"submissionReview"} <= TDeepLinkingLineItem.__annotations__.keys()
    assert all(isinstance(item[name], str) for name in ("title", "url", "text"))
    assert isinstance(item["lineItem"]["scoreMaximum"], int)
    assert all(isinstance(value, str) for value in item["custom"].values())
    assert item["custom"]["activity"] == ACTIVITY


def test_the_dialogs_own_word_comes_back_as_it_was(both: tuple[OpenLearning, Tool]) -> None:
    platform, tool = both
    placing = tool.launch(platform.launch(tool, "Instructor", is_placing=True))
    claims = platform.knows(tool).tool_validate_and_decode(tool.place(placing, platform.url))
    assert claims[f"{CLAIM}data"] == DIALOG
    assert (claims["aud"], claims["iss"]) == ([platform.url], platform.registration.get_client_id())


def test_it_refuses_another_message_of_ours_as_a_deep_link(both: tuple[OpenLearning, Tool]) -> None:
    platform, tool = both
    placing = tool.launch(platform.launch(tool, "Instructor", is_placing=True))
    claims = jwt.decode(tool.place(placing, platform.url), options={"verify_signature": False})
    other = tool.signed(claims | {"https://purl.imsglobal.org/spec/lti/claim/message_type": "LtiStartAssessment"})
    with pytest.raises(LtiDeepLinkingResponseException):
        platform.knows(tool).validate_deeplinking_resp({"JWT": other})
