"""People's group, as the platform's course groups service tells it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.attributes.models import MemberAttribute
from lti_tool.attributes.rules.catalogue import BY_KEY, Kept, Source, read
from lti_tool.attributes.rules.values import LONGEST
from lti_tool.attributes.service.records import put
from lti_tool.launch.models import Member
from lti_tool.roster.service import groups

GROUP = "group"


def take_groups(session: Session, course_id: int, *, now: datetime) -> int:
    """Give learners the group that they have in the chosen set. Returns how many values changed.

    Learners without a group there lose the one that the LMS gave them before; what staff or they themselves said stays.
    Without a set of groups nothing changes.
    """
    set_id = groups.chosen_set(session, course_id, groups.sets_of(session, course_id))
    if set_id is None:
        return 0
    known = _known(session, course_id)
    changes: dict[int, dict[str, Kept | None]] = {}
    for member_id, name in groups.groups_of_learners(session, course_id, set_id).items():
        value = read(BY_KEY[GROUP], (name or "")[:LONGEST])
        if value != known.get(member_id):
            changes[member_id] = {GROUP: value if isinstance(value, dict) else None}
    return put(session, changes, Source.LAUNCH, now=now)


def choose_set(session: Session, course_id: int, set_id: str, *, now: datetime) -> None:
    """Take people's group from another set of the platform's groups, or from none."""
    groups.choose_set(session, course_id, set_id)
    if set_id == groups.NO_GROUPS:
        put(session, {member_id: {GROUP: None} for member_id in _known(session, course_id)}, Source.LAUNCH, now=now)
    else:
        take_groups(session, course_id, now=now)


def _known(session: Session, course_id: int) -> dict[int, Kept]:
    rows = session.execute(
        select(MemberAttribute.member_id, MemberAttribute.value)
        .join(Member, Member.id == MemberAttribute.member_id)
        .where(Member.course_id == course_id, MemberAttribute.attribute == GROUP)
    )
    return {row.member_id: row.value for row in rows}
