"""The time zone that somebody means."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


def read_zone(text: str) -> ZoneInfo | None:
    """The zone of this name or of this city; None where nothing is known by it (Moodle says "99" for the server's)."""
    name = _names().get("_".join(text.split()).casefold())
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(available_timezones()):
        found[name.casefold()] = name
        if "/" in name and not name.startswith("Etc/"):
            found.setdefault(name.rsplit("/", 1)[-1].casefold(), name)
    return found
