"""One person's data in all features: found, exported, erased."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import render_template
from flask_babel import gettext
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Allowance, Round, SavedTemplate
from lti_tool.attributes.service import forget_person
from lti_tool.attributes.service.reading import values_of_person
from lti_tool.certificates import service as certificates
from lti_tool.craft import service as craft
from lti_tool.errors import N_, NotFound
from lti_tool.feedback import service as feedback
from lti_tool.goals import service as goals
from lti_tool.grades.models import LineItem, ScoreAttempt, ScoreState
from lti_tool.launch.models import Course, LockedOut, Member, Person
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.meetings import service as meetings
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Group, Plan, Seat, is_facilitated, published_seats
from lti_tool.practices import service as practices
from lti_tool.registration.models import Institution, Registration
from lti_tool.reminders import service as reminders
from lti_tool.reports import service as reports
from lti_tool.roster.service import groups as course_groups
from lti_tool.support.db import served_institution
from lti_tool.surveys import service as surveys
from lti_tool.web import audit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.kept import KeptText
from lti_tool.web.visits import Visit
from lti_tool.workspace.first_administrator import end_wait, is_registrar

MOST_FOUND: Final = 50
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person as the search for people lists them."""

    id: int
    name: str | None
    email: str | None
    sub: str
    platform: str
    courses: int
    last_launch_at: datetime | None
    is_administrator: bool
    erased_at: datetime | None


def find_people(session: Session, text: str) -> list[PersonRecord]:
    """At most MOST_FOUND people of the institution whose name, e-mail address or id at the platform holds this text."""
    text = text.strip()
    if not text:
        return []
    holds = or_(*(column.icontains(text, autoescape=True) for column in (Person.name, Person.email, Person.sub)))
    return _people(session, holds, limit=MOST_FOUND)


def person_named(session: Session, person_id: int) -> PersonRecord:
    """One person of the institution. Raises NotFound."""
    people = _people(session, Person.id == person_id, limit=1)
    if not people:
        raise NotFound("person", person_id)
    return people[0]


def _people(session: Session, condition: Any, *, limit: int) -> list[PersonRecord]:
    rows = session.execute(
        select(Person, Registration.title, func.count(Member.id), func.max(Member.last_launch_at))
        .join(Registration, Registration.id == Person.registration_id)
        .outerjoin(Member, Member.person_id == Person.id)
        .where(condition, ~is_registrar())
        .group_by(Person.id, Registration.title)
        .order_by(Person.name, Person.id)
        .limit(limit)
    )
    return [
        PersonRecord(
            id=person.id,
            name=person.name,
            email=person.email,
            sub=person.sub,
            platform=platform,
            courses=courses,
            last_launch_at=last,
            is_administrator=person.is_administrator,
            erased_at=person.erased_at,
        )
        for person, platform, courses, last in rows
    ]


# ---- handing over ----------------------------------------------------------------------------------------------------

LABELS: Final[Mapping[str, str]] = {
    "person": N_("About you"),
    "courses": N_("Your courses"),
    "visits": N_("Your last visits"),
    "groups": N_("Your groups"),
    "said_of_you": N_("What staff said about you for finding partners"),
    "said": N_("What was said"),
    "written": N_("What you wrote and what was written to you"),
    "step": N_("Step"),
    "texts": N_("Texts"),
    "counted": N_("What the figures count"),
    "has_strength": N_("Has a strength"),
    "has_growth": N_("Has something to try"),
    "has_example": N_("Has an example"),
    "word_count": N_("Number of words"),
    "level_places": N_("Positions of the chosen levels"),
    "usefulness": N_("How useful it was, from 4 to 1"),
    "goals": N_("Your goals"),
    "area": N_("What it is about"),
    "area_words": N_("In your own words, what it is about"),
    "words": N_("Words"),
    "measure": N_("How you will know"),
    "start": N_("Value at the beginning"),
    "target": N_("Value to reach"),
    "target_on": N_("By when"),
    "words_before": N_("Earlier wordings"),
    "check_ins": N_("Check-ins"),
    "how": N_("How it is going"),
    "support": N_("Support wanted"),
    "beside": N_("Written beside it"),
    "actions": N_("Your actions"),
    "due_on": N_("By when"),
    "sign": N_("How you will see that it worked"),
    "why": N_("Why it was dropped"),
    "looked_back": N_("Looked back at"),
    "became": N_("What it became"),
    "wins": N_("Your wins"),
    "resources": N_("What you put on shelves"),
    "title": N_("Title"),
    "address": N_("Web address"),
    "use": N_("How you will use it"),
    "remarks": N_("What you wrote beside what others wrote"),
    "kept_texts": N_("Texts of forms that could not be saved"),
    "notes_to_partners": N_("Notes to and from partners"),
    "taken_back": N_("Taken back"),
    "between_meetings": N_("What you wrote about what happened between meetings"),
    "added_later": N_("Added later"),
    "addition_draft": N_("Being added"),
    "reports": N_("What you reported, and reports of what you wrote"),
    "practices": N_("Practices of the course library that you offered or were asked about"),
    "agreed": N_("You agreed"),
    "concern": N_("What is wrong"),
    "reason": N_("Explanation"),
    "favorite_questions": N_("Questions that you keep"),
    "warm_up": N_("Cards of the warm-up that you did"),
    "card": N_("Card"),
    "surveys": N_("Your answers in surveys"),
    "moment": N_("Before or after"),
    "item": N_("Sentence"),
    "question": N_("Question"),
    "meetings": N_("Times to meet that you proposed or accepted"),
    "reminders": N_("Reminders to and from partners who did not answer"),
    "letters": N_("Letters to you"),
    "reminded": N_("What you were reminded of"),
    "letters_stopped": N_("Whether you want letters"),
    "address_refused": N_("Your address was refused"),
    "done_as_staff": N_("What you did for learners as staff"),
    "calendar_addresses": N_("Private addresses of your calendar"),
    "certificates": N_("Your certificates"),
    "issued_by": N_("Issued by"),
    "hours": N_("Hours"),
    "published": N_("Published"),
    "withdrawn": N_("Withdrawn"),
    "allowances": N_("More time, and rounds you were excused from"),
    "scores": N_("Scores for the gradebook"),
    "record": N_("What the record says about you"),
    "what": N_("What"),
    "set_up": N_("Activities that you set up"),
    "templates": N_("Templates that you saved"),
    "template": N_("Template"),
    "name": N_("Name"),
    "given_name": N_("Given name"),
    "family_name": N_("Family name"),
    "email": N_("E-mail address"),
    "language": N_("Language"),
    "chosen_language": N_("Language that you chose"),
    "time_zone": N_("Time zone"),
    "id_at_the_platform": N_("Id at the platform"),
    "id_in_the_records": N_("Id in the institution's records"),
    "attributes": N_("What is known about you for finding partners"),
    "attribute": N_("What"),
    "value": N_("Value"),
    "source": N_("Where it came from"),
    "platform": N_("Platform"),
    "first_seen": N_("First seen"),
    "looks_after_the_institution": N_("Looks after the institution"),
    "course": N_("Course"),
    "role": N_("Role"),
    "status": N_("Status"),
    "last_launch": N_("Last launch"),
    "last_in_the_roster": N_("Last on the roster"),
    "left": N_("Left"),
    "takes_part_as_staff_said": N_("Takes part without being on the roster, as staff said"),
    "groups_of_the_course": N_("Groups of the course in the LMS"),
    "opened": N_("Opened"),
    "ended": N_("Ends"),
    "kind": N_("Kind"),
    "activity": N_("Activity"),
    "round": N_("Round"),
    "turn": N_("Turn"),
    "people_in_the_group": N_("People in the group"),
    "begun": N_("Begun"),
    "staff_facilitated": N_("Staff facilitated it"),
    "direction": N_("Direction"),
    "anonymous": N_("Without a name"),
    "given_at": N_("Given"),
    "released_at": N_("Released"),
    "levels": N_("Rubric"),
    "notes": N_("Notes"),
    "not_given": N_("Typed but not given"),
    "note_draft": N_("A note that was not added"),
    "kept_aside": N_("Texts that were set aside"),
    "field": N_("Field"),
    "at": N_("When"),
    "text": N_("Text"),
    "new_date": N_("New date"),
    "excused": N_("Excused"),
    "state": N_("State"),
    "percent": N_("Percent"),
    "percent_confirmed": N_("Percent that the platform confirmed"),
    "attempts": N_("Attempts"),
    "outcome": N_("Outcome"),
    "starts": N_("Starts"),
    "minutes": N_("Minutes"),
    "place": N_("Place"),
    "rhythm": N_("Rhythm"),
    "proposed_by_you": N_("Proposed by you"),
    "accepted": N_("Accepted"),
    "since": N_("Since"),
    "answered": N_("Answered"),
    "alone_since": N_("Went on alone since"),
    "asked_for_another_partner": N_("Asked for another partner"),
    "made": N_("Made"),
    "last_read": N_("Last read"),
}


def everything_about(session: Session, person_id: int) -> dict[str, Any]:
    """All data about one person as plain values by section, with what others wrote to them once it was released."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("person", person_id)
    own = list(session.scalars(select(Member.id).where(Member.person_id == person_id)))
    return {
        "person": {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email,
            "language": person.locale,
            "chosen_language": person.language,
            "time_zone": person.time_zone,
            "id_at_the_platform": person.sub,
            "id_in_the_records": person.sourced_id,
            "platform": session.get_one(Registration, person.registration_id).title,
            "first_seen": _moment(person.created_at),
            "looks_after_the_institution": person.is_administrator,
        },
        "courses": _courses(session, own),
        "visits": [
            {"opened": _moment(visit.created_at), "ended": _moment(visit.expires_at), "kind": visit.kind}
            for visit in session.scalars(select(Visit).where(Visit.person_id == person_id).order_by(Visit.id))
        ],
        "attributes": values_of_person(session, person_id),
        "groups": _groups(session, own),
        "said_of_you": pairing.said_of(session, own),
        "written": feedback.texts_of(session, person_id),
        **goals.texts_of(session, own),
        "notes_to_partners": feedback.notes_to_partners_of(session, person_id),
        "between_meetings": feedback.occasion_texts_of(session, own),
        "reports": reports.texts_of(session, own),
        "practices": practices.texts_of(session, own),
        "favorite_questions": [
            {"at": _moment(kept.at), "question": kept.question} for kept in feedback.favorites_of(session, own)
        ],
        "warm_up": craft.texts_of(session, own),
        "surveys": surveys.texts_of(session, own),
        **meetings.everything_of(session, own),
        **reminders.everything_of(session, person_id, own),
        "kept_texts": [
            {"at": _moment(kept.at), **{one["field"]: one["text"] for one in kept.texts}}
            for kept in session.scalars(select(KeptText).where(KeptText.person_id == person_id).order_by(KeptText.id))
        ],
        "allowances": _allowances(session, own),
        "scores": _scores(session, own),
        "certificates": certificates.texts_of(session, own),
        "record": [
            {"at": _moment(entry.at), "what": entry.what}
            for entry in session.scalars(
                select(AuditEntry).where(AuditEntry.person_id == person_id).order_by(AuditEntry.id)
            )
        ],
        "set_up": [
            {"activity": activity.title, "at": _moment(activity.created_at)}
            for activity in session.scalars(
                select(Activity).where(Activity.created_by_id == person_id).order_by(Activity.id)
            )
        ],
        "templates": [
            {"template": template.title, "at": _moment(template.saved_at)}
            for template in session.scalars(
                select(SavedTemplate).where(SavedTemplate.saved_by_id == person_id).order_by(SavedTemplate.id)
            )
        ],
    }


def as_zip(everything: Mapping[str, Any], *, now: datetime) -> bytes:
    """A ZIP with one page that a person can read and the same as JSON for a program. Needs an app's context."""
    page = render_template(
        "institution/export.html", everything=everything, label=lambda key: gettext(LABELS.get(key, key)), now=now
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("index.html", page),
            ("data.json", json.dumps(everything, ensure_ascii=False, indent=2) + "\n"),
        ):
            archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), text.encode())
    return packed.getvalue()


def _courses(session: Session, own: list[int]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Member, Course.title)
        .join(Course, Course.id == Member.course_id)
        .where(Member.id.in_(own))
        .order_by(Member.id)
    )
    groups = course_groups.groups_of_members(session, own)
    return [
        {
            "course": title,
            "role": member.role,
            "groups_of_the_course": groups.get(member.id, []),
            "status": member.status,
            "first_seen": _moment(member.created_at),
            "last_launch": _moment(member.last_launch_at),
            "last_in_the_roster": _moment(member.in_roster_at),
            "left": _moment(member.left_at),
            "takes_part_as_staff_said": member.is_taken_in,
        }
        for member, title in rows
    ]


def _groups(session: Session, own: list[int]) -> list[dict[str, Any]]:
    mate = aliased(Seat)
    size = select(func.count(mate.id)).where(mate.group_id == Group.id).scalar_subquery()
    rows = session.execute(
        published_seats(Activity.title, Round.number, Seat.turn, size, Group.begun_at, is_facilitated())
        .join(Activity, Activity.id == Plan.activity_id)
        .where(Seat.member_id.in_(own))
        .order_by(Activity.id, Round.number)
    )
    return [
        {
            "activity": title,
            "round": number,
            "turn": turn,
            "people_in_the_group": people,
            "begun": _moment(begun_at),
            "staff_facilitated": has_facilitator,
        }
        for title, number, turn, people, begun_at, has_facilitator in rows
    ]


def _allowances(session: Session, own: list[int]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Activity.title, Round.number, Allowance)
        .select_from(Allowance)
        .join(Round, Round.id == Allowance.round_id)
        .join(Activity, Activity.id == Round.activity_id)
        .where(Allowance.member_id.in_(own))
        .order_by(Allowance.id)
    )
    return [
        {"activity": title, "round": number, "new_date": _moment(one.due_at), "excused": one.is_excused}
        for title, number, one in rows
    ]


def _scores(session: Session, own: list[int]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Activity.title, ScoreState)
        .select_from(ScoreState)
        .join(LineItem, LineItem.id == ScoreState.line_item_id)
        .join(Activity, Activity.id == LineItem.activity_id)
        .where(ScoreState.member_id.in_(own))
        .order_by(ScoreState.id)
    )
    return [
        {
            "activity": title,
            "state": score.state,
            "percent": _percent(score.wanted),
            "percent_confirmed": _percent(score.sent),
            "attempts": [
                {"at": _moment(attempt.at), "percent": _percent(attempt.share), "outcome": attempt.outcome}
                for attempt in session.scalars(
                    select(ScoreAttempt).where(ScoreAttempt.score_id == score.id).order_by(ScoreAttempt.id)
                )
            ],
        }
        for title, score in rows
    ]


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _percent(share: int | None) -> float | None:
    return None if share is None or share < 0 else round(share * 100 / MILLION, 2)


# ---- erasing ---------------------------------------------------------------------------------------------------------


def erase(session: Session, person_id: int, *, now: datetime) -> str:
    """Remove who a person is and what only they could see. Returns the reference of the audit entry.

    What they gave to a partner is the partner's record too: it stays, without a name. Their id at the platform stays
    as well, so that the next roster does not bring them back; a launch of their own does. Erasing twice is harmless.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("person", person_id)
    own = list(session.scalars(select(Member.id).where(Member.person_id == person_id)))
    feedback.erase_texts_of(session, person_id)
    goals.erase_texts_of(session, own)
    reports.erase_texts_of(session, own)
    practices.erase_texts_of(session, own)
    certificates.erase_of(session, own)
    craft.erase_of(session, own)
    surveys.erase_of(session, own)
    forget_person(session, person_id)
    institution_id = served_institution(session)
    course_groups.forget(session, own)
    pairing.forget(session, own)
    meetings.forget(session, own)
    reminders.forget(session, person_id, own)
    courses = session.scalars(
        select(Member.course_id).where(
            Member.person_id == person_id, Member.status == "active", Member.role == "learner"
        )
    ).all()
    for statement in (
        delete(ScoreState).where(ScoreState.member_id.in_(own)),
        delete(Allowance).where(Allowance.member_id.in_(own)),
        delete(LockedOut).where(LockedOut.member_id.in_(own)),
        delete(Visit).where(Visit.person_id == person_id),
        delete(KeptText).where(KeptText.person_id == person_id),
        update(Member)
        .where(Member.person_id == person_id)
        .values(status="inactive", left_at=now, in_roster_at=None, is_taken_in=None),
        update(Person)
        .where(Person.id == person_id)
        .values(
            name=None,
            given_name=None,
            family_name=None,
            email=None,
            sourced_id=None,
            locale=None,
            language=None,
            time_zone=None,
            is_administrator=False,
            erased_at=now,
        ),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
    for course_id in courses:
        tell_plans(session, course_id, now=now, institution_id=institution_id)
    return audit.record(session, "person erased", now=now, institution_id=institution_id, person_id=person_id)


def administrators(session: Session) -> list[PersonRecord]:
    """Everybody who looks after the institution that the session serves."""
    return _people(session, Person.is_administrator, limit=1000)


def grant_administration(session: Session, person_id: int, *, now: datetime, by: int | None = None) -> None:
    """Make a person an administrator of their institution. `by`: the administrator who did it, if any. Raises NotFound.

    Their platform awaits no first administrator from then on.
    """
    person = session.scalar(select(Person).where(Person.id == person_id, ~is_registrar()))
    if person is None or person.erased_at is not None:
        raise NotFound("person", person_id)
    person.is_administrator = True
    end_wait(session, person.registration_id)
    audit.record(
        session,
        "administrator granted",
        now=now,
        institution_id=person.institution_id,
        registration_id=person.registration_id,
        person_id=person_id,
        by=by,
    )


def end_administration(session: Session, person_id: int, *, now: datetime, by: int) -> bool:
    """Take the right from an administrator. Returns False and changes nothing if they are the last one.

    Raises NotFound for a person who is no administrator.
    """
    # Two who remove each other at the same moment go one after the other.
    session.execute(select(Institution.id).where(Institution.id == served_institution(session)).with_for_update())
    all_ids = set(session.scalars(select(Person.id).where(Person.is_administrator, ~is_registrar())))
    if person_id not in all_ids:
        raise NotFound("administrator", person_id)
    if len(all_ids) == 1:
        return False
    person = session.get_one(Person, person_id, populate_existing=True)
    person.is_administrator = False
    audit.record(
        session,
        "administrator removed",
        now=now,
        institution_id=person.institution_id,
        registration_id=person.registration_id,
        person_id=person_id,
        by=by,
    )
    return True
