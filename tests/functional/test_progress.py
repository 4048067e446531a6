"""Staff look after progress: the grid, one learner, more time, and the table to take away."""

import csv
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.activities.models import Activity
from lti_tool.feedback.models import Entry
from lti_tool.pairing import service as pairing
from lti_tool.progress import service
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.factories.pairing import a_learner, a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, a_school

SECRET_TEXT = "Only the two of us know this"


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    """Six learners with a published plan, one round due yesterday and one in a week."""
    due = clock.now() - timedelta(days=1), clock.now() + timedelta(days=7)
    school = a_school(app, kit, clock, rounds=[(None, due[0]), (None, due[1])])
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now() - timedelta(days=5))
    return school


def give(school: School, place: int, at_day: int = 0) -> None:
    """Let a learner give feedback in round 1."""
    at = school.clock.now() - timedelta(days=at_day)
    author = school.group.learners[place].id
    with school.kit.open_session(school.institution_id) as session:
        view = pairing.published_groups(session, school.group.activity.id, member_id=author)[0]
        session.add(
            Entry(
                activity_id=school.group.activity.id,
                round_id=school.group.rounds[0].id,
                group_id=view.id,
                step="give_feedback",
                author_id=author,
                recipient_id=view.partners_of(author)[0],
                fields={"strengths": SECRET_TEXT},
                version=1,
                created_at=at,
                saved_at=at,
                submitted_at=at,
            )
        )


def test_the_grid_says_who_did_what_in_words(school: School) -> None:
    give(school, 0, at_day=2)

    page = school.somebody("instructor").get("/progress").text

    assert "Who is behind, and since when" in page
    people = page.split('id="people"')[1]
    assert people.count("Overdue</span>") == 5  # all but one have not given theirs
    assert people.count("Done</span>") == 1
    assert "1 of 3" in people  # the partner never wrote in time, so that answer is not asked for
    assert SECRET_TEXT not in page


def test_a_number_leads_to_the_people_behind_it(school: School) -> None:
    give(school, 0, at_day=2)
    instructor = school.somebody("instructor")

    done = instructor.get("/progress?step=1-give_feedback&state=done").text

    assert "1 person." in done
    assert 'data-label="Done"' in done
    assert "Åsa Lindqvist 1" in done.split('id="people"')[1]
    assert "Mette" not in done.split('id="people"')[1]


@pytest.mark.parametrize("query", ["?show=behind", "?q=mette", "?show=nonsense&step=9-x&page=-3", "?page=zzz&state='"])
def test_any_address_of_the_grid_is_answered(school: School, query: str) -> None:
    assert school.somebody("assistant").get(f"/progress{query}").status_code == 200


def test_a_name_is_found_in_any_case(school: School) -> None:
    people = school.somebody("instructor").get("/progress?q=METTE").text.split('id="people"')[1]

    assert "Mette Sørensen" in people
    assert "Femke" not in people


@pytest.mark.parametrize("role", ["learner", "observer"])
def test_learners_and_observers_do_not_see_progress(school: School, role: str) -> None:
    visitor = school.somebody(role)
    member_id = school.group.learners[0].id

    assert visitor.get("/progress").status_code == 403
    assert visitor.get(f"/progress/{member_id}").status_code == 403
    assert visitor.post(f"/progress/{member_id}/allow/1", wish="excuse").status_code == 403
    assert visitor.post("/progress/export").status_code == 403


def test_one_learner_is_shown_with_partners_and_dates_and_without_texts(school: School) -> None:
    give(school, 0)
    member = school.group.learners[0]

    page = school.somebody("assistant").get(f"/progress/{member.id}").text

    assert "Åsa Lindqvist 1" in page
    assert "late" in page
    assert "not what was written" in page
    assert SECRET_TEXT not in page


@pytest.mark.parametrize("was_told", [True, False])
def test_staff_read_feedback_only_where_its_author_was_told_so(school: School, was_told: bool) -> None:
    give(school, 0)
    with school.kit.open_session(school.institution_id) as session:
        session.get_one(Activity, school.group.activity.id).staff_read_feedback = True
        feedback = session.scalars(select(Entry)).one()
        feedback.is_open_to_staff = was_told
        feedback_id = feedback.id
    instructor = school.somebody("instructor")

    page = instructor.get(f"/progress/{school.group.learners[0].id}").text

    assert (f"/feedback/{feedback_id}" in page) == was_told
    assert SECRET_TEXT not in page


def test_more_time_is_given_in_the_zone_of_the_activity(school: School, clock: FakeClock) -> None:
    member_id = school.group.learners[0].id
    assistant = school.somebody("assistant")

    answer = assistant.post(f"/progress/{member_id}/allow/1", wish="extend", day="2026-11-05", clock="")

    assert "More time given" in answer.text
    assert "More time: due" in answer.text
    with school.kit.open_session(school.institution_id) as session:
        allowance = service.allowances_of(session, school.group.activity.id, member_id)[1]
        assert allowance.due_at is not None
        assert allowance.due_at.isoformat() == "2026-11-05T22:59:00+00:00"
        assert service.progress_of(session, school.group.activity.id, member_id, clock.now()).behind_since is None


def test_an_excuse_is_given_and_taken_back(school: School) -> None:
    member_id = school.group.learners[0].id
    instructor = school.somebody("instructor")

    assert "Excused from this round" in instructor.post(f"/progress/{member_id}/allow/1", wish="excuse").text
    assert "Excused from this round" not in instructor.post(f"/progress/{member_id}/allow/1", wish="take_back").text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose what to allow"),
        ({"wish": "extend"}, "Type the new date"),
        ({"wish": "extend", "day": "soon"}, "Type the new date"),
        ({"wish": "extend", "day": "2026-12-01", "clock": "25:99"}, "Type the time"),
        ({"wish": "extend", "day": "2026-10-01"}, "Choose a date in the future"),
        ({"wish": "extend", "day": "9999-12-31"}, "Type the new date"),
    ],
)
def test_what_cannot_be_allowed_is_explained_and_kept(school: School, fields: dict[str, str], sentence: str) -> None:
    member_id = school.group.learners[0].id

    answer = school.somebody("instructor").post(f"/progress/{member_id}/allow/1", **fields)

    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2  # in the summary and beside the field
    if fields.get("day", "").startswith("2026"):
        assert f'value="{fields["day"]}"' in answer.text


def test_people_of_other_courses_and_staff_have_no_page_here(school: School, app: Flask, kit: Kit) -> None:
    other = a_school(app, kit, school.clock)
    instructor = school.somebody("instructor")

    for member_id in (other.group.learners[0].id, instructor.member.id, 10**9):
        assert instructor.get(f"/progress/{member_id}").status_code == 404
        assert instructor.post(f"/progress/{member_id}/allow/1", wish="excuse").status_code == 404
    assert instructor.post(f"/progress/{school.group.learners[0].id}/allow/9", wish="excuse").status_code == 404


def test_the_table_is_downloaded_once_and_runs_no_formula(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        a_learner(session, school.group.registration, school.group.course, '=HYPERLINK("https://evil.example")')
    give(school, 0, at_day=2)
    instructor = school.somebody("instructor")

    address = instructor.send("/progress/export").headers["Location"]
    answer = school.app.test_client().get(address)

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert table[0][:3] == ["Name", "E-mail", "Round 1: Feedback given"]
    assert len(table) == 1 + 7
    by_name = {line[0]: line for line in table}
    assert by_name["Åsa Lindqvist 1"][2] == "Done"
    assert '\'=HYPERLINK("https://evil.example")' in by_name
    [given] = [place for place, title in enumerate(table[0]) if title.startswith("Round 1: Feedback given, when (")]
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}", by_name["Åsa Lindqvist 1"][given])
    partner = by_name["Åsa Lindqvist 1"][table[0].index("Round 1: partners")]
    assert by_name[partner][table[0].index("Round 1: partners")] == "Åsa Lindqvist 1"
    assert SECRET_TEXT not in answer.text
    assert school.app.test_client().get(address).status_code == 410


def test_the_table_is_separated_as_the_readers_spreadsheet_has_it(school: School) -> None:
    instructor = school.somebody("instructor", locale="sv-SE")
    answer = school.app.test_client().get(instructor.send("/progress/export").headers["Location"])
    assert answer.data.decode("utf-8-sig").startswith("Namn;E-post;")


def test_an_assistant_may_not_take_the_table_away(school: School) -> None:
    assistant = school.somebody("assistant")

    assert "Download as a table" not in assistant.get("/progress").text
    assert assistant.post("/progress/export").status_code == 403


def test_before_the_plan_is_published_the_page_leads_to_it(app: Flask, kit: Kit, clock: FakeClock) -> None:
    page = a_school(app, kit, clock).somebody("instructor").get("/progress").text

    assert "Learners cannot begin until the plan is published" in page


def test_a_course_without_learners_says_what_fills_the_page(app: Flask, kit: Kit, clock: FakeClock) -> None:
    page = a_school(app, kit, clock, learners=0).somebody("instructor").get("/progress").text

    assert "No one is taking part yet" in page


def test_a_review_opened_by_the_gradebook_shows_that_learner(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        names = pairing.names_of(session, [school.group.learners[2].id])
    reviewer = school.somebody("instructor", kind=VisitKind.REVIEW)

    page = reviewer.get(f"/progress/{school.group.learners[2].id}")

    assert page.status_code == 200
    assert str(names[school.group.learners[2].id]) in page.text
