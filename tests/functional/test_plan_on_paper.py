"""The plan outside of Tandem: as a table for spreadsheets, and on paper."""

import csv
import io
from collections import Counter
from datetime import timedelta

from flask import Flask

from lti_tool.launch.models import Person
from lti_tool.pairing import service
from lti_tool.pairing.models import Plan
from lti_tool.support.kit import Kit
from tests.factories.pairing import a_draft, a_learner, a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import a_school


def test_the_plan_is_downloaded_as_a_table_with_everybody_in_every_round(
    app: Flask, kit: Kit, clock: FakeClock
) -> None:
    due = clock.now() + timedelta(days=7)
    school = a_school(app, kit, clock, 5, rounds=((clock.now(), due), ()))
    with kit.open_session(school.institution_id) as session:
        session.get_one(Person, school.group.learners[0].person_id).name = "=SUM(1)"
        plan = a_published_plan(session, school.group, clock.now())
        members = service.groups_in_plan(session, plan, 1)[0].members
        names = service.names_of(session, members)
        late = a_learner(session, school.group.registration, school.group.course, "Late")
    assistant = school.somebody("assistant")

    answer = app.test_client().get(assistant.send("/plan/export").headers["Location"])

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="plan.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert Counter(row["Round"] for row in rows) == {"1": 6, "2": 6}
    first = next(row for row in rows if row["Tandem key"] == f"T{members[0]}")
    partners = ", ".join((names[member] or "").replace("=", "'=") for member in members[1:])
    assert (first["Works with"].lstrip("'"), first["Observed first"]) == (partners.lstrip("'"), "yes")
    assert (first["Opens"], first["Due"], first["Group"]) == ("2026-11-02 10:00", "2026-11-09 10:00", "1")
    assert "'=SUM(1)" in {row["Learner"] for row in rows}
    [nobody, _] = [row for row in rows if row["Tandem key"] == f"T{late.id}"]
    assert (nobody["Group"], nobody["Works with"]) == ("", "without a partner")
    assert school.learner(0).send("/plan/export").status_code == 403


def test_a_table_of_groups_that_were_replaced_meanwhile_is_not_found(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        plan_id = a_draft(session, school.group, clock.now()).id
    address = school.somebody("instructor").send("/plan/export").headers["Location"]
    with kit.open_session(school.institution_id) as session:
        session.delete(session.get_one(Plan, plan_id))

    answer = app.test_client().get(address)

    assert answer.status_code == 404
    assert "There is no such plan" in answer.text


def test_the_plan_is_printed_with_all_its_rounds_on_one_page(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    instructor = school.somebody("instructor")
    assert instructor.get("/plan/print").status_code == 404
    with kit.open_session(school.institution_id) as session:
        plan = a_draft(session, school.group, clock.now())
        groups = [group for number in (1, 2) for group in service.groups_in_plan(session, plan, number)]
        names = service.names_of(session, {member for group in groups for member in group.members})
        a_learner(session, school.group.registration, school.group.course, "Late")

    # Without the characters that keep a name from right to left inside its sentence.
    page = instructor.get("/plan/print").text.replace("\u2068", "").replace("\u2069", "")

    for group in groups:
        assert "<li>" + ", ".join(names[member] or "" for member in group.members) + "</li>" in page
    assert page.count("Late") == 2
    assert "Learners do not see it yet." in page
    assert 'href="/v/' in instructor.get("/plan").text
    assert school.learner(0).get("/plan/print").status_code == 403
