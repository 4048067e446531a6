"""Designers take rubrics from ready ones, the library and files, and what they typed is never lost by it."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.activities.models import SavedTemplate
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.rules import RubricDraft
from lti_tool.rubrics.rules.files import read_file, to_csv, to_json
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.fakes.clock import FakeClock
from tests.functional.designing import Designer, a_designer, fields_of
from tests.functional.test_saved_templates import colleague
from tests.unit.rubrics.test_rubric_forms import every_type


@pytest.fixture
def dina(app: Flask, kit: Kit, clock: FakeClock) -> Designer:
    """An instructor at a plain link."""
    return a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)


def names(page: str) -> list[str]:
    return [value for name, value in fields_of(page).items() if re.fullmatch(r"criteria-\d+-name", name)]


def sent_with_file(designer: Designer, path: str, fields: dict[str, str], content: bytes) -> TestResponse:
    return designer.client.post(
        f"/v/{designer.visit.key}{path}",
        data={**fields, "do": "rubrics:file", "library-file": (io.BytesIO(content), "rubric.csv")},
        headers={"Authorization": f"Bearer {designer.bearer}"},
    )


def kept(designer: Designer) -> RubricDraft:
    [activity] = designer.activities()[:1]
    with designer.kit.open_session(designer.institution_id) as session:
        return rubrics.draft_of(rubrics.rubric_of(session, activity.rubric_id))


def test_a_form_for_each_seat_is_put_together_from_ready_rubrics(dina: Designer) -> None:
    path, fields = dina.start("goals")
    chooser = dina.post(path, **fields | {"title": "Typed"}, do="rubrics")
    assert "Being coached" in chooser.text
    assert 'name="title" value="Typed"' in chooser.text
    page = dina.post(path, **fields | {"title": "Typed"}, do="rubrics:use:ready.coach")
    page = dina.post(path, **fields_of(page.text), do="rubrics:add:ready.coachee")
    assert "not saved yet" in page.text
    assert names(page.text)[3:5] == ["Room for your own solution", "Openness"]
    saved = dina.post(path, **fields_of(page.text), do="save")
    assert saved.status_code == 303
    assert [one.seat for one in kept(dina).criteria] == ["coach"] * 4 + ["coachee"] * 3
    assert dina.activities()[0].title == "Typed"


def test_what_is_taken_can_be_about_one_seat_in_some_rounds(dina: Designer) -> None:
    path, fields = dina.start("goals")
    about = {"library-seat": "coachee", "library-rounds": "3, 1"}
    page = dina.post(path, **fields | about, do="rubrics:add:ready.observer")
    dina.post(path, **fields_of(page.text), do="save")
    assert {(one.seat, one.rounds) for one in kept(dina).criteria[4:]} == {("coachee", (1, 3))}


def test_taking_another_rubric_is_undone_with_one_press(dina: Designer) -> None:
    path, fields = dina.start()
    page = dina.post(path, **fields, do="rubrics:use:ready.observer")
    assert names(page.text) != names(dina.get(path).text)
    back = dina.post(path, **fields_of(page.text), do="undo-rubric")
    assert names(back.text) == names(dina.get(path).text)


@pytest.mark.parametrize("write", [to_csv, to_json])
def test_a_file_is_read_into_the_editor_and_the_saved_rubric_goes_into_the_same_file(
    dina: Designer, write: Callable[[RubricDraft], str | bytes]
) -> None:
    draft = replace(every_type(), criteria=tuple(replace(one, rounds=()) for one in every_type().criteria))
    draft = replace(draft, criteria=(replace(draft.criteria[0], seat="observer"), *draft.criteria[1:]))
    path, fields = dina.start()
    content = write(draft)
    page = sent_with_file(dina, path, fields, content)
    assert names(page.text) == [one.name for one in draft.criteria]
    assert dina.post(path, **fields_of(page.text), do="save").status_code == 303
    assert kept(dina) == draft
    kind = "csv" if content[:1] != b"{" else "json"
    offered = dina.post("/setup/rubric-file", **{"as": kind})
    assert dina.client.get(offered.headers["Location"]).data == content
    assert read_file(content).draft == draft


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Choose a file first"),
        (b"Dear all", "There is no rubric in this file"),
        (to_json(every_type())[:500], "ends before the rubric does"),
        (b"criterion,level\n" + b"A,x\n" * 10_000, "10000 criteria"),
        (b"\x00\x01\x02" * 100, "not text"),
    ],
)
def test_a_file_that_is_no_rubric_changes_nothing_and_loses_nothing(dina: Designer, content: bytes, says: str) -> None:
    path, fields = dina.start()
    before = kept(dina)
    refused = sent_with_file(dina, path, fields | {"title": "Typed", "criteria-0-name": "Mine"}, content)
    assert refused.status_code == 422
    assert says in refused.text
    assert 'name="criteria-0-name" value="Mine"' in refused.text
    assert kept(dina) == before


def test_half_a_rubric_stands_in_the_editor_with_what_is_missing(dina: Designer) -> None:
    path, fields = dina.start()
    half = json.dumps({"title": "Half", "criteria": [{"name": "Voice", "levels": [{"label": "Quiet"}]}]})
    page = sent_with_file(dina, path, fields, half.encode())
    assert names(page.text) == ["Voice"]
    assert "A criterion needs at least two levels." in page.text


def library_of(designer: Designer) -> list[SavedTemplate]:
    with designer.kit.open_session(designer.institution_id) as session:
        return list(session.scalars(select(SavedTemplate).order_by(SavedTemplate.id)))


def test_a_rubric_of_the_library_has_versions_and_tells_who_uses_an_earlier_one(
    dina: Designer, clock: FakeClock
) -> None:
    path, fields = dina.start()
    fields |= {"title": "Lesson one", "library-title": "Ours", "library-as": "new", "library-place": "course"}
    saved = dina.post(path, **fields, do="rubrics:save")
    assert "Version 1 of “Ours” is in the library." in saved.text
    [template] = library_of(dina)
    dina.post(path, **fields | {"rubric-from": f"{template.id}.1"}, do="save")

    carl = colleague(dina, clock)
    path, fields = carl.start("goals")
    page = carl.post(path, **fields, do=f"rubrics:use:saved.{template.id}")
    assert names(page.text) == [one.name for one in kept(dina).criteria]
    fields = fields_of(page.text) | {"criteria-0-name": "Changed", "library-as": str(template.id)}
    chooser = carl.post(path, **fields, do="rubrics")
    assert "Lesson one" in chooser.text
    fields |= {f"library-version-{template.id}": "1"}
    assert "Version 2 of “Ours”" in carl.post(path, **fields, do="rubrics:save").text
    assert carl.post(path, **fields, do="rubrics:save").status_code == 409
    assert "newer version: 2" in dina.get("/setup").text
    page = dina.post("/setup", **fields_of(dina.get("/setup").text), do=f"rubrics:use:saved.{template.id}")
    assert names(page.text)[0] == "Changed"
    dina.post("/setup", **fields_of(page.text), do="save")
    assert "newer version" not in dina.get("/setup").text
    listed = dina.get("/setup/templates").text
    assert "Ours" in listed
    assert "Ours" not in dina.get("/setup/template").text


def test_a_library_stays_in_its_course_and_a_made_up_origin_counts_for_nothing(
    dina: Designer, clock: FakeClock
) -> None:
    path, fields = dina.start()
    fields |= {"library-title": "Ours", "library-as": "new"}
    dina.post(path, **fields, do="rubrics:save")
    [template] = library_of(dina)
    carl = colleague(dina, clock, elsewhere=True)
    path, fields = carl.start()
    assert "Ours" not in carl.post(path, **fields, do="rubrics").text
    assert carl.post(path, **fields, do=f"rubrics:use:saved.{template.id}").status_code == 404
    carl.post(path, **fields | {"rubric-from": f"{template.id}.1"}, do="save")
    with carl.kit.open_session(carl.institution_id) as session:
        activity = next(one for one in carl.activities() if one.course_id == carl.course.id)
        assert rubrics.origin_of(rubrics.rubric_of(session, activity.rubric_id)) is None


def test_a_rubric_needs_a_name_in_the_library(dina: Designer) -> None:
    path, fields = dina.start()
    refused = dina.post(path, **fields | {"library-title": " "}, do="rubrics:save")
    assert refused.status_code == 422
    assert "Give the rubric a name in the library." in refused.text
    assert library_of(dina) == []
