"""Open edX's own LTI consumer as the platform."""

import warnings
from collections.abc import Mapping
from typing import Any

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

from tests.crosscheck.rig import CLIENT_ID, DEPLOYMENT_ID, Tool

with warnings.catch_warnings():
    # Its dependencies import what Python has deprecated; that is not ours to fail on.
    warnings.simplefilter("ignore")
    settings.configure(
        PLATFORM_NAME="Second opinion",
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "lti_consumer"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
    )
    django.setup()
    from lti_consumer.data import Lti1p3LaunchData
    from lti_consumer.lti_1p3.consumer import LtiAdvantageConsumer
    from lti_consumer.lti_1p3.exceptions import PreflightRequestValidationFailure
    from lti_consumer.lti_1p3.extensions.rest_framework.serializers import LtiDlLtiResourceLinkSerializer

__all__ = [
    "COURSE",
    "Edx",
    "LtiDlLtiResourceLinkSerializer",
    "PreflightRequestValidationFailure",
    "launch",
    "new_pem",
    "preflight",
]

COURSE = "course-v1:demo+peer+2026"


def new_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Edx:
    """A platform with one course."""

    def __init__(self, url: str) -> None:
        self.url, self.pem = url, new_pem()

    def consumer(self, tool: Tool, *, pem: str | None = None) -> LtiAdvantageConsumer:
        """The consumer that knows this tool; it signs with another key if one is given."""
        consumer = LtiAdvantageConsumer(
            iss=self.url,
            lti_oidc_url=f"{tool.url}/lti/login",
            lti_launch_url=tool.launch_url,
            client_id=CLIENT_ID,
            deployment_id=DEPLOYMENT_ID,
            rsa_key=pem or self.pem,
            rsa_key_id="edx-1",
            redirect_uris=[tool.launch_url],
            tool_keyset_url=f"{tool.url}/lti/jwks",
        )
        consumer.enable_ags(lineitems_url=f"{self.url}/lineitems", lineitem_url=f"{self.url}/lineitems/1")
        consumer.enable_nrps(f"{self.url}/memberships")
        consumer.enable_deep_linking(tool.launch_url, f"{self.url}/content")
        consumer.set_context_claim(COURSE, context_title="Peer coaching", context_label="PEER")
        consumer.set_resource_link_claim("link-1", title="Observation")
        return consumer

    def key_set(self) -> Mapping[str, Any]:
        keys: dict[str, Any] = LtiAdvantageConsumer(
            self.url, "", "", CLIENT_ID, DEPLOYMENT_ID, self.pem, "edx-1", []
        ).get_public_keyset()
        return keys

    def grant(self, form: dict[str, str]) -> Mapping[str, Any]:
        granted: dict[str, Any] = self.granting.access_token(form)
        return granted

    granting: LtiAdvantageConsumer
    """Who answers token requests."""


def preflight(
    tool: Tool, consumer: LtiAdvantageConsumer, person: str, role: str, message: str = "LtiResourceLinkRequest"
) -> dict[str, str]:
    """What the tool asks the platform for when this person starts a login."""
    consumer.set_user_data(person, role, full_name="Ada Lovelace", email_address="ada@example.org")
    known = Lti1p3LaunchData(
        user_id=person, user_role=role, config_id="1", resource_link_id="link-1", message_type=message
    )
    return tool.login(consumer.prepare_preflight_url(known))


def launch(
    tool: Tool, consumer: LtiAdvantageConsumer, person: str, role: str, message: str = "LtiResourceLinkRequest"
) -> dict[str, str]:
    """The form that a browser posts after the preflight, which the consumer checks itself."""
    form: dict[str, str] = consumer.generate_launch_request(preflight(tool, consumer, person, role, message))
    return form
