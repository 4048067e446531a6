"""Decisions about platforms and their addresses, on plain values."""

from typing import Protocol

from lti_tool.support.addresses import origin_of
from lti_tool.support.failures import AddressRefused


class OwnsOrigins(Protocol):
    """What knows which origins belong to a platform, such as a registration."""

    @property
    def platform_origins(self) -> list[str]: ...


def owns(registration: OwnsOrigins, url: str) -> bool:
    """Whether a token of this registration may go to this address."""
    try:
        return origin_of(url) in registration.platform_origins
    except AddressRefused:
        return False
