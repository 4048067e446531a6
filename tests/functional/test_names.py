"""Names on pages: the same ones are told apart, and those from right to left leave sentences as they are."""

import re

import pytest
from flask import Flask

from lti_tool.launch.models import Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.support.kit import Kit
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, a_school

DANA = "دانا"
SHOWN = f"\u2068{DANA}\u2069"


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    """Two of the learners are called Sam Li, one of them without an address."""
    school = a_school(app, kit, clock)
    call(school, 0, "Sam Li", "sam.li@uni.example")
    call(school, 1, "sam li", None)
    call(school, 2, DANA, None)
    return school


def call(school: School, place: int, name: str, email: str | None) -> None:
    with school.kit.open_session(school.institution_id) as session:
        person = session.get_one(Person, school.group.learners[place].person_id)
        person.name, person.email = name, email


def published(school: School) -> None:
    instructor = school.somebody("instructor")
    instructor.post("/plan/propose")
    page = instructor.get("/plan").text
    version = re.search(r'name="version" value="([0-9]+)"', page)
    assert version is not None
    instructor.post("/plan/publish", version=version[1])


def test_staff_see_the_address_or_a_short_id_beside_names_that_two_people_have(school: School) -> None:
    published(school)
    short = f"sam li (T{school.group.learners[1].id})"
    instructor = school.somebody("instructor")
    for path in ("/plan", "/progress", "/people", "/who-meets"):
        page = instructor.get(path).text
        if "Åsa" not in page and "Sam" not in page:
            continue
        assert "Sam Li (sam.li@uni.example)" in page, path
        assert short in page, path
    assert "Sam Li (sam.li@uni.example)" in instructor.get(f"/people/{school.group.learners[0].id}").text
    assert short in instructor.get(f"/progress/{school.group.learners[1].id}").text


def test_learners_see_a_number_and_nothing_private(school: School) -> None:
    published(school)
    pages = [school.learner(place).get("/").text for place in range(6)]
    assert any("Sam Li (1)" in page for page in pages)
    assert any("sam li (2)" in page for page in pages)
    assert not any("uni.example" in page or f"(T{school.group.learners[1].id})" in page for page in pages)


def test_somebody_alone_with_a_name_is_called_by_it(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        names = {
            member.id: name for member, name in zip(school.group.learners, ("Sam Li", "sam li", DANA), strict=False)
        }
        told = told_apart(session, school.group.course.id, names)
        assert told[school.group.learners[2].id] == DANA
        many = {**names, **{-number: f"Ann {number}" for number in range(60)}}
        assert told_apart(session, school.group.course.id, many) == {**many, **told}
        assert told_apart(session, school.group.course.id, {-1: None}) == {-1: None}


def test_a_name_from_right_to_left_stays_where_it_stands(school: School) -> None:
    published(school)
    pages = [school.learner(place).get("/").text for place in range(6)]
    shown = [page for page in pages if DANA in page]
    assert shown
    for page in [*shown, school.somebody("instructor").get("/plan").text]:
        main = page[page.index("<main") :]
        assert main.count(DANA) == main.count(SHOWN)


def test_markup_in_a_sentence_stays_markup_and_text_stays_text(app: Flask) -> None:
    sentence = app.jinja_env.from_string("{{ _('%(name)s, %(other)s', name=name, other=other) }}")
    with app.test_request_context("/"):
        assert sentence.render(name=f"<b>{DANA}", other="<i>") == f"\u2068&lt;b&gt;{DANA}\u2069, &lt;i&gt;"
        macro = app.jinja_env.from_string("{% set x %}<b>" + DANA + "</b>{% endset %}{{ _('%(x)s!', x=x) }}")
        assert macro.render() == f"\u2068<b>{DANA}</b>\u2069!"
