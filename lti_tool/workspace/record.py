"""The institution's record, searched by reference, day, platform, course or person."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.errors import N_
from lti_tool.launch.models import Course, Person
from lti_tool.registration.models import Institution, Registration
from lti_tool.registration.service import registration_states
from lti_tool.web.access import Here
from lti_tool.web.audit import AuditEntry
from lti_tool.web.i18n import zone_of
from lti_tool.workspace.administration import administrators

pages = Blueprint("record", __name__)

WHAT_HAPPENED: Final = {
    "addresses hidden": N_("Partners no longer see each other’s e-mail address"),
    "addresses shown": N_("Partners see each other’s e-mail address"),
    "administrator granted": N_("An administrator was made"),
    "administrator removed": N_("An administrator was removed"),
    "attributes deleted": N_("What was known about a course's learners was deleted"),
    "deployment approved": N_("A place was approved"),
    "deployment refused": N_("A place was refused"),
    "invitation made": N_("A registration link was made"),
    "invitation revoked": N_("A registration link was revoked"),
    "key rotation": N_("A step of a key rotation"),
    "launch": N_("A launch"),
    "launch refused": N_("A launch was refused"),
    "launch without course": N_("A launch without a course"),
    "launch without role": N_("A launch without a role"),
    "facilitator came": N_("A member of staff took a group's facilitator's seat"),
    "facilitator left": N_("A member of staff left a group's facilitator's seat"),
    "error page": N_("A page could not be shown"),
    "frame addresses changed": N_("The addresses that may frame Tandem were changed"),
    "login refused": N_("A login was refused"),
    "letters switched off": N_("Learners are no longer reminded by e-mail"),
    "letters switched on": N_("Learners are reminded by e-mail"),
    "person erased": N_("A person was erased"),
    "person exported": N_("A person's data was exported"),
    "platform registered": N_("A platform was registered"),
    "programme copied": N_("A program was copied to a course"),
    "programme dates moved": N_("The dates of a program were moved"),
    "programme dates moved back": N_("A move of the dates of a program was undone"),
    "registration paused": N_("A platform was paused"),
    "registrar let in": N_("The person who registered a platform opened these pages"),
    "registration refused": N_("A registration failed"),
    "registration removed": N_("A registration was taken back"),
    "registration resumed": N_("A platform was resumed"),
    "registration updated": N_("A platform was registered again"),
    "staff act done": N_("Staff did something for learners"),
    "staff act undone": N_("Staff undid what they did for learners"),
    "time zone set": N_("The institution's time zone was set"),
    "token refused": N_("A platform refused Tandem access"),
}
"""The words of the record for the entries of the audit."""

ON_ONE_PAGE: Final = 50


@pages.get("/institution/record")
@administrators
def show_record(here: Here) -> ResponseReturnValue:
    """Show the newest entries, or the entry with a reference that a person read out."""
    asked = {
        name: request.args.get(name, "").strip()[:255] for name in ("reference", "day", "platform", "course", "person")
    }
    asked["reference"] = asked["reference"].upper()
    page = min(max(request.args.get("page", 0, type=int), 0), 1_000_000)
    entries = here.session.execute(
        select(AuditEntry, Registration.title, Course.title, Person.name)
        .outerjoin(Registration, Registration.id == AuditEntry.registration_id)
        .outerjoin(Course, and_(Course.id == AuditEntry.course_id, _is_own(Course, here)))
        .outerjoin(Person, and_(Person.id == AuditEntry.person_id, _is_own(Person, here)))
        .where(*_conditions(here, asked))
        .order_by(AuditEntry.id.desc())
        .limit(ON_ONE_PAGE + 1)
        .offset(page * ON_ONE_PAGE)
    ).all()
    return render_template(
        "institution/record.html",
        words=WHAT_HAPPENED,
        asked=asked,
        is_filtered=any(asked.values()),
        platforms=registration_states(here.session, here.visit.institution_id),
        entries=entries[:ON_ONE_PAGE],
        has_more=len(entries) > ON_ONE_PAGE,
        page=page,
    )


def _is_own(table: Any, here: Here) -> ColumnElement[bool]:
    own: ColumnElement[bool] = table.institution_id == here.visit.institution_id
    return own


def _conditions(here: Here, asked: dict[str, str]) -> list[ColumnElement[bool]]:
    """The conditions that entries must fulfill. An unreadable day or platform finds nothing."""
    conditions = [_visible(here, asked["reference"])]
    if asked["reference"]:
        conditions.append(AuditEntry.reference == asked["reference"])
    if asked["day"]:
        first, end = _day(asked["day"], here.visit.time_zone)
        conditions += [AuditEntry.at >= first, AuditEntry.at < end]
    if asked["platform"]:
        number = int(asked["platform"]) if asked["platform"].isdecimal() and len(asked["platform"]) < 10 else 0
        conditions.append(AuditEntry.registration_id == number)
    if asked["course"]:
        named = select(Course.id).where(Course.title.icontains(asked["course"], autoescape=True))
        conditions.append(AuditEntry.course_id.in_(named))
    if asked["person"]:
        holds = (Person.name, Person.email, Person.sub)
        named = select(Person.id).where(or_(*(one.icontains(asked["person"], autoescape=True) for one in holds)))
        conditions.append(AuditEntry.person_id.in_(named))
    return conditions


def _visible(here: Here, reference: str) -> ColumnElement[bool]:
    """The institution's own entries. Of entries without an institution, the one whose reference was asked for, or all
    if there is no other institution.
    """
    own = AuditEntry.institution_id == here.visit.institution_id
    if reference or _is_alone(here.session):
        return or_(own, AuditEntry.institution_id.is_(None))
    return own


def _is_alone(session: Session) -> bool:
    return session.scalar(select(func.count()).select_from(Institution)) == 1


def _day(written: str, zone: str | None) -> tuple[datetime, datetime]:
    """The beginning of a day and of the next in the person's time zone. An unreadable day becomes one long ago."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = date(1970, 1, 1)
    # No zone is a whole day away, so the ends of the calendar stay inside it.
    day = min(max(day, date(1970, 1, 1)), date(9000, 1, 1))
    first = datetime.combine(day, time(), zone_of(None, zone))
    return first, datetime.combine(day + timedelta(days=1), time(), zone_of(None, zone))
