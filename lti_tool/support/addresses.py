"""Which addresses the tool may call, as plain functions."""

import ipaddress
import re
from functools import lru_cache

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from lti_tool.support.failures import AddressRefused

# Listed rather than asked of ipaddress.is_global, whose verdict differs between Python 3.11 and later, and which lets
# through what leads back inside: NAT64, 6to4, and the metadata address that Azure keeps in public space.
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; also Alibaba's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform address
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; also Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# All of today's public IPv6 lies here. Outside: loopback, v4-mapped, NAT64, unique local, link-local, multicast.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: the IPv4 address inside may be private
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Whether an IP address is an ordinary one on the public internet. What is no IP address is not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _REFUSED_V4)
    return parsed in _PUBLIC_V6 and not any(parsed in network for network in _REFUSED_V6)


def host_of(url: str) -> str:
    """Return the host that a call to this address would go to, in lower case.

    Raises AddressRefused for what is not an http or https address, and for one that carries a name or password.
    """
    return _read(url)[1]


def origin_of(url: str) -> str:
    """Return scheme, host and port of a web address in the one form that can be compared.

    Raises AddressRefused like host_of.
    """
    scheme, host, port = _read(url)
    usual = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{host}" if port in {None, usual} else f"{scheme}://{host}:{port}"


_HOST = re.compile(r"[a-z0-9_-][a-z0-9._-]*|\[[0-9a-f:.]+(%[a-z0-9._-]+)?\]")
"""Origins stand in policies that browsers read: a * there would let anybody in, a semicolon begin a rule of its own."""


# A platform's few addresses come again with every launch and every call.
@lru_cache(maxsize=1024)
def _read(url: str) -> tuple[str, str, int | None]:
    # The parser that requests and urllib3 use themselves: two parsers that disagree are how such checks are passed by.
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise AddressRefused("?", "not a web address") from None
    if parts.scheme not in {"http", "https"} or not parts.host or re.search(r"[\s\\]", url):
        raise AddressRefused("?", "not a web address")
    host = parts.host.lower()
    if _HOST.fullmatch(host) is None:
        raise AddressRefused("?", "not a web address")
    if "@" in re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0] or parts.auth is not None:
        raise AddressRefused(host, "carries a name or password")
    return parts.scheme, host, parts.port
