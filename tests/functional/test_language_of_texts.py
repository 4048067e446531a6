"""A template's texts are placed in the language that the designer chose, and follow when it is changed."""

from html import unescape
from pathlib import Path

import pytest
from flask import Flask

from lti_tool.activities.rules.templates.practice import ROLE_PLAY
from lti_tool.activities.rules.templates.rubrics import PLAYING
from lti_tool.app import create_app
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from lti_tool.wiring import Services
from tests.catalogs import a_catalog
from tests.fakes.clock import FakeClock
from tests.functional.designing import Designer, a_designer, fields_of

LEVEL = PLAYING.criteria[0].levels[0].label


@pytest.fixture
def translated(services: Services, tmp_path: Path) -> Flask:
    for language in ("sv", "nl"):
        texts = (ROLE_PLAY.title, ROLE_PLAY.instructions, ROLE_PLAY.scenario.texts.public, LEVEL, "What learners do")
        a_catalog(tmp_path, language, {text: f"{language}: {text}" for text in texts})
    return create_app(services, translations=tmp_path)


@pytest.fixture
def designer(translated: Flask, kit: Kit, clock: FakeClock) -> Designer:
    return a_designer(translated, kit, clock, kind=VisitKind.ACTIVITY)


def start(designer: Designer, language: str) -> dict[str, str]:
    return fields_of(designer.follow(designer.post("/setup/start", template="role_play", language=language)).text)


def test_texts_are_placed_in_the_language_that_was_chosen(designer: Designer) -> None:
    chosen = designer.get("/setup").text
    assert ('value="en" selected' in chosen, 'value="sv"' in chosen) == (True, True)
    fields = start(designer, "sv")
    assert fields["language"] == "sv"
    assert fields["title"] == f"sv: {ROLE_PLAY.title}"
    assert fields["scenario-public"].startswith("sv: ")
    assert fields["criteria-0-levels-0-label"] == f"sv: {LEVEL}"

    page = unescape(designer.get("/setup").text)
    assert "What learners do" in page  # the page speaks the reader's language
    preview = designer.post("/setup", **fields, do="preview").text
    assert '<p class="instructions" dir="auto" lang="sv">' in preview


@pytest.mark.parametrize("language", ["xx", ""])
def test_an_unknown_language_gives_texts_in_that_of_the_page(designer: Designer, language: str) -> None:
    fields = start(designer, language)
    assert (fields["language"], fields["title"]) == ("en", ROLE_PLAY.title)


def test_texts_follow_another_language_unless_somebody_reworded_them(designer: Designer) -> None:
    fields = start(designer, "sv")
    fields |= {"language": "nl", "scenario-public": "My own scenario"}
    fields = fields_of(designer.follow(designer.post("/setup", **fields, do="save")).text)
    assert (fields["language"], fields["title"]) == ("nl", f"nl: {ROLE_PLAY.title}")
    assert fields["instructions"].replace("\r\n", "\n") == f"nl: {ROLE_PLAY.instructions}"
    assert fields["scenario-public"] == "My own scenario"
    assert fields["criteria-0-levels-0-label"] == f"nl: {LEVEL}"

    fields = fields_of(designer.follow(designer.post("/setup", **(fields | {"language": "en"}), do="save")).text)
    assert (fields["title"], fields["criteria-0-levels-0-label"]) == (ROLE_PLAY.title, LEVEL)

    fields = fields_of(designer.follow(designer.post("/setup", **(fields | {"language": ""}), do="save")).text)
    assert (fields["language"], fields["title"]) == ("", ROLE_PLAY.title)


def test_ready_texts_come_in_the_language_of_the_activity(designer: Designer) -> None:
    fields = start(designer, "sv") | {"scenario-public": ""}
    filled = designer.post("/setup", **fields, do=f"scenario-{ROLE_PLAY.scenario.key}").text
    assert fields_of(filled)["scenario-public"].startswith("sv: ")
    listed = unescape(designer.post("/setup", **fields, do="rubric").text)
    assert f"sv: {LEVEL}" in listed
