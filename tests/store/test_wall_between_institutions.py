"""No query, however forgetful, reaches another institution's rows."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from lti_tool.launch.models import Course, Member, Person
from lti_tool.support.db import Base, OpenSession, Tenant, TenantForgotten, TenantMismatch, across_institutions
from tests.factories.people import a_course, a_deployment, a_member, a_person, a_registration, an_institution

pytestmark = pytest.mark.store


@pytest.fixture
def two(open_session: OpenSession) -> tuple[int, int]:
    """Two institutions, each with one course of one member."""
    found = []
    for name in ("North", "South"):
        with open_session() as session:
            institution = an_institution(session, name=name)
            registration = a_registration(session, institution)
            course = a_course(session, a_deployment(session, registration), title=name)
            a_member(session, course, a_person(session, registration))
            found.append(institution.id)
    return found[0], found[1]


def test_a_query_that_forgot_the_institution_fails(open_session: OpenSession, two: tuple[int, int]) -> None:
    with open_session() as session:
        for statement in (
            select(Course),
            select(func.count()).select_from(Course),
            select(Course.__table__),
            update(Course).values(title="x"),
            delete(Member),
            select(aliased(Person).name),
        ):
            with pytest.raises(TenantForgotten):
                session.execute(statement)
        with pytest.raises(TenantForgotten):
            session.get(Course, 1)


def test_a_bare_table_is_refused_even_where_an_institution_is_served(
    open_session: OpenSession, two: tuple[int, int]
) -> None:
    with open_session(two[0]) as session, pytest.raises(TenantForgotten):
        session.execute(select(Course.__table__))


def test_every_query_sees_its_own_institution_only(open_session: OpenSession, two: tuple[int, int]) -> None:
    with open_session(two[0]) as session:
        assert session.scalars(select(Course.title)).all() == ["North"]
        assert session.scalar(select(func.count()).select_from(Member).join(Course, Member.course_id == Course.id)) == 1
        other = aliased(Course)
        assert session.scalars(select(other.title)).all() == ["North"]
        session.execute(update(Course).values(title="Renamed"))
        session.execute(delete(Member))
    with open_session() as session, across_institutions(session):
        assert sorted(session.scalars(select(Course.title)).all()) == ["Renamed", "South"]
        assert session.scalar(select(func.count()).select_from(Member)) == 1


def test_a_row_of_another_institution_cannot_be_fetched_by_its_id(
    open_session: OpenSession, two: tuple[int, int]
) -> None:
    with open_session(two[1]) as session:
        south = session.scalars(select(Course.id)).one()
    with open_session(two[0]) as session:
        assert session.get(Course, south) is None


def test_new_rows_are_stamped_and_foreign_ones_refused(open_session: OpenSession, two: tuple[int, int]) -> None:
    with open_session(two[0]) as session:
        deployment_id = session.scalars(select(Course.deployment_id)).one()
        now = datetime(2026, 11, 2, tzinfo=UTC)
        stamped = Course(deployment_id=deployment_id, context_id="new", created_at=now)
        session.add(stamped)
        session.flush()
        assert stamped.institution_id == two[0]
        session.add(Course(institution_id=two[1], deployment_id=deployment_id, context_id="x", created_at=now))
        with pytest.raises(TenantMismatch):
            session.flush()
        session.rollback()


def test_the_database_itself_refuses_a_reference_into_another_institution(
    open_session: OpenSession, two: tuple[int, int]
) -> None:
    with open_session(two[1]) as session:
        foreign_deployment = session.scalars(select(Course.deployment_id)).one()
    with pytest.raises(IntegrityError), open_session(two[0]) as session:
        session.add(
            Course(deployment_id=foreign_deployment, context_id="x", created_at=datetime(2026, 11, 2, tzinfo=UTC))
        )


def test_every_reference_between_tenant_tables_carries_the_institution() -> None:
    tenants = {mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, Tenant)}
    loose = [
        f"{table.name}.{key.column_keys}"
        for table in Base.metadata.tables.values()
        if table.name in tenants
        for key in table.foreign_key_constraints
        if key.referred_table.name in tenants and "institution_id" not in key.column_keys
    ]
    assert loose == []
