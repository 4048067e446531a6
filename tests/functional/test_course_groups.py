"""The groups that a course has on its platform: read with the roster, and used as people's group."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from lti_tool.attributes.models import MemberAttribute
from lti_tool.attributes.rules.catalogue import Source
from lti_tool.attributes.service import attributes_of, put
from lti_tool.jobs.models import Lane
from lti_tool.pairing import forms
from lti_tool.roster.models import CourseGroup, GroupEnrollment, RosterSync
from lti_tool.roster.service import readings
from lti_tool.wiring import Services
from lti_tool.workspace import personal_data
from sandbox_lms import vocabulary as words
from tests.fakes.clock import FakeClock
from tests.functional.guests import text_of
from tests.functional.living import Life, a_life

LEARNERS = ("learner01", "learner02", "learner03", "learner04")


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, "blackboard", learners=4) as life:
        yield life


def two_sections(life: Life, **how: Any) -> None:
    """Learners 1 and 2 are in one section, 3 and 4 in another."""
    course, sections = life.lms.course(), life.lms.add_group_set(life.lms.course(), "Sections", **how)
    people = [life.person(name) for name in LEARNERS]
    life.lms.add_group(course, "Tuesday", people[:2], within=sections)
    life.lms.add_group(course, "Friday", people[2:], within=sections)


def read_again(life: Life) -> None:
    life.clock.advance(timedelta(hours=1))
    with life.open() as session:
        readings.ask_for_sync(session, life.course().id, now=life.clock.now())
    life.run()


def groups(life: Life) -> dict[str, object]:
    """People's group by user name, as pairing gets it."""
    with life.look() as session:
        known = attributes_of(session, life.course().id).get("group", {})
    return {name: known[id_] for name in LEARNERS if (id_ := life.member(name).id) in known}


def count(life: Life, model: Any) -> int:
    with life.look() as session:
        return session.scalar(select(func.count(model.id))) or 0


def test_sections_become_people_s_group(life: Life) -> None:
    two_sections(life)
    life.launch("designer")
    life.run()
    assert groups(life) == {
        "learner01": "Tuesday",
        "learner02": "Tuesday",
        "learner03": "Friday",
        "learner04": "Friday",
    }
    with life.look() as session:
        changed_at = set(session.scalars(select(MemberAttribute.changed_at)))
    read_again(life)
    with life.look() as session:
        assert set(session.scalars(select(MemberAttribute.changed_at))) == changed_at, "nothing has changed"
    # A learner moves, and another one leaves their group.
    tuesday, friday = life.lms.course().groups
    tuesday.people.discard(life.person("learner01").number)
    tuesday.people.discard(life.person("learner02").number)
    friday.people.add(life.person("learner01").number)
    read_again(life)
    assert groups(life) == {"learner01": "Friday", "learner03": "Friday", "learner04": "Friday"}
    # A group that the platform has no more is forgotten.
    assert count(life, CourseGroup) == 2
    life.lms.course().groups.remove(friday)
    read_again(life)
    assert groups(life) == {}
    assert count(life, GroupEnrollment) == 0


def test_a_preset_pairs_people_within_their_section(life: Life) -> None:
    two_sections(life)
    designer = life.set_up()
    life.run()
    fields = forms.texts_of(forms.PRESETS["within-groups"].wanted)
    designer.post("/plan/rules", **fields, do="save", version="0")
    life.publish(designer)
    assert sorted(map(sorted, life.groups())) == [["learner01", "learner02"], ["learner03", "learner04"]]


def test_an_instructor_chooses_which_set_counts(life: Life) -> None:
    two_sections(life)
    teams = life.lms.add_group_set(life.lms.course(), "Teams")
    life.lms.add_group(life.lms.course(), "Blue", [life.person("learner01"), life.person("learner03")], within=teams)
    life.lms.add_group(life.lms.course(), "Readers", [life.person("learner02")])
    designer = life.set_up()
    life.run()
    # Until somebody chooses, the set with most learners counts.
    assert groups(life)["learner03"] == "Friday"
    shown = text_of(designer.get("/people"))
    assert "Sections 2 groups, 4 learners" in shown
    assert "Teams 1 group, 2 learners" in shown
    assert "Groups that are in no set 1 group, 1 learner" in shown
    assert "Saved." in designer.post("/people/groups", set=teams.id).text
    assert groups(life) == {"learner01": "Blue", "learner03": "Blue"}
    designer.post("/people/groups", set="")
    assert groups(life) == {"learner02": "Readers"}
    read_again(life)
    assert groups(life) == {"learner02": "Readers"}
    designer.post("/people/groups", set="-")
    assert groups(life) == {}
    read_again(life)
    assert groups(life) == {}
    assert designer.send("/people/groups", set="unknown").status_code == 404


def test_what_staff_say_overrides_the_platform(life: Life) -> None:
    two_sections(life)
    life.launch("designer")
    life.run()
    with life.open() as session:
        put(session, {life.member("learner01").id: {"group": {"name": "Mine"}}}, Source.STAFF, now=life.clock.now())
    read_again(life)
    assert groups(life)["learner01"] == "Mine"


def test_hidden_groups_are_not_used_and_nobody_s_place_in_them_is_kept(life: Life) -> None:
    two_sections(life, is_hidden=True)
    life.lms.add_group(life.lms.course(), "Needs help", [life.person("learner01")], is_hidden=True)
    designer = life.set_up()
    life.run()
    read_again(life)
    assert groups(life) == {}
    assert count(life, GroupEnrollment) == 0
    assert "Groups to use" not in designer.get("/people").text


def test_all_pages_are_read(life: Life) -> None:
    course = life.lms.course()
    for number in range(120):
        life.lms.add_group(course, f"Group {number:03}", [life.person("learner01")] if number == 119 else [])
    life.launch("designer")
    life.run()
    assert groups(life) == {"learner01": "Group 119"}
    assert life.seen("/groups") == 3


def test_a_failing_service_harms_no_roster(life: Life) -> None:
    two_sections(life)
    life.launch("designer")
    for status in (500, 404, 403, 401):
        life.lms.faults.answer("groups", status, times=None)
        read_again(life)
    life.lms.faults.clear()
    for body in ("<html>", '{"groups": 5, "sets": null}'):
        life.lms.faults.garble("groups", body, times=None)
        read_again(life)
    with life.look() as session:
        assert set(session.scalars(select(RosterSync.state))) == {"finished"}
        # Nor does the platform count as down, for which other work would have to wait.
        assert set(session.scalars(select(Lane.failures))) == {0}
    assert life.member("learner04").in_roster_at is not None
    assert groups(life) == {}
    life.lms.faults.clear()
    read_again(life)
    assert len(groups(life)) == 4


def test_pages_on_a_foreign_origin_are_not_read(life: Life) -> None:
    two_sections(life)
    life.launch("designer")
    with life.open() as session:
        session.merge(life.course()).groups_url = "https://elsewhere.example/groups"
    life.run()
    assert groups(life) == {}
    assert life.member("learner04").in_roster_at is not None


def test_without_the_right_the_roster_is_read_as_ever(life: Life) -> None:
    two_sections(life)
    life.tool.scopes = words.ALL_SCOPES
    life.launch("designer")
    life.run()
    assert life.course().groups_url is None
    assert life.member("learner04").in_roster_at is not None
    assert life.seen("/groups") == 0
    # A claim that promises more than the token holds changes nothing either.
    with life.open() as session:
        session.merge(life.course()).groups_url = f"{life.lms.url}/services/courses/{life.lms.course().id}/groups"
    read_again(life)
    assert life.seen("/groups") == 0
    with life.look() as session:
        assert set(session.scalars(select(RosterSync.state))) == {"finished"}


def test_a_launch_s_group_counts_only_where_the_service_tells_none(life: Life) -> None:
    life.tool.custom["tandem_group"] = "From the launch"
    life.launch("designer")
    life.run()
    life.launch("learner01")
    assert groups(life) == {"learner01": "From the launch"}
    two_sections(life)
    read_again(life)
    life.launch("learner01")
    life.launch("learner02")
    assert groups(life)["learner01"] == groups(life)["learner02"] == "Tuesday"


def test_groups_are_handed_over_and_erased(life: Life) -> None:
    two_sections(life)
    teams = life.lms.add_group_set(life.lms.course(), "Teams")
    life.lms.add_group(life.lms.course(), "Blue", [life.person("learner01")], within=teams)
    life.launch("designer")
    life.run()
    person_id = life.member("learner01").person_id
    with life.open() as session:
        [course] = personal_data.everything_about(session, person_id)["courses"]
        assert course["groups_of_the_course"] == ["Blue", "Tuesday"]
        personal_data.erase(session, person_id, now=life.clock.now())
    with life.look() as session:
        own = select(func.count()).where(GroupEnrollment.member_id == life.member("learner01").id)
        assert session.scalar(own) == 0
        assert session.scalar(select(func.count(MemberAttribute.id))) == 3
