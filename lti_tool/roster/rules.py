"""Read a roster, and decide what follows from it. Plain values only."""

import html
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lti_tool.launch.rules.roles import TEST_PERSON_ROLE, CourseRole, course_role, is_learner
from lti_tool.launch.rules.values import clean, is_storable

RANK = {role: rank for rank, role in enumerate(CourseRole)}
"""Rank of each role; 0 is the highest."""
LONGEST_NAME = 255
LONGEST_EMAIL = 320
MAX_PAGES = 10_000
MOST_GROUPS = 100
"""Groups of one person."""
MAX_BARREN_PAGES = 3
"""After this many pages in a row without anybody new, the platform's links between pages form a circle."""
LEAVES = frozenset({"inactive", "deleted"})
"""The words of the specification for people who are not in the course any more."""

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person as the roster lists them. Names are None if the platform does not share them."""

    sub: str
    role: CourseRole | None
    """None: no known role in the course."""
    is_active: bool | None = True
    """None: a status that we do not know."""
    is_test: bool = False
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    sourced_id: str | None = None
    groups: tuple[str, ...] | None = None
    """Ids of the person's groups in the course; None if the roster does not tell."""
    is_understood: bool = True
    """Whether role and status could be read."""


def row_of(member: object, *, names_are_escaped: bool) -> RosterRow | None:
    """Read one entry of a roster; None if it does not say who it is about.

    Tolerant where platforms differ (short or full roles, one role as a text, a number as id, any case of status, no
    status, names in parts), strict about what we keep: what is no text, too long or invisible is left out.
    """
    if not isinstance(member, Mapping):
        return None
    sub = _id(member.get("user_id"))
    if sub is None:
        return None
    roles, roles_are_understood = _roles(member.get("roles"))
    is_active = _is_active(member.get("status"))

    def text(key: str, longest: int = LONGEST_NAME) -> str | None:
        return _text(member.get(key), longest, names_are_escaped=names_are_escaped)

    given_name, family_name, email = text("given_name"), text("family_name"), text("email", LONGEST_EMAIL + 1)
    in_parts = f"{given_name} {family_name}"[:LONGEST_NAME] if given_name and family_name else None
    return RosterRow(
        sub=sub,
        role=course_role(roles),
        is_active=is_active,
        is_test=TEST_PERSON_ROLE in roles,
        name=text("name") or in_parts,
        given_name=given_name,
        family_name=family_name,
        email=email if email is not None and len(email) <= LONGEST_EMAIL else None,
        sourced_id=text("lis_person_sourcedid"),
        groups=_group_ids(member.get("group_enrollments")),
        is_understood=roles_are_understood and is_active is not None,
    )


def _group_ids(enrollments: object) -> tuple[str, ...] | None:
    """The ids in a list such as `[{"group_id": "…"}]`; None for anything that is no list."""
    if not isinstance(enrollments, list):
        return None
    ids = [_id(one.get("group_id")) for one in enrollments[:MOST_GROUPS] if isinstance(one, Mapping)]
    return tuple(dict.fromkeys(one for one in ids if one is not None))


def _id(value: object) -> str | None:
    """An id as a text; some platforms send numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= 255 and is_storable(value) else None


def _roles(value: object) -> tuple[list[str], bool]:
    """The roles of an entry, and whether all its values are roles."""
    if isinstance(value, str):
        # As LTI 1.1 wrote them.
        value = [role.strip() for role in value.split(",")]
    if not isinstance(value, list):
        return [], False
    roles = [role for role in value if isinstance(role, str) and role]
    return roles, bool(roles) and len(roles) == len(value)


def _is_active(status: object) -> bool | None:
    if status is None or status == "":
        return True
    plain = re.split(r"[/#]", status)[-1].strip().lower() if isinstance(status, str) else ""
    return True if plain == "active" else False if plain in LEAVES else None


def merged(rows: Iterable[RosterRow]) -> dict[str, RosterRow]:
    """The rows by sub. For a person listed twice, the higher role counts, and one active listing makes them active."""
    people: dict[str, RosterRow] = {}
    for row in rows:
        earlier = people.get(row.sub)
        people[row.sub] = row if earlier is None else _combined(earlier, row)
    return people


@dataclass(frozen=True, slots=True)
class Membership:
    """A member's role and status before or after a roster."""

    role: CourseRole
    ever_staff: bool
    is_active: bool
    is_test: bool = False

    @property
    def is_to_pair(self) -> bool:
        """Whether the member takes part: an active learner, and no one ever known as staff."""
        return self.is_active and is_learner(self.role, ever_staff=self.ever_staff, is_test=self.is_test)


def membership_after(before: Membership | None, row: RosterRow, *, listed_already: bool) -> Membership | None:
    """The member after this row; None for somebody unknown without a role in the course.

    Whoever was staff once counts as staff from then on: Moodle lists its assistants as learners, so a lower role in the
    roster proves nothing. Unknown values change nothing. `listed_already`: an earlier page of this roster lists them.
    """
    role = row.role or (before.role if before is not None else None)
    if role is None:
        return None
    ever_staff = role.is_staff or (before is not None and before.ever_staff)
    if before is not None and RANK[before.role] < RANK[role] and (listed_already or before.ever_staff):
        role = before.role
    was_active = before is not None and before.is_active
    is_active = was_active if row.is_active is None else row.is_active or (listed_already and was_active)
    return Membership(role, ever_staff, is_active, row.is_test or (before is not None and before.is_test))


def changes_pairing(before: Membership | None, after: Membership | None) -> bool:
    """Whether the member begins or stops taking part in pairing."""
    return (before is not None and before.is_to_pair) != (after is not None and after.is_to_pair)


def needs_confirmation(leaving: int, learners: int, *, unread: int) -> bool:
    """Whether a complete roster would end so many memberships that staff have to confirm it.

    True for more than a tenth of the learners, or all: that may be a course that was reset, or a fault of the platform.
    One person may always leave, unless `unread` entries could not be read: one of them may be about that person.
    """
    is_much = (leaving + unread) * 10 > learners and (leaving > 1 or unread > 0)
    return leaving > 0 and (leaving == learners or is_much)


def with_limit(url: str, limit: int | None) -> str:
    """The address with a page size added; unchanged for None."""
    if limit is None:
        return url
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "limit"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("limit", str(limit))]), fragment=""))


def with_groups(url: str) -> str:
    """The address that lists each person's groups, too."""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "groups"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("groups", "true")])))


def of_link(url: str, resource_link_id: str, limit: int | None = 1) -> str:
    """The address that lists those who may open one link, in pages of this size."""
    parts = urlsplit(with_limit(url, limit))
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("rlid", resource_link_id)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def locked_out(learners: Mapping[int, str], may_open: Set[str]) -> frozenset[int] | None:
    """Which learners (member id to sub) may not open a link that only these people may open.

    None if no learner may: the link is hidden or not open yet, which says nothing about who takes part.
    """
    kept_out = frozenset(member_id for member_id, sub in learners.items() if sub not in may_open)
    return None if kept_out and len(kept_out) == len(learners) else kept_out


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A group of the course as the platform describes it."""

    name: str
    set_id: str | None = None
    set_name: str | None = None
    is_hidden: bool = False
    """Learners must not hear of it."""


def named_groups(groups: Iterable[object], sets: Iterable[object]) -> dict[str, NamedGroup]:
    """The groups of a course by id, each with its set. What has no id or no name is left out.

    A group of several sets counts for the first. A group of a hidden set is hidden.
    """
    named_sets = {
        id_: (_name(one), one.get("hidden") is True)
        for one in sets
        if isinstance(one, Mapping) and (id_ := _id(one.get("id"))) is not None
    }
    named: dict[str, NamedGroup] = {}
    for group in groups:
        if not isinstance(group, Mapping):
            continue
        id_, name = _id(group.get("id")), _name(group)
        if id_ is None or name is None:
            continue
        several = group.get("set_ids")
        set_id = _id(several[0] if isinstance(several, list) and several else group.get("set_id"))
        set_name, set_is_hidden = named_sets.get(set_id or "", (None, False))
        named[id_] = NamedGroup(name, set_id, set_name, set_is_hidden or group.get("hidden") is True)
    return named


def _name(thing: Mapping[str, Any]) -> str | None:
    return _text(thing.get("name"), LONGEST_NAME, names_are_escaped=False)


def usual_set(counts: Mapping[str, int]) -> str | None:
    """The set whose groups hold most learners, the first id where several do; None where there is none."""
    return min(counts, key=lambda set_id: (-counts[set_id], set_id), default=None)


def _combined(first: RosterRow, second: RosterRow) -> RosterRow:
    higher, lower = sorted((first, second), key=lambda row: len(RANK) if row.role is None else RANK[row.role])
    active = {first.is_active, second.is_active}
    return RosterRow(
        sub=higher.sub,
        role=higher.role,
        is_active=True if True in active else None if None in active else False,
        is_test=first.is_test or second.is_test,
        name=higher.name or lower.name,
        given_name=higher.given_name or lower.given_name,
        family_name=higher.family_name or lower.family_name,
        email=higher.email or lower.email,
        sourced_id=higher.sourced_id or lower.sourced_id,
        groups=higher.groups if lower.groups is None else tuple(dict.fromkeys([*(higher.groups or ()), *lower.groups])),
        is_understood=first.is_understood and second.is_understood,
    )


def _text(value: Any, longest: int, *, names_are_escaped: bool) -> str | None:
    if not isinstance(value, str):
        return None
    # Cut before it is cleaned: of a text of millions of characters the beginning is enough.
    plain = html.unescape(value[: 20 * longest]) if names_are_escaped else value[: 20 * longest]
    return " ".join(clean(_UNSEEN.sub(" ", plain), 20 * longest).split())[:longest].strip() or None
