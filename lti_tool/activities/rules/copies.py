"""Which activity a copied link was copied from."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relative:
    """An activity that came from the same first one, and where it stands."""

    id: int
    course_id: int
    link_id: str
    context_id: str
    link_title: str = ""
    """What the platform called its link last."""
    title: str = ""


def history(value: str | None) -> list[str]:
    """The ids of a history parameter, newest first; none where the platform left the variable unreplaced."""
    if not value or value.startswith("$"):
        return []
    return [part for part in (part.strip() for part in value.split(",")) if part]


def likely_sources(
    family: Sequence[Relative],
    *,
    course_id: int,
    home_id: int | None,
    links: Sequence[str],
    contexts: Sequence[str],
    title: str | None,
) -> list[int]:
    """Which of these a new link was copied from: one where something tells, several where only a person can say, the
    likeliest first, and none where the family has nobody to offer.

    The link it was copied from tells most. Most platforms know only the courses that a course was copied from, so the
    title decides among their activities; the newest course counts first, then the new link's own course, where it may
    be a duplicate, then `home_id`, the course of the first of the family.
    """
    for link_id in links:
        origins = [relative for relative in family if relative.link_id == link_id]
        if len(origins) == 1:
            return [origins[0].id]
    courses = [
        *([relative for relative in family if relative.context_id == context_id] for context_id in contexts),
        *([relative for relative in family if relative.course_id == id_] for id_ in (course_id, home_id)),
    ]
    for group in courses:
        same = _titled(group, title)
        if len(same) == 1:
            return [same[0].id]
    for group in filter(None, courses):
        chosen = _titled(group, title) or _title_within(group, title) or group
        return [relative.id for relative in chosen]
    return []


def _titled(group: Sequence[Relative], title: str | None) -> list[Relative]:
    """Those with this title: as the platform calls their link, else as they are called here."""
    wanted = _plain(title)
    by_link = [relative for relative in group if wanted and _plain(relative.link_title) == wanted]
    return by_link or [relative for relative in group if wanted and _plain(relative.title) == wanted]


def _title_within(group: Sequence[Relative], title: str | None) -> list[Relative]:
    """Those whose title this one contains, the longest such title: platforms add "(copy)" in some language."""
    wanted = _plain(title)
    lengths = {
        relative.id: max(
            (len(name) for name in (_plain(relative.link_title), _plain(relative.title)) if name and name in wanted),
            default=0,
        )
        for relative in group
    }
    longest = max(lengths.values(), default=0)
    return [relative for relative in group if longest and lengths[relative.id] == longest]


def _plain(title: str | None) -> str:
    return " ".join((title or "").casefold().split())
