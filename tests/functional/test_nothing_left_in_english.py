"""Every page in a language whose texts stand in brackets: what stands outside of them is not translated."""

import re
from html import unescape
from itertools import islice, product
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.app import create_app
from lti_tool.launch.models import Person
from lti_tool.rubrics.service import rubric_of
from lti_tool.support.kit import Kit
from lti_tool.support.languages import TRANSLATIONS, catalog_file
from lti_tool.web.visits import Visit
from lti_tool.wiring import Services
from tests.catalogs import a_catalog
from tests.fakes.clock import FakeClock
from tests.functional.leaking import INSTRUCTOR, LeakyCourse, a_leaky_course
from tests.functional.test_leaks import filled_in

TYPED = re.compile(
    r"<(script|style|textarea|time|bdi|title|option|code|svg)\b.*?</\1>"
    r"|<(\w+)[^>]* dir=\"auto\".*?</\2>"
    r"|<(\w+)[^>]* lang=\"(?!sv\")[^>]*>.*?</\3>",
    re.DOTALL,
)
"""What is no text of ours, what somebody typed, and what is marked as another language."""
SPOKEN = re.compile(r'\b(?:aria-label|placeholder|alt|title|data-said|data-offline)="([^"]*)"')
NAMES = re.compile(
    r"\boch\b|https?://\S+|\S+@\S+|/v/\S+|Qx\d+zj|\bTandem\b|Svenska|Campus LMS|University \d+|Person \d+|"
    r"Ingrid|Observer|Admin|Ada|Ben|Cem|Dan|Eva|error: \w+, status: \d+, page: \S+|"
    r"Europe/Stockholm|(?:mån|tis|ons|tors|fre|lör|sön) \d+ \w+|\d+ (?:november|december) \d+"
)
"""Names, addresses, dates, and what only operators look for in the record."""
EACH = 3
"""So many addresses of each route."""


@pytest.fixture
def bracketed(services: Services, tmp_path: Path) -> Flask:
    with catalog_file(TRANSLATIONS, "sv").open("rb") as opened:
        known = [message.id for message in read_po(opened, locale="sv") if message.id]
    texts = {one: tuple(f"⟦{form}⟧" for form in one) if isinstance(one, tuple) else f"⟦{one}⟧" for one in known}
    a_catalog(tmp_path, "sv", texts)
    return create_app(services, translations=tmp_path)


@pytest.fixture
def course(bracketed: Flask, kit: Kit, clock: FakeClock) -> LeakyCourse:
    course = a_leaky_course(bracketed, kit, clock, "circle", staff_read=True)
    with kit.open_session(course.room.institution.id) as session:
        session.execute(update(Visit).values(locale="sv"))
    return course


def outside(page: str, typed: set[str]) -> list[str]:
    """Each piece of text of a page that stands in no brackets and is none of these."""
    page = TYPED.sub("\x01", page)
    pieces = [piece for text in (*SPOKEN.findall(page), re.sub(r"<[^>]*>", "\x01", page)) for piece in _pieces(text)]
    return [one for one in pieces if one not in typed and re.search(r"[A-Za-z]{3,}", NAMES.sub("", one))]


def _pieces(text: str) -> list[str]:
    depth, pieces, piece = 0, [], ""
    for letter in unescape(text):
        depth += (letter == "⟦") - (letter == "⟧")
        if letter in "\x01⟦⟧" or depth:
            pieces.append(piece.strip())
            piece = ""
        else:
            piece += letter
    return [*pieces, piece.strip()]


def typed_in(session: Session, course: LeakyCourse) -> set[str]:
    """The names of people, and the texts of the activity, which stay in the language in which they were written."""
    rubric = rubric_of(session, course.room.activity.rubric_id)
    levels = [level for criterion in rubric.criteria for level in criterion.levels]
    names = [name for name in session.scalars(select(Person.name)) if name]
    return {
        course.room.activity.title,
        rubric.title,
        " · ".join(level.label for level in rubric.criteria[0].levels),
        *names,
        *(text for one in rubric.criteria for text in (one.name, one.description)),
        *(text for level in levels for text in (level.label, level.description)),
    }


def test_no_page_says_anything_in_english(bracketed: Flask, course: LeakyCourse, kit: Kit) -> None:
    with kit.open_session(course.room.institution.id) as session:
        typed = typed_in(session, course)
    english, read = {}, 0
    for rule in bracketed.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or not rule.rule.startswith("/v/<visit>/"):
            continue
        for who, path in product(("Ada", INSTRUCTOR, "admin"), islice(filled_in(rule, course.ids), EACH)):
            answer = course.visitors[who].get(path)
            if answer.mimetype == "text/html" and answer.status_code == 200:
                read += 1
                english |= dict.fromkeys(outside(answer.text, typed), f"{path} ({who})")
    assert english == {}
    assert read > 70


def test_what_is_not_translated_is_seen() -> None:
    page = '<p>⟦Due <time>1 dec</time> for ⟦Ada⟧.⟧ Hello</p><p dir="auto">Typed</p><a title="⟦Go⟧">⟦On⟧</a>'
    assert outside(f'{page}<i title="Bad">x</i>', set()) == ["Bad", "Hello"]
