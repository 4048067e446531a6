"""Forms of every page with random parts, and files of random bytes: answered for a person, never our own failure."""

import codecs
import io
import re
from dataclasses import dataclass
from typing import Final

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.attributes import service as attributes
from lti_tool.feedback.service import find_task
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.factories.feedback import given as give
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school
from tests.functional.test_at_once import groups, ways_to_send
from tests.functional.test_bad_input import path_of, rules_of
from tests.unit.pairing.budget import examples

pytestmark = pytest.mark.store

FUZZED = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], print_blob=True
)


@dataclass(frozen=True)
class Scene:
    """People of a class in which something is going on, and the pages that they see."""

    app: Flask
    visitors: list[tuple[Visitor, list[str]]]
    instructor: Visitor


@pytest.fixture
def scene(app: Flask, kit: Kit, clock: FakeClock) -> Scene:
    school: School = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        attributes.ask_for(session, school.group.course.id, ["languages"], now=clock.now())
        a_published_plan(session, school.group, clock.now())
    pair = groups(school)[0][:2]
    writer = next(place for place, one in enumerate(school.group.learners) if one.id == pair[0])
    receiver = next(place for place, one in enumerate(school.group.learners) if one.id == pair[1])
    with kit.open_session(school.institution_id) as session:
        task = find_task(session, school.group.activity, 1, pair[1], pair[0])
        feedback = give(session, task, now=clock.now())
    instructor = school.somebody("instructor")
    one, other = pair
    staff = [
        "/",
        "/plan",
        f"/plan/effect?do=never&who={one}&who={other}",
        "/plan/rules",
        "/people",
        f"/people/{one}",
        "/people/delete?what=all",
        "/progress",
        f"/progress/{one}",
        "/grades",
        "/goals",
        "/setup",
    ]
    learner = ["/", "/about-you", "/feedback", "/goals", "/goals/new"]
    institution = ["/institution", "/institution/people", "/institution/record"]
    return Scene(
        app,
        [
            (instructor, staff),
            (school.somebody("assistant"), staff[:-1]),
            (school.learner(writer), [*learner, f"/round/1/for/{other}", f"/feedback/{feedback.id}"]),
            (school.learner(receiver), [*learner, f"/round/1/for/{one}", f"/feedback/{feedback.id}"]),
            (school.somebody("instructor", kind=VisitKind.PLACING), ["/", "/setup"]),
            (school.somebody("instructor", kind=VisitKind.INSTITUTION, frame_origins=[]), institution),
        ],
        instructor,
    )


NAMES: Final = ["do", "version", "who", "round", "base", "title", "note_at", "device", "template", "\x00", "x" * 300]
texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(["", "0", "-1", "1", "2", "3", "١", "1e9", "NaN", str(2**31), str(2**63), "9" * 400, "x" * 9000]),
    st.sampled_from(["a\x00b", "\ufffe\ufeff", "\u202e", "<img src=x onerror=alert(1)>", "{{7*7}}", "%s", "=1+1"]),
    st.sampled_from(["2026-11-31", "2026-11-02", "0000-00-00", "25:61", "99999-01-01", "2026-11-02T09:00:00+99:00"]),
    st.sampled_from(
        ["save", "give", "open", "swap", "all", "left", "excuse", "remove_note:1", "use_aside:x", "add_row"]
    ),
)
place = st.integers(0, 1000)


@given(
    who=place,
    page=place,
    form=place,
    changes=st.lists(st.tuples(place, st.lists(texts, max_size=3)), min_size=1, max_size=4),
    strays=st.dictionaries(st.one_of(st.sampled_from(NAMES), texts), st.lists(texts, max_size=2), max_size=3),
)
@settings(FUZZED, max_examples=examples(25))
def test_forms_with_random_parts_are_never_our_failure(
    scene: Scene,
    who: int,
    page: int,
    form: int,
    changes: list[tuple[int, list[str]]],
    strays: dict[str, list[str]],
) -> None:
    visitor, pages = scene.visitors[who % len(scene.visitors)]
    shown = visitor.get(pages[page % len(pages)])
    assert shown.status_code < 500, shown.text
    ways = list(ways_to_send(shown.text))
    if not ways:
        return
    action, fields = ways[form % len(ways)]
    for number, values in changes:
        if fields:
            fields[sorted(fields)[number % len(fields)]] = values

    answer = visitor.post(re.sub(r"^/v/[^/]+", "", action), **{**strays, **fields})

    assert answer.status_code < 500, (action, fields, answer.text)
    assert "<img src=x" not in answer.text
    again = visitor.get(pages[page % len(pages)])
    assert again.status_code < 500, (action, fields, again.text)


@given(
    who=place,
    address=place,
    number=st.sampled_from([1, 2, 3, 2**31 - 1, 2**40]),
    fields=st.dictionaries(st.one_of(st.sampled_from(NAMES), texts), st.lists(texts, max_size=2), max_size=4),
)
@settings(FUZZED, max_examples=examples(25))
def test_forms_that_no_page_offered_are_never_our_failure(
    scene: Scene, who: int, address: int, number: int, fields: dict[str, list[str]]
) -> None:
    visitor, pages = scene.visitors[who % len(scene.visitors)]
    rules = rules_of(scene.app, "POST")
    rule = rules[address % len(rules)]

    answer = visitor.send(path_of(rule, number, "k"), **fields)

    assert answer.status_code < 500, (rule.rule, answer.text)
    assert visitor.get(pages[0]).status_code < 500


CELLS: Final = [
    "Name",
    "E-mail",
    "id",
    "Languages",
    "Åsa Öberg",
    "7",
    '"',
    '""',
    "=1+1",
    "sv, en",
    "måndag",
    "",
    "\x00",
]
cells = st.one_of(st.sampled_from(CELLS), st.text(st.characters(codec="utf-8"), max_size=8))
tables = st.builds(
    lambda rows, separator, end, encoding, mark: mark + end.join(map(separator.join, rows)).encode(encoding, "replace"),
    st.lists(st.lists(cells, max_size=6), max_size=8),
    st.sampled_from([",", ";", "\t", "|", " "]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252", "mac_roman", "cp850", "utf-32"]),
    st.sampled_from([b"", b"", codecs.BOM_UTF8, codecs.BOM_UTF16_BE, b"\xff"]),
)
files = st.one_of(tables, tables, st.binary(max_size=300), st.sampled_from([b"PK\x03\x04", b'"' * 5000, b"," * 9000]))


@given(
    file=files,
    name=st.one_of(st.sampled_from(["people.csv", "", "a.xlsx", "../../x", "x" * 400]), texts),
    chosen=st.lists(st.tuples(place, st.lists(texts, max_size=2)), max_size=3),
    form=place,
)
@settings(FUZZED, max_examples=examples(25))
def test_files_of_any_bytes_are_never_our_failure(
    scene: Scene, file: bytes, name: str, chosen: list[tuple[int, list[str]]], form: int
) -> None:
    instructor = scene.instructor

    page = instructor.post("/people/upload", table=(io.BytesIO(file), name.encode("utf-8", "replace").decode()))

    assert page.status_code < 500, page.text
    ways = [way for way in ways_to_send(page.text) if "/upload/" in way[0]]
    if ways:
        # What was read of the file is shown first, and may be answered with nonsense too.
        action, fields = ways[form % len(ways)]
        for number, values in chosen:
            if fields:
                fields[sorted(fields)[number % len(fields)]] = values
        answer = instructor.post(re.sub(r"^/v/[^/]+", "", action), **fields)
        assert answer.status_code < 500, (action, fields, answer.text)
    assert instructor.get("/people").status_code < 500
