"""A pair finds a time on the pages: proposes, accepts, changes, cancels, and reminds a partner who does not answer."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState
from lti_tool.attributes.models import MemberAttribute
from lti_tool.launch.models import Member
from lti_tool.support.db import OpenSession
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

TIME = "/round/1/time"


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    """It is Monday 2 November, 10:00 in Stockholm; the round is due in a week."""
    with open_session() as session:
        room = a_classroom(
            session, "Mette", "Jonas", "Femke", "Zoë", now=clock.now(), groups=(("Mette", "Jonas"), ("Femke", "Zoë"))
        )
    return World(open_session, clock, client, room)


@pytest.fixture
def mette(world: World) -> Browser:
    return world.browser("Mette")


@pytest.fixture
def jonas(world: World) -> Browser:
    return world.browser("Jonas")


def proposes(who: Browser, day: str = "2026-11-03", clock: str = "14:00", **fields: str) -> str:
    return who.post(TIME, **{"day-1": day, "clock-1": clock, "do": "propose", **fields}).text


def press(who: Browser, label: str, page: str = TIME) -> str:
    """Press the first button of a page whose label begins so."""
    text = who.get(page).text
    for form in re.findall(r"<form.*?</form>", text, flags=re.DOTALL):
        if re.search(rf"<button[^>]*>{re.escape(label)}", form):
            action = re.search(r'action="/v/[^/]+([^"]+)"', form)
            assert action is not None
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
            fields.pop("form_token")
            return who.post(action[1], **fields).text
    raise AssertionError(f"no button {label!r} in {text}")


def stands(who: Browser, page: str = TIME) -> str:
    """The sentence about the meeting."""
    found = re.search(r"Your meeting:</span> <strong>(.*?)</strong>", who.get(page).text)
    assert found is not None
    return found[1]


def test_a_time_is_proposed_and_accepted_by_one_tap_on_the_first_page(
    world: World, mette: Browser, jonas: Browser
) -> None:
    assert stands(mette, "/") == "No time yet."

    page = proposes(mette, place="Room <4>")

    assert "Proposed. It is agreed as soon as everyone has accepted one of the times." in page
    assert stands(mette) == "Proposed by you. Waiting for Jonas."
    assert stands(jonas, "/") == "Proposed by Mette. You have not answered."
    home = press(jonas, "Accept", "/")
    assert "Agreed: Tue 3 Nov, 14:00 (Europe/Stockholm)." in home
    assert "Room &lt;4&gt;" in home
    for who in (mette, jonas):
        assert stands(who, "/") == "Agreed: Tue 3 Nov, 14:00 (Europe/Stockholm)."
    assert "14:00" not in world.browser("Femke").get(TIME).text


def test_the_page_of_the_meeting_shows_the_time_and_takes_the_answer(mette: Browser, jonas: Browser) -> None:
    meeting = "/round/1/meeting"
    assert stands(jonas, meeting) == "No time yet."
    proposes(mette)
    answered = press(jonas, "Accept", meeting)
    assert "Meeting in round 1" in answered
    assert stands(mette, meeting) == "Agreed: Tue 3 Nov, 14:00 (Europe/Stockholm)."


def test_whoever_is_in_another_zone_reads_both_times(world: World, mette: Browser) -> None:
    proposes(mette)
    page = world.browser("Jonas", time_zone="America/New_York").get(TIME).text
    assert "Tue 3 Nov, 08:00 (America/New_York)" in page
    assert "There: Tue 3 Nov, 14:00 (Europe/Stockholm)" in page
    assert "There:" not in world.browser("Jonas", time_zone="Europe/Oslo").get(TIME).text


def test_up_to_three_times_can_be_proposed_and_one_is_chosen(mette: Browser, jonas: Browser) -> None:
    more = {f"day-{number}": f"2026-11-0{number + 2}" for number in (2, 3)}
    proposes(mette, **more, **{"clock-2": "09:30", "clock-3": "11:00"})
    assert jonas.get(TIME).text.count(">Accept") == 3
    text = press(jonas, "Accept", "/")
    assert "Agreed: Tue 3 Nov, 14:00" in text
    assert ">Accept" not in jonas.get(TIME).text


def test_a_time_after_the_round_is_due_says_so(mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    assert "after the round is due" not in jonas.get(TIME).text
    proposes(mette, "2026-11-12")
    assert "after the round is due" in jonas.get(TIME).text


def test_what_was_agreed_stands_until_another_time_is(mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    press(jonas, "Accept")
    proposes(jonas, "2026-11-05", "16:00")
    assert stands(mette) == "Agreed: Tue 3 Nov, 14:00 (Europe/Stockholm). Jonas proposes another time."
    press(mette, "Accept")
    assert stands(jonas) == "Agreed: Thu 5 Nov, 16:00 (Europe/Stockholm)."


def test_a_meeting_is_canceled_and_taken_up_again(mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    press(jonas, "Accept")
    assert "shown as canceled in the calendars of all of you" in press(mette, "Cancel this meeting")
    assert stands(mette) == "You canceled: Tue 3 Nov, 14:00 (Europe/Stockholm)."
    assert stands(jonas) == "Mette canceled: Tue 3 Nov, 14:00 (Europe/Stockholm)."
    press(jonas, "Propose it again")
    assert stands(mette) == "Proposed by Jonas. You have not answered."
    press(jonas, "Take my proposal back")
    press(mette, "Undo")
    assert stands(jonas) == "Agreed: Tue 3 Nov, 14:00 (Europe/Stockholm)."


def test_a_rhythm_gives_the_further_dates_of_the_round_and_each_can_be_left_out(
    world: World, mette: Browser, jonas: Browser
) -> None:
    with world.open_session(world.room.institution.id) as session:
        session.merge(world.room.rounds[0]).due_at = world.clock.now() + timedelta(days=20)
    proposes(mette, rhythm="weekly")
    press(jonas, "Accept")
    page = jonas.get(TIME).text
    assert [day for day in ("Tue 3 Nov", "Tue 10 Nov", "Tue 17 Nov", "Tue 24 Nov") if day in page] == [
        "Tue 3 Nov",
        "Tue 10 Nov",
        "Tue 17 Nov",
    ]
    press(jonas, "Skip")
    assert stands(mette) == "Agreed: Tue 10 Nov, 14:00 (Europe/Stockholm)."
    press(mette, "Take place after all")
    assert stands(mette) == "Agreed: Tue 3 Nov, 14:00 (Europe/Stockholm)."


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"day-1": "", "clock-1": ""}, "Choose or type at least one time."),
        ({"day-1": "soon"}, "Write the date as year-month-day"),
        ({"clock-1": "two"}, "Write the time as hours:minutes"),
        ({"day-1": "2026-11-01"}, "This time is over. Choose a later one."),
        ({"day-1": "2028-11-01"}, "This is more than a year ahead."),
        ({"minutes": "7"}, "Choose a length from the list."),
        ({"place": "javascript:alert(1)"}, "A link must begin with https:// or http://."),
        ({"place": "https://"}, "A link must begin with https:// or http://."),
        ({"place": "x" * 501}, "Shorten the place to 500 characters."),
        ({"day-1": "2027-03-28", "clock-1": "02:30"}, "Clocks go forward then, so this time does not exist"),
        ({"day-1": "2027-10-31", "clock-1": "02:30"}, "Clocks go back then, so this time comes twice"),
        ({"day-2": "2026-11-04", "clock-2": ""}, "Write the time as hours:minutes"),
    ],
)
def test_what_cannot_be_proposed_is_said_beside_what_was_typed(
    mette: Browser, jonas: Browser, fields: dict[str, str], sentence: str
) -> None:
    typed = {"day-1": "2026-11-03", "clock-1": "14:00", "place": "My own words", **fields}
    answer = mette.post(TIME, **typed, do="propose")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert typed["place"] in answer.text
    assert stands(jonas) == "No time yet."


def test_an_hour_that_comes_twice_is_told_apart(mette: Browser, jonas: Browser) -> None:
    asked = proposes(mette, "2027-10-31", "02:30")
    assert "Before clocks go back (UTC+02:00)" in asked
    assert "After clocks have gone back (UTC+01:00)" in asked
    proposes(mette, "2027-10-31", "02:30", **{"turn-1": "second"})
    assert "Sun 31 Oct 2027, 02:30" in jonas.get(TIME).text


def test_a_link_is_a_link_and_a_place_is_not(mette: Browser, jonas: Browser) -> None:
    proposes(mette, place="https://video.example/room?a=1&b=2")
    page = jonas.get(TIME).text
    assert 'href="https://video.example/room?a=1&amp;b=2"' in page
    assert 'rel="noopener noreferrer"' in page
    proposes(mette, place="Café https://video.example")
    assert 'href="https://video.example' not in jonas.get(TIME).text


def test_times_that_all_have_said_are_offered_first(world: World, mette: Browser, jonas: Browser) -> None:
    with world.open_session(world.room.institution.id) as session:
        for name, slots in (("Mette", ["tue-am", "wed-pm"]), ("Jonas", ["wed-pm", "fri-eve"])):
            session.add(
                MemberAttribute(
                    member_id=world.room.members[name].id,
                    attribute="slots",
                    value={"names": slots},
                    source="questionnaire",
                    changed_at=world.clock.now(),
                )
            )
    page = mette.get(TIME).text
    assert "Times that suit all of you" in page
    offers = re.findall(r'name="offers" value="([^"]+)"', page)
    assert offers == ["2026-11-04T12:00:00+00:00"]
    assert "Wed 4 Nov, 13:00 (Europe/Stockholm)" in page
    mette.post(TIME, offers=offers[0], do="propose")
    assert "Wed 4 Nov, 13:00 (Europe/Stockholm)" in jonas.get(TIME).text
    assert "Times that suit all of you" not in world.browser("Femke").get(TIME).text


def test_a_partner_who_does_not_answer_sees_it_first_thing_and_staff_see_a_mark(
    world: World, mette: Browser, jonas: Browser
) -> None:
    assert "waits for a partner" not in world.browser("Ingrid").get("/progress").text
    home = press(mette, "Jonas does not answer", "/")
    assert "Your partner sees on their first page that you are waiting" in home
    assert "You have been waiting for Jonas" in home
    assert "Remind Jonas again" not in home
    assert "Mette is waiting for your answer about round 1." in jonas.get().text
    progress = world.browser("Ingrid").get("/progress").text
    assert "1 learner waits for a partner" in progress
    assert "waits for a partner since" in progress
    for name in ("Femke", "Zoë"):
        assert "is waiting for your answer" not in world.browser(name).get().text

    world.clock.advance(timedelta(hours=25))
    assert "Remind Jonas again" in world.browser("Mette").get().text
    press(world.browser("Jonas"), "We have talked", "/")
    assert "You have been waiting for Jonas" not in world.browser("Mette").get().text
    assert "waits for a partner" not in world.browser("Ingrid").get("/progress").text


def test_a_partner_is_reminded_once_a_day(world: World, mette: Browser) -> None:
    path = f"/round/1/nudge/{world.room.members['Jonas'].id}"
    assert mette.post(path).status_code == 200
    again = mette.post(path)
    assert again.status_code == 409
    assert "You have already asked today" in again.text


def test_accepting_a_time_answers_the_reminder(mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    press(mette, "Jonas does not answer", "/")
    press(jonas, "Accept", "/")
    assert "is waiting for your answer" not in jonas.get().text
    assert "You have been waiting for" not in mette.get().text


def test_nobody_else_sees_or_changes_a_meeting(world: World, mette: Browser) -> None:
    proposes(mette)
    for who in (world.browser("Ingrid"), world.browser("Ingrid", role="learner", is_preview=True)):
        assert who.get(TIME).status_code == 404
        assert who.post(TIME, do="accept:1").status_code == 404
    femke = world.browser("Femke")
    assert femke.post(TIME, do="accept:1").status_code == 409
    assert femke.post(f"/round/1/nudge/{world.room.members['Mette'].id}").status_code == 404
    assert mette.get("/round/2/time").status_code == 404
    assert mette.post(TIME, do="nonsense").status_code == 404


def test_a_closed_activity_shows_the_time_and_changes_nothing(world: World, mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).state = ActivityState.CLOSED
    page = jonas.get(TIME).text
    assert "Accept" not in page
    assert 'name="day-1"' not in page
    assert jonas.post(TIME, do="accept:1").status_code == 403
    assert jonas.post(f"/round/1/nudge/{world.room.members['Mette'].id}").status_code == 403


def test_a_partner_who_left_leaves_nobody_to_meet(world: World, mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    press(jonas, "Accept")
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Member, world.room.members["Jonas"].id).status = "inactive"
    assert stands(mette) == "No time yet."
    assert "Your partner has left the course." in mette.get(TIME).text
    assert mette.post(TIME, **{"day-1": "2026-11-03", "clock-1": "14:00"}, do="propose").status_code == 409


def test_buttons_of_an_older_page_are_refused_with_a_word(world: World, mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    proposes(mette, "2026-11-04")
    gone = jonas.post(TIME, do="accept:1")
    assert gone.status_code == 409
    assert "This time has changed in the meantime" in gone.text
    assert mette.post(TIME, do="cancel").status_code == 409
    assert mette.post(TIME, do="take_up").status_code == 409
    assert mette.post(TIME, do="skip:1").status_code == 409
    world.clock.advance(timedelta(days=3))
    late = world.browser("Jonas").post(TIME, do="accept:2")
    assert late.status_code == 409
    assert "This time is over" in late.text


def test_what_was_agreed_is_part_of_the_work_that_a_learner_takes_along(mette: Browser, jonas: Browser) -> None:
    proposes(mette)
    assert "Meetings that you agreed on" not in mette.post("/own-work").text
    press(jonas, "Accept")
    taken = mette.post("/own-work").text
    assert "Meetings that you agreed on" in taken
    assert "Round 1: November 3, 2026" in taken
