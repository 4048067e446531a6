"""Rows of the people and members whom a roster lists, added if they are missing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lti_tool.launch.models import Member, Person
from lti_tool.roster.rules import RosterRow
from lti_tool.support.db import served_institution


def add_missing(session: Session, model: type[Person] | type[Member], rows: list[dict[str, Any]]) -> None:
    """Add rows, except those that a launch has added since."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    if rows:
        session.execute(dialect.insert(model).on_conflict_do_nothing(), rows)


def people_listed(
    session: Session, registration_id: int, rows: Mapping[str, RosterRow], *, now: datetime
) -> list[Person]:
    """The people whom these rows (by sub) list, except those whose data was erased."""
    query = select(Person).where(Person.registration_id == registration_id, Person.sub.in_(rows))
    known = {person.sub for person in session.scalars(query)}
    add_missing(
        session,
        Person,
        [
            {
                "institution_id": served_institution(session),
                "registration_id": registration_id,
                "sub": sub,
                "is_administrator": False,
                "created_at": now,
            }
            for sub, row in rows.items()
            if sub not in known and row.role is not None
        ],
    )
    return [person for person in session.scalars(query) if person.erased_at is None]


def members_listed(
    session: Session, course_id: int, people: list[Person], rows: Mapping[str, RosterRow], *, now: datetime
) -> dict[int, Member]:
    """The members by person id. Entries without a role in the course add no member."""
    query = select(Member).where(Member.course_id == course_id, Member.person_id.in_([person.id for person in people]))
    known = {member.person_id for member in session.scalars(query)}
    add_missing(
        session,
        Member,
        [
            {
                "institution_id": served_institution(session),
                "course_id": course_id,
                "person_id": person.id,
                "role": rows[person.sub].role,
                "ever_staff": False,
                "is_test": False,
                "status": "inactive",
                "created_at": now,
            }
            for person in people
            if person.id not in known and rows[person.sub].role is not None
        ],
    )
    return {member.person_id: member for member in session.scalars(query)}
