"""A table of people: who is meant, what would change, what is wrong, and that all of it or nothing is taken over."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.attributes import service
from lti_tool.attributes.errors import CheckOutdated, ChoicesConflict, NoPersonColumn, TableUnconfirmed, UploadGone
from lti_tool.attributes.models import AttributeUpload, MemberAttribute, Outsider
from lti_tool.attributes.rules.catalogue import NOBODY, Flaw, Source
from lti_tool.attributes.rules.checking import Complaint, Fault
from lti_tool.attributes.rules.tables import Layout
from lti_tool.attributes.service import reading, uploads
from lti_tool.attributes.service.uploads import Check
from lti_tool.jobs.queue import JobContext
from lti_tool.launch.models import Member, Person
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.wiring import Services
from tests.factories.pairing import Class, a_class
from tests.factories.people import a_course, a_deployment
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


class Office:
    """A course of four learners, and somebody who uploads tables."""

    def __init__(self, session: Session, clock: FakeClock) -> None:
        self.session, self.clock = session, clock
        self.group: Class = a_class(session, 4)
        self.course_id = self.group.course.id
        self.ann, self.bo, self.cy, self.di = self.group.learners
        for member, name, sourced_id in ((self.ann, "Ann Berg", "hr-1"), (self.bo, "Bo Ek", "hr-2")):
            person = session.get_one(Person, member.person_id)
            person.name, person.email, person.sourced_id = name, f"{name.split()[0]}@example.org", sourced_id
        session.get_one(Person, self.cy.person_id).name = "Same Name"
        session.get_one(Person, self.di.person_id).name = "Same Name"
        session.flush()

    def keeps(self, *lines: str) -> AttributeUpload:
        content = "\n".join(lines).encode()
        by = self.ann.person_id
        return uploads.keep(self.session, self.course_id, by, content, {}, now=self.clock.now())

    def checks(self, *lines: str, choices: dict[int, int] | None = None) -> Check:
        return uploads.check(self.session, self.keeps(*lines), choices or {}, {})

    def takes(
        self, *lines: str, choices: dict[int, int] | None = None, meanings: dict[int, str] | None = None
    ) -> Check:
        upload = self.keeps(*lines)
        return uploads.apply_table(self.session, upload, choices or {}, meanings or {}, now=self.clock.now())

    def knows(self, member: Member) -> dict[str, object]:
        found = reading.values_of_members(self.session, [member.id])[member.id]
        return {key: next(iter(known.value.values())) for key, known in found.items()}


@pytest.fixture
def office(open_session: OpenSession, clock: FakeClock) -> Iterator[Office]:
    with open_session() as session:
        yield Office(session, clock)


def test_rows_are_matched_by_key_id_records_mail_and_a_name_that_is_unique(office: Office) -> None:
    sub = office.session.get_one(Person, office.cy.person_id).sub

    check = office.takes(
        "key,lms_id,sourcedid,e-mail,name,department",
        f"t{office.di.id},,,,,One",
        f",{sub},,,,Two",
        ",,hr-1,,,Three",
        ",,,BO@EXAMPLE.ORG,,Four",
    )

    assert check.people == {"new": 4}
    assert [office.knows(one)["department"] for one in office.group.learners] == ["Three", "Four", "Two", "One"]


def test_a_name_counts_when_nothing_better_is_there_and_it_is_unique(office: Office) -> None:
    check = office.checks("name;department", "ann  BERG;One", "Ek, Bo;Two", "Same Name;Three", "Nobody Here;Four")

    assert set(check.findings.changes) == {office.ann.id, office.bo.id}
    assert [(row.line, row.who) for row in check.findings.open_rows] == [(4, "Same Name"), (5, "Nobody Here")]
    assert {member for member, _ in check.candidates} == {office.cy.id, office.di.id}


def test_a_row_whose_columns_name_two_people_is_left_out(office: Office) -> None:
    check = office.checks("key,e-mail,department", f"T{office.ann.id},bo@example.org,One")

    assert check.findings.complaints == [Complaint(2, Fault.CONTRADICTION)]
    assert check.findings.changes == {}


def test_the_key_of_another_course_names_nobody_and_the_mail_does(office: Office) -> None:
    assert set(office.checks("key,e-mail,department", "T999999,bo@example.org,One").findings.changes) == {office.bo.id}


def test_people_listed_twice_are_left_out_unless_both_rows_say_the_same(office: Office) -> None:
    check = office.checks(
        "e-mail,department", "ann@example.org,One", "bo@example.org,Same", "Ann@example.org,Two", "bo@example.org,Same"
    )

    assert check.findings.complaints == [
        Complaint(2, Fault.TWICE, lines=(4,)),
        Complaint(4, Fault.TWICE, lines=(2,)),
    ]
    assert set(check.findings.changes) == {office.bo.id}


@pytest.mark.parametrize(
    "lines",
    [
        ("e-mail,department,experience", "ann@example.org,Sales,3", "bo@example.org,,4"),
        ("e-mail,department", "ann@example.org,CARE"),
        ("e-mail,manager", "ann@example.org,Bo Ek", "bo@example.org,Eva Outside"),
        ("name,manager", "Ann Berg,Eva Outside", "Eva Outside,Mia Outside", "Bo Ek,nobody"),
        ("e-mail,languages,slots", "ann@example.org,sv;en,mon", "bo@example.org,many,"),
    ],
)
def test_taking_a_table_over_changes_just_what_the_check_showed(office: Office, lines: tuple[str, ...]) -> None:
    known = {office.ann.id: {"department": {"name": "Care"}, "experience": {"number": 1}}}
    service.put(office.session, known, Source.QUESTIONNAIRE, now=office.clock.now())
    members = [one.id for one in office.group.learners]

    def values() -> dict[tuple[int, str], object]:
        found = reading.values_of_members(office.session, members)
        people = reading.names_of_people(office.session, [one.value for of in found.values() for one in of.values()])
        return {(one, key): reading.written(of.value, people) for one, by in found.items() for key, of in by.items()}

    before = values()
    seen = office.checks(*lines)
    assert values() == before

    done = office.takes(*lines)

    after = values()
    changed = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
    assert changed == {(one.member_id, one.attribute) for one in seen.changes}
    assert (seen.changes, seen.people, seen.findings.outside) == (done.changes, done.people, done.findings.outside)
    assert office.checks(*lines).changes == []


def test_a_check_says_what_is_new_changed_and_the_same_and_changes_nothing(office: Office) -> None:
    service.put(
        office.session,
        {office.ann.id: {"department": {"name": "Sales"}, "experience": {"number": 1}}},
        Source.STAFF,
        now=office.clock.now(),
    )
    service.answer(office.session, office.bo.id, {"languages": {"names": ["sv"]}}, now=office.clock.now())

    check = office.checks(
        "e-mail,department,experience,languages",
        "ann@example.org,Sales,2,",
        "bo@example.org,IT,,Swedish; English",
    )

    assert check.new == {"department": 1}
    assert check.changed == {"experience": 1, "languages": 1}
    assert check.same == {"department": 1}
    assert check.own_words == 1
    assert check.people == {"changed": 2}
    assert office.knows(office.ann) == {"department": "Sales", "experience": 1}
    assert office.knows(office.bo) == {"languages": ["sv"]}


def test_empty_cells_change_nothing_and_none_takes_a_value_away(office: Office) -> None:
    values = {"department": {"name": "Sales"}, "cohort": {"name": "2025"}}
    service.put(office.session, {office.ann.id: values}, Source.LAUNCH, now=office.clock.now())

    office.takes("e-mail,department,cohort", "ann@example.org,,'-")

    assert office.knows(office.ann) == {"department": "Sales"}


def test_each_bad_cell_is_left_out_and_says_what_is_wrong(office: Office) -> None:
    check = office.takes(
        "e-mail,department,experience,time_zone,manager",
        "ann@example.org,Sales,many,,",
        "bo@example.org,,,,bo@example.org",
        f"T{office.cy.id},IT,,Mars,",
    )

    assert check.findings.complaints == [
        Complaint(2, Fault.VALUE, "experience", Flaw.NOT_A_NUMBER),
        Complaint(3, Fault.OWN_MANAGER, "manager"),
    ]
    assert [row.line for row in check.findings.open_rows] == [4]
    assert office.knows(office.ann) == {"department": "Sales"}
    assert check.people == {"new": 1}
    assert office.session.scalar(select(func.count(MemberAttribute.id))) == 1


TABLES = Path(__file__).parents[1] / "unit/attributes/tables"


def called(office: Office, **people: tuple[str, str | None, str | None]) -> None:
    """What the LMS says of some learners: name, address, id of the records."""
    for place, (name, email, sourced_id) in people.items():
        person = office.session.get_one(Person, getattr(office, place).person_id)
        person.name, person.email, person.sourced_id = name, email, sourced_id
    office.session.flush()


def test_addresses_and_values_are_the_same_with_and_without_what_nobody_sees(office: Office) -> None:
    called(office, ann=("Åsa", "asa.oberg@uni.example", None), bo=("Søren", "soren.kjaer@uni.example", None))
    for name in ("invisible-address.csv", "invisible-value.csv"):
        office.takes(*(TABLES / name).read_text().splitlines())
        assert office.knows(office.ann) == office.knows(office.bo) == {"department": "Sales"}


def test_a_name_is_the_same_with_any_apostrophe(office: Office) -> None:
    called(office, ann=("Ann-Kristin O'Neil", None, None))
    office.takes(*(TABLES / "apostrophe.csv").read_text().splitlines())
    assert office.knows(office.ann) == {"department": "Sales"}


def test_ids_are_found_as_spreadsheets_write_them_where_they_name_one_person(office: Office) -> None:
    called(office, ann=("Ann", None, "000423"), bo=("Bo", None, "ab12cde"))
    office.takes(*(TABLES / "id-zeros.csv").read_text().splitlines())
    office.takes(*(TABLES / "id-case.csv").read_text().splitlines())
    assert office.knows(office.ann) == office.knows(office.bo) == {"department": "Sales"}

    called(office, cy=("Cy", None, "0423"), di=("Di", None, "AB12CDE"))
    assert set(office.checks("sourcedid,department", "423,X").findings.changes) == set()
    assert set(office.checks("sourcedid,department", "AB12CDE,X").findings.changes) == {office.di.id}


def test_zones_of_windows_and_offsets_are_zones_and_another_costs_only_its_cell(office: Office) -> None:
    called(office, ann=("Åsa", "asa.oberg@uni.example", None), bo=("Søren", "soren.kjaer@uni.example", None))
    lines = (TABLES / "zones.csv").read_text().splitlines()
    office.takes(*lines)
    assert office.knows(office.ann) == {"time_zone": "Europe/Berlin", "department": "Sales"}
    assert office.knows(office.bo) == {"time_zone": "Etc/GMT-1", "department": "Sales"}
    check = office.takes(lines[0], "asa.oberg@uni.example,Mars Standard Time,IT")
    assert [one.flaw for one in check.findings.complaints] == [Flaw.NO_ZONE]
    assert office.knows(office.ann) == {"time_zone": "Europe/Berlin", "department": "IT"}


def test_languages_are_known_as_people_write_them(office: Office) -> None:
    called(
        office,
        ann=("Åsa", "asa.oberg@uni.example", None),
        bo=("Søren", "soren.kjaer@uni.example", None),
        cy=("Zoë", "zoe.muller@uni.example", None),
    )
    office.takes(*(TABLES / "languages.csv").read_text().splitlines())
    assert [office.knows(one)["languages"] for one in (office.ann, office.bo, office.cy)] == [
        ["en", "sv"],
        ["da", "en"],
        ["de", "en"],
    ]


def test_nothing_is_taken_over_before_somebody_looked_at_what_is_uncertain(office: Office) -> None:
    upload = office.keeps("who,department", "Ann Berg,Sales")
    with pytest.raises(TableUnconfirmed):
        uploads.apply_table(office.session, upload, {}, {}, now=office.clock.now())
    sheet = uploads.read_again(upload, Layout(), {})
    with pytest.raises(NoPersonColumn):
        uploads.agree(office.session, upload, sheet, (None, "department"))
    uploads.agree(office.session, upload, sheet, ("name", "department"))
    uploads.apply_table(office.session, upload, {}, {}, now=office.clock.now())
    assert office.knows(office.ann) == {"department": "Sales"}


def test_a_file_kept_by_an_older_version_is_uploaded_again(office: Office) -> None:
    upload = office.keeps("name,department", "Ann Berg,Sales")
    upload.sheet = {key: value for key, value in upload.sheet.items() if key not in {"content", "questions", "mended"}}
    assert uploads.check(office.session, upload, {}, {}).people == {"new": 1}
    with pytest.raises(UploadGone):
        uploads.read_again(upload, Layout(), {})


def test_managers_are_people_of_the_course_or_outside_it_or_nobody(office: Office) -> None:
    office.takes(
        "e-mail,name,manager",
        "ann@example.org,,Ek; Bo",
        "bo@example.org,,boss@example.org",
        f",,{office.ann.id}",
        "boss@example.org,The Boss,Top Manager",
        "unrelated@example.org,Un Related,Nobody Knows",
    )
    office.takes("key,manager", f"T{office.cy.id},the boss", f"T{office.di.id},none", f"T{office.ann.id},hr-2")

    lines = service.attributes_of(office.session, office.course_id)["manager"]
    outside = office.session.scalars(select(Outsider.name).order_by(Outsider.id)).all()
    assert "boss@example.org" in outside
    assert "Top Manager" in outside
    assert "Nobody Knows" not in outside
    boss = lines[office.bo.id]
    assert isinstance(boss, int)
    assert boss < 0
    top = lines[boss]
    assert isinstance(top, int)
    assert top < 0
    assert lines[office.ann.id] == office.bo.id
    assert lines[office.di.id] is None


def test_a_row_about_a_manager_outside_joins_a_line_through_them(office: Office) -> None:
    office.takes(
        "e-mail,name,manager",
        "ann@example.org,,The Boss",
        "bo@example.org,,boss@example.org",
        "boss@example.org,The Boss,Same Name",
    )

    lines = service.attributes_of(office.session, office.course_id)["manager"]
    assert lines[office.ann.id] == lines[office.bo.id]
    assert len(office.session.scalars(select(Outsider.id)).all()) == 2


def test_a_table_is_shown_again_when_only_a_manager_outside_would_be_another(office: Office) -> None:
    def lines(manager: str) -> tuple[str, ...]:
        return "name,manager", "Ann Berg,Eva Outside", f"Eva Outside,{manager}"

    shown = office.checks(*lines("Mia Outside"))
    upload = office.keeps(*lines("Ida Outside"))

    assert uploads.check(office.session, upload, {}, {}).changes == shown.changes
    with pytest.raises(CheckOutdated):
        uploads.apply_table(office.session, upload, {}, {}, seen=shown.fingerprint, now=office.clock.now())


def test_a_loop_of_managers_is_named_with_all_its_rows(office: Office) -> None:
    check = office.checks(
        "key,e-mail,manager",
        f"T{office.ann.id},,boss@example.org",
        ",boss@example.org,bo@example.org",
        f"T{office.bo.id},,T{office.ann.id}",
        f"T{office.cy.id},,T{office.ann.id}",
    )

    assert check.findings.complaints == [
        Complaint(2, Fault.LOOP, "manager", lines=(4,)),
        Complaint(4, Fault.LOOP, "manager", lines=(2,)),
    ]
    assert set(check.findings.changes) == {office.cy.id}


def test_a_loop_is_seen_through_what_is_known_already(office: Office) -> None:
    service.put(
        office.session, {office.ann.id: {"manager": {"member": office.bo.id}}}, Source.CSV, now=office.clock.now()
    )

    check = office.checks("key,manager", f"T{office.bo.id},T{office.ann.id}")

    assert [one.fault for one in check.findings.complaints] == [Fault.LOOP]
    assert office.checks("key,manager", f"T{office.bo.id},none").findings.complaints == []
    assert office.checks("key,manager", f"T{office.ann.id},T{office.cy.id}").changed == {"manager": 1}


def test_rows_that_nobody_was_found_for_are_given_to_somebody_or_skipped(office: Office) -> None:
    lines = ("name,department", "Same Name,One", "Dee,Two", "Ann Berg,Three")

    office.takes(*lines, choices={3: office.di.id})

    assert office.knows(office.di) == {"department": "Two"}
    assert office.knows(office.cy) == {}
    assert office.knows(office.ann) == {"department": "Three"}


@pytest.mark.parametrize("choices", [{2: "cy", 3: "cy"}, {3: "ann"}])
def test_nobody_can_be_chosen_for_two_rows_and_nothing_is_half_taken(office: Office, choices: dict[int, str]) -> None:
    chosen = {line: getattr(office, who).id for line, who in choices.items()}

    with pytest.raises(ChoicesConflict):
        office.takes("name,department", "Same Name,One", "Dee,Two", "Ann Berg,Three", choices=chosen)

    assert office.session.scalar(select(func.count(MemberAttribute.id))) == 0


def test_a_choice_of_somebody_who_is_not_in_the_course_is_passed_over(office: Office) -> None:
    assert office.takes("name,department", "Dee,Two", choices={2: 999999}).findings.changes == {}


def test_an_unknown_column_can_be_said_to_be_something(office: Office) -> None:
    lines = ("e-mail,Osasto,Shoes", "ann@example.org,Sälj,44")

    assert office.checks(*lines).unknown == [(1, "Osasto"), (2, "Shoes")]
    office.takes(*lines, meanings={1: "department", 2: "email"})

    assert office.knows(office.ann) == {"department": "Sälj"}


def test_a_table_is_taken_over_once_and_belongs_to_its_course(office: Office, clock: FakeClock) -> None:
    upload = office.keeps("e-mail,department", "ann@example.org,Sales")
    other = a_class_in(office)
    with pytest.raises(UploadGone):
        uploads.find(office.session, other, upload.key)

    uploads.apply_table(office.session, upload, {}, {}, now=clock.now())

    with pytest.raises(UploadGone):
        uploads.find(office.session, office.course_id, upload.key, to_take=True)


def a_class_in(office: Office) -> int:
    """Another course of the same institution."""
    return a_course(office.session, a_deployment(office.session, office.group.registration)).id


def test_a_second_upload_replaces_the_first_of_the_same_person(office: Office) -> None:
    first = office.keeps("e-mail,department", "ann@example.org,Sales").key
    office.keeps("e-mail,department", "ann@example.org,IT")

    with pytest.raises(UploadGone):
        uploads.find(office.session, office.course_id, first)


def test_what_nobody_took_over_is_deleted_after_a_day(
    open_session: OpenSession, clock: FakeClock, services: Services, kit: Kit
) -> None:
    with open_session() as session:
        office = Office(session, clock)
        office.keeps("e-mail,department", "ann@example.org,Sales")
        institution = office.group.course.institution_id
    purge = services.handlers["jobs.purge"]
    for hours, left in ((23, 1), (2, 0)):
        clock.advance(timedelta(hours=hours))
        purge(kit, JobContext(1, "jobs.purge", {}, None, 1))
        with open_session(institution) as session:
            assert session.scalar(select(func.count(AttributeUpload.id))) == left


def test_the_same_table_twice_changes_nothing_the_second_time(office: Office) -> None:
    lines = (
        "e-mail,department,languages,manager",
        "ann@example.org,Sales,en;sv,boss@example.org",
        "bo@example.org,IT,,none",
    )
    office.takes(*lines)

    check = office.checks(*lines)

    assert check.people == {"same": 2}
    assert not check.changes
    assert office.knows(office.bo)["manager"] == NOBODY["nobody"]
