"""An institution and who is in it, with explicit values."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from lti_tool.launch.models import Course, Member, Person, Placement
from lti_tool.registration.models import Deployment, Institution, Registration
from lti_tool.support.db import serve
from lti_tool.web.visits import Visit, VisitKind, open_visit

Row = TypeVar("Row")
LONG_AGO = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
_next = count(1).__next__


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def an_institution(session: Session, **values: Any) -> Institution:
    """A new institution; the session serves it from now on."""
    institution = _added(session, Institution(**{"name": f"University {_next()}", "created_at": LONG_AGO, **values}))
    serve(session, institution.id)
    return institution


def a_registration(session: Session, institution: Institution, **values: Any) -> Registration:
    n = _next()
    defaults: dict[str, Any] = {
        "institution_id": institution.id,
        "title": "Campus LMS",
        "issuer": f"https://lms{n}.example",
        "client_id": f"client-{n}",
        "auth_login_url": f"https://lms{n}.example/auth",
        "auth_token_url": f"https://lms{n}.example/token",
        "key_set_url": f"https://lms{n}.example/jwks",
        "platform_origins": [f"https://lms{n}.example"],
        "platform_family": "moodle",
        "created_at": LONG_AGO,
    }
    return _added(session, Registration(**{**defaults, **values}))


def a_deployment(session: Session, registration: Registration, **values: Any) -> Deployment:
    defaults = {"registration_id": registration.id, "lti_id": str(_next()), "created_at": LONG_AGO}
    return _added(session, Deployment(**{**defaults, **values}))


def a_course(session: Session, deployment: Deployment, **values: Any) -> Course:
    defaults = {
        "deployment_id": deployment.id,
        "context_id": str(_next()),
        "title": "Teaching 1",
        "created_at": LONG_AGO,
    }
    return _added(session, Course(**{**defaults, **values}))


def a_person(session: Session, registration: Registration, **values: Any) -> Person:
    n = _next()
    defaults = {"registration_id": registration.id, "sub": str(n), "name": f"Person {n}", "created_at": LONG_AGO}
    return _added(session, Person(**{**defaults, **values}))


def a_member(session: Session, course: Course, person: Person, role: str = "learner", **values: Any) -> Member:
    defaults: dict[str, Any] = {
        "course_id": course.id,
        "person_id": person.id,
        "role": role,
        "ever_staff": role in {"instructor", "assistant"},
        "created_at": LONG_AGO,
        "in_roster_at": LONG_AGO,
    }
    return _added(session, Member(**{**defaults, **values}))


def a_placement(session: Session, course: Course, **values: Any) -> Placement:
    defaults = {"course_id": course.id, "resource_link_id": str(_next()), "created_at": LONG_AGO}
    return _added(session, Placement(**{**defaults, **values}))


def a_visit(
    session: Session,
    member: Member,
    registration: Registration,
    *,
    now: datetime,
    kind: VisitKind = VisitKind.ACTIVITY,
    **values: Any,
) -> tuple[Visit, str]:
    """A live visit of this member and its bearer secret."""
    defaults: dict[str, Any] = {
        "kind": kind,
        "registration_id": registration.id,
        "person_id": member.person_id,
        "course_id": member.course_id,
        "member_id": member.id,
        "role": member.role,
        "locale": "en",
        "time_zone": "Europe/Stockholm",
        "frame_origins": list(registration.platform_origins),
    }
    visit = Visit(**{**defaults, **values})
    return visit, open_visit(session, visit, now=now, lifetime=timedelta(hours=12))
