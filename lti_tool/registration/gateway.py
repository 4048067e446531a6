"""The two calls that registering takes. Neither may be made with a transaction open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from lti_tool.registration.errors import (
    ConfigurationRefused,
    PlatformAddressRefused,
    PlatformUnreachable,
    RegistrationRefused,
)
from lti_tool.support.failures import AddressRefused, BadAnswer, CallFailed
from lti_tool.support.http import Answer, Outbound, Purpose


def fetch_configuration(http: Outbound, url: str, token: str | None) -> Any:
    """What the platform says about itself, unchecked. Raises PlatformAddressRefused, PlatformUnreachable or
    ConfigurationRefused.

    The registration token goes along, since Canvas answers nobody without it.
    """
    with _reached(url):
        answer = http.get(url, Purpose.CONFIGURATION, headers=_headers(token))
    if not answer.is_success:
        raise ConfigurationRefused(f"status {answer.status}")
    try:
        return answer.json()
    except BadAnswer:
        raise ConfigurationRefused("not JSON") from None


def send_registration(http: Outbound, url: str, token: str | None, document: dict[str, Any]) -> Any:
    """Ask the platform to register us, and return what it granted, unchecked.

    Sent once: a second attempt could register a second tool. Raises PlatformAddressRefused,
    PlatformUnreachable or RegistrationRefused.
    """
    with _reached(url):
        answer = http.post(url, Purpose.CONFIGURATION, headers=_headers(token), json_body=document)
    return _granted(answer)


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except AddressRefused as failure:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = failure.host.strip("[]")
        raise PlatformAddressRefused(f"[{host}]:{port}" if ":" in host else f"{host}:{port}") from failure
    except CallFailed as failure:
        raise PlatformUnreachable(failure.host) from failure


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
