"""A course in which everything that people can write is written, each text a secret that names who may read it.

Who may read is said here by the table of who sees what, and not by the code that the walk tries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.kinds.form import Audience, FieldKind
from lti_tool.activities.kinds.form import Field as FormField
from lti_tool.activities.rules import CertificateTerms, Kind, Release, Scenario, Step, To, kind_for, kind_of
from lti_tool.activities.rules.templates import TEMPLATES
from lti_tool.attributes.models import MemberAttribute
from lti_tool.certificates.models import Certificate
from lti_tool.feedback.models import ALIASES, Entry, FavoriteQuestion, Note, Occasion, PartnerNote
from lti_tool.goals import service as goals
from lti_tool.goals.models import Action, Goal, Resource, Win
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.launch.models import Member, Person
from lti_tool.meetings import service as meetings
from lti_tool.meetings.rules.times import Wanted
from lti_tool.pairing.models import Facilitation, Group, Seat
from lti_tool.practices import service as practices
from lti_tool.practices.models import Practice
from lti_tool.programmes import service as programmes
from lti_tool.programmes.models import Programme
from lti_tool.programmes.rules import Step as ProgrammeStep
from lti_tool.progress.models import StaffAct
from lti_tool.registration.models import Registration
from lti_tool.reminders import service as reminders
from lti_tool.reports.models import Report
from lti_tool.rubrics.models import Rubric
from lti_tool.support.kit import Kit
from lti_tool.web.kept import KeptText
from lti_tool.web.visits import VisitKind
from tests.factories.activities import as_written
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.goals import GOAL, a_goal, a_resource, a_win, an_action, place
from tests.factories.people import a_course, a_deployment, a_member, a_person, a_placement, a_visit
from tests.fakes.clock import FakeClock
from tests.functional.teaching import Visitor

LEARNERS = ("Ada", "Ben", "Cem", "Dan", "Eva")
GROUPS = (("Ada", "Ben", "Cem"), ("Dan", "Eva"))
LARGER = (("Ada", "Ben", "Cem", "Gus"), ("Dan", "Eva"))
"""With as many people in the first group as feedback without names needs."""
PAIRS = {
    ("Ada", "Ben"): "released",
    ("Ben", "Ada"): "released",
    ("Ada", "Cem"): "given",
    ("Cem", "Ada"): "draft",
    ("Ben", "Cem"): "released",
    ("Cem", "Ben"): "withheld",
    ("Dan", "Eva"): "released",
    ("Eva", "Dan"): "draft",
}
WITHOUT_NAMES = {
    ("Ben", "Ada"): "released",
    ("Cem", "Ada"): "released",
    ("Gus", "Ada"): "released",
    ("Ada", "Ben"): "given",
    ("Ben", "Cem"): "draft",
    ("Cem", "Ben"): "withheld",
    ("Dan", "Eva"): "released",
    ("Eva", "Dan"): "draft",
}
SHARERS = ("Ada", "Dan")
INSTRUCTOR, ASSISTANT = "Ingrid", "Assar"
FACILITATOR = "Fay"
"""An assistant with the facilitator's seat of Ada's group, where the kind has one."""
STAFF = frozenset({INSTRUCTOR, ASSISTANT, FACILITATOR})


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that occurs once in the database."""

    text: str
    what: str
    readers: frozenset[str]


@dataclass(slots=True)
class Secrets:
    """All secrets of a course."""

    made: list[Secret] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))

    def of(self, what: str, readers: Iterable[str]) -> str:
        """A new text that only these people may read."""
        text = f"Qx{next(self.numbers)}zj"
        self.made.append(Secret(text, what, frozenset(readers)))
        return text

    def in_text(self, page: str, reader: str) -> list[str]:
        """What this reader must not find in a page, and finds. Who looks as a learner would is staff all the same."""
        reader = INSTRUCTOR if reader == "preview" else reader
        return [each.what for each in self.made if reader not in each.readers and each.text in page]


@dataclass(frozen=True, slots=True)
class LeakyCourse:
    """The course with its secrets, everybody who may come, and the ids that addresses are made of."""

    room: Classroom
    groups: tuple[tuple[str, ...], ...]
    secrets: Secrets
    visitors: dict[str, Visitor]
    ids: dict[str, list[Any]]

    @property
    def learners(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups for name in group)


def a_leaky_course(
    app: Flask, kit: Kit, clock: FakeClock, kind_key: str, *, staff_read: bool, anonymous: bool = False
) -> LeakyCourse:
    """Ada, Ben and Cem in one group, Dan and Eva in another, with everything that people can write.

    Where feedback is without names, everybody gives to everybody, and Gus is in the first group as well.
    """
    groups = LARGER if anonymous else GROUPS
    secrets = Secrets()
    template = next(each for each in TEMPLATES.values() if each.kind == kind_key)
    now = clock.now()
    with kit.open_session() as session:
        usual = template.settings(as_written, now=now, time_zone="Europe/Stockholm")
        room = a_classroom(
            session,
            *(name for group in groups for name in group),
            now=now,
            groups=groups,
            kind=kind_key,
            completion=usual.completion,
            release=Release.WHEN_BOTH_GAVE,
            staff_read_feedback=staff_read,
            anonymous_feedback=anonymous,
            feedback_to=To.PARTNERS if anonymous else None,
            instructions="",
        )
        for name in (ASSISTANT, FACILITATOR):
            room.members[name] = a_member(session, room.course, a_person(session, room.registration), "assistant")
        kind = kind_for(room.activity)
        if kind.facilitator:
            room.activity.guided_rounds = 1
            seat = {"group_id": _groups(session, room)["Ada"].id, "member_id": room.members[FACILITATOR].id}
            session.add(Facilitation(taken_at=now, **seat))
        _name_people(session, room, secrets)
        _write_entries(session, room, kind, secrets, clock, staff_read=staff_read)
        _write_notes(session, room, secrets, clock)
        _write_goals(session, room, secrets, clock)
        _agree_on_a_time(session, room, secrets, clock)
        if kind.has_scenario:
            _write_scenario(session, room, kind, secrets)
        _report(session, room, secrets, clock)
        _offer_practices(session, room, secrets, clock)
        _remind(session, room, secrets, clock)
        _know_things(session, room, secrets, clock)
        _score(session, room, clock)
        _certify(session, room, secrets, clock)
        title = secrets.of("title of the programme", {*_learners(room), *STAFF})
        own = programmes.make(
            session,
            room.course.id,
            title,
            [ProgrammeStep(room.activity.id)],
            by=room.members[INSTRUCTOR].person_id,
            now=now,
        )
        own.gives_certificate = True
        ids = _ids(session, room, kind)
        visitors = _visitors(app, session, room, clock)
    visitors |= _from_elsewhere(app, kit, clock)
    return LeakyCourse(room, groups, secrets, visitors, ids)


def _group(room: Classroom, name: str) -> set[str]:
    """Everybody in the group of this learner."""
    groups = LARGER if room.activity.anonymous_feedback else GROUPS
    return set(next(group for group in groups if name in group))


def _learners(room: Classroom) -> list[str]:
    return [name for name, member in room.members.items() if member.role == "learner"]


# ---- what there is to read -------------------------------------------------------------------------------------------


def _name_people(session: Session, room: Classroom, secrets: Secrets) -> None:
    """Names are for the group and staff; addresses and ids for instructors and administrators."""
    for name, member in room.members.items():
        row = session.get_one(Person, session.get_one(Member, member.id).person_id)
        if name in _learners(room):
            # Whoever puts something on the shelf of the whole course does so by name.
            readers = {*_learners(room)} if name in SHARERS else _group(room, name)
            row.name = f"{name} " + secrets.of(f"name of {name}", {*readers, *STAFF, "admin"})
        row.email = secrets.of(f"address of {name}", {name, INSTRUCTOR, "admin"}) + "@campus.example"
        row.sub = secrets.of(f"id of {name} at the platform", {name, INSTRUCTOR, "admin"})
    session.flush()


def _write_entries(
    session: Session, room: Classroom, kind: Kind, secrets: Secrets, clock: FakeClock, *, staff_read: bool
) -> None:
    is_anonymous = room.activity.anonymous_feedback
    answers = [("Ben", "Ada", "released"), ("Cem", "Ben", "draft")]
    if is_anonymous:
        answers = [("Ada", name, "released") for name in ("Ben", "Cem", "Gus")]
    groups = _groups(session, room)
    for step in kind.steps:
        if step.form is None or not step.form.sections:
            continue
        if step.is_answer:
            for author, recipient, state in answers:
                _entry(session, room, groups, step, secrets, clock, author, recipient, state, staff_read)
        elif step.is_to_partners:
            for (author, recipient), state in (WITHOUT_NAMES if is_anonymous else PAIRS).items():
                _entry(session, room, groups, step, secrets, clock, author, recipient, state, staff_read)
        elif step.is_shared:
            for author in ("Ada", "Dan"):
                _entry(session, room, groups, step, secrets, clock, author, None, "shared", staff_read)
        else:
            for author in _learners(room):
                _entry(session, room, groups, step, secrets, clock, author, None, "own", staff_read)


def _entry(
    session: Session,
    room: Classroom,
    groups: dict[str, Group],
    step: Step,
    secrets: Secrets,
    clock: FakeClock,
    author: str,
    recipient: str | None,
    state: str,
    staff_read: bool,
) -> None:
    assert step.form is not None
    now = clock.now()
    people = _group(room, author)
    is_anonymous = room.activity.anonymous_feedback and step.is_to_partners and not step.is_answer and "Ada" in people
    if state == "given" and not step.is_mutual and not is_anonymous:
        state = "released"  # There is no counterpart to wait for.

    def readers(form_field: FormField) -> set[str]:
        in_the_seat = {FACILITATOR} if "Ada" in people and kind_of(room.activity.kind).facilitator else set()
        if Audience.GROUP in form_field.seen_by and (step.is_shared or step.is_live):
            return people | in_the_seat
        if recipient is None or Audience.RECIPIENT not in form_field.seen_by:
            return people | in_the_seat if step.is_shared else {author}
        if state == "draft":
            return {author}
        if state == "withheld":
            return {author, INSTRUCTOR}
        reading_staff = STAFF if staff_read and Audience.STAFF in form_field.seen_by else set()
        return {author, *({recipient} if state == "released" else ()), *reading_staff}

    label = f"{step.key} of {author} for {recipient} ({state})"
    is_text = {FieldKind.LINE, FieldKind.TEXT}
    fields = {
        each.key: secrets.of(f"{each.key} in {label}", readers(each))
        for each in step.form.texts
        if each.kind in is_text
    }
    if step.form.notes is not None:
        fields["note_draft"] = secrets.of(f"note being written in {label}", {author})
    if recipient is not None:
        fields["addition_draft"] = secrets.of(f"addition being written in {label}", {author})
    given_at = None if state == "draft" else now
    text_key = next((each.key for each in step.form.texts if each.kind in is_text), None)
    correction = None
    if recipient is not None and text_key is not None and state != "draft":
        correction = {text_key: secrets.of(f"correction of {label}", {author})}
    entry = Entry(
        activity_id=room.activity.id,
        round_id=room.rounds[0].id,
        group_id=groups[author].id,
        author_id=None if step.is_shared else room.members[author].id,
        recipient_id=room.members[recipient].id if recipient is not None else None,
        alias=ALIASES[len(secrets.made)] if is_anonymous else None,
        step=step.key,
        fields=fields,
        correction=correction,
        rubric_id=room.activity.rubric_id if step.form.has_marks else None,
        is_open_to_staff=True,
        version=1,
        stamps={},
        kept_aside=[{"field": text_key, "text": secrets.of(f"kept aside in {label}", {author}), "at": now.isoformat()}]
        if text_key is not None and not step.is_shared
        else [],
        created_at=now,
        saved_at=now,
        submitted_at=given_at,
        released_at=now if state in {"released", "withheld"} and recipient is not None else None,
        read_at=now if state in {"released", "withheld"} and recipient is not None else None,
        withheld_at=now if state == "withheld" else None,
    )
    if state == "released" and recipient is not None:
        readers_of_all = {author, recipient, *(STAFF if staff_read and not step.is_answer else ())}
        entry.additions = [{"at": now.isoformat(), "text": secrets.of(f"added later to {label}", readers_of_all)}]
    session.add(entry)
    session.flush()
    if step.form.notes is not None:
        session.add(Note(entry_id=entry.id, at=now, text=secrets.of(f"note of {label}", {author})))
    session.flush()


def _groups(session: Session, room: Classroom) -> dict[str, Group]:
    rows = session.execute(
        select(Seat.member_id, Group).join(Group, Group.id == Seat.group_id).where(Group.round_id == room.rounds[0].id)
    )
    by_member = {row.member_id: row.Group for row in rows}
    return {name: by_member[room.members[name].id] for name in _learners(room)}


def _write_notes(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    for author, recipient in (("Ada", "Ben"), ("Dan", "Eva")):
        text = secrets.of(f"note of {author} to {recipient}", {author, recipient})
        people = {"author_id": room.members[author].id, "recipient_id": room.members[recipient].id}
        session.add(PartnerNote(round_id=room.rounds[0].id, text=text, at=clock.now(), **people))
        question = secrets.of(f"favorite question of {author}", {author})
        session.add(FavoriteQuestion(member_id=room.members[author].id, question=question, at=clock.now()))
        happened = {"happened": secrets.of(f"what {author} wrote between meetings", {author})}
        written = {"activity_id": room.activity.id, "author_id": room.members[author].id, "saved_at": clock.now()}
        session.add(Occasion(fields=happened, created_at=clock.now(), **written))
        kept = [{"field": "strengths", "text": secrets.of(f"refused text of {author}", {author})}]
        person = room.members[author].person_id
        session.add(KeptText(person_id=person, course_id=room.course.id, texts=kept, at=clock.now()))
    session.flush()


def _write_goals(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    everybody = {*_learners(room), *STAFF}
    for owner, partner in zip(SHARERS, ("Ben", "Eva"), strict=True):
        group = _group(room, owner)
        words = {"goal_words": secrets.of(f"goal of {owner}", group), "goal_measure": secrets.of("measure", group)}
        goal = a_goal(session, room, owner, clock, **words)
        own, theirs = place(session, room, owner, clock), place(session, room, partner, clock)
        sharper = {**GOAL, "goal_words": secrets.of(f"sharper goal of {owner}", group)}
        goals.sharpen(session, own, goal.id, sharper, expected_version=goal.version, now=clock.now())
        told = {"check_in_how": secrets.of("check-in", group), "check_in_support": secrets.of("support", group)}
        goals.check_in(session, own, goal.id, told, now=clock.now())
        asked = {"question_text": secrets.of("question beside a goal", group)}
        goals.ask(session, theirs, goal.id, asked, now=clock.now())
        an_action(session, room, owner, clock, secrets.of(f"action of {owner}", group))
        a_win(session, room, owner, clock, secrets.of(f"win of {owner}", group))
        shelf = {"resource_title": secrets.of("resource of the group", group), "resource_use": secrets.of("use", group)}
        a_resource(session, room, owner, clock, **shelf)
        for_course = {"resource_title": secrets.of("resource of the course", everybody)}
        a_resource(session, room, owner, clock, for_course=True, **for_course)
    hidden = {"goal_words": secrets.of("goal that is hidden from the group", {"Cem"})}
    goal = a_goal(session, room, "Cem", clock, **hidden)
    own = place(session, room, "Cem", clock)
    goals.hide(session, own, goal.id, _groups(session, room)["Cem"].id)


def _agree_on_a_time(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    for proposer in SHARERS:
        where = secrets.of(f"place where {proposer} meets", _group(room, proposer))
        wanted = Wanted(clock.now() + timedelta(days=2), place=where)
        planned = meetings.find_planned(session, room.activity, 1, room.members[proposer].id)
        meetings.propose(session, planned, [wanted], now=clock.now())


def _write_scenario(session: Session, room: Classroom, kind: Kind, secrets: Secrets) -> None:
    groups = LARGER if room.activity.anonymous_feedback else GROUPS
    turns = {name: turn for group in groups for turn, name in enumerate(group, start=1)}
    briefs = {
        seat.key: secrets.of(
            f"brief of {seat.key}",
            {INSTRUCTOR, *(name for name, turn in turns.items() if kind.seat_at(turn) == seat.key)},
        )
        for seat in kind.seats
    }
    room.activity.scenario = Scenario("A talk.", briefs).to_json()


def _report(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    entry = session.scalars(
        select(Entry).where(Entry.withheld_at.is_not(None), Entry.author_id == room.members["Cem"].id)
    ).first()
    if entry is None:
        return
    session.add(
        Report(
            activity_id=room.activity.id,
            round_id=room.rounds[0].id,
            entry_id=entry.id,
            reporter_id=room.members["Ben"].id,
            reported_id=room.members["Cem"].id,
            concern="hurts",
            words=secrets.of("words of the reporter", {"Ben", INSTRUCTOR}),
            original={name: text for name, text in entry.fields.items() if not name.endswith("_draft")},
            opened_at=clock.now(),
        )
    )
    session.flush()


def _offer_practices(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    """One to which the group has not agreed yet, one that the course reads, one for all courses, one that is hidden."""
    everybody, groups = {*_learners(room), *STAFF}, _groups(session, room)
    next_door = {"learner next door", "instructor next door"}
    staff = practices.Reader(room.members[INSTRUCTOR].id, room.course.id, is_staff=True)
    for what, readers in (
        ("offered practice", {"Dan", "Eva"}),
        ("practice that was taken back", {"Dan", "Eva"}),
        ("practice of the course", everybody),
        ("practice of the institution", everybody | next_door),
        ("hidden practice", {"Dan", "Eva"} | STAFF),
    ):
        title, text = secrets.of(f"title of the {what}", readers), secrets.of(f"text of the {what}", readers)
        dan, eva = (practices.Reader(room.members[name].id, room.course.id, is_staff=False) for name in ("Dan", "Eva"))
        draft = practices.Draft("practice", title, text)
        practice = practices.offer(session, dan, draft, groups["Dan"].id, now=clock.now())
        at = {"seen_version": practice.version, "now": clock.now()}
        if what == "offered practice":
            continue
        practices.agree(session, eva, practice.id, **at)
        if what != "practice of the course":
            practices.bring_to_institution(session, staff, practice.id, **at)
        if what == "practice that was taken back":
            practices.take_back(session, eva, practice.id, now=clock.now())
        if what == "hidden practice":
            reason = secrets.of("reason for hiding", {"Dan"} | STAFF)
            practices.hide(session, staff, practice.id, reason, now=clock.now())


def _remind(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    """Staff wrote a line to Ada."""
    words = secrets.of("reminder of staff to Ada", {"Ada", *STAFF})
    by = room.members[INSTRUCTOR].person_id
    reminders.remind(session, room.activity, [room.members["Ada"].id], words, by=by, now=clock.now())


def _know_things(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    for name in ("Ada", "Dan"):
        value = secrets.of(f"department of {name}", {name, INSTRUCTOR})
        row = {"attribute": "department", "value": {"name": value}, "source": "staff", "changed_at": clock.now()}
        session.add(MemberAttribute(member_id=room.members[name].id, **row))
    session.flush()


def _score(session: Session, room: Classroom, clock: FakeClock) -> None:
    item = LineItem(activity_id=room.activity.id, state="linked", url="https://lms.example/item", label="Coaching")
    session.add(item)
    session.flush()
    for name in ("Ada", "Dan"):
        score = ScoreState(line_item_id=item.id, member_id=room.members[name].id, state="delivered", wanted=1_000_000)
        score.changed_at = clock.now()
        session.add(score)
    session.flush()


def _certify(session: Session, room: Classroom, secrets: Secrets, clock: FakeClock) -> None:
    room.activity.certificate = CertificateTerms("Certificate of the course").to_json()
    for name in ("Ada", "Dan"):
        certificate = Certificate(
            activity_id=room.activity.id,
            member_id=room.members[name].id,
            key=secrets.of(f"public address of {name}", {name}),
            name=secrets.of(f"name on the certificate of {name}", {name} | STAFF),
            title="Certificate of the course",
            issuer="University",
            hours=[],
            locale="en",
            issued_at=clock.now(),
            published_at=clock.now(),
            pdf=b"%PDF",
            pdf_state="ready",
        )
        if name == "Dan":
            certificate.withdrawn_at, why = clock.now(), secrets.of("reason for withdrawing", {"Dan"} | STAFF)
            certificate.withdrawn_why = why
        session.add(certificate)
    session.flush()


# ---- who comes, and where to -----------------------------------------------------------------------------------------


def _visitors(app: Flask, session: Session, room: Classroom, clock: FakeClock) -> dict[str, Visitor]:
    watcher = a_member(session, room.course, a_person(session, room.registration, name="Observer"), "observer")
    next_door = a_course(session, a_deployment(session, room.registration), title="Next door")
    stranger = a_member(session, next_door, a_person(session, room.registration, name="Stranger"))
    teacher = a_member(session, next_door, a_person(session, room.registration, name="Teacher"), "instructor")
    comers = {name: (member, {}) for name, member in room.members.items()}
    comers["observer"] = (watcher, {})
    # With ids of this course in the address, although the visit is of another one.
    comers["learner next door"] = (stranger, {"placement_id": a_placement(session, next_door).id})
    comers["instructor next door"] = (teacher, {"placement_id": a_placement(session, next_door).id})
    comers["preview"] = (room.members[INSTRUCTOR], {"role": "learner", "is_preview": True})
    admin = a_person(session, room.registration, name="Admin", is_administrator=True)
    on_top = {"kind": VisitKind.INSTITUTION, "frame_origins": [], "placement_id": None, "course_id": None}
    comers["admin"] = (a_member(session, room.course, admin, "observer"), on_top)
    return {
        who: _visitor(app, session, room, member, clock, **{"placement_id": room.placement.id, **values})
        for who, (member, values) in comers.items()
    }


def _visitor(app: Flask, session: Session, room: Classroom, member: Member, clock: FakeClock, **values: Any) -> Visitor:
    visit, secret = a_visit(session, member, room.registration, now=clock.now(), **values)
    return Visitor(app, visit.key, secret, member)


def _from_elsewhere(app: Flask, kit: Kit, clock: FakeClock) -> dict[str, Visitor]:
    """People of another institution whose ids are those of this one as far as they can be."""
    with kit.open_session() as session:
        room = a_classroom(session, "Far", "Away", now=clock.now(), groups=(("Far", "Away"),))
        far, boss = room.members["Far"], room.members[INSTRUCTOR]
        session.get_one(Person, boss.person_id).is_administrator = True
        own = {"placement_id": room.placement.id}
        admin = {"kind": VisitKind.INSTITUTION, "frame_origins": [], "placement_id": None}
        return {
            "learner elsewhere": _visitor(app, session, room, far, clock, **own),
            "instructor elsewhere": _visitor(app, session, room, boss, clock, **own),
            "admin elsewhere": _visitor(app, session, room, boss, clock, **admin),
        }


def _ids(session: Session, room: Classroom, kind: Kind) -> dict[str, list[Any]]:
    """What can stand in an address, by the name of its place."""

    def all_of(table: Any) -> list[int]:
        return list(session.scalars(select(table.id).order_by(table.id)))

    return {
        "number": [1],
        "member_id": [room.members[name].id for name in (*_learners(room), INSTRUCTOR)],
        "step": [step.key for step in kind.steps],
        "feedback_id": [*all_of(Entry), *session.scalars(select(Entry.alias).where(Entry.alias.is_not(None)))],
        "occasion_id": all_of(Occasion),
        "goal_id": all_of(Goal),
        "action_id": all_of(Action),
        "win_id": all_of(Win),
        "resource_id": all_of(Resource),
        "report_id": all_of(Report),
        "practice_id": all_of(Practice),
        "score_id": all_of(ScoreState),
        "certificate_id": all_of(Certificate),
        "of": ["certificate", "programme-certificate"],
        "programme_id": all_of(Programme),
        "act_id": all_of(StaffAct),
        "group_id": all_of(Group),
        "field": ["strengths", "next_time_1"],
        "person_id": list(session.scalars(select(Person.id).order_by(Person.id))),
        "registration_id": list(session.scalars(select(Registration.id))),
        "rubric_id": all_of(Rubric),
        "kept_id": all_of(KeptText),
        "activity_id": [room.activity.id],
        "key": ["nothing"],
        "topic_key": ["feedback"],
        "card_key": ["goals"],
        "moment": ["before"],
        "figure": ["goals", "steps"],
        "template_id": [1],
        "invitation_id": [1],
        "parked_id": [1],
    }
