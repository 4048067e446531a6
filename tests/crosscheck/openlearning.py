"""lti1p3platform, OpenLearning's library, as the platform."""

from collections.abc import Mapping
from typing import Any

from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract
from lti1p3platform.message_launch import LTIAdvantageMessageLaunchAbstract
from lti1p3platform.oidc_login import OIDCLoginAbstract
from lti1p3platform.registration import Registration
from lti1p3platform.request import Request

from tests.crosscheck.rig import CLIENT_ID, DEPLOYMENT_ID, Tool

DIALOG = '{"of": "the dialog", "né": "é & <b>"}'


class Configuration(LTI1P3PlatformConfAbstract):
    def init_platform_config(self, **known: Any) -> None:
        self._registration = known["registration"]

    def get_registration_by_params(self, **_: Any) -> Registration:
        raise LookupError("there is one registration, and it is given")


class Preflight(OIDCLoginAbstract):
    def set_lti_message_hint(self, **known: Any) -> None:
        self._lti_message_hint = known["hint"]

    def get_redirect(self, url: str) -> str:
        return url


class Fields(Request):
    def build_metadata(self, request: dict[str, str]) -> Any:
        return {"method": "GET", "get_data": request, "form_data": {}}


class Launch(LTIAdvantageMessageLaunchAbstract):
    def render_launch_form(self, launch_data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return launch_data


class OpenLearning:
    """A platform that signs with the key of a PEM text."""

    def __init__(self, url: str, private_pem: str, public_pem: str) -> None:
        self.url = url
        self.registration = (
            Registration()
            .set_iss(url)
            .set_client_id(CLIENT_ID)
            .set_deployment_id(DEPLOYMENT_ID)
            .set_platform_private_key(private_pem)
            .set_platform_public_key(public_pem)
        )

    def knows(self, tool: Tool) -> Configuration:
        """Tell it about the tool, and have its opinion ready."""
        self.registration.set_oidc_login_url(f"{tool.url}/lti/login").set_launch_url(tool.launch_url)
        self.registration.set_deeplink_launch_url(tool.launch_url).set_tool_key_set_url(f"{tool.url}/lti/jwks")
        return Configuration(registration=self.registration)

    def key_set(self) -> Mapping[str, Any]:
        return {"keys": self.registration.get_jwks()}

    def grant(self, form: dict[str, str]) -> Mapping[str, Any]:
        return dict(Configuration(registration=self.registration).get_access_token(form))

    def launch(self, tool: Tool, role: str, *, is_placing: bool = False) -> dict[str, str]:
        """The form that a browser posts after the preflight."""
        configuration = self.knows(tool)
        preflight = Preflight(None, configuration)
        preflight.set_lti_message_hint(hint="link-1")
        asked = tool.login(preflight.initiate_login("person-1"))
        launch = Launch(Fields(asked), configuration)
        launch.set_user_data("person-1", [f"http://purl.imsglobal.org/vocab/lis/v2/membership#{role}"])
        launch.set_launch_context_claim("course-1", context_title="Peer coaching")
        launch.set_resource_link_claim("link-1")
        if is_placing:
            launch.set_dl(f"{self.url}/content", accept_types={"ltiResourceLink"}, extra_data=DIALOG)
        form = launch.lti_launch()
        assert form.pop("launch_url") == tool.launch_url
        return dict(form)
