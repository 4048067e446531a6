"""The worlds of cookies and storage in which a browser may live, and a tool that a platform knows."""

from playwright.sync_api import BrowserContext

from sandbox_lms import SandboxLms, ToolRegistration
from tests.browser.conftest import Tool
from tests.factories.people import a_registration, an_institution

BLOCKED, ALLOWED = "third-party cookies blocked", "third-party cookies allowed"
NOTHING = "all site data of the tool blocked"


def register_by_hand(lms: SandboxLms, tool: Tool) -> ToolRegistration:
    """What an administrator types on both sides."""
    known = lms.register_tool(
        title="Tandem",
        initiate_login_uri=f"{tool.url}/lti/login",
        redirect_uris=[f"{tool.url}/lti/launch"],
        jwks_uri=f"{tool.url}/lti/jwks",
        target_link_uri=f"{tool.url}/lti/launch",
        deep_link_uri=f"{tool.url}/lti/launch",
    )
    with tool.services.kit.open_session() as session:
        a_registration(
            session,
            an_institution(session),
            issuer=known.issuer,
            client_id=known.client_id,
            auth_login_url=known.auth_login_url,
            auth_token_url=known.auth_token_url,
            auth_audience=known.auth_audience,
            key_set_url=known.key_set_url,
            platform_origins=[lms.url],
            new_deployments="join",
        )
    return known


def without_storage(context: BrowserContext, tool: Tool) -> None:
    """Storage that throws, as a browser does that forbids it."""
    context.add_init_script(
        f"""if (location.origin === "{tool.url}") for (const name of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, name, {{ get() {{ throw new DOMException("no", "SecurityError"); }} }});"""
    )
