"""Time zones as people write them: by name, city, country, offset, or as Windows and calendars call them."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale
from babel.core import get_global

_LOCALES: Final = ("en", "sv", "da", "nb", "nl", "de", "fr", "fi", "es")
"""Languages in which cities and countries are understood."""
_LONGEST: Final = 200
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*([0-9]{1,2})(?::?([0-9]{2}))?")
_LABELED = re.compile(r"\(\s*((?:utc|gmt)[^)]*)\)\s*(.*)")
_ZERO: Final = frozenset({"utc", "gmt", "z"})
_NO_PLACE: Final = frozenset({"Factory", "localtime", "posixrules"})


@cache
def _world() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACE


@cache
def known_zones() -> tuple[str, ...]:
    """Names of time zones to choose from: places, and UTC; sorted."""
    areas = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/")
    names = (name for name in _world() if name.startswith((*areas, "Pacific/")))
    return tuple(sorted({*names, "UTC"}))


def is_zone(name: str) -> bool:
    """Whether this is the exact name of a zone that `known_zones` offers or that `read_zone` gives for an offset."""
    return name in known_zones() or (name.startswith("Etc/") and name in _world())


def read_zone(text: str) -> ZoneInfo | None:
    """The time zone that somebody means; None where that is not clear.

    Understands names ("Europe/Stockholm"), cities and countries in several languages, offsets ("GMT+1", "+05:30"),
    the names that Windows and Outlook use, and labels such as "(UTC+01:00) Amsterdam, Berlin". An offset is a zone
    without summer time.
    """
    plain = _plain(text[:_LONGEST])
    name = _named(plain) or _by_offset(plain) or _labeled(plain) or _listed(plain)
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_label(name: str) -> str:
    """The label of a zone, which `read_zone` understands: the names of offsets have their signs turned around."""
    match = re.fullmatch(r"Etc/GMT([+-])([0-9]{1,2})", name)
    return f"UTC{'-' if match[1] == '+' else '+'}{int(match[2]):02}:00" if match else name


def _plain(text: str) -> str:
    """The text as it is compared: without case, invisible characters, and with a single space for gaps."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    return " ".join(re.sub(r"[\u2010-\u2015\u2212]", "-", seen).replace("_", " ").casefold().split())


def _named(plain: str) -> str | None:
    return _exact_names().get(plain) or _by_name().get(plain)


def _labeled(plain: str) -> str | None:
    """The zone of a label such as calendars show: an offset, followed by cities or a name."""
    match = _LABELED.fullmatch(plain)
    offset = _by_offset(match[1]) if match else None
    if match is None or offset is None:
        return None
    # "Central European Time - Stockholm": the place says more than the zone's name before it.
    parts = [part for one in re.split(r"[,;]", match[2]) for part in reversed(re.split(r" - | ?\(", one))]
    named = (_named(part.strip()) for part in (match[2], *parts))
    return next((name for name in named if name and _winter_offset(name) == _winter_offset(offset)), offset)


def _listed(plain: str) -> str | None:
    """The first of several names where all are known and agree ("Stockholm, Sweden"); what stands in brackets is a
    remark."""
    zones = [_named(part.strip()) for part in re.split(r"[,;]| - ", re.sub(r" ?\([^)]*\)$", "", plain))]
    if not zones or not all(zones) or len({(_winter_offset(one), _summer_offset(one)) for one in zones if one}) > 1:
        return None
    return zones[0]


def _by_offset(plain: str) -> str | None:
    """The zone of the same offset all year, as far as there is one."""
    if plain in _ZERO:
        return "UTC"
    match = _OFFSET.fullmatch(plain)
    if match is None or int(match[3] or 0) > 59:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return _steady_zones().get(-offset if match[1] == "-" else offset)


@cache
def _steady_zones() -> Mapping[timedelta, str]:
    """From an offset to a zone without summer time; zones named for whole hours come first."""
    # Etc/GMT-1 is one hour ahead of UTC: these names have their signs turned around.
    hours = {timedelta(hours=-ahead): f"Etc/GMT{ahead:+d}" for ahead in range(-14, 13) if ahead}
    zones = {timedelta(0): "UTC", **hours}
    for name in _windows_zones().values():
        if _winter_offset(name) == _summer_offset(name):
            zones.setdefault(_winter_offset(name), name)
    return zones


def _winter_offset(name: str) -> timedelta:
    return _offset_on(name, datetime(2026, 1, 1, tzinfo=UTC))


def _summer_offset(name: str) -> timedelta:
    return _offset_on(name, datetime(2026, 7, 1, tzinfo=UTC))


def _offset_on(name: str, moment: datetime) -> timedelta:
    return moment.astimezone(ZoneInfo(name)).utcoffset() or timedelta(0)


@cache
def _exact_names() -> Mapping[str, str]:
    return {_plain(name): name for name in sorted(_world())}


@cache
def _by_name() -> Mapping[str, str]:
    """From other names of a place or zone to the zone; the first meaning counts."""
    zones: dict[str, str] = {}
    for called, name in _names():
        zones.setdefault(_plain(called), name)
    return zones


def _names() -> Iterator[tuple[str, str]]:
    for name in known_zones():
        yield name.rsplit("/", 1)[-1], name
    yield from _windows_zones().items()
    locales = [Locale.parse(one) for one in _LOCALES]
    for locale in locales:
        yield from ((names["city"], name) for name, names in _loadable(locale.time_zones) if "city" in names)
    for locale in locales:
        for territory, zones in get_global("territory_zones").items():
            if len(zones) == 1 and zones[0] in _world() and territory in locale.territories:
                yield locale.territories[territory], zones[0]
    for locale in locales:
        for meta_zone, names in locale.meta_zones.items():
            if meta_zone in _meta_zones():
                called = [*names.get("long", {}).values(), *names.get("short", {}).values()]
                yield from ((one, _meta_zones()[meta_zone]) for one in called)


@cache
def _meta_zones() -> Mapping[str, str]:
    """From Unicode's name of a zone that several countries share to a zone that stands for it."""
    zones: dict[str, str] = {}
    # "Central Time" is Chicago's before that of Guatemala, where clocks stay as they are.
    windows = sorted(
        _windows_zones().items(), key=lambda one: (_winter_offset(one[1]) == _summer_offset(one[1]), "(" in one[0])
    )
    for name in (*(name for _, name in windows), *known_zones()):
        meta_zone = get_global("meta_zones").get(name)
        if meta_zone is not None:
            zones.setdefault(meta_zone, name)
    return zones


def _loadable(names: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Mapping[str, str]]]:
    aliases = get_global("zone_aliases")
    for name, terms in names.items():
        loadable = name if name in _world() else aliases.get(name, name)
        if loadable in _world():
            yield loadable, terms


def _windows_zones() -> Mapping[str, str]:
    """From Windows' name of a zone to the zone, by Unicode's tables."""
    mapping: Mapping[str, str] = get_global("windows_zone_mapping")
    return {called: name for called, name in mapping.items() if name in _world()}
