"""Designers save activities as templates, begin with them, and take over newer versions."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules import scenario_of
from lti_tool.launch.models import Person
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules import preferences
from lti_tool.pairing.rules.preferences import Preferences
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from lti_tool.workspace import personal_data
from tests.factories.people import a_course, a_deployment, a_member, a_person, a_placement, a_visit
from tests.fakes.clock import FakeClock
from tests.functional.designing import Designer, a_designer, fields_of
from tests.functional.guests import text_of

NAME = "title"


@pytest.fixture
def dina(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    """An instructor at a plain link."""
    return a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)


def colleague(of: Designer, clock: FakeClock, *, elsewhere: bool = False) -> Designer:
    """Another instructor at another link of the course, or of another course of the institution."""
    with of.kit.open_session(of.institution_id) as session:
        course = a_course(session, a_deployment(session, of.registration)) if elsewhere else of.course
        member = a_member(session, course, a_person(session, of.registration, name="Carl"), "instructor")
        placement = a_placement(session, course)
        visit, bearer = a_visit(session, member, of.registration, now=clock.now(), placement_id=placement.id)
    return replace(of, visit=visit, bearer=bearer, course=course, placement=placement)


def begin(designer: Designer, template: str = "role_play", **changes: str) -> dict[str, str]:
    """Choose a ready template and save it with changes; returns the fields of the settings page."""
    path, fields = designer.start(template)
    return fields_of(designer.follow(designer.post(path, **fields | changes, do="save")).text)


def save_as(designer: Designer, name: str = "Ours", place: str = "course", **fields: str) -> TestResponse:
    return designer.post("/setup/template", **{NAME: name, "place": place, "as": "new", **fields})


def own(designer: Designer) -> SavedTemplate:
    with designer.kit.open_session(designer.institution_id) as session:
        return session.query(SavedTemplate).one()


def own_activity(designer: Designer) -> Activity:
    return next(
        one for one in designer.activities() if designer.placement and one.placement_id == designer.placement.id
    )


def wanted_by(designer: Designer) -> Preferences:
    with designer.kit.open_session(designer.institution_id) as session:
        return pairing.preferences_of(session, own_activity(designer)).preferences


def use(designer: Designer) -> dict[str, str]:
    """Begin with the saved template; returns the fields of the settings page."""
    return fields_of(designer.follow(designer.post("/setup/start", saved=str(own(designer).id))).text)


def test_an_activity_is_saved_and_used_again_by_a_colleague(dina: Designer, clock: FakeClock) -> None:
    fields = begin(dina, "cross_training", title="Two desks", instructions="Look", score_maximum="40")
    answer = dina.post("/setup", **fields | {"title": "Two departments"}, do="template")
    page = dina.follow(answer)
    assert fields_of_template(page.text)[NAME] == "Two departments"
    assert "The template is saved" in dina.follow(save_as(dina)).text

    clock.advance(timedelta(days=10))
    carl = colleague(dina, clock)
    chooser = text_of(carl.get("/setup"))
    assert chooser.index("Templates of your own") < chooser.index("Ready templates")
    assert "Ours Cross-training. For this course. Version 1, saved by Dina Designer" in chooser
    begun = use(carl)
    assert (begun["title"], begun["instructions"], begun["score_maximum"]) == ("Two departments", "Look", "40")
    assert begun["r1-due_date"] == "2026-12-12"
    assert begun["criteria-0-name"] == fields["criteria-0-name"]
    assert wanted_by(carl) == wanted_by(dina)
    assert wanted_by(carl) != Preferences()


def test_a_scenario_comes_along(dina: Designer, clock: FakeClock) -> None:
    begin(dina, **{"scenario-public": "At the door", "scenario-brief-self": "You have the key."})
    save_as(dina)
    carl = colleague(dina, clock)
    use(carl)
    scenario = scenario_of(own_activity(carl))
    assert scenario is not None
    assert scenario == scenario_of(own_activity(dina))


def test_a_newer_version_is_offered_with_what_it_changes_and_taken_over(dina: Designer, clock: FakeClock) -> None:
    fields = begin(dina)
    save_as(dina)
    carl = colleague(dina, clock)
    begun = use(carl)
    kept = begun | {"r3-due_date": "2026-12-24"}
    carl.follow(carl.post("/setup", **kept, do="open"))
    assert "has a newer version" not in carl.get("/setup").text

    changed = fields | {
        "title": "Doors",
        "scenario-public": "At the door",
        "acknowledge": "",
        "criteria-0-name": "Daring",
    }
    changed.pop("acknowledge")
    dina.follow(dina.post("/setup", **changed, do="save"))
    with dina.kit.open_session(dina.institution_id) as session:
        circles = preferences.read({"kind": "circles", "size": 4})
        pairing.save_preferences(session, own_activity(dina).id, circles, expected_version=0, by=1, now=clock.now())
    template = own(dina)
    answer = dina.post("/setup/template", **{NAME: "", "as": str(template.id), f"version-{template.id}": "1"})
    assert "The new version of the template is saved." in dina.follow(answer).text
    assert "has a newer version" not in dina.get("/setup").text

    page = carl.get("/setup")
    said = text_of(page)
    assert "Its template “Ours” has a newer version" in said
    assert "What it would change: 5 things" in said
    for sentence in ("Now Role-play In the newer version Doors", "At the door", "Daring", "Circles: 4"):
        assert sentence in said
    assert own_activity(carl).title == "Role-play", "what was begun keeps its version"
    taken = carl.follow(carl.post("/setup/newer", **hidden_fields(page.text)))
    assert "This activity now has what the newest version of its template has." in taken.text
    now = fields_of(taken.text)
    assert (now["title"], now["scenario-public"], now["criteria-0-name"]) == ("Doors", "At the door", "Daring")
    assert "acknowledge" not in now
    assert now["r3-due_date"] == "2026-12-24"
    assert wanted_by(carl) == circles
    assert "has a newer version" not in taken.text


def test_a_version_that_does_not_fit_the_dates_is_not_taken_over(dina: Designer, clock: FakeClock) -> None:
    fields = begin(dina)
    save_as(dina)
    carl = colleague(dina, clock)
    begun = use(carl)
    carl.follow(carl.post("/setup", **begun | {f"r{n}-due_date": "" for n in (1, 2, 3)}, do="save"))
    dina.follow(dina.post("/setup", **fields | {"release": "at_due"}, do="save"))
    template = own(dina)
    dina.post("/setup/template", **{"as": str(template.id), f"version-{template.id}": "1"})
    answer = carl.follow(carl.post("/setup/newer", **hidden_fields(carl.get("/setup").text)))
    assert "does not fit its dates" in text_of(answer)
    assert own_activity(carl).release == "when_both_gave"


def test_of_two_who_save_a_version_the_second_is_told(dina: Designer, clock: FakeClock) -> None:
    begin(dina)
    save_as(dina)
    template = own(dina)
    version = {"as": str(template.id), f"version-{template.id}": "1"}
    carl = colleague(dina, clock)
    use(carl)
    assert carl.post("/setup/template", **version).status_code == 303
    refused = dina.post("/setup/template", **version)
    assert refused.status_code == 409
    assert "Carl saved a version of this template while you were here" in text_of(refused)
    again = fields_of_template(refused.text)
    assert dina.post("/setup/template", **version | again).status_code == 303
    assert own(dina).version == 3


def test_a_template_is_renamed_withdrawn_and_brought_back(dina: Designer, clock: FakeClock) -> None:
    begin(dina)
    save_as(dina)
    template = own(dina)
    path = f"/setup/templates/{template.id}"
    field = f"template-title-{template.id}"
    refused = dina.post(path, **{field: "x" * 256}, do="rename")
    assert refused.status_code == 422
    assert "x" * 256 in refused.text
    assert "Renamed." in dina.follow(dina.post(path, **{field: " Doors "}, do="rename")).text
    assert own(dina).title == "Doors"

    withdrawn = dina.follow(dina.post(path, do="withdraw"))
    assert "Undo" in text_of(withdrawn)
    carl = colleague(dina, clock)
    assert "Doors" not in text_of(carl.get("/setup"))
    assert "The template is offered again." in dina.follow(dina.post(path, do="restore")).text
    assert "Doors" in text_of(carl.get("/setup"))


def test_a_template_of_the_institution_is_used_elsewhere_and_changed_by_its_author_only(
    dina: Designer, clock: FakeClock
) -> None:
    begin(dina)
    save_as(dina, "Everyone's", place="institution")
    carl = colleague(dina, clock, elsewhere=True)
    assert "Everyone's Role-play. For the whole institution." in text_of(carl.get("/setup"))
    use(carl)
    template = own(dina)
    assert "Dina Designer and the administrators of the institution can change it." in text_of(
        carl.get("/setup/templates")
    )
    assert carl.post(f"/setup/templates/{template.id}", do="withdraw").status_code == 403
    assert carl.post("/setup/template", **{"as": str(template.id), f"version-{template.id}": "1"}).status_code == 403
    with dina.kit.open_session(dina.institution_id) as session:
        session.get_one(Person, carl.visit.person_id).is_administrator = True
    assert carl.post(f"/setup/templates/{template.id}", do="withdraw").status_code == 303


def test_a_template_of_a_course_is_not_seen_in_another(dina: Designer, clock: FakeClock) -> None:
    begin(dina)
    save_as(dina)
    carl = colleague(dina, clock, elsewhere=True)
    assert "Ours" not in text_of(carl.get("/setup"))
    assert carl.post("/setup/start", saved=str(own(dina).id)).status_code == 404
    assert carl.post(f"/setup/templates/{own(dina).id}", do="withdraw").status_code == 404


def test_a_name_that_is_missing_is_asked_for_and_nothing_is_lost(dina: Designer) -> None:
    begin(dina)
    refused = save_as(dina, " ", place="institution")
    assert refused.status_code == 422
    assert '<a href="#title">' in refused.text
    assert re.search(r'value="institution" checked', refused.text)


def test_a_draft_in_the_dialog_can_be_saved_as_a_template(app: Flask, kit: Kit, clock: FakeClock) -> None:
    placing = a_designer(app, kit, clock, kind=VisitKind.PLACING)
    path, fields = placing.start("circle")
    asked = placing.post(path, **fields, do="template")
    assert placing.follow(asked).status_code == 200
    page = placing.follow(placing.post(f"{path}/template", **{NAME: "Our circle", "place": "course", "as": "new"}))
    assert "The template is saved" in page.text
    assert "Our circle" in placing.get("/setup").text


def test_a_template_of_a_kind_that_is_gone_is_not_offered(dina: Designer, clock: FakeClock) -> None:
    begin(dina)
    save_as(dina)
    with dina.kit.open_session(dina.institution_id) as session:
        template = session.query(SavedTemplate).one()
        template.settings = {**template.settings, "kind": "council"}
    assert "Ours" not in text_of(colleague(dina, clock).get("/setup"))
    assert dina.get("/setup").status_code == 200


def test_who_saved_a_template_finds_it_in_their_data_and_is_no_one_after_erasure(
    dina: Designer, clock: FakeClock
) -> None:
    begin(dina)
    save_as(dina)
    with dina.kit.open_session(dina.institution_id) as session:
        found = personal_data.everything_about(session, dina.visit.person_id)
        assert [one["template"] for one in found["templates"]] == ["Ours"]
        personal_data.erase(session, dina.visit.person_id, now=clock.now())
    chooser = text_of(colleague(dina, clock).get("/setup"))
    assert "saved by Someone" in chooser
    assert "Dina" not in chooser


def hidden_fields(page: str) -> dict[str, str]:
    """The fields of the form that takes over a newer version."""
    form = re.search(r'<section class="notice" aria-labelledby="newer-version".*?</form>', page, re.DOTALL)
    assert form is not None, page
    return dict(re.findall(r'name="([\w-]+)" value="([^"]*)"', form[0]))


def fields_of_template(page: str) -> dict[str, str]:
    """What a browser would send of the page that saves a template, without its radio buttons."""
    return {
        name: value
        for kind, name, value in re.findall(r'type="(text|hidden)"[^>]*? name="([\w-]+)" value="([^"]*)"', page)
        if name.startswith(("title", "version"))
    }


@pytest.mark.parametrize("typed", ["9" * 40, "-1", "٣", "x"])
def test_a_template_that_does_not_exist_is_not_found(dina: Designer, typed: str) -> None:
    assert dina.post("/setup/start", saved=typed).status_code == 404
    begin(dina)
    assert save_as(dina, **{"as": typed}).status_code == 404
