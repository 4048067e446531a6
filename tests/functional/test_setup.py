"""A designer sets an activity up and places it, through the pages."""

import re
from datetime import datetime
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.feedback.models import Entry
from lti_tool.launch.models import Course
from lti_tool.launch.rules.values import LTI
from lti_tool.pairing.models import Group, Plan
from lti_tool.support.kit import Kit
from lti_tool.web.visits import Visit, VisitKind
from tests.factories.people import a_member, a_person
from tests.fakes.clock import FakeClock
from tests.functional.designing import Designer, a_designer, answer_page, claims_of, fields_of
from tests.functional.launching import attribute

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


@pytest.fixture
def placing(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    """Somebody in the deep-linking dialog."""
    return a_designer(app, kit, clock, kind=VisitKind.PLACING)


@pytest.fixture
def visiting(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    """Somebody who opened a plain link."""
    return a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)


def test_a_designer_places_the_template_as_it_is(placing: Designer) -> None:
    chosen = placing.get("/setup")
    assert "Observation and feedback" in chosen.text
    path, fields = placing.start()
    answer = placing.post(path, **fields, do="place")
    # What the browser kept of the form is of no use any more.
    assert attribute(placing.get(path).text, "data-unsent data-store") == attribute(
        answer.text, "data-unsent-done data-store"
    )
    page = answer_page(placing, answer)
    [activity] = placing.activities()
    assert activity.state == "ready"
    claims = claims_of(placing, page)
    assert claims["iss"] == placing.registration.client_id
    assert claims[f"{LTI}message_type"] == "LtiDeepLinkingResponse"
    [item] = claims[f"{DL}content_items"]
    assert item["type"] == "ltiResourceLink"
    assert item["url"] == "http://localhost:8000/lti/launch"
    assert item["custom"]["activity"] == activity.key
    assert item["lineItem"]["scoreMaximum"] == 100
    assert f"{DL}data" not in claims
    origin = placing.registration.platform_origins[0]
    assert f"form-action 'self' {origin}" in page.headers["Content-Security-Policy"]


def test_an_activity_starts_with_the_title_and_text_of_the_dialog_and_returns_them(
    app: Flask, kit: Kit, clock: FakeClock
) -> None:
    typed = {"title": "Week 3: peer observation", "text": "Bring your own lesson plan.\n\nAnd a pen."}
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING, **typed)
    path, fields = designer.start()
    assert (fields["title"], fields["instructions"]) == (typed["title"], typed["text"])
    [item] = claims_of(designer, answer_page(designer, designer.post(path, **fields, do="place")))[f"{DL}content_items"]
    assert (item["title"], item["text"]) == (typed["title"], typed["text"])


def test_what_the_teacher_types_here_replaces_what_the_dialog_had(app: Flask, kit: Kit, clock: FakeClock) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING, title="Week 3", text="Bring a plan.")
    path, fields = designer.start()
    fields |= {"title": "Mine", "instructions": "My words."}
    [item] = claims_of(designer, answer_page(designer, designer.post(path, **fields, do="place")))[f"{DL}content_items"]
    assert (item["title"], item["text"]) == ("Mine", "My words.")


@pytest.mark.parametrize("title", ["tandem", None])
def test_the_name_of_the_tool_is_no_title(app: Flask, kit: Kit, clock: FakeClock, title: str | None) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING, title=title)
    assert designer.start()[1]["title"] == "Observation and feedback"


def test_the_dialog_offers_no_tab_that_its_platform_could_not_hear(placing: Designer, visiting: Designer) -> None:
    path, _ = placing.start()
    for page in (placing.get("/setup"), placing.get(path)):
        assert "Open in a new tab" not in page.text
    assert placing.post("/new-tab").status_code == 403
    page = visiting.get("/setup?x=1&said=saved&c=spent").text
    assert "Open in a new tab" in page
    assert 'name="page" value="setup?x=1"' in page


@pytest.mark.parametrize(("auto_create", "offers"), [(False, False), (True, True)])
def test_a_dialog_that_had_to_open_in_a_tab_says_that_nothing_can_be_placed_from_there(
    app: Flask, kit: Kit, clock: FakeClock, auto_create: bool, offers: bool
) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING, auto_create=auto_create)
    with kit.open_session(designer.institution_id) as session:
        visit = session.get_one(Visit, designer.visit.id)
        visit.details = {**visit.details, "is_own_tab": True}
    page = designer.get("/setup").text
    assert ("Use this template" in page) is offers
    assert ("You cannot place an activity from this tab" in page) is not offers


def test_a_plain_link_starts_with_its_own_title(visiting: Designer) -> None:
    with visiting.kit.open_session(visiting.institution_id) as session:
        session.execute(update(Visit).values(details={"link": {"id": "1", "title": "Week 3"}}))
    assert visiting.start()[1]["title"] == "Week 3"


def test_a_plain_link_is_set_up_where_it_stands(visiting: Designer) -> None:
    assert "Use this template" in visiting.get("/setup").text
    path, fields = visiting.start()
    assert path == "/setup"
    [activity] = visiting.activities()
    assert (activity.state, activity.placement_id) == ("draft", visiting.placement.id if visiting.placement else 0)
    opened = visiting.follow(visiting.post(path, **fields, do="open"))
    assert "The activity is open" in opened.text
    assert [activity.state for activity in visiting.activities()] == ["ready"]


def test_starting_twice_makes_one_activity(visiting: Designer) -> None:
    visiting.start()
    visiting.start()
    assert len(visiting.activities()) == 1


def test_two_who_start_at_the_same_moment_find_one_activity(
    visiting: Designer, monkeypatch: pytest.MonkeyPatch
) -> None:
    visiting.start()
    with monkeypatch.context() as patched:
        # What the slower of the two sees: nothing stands here yet.
        patched.setattr(activities, "activity_of", lambda *_: None)
        answer = visiting.post("/setup/start", template="observation")
    assert answer.status_code == 303
    assert "Observation and feedback" in visiting.follow(answer).text
    assert len(visiting.activities()) == 1


@pytest.mark.parametrize("template", ["observation", "role_play"])
def test_every_section_of_the_settings_is_one_jump_away(visiting: Designer, template: str) -> None:
    path, _ = visiting.start(template)
    page = visiting.get(path).text
    jumps = page.split('class="jump"')[1].split("</ul>")[0]
    assert re.findall(r'href="#(group-[a-z]+)"', jumps) == re.findall(r'id="(group-[a-z]+)"', page)


def test_saving_keeps_every_field(visiting: Designer) -> None:
    path, fields = visiting.start()
    changed = fields | {
        "title": "Watch <b>each</b> other & learn",
        "instructions": 'One\n\n"Two"',
        "time_zone": "Asia/Tokyo",
        "r1-opens_date": "2026-11-10",
        "r1-opens_time": "08:30",
        "release": "at_once",
        "staff_read_feedback": "1",
        "finds_partners": "1",
        "certificate": "1",
        "certificate_title": "Peers & <i>coaches</i>",
        "certificate_issuer": "Center",
        "hours-observed": "1.5",
        "write_notes": "2",
        "score_mode": "proportional",
        "score_maximum": "20",
        "zero_at_close": "1",
        "criteria-0-levels-0-label": "Nothing <i>yet</i>",
    }
    del changed["acknowledge"]
    page = visiting.follow(visiting.post(path, **changed, do="save"))
    assert "Saved." in page.text
    assert "<b>each</b>" not in page.text
    shown = fields_of(page.text)
    assert shown | {"version": "", "form_token": ""} == changed | {"version": "", "form_token": ""}


def test_a_page_with_mistakes_keeps_what_was_typed_and_says_what_to_do(placing: Designer) -> None:
    path, fields = placing.start()
    typed = fields | {
        "title": "",
        "instructions": "Mine",
        "r2-due_date": "2026-02-30",
        "criteria-1-name": "",
        "score_maximum": "x",
        "certificate": "1",
        "hours-observer": "two",
    }
    answer = placing.post(path, **typed, do="place")
    assert answer.status_code == 422
    assert fields_of(answer.text) == typed
    for target in ("title", "r2-due_date", "criteria-1-name", "score_maximum", "hours-observer"):
        assert f'<a href="#{target}">' in answer.text
        assert f'id="{target}-error"' in answer.text
    assert [activity.state for activity in placing.activities()] == ["draft"]


def test_the_editors_buttons_work_without_a_script_and_save_nothing(placing: Designer) -> None:
    path, fields = placing.start()
    typed = fields | {"title": "Not saved yet", "criteria-3-name": ""}
    page = placing.post(path, **typed, do="add-criterion")
    assert page.status_code == 200
    shown = fields_of(page.text)
    assert shown["title"] == "Not saved yet"
    assert shown["criteria-6-name"] == ""
    assert shown.pop("rubric-before")
    same = {name: value for name, value in shown.items() if not name.startswith("criteria-6")}
    assert same | {"rubric-before": ""} == typed
    assert "criteria-6-name" not in fields_of(placing.post(path, **fields_of(page.text), do="undo-rubric").text)
    page = placing.post(path, **shown, do="remove-criterion-6")
    page = placing.post(path, **fields_of(page.text), do="down-level-0-0")
    assert fields_of(page.text)["criteria-0-levels-1-label"] == fields["criteria-0-levels-0-label"]
    page = placing.post(path, **fields_of(page.text), do="add-round")
    assert "r3-due_date" in fields_of(page.text)
    [activity] = placing.activities()
    assert activity.title == "Observation and feedback"
    assert len(placing.rounds(activity)) == 2


def test_all_due_dates_come_from_a_rhythm_and_are_shown_before_anything_is_saved(placing: Designer) -> None:
    path, fields = placing.start()
    [activity] = placing.activities()
    before = placing.rounds(activity)[0].due_at
    series = {"series-first": "2026-12-15", "series-rhythm": "weekly", "series-free": "52, 53"}
    page = placing.post(path, **{**fields, **series}, do="fill-dates").text
    assert "The dates are filled in below and not saved yet:" in page
    assert "Round 1: Tuesday, December 15, 2026" in page
    assert "Round 2: Tuesday, January 5, 2027" in page
    shown = fields_of(page)
    assert (shown["r1-due_date"], shown["r2-due_date"]) == ("2026-12-15", "2027-01-05")
    assert placing.rounds(activity)[0].due_at == before
    wrong = placing.post(path, **{**shown, "series-free": "Christmas"}, do="fill-dates").text
    assert "“Christmas” is not a week." in wrong
    assert fields_of(wrong)["r2-due_date"] == "2027-01-05"
    placing.follow(placing.post(path, **shown, do="save"))
    assert [f"{one.due_at:%m-%d}" for one in placing.rounds(activity)] == ["12-15", "01-05"]


def test_the_enter_key_saves_and_does_not_remove_anything(placing: Designer) -> None:
    path, _ = placing.start()
    page = placing.get(path).text
    first = re.search(r'<form[^>]*id="setup".*?<button([^>]*)>', page, re.DOTALL)
    assert first is not None
    assert 'value="save"' in first[1]


def test_the_preview_shows_typed_settings_and_leads_back_to_them(placing: Designer) -> None:
    path, fields = placing.start()
    typed = fields | {"title": "As typed", "staff_read_feedback": "1", "score_maximum": "30"}
    preview = placing.post(path, **typed, do="preview")
    assert preview.status_code == 200
    assert "As typed" in preview.text
    assert "The instructors and assistants of the course can read it too." in preview.text
    assert "30 points when everything is done." in preview.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', preview.text))
    back = placing.post(path, **{name: unescape(value) for name, value in hidden.items()}, do="back")
    assert fields_of(back.text) == typed
    assert [activity.title for activity in placing.activities()] == ["Observation and feedback"]


def test_two_who_change_one_activity_do_not_overwrite_each_other(visiting: Designer) -> None:
    path, fields = visiting.start()
    theirs = visiting.post(path, **fields | {"title": "Theirs"}, do="save")
    assert theirs.status_code == 303
    mine = visiting.post(path, **fields | {"title": "Mine", "instructions": "My long text"}, do="save")
    assert mine.status_code == 409
    assert "Dina Designer saved this activity while you were working on it" in mine.text
    shown = fields_of(mine.text)
    assert (shown["title"], shown["instructions"]) == ("Mine", "My long text")
    assert [activity.title for activity in visiting.activities()] == ["Theirs"]
    assert visiting.post(path, **shown, do="save").status_code == 303
    assert [activity.title for activity in visiting.activities()] == ["Mine"]


def test_a_copy_says_so_and_waits_for_a_look(visiting: Designer) -> None:
    path, _ = visiting.start()
    with visiting.kit.open_session(visiting.institution_id) as session:
        session.execute(update(Activity).values(state="unconfirmed"))
    page = visiting.get(path)
    assert "This is a copy." in page.text
    assert visiting.post(path, **fields_of(page.text), do="save").status_code == 303
    assert [activity.state for activity in visiting.activities()] == ["unconfirmed"]
    visiting.post(path, **fields_of(visiting.get(path).text), do="open")
    assert [activity.state for activity in visiting.activities()] == ["ready"]


def test_a_closed_activity_is_shown_and_not_changed(visiting: Designer) -> None:
    path, fields = visiting.start()
    visiting.post(path, **fields, do="open")
    closed = visiting.follow(visiting.post("/setup/close"))
    assert "The activity is closed." in closed.text
    assert visiting.post(path, **fields_of(closed.text), do="save").status_code == 403
    reopened = visiting.follow(visiting.post("/setup/reopen"))
    assert "The activity is open again." in reopened.text


def test_the_settings_of_a_finished_course_can_be_read_only(visiting: Designer, clock: FakeClock) -> None:
    path, fields = visiting.start()
    with visiting.kit.open_session(visiting.institution_id) as session:
        session.execute(update(Course).values(ended_at=clock.now()))
    assert "This course is over" in visiting.get(path).text
    assert visiting.post(path, **fields, do="save").status_code == 403


def a_published_group(session: Session, activity: Activity, round_: Round, now: datetime) -> Group:
    plan = Plan(activity_id=activity.id, state="published", seed=1, engine="simple 1", created_at=now, changed_at=now)
    session.add(plan)
    session.flush()
    group = Group(plan_id=plan.id, round_id=round_.id, number=1)
    session.add(group)
    session.flush()
    return group


def test_a_round_with_groups_stays(visiting: Designer, clock: FakeClock) -> None:
    path, fields = visiting.start()
    [activity] = visiting.activities()
    last = visiting.rounds(activity)[-1]
    with visiting.kit.open_session(visiting.institution_id) as session:
        a_published_group(session, activity, last, clock.now())
    without_last = {name: value for name, value in fields.items() if not name.startswith("r2-")}
    answer = visiting.post(path, **without_last | {"title": "Kept as typed"}, do="save")
    assert answer.status_code == 409
    assert "you cannot remove it" in answer.text
    assert fields_of(answer.text)["title"] == "Kept as typed"
    assert len(visiting.rounds(activity)) == 2
    assert 'value="remove-round"' not in visiting.get(path).text


# Who may


@pytest.mark.parametrize("role", ["assistant", "learner", "observer"])
@pytest.mark.parametrize("kind", [VisitKind.PLACING, VisitKind.ACTIVITY])
def test_only_instructors_set_up(app: Flask, kit: Kit, clock: FakeClock, kind: VisitKind, role: str) -> None:
    somebody = a_designer(app, kit, clock, kind=kind, role=role)
    assert somebody.get("/setup").status_code == 403
    assert somebody.post("/setup/start", template="observation").status_code == 403
    assert somebody.activities() == []


def test_a_draft_of_another_course_is_not_there(app: Flask, kit: Kit, clock: FakeClock, placing: Designer) -> None:
    path, fields = placing.start()
    other = a_designer(app, kit, clock, kind=VisitKind.PLACING)
    assert other.get(path).status_code == 404
    assert other.post(path, **fields, do="place").status_code == 404


def test_a_template_that_does_not_exist_starts_nothing(placing: Designer) -> None:
    assert placing.post("/setup/start", template="../observation").status_code == 404
    assert placing.activities() == []


def test_a_visit_to_an_activity_has_no_dialog_to_leave(visiting: Designer) -> None:
    visiting.start()
    assert visiting.post("/setup/cancel").status_code == 403


# The dialog


def test_a_dialog_that_takes_no_links_says_where_to_go(app: Flask, kit: Kit, clock: FakeClock) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING, accept_types=["file", "image"])
    page = designer.get("/setup")
    assert page.status_code == 200
    assert "Nothing to insert here" in page.text
    claims = claims_of(designer, answer_page(designer, designer.post("/setup/cancel")))
    assert claims[f"{DL}content_items"] == []


def test_a_platform_without_columns_is_told_apart(app: Flask, kit: Kit, clock: FakeClock) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING, accepts_line_item=False, data="d=1")
    path, fields = designer.start()
    assert "does not accept a grade column" in designer.get(path).text
    claims = claims_of(designer, answer_page(designer, designer.post(path, **fields, do="place")))
    [item] = claims[f"{DL}content_items"]
    assert "lineItem" not in item
    assert claims[f"{DL}data"] == "d=1"


@pytest.mark.parametrize("url", ["https://evil.example/return", "http://lms.example/return", "javascript:alert(1)"])
def test_an_answer_never_leaves_the_platform(app: Flask, kit: Kit, clock: FakeClock, url: str) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING, return_url=url)
    path, fields = designer.start()
    answer = designer.post(path, **fields, do="place")
    assert answer.status_code == 403
    assert "Your choice would be sent outside your learning platform" in answer.text
    assert [activity.state for activity in designer.activities()] == ["draft"]


def test_a_hostile_return_address_is_text_on_the_page(app: Flask, kit: Kit, clock: FakeClock) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.PLACING)
    with kit.open_session(designer.institution_id) as session:
        visit = session.get_one(Visit, designer.visit.id)
        asked = dict(visit.details["deep_linking"])
        asked["return_url"] += '&"><script>alert(1)</script>'
        visit.details = {"deep_linking": asked}
    path, fields = designer.start()
    page = answer_page(designer, designer.post(path, **fields, do="place"))
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_the_answer_page_is_good_for_one_look(placing: Designer) -> None:
    path, fields = placing.start()
    placed = placing.post(path, **fields, do="place")
    first, second = answer_page(placing, placed), answer_page(placing, placed)
    assert (first.status_code, second.status_code) == (200, 410)
    assert first.headers["Cache-Control"] == "no-store"
    assert f"frame-ancestors {placing.registration.platform_origins[0]}" in first.headers["Content-Security-Policy"]


def test_a_draft_can_be_taken_up_again(placing: Designer) -> None:
    path, fields = placing.start()
    placing.post(path, **fields | {"title": "Half done"}, do="save")
    assert "Half done" in placing.get("/setup").text
    placing.post(path, **fields_of(placing.get(path).text), do="place")
    assert "Half done" not in placing.get("/setup").text


def test_the_zone_of_the_launch_is_used_and_else_the_institutions_last(
    app: Flask, kit: Kit, clock: FakeClock, visiting: Designer
) -> None:
    assert visiting.start()[1]["time_zone"] == "Europe/Stockholm"
    with kit.open_session(visiting.institution_id) as session:
        session.get_one(Visit, visiting.visit.id).time_zone = "99"
        session.execute(update(Activity).values(time_zone="Europe/Oslo", placement_id=None))
    assert visiting.start()[1]["time_zone"] == "Europe/Oslo"


def test_points_of_levels_are_hidden_until_they_are_used(visiting: Designer) -> None:
    path, fields = visiting.start()
    assert "use_points" not in fields
    kept = visiting.follow(
        visiting.post(path, **fields | {"use_points": "1", "criteria-0-levels-3-points": "4"}, do="save")
    )
    assert (fields_of(kept.text)["use_points"], fields_of(kept.text)["criteria-0-levels-3-points"]) == ("1", "4")
    without = fields_of(kept.text)
    del without["use_points"]
    assert "use_points" not in fields_of(visiting.follow(visiting.post(path, **without, do="save")).text)


def test_a_city_is_understood_as_its_time_zone(visiting: Designer) -> None:
    path, fields = visiting.start()
    page = visiting.follow(visiting.post(path, **fields | {"time_zone": " new york "}, do="save"))
    assert fields_of(page.text)["time_zone"] == "America/New_York"
    refused = visiting.post(path, **fields_of(page.text) | {"time_zone": "Atlantis"}, do="save")
    assert refused.status_code == 422
    assert fields_of(refused.text)["time_zone"] == "Atlantis"
    assert "Choose a time zone from the list" in refused.text


def test_feedback_that_was_begun_keeps_its_rubric(visiting: Designer, clock: FakeClock) -> None:
    path, fields = visiting.start()
    [activity] = visiting.activities()
    round_ = visiting.rounds(activity)[0]
    with visiting.kit.open_session(visiting.institution_id) as session:
        people = [a_member(session, visiting.course, a_person(session, visiting.registration)).id for _ in range(2)]
        group = a_published_group(session, activity, round_, clock.now())
        session.add(
            Entry(
                activity_id=activity.id,
                round_id=round_.id,
                group_id=group.id,
                step="give_feedback",
                author_id=people[0],
                recipient_id=people[1],
                rubric_id=activity.rubric_id,
                created_at=clock.now(),
                saved_at=clock.now(),
            )
        )
    assert "People have begun to write feedback with this rubric." in visiting.get(path).text
    answer = visiting.post(path, **fields | {"criteria-0-name": "Renamed"}, do="save")
    assert "said=new-rubric" in answer.headers["Location"]
    [changed] = visiting.activities()
    assert changed.rubric_id != activity.rubric_id


def test_points_of_the_rubric_count_only_if_there_are_any(visiting: Designer) -> None:
    path, fields = visiting.start()
    refused = visiting.post(path, **fields | {"points_share": "30"}, do="save")
    assert "No criterion has points or a number scale." in refused.text
    points = {f"criteria-{c}-levels-{n}-points": str(n) for c in range(4) for n in range(4)}
    fields |= points | {"use_points": "1", "points_share": "30"}
    assert "30 percent of the score depend" in visiting.post(path, **fields, do="preview").text
    assert visiting.post(path, **fields, do="save").status_code == 303
    assert visiting.activities()[0].points_share == 30
    assert (
        "Enter a whole number from 0 to 100." in visiting.post(path, **fields | {"points_share": "101"}, do="save").text
    )
