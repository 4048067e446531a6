"""Scores returned to the sandbox LMS over real sockets, with everything that goes wrong on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import delete, select, update

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Completion, RoundDates
from lti_tool.feedback.models import Entry
from lti_tool.grades import service
from lti_tool.grades.gateway import Gradebook, Receipt
from lti_tool.grades.models import LineItem, ScoreAttempt, ScoreState
from lti_tool.grades.rules import WHOLE, Reason
from lti_tool.grades.service import ledger
from lti_tool.grades.service.pushing import LOOKS_AGAIN
from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course, Member, Placement
from lti_tool.pairing import service as pairing
from lti_tool.registration.models import AccessToken, Deployment, Registration
from lti_tool.registration.service.tokens import look_again_now, resume
from lti_tool.support.kit import Kit
from sandbox_lms import Person as LmsPerson
from sandbox_lms import ResourceLink
from sandbox_lms.messages import line_item_url
from tests.contract.campus import GRADEBOOK_SCOPES, Campus, a_campus
from tests.factories.activities import an_activity
from tests.factories.pairing import propose
from tests.factories.people import a_placement
from tests.fakes.clock import FakeClock


@dataclass(frozen=True)
class Progress:
    fraction: Fraction
    is_complete: bool = False
    is_excused_from_all: bool = False
    points: Fraction | None = None


DONE, THIRD, HALF, NONE = (
    Progress(Fraction(1), True),
    Progress(Fraction(1, 3)),
    Progress(Fraction(1, 2)),
    Progress(Fraction(0)),
)


@dataclass
class Graded:
    """An activity with its link in the LMS."""

    campus: Campus
    link: ResourceLink
    activity_id: int
    placement_id: int

    def now(self, person: LmsPerson, progress: Progress) -> None:
        """A learner's progress, as of now."""
        with self.campus.open() as session:
            activity = session.get_one(Activity, self.activity_id)
            member = self.campus.member(person)
            service.note_progress(session, activity, member.id, progress, now=self.campus.clock.now())

    def done(self, person: LmsPerson) -> None:
        self.now(person, DONE)
        self.campus.run()

    def score(self, person: LmsPerson) -> ScoreState:
        with self.campus.look() as session:
            return session.scalars(
                select(ScoreState).where(ScoreState.member_id == self.campus.member(person).id)
            ).one()

    def state(self, person: LmsPerson) -> tuple[str, str | None]:
        score = self.score(person)
        return score.state, score.reason

    def attempts(self, person: LmsPerson) -> list[tuple[str, int | None]]:
        """Outcome and status of each attempt, the oldest first."""
        with self.campus.look() as session:
            found = session.scalars(
                select(ScoreAttempt).where(ScoreAttempt.score_id == self.score(person).id).order_by(ScoreAttempt.id)
            )
            return [(attempt.outcome, attempt.status) for attempt in found]

    def shown(self, person: LmsPerson) -> float | None:
        """What the LMS's gradebook shows."""
        return self.campus.lms.score_of(self.link, person)

    def column(self) -> LineItem:
        with self.campus.look() as session:
            return session.scalars(select(LineItem).where(LineItem.activity_id == self.activity_id)).one()

    def change(self, **values: object) -> None:
        with self.campus.open() as session:
            session.execute(update(Activity).where(Activity.id == self.activity_id).values(**values))


def place(campus: Campus, *, has_column: bool = True, claims_column: bool = True, **values: object) -> Graded:
    """Put an activity into the course, as a launch would have made it known."""
    lms = campus.lms
    link = lms.add_link(lms.course(), campus.tool, title="Observe", line_item={} if has_column else None)
    item = next(iter(lms.line_items_of(link)), None)
    with campus.open() as session:
        course = session.get_one(Course, campus.course_id)
        placement = a_placement(
            session,
            course,
            resource_link_id=link.id,
            line_item_url=line_item_url(lms, lms.course(), campus.tool, item.number)
            if item is not None and claims_column
            else None,
        )
        activity = an_activity(session, course, placement, now=campus.clock.now(), **values)
        return Graded(campus, link, activity.id, placement.id)


@pytest.fixture
def on(kit: Kit, clock: FakeClock) -> Iterator[Callable[[str], Graded]]:
    """An activity on an LMS of this profile."""
    opened = []

    def open_one(profile: str) -> Graded:
        manager = a_campus(kit, clock, profile)
        campus = manager.__enter__()
        opened.append(manager)
        campus.sync()
        return place(campus)

    yield open_one
    for manager in opened:
        manager.__exit__(None, None, None)


@pytest.fixture
def moodle(on: Callable[[str], Graded]) -> Graded:
    return on("moodle")


@pytest.fixture
def canvas(on: Callable[[str], Graded]) -> Graded:
    return on("canvas")


@pytest.fixture
def learner(moodle: Graded) -> LmsPerson:
    return moodle.campus.learners()[0]


@pytest.mark.parametrize("profile", ["moodle", "canvas", "blackboard", "brightspace"])
def test_a_complete_checklist_is_full_marks_in_the_gradebook(on: Callable[[str], Graded], profile: str) -> None:
    graded = on(profile)
    learner = graded.campus.learners()[0]
    graded.done(learner)
    assert graded.shown(learner) == 100
    assert graded.state(learner) == ("delivered", None)
    assert graded.attempts(learner) == [("delivered", 200)]
    with graded.campus.open() as session:
        own = ledger.own_state(session, graded.activity_id, graded.campus.member(learner).id)
        assert (own.kind, own.points, own.maximum) == ("delivered", 100, 100)
        assert session.scalars(select(Deployment.last_score_at)).one() == graded.campus.clock.now()


def test_nothing_is_sent_before_the_checklist_is_complete(moodle: Graded, learner: LmsPerson) -> None:
    moodle.now(learner, HALF)
    moodle.campus.run()
    assert moodle.campus.seen("/scores") == 0
    with moodle.campus.open() as session:
        assert ledger.own_state(session, moodle.activity_id, moodle.campus.member(learner).id).kind == "nothing yet"


def test_the_same_progress_twice_is_sent_once(moodle: Graded, learner: LmsPerson) -> None:
    moodle.done(learner)
    moodle.done(learner)
    assert moodle.campus.seen("/scores") == 1


def test_a_proportional_score_rises_with_progress(moodle: Graded, learner: LmsPerson) -> None:
    moodle.change(score_mode="proportional")
    for progress, shown in ((NONE, None), (THIRD, 33.3333), (HALF, 50), (DONE, 100)):
        moodle.now(learner, progress)
        moodle.campus.run_for(timedelta(seconds=5))
        assert moodle.shown(learner) == shown
    assert moodle.attempts(learner) == [("delivered", 200)] * 3


def test_quick_progress_is_coalesced_into_the_newest_score(moodle: Graded, learner: LmsPerson) -> None:
    moodle.change(score_mode="proportional")
    for progress in (THIRD, HALF, DONE):
        moodle.now(learner, progress)
    moodle.campus.run_for(timedelta(seconds=5))
    assert moodle.shown(learner) == 100
    assert moodle.campus.seen("/scores") == 1


def test_two_scores_within_a_second_never_meet_a_409(moodle: Graded, learner: LmsPerson) -> None:
    moodle.change(score_mode="proportional")
    moodle.now(learner, THIRD)
    moodle.campus.run()
    moodle.now(learner, DONE)
    moodle.campus.run()
    assert moodle.campus.seen("/scores") == 1
    moodle.campus.run_for(timedelta(seconds=3))
    assert moodle.attempts(learner) == [("delivered", 200), ("delivered", 200)]
    assert moodle.shown(learner) == 100


def test_a_timestamp_is_never_ahead_of_the_platforms_clock(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.clock_offset = timedelta(seconds=-8)
    moodle.done(learner)
    grade = moodle.campus.lms.grade_of(moodle.link, learner)
    assert grade is not None
    assert grade.timestamp is not None
    assert grade.timestamp <= moodle.campus.lms.now()
    assert moodle.column().clock_offset_ms == -8_000


@pytest.mark.parametrize("seconds", [-8, 8])
def test_clocks_that_differ_do_not_keep_scores_back(moodle: Graded, learner: LmsPerson, seconds: int) -> None:
    moodle.change(score_mode="proportional")
    moodle.campus.lms.clock_offset = timedelta(seconds=seconds)
    for progress in (THIRD, HALF, DONE):
        moodle.now(learner, progress)
        moodle.campus.run_for(timedelta(seconds=15))
    assert moodle.shown(learner) == 100
    assert moodle.attempts(learner) == [("delivered", 200)] * 3


def test_lost_completion_is_a_question_and_lowers_nothing(moodle: Graded, learner: LmsPerson) -> None:
    moodle.done(learner)
    moodle.now(learner, HALF)
    moodle.campus.run_for(timedelta(minutes=1))
    assert moodle.state(learner) == ("asks", None)
    assert moodle.shown(learner) == 100
    with moodle.campus.open() as session:
        score_id = moodle.score(learner).id
        service.answer_question(session, moodle.activity_id, score_id, lowers=False, now=moodle.campus.clock.now())
    moodle.now(learner, HALF)
    assert moodle.state(learner) == ("delivered", None)


def test_a_score_is_lowered_when_staff_say_so(moodle: Graded, learner: LmsPerson) -> None:
    moodle.change(score_mode="proportional")
    moodle.done(learner)
    moodle.now(learner, THIRD)
    with moodle.campus.open() as session:
        score_id = moodle.score(learner).id
        service.answer_question(session, moodle.activity_id, score_id, lowers=True, now=moodle.campus.clock.now())
    moodle.campus.run_for(timedelta(seconds=5))
    assert moodle.shown(learner) == 33.3333
    assert moodle.state(learner) == ("delivered", None)


def test_completion_that_comes_back_settles_the_question(moodle: Graded, learner: LmsPerson) -> None:
    moodle.done(learner)
    moodle.now(learner, HALF)
    moodle.now(learner, DONE)
    assert moodle.state(learner) == ("delivered", None)


def test_progress_lost_before_anything_was_sent_sends_nothing(moodle: Graded, learner: LmsPerson) -> None:
    moodle.now(learner, DONE)
    moodle.now(learner, HALF)
    moodle.campus.run()
    assert moodle.campus.seen("/scores") == 0
    assert moodle.state(learner) == ("refused", Reason.WITHDRAWN)
    moodle.done(learner)
    assert moodle.shown(learner) == 100


def test_a_zero_is_sent_at_a_close_that_asks_for_one(moodle: Graded, learner: LmsPerson) -> None:
    moodle.change(zero_at_close=True, closed_at=moodle.campus.clock.now())
    moodle.now(learner, HALF)
    moodle.campus.run()
    assert moodle.shown(learner) == 0


def test_staff_get_no_score(moodle: Graded, learner: LmsPerson) -> None:
    with moodle.campus.open() as session:
        session.get_one(Member, moodle.campus.member(learner).id).ever_staff = True
    moodle.done(learner)
    assert moodle.campus.seen("/scores") == 0


def test_an_ungraded_activity_sends_nothing(moodle: Graded, learner: LmsPerson) -> None:
    moodle.change(score_mode="none")
    moodle.done(learner)
    assert moodle.campus.seen("/scores") == 0
    with moodle.campus.open() as session:
        assert ledger.own_state(session, moodle.activity_id, moodle.campus.member(learner).id).kind == "ungraded"


def test_a_teachers_own_grade_stays(canvas: Graded) -> None:
    learner = canvas.campus.learners()[0]
    canvas.campus.lms.override_grade(canvas.campus.lms.line_items_of(canvas.link)[0], learner, 61)
    canvas.campus.clock.advance(timedelta(minutes=1))
    canvas.done(learner)
    assert canvas.shown(learner) == 61
    assert canvas.state(learner) == ("delivered", None)


def test_canvas_counts_no_new_submission(canvas: Graded) -> None:
    learner = canvas.campus.learners()[0]
    canvas.done(learner)
    grade = canvas.campus.lms.grade_of(canvas.link, learner)
    assert grade is not None
    assert grade.attempts == 0


def test_a_score_is_final_and_says_where_it_comes_from(moodle: Graded, learner: LmsPerson) -> None:
    moodle.change(score_mode="proportional")
    moodle.now(learner, THIRD)
    moodle.campus.run()
    grade = moodle.campus.lms.grade_of(moodle.link, learner)
    assert grade is not None
    assert grade.grading_progress == "FullyGraded"
    assert "Tandem" in grade.comment


# What goes wrong


def test_trouble_is_retried_until_the_score_arrives(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.faults.scores(503, times=3)
    moodle.done(learner)
    assert moodle.state(learner) == ("waiting", Reason.TROUBLE)
    moodle.campus.run_for(timedelta(minutes=5))
    assert moodle.attempts(learner) == [("retry", 503)] * 3 + [("delivered", 200)]
    assert moodle.shown(learner) == 100


def test_retry_after_is_honored(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.faults.scores(503, retry_after=600)
    moodle.done(learner)
    moodle.campus.run_for(timedelta(seconds=599))
    assert moodle.campus.seen("/scores") == 1
    moodle.campus.run_for(timedelta(seconds=2))
    assert moodle.shown(learner) == 100


@pytest.mark.parametrize(("status", "body"), [(429, ""), (403, "403 Forbidden (Rate Limit Exceeded)")])
def test_throttling_holds_all_scores_of_the_column_back(canvas: Graded, status: int, body: str) -> None:
    first, second = canvas.campus.learners()[:2]
    canvas.campus.lms.faults.scores(status, retry_after=60, body=body)
    canvas.done(first)
    canvas.done(second)
    assert canvas.campus.seen("/scores") == 1
    canvas.campus.run_for(timedelta(seconds=61))
    assert (canvas.shown(first), canvas.shown(second)) == (100, 100)


def test_an_answer_that_was_lost_on_the_way_is_found_in_the_gradebook(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.faults.close_connection("scores", after=True)
    moodle.done(learner)
    assert moodle.state(learner) == ("waiting", Reason.UNREACHABLE)
    assert moodle.shown(learner) == 100
    assert moodle.score(learner).reported == WHOLE
    moodle.campus.run_for(timedelta(minutes=1))
    assert moodle.state(learner) == ("delivered", None)
    assert moodle.attempts(learner) == [("retry", None), ("found", None)]


def test_a_score_that_never_left_is_sent(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.faults.close_connection("scores")
    moodle.done(learner)
    moodle.campus.run_for(timedelta(minutes=1))
    assert moodle.attempts(learner) == [("retry", None), ("delivered", 200)]
    assert moodle.shown(learner) == 100


def test_a_conflict_with_the_same_score_is_a_success(moodle: Graded, learner: LmsPerson) -> None:
    item = moodle.campus.lms.line_items_of(moodle.link)[0]
    moodle.campus.lms.override_grade(item, learner, 100)
    moodle.campus.lms.override_grade(item, learner, None)
    item.grades[learner.sub].shown = 100
    item.grades[learner.sub].timestamp = moodle.campus.clock.now() + timedelta(hours=1)
    moodle.done(learner)
    assert moodle.attempts(learner) == [("delivered", 409)]
    assert moodle.state(learner) == ("delivered", None)


def test_a_conflict_with_another_score_is_sent_once_more(moodle: Graded, learner: LmsPerson) -> None:
    item = moodle.campus.lms.line_items_of(moodle.link)[0]
    moodle.campus.lms.override_grade(item, learner, 10)
    item.grades[learner.sub].is_overridden = False
    item.grades[learner.sub].timestamp = moodle.campus.clock.now() + timedelta(minutes=2)
    moodle.done(learner)
    assert moodle.state(learner) == ("waiting", Reason.NEWER_GRADE)
    moodle.campus.run_for(timedelta(minutes=3))
    assert moodle.attempts(learner) == [("conflict", 409), ("delivered", 200)]
    assert moodle.shown(learner) == 100


def test_a_second_conflict_is_left_to_people(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.faults.scores(409, times=2)
    moodle.done(learner)
    moodle.campus.run_for(timedelta(minutes=3))
    assert moodle.attempts(learner) == [("conflict", 409)] * 2
    assert moodle.state(learner) == ("refused", Reason.NEWER_GRADE)


def test_a_refusal_that_lasts_is_kept_with_its_reason_and_not_repeated(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.unenrol(moodle.campus.lms.course(), learner)
    moodle.done(learner)
    assert moodle.state(learner) == ("refused", Reason.NOT_GRADABLE)
    moodle.campus.run_for(timedelta(days=1))
    moodle.done(learner)
    assert moodle.campus.seen("/scores") == 1


@pytest.mark.parametrize("profile", ["canvas", "blackboard", "brightspace"])
def test_a_person_whom_the_lms_does_not_know_for_now_gets_the_score_later(
    on: Callable[[str], Graded], profile: str
) -> None:
    graded = on(profile)
    learner = graded.campus.learners()[0]
    graded.campus.lms.unenrol(graded.campus.lms.course(), learner)
    graded.done(learner)
    assert graded.state(learner) == ("waiting", Reason.NOT_ENROLLED)
    graded.done(learner)
    assert graded.campus.seen("/scores") == 1
    graded.campus.lms.enrol(graded.campus.lms.course(), learner)
    graded.campus.run_for(timedelta(days=1))
    assert graded.shown(learner) == 100


def test_a_course_that_is_published_later_gets_its_scores(canvas: Graded) -> None:
    learner = canvas.campus.learners()[0]
    unpublished = '{"errors":{"message":"User not found in course or is not a student"}}'
    canvas.campus.lms.faults.scores(422, times=None, body=unpublished)
    canvas.done(learner)
    canvas.campus.run_for(timedelta(days=20))
    assert canvas.state(learner) == ("waiting", Reason.NOT_ENROLLED)
    assert canvas.campus.seen("/scores") <= 6 + 20
    canvas.campus.lms.faults.clear()
    canvas.campus.run_for(timedelta(days=1))
    assert canvas.shown(learner) == 100
    assert canvas.score(learner).waits_since is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, '{"errors": "Invalid access token field/s: the aud is invalid"}'),
        (403, "forbidden"),
        (403, "<html>blocked by a firewall"),
        (405, ""),
        (400, "<!doctype html><html>maintenance"),
        (404, "<!doctype html><html>maintenance"),
        (422, ""),
    ],
)
def test_a_score_that_is_refused_four_times_arrives_within_a_day(canvas: Graded, status: int, body: str) -> None:
    learner = canvas.campus.learners()[0]
    canvas.campus.lms.faults.scores(status, times=4, body=body)
    canvas.done(learner)
    assert canvas.state(learner)[0] == "waiting"
    canvas.campus.run_for(timedelta(days=1))
    assert canvas.shown(learner) == 100


def test_what_is_refused_for_a_month_is_left_to_people(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.faults.scores(403, times=None)
    moodle.done(learner)
    moodle.campus.run_for(timedelta(days=29))
    assert moodle.state(learner) == ("waiting", Reason.NOT_ALLOWED)
    moodle.campus.run_for(timedelta(days=3))
    assert moodle.state(learner) == ("refused", Reason.NOT_ALLOWED)
    moodle.campus.lms.faults.clear()
    with moodle.campus.open() as session:
        service.send_again(session, moodle.activity_id, moodle.score(learner).id, now=moodle.campus.clock.now())
    moodle.campus.run()
    assert moodle.shown(learner) == 100


def test_no_row_of_ours_holds_what_the_platform_echoed(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.unenrol(moodle.campus.lms.course(), learner)
    moodle.done(learner)
    with moodle.campus.open() as session:
        attempt = session.scalars(select(ScoreAttempt)).one()
        kept = {column.key: getattr(attempt, column.key) for column in ScoreAttempt.__mapper__.columns}
    assert "Incorrect" not in repr(kept)
    assert "userId" not in repr(kept)


def test_a_grade_that_seems_locked_is_looked_at_again(moodle: Graded, learner: LmsPerson) -> None:
    item = moodle.campus.lms.line_items_of(moodle.link)[0]
    moodle.campus.lms.lock_grade(item, learner)
    moodle.done(learner)
    moodle.campus.run_for(timedelta(minutes=5))
    assert moodle.state(learner) == ("waiting", Reason.LOCKED)
    assert moodle.campus.seen("/scores") == 4
    item.grades[learner.sub].is_locked = False
    moodle.campus.run_for(timedelta(days=1))
    assert moodle.shown(learner) == 100


def test_a_token_that_the_platform_forgot_is_replaced_once(moodle: Graded) -> None:
    first, second = moodle.campus.learners()[:2]
    moodle.done(first)
    moodle.campus.lms.revoke_tokens()
    moodle.done(second)
    assert moodle.shown(second) == 100
    assert moodle.attempts(second) == [("delivered", 200)]


def test_a_platform_that_stays_away_for_a_week_gets_the_score_when_it_is_back(
    moodle: Graded, learner: LmsPerson
) -> None:
    moodle.campus.lms.faults.scores(502, times=None)
    moodle.done(learner)
    moodle.campus.run_for(timedelta(days=7))
    assert moodle.state(learner) == ("waiting", Reason.TROUBLE)
    assert len(moodle.attempts(learner)) <= queue.MAX_ATTEMPTS + 6
    moodle.campus.lms.faults.clear()
    moodle.campus.run_for(timedelta(days=1, minutes=1))
    assert moodle.shown(learner) == 100


class Crash(BaseException):
    """The process dies."""


def test_a_crash_between_post_and_record_is_harmless(
    moodle: Graded, learner: LmsPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Gradebook.post_score

    def post_and_die(self: Gradebook, url: str, score: object) -> Receipt:
        post(self, url, score)
        raise Crash

    moodle.now(learner, DONE)
    with monkeypatch.context() as patched:
        patched.setattr(Gradebook, "post_score", post_and_die)
        with pytest.raises(Crash):
            moodle.campus.run()
    assert moodle.shown(learner) == 100
    moodle.campus.clock.advance(queue.LEASE)
    moodle.campus.run_for(timedelta(minutes=5))
    assert moodle.state(learner) == ("delivered", None)
    assert moodle.attempts(learner) == [("found", None)]
    assert moodle.campus.seen("/scores") == 1


def test_a_paused_registration_keeps_its_scores_until_it_is_resumed(moodle: Graded, learner: LmsPerson) -> None:
    campus = moodle.campus
    with campus.open() as session:
        session.get_one(Registration, campus.registration_id).paused_at = campus.clock.now()
    moodle.done(learner)
    assert moodle.state(learner) == ("waiting", Reason.PAUSED)
    assert campus.seen("/scores") == 0
    with campus.kit.open_session() as session:
        assert service.wake(session, now=campus.clock.now()) == 0
        resume(session, campus.registration_id, now=campus.clock.now())
    with campus.kit.open_session() as session:
        assert service.wake(session, now=campus.clock.now()) == 1
    campus.run()
    assert moodle.shown(learner) == 100


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, '{"error": "invalid_client"}', Reason.CREDENTIALS),
        (400, '{"error": "Cannot handle token prior to 2026-11-02T10:00:30+0100"}', Reason.CLOCK),
        (400, '{"error": "Expired token"}', Reason.CLOCK),
        (400, '{"error": "invalid_request"}', Reason.NO_ACCESS),
        (400, '{"error": "invalid_scope"}', Reason.NOT_ALLOWED),
        (403, "<html>blocked by a firewall", Reason.NO_ACCESS),
        (404, "<html>down for maintenance", Reason.NO_ACCESS),
        (404, "<html>Argument #1 ($jwks) must be of type array, null given", Reason.KEY_SET),
    ],
)
@pytest.mark.parametrize("is_column_known", [True, False])
def test_a_score_waits_until_the_platform_grants_tokens_again(
    moodle: Graded, learner: LmsPerson, status: int, body: str, reason: Reason, is_column_known: bool
) -> None:
    campus = moodle.campus
    if is_column_known:
        moodle.done(campus.learners()[1])
    campus.lms.revoke_tokens()
    campus.clock.advance(timedelta(hours=2))
    posted = campus.seen("/scores")
    campus.lms.faults.token(status, body=body, times=None)
    moodle.done(learner)
    campus.run_for(timedelta(hours=1))
    assert moodle.state(learner) == ("waiting", reason)
    assert campus.seen("/scores") == posted
    with campus.open() as session:
        assert session.get_one(Registration, campus.registration_id).paused_at is None
    campus.lms.faults.clear()
    campus.run_for(timedelta(hours=1))
    assert moodle.shown(learner) == 100


def test_what_waited_for_access_goes_out_as_soon_as_one_call_is_trusted_again(moodle: Graded) -> None:
    campus = moodle.campus
    first, second = campus.learners()[:2]
    campus.lms.revoke_tokens()
    campus.clock.advance(timedelta(hours=2))
    campus.lms.faults.token(401, body='{"error": "invalid_client"}', times=None)
    moodle.done(first)
    moodle.done(second)
    campus.run_for(timedelta(days=3))
    assert campus.seen("/token") <= 1 + 2 * 8
    campus.lms.faults.clear()
    with campus.kit.open_session() as session:
        look_again_now(session, campus.registration_id, now=campus.clock.now())
    campus.run()
    assert (moodle.shown(first), moodle.shown(second)) == (100, 100)


@pytest.mark.parametrize("profile", ["moodle", "canvas"])
@pytest.mark.parametrize("minutes", [-5, 5])
def test_clocks_apart_by_minutes_refuse_and_pause_nothing(
    on: Callable[[str], Graded], profile: str, minutes: int
) -> None:
    graded = on(profile)
    campus, learner = graded.campus, graded.campus.learners()[0]
    campus.lms.revoke_tokens()
    campus.clock.advance(timedelta(hours=2))
    campus.lms.clock_offset = timedelta(minutes=minutes)
    graded.done(learner)
    campus.run_for(timedelta(minutes=1))
    assert graded.shown(learner) == 100
    with campus.open() as session:
        assert session.get_one(Registration, campus.registration_id).paused_at is None
        assert {one.clock_offset_ms for one in session.scalars(select(AccessToken))} >= {minutes * 60_000}


def test_a_column_that_cannot_be_looked_for_is_looked_for_daily(moodle: Graded, learner: LmsPerson) -> None:
    campus = moodle.campus
    campus.lms.faults.close_connection("line_items", times=None)
    moodle.now(learner, DONE)
    campus.run()
    assert moodle.state(learner) == ("waiting", Reason.UNREACHABLE)
    campus.run_for(timedelta(days=5))
    assert moodle.state(learner) == ("waiting", Reason.UNREACHABLE)
    campus.lms.faults.clear()
    campus.run_for(timedelta(days=1, minutes=1))
    assert moodle.shown(learner) == 100


def test_a_column_that_takes_no_scores_is_said_to_be_so(moodle: Graded, learner: LmsPerson) -> None:
    moodle.campus.lms.faults.scores(404, times=None)
    moodle.done(learner)
    moodle.campus.run_for(timedelta(days=3))
    assert moodle.state(learner) == ("waiting", Reason.NOT_FOUND)
    assert moodle.column().state == "linked"
    assert moodle.campus.seen("/scores") < 12
    moodle.campus.lms.faults.clear()
    moodle.campus.run_for(timedelta(days=1))
    assert moodle.shown(learner) == 100


def test_a_platform_that_knows_nothing_for_an_hour_has_lost_no_column(moodle: Graded, learner: LmsPerson) -> None:
    moodle.done(moodle.campus.learners()[1])
    moodle.campus.lms.faults.scores(404, times=None)
    moodle.campus.lms.faults.answer("line_items", 404, times=None, body="<html>maintenance")
    moodle.done(learner)
    moodle.campus.run_for(timedelta(hours=1))
    assert moodle.column().state == "linked"
    assert moodle.state(learner)[0] == "waiting"
    moodle.campus.lms.faults.clear()
    moodle.campus.run_for(timedelta(hours=4))
    assert moodle.shown(learner) == 100


def test_a_score_without_a_job_does_not_sleep_for_ever(moodle: Graded, learner: LmsPerson) -> None:
    moodle.done(moodle.campus.learners()[1])
    moodle.now(learner, DONE)
    with moodle.campus.open() as session:
        session.execute(delete(Job))
    with moodle.campus.kit.open_session() as session:
        assert service.wake(session, now=moodle.campus.clock.now()) == 1
    moodle.campus.run()
    assert moodle.shown(learner) == 100


# Storms


def test_in_a_storm_of_faults_no_score_is_recorded_twice_and_all_arrive(canvas: Graded) -> None:
    campus, learners = canvas.campus, canvas.campus.learners()[:12]
    canvas.done(learners[0])
    for learner in learners[1:]:
        canvas.now(learner, DONE)
    for _ in range(3):
        campus.lms.faults.close_connection("scores", after=True, times=2)
        campus.lms.faults.scores(503, times=2)
        campus.lms.faults.close_connection("scores", times=1)
    campus.run_for(timedelta(minutes=10))
    assert {canvas.shown(learner) for learner in learners} == {100}
    stored = [one for one in campus.lms.requests_seen if one.path.split("?")[0].endswith("/scores")]
    lost_on_the_way = 3 * 2 + 3 * 1
    assert len(stored) == len(learners) + lost_on_the_way


def test_a_queue_empties_as_soon_as_the_platform_is_back(moodle: Graded) -> None:
    campus, learners = moodle.campus, moodle.campus.learners()[:8]
    moodle.done(learners[0])
    campus.lms.faults.scores(503, times=None)
    for learner in learners[1:]:
        moodle.now(learner, DONE)
    campus.run_for(timedelta(minutes=20))
    campus.lms.faults.clear()
    with campus.open() as session:
        due = session.scalars(select(Job.due_at).where(Job.state == "waiting").order_by(Job.due_at)).all()
    campus.run_for(due[0] - campus.clock.now())
    assert {moodle.shown(learner) for learner in learners} == {100}


# Sent again by hand


def test_a_resend_asks_before_it_lowers_what_the_gradebook_has(moodle: Graded, learner: LmsPerson) -> None:
    """As after an older backup of our database was restored."""
    moodle.change(score_mode="proportional")
    moodle.now(learner, HALF)
    moodle.campus.run()
    item = moodle.campus.lms.line_items_of(moodle.link)[0]
    item.grades[learner.sub].shown = 100
    posts = moodle.campus.seen("/scores")
    moodle.campus.clock.advance(timedelta(minutes=1))
    with moodle.campus.open() as session:
        service.send_again(session, moodle.activity_id, moodle.score(learner).id, now=moodle.campus.clock.now())
    moodle.campus.run()
    assert moodle.state(learner) == ("asks", Reason.HIGHER_THERE)
    assert (moodle.score(learner).sent, moodle.score(learner).asked) == (WHOLE, WHOLE // 2)
    moodle.now(learner, HALF)
    moodle.campus.run_for(timedelta(minutes=1))
    assert moodle.campus.seen("/scores") == posts
    with moodle.campus.open() as session:
        score_id = moodle.score(learner).id
        service.answer_question(session, moodle.activity_id, score_id, lowers=True, now=moodle.campus.clock.now())
    moodle.campus.run_for(timedelta(minutes=1))
    assert moodle.shown(learner) == 50
    assert moodle.state(learner) == ("delivered", None)


def test_a_resend_that_lowers_nothing_is_sent(moodle: Graded, learner: LmsPerson) -> None:
    moodle.done(learner)
    item = moodle.campus.lms.line_items_of(moodle.link)[0]
    item.grades[learner.sub].shown = 40
    moodle.campus.clock.advance(timedelta(minutes=1))
    with moodle.campus.open() as session:
        service.send_again(session, moodle.activity_id, moodle.score(learner).id, now=moodle.campus.clock.now())
    moodle.campus.run()
    assert moodle.shown(learner) == 100


def test_a_right_that_is_granted_later_is_noticed(on: Callable[[str], Graded]) -> None:
    campus = on("moodle").campus
    with campus.open() as session:
        session.get_one(Course, campus.course_id).gradebook_scopes = []
    graded = place(campus)
    learner = campus.learners()[0]
    graded.done(learner)
    assert graded.state(learner) == ("waiting", Reason.NOT_ALLOWED)
    with campus.open() as session:
        session.get_one(Course, campus.course_id).gradebook_scopes = list(GRADEBOOK_SCOPES)
    campus.clock.advance(LOOKS_AGAIN + timedelta(minutes=1))
    with campus.kit.open_session() as session:
        service.wake(session, now=campus.clock.now())
    campus.run()
    assert graded.shown(learner) == 100


def test_who_left_keeps_a_waiting_score_and_gets_it_on_return(moodle: Graded, learner: LmsPerson) -> None:
    campus = moodle.campus
    campus.lms.unenrol(campus.lms.course(), learner)
    campus.clock.advance(timedelta(hours=1))
    campus.sync()
    moodle.done(learner)
    assert moodle.state(learner) == ("waiting", Reason.LEFT)
    campus.lms.enrol(campus.lms.course(), learner)
    campus.clock.advance(timedelta(hours=1))
    campus.sync()
    with campus.kit.open_session() as session:
        service.wake(session, now=campus.clock.now())
    campus.run()
    assert moodle.shown(learner) == 100


def test_a_course_that_is_over_takes_no_scores_until_somebody_launches_again(canvas: Graded) -> None:
    campus, learner = canvas.campus, canvas.campus.learners()[0]
    campus.lms.conclude_course(campus.lms.course())
    canvas.done(learner)
    campus.run_for(timedelta(minutes=10))
    assert campus.course().ended_at is not None
    assert canvas.state(learner)[0] in {"waiting", "refused"}
    campus.lms.conclude_course(campus.lms.course(), is_concluded=False)
    with campus.open() as session:
        session.get_one(Course, campus.course_id).ended_at = None
    campus.clock.advance(timedelta(days=2))
    with campus.kit.open_session() as session:
        service.wake(session, now=campus.clock.now())
    campus.run()
    assert canvas.shown(learner) == 100


# The column


def test_a_column_that_no_launch_named_is_found_by_its_link(on: Callable[[str], Graded]) -> None:
    campus = on("moodle").campus
    other = place(campus, claims_column=False)
    learner = campus.learners()[0]
    columns = len(campus.lms.all_line_items())
    other.done(learner)
    assert other.shown(learner) == 100
    assert len(campus.lms.all_line_items()) == columns


def test_a_column_is_made_where_there_is_none(on: Callable[[str], Graded]) -> None:
    campus = on("canvas").campus
    other = place(campus, has_column=False)
    first, second = campus.learners()[:2]
    other.now(first, DONE)
    other.now(second, DONE)
    campus.run()
    assert (other.shown(first), other.shown(second)) == (100, 100)
    assert len(campus.lms.line_items_of(other.link)) == 1


def test_a_column_that_was_made_before_a_crash_is_found_again(on: Callable[[str], Graded]) -> None:
    campus = on("canvas").campus
    other = place(campus, has_column=False)
    campus.lms.faults.close_connection("line_items", after=True, times=None)
    learner = campus.learners()[0]
    other.done(learner)
    campus.lms.faults.clear()
    campus.run_for(timedelta(minutes=10))
    assert other.shown(learner) == 100
    assert len(campus.lms.line_items_of(other.link)) == 1


@pytest.mark.parametrize(
    ("scopes", "state", "reason"),
    [
        ([s for s in GRADEBOOK_SCOPES if not s.endswith("/score")], "readonly", Reason.NOT_ALLOWED),
        ([s for s in GRADEBOOK_SCOPES if not s.endswith("/lineitem")], "none", Reason.NO_COLUMN),
        ([], "readonly", Reason.NOT_ALLOWED),
    ],
)
def test_what_was_never_granted_is_said_and_nothing_fails(
    on: Callable[[str], Graded], scopes: list[str], state: str, reason: Reason
) -> None:
    campus = on("moodle").campus
    with campus.open() as session:
        session.get_one(Course, campus.course_id).gradebook_scopes = scopes
    other = place(campus, has_column=False)
    learner = campus.learners()[0]
    other.done(learner)
    assert other.column().state == state
    assert other.state(learner) == ("waiting", reason)
    with campus.open() as session:
        own = ledger.own_state(session, other.activity_id, campus.member(learner).id)
    assert (own.kind, own.reason) == ("held up", reason)


def test_without_the_right_to_look_the_launchs_word_is_taken(on: Callable[[str], Graded]) -> None:
    campus = on("moodle").campus
    with campus.open() as session:
        session.get_one(Course, campus.course_id).gradebook_scopes = [
            scope for scope in GRADEBOOK_SCOPES if scope.endswith("/score")
        ]
    other = place(campus)
    learner = campus.learners()[0]
    other.done(learner)
    assert other.shown(learner) == 100


def delete_column(graded: Graded) -> None:
    lms = graded.campus.lms
    with lms.lock:
        for item in lms.line_items_of(graded.link):
            lms.line_items.remove(item)


def test_a_deleted_column_is_not_made_again_in_silence(moodle: Graded) -> None:
    first, second = moodle.campus.learners()[:2]
    moodle.done(first)
    delete_column(moodle)
    moodle.done(second)
    moodle.campus.run_for(timedelta(days=3))
    with moodle.campus.kit.open_session() as session:
        service.wake(session, now=moodle.campus.clock.now())
    moodle.campus.run()
    assert moodle.column().state == "deleted"
    assert moodle.state(second) == ("waiting", Reason.COLUMN_GONE)
    assert moodle.campus.lms.line_items_of(moodle.link) == []
    assert moodle.campus.course().ended_at is None


def test_a_deleted_column_is_made_again_by_a_click_and_gets_every_score(moodle: Graded) -> None:
    first, second = moodle.campus.learners()[:2]
    moodle.done(first)
    delete_column(moodle)
    moodle.done(second)
    with moodle.campus.open() as session:
        service.recreate_column(session, moodle.activity_id, now=moodle.campus.clock.now())
    moodle.campus.run_for(timedelta(minutes=1))
    assert moodle.column().state == "linked"
    assert (moodle.shown(first), moodle.shown(second)) == (100, 100)


def test_a_column_that_a_later_launch_names_is_used(moodle: Graded) -> None:
    first, second = moodle.campus.learners()[:2]
    lms = moodle.campus.lms
    moodle.done(first)
    delete_column(moodle)
    moodle.done(second)
    item = lms.add_line_item(lms.course(), moodle.campus.tool, "New", 100.0, resource_link=moodle.link)
    with moodle.campus.open() as session:
        session.get_one(Placement, moodle.placement_id).line_item_url = line_item_url(
            lms, lms.course(), moodle.campus.tool, item.number
        )
        service.look_again(session, moodle.activity_id, now=moodle.campus.clock.now())
    moodle.campus.run_for(timedelta(minutes=1))
    assert (moodle.shown(first), moodle.shown(second)) == (100, 100)


def test_a_column_on_foreign_ground_gets_no_token(moodle: Graded, learner: LmsPerson) -> None:
    with moodle.campus.open() as session:
        session.get_one(Placement, moodle.placement_id).line_item_url = "https://evil.example/lineitems/1"
        session.get_one(Course, moodle.campus.course_id).line_items_url = "https://evil.example/lineitems"
    moodle.now(learner, DONE)
    moodle.campus.run()
    assert moodle.shown(learner) is None
    assert moodle.state(learner) == ("refused", Reason.NOT_ALLOWED)


def test_all_that_is_not_there_is_sent_again_by_one_click(moodle: Graded) -> None:
    learners = moodle.campus.learners()[:4]
    moodle.campus.lms.faults.scores(422, times=4, body="user in requested score can not be graded")
    for learner in learners:
        moodle.done(learner)
    assert {moodle.state(learner)[0] for learner in learners} == {"refused"}
    with moodle.campus.open() as session:
        assert service.send_all_again(session, moodle.activity_id, now=moodle.campus.clock.now()) == 4
    moodle.campus.run_for(timedelta(seconds=3))
    assert {moodle.shown(learner) for learner in learners} == {100}


def test_the_ledger_lists_learners_and_how_their_scores_stand(moodle: Graded) -> None:
    first, second = moodle.campus.learners()[:2]
    moodle.done(first)
    moodle.campus.lms.unenrol(moodle.campus.lms.course(), second)
    moodle.done(second)
    with moodle.campus.open() as session:
        activity = session.get_one(Activity, moodle.activity_id)
        page = ledger.ledger(session, activity, page=1, size=10)
        assert len(page.rows) == 10
        assert page.by_state["delivered"] == 1
        assert page.by_state["refused"] == 1
        assert page.count == sum(page.by_state.values())
        everybody = ledger.ledger(session, activity, page=1, size=100)
    states = {row.member_id: row.score.state for row in everybody.rows if row.score is not None}
    assert states == {
        moodle.campus.member(first).id: "delivered",
        moodle.campus.member(second).id: "refused",
    }
    assert moodle.score(first).sent == WHOLE


def test_feedback_that_completes_the_checklist_reaches_the_gradebook(on: Callable[[str], Graded]) -> None:
    campus = on("moodle").campus
    graded = place(campus, completion=Completion({"give_feedback": 1, "acknowledge": 0}), rounds=(RoundDates(),))
    now = campus.clock.now()
    with campus.open() as session:
        plan = propose(session, graded.activity_id, seed=1, by=None, now=now)
        pairing.publish(session, graded.activity_id, expected_version=plan.version, now=now)
    author = campus.learners()[0]
    member_id = campus.member(author).id
    with campus.open() as session:
        group = pairing.published_groups(session, graded.activity_id, member_id=member_id)[0]
        for partner_id in group.partners_of(member_id):
            session.add(
                Entry(
                    activity_id=graded.activity_id,
                    round_id=session.scalars(select(Round.id).where(Round.activity_id == graded.activity_id)).one(),
                    group_id=group.id,
                    step="give_feedback",
                    author_id=member_id,
                    recipient_id=partner_id,
                    version=1,
                    created_at=now,
                    saved_at=now,
                    submitted_at=now,
                )
            )
        queue.enqueue(
            session,
            "progress.changed",
            {"activity_id": graded.activity_id, "member_id": member_id},
            institution_id=campus.institution_id,
            now=now,
        )
    campus.run()
    assert graded.shown(author) == 100
    assert sum(graded.shown(one) is not None for one in campus.learners()) == 1
