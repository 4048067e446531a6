"""Rows of the people, members and groups that a roster lists, added if they are missing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lti_tool.launch.models import Member, Person
from lti_tool.roster.models import NO_SET, CourseGroup, GroupEnrollment
from lti_tool.roster.rules import RosterRow
from lti_tool.support.db import Base, in_batches, served_institution


def add_missing(session: Session, model: type[Base], rows: list[dict[str, Any]]) -> None:
    """Add rows, except those that somebody has added since."""
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


def keep_enrollments(session: Session, course_id: int, groups: Mapping[int, Iterable[str]]) -> None:
    """Record in which groups of the platform these members are, by member id. Hidden groups are left out."""
    wanted = sorted({lti_id for ids in groups.values() for lti_id in ids})
    shared = {"institution_id": served_institution(session), "course_id": course_id, "set_id": NO_SET}
    add_missing(session, CourseGroup, [{**shared, "lti_id": lti_id, "is_hidden": False} for lti_id in wanted])
    shown = select(CourseGroup.lti_id, CourseGroup.id).where(
        CourseGroup.course_id == course_id, CourseGroup.is_hidden.is_(False)
    )
    known = dict(session.execute(shown).all())
    after = {(known[lti_id], member_id) for member_id, ids in groups.items() for lti_id in ids if lti_id in known}
    before: set[tuple[int, int]] = set()
    for batch in in_batches(sorted(groups)):
        rows = session.execute(
            select(GroupEnrollment.group_id, GroupEnrollment.member_id).where(GroupEnrollment.member_id.in_(batch))
        )
        before |= {(row.group_id, row.member_id) for row in rows}
    for group_id in {group_id for group_id, _ in before - after}:
        gone = sorted(member_id for id_, member_id in before - after if id_ == group_id)
        session.execute(
            delete(GroupEnrollment).where(GroupEnrollment.group_id == group_id, GroupEnrollment.member_id.in_(gone))
        )
    institution_id = served_institution(session)
    new = [
        {"institution_id": institution_id, "group_id": group_id, "member_id": member_id}
        for group_id, member_id in sorted(after - before)
    ]
    add_missing(session, GroupEnrollment, new)
