"""Resources on the shelf of a group or of the course: what for, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lti_tool.goals import rules
from lti_tool.goals.errors import ChangedMeanwhile, NotShown
from lti_tool.goals.models import Remark, Resource
from lti_tool.goals.service.places import Place, own_groups, record_writing, refuse_closed, values_of


def put_on_shelf(
    session: Session, place: Place, sent: Mapping[str, str], *, for_course: bool, now: datetime
) -> Resource:
    """Put something on the shelf of the member's group, or of the course, which staff may do too.

    Without a group it is for its author alone. Raises GoalsClosed, NotForStaff, Refused.
    """
    refuse_closed(place, learners_only=not for_course)
    values = values_of(rules.read(rules.RESOURCE, sent))
    resource = Resource(
        course_id=place.course_id,
        author_id=place.member.id,
        round_id=place.round_id,
        group_id=None if for_course else place.group_id,
        is_for_course=for_course,
        at=now,
        **values,
    )
    session.add(resource)
    record_writing(session, place, now=now, in_group=not for_course)
    return resource


def tell_outcome(
    session: Session, place: Place, resource_id: int, sent: Mapping[str, str], *, expected_version: int
) -> None:
    """Say what came of a resource that one put on the shelf oneself.

    Raises GoalsClosed, NotShown, Refused, and ChangedMeanwhile where it was saved since that version.
    """
    refuse_closed(place, learners_only=False)
    resource = session.scalar(
        select(Resource)
        .where(Resource.id == resource_id, Resource.author_id == place.member.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if resource is None:
        raise NotShown("resource", resource_id)
    outcome = values_of(rules.read(rules.OUTCOME, sent))["outcome"]
    if resource.version != expected_version and resource.outcome != outcome:
        raise ChangedMeanwhile("resource", resource_id)
    resource.outcome = outcome
    session.flush()


def remark_on_resource(
    session: Session, place: Place, resource_id: int, sent: Mapping[str, str], *, now: datetime
) -> None:
    """Write a line beside a resource that this member sees. Raises NotShown, Refused."""
    refuse_closed(place, learners_only=False)
    is_seen = Resource.id == resource_id, Resource.course_id == place.course_id, resource_is_seen_by(place.member.id)
    if session.scalar(select(Resource.id).where(*is_seen)) is None:
        raise NotShown("resource", resource_id)
    text = values_of(rules.read(rules.REMARK, sent))["text"]
    session.add(Remark(author_id=place.member.id, resource_id=resource_id, text=text, at=now))
    session.flush()


def resource_is_seen_by(member_id: int) -> Any:
    """The condition under which a resource is on the course's shelf, on that of the member's groups, or their own."""
    return or_(Resource.is_for_course, Resource.group_id.in_(own_groups(member_id)), Resource.author_id == member_id)
