"""Every address of a visit with wrong input: a clear refusal, never our own failure, and nothing written."""

import re
from itertools import cycle, islice
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from lti_tool.support.db import Base
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.factories.feedback import TEXTS
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school

HUGE = 2**63
BY_DAY = pytest.mark.parametrize("share", [3, pytest.param(1, marks=pytest.mark.nightly)])
"""Of all visitors and addresses one in so many, in turn; all of them at night."""
LONG = pytest.mark.parametrize("share", [9, pytest.param(1, marks=pytest.mark.nightly)])
"""The same where each address is tried with many numbers."""
NOT_OF_A_PERSON = {"audit_entry", "code", "job", "tick", "visit"}
"""Tables in which refusals and visits may leave traces."""
NASTY = "x\x00y\ufffe\u202e<img src=x onerror=alert(1)>"


def rules_of(app: Flask, method: str) -> list[Rule]:
    """Every address of a visit that takes this method."""
    return sorted(
        (
            rule
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/v/<visit>") and method in (rule.methods or ())
        ),
        key=lambda rule: rule.rule,
    )


def path_of(rule: Rule, number: int | str, key: str) -> str:
    """The address below the visit with one value in every place; of several words that fit, the last."""
    path = re.sub(r"<any\([^)]*'([\w-]+)'\):\w+>", r"\1", rule.rule.removeprefix("/v/<visit>"))
    return re.sub(r"<(int:)?(\w+)>", lambda place: str(number) if place[1] else key, path)


def everything(school: School) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables that hold what people did."""
    with school.kit.open_session() as session:
        connection = session.connection()
        return {
            table.name: sorted(map(tuple, connection.exec_driver_sql(f'SELECT * FROM "{table.name}"')), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name not in NOT_OF_A_PERSON
        }


def numbers_of(school: School) -> list[int]:
    """Every number that names something of this institution."""
    with school.kit.open_session() as session:
        return sorted(
            {
                number
                for table in Base.metadata.sorted_tables
                if {"id", "institution_id"} <= set(table.columns.keys())
                for number in session.connection().scalars(
                    select(table.c.id).where(table.c.institution_id == school.institution_id)
                )
            }
        )


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    school = a_school(app, kit, clock, learners=4)
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    return school


@pytest.fixture
def elsewhere(app: Flask, kit: Kit, clock: FakeClock) -> School:
    """Another institution with the same things in it."""
    school = a_school(app, kit, clock, learners=4)
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    return school


def visitors(school: School) -> dict[str, Visitor]:
    return {
        "learner": school.learner(0),
        "assistant": school.somebody("assistant"),
        "instructor": school.somebody("instructor"),
        "observer": school.somebody("observer"),
        "preview": school.somebody("learner", is_preview=True),
        "placing": school.somebody("instructor", kind=VisitKind.PLACING),
        "institution": school.somebody("instructor", kind=VisitKind.INSTITUTION, frame_origins=[]),
    }


@pytest.mark.parametrize("number", [0, 2**31 - 1, HUGE])
@pytest.mark.store
@BY_DAY
def test_numbers_that_name_nothing_are_refused_on_every_address(
    app: Flask, school: School, number: int, share: int
) -> None:
    broken, turn = [], cycle(range(share))
    for who, visitor in visitors(school).items():
        numbered = [one for one in rules_of(app, "GET") if "<int:" in one.rule]
        for rule in islice(numbered, next(turn), None, share):
            answer = visitor.get(path_of(rule, number, "k"))
            # A preview shows the form without asking for whom.
            if not 300 <= answer.status_code < 500 and who != "preview":
                broken.append((who, rule.rule, answer.status_code))
    assert broken == []


@pytest.mark.parametrize(
    "fields",
    [
        {"do": NASTY, "version": NASTY, "template": NASTY, "means": NASTY, "wish": NASTY, "one": NASTY},
        {"do": "give", "version": str(HUGE), "one": str(HUGE), "other": "-1", "base": "1" * 40, "wish": "extend"},
    ],
    ids=["nasty", "numbers"],
)
@pytest.mark.store
@BY_DAY
def test_forms_with_nonsense_are_never_our_failure(
    app: Flask, school: School, fields: dict[str, str], share: int
) -> None:
    broken, turn = [], cycle(range(share))
    for who, visitor in visitors(school).items():
        for rule in islice(rules_of(app, "POST"), next(turn), None, share):
            answer = visitor.send(path_of(rule, 1, "%00"), **dict.fromkeys(TEXTS, NASTY), **fields)
            if answer.status_code >= 500:
                broken.append((who, rule.rule, answer.status_code))
    assert broken == []


@LONG
def test_addresses_of_another_institution_s_things_open_nothing(
    app: Flask, school: School, elsewhere: School, share: int
) -> None:
    """Numbers count through all institutions, so a neighbour's are easily guessed."""
    before = everything(elsewhere)
    numbers, turn = numbers_of(elsewhere), cycle(range(share))
    broken = []
    for visitor in visitors(school).values():
        for number in numbers:
            for method in ("GET", "POST"):
                numbered = (one for one in rules_of(app, method) if "<int:" in one.rule)
                for rule in islice(numbered, next(turn), None, share):
                    path = path_of(rule, number, "k")
                    answer = visitor.get(path) if method == "GET" else visitor.send(path, do="save", wish="excuse")
                    if answer.status_code >= 500:
                        broken.append((rule.rule, number, answer.status_code))
    assert broken == []
    theirs = elsewhere.institution_id
    after = everything(elsewhere)
    for name, rows in before.items():
        place = (
            [column.name for column in Base.metadata.tables[name].columns].index("institution_id")
            if ("institution_id" in Base.metadata.tables[name].columns)
            else None
        )
        if place is not None:
            assert [row for row in after[name] if row[place] == theirs] == [
                row for row in rows if row[place] == theirs
            ], name


def test_what_only_staff_may_learners_and_observers_may_not_and_nothing_is_written(app: Flask, school: School) -> None:
    whos = visitors(school)
    before = everything(school)
    allowed = []
    for who in ("learner", "observer", "preview"):
        for rule in rules_of(app, "POST"):
            if not re.search(r"/(setup|plan|people|progress|grades|institution)\b", rule.rule):
                continue
            answer = whos[who].send(path_of(rule, 1, "k"), do="open", wish="excuse", means="left", version="1")
            if answer.status_code < 400:
                allowed.append((who, rule.rule, answer.status_code))
    assert allowed == []
    assert everything(school) == before


def test_posts_without_a_secret_or_with_another_visit_s_write_nothing(app: Flask, school: School) -> None:
    before = everything(school)
    one, other = school.learner(0), school.somebody("instructor")
    client = app.test_client()
    for rule in rules_of(app, "POST"):
        path = f"/v/{other.key}{path_of(rule, 1, 'k')}"
        for headers in ({}, {"Authorization": f"Bearer {one.secret}"}, {"Authorization": f"Bearer {'x' * 9000}"}):
            answer = client.post(path, headers=headers, data={"do": "open"})
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
    # A cookie alone, without the proof of the form.
    client.set_cookie(f"__Host-tandem-{other.key}", other.secret, secure=True)
    for rule in rules_of(app, "POST"):
        if rule.endpoint != "visit.enter":
            answer = client.post(f"/v/{other.key}{path_of(rule, 1, 'k')}", data={"do": "open", "form_token": NASTY})
            assert 400 <= answer.status_code < 500, (rule.rule, answer.status_code)
    after = everything(school)
    assert {name: rows for name, rows in after.items() if name not in {"member", "person"}} == {
        name: rows for name, rows in before.items() if name not in {"member", "person"}
    }


def test_bodies_that_are_no_forms_are_never_our_failure(app: Flask, school: School) -> None:
    visitor = school.somebody("instructor")
    client, broken = app.test_client(), []
    for rule in rules_of(app, "POST"):
        for kind, body in (
            ("application/json", b'{"do": ["open"]}'),
            ("application/x-www-form-urlencoded", b"do=%FF%FE&title=%ED%A0%80&x=%00" + b"&a=b" * 3000),
            ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="do"\r\n\r\nopen'),
            ("multipart/form-data", b"\x00\x01"),
        ):
            answer = client.post(
                f"/v/{visitor.key}{path_of(rule, 1, 'k')}",
                data=body,
                content_type=kind,
                headers={"Authorization": f"Bearer {visitor.secret}"},
            )
            if answer.status_code >= 500:
                broken.append((rule.rule, kind, answer.status_code))
    assert broken == []


@pytest.mark.store
@LONG
def test_questions_in_addresses_are_never_our_failure(app: Flask, school: School, share: int) -> None:
    names = ("page", "round", "q", "text", "reference", "said", "show", "step", "state", "check", "note", "c", "change")
    broken, turn = [], cycle(range(share))
    values = ("%00", "%ED%A0%80", "-1", "9" * 40, "%3Cimg%20src=x%20onerror=alert(1)%3E")
    for visitor in visitors(school).values():
        for rule in rules_of(app, "GET"):
            for value in islice(values, next(turn), None, share):
                query = "&".join(f"{name}={value}" for name in names)
                answer = visitor.get(f"{path_of(rule, 1, '%00')}?{query}")
                if answer.status_code >= 500 or b"<img src=x" in answer.data:
                    broken.append((rule.rule, value, answer.status_code))
    assert broken == []
