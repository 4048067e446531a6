"""The two calls that registering takes. Neither may be made with a transaction open."""

from typing import Any

from lti_tool.registration.errors import ConfigurationRefused, PlatformUnreachable, RegistrationRefused
from lti_tool.support.failures import BadAnswer, CallFailed
from lti_tool.support.http import Answer, Outbound, Purpose


def fetch_configuration(http: Outbound, url: str, token: str | None) -> Any:
    """What the platform says about itself, unchecked. Raises PlatformUnreachable or ConfigurationRefused.

    The registration token goes along, since Canvas answers nobody without it.
    """
    try:
        answer = http.get(url, Purpose.CONFIGURATION, headers=_headers(token))
    except CallFailed as failure:
        raise PlatformUnreachable(failure.host) from failure
    if not answer.is_success:
        raise ConfigurationRefused(f"status {answer.status}")
    try:
        return answer.json()
    except BadAnswer:
        raise ConfigurationRefused("not JSON") from None


def send_registration(http: Outbound, url: str, token: str | None, document: dict[str, Any]) -> Any:
    """Ask the platform to register us, and return what it granted, unchecked.

    Sent once: a second attempt could register a second tool. Raises PlatformUnreachable or RegistrationRefused.
    """
    try:
        answer = http.post(url, Purpose.CONFIGURATION, headers=_headers(token), json_body=document)
    except CallFailed as failure:
        raise PlatformUnreachable(failure.host) from failure
    return _granted(answer)


def _granted(answer: Answer) -> Any:
    if not answer.is_success:
        raise RegistrationRefused(answer.status)
    try:
        return answer.json()
    except BadAnswer as failure:
        raise RegistrationRefused(answer.status) from failure


def _headers(token: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers
