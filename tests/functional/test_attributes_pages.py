"""Instructors learn what is known about learners: tables up and down, one learner, questions, deleting."""

import csv
import io
import re

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lti_tool.attributes import service
from lti_tool.attributes.models import AttributeUpload, MemberAttribute
from lti_tool.attributes.rules.catalogue import Source
from lti_tool.attributes.service import reading
from lti_tool.launch.models import Course, Person
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from tests.factories.pairing import a_learner
from tests.factories.people import a_course, a_deployment
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school

PEOPLE = "/people"


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    return a_school(app, kit, clock)


@pytest.fixture
def instructor(school: School) -> Visitor:
    return school.somebody("instructor")


def sent(visitor: Visitor, content: bytes) -> TestResponse:
    """The answer to an upload. Its body is written here: the client's own would leave large ones in open files."""
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="table"; filename="people.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + content + b"\r\n--edge--\r\n"
    )
    proof = {"Authorization": f"Bearer {visitor.secret}", "Accept": "text/html"}
    return visitor.app.test_client().post(
        f"/v/{visitor.key}/people/upload",
        data=body,
        content_type="multipart/form-data; boundary=edge",
        headers=proof,
        follow_redirects=True,
    )


def uploads(visitor: Visitor, content: str | bytes) -> str:
    """The page that follows an upload."""
    return sent(visitor, content.encode() if isinstance(content, str) else content).text


def address(page: str) -> str:
    found = re.search(r'action="/v/[^/]+(/people/upload/[\w-]+(?:[?]seen=\w+)?)"', page)
    assert found is not None, page
    return found[1]


def known(school: School, place: int) -> dict[str, object]:
    member = school.group.learners[place]
    with school.kit.open_session(school.institution_id) as session:
        found = reading.values_of_members(session, [member.id])[member.id]
        return {key: next(iter(one.value.values())) for key, one in found.items()}


def called(school: School, place: int) -> str:
    with school.kit.open_session(school.institution_id) as session:
        return session.get_one(Person, school.group.learners[place].person_id).name or ""


def keep(school: School, place: int, source: Source = Source.CSV, **values: str) -> None:
    with school.kit.open_session(school.institution_id) as session:
        changes = {school.group.learners[place].id: {key: {"name": value} for key, value in values.items()}}
        service.put(session, changes, source, now=school.clock.now())


def kept_uploads(school: School) -> int:
    with school.kit.open_session(school.institution_id) as session:
        return session.scalar(select(func.count(AttributeUpload.id))) or 0


def fetched(visitor: Visitor) -> list[list[str]]:
    answer = visitor.app.test_client().get(visitor.send("/people/template").headers["Location"])
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_an_empty_page_says_how_more_gets_known(instructor: Visitor) -> None:
    page = instructor.get(PEOPLE).text

    assert "Nothing is known yet" in page
    assert "Download the table to fill in" in page
    assert "Nothing known" in page


def test_a_table_goes_down_is_filled_in_and_comes_back(school: School, instructor: Visitor) -> None:
    header, *lines = fetched(instructor)
    assert header[:5] == ["Tandem key", "LMS id", "SourcedId", "E-mail", "Name"]
    assert len(lines) == 6
    department = header.index("Department")
    for line in lines[:2]:
        line[department] = "Sälj"
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([header, *lines])

    check = uploads(instructor, text.getvalue().encode("utf-16"))
    assert "Read: 6 rows, in UTF-16, separated by semicolons." in check
    assert known(school, 0) == {}
    page = instructor.post(address(check), do="take").text

    assert "Imported: 2 people." in page
    assert "known for 2 of 6" in page
    assert "Department: Sälj" in page
    assert kept_uploads(school) == 0
    assert fetched(instructor)[0] == header


def test_a_table_in_latin_1_with_semicolons_is_read(school: School, instructor: Visitor) -> None:
    key = f"T{school.group.learners[0].id}"

    check = uploads(instructor, f"key;department\n{key};Försäljning\n".encode("latin-1"))

    assert "in Windows-1252, separated by semicolons" in check
    instructor.post(address(check), do="take")
    assert known(school, 0) == {"department": "Försäljning"}


def test_names_that_a_spreadsheet_would_run_are_harmless_and_come_back(school: School, instructor: Visitor) -> None:
    keep(school, 0, department="=HYPERLINK(1)")
    with school.kit.open_session(school.institution_id) as session:
        session.get_one(Person, school.group.learners[0].person_id).name = "@SUM(1)"
    rows = fetched(instructor)
    assert ["'@SUM(1)", "'=HYPERLINK(1)"] in [[line[4], line[5]] for line in rows]
    text = io.StringIO()
    csv.writer(text).writerows(rows)

    assert "Nothing to import" in uploads(instructor, text.getvalue())


def test_the_check_names_each_bad_row_and_takes_the_others(school: School, instructor: Visitor) -> None:
    one, two, three = (f"T{member.id}" for member in school.group.learners[:3])
    lines = ["key,experience,cohort,manager", f"{one},many,A,", f"{two},3,B,", f"{three},,C,{three}", f"{two},4,B,"]

    check = uploads(instructor, "\n".join([*lines, f"{three},,C,none"]))

    for sentence in (
        "Line 2: Experience is not a whole number.",
        "Line 3: The same person is also in line 5, with other values.",
        "Line 4: The same person is also in line 6, with other values.",
    ):
        assert sentence in check
    check = uploads(instructor, "\n".join(lines[:4]))
    assert "Line 4: It names the person as their own manager." in check
    page = instructor.post(address(check), do="take").text
    assert "Imported: 3 people." in page
    assert (known(school, 0), known(school, 2)) == ({"cohort": "A"}, {"cohort": "C"})
    assert known(school, 1) == {"experience": 3, "cohort": "B"}


def test_rows_that_name_nobody_are_chosen_and_unknown_columns_named(school: School, instructor: Visitor) -> None:
    check = uploads(instructor, "name,Osasto,Shoes\nSomebody Else,Sales,44\n")
    assert "Line 2: Somebody Else" in check
    assert '<label class="form-label" for="column-2">Shoes</label>' in check
    chosen = {"row-2": school.group.learners[4].id, "column-1": "department"}

    again = instructor.post(address(check), do="look", **chosen)
    assert again.status_code == 200
    assert f'value="{school.group.learners[4].id}" selected' in again.text
    assert "→ Sales" in again.text
    assert known(school, 4) == {}

    instructor.post(address(again.text), do="take", **chosen)
    assert known(school, 4) == {"department": "Sales"}


def test_a_table_changes_only_what_was_shown(school: School, instructor: Visitor) -> None:
    check = uploads(instructor, f"key,Wing\nT{school.group.learners[4].id},Sales\n")
    chosen = {"column-1": "department"}

    again = instructor.post(address(check), do="take", **chosen)

    assert again.status_code == 409
    assert "Please check once more" in again.text
    assert "→ Sales" in again.text
    assert known(school, 4) == {}
    keep(school, 4, department="Care")
    again = instructor.post(address(again.text), do="take", **chosen)
    assert again.status_code == 409
    assert "Care" in again.text
    assert known(school, 4) == {"department": "Care"}
    assert "Imported" in instructor.post(address(again.text), do="take", **chosen).text
    assert known(school, 4) == {"department": "Sales"}


def test_one_person_for_two_rows_is_refused_and_nothing_taken(school: School, instructor: Visitor) -> None:
    check = uploads(instructor, "name,cohort\nSomebody,A\nSomebody Else,B\n")
    chosen = {f"row-{line}": school.group.learners[0].id for line in (2, 3)}

    answer = instructor.post(address(check), do="take", **chosen)

    assert answer.status_code == 409
    assert "Line 3: this person already has a row" in answer.text
    assert known(school, 0) == {}
    assert kept_uploads(school) == 1


def test_a_table_is_thrown_away(school: School, instructor: Visitor) -> None:
    check = uploads(instructor, f"key,cohort\nT{school.group.learners[0].id},A\n")

    page = instructor.post(address(check), do="throw").text

    assert "discarded" in page
    assert kept_uploads(school) == 0
    assert known(school, 0) == {}
    gone = instructor.post(address(check), do="take")
    assert gone.status_code == 404
    assert "This upload is no longer here" in gone.text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file has no rows"),
        (b"PK\x03\x04rest", "This is a spreadsheet file"),
        (b"\x00\x01\x02\x03" * 99, "This is not a text file"),
        (b"name\n" + b"x" * 1_500_001, "The file is larger than 1.5 MB"),
        (b"name\n" + b"x\n" * 20_001, "more than 20,000 rows"),
    ],
)
def test_a_file_that_is_no_table_is_explained(
    school: School, instructor: Visitor, content: str | bytes, sentence: str
) -> None:
    assert sentence in uploads(instructor, content)
    assert kept_uploads(school) == 0


def test_a_file_that_is_not_understood_opens_the_page_where_one_says_what_it_is(
    school: School, instructor: Visitor
) -> None:
    name = called(school, 0)
    content = f"Osasto;Osallistuja\nFörsäljning;{name}\nIT;Nobody Else\n".encode("cp850")

    page = uploads(instructor, content)

    assert "How the table is read" in page
    assert "Tandem does not know which column says who a row is about" in page
    assert "Försäljning" in page
    assert name in page
    where = f"{address(page)}/columns"
    shown = re.search(r'name="shown" value="([^"]+)"', page)
    assert shown is not None
    way = {"shown": shown[1], "encoding": "DOS 850", "delimiter": "1", "header_line": "1"}

    unsaid = instructor.post(where, **way, **{"do": "agree", "column-0": "department"})
    assert unsaid.status_code == 422
    assert "Choose that column" in unsaid.text
    twice = instructor.post(where, **way, **{"do": "agree", "column-0": "name", "column-1": "name"})
    assert "Two columns cannot have the same meaning" in twice.text
    # What is agreed to is what was shown.
    other = instructor.post(where, **{**way, "encoding": "Mac Roman", "do": "agree", "column-1": "name"})
    assert "How the table is read" in other.text
    assert "Försäljning" not in other.text
    wrong = instructor.post(where, **{**way, "encoding": "UTF-8", "do": "again"})
    assert "The file does not use that encoding" in wrong.text

    check = instructor.post(where, **way, **{"do": "agree", "column-0": "department", "column-1": "name"}).text
    assert "Check the table" in check
    instructor.post(address(check), do="take")
    assert known(school, 0) == {"department": "Försäljning"}


def test_nothing_uncertain_is_taken_over_unseen(school: School, instructor: Visitor) -> None:
    page = uploads(instructor, f'name,department\n{called(school, 0)},"Sales\nBo,IT\n')
    assert "Lines with such a mark: 2." in page
    assert "How the table is read" in instructor.post(address(page), do="take").text
    assert known(school, 0) == {}


def test_an_upload_without_a_file_or_beyond_every_limit_is_explained(instructor: Visitor) -> None:
    nothing = instructor.post("/people/upload")
    assert nothing.status_code == 422
    assert "Choose a file first" in nothing.text
    unnamed = instructor.post("/people/upload", table=(io.BytesIO(b""), ""))
    assert "Choose a file first" in unnamed.text
    huge = sent(instructor, b"x" * 3_000_000)
    assert huge.status_code == 413
    assert "That was too large" in huge.text


def test_an_upload_works_by_cookie_and_needs_the_proof_of_our_own_form(school: School, instructor: Visitor) -> None:
    client = school.app.test_client()
    client.set_cookie(f"__Host-tandem-{instructor.key}", instructor.secret, secure=True)
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(f"/v/{instructor.key}/people").text)
    assert token is not None
    where = f"/v/{instructor.key}/people/upload"

    def send(**fields: str) -> int:
        return client.post(where, data={**fields, "table": (io.BytesIO(b"name\nAnn\n"), "a.csv")}).status_code

    assert send() == 400
    assert send(form_token=token[1]) == 303


@pytest.mark.parametrize(
    "noise",
    [
        {"do": "take", "row-2": "99999999", "row-9": "1", "column-1": "nonsense", "column-999999": "department"},
        {"do": "look", "row-x": "1", "row-2": "-1", "row-": "", "column-0": "key", "row-2²": "1"},
        {"do": "nonsense"},
        {},
    ],
)
def test_any_answer_to_the_check_is_answered(school: School, instructor: Visitor, noise: dict[str, str]) -> None:
    check = uploads(instructor, "name,Shoes\nSomebody,44\n")

    assert instructor.post(address(check), **noise).status_code == 200
    assert sum(bool(known(school, place)) for place in range(6)) == 0


@pytest.mark.parametrize("query", ["?missing=department", "?q=METTE", "?page=zzz&missing=nonsense", "?page=-3&q='"])
def test_any_address_of_the_list_is_answered(instructor: Visitor, query: str) -> None:
    assert instructor.get(PEOPLE + query).status_code == 200


def test_the_list_shows_who_is_not_known_and_finds_by_name(school: School, instructor: Visitor) -> None:
    keep(school, 0, department="Sales")
    keep(school, 1, cohort="2026")

    missing = instructor.get(f"{PEOPLE}?missing=department").text.split('id="people"')[1]
    found = instructor.get(f"{PEOPLE}?q=METTE").text.split('id="people"')[1]

    assert "Åsa Lindqvist" not in missing
    assert "5 people." in missing
    assert "Cohort: 2026" in found
    assert "Not known: Department" in found
    assert "Jonas" not in found


def test_one_learner_is_changed_by_hand_and_only_what_was_changed(school: School, instructor: Visitor) -> None:
    learner, other = school.group.learners[:2]
    keep(school, 0, source=Source.LAUNCH, department="Sales", cohort="2025")
    page = instructor.get(f"{PEOPLE}/{learner.id}").text
    assert "from the LMS" in page

    page = instructor.post(
        f"{PEOPLE}/{learner.id}",
        department="Sales",
        cohort="",
        languages="English; Swedish",
        manager=f"T{other.id}",
        slots="Monday morning",
    ).text

    assert "Saved." in page
    assert known(school, 0) == {
        "department": "Sales",
        "languages": ["en", "sv"],
        "manager": other.id,
        "slots": ["mon-am"],
    }
    with school.kit.open_session(school.institution_id) as session:
        sources = {key: one.source for key, one in reading.values_of_members(session, [learner.id])[learner.id].items()}
    assert sources["department"] == Source.LAUNCH
    assert sources["languages"] == Source.STAFF
    listed = instructor.get(PEOPLE).text
    assert "Languages: English, Swedish" in listed
    assert "Times of the week: Monday morning" in listed
    assert "Manager: Mette Sørensen 2" in listed


def test_what_is_typed_wrongly_about_one_learner_is_explained(school: School, instructor: Visitor) -> None:
    one, two = school.group.learners[:2]
    instructor.post(f"{PEOPLE}/{two.id}", manager=f"T{one.id}")

    answer = instructor.post(f"{PEOPLE}/{one.id}", experience="much", time_zone="Mars", manager=f"T{two.id}")

    assert answer.status_code == 422
    assert "Experience is not a whole number" in answer.text
    assert "Time zone is not a time zone" in answer.text
    assert "Manager would form a loop" in answer.text
    assert 'value="much"' in answer.text
    assert known(school, 0) == {}


def test_questions_are_switched_on_and_off(instructor: Visitor) -> None:
    page = instructor.post("/people/questions", asked=["languages", "slots", "manager", "x"]).text
    assert 'id="asked-slots" name="asked" value="slots" checked' in page
    assert 'value="needs" checked' not in page
    assert 'value="manager"' not in page

    page = instructor.post("/people/questions").text
    assert " checked" not in page


def test_deleting_asks_first_and_says_what_it_means(school: School, instructor: Visitor) -> None:
    keep(school, 0, department="Sales", cohort="2025")
    keep(school, 1, department="IT")
    asks = instructor.get(f"{PEOPLE}/delete?what=department").text
    assert "for 2 people in this course" in asks
    assert known(school, 0) != {}

    page = instructor.post(f"{PEOPLE}/delete", what="department").text
    assert "Deleted." in page
    assert known(school, 0) == {"cohort": "2025"}
    instructor.post(f"{PEOPLE}/delete", what="all")
    with school.kit.open_session(school.institution_id) as session:
        assert session.scalar(select(func.count(MemberAttribute.id))) == 0
        entries = session.scalars(select(AuditEntry).where(AuditEntry.what == "attributes deleted")).all()
    assert [entry.details["attribute"] for entry in entries] == ["department", "all"]
    assert "Sales" not in repr([entry.details for entry in entries])


@pytest.mark.parametrize("what", ["", "nonsense", "key"])
def test_nothing_else_can_be_deleted_so(school: School, instructor: Visitor, what: str) -> None:
    keep(school, 0, department="Sales")

    assert instructor.get(f"{PEOPLE}/delete?what={what}").status_code == 404
    assert instructor.post(f"{PEOPLE}/delete", what=what).status_code == 404
    assert known(school, 0) == {"department": "Sales"}


@pytest.mark.parametrize("role", ["assistant", "learner", "observer"])
def test_only_instructors_see_any_of_it(school: School, instructor: Visitor, role: str) -> None:
    keep(school, 0, department="Secret Service")
    check = uploads(instructor, f"key,cohort\nT{school.group.learners[0].id},A\n")
    visitor = school.somebody(role)
    learner = school.group.learners[0].id

    for path in (PEOPLE, f"{PEOPLE}/{learner}", address(check), f"{PEOPLE}/delete?what=all"):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert "Secret" not in answer.text
    for path in (
        *(f"{PEOPLE}/template", f"{PEOPLE}/upload", address(check), f"{PEOPLE}/questions", f"{PEOPLE}/delete"),
        f"{PEOPLE}/{learner}",
    ):
        assert visitor.post(path, what="all", do="take").status_code == 403
    assert known(school, 0) == {"department": "Secret Service"}
    if role == "assistant":
        assert "/people" not in visitor.get("/plan").text


def test_people_of_other_courses_cannot_be_looked_at(school: School, instructor: Visitor) -> None:
    with school.kit.open_session(school.institution_id) as session:
        course = a_course(session, a_deployment(session, school.group.registration))
        stranger = a_learner(session, school.group.registration, course, "Stranger").id

    assert instructor.get(f"{PEOPLE}/{stranger}").status_code == 404
    assert instructor.post(f"{PEOPLE}/{stranger}", department="x").status_code == 404
    assert instructor.get(f"{PEOPLE}/99999").status_code == 404
    assert instructor.post(f"{PEOPLE}/99999", department="x").status_code == 404


def test_a_closed_activity_takes_no_table_and_can_still_be_emptied(school: School, instructor: Visitor) -> None:
    keep(school, 0, department="Sales")
    with school.kit.open_session(school.institution_id) as session:
        session.get_one(Course, school.group.course.id).ended_at = school.clock.now()

    assert "Upload and check" not in instructor.get(PEOPLE).text
    assert instructor.post("/people/upload", table=(io.BytesIO(b"name\nA\n"), "a.csv")).status_code == 403
    assert "Deleted." in instructor.post(f"{PEOPLE}/delete", what="all").text


def test_a_course_of_two_thousand_is_shown_in_pages(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, learners=2000)
    instructor = school.somebody("instructor")
    lines = [f"T{one.id},Unit {one.id % 7},{one.id % 9}" for one in school.group.learners]
    check = uploads(instructor, "\n".join(["key,department,experience", *lines]))

    page = instructor.post(address(check), do="take").text

    assert "Imported: 2000 people." in page
    assert "Page 1 of 40" in page
    assert len(page) < 150_000
    assert len(check) < 60_000
