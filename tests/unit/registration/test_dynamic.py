"""What a platform says about itself, and what we ask of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.registration.errors import ConfigurationRefused, RegistrationAnswerUnusable
from lti_tool.registration.rules.dynamic import (
    GROUPS_SCOPE,
    NOTICES_SCOPE,
    TOOL_CONFIGURATION,
    canvas_developer_key,
    default_policy,
    read_configuration,
    read_granted,
    registration_document,
)
from lti_tool.registration.rules.registrations import NewDeployments
from tests.factories.registration import a_configuration
from tests.unit.registration.test_rules import anything

RECORDED = Path(__file__).parents[2] / "contract" / "recordings" / "registration" / "moodle.json"


def read(base: str, **changes: Any) -> Any:
    url = changes.pop("url", f"{base}/.well-known/openid-configuration")
    return read_configuration(url, a_configuration(base, **changes), development=False)


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        ("https://lms.example.ac.uk", {}),
        ("https://lms.example.ac.uk", {"token_endpoint": "https://login.example.ac.uk/token"}),
        ("https://lms.example.org:8443", {"jwks_uri": "https://lms.example.org/jwks"}),
        ("https://moodle", {}),
        # A Moodle in a folder of its site.
        ("https://example.org", {"issuer": "https://example.org/moodle"}),
        # Brightspace on a customer's own domain, signed on by the vendor.
        ("https://learn.example.edu", {"token_endpoint": "https://auth.brightspace.com/core/connect/token"}),
        # Canvas: a constant issuer, sign-on and keys at the vendor's, the rest at the customer's.
        (
            "https://example.instructure.com",
            {
                "issuer": "https://canvas.instructure.com",
                "authorization_endpoint": "https://sso.canvaslms.com/api/lti/authorize_redirect",
                "jwks_uri": "https://sso.canvaslms.com/api/lti/security/jwks",
            },
        ),
        (
            "https://example.instructure.com",
            {
                "url": "https://sso.canvaslms.com/api/lti/security/openid-configuration",
                "issuer": "https://canvas.instructure.com",
                "authorization_endpoint": "https://sso.canvaslms.com/api/lti/authorize_redirect",
                "jwks_uri": "https://sso.canvaslms.com/api/lti/security/jwks",
            },
        ),
        ("https://developer.blackboard.com", {"issuer": "https://blackboard.com"}),
    ],
)
def test_platforms_as_they_are_are_accepted(base: str, changes: dict[str, Any]) -> None:
    assert read(base, **changes).registration_url == f"{base}/register"


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        # Two customers of one hosting domain under a public suffix, and of one country suffix.
        ("https://one.github.io", {"token_endpoint": "https://two.github.io/token"}),
        ("https://one.ac.uk", {"jwks_uri": "https://two.ac.uk/jwks"}),
        # Numbers and plain names have no domain to share.
        ("https://10.0.0.1", {"jwks_uri": "https://9.0.0.1/jwks"}),
        ("https://moodle", {"jwks_uri": "https://other/jwks"}),
        ("https://[2001:db8::1]", {"jwks_uri": "https://[2001:db8::2]/jwks"}),
        ("https://localhost:1", {"jwks_uri": "https://localhost:2/jwks"}),
        # A neighbor under the same domain may not speak for the platform.
        ("https://lms.example.org", {"issuer": "https://other.example.org"}),
        ("https://lms.example.org", {"issuer": "https://canvas.instructure.com"}),
        (
            "https://example.instructure.com",
            {
                "issuer": "https://canvas.instructure.com",
                "authorization_endpoint": "https://sso.canvaslms.com/a",
                "jwks_uri": "https://example.instructure.com/jwks",
            },
        ),
        ("https://lms.example.org", {"issuer": "https://blackboard.com"}),
        # Stand-ins exist in development only.
        ("https://127.0.0.1:1", {"issuer": "https://canvas.example"}),
        ("http://lms.example.org", {}),
    ],
)
def test_configurations_that_do_not_hold_together_are_refused(base: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationRefused):
        read(base, **changes)


def test_the_audience_is_the_authorization_server_where_that_is_an_address() -> None:
    base = "https://learn.example.edu"
    constant, signed_on = "https://api.brightspace.com/auth/token", "https://auth.brightspace.com/core/connect/token"
    assert read(base, authorization_server=constant, token_endpoint=signed_on).auth_audience == constant
    assert read(base, authorization_server="canvas.instructure.com").auth_audience is None
    assert read(base).auth_audience is None


@pytest.mark.parametrize(
    "audience", ["https://api.brightspace.com/auth/token", "https://other.example.org/token", "https://lms.example.net"]
)
def test_no_platform_gets_a_token_request_that_is_made_out_to_another(audience: str) -> None:
    with pytest.raises(ConfigurationRefused):
        read("https://learn.example.edu", authorization_server=audience)


@pytest.mark.parametrize(
    ("family", "policy"),
    [
        ("moodle", NewDeployments.REFUSE),
        ("canvas", NewDeployments.PARK),
        ("BlackboardLearn", NewDeployments.PARK),
        ("desire2learn", NewDeployments.REFUSE),
    ],
)
def test_platforms_that_share_clients_park_newcomers(family: str, policy: NewDeployments) -> None:
    said = {"product_family_code": family}
    configuration = read(
        "https://lms.example.org", **{"https://purl.imsglobal.org/spec/lti-platform-configuration": said}
    )
    assert default_policy(configuration) is policy


def test_a_platform_that_lists_no_scopes_is_asked_for_all_of_ours() -> None:
    configuration = read("https://lms.example.org", scopes_supported=None)
    document = registration_document(configuration, base_url="https://tandem.example", title="Tandem")
    assert len(document["scope"].split()) == 5
    assert document[TOOL_CONFIGURATION]["domain"] == "tandem.example"


def test_rights_that_few_platforms_know_are_asked_for_only_where_they_are_listed() -> None:
    listed = [GROUPS_SCOPE, NOTICES_SCOPE, "openid"]
    configuration = read("https://lms.example.org", scopes_supported=listed)
    document = registration_document(configuration, base_url="https://tandem.example", title="Tandem")
    assert document["scope"].split() == listed[:2]
    assert GROUPS_SCOPE not in canvas_developer_key(base_url="https://tandem.example", title="Tandem")["scopes"]


def test_review_is_announced_only_where_the_platform_knows_it() -> None:
    said = {"messages_supported": [{"type": "LtiSubmissionReviewRequest"}]}
    name = "https://purl.imsglobal.org/spec/lti-platform-configuration"
    for knows, configuration in (
        (True, read("https://lms.example.org", **{name: said})),
        (False, read("https://lms.example.org")),
    ):
        document = registration_document(configuration, base_url="https://tandem.example", title="Tandem")
        types = [message["type"] for message in document[TOOL_CONFIGURATION]["messages"]]
        assert ("LtiSubmissionReviewRequest" in types) is knows


def test_a_real_moodle_is_understood() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    configuration = read_configuration(
        "http://127.0.0.1:8081/mod/lti/openid-configuration.php", recorded["configuration"], development=True
    )
    assert (configuration.family, configuration.issuer) == ("moodle", "http://127.0.0.1:8081")
    assert configuration.messages["LtiDeepLinkingRequest"] == {"ContentArea"}
    granted = read_granted(recorded["registered"])
    assert (granted.client_id, granted.deployment_id) == ("snkGrfwqavYSxxD", "1")
    document = registration_document(configuration, base_url="https://tandem.example", title="Tandem")
    assert granted.scopes == set(document["scope"].split())


@given(st.fixed_dictionaries(dict.fromkeys(a_configuration("https://lms.example.org"), anything)) | anything)
def test_no_configuration_can_do_more_than_be_refused(written: Any) -> None:
    with pytest.raises(ConfigurationRefused):
        read_configuration("https://lms.example.org/configuration", written, development=False)


@given(st.fixed_dictionaries({"client_id": anything, TOOL_CONFIGURATION: anything, "scope": anything}) | anything)
def test_no_answer_can_do_more_than_be_unusable(written: Any) -> None:
    try:
        granted = read_granted(written)
    except RegistrationAnswerUnusable:
        return
    assert 0 < len(granted.client_id) <= 255
