"""What a roster says, and what follows from it, on plain values."""

import html
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lti_tool.launch.rules import TEST_PERSON_ROLE, CourseRole, course_role

RANK = {role: rank for rank, role in enumerate(CourseRole)}
"""0 is the highest role."""
LONGEST_NAME = 255
LONGEST_EMAIL = 320
MAX_PAGES = 10_000
MAX_BARREN_PAGES = 3
"""Pages in a row that point to a next one and list nobody new: with so many the platform leads us in circles."""

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person as the roster lists them. Names are None where the platform keeps them to itself."""

    sub: str
    role: CourseRole
    is_active: bool = True
    is_test: bool = False
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    sourced_id: str | None = None


def row_of(member: object, *, names_are_escaped: bool) -> RosterRow | None:
    """Read one entry of a roster; None for an entry that names nobody with a role in the course.

    Tolerant where platforms differ (short or full roles, a number as id, any case of status), strict about what we
    keep: what is no text, too long or invisible is left out.
    """
    if not isinstance(member, Mapping):
        return None
    sub = member.get("user_id")
    if isinstance(sub, int) and not isinstance(sub, bool):
        sub = str(sub)
    if not isinstance(sub, str) or not 0 < len(sub) <= 255 or _UNSEEN.search(sub):
        return None
    roles = member.get("roles")
    listed = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    role = course_role(listed)
    if role is None:
        return None
    status = member.get("status", "Active")

    def text(key: str, longest: int = LONGEST_NAME) -> str | None:
        return _text(member.get(key), longest, names_are_escaped=names_are_escaped)

    email = text("email", LONGEST_EMAIL + 1)
    return RosterRow(
        sub=sub,
        role=role,
        is_active=isinstance(status, str) and status.rpartition("/")[2].rpartition("#")[2].lower() == "active",
        is_test=TEST_PERSON_ROLE in listed,
        name=text("name"),
        given_name=text("given_name"),
        family_name=text("family_name"),
        email=email if email is not None and len(email) <= LONGEST_EMAIL else None,
        sourced_id=text("lis_person_sourcedid"),
    )


def merged(rows: Iterable[RosterRow]) -> dict[str, RosterRow]:
    """By person. Of somebody listed twice the higher role counts, and one active listing makes them active."""
    people: dict[str, RosterRow] = {}
    for row in rows:
        known = people.get(row.sub)
        people[row.sub] = row if known is None else _both(known, row)
    return people


@dataclass(frozen=True, slots=True)
class Standing:
    """What we know of a member before or after a roster."""

    role: CourseRole
    ever_staff: bool
    is_active: bool
    is_test: bool = False

    @property
    def is_to_pair(self) -> bool:
        """Whether the member takes part: an active learner, and no one ever known as staff."""
        return self.is_active and self.role is CourseRole.LEARNER and not self.ever_staff and not self.is_test


def standing_after(before: Standing | None, row: RosterRow, *, listed_already: bool) -> Standing:
    """What a roster's row makes of a member.

    Once staff, staff always: Moodle lists its assistants as learners, so a lower role in the roster says nothing about
    them. `listed_already` says that this same roster listed them on an earlier page.
    """
    ever_staff = row.role.is_staff or (before is not None and before.ever_staff)
    role = row.role
    if before is not None and RANK[before.role] < RANK[row.role] and (listed_already or before.ever_staff):
        role = before.role
    is_active = row.is_active or (listed_already and before is not None and before.is_active)
    return Standing(role, ever_staff, is_active, row.is_test or (before is not None and before.is_test))


def changes_pairing(before: Standing | None, after: Standing | None) -> bool:
    """Whether somebody joined or left those who are paired."""
    return (before is not None and before.is_to_pair) != (after is not None and after.is_to_pair)


def must_ask(learners_listed: int, learners_before: int) -> bool:
    """Whether a complete roster is too empty to be believed: at most one in ten is left of the learners there were.

    A course that was reset looks like this, and so does a platform that misbehaves; a person decides. Not only when
    nobody at all is left, since Moodle goes on listing assistants as learners.
    """
    return learners_before > 0 and learners_listed * 10 <= learners_before


def with_limit(url: str, limit: int | None) -> str:
    """Ask for pages of this size, keeping whatever else the address says. None asks for nothing."""
    if limit is None:
        return url
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "limit"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("limit", str(limit))]), fragment=""))


def of_link(url: str, resource_link_id: str, limit: int | None = 1) -> str:
    """Ask for those who may open one link, in pages of this size."""
    parts = urlsplit(with_limit(url, limit))
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("rlid", resource_link_id)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def locked_out(learners: Mapping[int, str], may_open: Set[str]) -> frozenset[int] | None:
    """Which learners (by member id, with their sub) may not open a link that only these people may open.

    None where no learner may: the link is hidden or not open yet, which says nothing about who is to take part.
    """
    kept_out = frozenset(member_id for member_id, sub in learners.items() if sub not in may_open)
    return None if kept_out and len(kept_out) == len(learners) else kept_out


def _both(one: RosterRow, other: RosterRow) -> RosterRow:
    higher, lower = sorted((one, other), key=lambda row: RANK[row.role])
    return RosterRow(
        sub=higher.sub,
        role=higher.role,
        is_active=one.is_active or other.is_active,
        is_test=one.is_test or other.is_test,
        name=higher.name or lower.name,
        given_name=higher.given_name or lower.given_name,
        family_name=higher.family_name or lower.family_name,
        email=higher.email or lower.email,
        sourced_id=higher.sourced_id or lower.sourced_id,
    )


def _text(value: Any, longest: int, *, names_are_escaped: bool) -> str | None:
    if not isinstance(value, str):
        return None
    plain = html.unescape(value) if names_are_escaped else value
    return " ".join(_UNSEEN.sub(" ", plain).split())[:longest] or None
