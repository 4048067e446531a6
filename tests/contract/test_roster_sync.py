"""Rosters read from the sandbox LMS over real sockets."""

import codecs
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lti_tool.jobs import queue
from lti_tool.launch.models import Member, Person
from lti_tool.registration.models import Deployment, Registration
from lti_tool.roster import gateway, handlers, service
from lti_tool.roster.models import RosterSync
from lti_tool.roster.service import readings
from lti_tool.roster.service.members import unlisted
from lti_tool.support.kit import Kit
from sandbox_lms import Role
from tests.contract.campus import Campus, a_campus
from tests.factories.people import a_course, a_person, a_placement
from tests.fakes.clock import FakeClock


@pytest.fixture
def moodle(kit: Kit, clock: FakeClock) -> Iterator[Campus]:
    with a_campus(kit, clock) as campus:
        yield campus


@pytest.fixture
def canvas(kit: Kit, clock: FakeClock) -> Iterator[Campus]:
    with a_campus(kit, clock, "canvas") as campus:
        yield campus


def latest(campus: Campus) -> RosterSync:
    with campus.open() as session:
        sync = service.latest(session, campus.course_id)
        assert sync is not None
        return sync


def to_pair(campus: Campus) -> list[str]:
    with campus.open() as session:
        chosen = set(
            session.scalars(
                select(Member.person_id).where(Member.id.in_(service.learners_to_pair(session, campus.course_id)))
            )
        )
        return list(session.scalars(select(Person.sub).where(Person.id.in_(chosen)).order_by(Person.id)))


@pytest.mark.parametrize("profile", ["moodle", "canvas", "blackboard", "brightspace"])
def test_everybody_enrolled_becomes_a_member(kit: Kit, clock: FakeClock, profile: str) -> None:
    with a_campus(kit, clock, profile) as campus:
        campus.sync()
        enrolled = campus.lms.course().enrolments.values()
        roles = {one.person.sub: one.role for one in enrolled}
        members = campus.members()
        assert members.keys() == roles.keys()
        instructor = next(sub for sub, role in roles.items() if role is Role.INSTRUCTOR)
        observer = next(sub for sub, role in roles.items() if role is Role.OBSERVER)
        assert members[instructor].role == "instructor"
        assert members[instructor].ever_staff
        assert members[observer].role == "observer"
        assert latest(campus).state == "finished"
        with campus.open() as session:
            assert session.scalars(select(Deployment.last_roster_at)).one() == clock.now()


def test_names_that_moodle_escapes_are_read_as_people_write_them(moodle: Campus) -> None:
    tom = moodle.lms.add_person("tom", given_name="Tom & Jerry", family_name="<Ampersand>")
    moodle.lms.enrol(moodle.lms.course(), tom)
    moodle.sync()
    assert moodle.person(tom).given_name == "Tom & Jerry"
    assert moodle.person(tom).family_name == "<Ampersand>"


def test_only_learners_take_part(canvas: Campus) -> None:
    canvas.sync()
    assert sorted(to_pair(canvas)) == sorted(person.sub for person in canvas.learners())


def test_an_assistant_whom_moodle_lists_as_a_learner_takes_no_part_once_known_as_staff(moodle: Campus) -> None:
    assistant = next(one.person for one in moodle.lms.course().enrolments.values() if one.role is Role.ASSISTANT)
    moodle.sync()
    assert assistant.sub in to_pair(moodle)
    with moodle.open() as session:
        member = session.get_one(Member, moodle.member(assistant).id)
        member.role, member.ever_staff = "assistant", True
    moodle.sync()
    assert assistant.sub not in to_pair(moodle)
    assert moodle.member(assistant).role == "assistant"


def test_who_is_no_longer_listed_leaves_and_who_returns_is_the_same_member(moodle: Campus) -> None:
    moodle.sync()
    person = moodle.learners()[0]
    before = moodle.member(person)
    moodle.lms.unenrol(moodle.lms.course(), person)
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    assert moodle.member(person).status == "inactive"
    assert moodle.member(person).left_at == moodle.clock.now()
    assert person.sub not in to_pair(moodle)
    moodle.lms.enrol(moodle.lms.course(), person)
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    after = moodle.member(person)
    assert (after.id, after.status, after.left_at) == (before.id, "active", None)


def test_an_inactive_listing_ends_membership(canvas: Campus) -> None:
    person = canvas.learners()[0]
    canvas.sync()
    canvas.lms.suspend(canvas.lms.course(), person)
    canvas.clock.advance(timedelta(hours=1))
    canvas.sync()
    assert canvas.member(person).status == "inactive"


def test_pairing_hears_of_changes_and_of_nothing_else(moodle: Campus) -> None:
    moodle.sync()
    assert moodle.told_pairing == [moodle.course_id]
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    assert moodle.told_pairing == [moodle.course_id]
    moodle.lms.unenrol(moodle.lms.course(), moodle.learners()[0])
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    assert moodle.told_pairing == [moodle.course_id] * 2


def test_pages_are_read_to_the_last(canvas: Campus) -> None:
    canvas.lms.fill_course(canvas.lms.course(), 170)
    canvas.sync()
    assert len(canvas.members()) == len(canvas.lms.course().enrolments)
    assert latest(canvas).page == 4
    assert canvas.seen("memberships") == 4


def test_a_roster_that_stays_away_for_days_is_read_when_the_platform_is_back(canvas: Campus) -> None:
    canvas.lms.faults.roster(500, times=None)
    canvas.sync()
    assert latest(canvas).state == "running"
    canvas.run_for(timedelta(days=5))
    assert latest(canvas).state != "finished"
    canvas.lms.faults.clear()
    canvas.run_for(timedelta(days=1, minutes=1))
    assert latest(canvas).state == "finished"


@pytest.mark.parametrize(
    ("status", "body"), [(401, ""), (403, ""), (400, "<html>oops"), (405, ""), (404, ""), (404, "<html>maintenance")]
)
def test_a_refused_roster_is_read_again_by_itself_within_a_day(moodle: Campus, status: int, body: str) -> None:
    moodle.lms.faults.answer("roster", status, times=4, body=body)
    moodle.sync()
    assert latest(moodle).state != "finished"
    moodle.run_for(timedelta(days=1))
    assert latest(moodle).state == "finished"
    assert moodle.course().ended_at is None


def test_a_roster_that_is_refused_for_good_is_asked_for_daily_and_for_a_month(moodle: Campus) -> None:
    moodle.lms.faults.roster(403, times=None)
    moodle.sync()
    assert latest(moodle).looks_again_at == moodle.clock.now() + timedelta(minutes=5)
    moodle.run_for(timedelta(days=60))
    assert (latest(moodle).failure, latest(moodle).looks_again_at) == ("refused", None)
    assert 30 <= moodle.seen("memberships") <= 40
    moodle.lms.faults.clear()
    moodle.sync()
    assert latest(moodle).state == "finished"


@pytest.mark.parametrize(
    ("body", "failure"),
    [('{"error": "invalid_client"}', "credentials"), ('{"error": "Expired token"}', "clock"), ("<html>", "no access")],
)
def test_a_roster_waits_until_the_platform_grants_tokens_again(moodle: Campus, body: str, failure: str) -> None:
    moodle.lms.faults.token(400, times=None, body=body)
    moodle.sync()
    moodle.run_for(timedelta(hours=2))
    assert (latest(moodle).state, latest(moodle).failure) == ("failed", failure)
    moodle.lms.faults.clear()
    moodle.run_for(timedelta(hours=4))
    assert latest(moodle).state == "finished"


def test_a_roster_that_breaks_off_deactivates_nobody_and_goes_on_where_it_stopped(canvas: Campus) -> None:
    canvas.lms.fill_course(canvas.lms.course(), 170)
    canvas.sync()
    gone = canvas.learners()[0]
    canvas.lms.unenrol(canvas.lms.course(), gone)
    canvas.clock.advance(timedelta(hours=1))
    canvas.lms.faults.roster(break_after_page=2, times=1)
    canvas.sync()
    assert latest(canvas).state == "running"
    assert latest(canvas).page == 2
    assert {member.status for member in canvas.members().values()} == {"active"}
    asked = canvas.seen("memberships")
    canvas.run_for(timedelta(minutes=5))
    assert latest(canvas).state == "finished"
    assert canvas.seen("memberships") == asked + 2
    assert canvas.member(gone).status == "inactive"


class Crash(BaseException):
    """The process dies."""


def test_a_crash_between_two_pages_loses_nothing(canvas: Campus, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas.lms.fill_course(canvas.lms.course(), 170)
    kept = readings.keep
    pages: list[int] = []

    def die_on_the_third(*arguments: object, **named: object) -> int:
        pages.append(1)
        if len(pages) == 3:
            raise Crash
        return kept(*arguments, **named)

    monkeypatch.setattr(handlers.readings, "keep", die_on_the_third)
    with pytest.raises(Crash):
        canvas.sync()
    assert latest(canvas).page == 2
    canvas.clock.advance(queue.LEASE)
    canvas.run()
    assert latest(canvas).state == "finished"
    assert len(canvas.members()) == len(canvas.lms.course().enrolments)


@pytest.mark.parametrize("body", ["<html>oops", '{"members": [', '{"people": []}', "[]", '{"members": null}', ""])
def test_an_answer_that_is_no_roster_deactivates_nobody(moodle: Campus, body: str) -> None:
    moodle.sync()
    moodle.lms.faults.garble("roster", body, content_type="application/json")
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    assert latest(moodle).state == "running"
    assert {member.status for member in moodle.members().values()} == {"active"}
    moodle.run_for(timedelta(minutes=5))
    assert latest(moodle).state == "finished"


def answers_with(campus: Campus, members: Sequence[object], before: bytes = b"") -> None:
    """The next page of the roster has these entries, and is read."""
    body = before + json.dumps({"id": "x", "context": {"id": "1"}, "members": members}).encode()
    campus.lms.faults.garble("roster", body.decode(), content_type="application/json")
    campus.clock.advance(timedelta(hours=1))
    campus.sync()


def entries(campus: Campus) -> list[dict[str, object]]:
    """Everybody who can be paired, as a roster lists them."""
    return [{"user_id": sub, "status": "Active", "roles": ["Learner"]} for sub in to_pair(campus)]


def test_a_byte_order_mark_before_the_roster_is_no_part_of_it(moodle: Campus) -> None:
    answers_with(moodle, [{"user_id": "1", "roles": ["Learner"], "name": "Åsa Öberg"}], codecs.BOM_UTF8)
    assert latest(moodle).state == "finished"
    assert moodle.members().keys() == {"1"}


def test_entries_of_another_shape_take_nobody_out(moodle: Campus) -> None:
    moodle.lms.fill_course(moodle.lms.course(), 24)
    moodle.sync()
    before, listed = to_pair(moodle), entries(moodle)
    shapes: list[dict[str, object]] = [
        {"roles": "Learner"},
        {"status": None},
        {"status": "Enrolled"},
        {"roles": None},
        {"roles": {"Learner": True}},
    ]
    answers_with(moodle, [{**one, **shapes[place % len(shapes)]} for place, one in enumerate(listed)])
    assert (latest(moodle).state, latest(moodle).unread > 0) == ("finished", True)
    assert to_pair(moodle) == before


def test_what_cannot_be_read_counts_against_believing_the_roster(moodle: Campus) -> None:
    moodle.lms.fill_course(moodle.lms.course(), 24)
    moodle.sync()
    before, listed = to_pair(moodle), entries(moodle)
    assert len(before) > 20
    answers_with(moodle, [*listed[2:], {"user_id": None}, {"user_id": {"id": 7}}, "nobody"])
    assert (latest(moodle).state, latest(moodle).unread) == ("asks", 3)
    assert to_pair(moodle) == before


def test_a_roster_that_lacks_more_than_a_tenth_asks_with_names(moodle: Campus) -> None:
    moodle.lms.fill_course(moodle.lms.course(), 40)
    moodle.sync()
    before = to_pair(moodle)
    gone = [person.sub for person in moodle.learners()[:10]]
    answers_with(moodle, [one for one in entries(moodle) if one["user_id"] not in gone])
    assert latest(moodle).state == "asks"
    assert to_pair(moodle) == before
    with moodle.open() as session:
        doubt = service.doubt(session, moodle.course_id)
        assert doubt is not None
        assert {name for _, name in doubt.ending} == {moodle.person(person).name for person in moodle.learners()[:10]}
        service.answer_doubt(session, moodle.course_id, doubt.sync_id, is_true=True, now=moodle.clock.now())
    assert to_pair(moodle) == [sub for sub in before if sub not in gone]


def test_many_who_are_listed_as_having_left_are_asked_about_too(moodle: Campus) -> None:
    moodle.lms.fill_course(moodle.lms.course(), 24)
    moodle.sync()
    before = to_pair(moodle)
    answers_with(moodle, [{**one, "status": "Inactive"} for one in entries(moodle)])
    assert latest(moodle).state == "asks"
    assert to_pair(moodle) == before
    # One page says that somebody left, a later one of the same roster that they are there.
    answers_with(moodle, [{**entries(moodle)[0], "status": "Deleted"}, *entries(moodle)])
    assert latest(moodle).state == "finished"
    assert to_pair(moodle) == before


def test_a_complete_roster_without_learners_asks_first(moodle: Campus) -> None:
    moodle.sync()
    learners = len(to_pair(moodle))
    moodle.lms.reset_course(moodle.lms.course())
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    assert latest(moodle).state == "asks"
    assert len(to_pair(moodle)) == learners
    with moodle.open() as session:
        doubt = service.doubt(session, moodle.course_id)
        assert doubt is not None
        service.answer_doubt(session, moodle.course_id, doubt.sync_id, is_true=True, now=moodle.clock.now())
    moodle.run()
    # Moodle lists its assistant as a learner, and nobody knows better yet.
    assert to_pair(moodle) == [
        one.person.sub for one in moodle.lms.course().enrolments.values() if one.role == "assistant"
    ]
    assert moodle.told_pairing == [moodle.course_id] * 2


def test_an_empty_roster_taken_for_a_mistake_changes_nothing(moodle: Campus) -> None:
    moodle.sync()
    learners = to_pair(moodle)
    moodle.lms.reset_course(moodle.lms.course())
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    with moodle.open() as session:
        doubt = service.doubt(session, moodle.course_id)
        assert doubt is not None
        service.answer_doubt(session, moodle.course_id, doubt.sync_id, is_true=False, now=moodle.clock.now())
    assert to_pair(moodle) == learners
    with moodle.open() as session:
        assert service.doubt(session, moodle.course_id) is None


def test_an_answer_about_an_older_roster_decides_nothing_about_a_newer_one(moodle: Campus) -> None:
    moodle.sync()
    learners = to_pair(moodle)
    answers_with(moodle, [])
    older = latest(moodle).id
    answers_with(moodle, [])
    with moodle.open() as session:
        service.answer_doubt(session, moodle.course_id, older, is_true=True, now=moodle.clock.now())
    assert latest(moodle).state == "asks"
    assert to_pair(moodle) == learners


def test_a_page_with_more_people_than_any_course_is_not_read_again_and_again(
    moodle: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    moodle.sync()
    before = to_pair(moodle)
    monkeypatch.setattr(gateway, "MOST_ON_PAGE", 3)
    answers_with(moodle, entries(moodle) * 2)
    assert (latest(moodle).state, latest(moodle).failure) == ("failed", "too large")
    assert to_pair(moodle) == before
    assert moodle.run() == 0


@pytest.mark.parametrize("text", ["x" * 1_000_000, '"' * 1_000_000])
def test_a_text_of_unreasonable_length_ends_the_reading(moodle: Campus, text: str) -> None:
    answers_with(moodle, [{"user_id": "1", "roles": ["Learner"], "name": text}])
    assert (latest(moodle).state, latest(moodle).failure) == ("failed", "too large")


def test_who_launched_and_is_on_no_roster_stays_and_is_known_as_that(moodle: Campus) -> None:
    with moodle.open() as session:
        extra = a_person(session, session.get_one(Registration, moodle.registration_id), sub="extra")
        session.add(
            Member(
                course_id=moodle.course_id,
                person_id=extra.id,
                role="learner",
                ever_staff=False,
                is_test=False,
                status="active",
                created_at=moodle.clock.now(),
                last_launch_at=moodle.clock.now(),
            )
        )
    for _ in range(2):
        moodle.clock.advance(timedelta(hours=6))
        moodle.sync()
        assert moodle.members()["extra"].status == "active"
        assert "extra" not in to_pair(moodle)
        with moodle.open() as session:
            assert [one.member_id for one in unlisted(session, moodle.course_id)] == [moodle.members()["extra"].id]


def test_a_platform_that_keeps_names_to_itself_never_wipes_those_we_know(moodle: Campus) -> None:
    moodle.sync()
    person = moodle.learners()[0]
    moodle.lms.set_privacy(moodle.tool, name=False, email=False)
    moodle.clock.advance(timedelta(hours=1))
    moodle.sync()
    assert moodle.person(person).name == person.name


def test_a_roster_without_names_is_read_all_the_same(moodle: Campus) -> None:
    moodle.lms.set_privacy(moodle.tool, name=False, email=False)
    moodle.sync()
    assert len(to_pair(moodle)) >= len(moodle.learners())
    assert moodle.person(moodle.learners()[0]).name is None


def test_who_launched_while_the_roster_was_read_stays(moodle: Campus) -> None:
    moodle.sync()
    person = moodle.learners()[0]
    moodle.lms.unenrol(moodle.lms.course(), person)
    moodle.clock.advance(timedelta(hours=1))
    with moodle.open() as session:
        session.get_one(Member, moodle.member(person).id).last_launch_at = moodle.clock.now() + timedelta(seconds=1)
    moodle.sync()
    assert moodle.member(person).status == "active"


def test_an_administrator_whom_no_roster_lists_stays(moodle: Campus) -> None:
    with moodle.open() as session:
        registration = session.get_one(Registration, moodle.registration_id)
        admin = a_person(session, registration, sub="2")
        session.add(
            Member(
                course_id=moodle.course_id,
                person_id=admin.id,
                role="instructor",
                ever_staff=True,
                created_at=moodle.clock.now(),
                last_launch_at=moodle.clock.now() - timedelta(days=3),
            )
        )
    moodle.sync()
    assert moodle.members()["2"].status == "active"


def test_a_person_whose_data_was_erased_does_not_come_back_by_the_roster(moodle: Campus) -> None:
    person = moodle.learners()[0]
    with moodle.open() as session:
        registration = session.get_one(Registration, moodle.registration_id)
        erased = a_person(session, registration, sub=person.sub, name=None, erased_at=moodle.clock.now())
    moodle.sync()
    assert person.sub not in moodle.members()
    with moodle.open() as session:
        assert session.get_one(Person, erased.id).name is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_ends_the_reading_and_deactivates_nobody(moodle: Campus, status: int) -> None:
    moodle.sync()
    moodle.clock.advance(timedelta(hours=1))
    moodle.lms.faults.roster(status, times=2)
    moodle.sync()
    assert (latest(moodle).state, latest(moodle).failure) == ("failed", "refused")
    assert {member.status for member in moodle.members().values()} == {"active"}


def test_a_token_that_the_platform_forgot_is_replaced_once(moodle: Campus) -> None:
    moodle.sync()
    moodle.lms.revoke_tokens()
    moodle.clock.advance(timedelta(minutes=1))
    moodle.sync()
    assert latest(moodle).state == "finished"
    assert latest(moodle).started_at == moodle.clock.now()


def test_throttling_is_waited_out_as_long_as_the_platform_says(moodle: Campus) -> None:
    moodle.lms.faults.roster(429, retry_after=90)
    moodle.sync()
    assert latest(moodle).looks_again_at == moodle.clock.now() + timedelta(seconds=90)
    moodle.run_for(timedelta(seconds=89))
    assert latest(moodle).state == "running"
    moodle.run_for(timedelta(seconds=2))
    assert latest(moodle).state == "finished"


def test_a_course_is_over_when_every_service_says_so(canvas: Campus) -> None:
    canvas.sync()
    canvas.lms.conclude_course(canvas.lms.course())
    canvas.clock.advance(timedelta(hours=1))
    canvas.sync()
    assert canvas.course().ended_at == canvas.clock.now()
    asked = len(canvas.lms.requests_seen)
    canvas.sync()
    assert len(canvas.lms.requests_seen) == asked
    assert {member.status for member in canvas.members().values()} == {"active"}


def test_a_course_is_not_over_because_its_roster_alone_is_gone(canvas: Campus) -> None:
    canvas.lms.faults.roster(404, times=1)
    canvas.sync()
    assert latest(canvas).failure == "gone"
    assert canvas.course().ended_at is None


def test_next_pages_on_foreign_ground_are_not_followed(moodle: Campus) -> None:
    with moodle.open() as session:
        step = readings.next_step(session, moodle.course_id, now=moodle.clock.now())
        assert step is not None
        readings.turn_page(session, step, "https://evil.example/next", new=5, now=moodle.clock.now())
    assert (latest(moodle).state, latest(moodle).failure) == ("failed", "foreign address")


def test_a_next_page_that_is_spelled_otherwise_is_read_at_the_address_that_we_know(moodle: Campus) -> None:
    host = moodle.lms.url.removeprefix("http://").partition(":")[0]
    with moodle.open() as session:
        step = readings.next_step(session, moodle.course_id, now=moodle.clock.now())
        assert step is not None
        readings.turn_page(session, step, f"https://{host}.:8443/m?page=2", new=5, now=moodle.clock.now())
    assert (latest(moodle).state, latest(moodle).next_url) == ("running", f"{moodle.lms.url}/m?page=2")


def test_pages_that_lead_in_circles_are_left(moodle: Campus) -> None:
    with moodle.open() as session:
        for page in range(5):
            step = readings.next_step(session, moodle.course_id, now=moodle.clock.now())
            if step is None or latest_state(session, moodle) != "running":
                break
            readings.turn_page(session, step, f"{moodle.lms.url}/p{page % 2}", new=0, now=moodle.clock.now())
            session.flush()
            if latest_state(session, moodle) == "failed":
                break
        assert latest_state(session, moodle) == "failed"


def latest_state(session: object, campus: Campus) -> str:
    found = service.latest(session, campus.course_id)
    assert found is not None
    return found.state


def test_a_reading_that_never_ends_starts_anew_the_next_day(canvas: Campus) -> None:
    canvas.lms.faults.roster(500, times=None)
    canvas.sync()
    first = latest(canvas)
    canvas.lms.faults.clear()
    canvas.clock.advance(timedelta(days=2))
    canvas.run()
    assert latest(canvas).id != first.id
    assert latest(canvas).state == "finished"


def test_a_paused_registration_is_not_called(moodle: Campus) -> None:
    with moodle.open() as session:
        session.get_one(Registration, moodle.registration_id).paused_at = moodle.clock.now()
    moodle.sync()
    assert len(moodle.lms.requests_seen) == 0
    assert latest(moodle).failure == "paused"


def test_courses_in_use_are_read_again_by_themselves(moodle: Campus) -> None:
    with moodle.open() as session:
        course = moodle.course()
        a_placement(session, course, last_launch_at=moodle.clock.now())
        other = a_course(
            session, session.scalars(select(Deployment)).one(), memberships_url="https://lms.example/never-launched"
        )
        a_placement(session, other, last_launch_at=moodle.clock.now() - timedelta(days=30))
    with moodle.kit.open_session() as session:
        assert readings.refresh(session, now=moodle.clock.now()) == 1
    moodle.run()
    assert latest(moodle).state == "finished"
    with moodle.kit.open_session() as session:
        assert readings.refresh(session, now=moodle.clock.now()) == 0
    moodle.clock.advance(timedelta(hours=13))
    with moodle.kit.open_session() as session:
        assert readings.refresh(session, now=moodle.clock.now()) == 1


def test_without_a_roster_service_learners_are_known_from_launches(moodle: Campus) -> None:
    with moodle.open() as session:
        course = session.get_one(type(moodle.course()), moodle.course_id)
        course.memberships_url = None
        person = a_person(session, session.get_one(Registration, moodle.registration_id))
        session.add(Member(course_id=course.id, person_id=person.id, role="learner", created_at=moodle.clock.now()))
    assert to_pair(moodle) == [person.sub]
    moodle.sync()
    assert to_pair(moodle) == [person.sub]


def test_people_of_one_page_are_written_in_few_transactions(moodle: Campus) -> None:
    moodle.lms.fill_course(moodle.lms.course(), 1200)
    opened: list[int | None] = []
    inner = moodle.kit.open_session

    def counting(institution_id: int | None = None) -> object:
        opened.append(institution_id)
        return inner(institution_id)

    moodle.kit = replace(moodle.kit, open_session=counting)
    moodle.sync()
    with moodle.open() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == len(moodle.lms.course().enrolments)
    assert len(opened) < 40
