"""Staff look at the ledger and set right what did not arrive."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.activities.models import Activity
from lti_tool.grades.models import NO_SCORE, LineItem, ScoreAttempt, ScoreState
from lti_tool.grades.pages import COLUMNS, LEFT_TO_PEOPLE, REASONS
from lti_tool.grades.rules import WHOLE, Reason
from lti_tool.grades.service.places import line_item_of
from lti_tool.grades.service.pushing import ask_for_push
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course
from lti_tool.progress.models import StaffAct
from lti_tool.support.kit import Kit
from tests.fakes.clock import FakeClock
from tests.functional.guests import text_of
from tests.functional.teaching import School, a_school


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    return a_school(app, kit, clock)


def a_score(school: School, place: int, state: str, reason: str | None = None, **values: object) -> int:
    """A learner's score in this state, with one attempt that ended so."""
    now = school.clock.now()
    with school.kit.open_session(school.institution_id) as session:
        line = line_item_of(session, school.group.activity.id)
        score = ScoreState(
            **{
                "line_item_id": line.id,
                "member_id": school.group.learners[place].id,
                "state": state,
                "reason": reason,
                "wanted": WHOLE,
                "changed_at": now,
                **values,
            }
        )
        session.add(score)
        session.flush()
        session.add(
            ScoreAttempt(
                score_id=score.id,
                at=now - timedelta(minutes=5),
                share=WHOLE,
                outcome="refused" if state == "refused" else "delivered",
                reason=reason,
                status=422 if state == "refused" else 200,
            )
        )
        return score.id


def column(school: School, state: str) -> None:
    with school.kit.open_session(school.institution_id) as session:
        line = line_item_of(session, school.group.activity.id)
        line.state, line.url = state, "https://lms.example/lineitems/1"


def jobs(school: School) -> list[str]:
    with school.kit.open_session() as session:
        return list(session.scalars(select(Job.name).where(Job.state == "waiting").order_by(Job.id)))


def score(school: School, score_id: int) -> ScoreState:
    with school.kit.open_session(school.institution_id) as session:
        return session.get_one(ScoreState, score_id)


def test_the_ledger_lists_everybody_in_words(school: School) -> None:
    now = school.clock.now()
    a_score(school, 0, "delivered", sent=WHOLE, sent_at=now)
    a_score(school, 1, "refused", Reason.NOT_GRADABLE)
    a_score(school, 2, "waiting", Reason.BUSY)

    page = school.somebody("instructor").get("/grades")

    assert page.status_code == 200
    for words in ("In the gradebook", "Not accepted", "Not there yet", "Nothing to send yet"):
        assert words in page.text
    assert REASONS[Reason.NOT_GRADABLE] in page.text
    assert "100 of 100" in page.text


def test_looking_at_the_ledger_writes_nothing(school: School) -> None:
    assert school.somebody("assistant").get("/grades").status_code == 200
    with school.kit.open_session(school.institution_id) as session:
        assert session.scalars(select(LineItem)).all() == []


@pytest.mark.parametrize("role", ["learner", "observer"])
def test_the_ledger_is_for_staff(school: School, role: str) -> None:
    score_id = a_score(school, 0, "delivered", sent=WHOLE)
    visitor = school.somebody(role)
    for path in ("/grades", f"/grades/{score_id}"):
        assert visitor.get(path).status_code == 403
    assert visitor.send("/grades/send").status_code == 403
    assert jobs(school) == []


def test_every_attempt_is_shown_with_what_the_lms_said(school: School) -> None:
    score_id = a_score(school, 1, "refused", Reason.NOT_GRADABLE)
    page = school.somebody("assistant").get(f"/grades/{score_id}").text
    assert "The LMS refused it" in page
    assert "status 422" in page
    assert REASONS[Reason.NOT_GRADABLE] in page


def test_an_assistant_sends_a_score_again(school: School) -> None:
    score_id = a_score(school, 1, "refused", Reason.NOT_GRADABLE)
    page = school.somebody("assistant").post(f"/grades/{score_id}/send")
    assert "Tandem is sending the score again" in page.text
    assert score(school, score_id).state == "waiting"
    assert "grades.push" in jobs(school)


def test_everything_that_is_not_there_is_sent_again(school: School) -> None:
    there = a_score(school, 0, "delivered", sent=WHOLE)
    refused = [a_score(school, place, "refused", Reason.LOCKED) for place in (1, 2)]
    page = school.somebody("instructor").post("/grades/send")
    assert "Tandem is sending the scores again" in page.text
    assert [score(school, one).state for one in (there, *refused)] == ["delivered", "waiting", "waiting"]
    assert jobs(school).count("grades.push") == 2


def test_a_score_of_another_activity_cannot_be_reached(school: School, app: Flask, kit: Kit, clock: FakeClock) -> None:
    other = a_school(app, kit, clock)
    foreign = a_score(other, 0, "refused", Reason.LOCKED)
    visitor = school.somebody("instructor")
    assert visitor.get(f"/grades/{foreign}").status_code == 404
    assert visitor.send(f"/grades/{foreign}/send").status_code == 404
    assert score(other, foreign).state == "refused"


@pytest.mark.parametrize("state", ["none", "readonly", "deleted"])
def test_a_column_that_takes_no_scores_is_explained_and_looked_for_by_a_click(school: School, state: str) -> None:
    a_score(school, 0, "waiting", Reason.NO_COLUMN)
    column(school, state)
    instructor = school.somebody("instructor")
    page = instructor.get("/grades").text
    assert COLUMNS[state] in page
    assert ("Recreate the column" in page) is (state == "deleted")
    assert "Tandem is looking for the column" in instructor.post("/grades/column").text
    assert jobs(school) == ["grades.column"]


def test_an_assistant_does_not_change_the_gradebooks_columns(school: School) -> None:
    a_score(school, 0, "waiting", Reason.COLUMN_GONE)
    column(school, "deleted")
    assistant = school.somebody("assistant")
    assert "An instructor can do this." in assistant.get("/grades").text
    assert assistant.send("/grades/column").status_code == 403


def test_a_score_that_would_fall_waits_for_an_answer(school: School) -> None:
    score_id = a_score(school, 0, "asks", sent=WHOLE, asked=WHOLE // 2)
    instructor = school.somebody("instructor")
    assert "50 of 100 points" in instructor.get(f"/grades/{score_id}").text
    assert "An instructor decides this." in school.somebody("assistant").get(f"/grades/{score_id}").text
    assert "stays as it is" in instructor.post(f"/grades/{score_id}/answer", means="keep").text
    assert (score(school, score_id).state, jobs(school)) == ("delivered", [])


def test_a_lower_score_is_sent_when_an_instructor_says_so(school: School) -> None:
    score_id = a_score(school, 0, "asks", sent=WHOLE, asked=WHOLE // 2)
    instructor = school.somebody("instructor")
    assert "sending the lower score" in instructor.post(f"/grades/{score_id}/answer", means="lower").text
    assert (score(school, score_id).wanted, jobs(school)) == (WHOLE // 2, ["grades.push"])
    assert instructor.send(f"/grades/{score_id}/answer", means="keep").status_code == 409


def test_a_grade_is_never_taken_away_by_us(school: School) -> None:
    score_id = a_score(school, 0, "asks", sent=WHOLE, asked=NO_SCORE)
    instructor = school.somebody("instructor")
    page = instructor.get(f"/grades/{score_id}").text
    assert "Send the lower score" not in page
    instructor.post(f"/grades/{score_id}/answer", means="lower")
    assert (score(school, score_id).state, jobs(school)) == ("delivered", [])


def test_an_ungraded_activity_says_so(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        session.get_one(Activity, school.group.activity.id).score_mode = "none"
    assert "not graded" in school.somebody("instructor").get("/grades").text


def test_a_course_that_is_over_says_so(school: School) -> None:
    a_score(school, 0, "refused", Reason.COURSE_OVER)
    with school.kit.open_session(school.institution_id) as session:
        session.get_one(Course, school.group.course.id).ended_at = school.clock.now()
    assert "The course is over" in school.somebody("instructor").get("/grades").text


def test_a_large_class_is_shown_in_pages(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 120)
    instructor = school.somebody("instructor")
    pages = [instructor.get(f"/grades?page={number}").text for number in (1, 2, 3)]
    assert [page.count('<th scope="row">') for page in pages] == [50, 50, 20]
    assert "Page 2 of 3" in pages[1]


def test_the_ledger_says_when_a_waiting_score_is_looked_at_again(school: School) -> None:
    now = school.clock.now()
    access = a_score(school, 0, "waiting", Reason.NO_ACCESS, waits_since=now)
    busy = a_score(school, 1, "waiting", Reason.BUSY)
    with school.kit.open_session(school.institution_id) as session:
        for score_id in (access, busy):
            ask_for_push(session, session.get_one(ScoreState, score_id), now=now, due_at=now + timedelta(hours=1))
    page = text_of(school.somebody("instructor").get("/grades"))
    assert REASONS[Reason.NO_ACCESS] in page
    assert "Tandem tries again Mon 2 Nov, 11:00" in page
    assert "The LMS asked Tandem to wait until Mon 2 Nov, 11:00" in page
    assert "administrator" not in page


def test_the_ledger_can_be_searched_filtered_and_sorted_by_trouble(school: School) -> None:
    a_score(school, 0, "delivered", sent=WHOLE, sent_at=school.clock.now())
    a_score(school, 1, "waiting", Reason.TROUBLE)
    a_score(school, 2, "refused", Reason.NOT_GRADABLE)
    instructor = school.somebody("instructor")

    def listed(query: str) -> list[str]:
        page = instructor.get(f"/grades{query}").text
        return re.findall(r'href="[^"]*/grades/\d+">([^<]+)</a>', page)

    refused, held, delivered = (listed(f"?state={state}") for state in ("refused", "held", "delivered"))
    assert [len(one) for one in (refused, held, delivered)] == [1, 1, 1]
    assert listed("") == sorted(refused + held + delivered, key=str.lower)
    assert listed("?sort=trouble") == refused + held + delivered
    assert listed(f"?q={held[0][2:].upper()}") == held
    assert listed("?q=%25") == []
    assert 'state=refused#people"><b>1</b> Not accepted' in instructor.get("/grades").text


def test_a_score_that_was_refused_for_a_month_says_so(school: School) -> None:
    a_score(school, 0, "refused", Reason.NO_ACCESS)
    assert LEFT_TO_PEOPLE in school.somebody("instructor").get("/grades").text


def test_a_resend_that_would_lower_the_grade_asks(school: School) -> None:
    score_id = a_score(school, 0, "asks", Reason.HIGHER_THERE, sent=WHOLE, asked=WHOLE // 2)
    page = school.somebody("instructor").get(f"/grades/{score_id}").text
    assert "The gradebook has more than Tandem would send" in page
    assert "50 of 100 points" in page
    assert "Keep the score" in page


def test_every_reason_has_its_sentence() -> None:
    assert REASONS.keys() == set(Reason)


def test_scores_of_several_learners_are_sent_again_at_once_and_that_is_final(school: School) -> None:
    refused, waits = a_score(school, 0, "refused", "not enrolled"), a_score(school, 1, "waiting", "unreachable")
    arrived = a_score(school, 2, "delivered", sent=WHOLE)
    people = [member.id for member in school.group.learners[:4]]
    assistant = school.somebody("assistant")

    preview = assistant.post("/acts", do="send", who=people).text
    assert "Do it for 2 learners" in preview
    assert preview.count("has no score that is missing in the gradebook") == 2
    done = assistant.post("/acts", do="send", who=people, confirmed="1").text

    assert "Scores sent again: 2 learners" in done
    with school.kit.open_session(school.institution_id) as session:
        states = {score.id: (score.state, score.reads_first) for score in session.scalars(select(ScoreState))}
        [act] = session.scalars(select(StaffAct.id))
    assert states == {refused: ("waiting", True), waits: ("waiting", True), arrived: ("delivered", False)}
    assert "/undo" not in done
    assert assistant.post(f"/acts/{act}/undo").status_code == 403
