"""Names as the world has them, or none at all, on every page and in every file."""

import html
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from lti_tool.launch.models import Person
from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.guests import PROOF, Guest
from tests.functional.launching import BASE_URL
from tests.functional.living import Life, a_life

NAMES = {
    "script": ("<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>"),
    "ampersand": ("Tom & Jerry", 'O\'Neill "Q"'),
    "arabic": ("نور", "الحدّاد"),
    "hebrew": ("\u202eדָּוִד", "כהן"),
    "chinese": ("李小龍", ""),
    "mononym": ("Suharto", ""),
    "emoji": ("👩🏽‍🏫 Zoë", "🎓"),
    "formula": ('=HYPERLINK("http://evil.example")', "+1"),
    "long": ("Å" * 255, "ß" * 255),
    "jinja": ("{{ 7*7 }}{% raw %}", "%(name)s %s"),
}
PAGES_OF_STAFF = ("/", "/plan", "/progress", "/grades", "/setup")
PAGES_OF_LEARNERS = ("/", "/feedback")


def downloaded(guest: Guest, path: str) -> bytes:
    answer = guest.send(path)
    assert answer.status_code == 303, answer.text
    file = guest.browser.client.get(answer.headers["Location"], base_url=BASE_URL, headers=PROOF)
    assert file.status_code == 200
    return bytes(file.data)


def walk(life: Life, usernames: list[str]) -> Iterator[tuple[str, str]]:
    """The whole life of these people, and every page that each of them and their staff meets."""
    designer = life.launch("designer")
    life.publish(designer)
    for username in usernames:
        for partner in sorted(life.partners_of(username)):
            guest = life.launch(username)
            yield f"{username} writes", guest.get(life.writing(username, partner)).text
            life.gives(username, partner)
    for username in usernames:
        for partner in sorted(life.partners_of(username)):
            guest = life.answers(username, partner)
            yield f"{username} reads", guest.get(f"/feedback/{life.feedback_id(partner, username)}").text
        for path in PAGES_OF_LEARNERS:
            yield f"{username} {path}", guest.get(path).text
        yield f"{username} takes along", downloaded(guest, "/own-work").decode()
    life.run()
    designer = life.launch("designer")
    for path in PAGES_OF_STAFF:
        yield f"designer {path}", designer.get(path).text
    for username in usernames:
        yield f"designer on {username}", designer.get(f"/progress/{life.member(username).id}").text
        yield f"designer on the score of {username}", designer.get(f"/grades/{life.score(username).id}").text
    yield "table", downloaded(designer, "/progress/export").decode("utf-8-sig")


def test_names_of_every_kind_are_shown_as_they_are_and_run_nowhere(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=0) as life:
        for username, (given, family) in NAMES.items():
            life.lms.enrol(life.lms.course(), life.lms.add_person(username, given, family))
        life.set_up(title="<b>Bold</b> & 'quoted'")
        for where, page in walk(life, list(NAMES)):
            if where != "table":
                assert "<img src=x" not in page, where
                assert "<script>alert" not in page, where
                assert "<b>Bold" not in page, where
                assert "%(name)s %s" not in page or "{{ 7*7 }}{% raw %} %(name)s %s" in html.unescape(page), where
            else:
                lines = page.splitlines()
                assert len(lines) == 1 + len(NAMES)
                assert not any(re.match(r'"?[=+\-@\t]', line) for line in lines)
        progress = html.unescape(life.launch("designer").get("/progress").text)
        for username in NAMES:
            shown = " ".join(life.person(username).name.replace("\u202e", "").split())[:200]
            assert shown in progress.replace("\u202e", ""), username


@pytest.mark.parametrize("profile", ["moodle", "canvas"])
def test_people_without_names_and_addresses_get_through_the_whole_life(
    services: Services, clock: FakeClock, profile: str
) -> None:
    with a_life(services, clock, profile, learners=2) as life:
        life.lms.set_privacy(life.tool, name=False, email=False)
        life.set_up()
        for where, page in walk(life, ["learner01", "learner02"]):
            assert "None" not in re.sub(r"<[^>]+>", " ", page), where
            assert life.person("learner01").given_name not in page, where
        assert (life.shown("learner01"), life.shown("learner02")) == (100, 100)


def test_what_launches_say_is_kept_only_where_it_is_text(services: Services, clock: FakeClock) -> None:
    """NUL characters and halves of characters can be written in JSON and stored nowhere."""
    with a_life(services, clock, learners=1) as life:
        for given in ("A\x00B", "\ud83d", "\u2028\u0007"):
            life.person("learner01").given_name = given
            _, answer = life.try_launch("learner01")
            assert answer.status_code in {303, 400}, given


def test_the_roster_s_nonsense_harms_nobody(services: Services, clock: FakeClock) -> None:
    with a_life(services, clock, learners=2) as life:
        life.set_up()
        life.person("learner01").given_name = "A\x00B"
        life.person("learner02").email = "x" * 5000
        life.run()
        assert life.member("learner01").status == "active"
        assert life.launch("designer").get("/progress").status_code == 200
        with life.look() as session:
            names = session.scalars(select(Person.name).where(Person.name.is_not(None))).all()
            assert "A B Öberg" in names
            assert session.scalar(select(func.max(func.length(Person.email)))) <= 320
