"""Where an activity's scores go: its column, as far as we know it, and the gradebook that it is in."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.grades.gateway import Gradebook
from lti_tool.grades.models import LineItem
from lti_tool.launch.models import Course, Placement
from lti_tool.launch.rules.platforms import platform_of
from lti_tool.launch.service.arrivals import registration_of
from lti_tool.registration.models import Registration
from lti_tool.support.db import served_institution
from lti_tool.support.kit import Kit


@dataclass(frozen=True, slots=True)
class Place:
    """Where an activity's scores go, and all that is needed to look for the column there."""

    line_item_id: int
    course_id: int
    gradebook: Gradebook
    state: str
    url: str | None
    claimed_url: str | None
    """What the last launch said the column is."""
    container: str | None
    resource_link_id: str | None
    resource_id: str
    title: str
    maximum: int


def line_item_of(session: Session, activity_id: int) -> LineItem:
    """The activity's line item, added if there is none. Two transactions that ask at once get the same row."""
    query = select(LineItem).where(LineItem.activity_id == activity_id)
    line = session.scalar(query)
    if line is None:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        row = {"institution_id": served_institution(session), "activity_id": activity_id, "state": "unknown"}
        session.execute(dialect.insert(LineItem).on_conflict_do_nothing(), [row])
        line = session.scalars(query).one()
    return line


def place_of(session: Session, kit: Kit, line: LineItem) -> Place:
    """Where this activity's scores go, with all that a call to the platform needs."""
    activity = session.get_one(Activity, line.activity_id)
    course = session.get_one(Course, activity.course_id)
    placement = None if activity.placement_id is None else session.get_one(Placement, activity.placement_id)
    return Place(
        line_item_id=line.id,
        course_id=course.id,
        gradebook=gradebook_of(session, kit, course),
        state=line.state,
        url=line.url,
        claimed_url=placement.line_item_url if placement is not None else None,
        container=course.line_items_url,
        resource_link_id=placement.resource_link_id if placement is not None else None,
        resource_id=activity.key,
        title=activity.title,
        maximum=activity.score_maximum,
    )


def registration_of_line(session: Session, line: LineItem) -> int:
    """The registration whose platform has this column."""
    activity = session.get_one(Activity, line.activity_id)
    return registration_of(session, session.get_one(Course, activity.course_id))


def gradebook_of(session: Session, kit: Kit, course: Course) -> Gradebook:
    """The course's gradebook, with the rights that its launches gave us."""
    registration = session.get_one(Registration, registration_of(session, course))
    return Gradebook(
        kit,
        registration.id,
        list(registration.platform_origins),
        platform_of(registration.platform_family),
        frozenset(course.gradebook_scopes),
    )
