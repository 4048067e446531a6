"""The page of a meeting: read and written by its group alone, and part of what counts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from lti_tool.activities.kinds import KINDS
from lti_tool.activities.kinds.form import AUTHOR_ALONE, GROUP, PARTNER, Field, FieldKind, Form, Section
from lti_tool.activities.models import Activity
from lti_tool.activities.rules.templates import OBSERVATION_AND_FEEDBACK, TEMPLATES
from lti_tool.feedback.models import Entry, FavoriteQuestion
from lti_tool.feedback.service import favorites_of
from lti_tool.feedback.service.meetings import readable_by_group
from lti_tool.support.db import across_institutions
from lti_tool.web.visits import Visit
from lti_tool.wiring import Services
from lti_tool.workspace.personal_data import erase, everything_about
from tests.fakes.clock import FakeClock
from tests.functional.guests import PROOF, Guest, text_of
from tests.functional.launching import BASE_URL
from tests.functional.living import Life, a_life

MEETING = "/round/1/meeting"


@pytest.fixture
def kind() -> str:
    return "reflection"


@pytest.fixture
def life(services: Services, clock: FakeClock, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    template = replace(OBSERVATION_AND_FEEDBACK, key="of_kind", kind=kind, title="Meet")
    monkeypatch.setitem(TEMPLATES, "of_kind", template)
    with a_life(services, clock, learners=4) as life:
        life.begin(template="of_kind")
        yield life


def ask(guest: Guest, version: str) -> TestResponse:
    headers = {**PROOF, "If-None-Match": version}
    return guest.browser.client.get(f"/v/{guest.key}{MEETING}/changes", base_url=BASE_URL, headers=headers)


def version_on(page: TestResponse) -> str:
    found = re.search(r"data-version='(\"[^']+\")'", page.text)
    assert found is not None, page.text
    return found[1]


def save(guest: Guest, step: str, **fields: str) -> TestResponse:
    return guest.send(f"/round/1/step/{step}/save", **{"device": guest.key[:8], **fields})


def pair(life: Life) -> tuple[Guest, Guest, str, str]:
    mine = "learner01"
    [theirs] = life.partners_of(mine)
    return life.launch(mine), life.launch(theirs), mine, theirs


def test_what_one_writes_the_other_reads_and_nobody_else(life: Life) -> None:
    me, partner, mine, _ = pair(life)
    save(me, "check_in", win_or_challenge="I held my first workshop")
    save(me, "own_notes", my_notes="For my eyes only")
    save(me, "talk_goals", talk_goal_1="Say no kindly")

    own, seen = me.get(MEETING).text, partner.get(MEETING).text
    assert "For my eyes only" in own
    assert "I held my first workshop" in seen
    assert "Say no kindly" in seen
    assert "For my eyes only" not in seen
    [outsider] = [name for name in life.groups() if mine not in name][:1]
    stranger = life.launch(next(iter(outsider)))
    for page in (stranger.get(MEETING), life.launch("designer").get(MEETING)):
        assert "first workshop" not in page.text
        assert "Say no kindly" not in page.text
    assert "wrote here last" in text_of(partner.get(MEETING))


def test_a_poll_that_finds_nothing_new_is_empty(life: Life) -> None:
    me, partner, *_ = pair(life)
    version = version_on(me.get(MEETING))

    nothing = ask(me, version)
    assert (nothing.status_code, nothing.data) == (304, b"")
    save(partner, "talk_goals", talk_goal_1="Listen longer")
    something = ask(me, version)
    assert something.status_code == 200
    assert "Listen longer" in something.text
    assert ask(me, something.headers["ETag"]).status_code == 304


def test_a_poll_with_another_secret_or_after_the_visit_ended_learns_nothing(life: Life, clock: FakeClock) -> None:
    me, *_ = pair(life)
    version = version_on(me.get(MEETING))
    assert ask(me, version).status_code == 304
    address = f"/v/{me.key}{MEETING}/changes"
    stranger = life.app.test_client()
    for secret in ("", "x" * 43):
        headers = {"If-None-Match": version, "Authorization": f"Bearer {secret}"}
        assert stranger.get(address, base_url=BASE_URL, headers=headers).status_code == 401
    with life.services.kit.open_session() as session, across_institutions(session):
        for visit in session.scalars(select(Visit)):
            visit.revoked_at = clock.now()
    clock.advance(timedelta(seconds=31))
    assert ask(me, version).status_code == 401


def test_what_has_other_readers_than_the_group_is_not_shown_to_it() -> None:
    form = Form(
        (
            Section(
                "mixed",
                (
                    Field("for_group", FieldKind.TEXT, "", "", seen_by=GROUP),
                    Field("for_me", FieldKind.TEXT, "", "", seen_by=AUTHOR_ALONE),
                    Field("for_staff", FieldKind.TEXT, "", "", seen_by=PARTNER),
                ),
            ),
        )
    )
    entry = Entry(fields={"for_group": "All of us", "for_me": "Mine", "for_staff": "Theirs", "unknown": "Old"})

    assert readable_by_group(form, entry) == {"for_group": "All of us"}


def test_two_who_change_different_words_of_one_text_both_keep_theirs(life: Life) -> None:
    me, partner, *_ = pair(life)
    begun = save(me, "action_plan", plan_words="Anna calls Bo on Monday.").get_json()["version"]

    save(partner, "action_plan", plan_words="Anna calls Bo on Friday.", **{
        "base.plan_words": str(begun), "was.plan_words": "Anna calls Bo on Monday."
    })  # fmt: skip
    answer = save(me, "action_plan", plan_words="Anna and Kim call Bo on Monday.", **{
        "base.plan_words": str(begun), "was.plan_words": "Anna calls Bo on Monday."
    }).get_json()  # fmt: skip

    assert answer["newer"]["plan_words"]["text"] == "Anna and Kim call Bo on Friday."
    assert not answer["has_conflict"]
    assert "Anna and Kim call Bo on Friday." in partner.get(MEETING).text


def test_two_who_change_the_same_words_find_both_texts(life: Life) -> None:
    me, partner, *_ = pair(life)
    begun = save(me, "action_plan", plan_words="We meet on Monday.").get_json()["version"]
    started = {"base.plan_words": str(begun), "was.plan_words": "We meet on Monday."}

    save(partner, "action_plan", plan_words="We meet on Friday.", **started)
    answer = save(me, "action_plan", plan_words="We meet on Sunday.", **started).get_json()

    assert answer["has_conflict"]
    for guest in (me, partner):
        page = text_of(guest.get(MEETING))
        assert "We meet on Friday." in page
    assert "We meet on Sunday." in partner.get(MEETING).text


def test_without_script_a_saved_text_leads_back_to_its_part(life: Life) -> None:
    me, partner, *_ = pair(life)

    answer = me.send("/round/1/step/check_in", win_or_challenge="Slept well", base="0", do="save")

    assert answer.headers["Location"].endswith("/round/1/meeting?part=opening&said=saved#opening")
    assert "Slept well" in partner.get(MEETING).text
    assert me.get("/round/1/step/check_in").request.path.endswith(MEETING)


def test_the_agreement_is_accepted_by_one_tap_and_counts(life: Life) -> None:
    me, partner, *_ = pair(life)
    assert "Agree on what stays between you" in text_of(me.get("/"))

    page = text_of(me.post(f"{MEETING}/confirm/agree"))
    assert "You agreed" in page
    assert "Undo" in page
    seen = text_of(partner.get(MEETING))
    assert "agreed" in seen
    assert "I agree" in seen
    assert life.launch("designer").get("/meetings").text.count("1 of 2") == 1
    undone = text_of(me.post(f"{MEETING}/confirm/agree", do="take_back"))
    assert "I agree" in undone
    assert "1 of 2" not in life.launch("designer").get("/meetings").text


def test_what_was_confirmed_stays_so_once_the_activity_is_closed(life: Life) -> None:
    me, *_ = pair(life)
    me.post(f"{MEETING}/confirm/agree")
    life.launch("designer").post("/setup/close")

    for wish in ("take_back", "confirm"):
        assert me.post(f"{MEETING}/confirm/agree", do=wish).status_code == 409
    assert me.post(f"{MEETING}/confirm/meet").status_code == 409
    page = text_of(me.get(MEETING))
    assert "You agreed" in page
    assert "read-only" in page


def test_a_meeting_completes_the_round(life: Life) -> None:
    me, partner, mine, theirs = pair(life)
    for guest in (me, partner):
        guest.post(f"{MEETING}/confirm/agree")
        save(guest, "reflect", happened="A workshop")
        guest.post(f"{MEETING}/confirm/meet")
    save(me, "action_plan", plan_words="Ask for help sooner")
    life.completes(mine, theirs)

    assert life.shown(mine) == 100
    assert life.shown(theirs) == 100
    grid = life.launch("designer").get("/progress").text
    assert "Ask for help sooner" not in grid
    assert "A workshop" not in grid


def test_staff_see_how_each_group_stands_and_none_of_its_words(life: Life) -> None:
    me, *_ = pair(life)
    me.post(f"{MEETING}/confirm/agree")
    save(me, "reflect", happened="Between us")
    designer = life.launch("designer")
    page = designer.get("/meetings")
    said = text_of(page)
    assert said.count("1 of 2") == 2
    assert said.count("no time yet") == 2
    assert "Between us" not in page.text
    assert "/meetings" in designer.get("/progress").text
    assert me.get("/meetings").status_code == 403
    assert text_of(designer.get("/meetings?round=99&page=0")) == said


def test_a_question_of_the_bank_is_put_into_the_meeting_once(life: Life) -> None:
    me, partner, *_ = pair(life)
    question = KINDS["reflection"].meeting[3].questions[0]
    part = KINDS["reflection"].meeting[3].key

    for guest in (me, partner):
        guest.post(f"{MEETING}/question", question=f"{part}.0")

    written = re.search(r'name="our_questions"[^>]*>([^<]*)<', me.get(MEETING).text)
    assert written is not None
    assert written[1] == question
    for forged in (f"{part}.99", "nowhere.0", "", "x.y"):
        assert me.post(f"{MEETING}/question", question=forged).status_code == 404


def test_every_question_fits_into_the_table_of_favorites() -> None:
    questions = [question for kind in KINDS.values() for part in kind.meeting for question in part.questions]
    assert 0 < max(len(question) for question in questions) <= FavoriteQuestion.question.type.length


def test_a_favorite_question_stands_first_for_the_member_alone(life: Life) -> None:
    me, partner, mine, _ = pair(life)
    part = KINDS["reflection"].meeting[3]
    last = len(part.questions) - 1

    def bank(guest: Guest) -> list[str]:
        found = re.search(rf'id="{part.key}-bank".*?</ul>', guest.get(MEETING).text, re.DOTALL)
        assert found is not None
        return [
            " ".join(re.sub(r"<[^>]+>", "", text).split())
            for text in re.findall(r"<li>\s*<span>(.*?)</span>\s*<form", found[0], re.DOTALL)
        ]

    def favorites() -> list[str]:
        with life.look() as session:
            return [kept.question for kept in favorites_of(session, [life.member(mine).id])]

    assert bank(me) == list(part.questions)
    for _again in range(2):
        page = me.post(f"{MEETING}/favorite", question=f"{part.key}.{last}", do="keep").text
    assert f'id="{part.key}-bank" open' in page
    assert bank(me) == [f"{part.questions[last]} Your favorite", *part.questions[:last]]
    assert bank(partner) == list(part.questions)
    assert favorites() == [part.questions[last]]
    with life.look() as session:
        told = everything_about(session, life.member(mine).person_id)
        assert [kept["question"] for kept in told["favorite_questions"]] == [part.questions[last]]

    me.post(f"{MEETING}/favorite", question=f"{part.key}.{last}", do="drop")
    assert bank(me) == list(part.questions)
    assert me.post(f"{MEETING}/favorite", question=f"{part.key}.99", do="keep").status_code == 404

    me.post(f"{MEETING}/favorite", question=f"{part.key}.0", do="keep")
    with life.kit.open_session(life.activity().institution_id) as session:
        erase(session, life.member(mine).person_id, now=life.clock.now())
    assert favorites() == []


def test_an_action_of_one_meeting_opens_the_next(life: Life) -> None:
    me, partner, *_ = pair(life)
    page = me.get(f"{MEETING}").text
    group, back = (re.search(rf'name="{name}" value="([^"]+)"', page) for name in ("in_group", "back"))
    assert group is not None
    assert back is not None
    written = me.post(
        "/goals/actions", action_words="Ask before I advise", in_group=group[1], back="round/1/meeting?part=next"
    )
    assert written.request.path.endswith(MEETING)
    assert "Your action is written down" in text_of(written)
    opening = text_of(partner.get(MEETING))
    assert opening.index("What became of these?") < opening.index("Ask before I advise")


def test_addresses_of_other_rounds_and_steps_open_nothing(life: Life) -> None:
    me, *_ = pair(life)
    assert me.get("/round/7/meeting").status_code == 404
    assert me.get("/round/7/meeting/changes").status_code == 404
    assert me.post(f"{MEETING}/confirm/check_in").status_code == 404
    assert me.post(f"{MEETING}/confirm/nothing").status_code == 404
    assert me.post(f"{MEETING}/clock", step="0").status_code == 404


def test_staff_who_look_as_a_learner_see_the_agenda_and_nobody_s_words(life: Life) -> None:
    me, *_ = pair(life)
    save(me, "check_in", win_or_challenge="Private to us")
    designer = life.launch("designer")
    preview = designer.post("/preview")
    assert "Private to us" not in preview.text


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"circle"}))
def test_every_kind_has_a_meeting_that_opens_and_prints(life: Life, kind: str) -> None:
    me, *_ = pair(life)
    page, printed = text_of(me.get(MEETING)), text_of(me.get(f"{MEETING}/paper"))
    for part in KINDS[kind].meeting:
        assert part.heading in page
        assert part.heading in printed


@pytest.mark.parametrize("kind", ["role_play"])
def test_a_swap_changes_the_seats_of_both(life: Life, kind: str) -> None:
    me, partner, *_ = pair(life)
    before = text_of(me.get(MEETING))
    first, second = ("Plays themselves", "Plays the other person")
    mine_first = before.index(f"You {first}") if f"You {first}" in before else -1

    partner.post(f"{MEETING}/confirm/swap")

    after = text_of(me.get(MEETING))
    assert (f"You {second}" if mine_first >= 0 else f"You {first}") in after


@pytest.mark.parametrize("kind", ["role_play"])
def test_a_brief_is_read_in_its_seat_alone(life: Life, kind: str) -> None:
    with life.services.kit.open_session(life.institution_id) as session:
        activity = session.get_one(Activity, life.activity().id)
        activity.scenario = {"public": "A late report.", "briefs": {"self": "SELF BRIEF", "other": "OTHER BRIEF"}}
    me, partner, *_ = pair(life)

    def briefs(guest: Guest) -> set[str]:
        pages = guest.get(MEETING).text + guest.get(f"{MEETING}/paper").text + guest.get("/").text
        assert "A late report." in pages
        return {word for word in ("SELF BRIEF", "OTHER BRIEF") if word in pages}

    before = briefs(me), briefs(partner)
    assert sorted(map(len, before)) == [1, 1]
    assert before[0] != before[1]
    me.post(f"{MEETING}/confirm/swap")
    assert (briefs(me), briefs(partner)) == before[::-1]


@pytest.mark.parametrize("kind", ["circle"])
def test_a_circle_has_one_timer(life: Life, clock: FakeClock, kind: str) -> None:
    me, partner, *_ = pair(life)
    page = me.post(f"{MEETING}/clock", step="1")
    assert 'data-timer="900" data-elapsed="0"' in page.text
    clock.advance(timedelta(seconds=90))
    assert 'data-timer="900" data-elapsed="90"' in partner.get(MEETING).text
    assert "data-timer" not in partner.post(f"{MEETING}/clock").text
    assert me.post(f"{MEETING}/clock", step="9").status_code == 404


@pytest.mark.parametrize("kind", ["observation"])
def test_activities_of_a_kind_that_is_gone_can_be_read(life: Life, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    me, _, mine, theirs = pair(life)
    life.completes(mine, theirs)
    monkeypatch.delitem(KINDS, kind)

    designer = life.launch("designer")
    for page in (me.get("/"), designer.landing):
        assert "This kind of activity is no longer offered." in text_of(page)
    assert designer.get("/progress").status_code == 200
    assert me.get(life.writing(mine, theirs)).status_code == 404
    life.run()
    assert life.shown(mine) == 100


def test_a_poll_while_the_database_is_gone_is_left_to_the_app(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    me, *_ = pair(life)
    version = version_on(me.get(MEETING))
    assert ask(me, version).status_code == 304
    listening = life.app.extensions["tandem.listening"]
    asked = []

    def gone(group_id: int) -> str:
        asked.append(group_id)
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(listening, "_version_of", gone)
    assert ask(me, version).status_code == 304
    assert len(asked) == 1
