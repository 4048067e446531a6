"""Copied courses, duplicated and deleted links, several activities in a course, and reviews from a grade."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from lti_tool.activities.models import Activity
from lti_tool.launch.models import Placement
from lti_tool.wiring import Services
from sandbox_lms import ResourceLink
from tests.factories.people import a_deployment, a_registration, an_institution
from tests.fakes.clock import FakeClock
from tests.functional.designing import fields_of
from tests.functional.guests import PROOF, text_of
from tests.functional.launching import BASE_URL
from tests.functional.living import Life, a_life

ONE, TWO = "learner01", "learner02"
TITLE = "Watch & learn"


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=2) as life:
        yield life


def place(life: Life) -> ResourceLink:
    """The same activity as a link that deep linking made: its custom parameters name it."""
    life.set_up(title=TITLE)
    life.link.custom = {
        "activity": life.activity().key,
        "context_id_history": "$Context.id.history",
        "resource_link_id_history": "$ResourceLink.id.history",
    }
    return life.link


def link_in(life: Life, course_key: str) -> ResourceLink:
    [link] = [link for link in life.lms.links if link.course.key == course_key]
    return link


def test_a_copied_course_has_the_settings_and_waits_for_a_look(life: Life) -> None:
    place(life)
    life.publish(life.launch("designer"))
    life.gives(ONE, TWO)
    life.clock.advance(timedelta(days=30))
    copied = life.lms.copy_course(life.lms.course(), "next-term")
    life.lms.enrol(copied, life.person(ONE))
    link = link_in(life, "next-term")

    assert "not ready yet" in text_of(life.launch(ONE, link).landing)
    copy = life.activity(link)
    assert (copy.title, copy.state, copy.copied_from_id) == (TITLE, "unconfirmed", life.activity().id)
    assert life.groups(link=link) == []
    designer = life.launch("designer", link)
    page = designer.get("/setup")
    assert fields_of(page.text)["title"] == TITLE
    # Its dates had passed, so none is left.
    assert fields_of(page.text)["r1-due_date"] == ""
    opened = life.set_up(link, title=TITLE)
    assert "not ready" not in text_of(life.launch(ONE, link).landing)
    assert opened.get("/plan").status_code == 200
    assert life.activity().state == "ready"


def two_links_of_one_key(life: Life) -> None:
    """One activity, and its duplicate in the same course, which an instructor gave another title on both sides."""
    place(life)
    life.link.title = "Observe each other"
    life.launch("designer")
    second = life.lms.duplicate_link(life.link)
    second.title = "Second exchange"
    life.launch("designer", second)
    life.set_up(second, title="The second time")


def restored(life: Life) -> list[ResourceLink]:
    life.lms.copy_course(life.lms.course(), "next-term")
    return [link for link in life.lms.links if link.course.key == "next-term"]


def test_two_links_of_a_restored_course_each_find_their_own_by_title(life: Life) -> None:
    two_links_of_one_key(life)
    # The platform tells the courses a course was copied from, and nothing of links.
    first, second = restored(life)
    assert first.custom["activity"] == second.custom["activity"]
    life.launch("designer", second)
    life.launch("designer", first)
    assert (life.activity(first).title, life.activity(second).title) == (TITLE, "The second time")
    page = life.launch("designer", second).get("/setup")
    assert "Which activity is it a copy of?" not in page.text


def test_an_instructor_is_asked_where_titles_do_not_tell(life: Life) -> None:
    two_links_of_one_key(life)
    first, second = restored(life)
    first.title = second.title = "Peer activity"
    designer = life.launch("designer", second)
    page = designer.get("/setup")
    assert "Which activity is it a copy of?" in page.text
    assert fields_of(page.text)["title"] == TITLE
    wanted = re.search(r'name="source" value="(\d+)"', page.text)
    assert wanted is not None
    chosen = designer.post("/setup/copy-of", source=wanted[1])
    assert fields_of(chosen.text)["title"] == "The second time"
    assert "now copied from the activity you chose" in text_of(chosen)
    assert life.activity(second).copied_from_id == int(wanted[1])
    # Only what the copy may have come from can be named, and only until it is opened.
    assert designer.send("/setup/copy-of", source=str(life.activity(second).id)).status_code == 404
    opened = life.set_up(second, title="Mine")
    assert "Which activity is it a copy of?" not in opened.get("/setup").text
    assert opened.send("/setup/copy-of", source=wanted[1]).status_code == 404
    assert life.activity(second).title == "Mine"


def test_a_duplicate_in_the_same_course_is_a_second_activity(life: Life) -> None:
    place(life)
    second = life.lms.duplicate_link(life.link)
    life.launch("designer", second)
    assert life.activity(second).id != life.activity().id
    assert life.activity(second).state == "unconfirmed"
    # Whoever comes to the first still comes to the first.
    life.set_up(second, title="The second")
    assert TITLE in text_of(life.launch(ONE).landing)
    assert "The second" in text_of(life.launch(ONE, second).landing)


def test_a_key_of_another_institution_opens_nothing(life: Life) -> None:
    place(life)
    other = life.lms.register_tool(
        title="Tandem elsewhere",
        initiate_login_uri=life.tool.initiate_login_uri,
        redirect_uris=life.tool.redirect_uris,
        jwks_uri=life.tool.jwks_uri,
        target_link_uri=life.tool.target_link_uri,
    )
    with life.services.kit.open_session() as session:
        institution = an_institution(session)
        registration = a_registration(
            session,
            institution,
            issuer=other.issuer,
            client_id=other.client_id,
            auth_login_url=other.auth_login_url,
            auth_token_url=other.auth_token_url,
            key_set_url=other.key_set_url,
            platform_origins=[life.lms.url],
        )
        a_deployment(session, registration, lti_id=other.deployment_id)
        theirs = institution.id
    course = life.lms.add_course("elsewhere", "Elsewhere")
    life.lms.enrol(course, life.person("designer"), "instructor")
    link = life.lms.add_link(course, other, custom=life.link.custom)
    assert TITLE not in text_of(life.launch("designer", link).landing)
    with life.services.kit.open_session(theirs) as session:
        assert session.scalars(select(Activity)).all() == []


def test_several_activities_of_a_course_link_each_other(life: Life) -> None:
    life.begin(title="The first")
    second = life.lms.add_link(life.lms.course(), life.tool, title="Another", line_item={})
    designer = life.launch("designer", second)
    designer.post("/setup/start", template="observation")
    learner = life.launch(ONE)
    assert "Also in this course" not in learner.landing.text
    life.set_up(second, title="The second")
    learner = life.launch(ONE)
    assert "The second" in text_of(learner.landing)
    answer = learner.send(f"/also/{life.activity(second).id}")
    onward = re.search(r'href="([^"]*/go/[^"]+)"', answer.text)
    assert onward is not None, answer.text
    tab = learner.browser.client.get(onward[1], base_url=BASE_URL, headers=PROOF, follow_redirects=True)
    assert "<h1>The second</h1>" in tab.text


def test_a_deleted_link_is_archived_and_a_restored_one_comes_back(life: Life) -> None:
    life.begin(title="The first")
    life.completes(ONE, TWO)
    second = life.lms.add_link(life.lms.course(), life.tool, title="Another", line_item={})
    life.set_up(second, title="The second")
    kept, items = life.link, life.lms.line_items_of(life.link)
    life.lms.delete_link(life.link)
    life.clock.advance(timedelta(hours=25))
    life.launch(ONE, second)
    life.run()
    learner = life.launch(ONE, second)
    assert "The first" not in text_of(learner.landing)
    with life.look() as session:
        gone = session.scalars(select(Placement).where(Placement.resource_link_id == kept.id)).one()
        assert gone.gone_at is not None
    assert life.feedback_id(ONE, TWO)

    life.lms.links.append(kept)
    life.lms.line_items.extend(items)
    assert "You have done everything" in text_of(life.launch(ONE, kept).landing)
    with life.look() as session:
        assert session.get_one(Placement, gone.id).gone_at is None


def test_a_grade_opens_the_learner_s_progress_for_staff_and_own_feedback_for_the_learner(life: Life) -> None:
    life.begin()
    life.gives(ONE, TWO, strengths="Said to Two")
    life.gives(TWO, ONE, strengths="Said to One")
    life.link.review = {"reviewableStatus": ["Completed"]}
    staff = life.launch("designer", for_person=life.person(ONE))
    assert life.person(ONE).name in text_of(staff.landing)
    assert "Said to One" not in staff.landing.text
    learner = life.launch(ONE, for_person=life.person(ONE))
    assert "Said to One" in text_of(learner.landing)
    # Somebody else's grade never opens somebody else's feedback.
    _, refusal = life.try_launch(TWO, for_person=life.person(ONE))
    assert refusal.status_code == 403
    assert "This is someone else's feedback" in text_of(refusal)
