"""Designers say who may meet whom, and see what it costs before they save it."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask

from lti_tool.attributes import service as attributes
from lti_tool.attributes.rules.catalogue import NOBODY, Source
from lti_tool.pairing import forms, service
from lti_tool.pairing.rules import preferences
from lti_tool.pairing.rules.preferences import Preferences, RuleChoice, RuleKind, WishChoice, WishKind
from lti_tool.pairing.rules.why import relaxations, shortfall
from lti_tool.support.kit import Kit
from tests.factories.pairing import an_activity, propose
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, a_school


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    return a_school(app, kit, clock)


def wanted(school: School) -> Preferences:
    with school.kit.open_session(school.institution_id) as session:
        return service.preferences_of(session, school.group.activity).preferences


def learn(school: School, *values: Mapping[str, dict[str, Any]]) -> None:
    """Let this be known of the first learners."""
    with school.kit.open_session(school.institution_id) as session:
        changes = {member.id: some for member, some in zip(school.group.learners, values, strict=False)}
        attributes.put(session, changes, Source.STAFF, now=school.clock.now())


EVERYTHING = Preferences(
    rules=tuple(
        RuleChoice(RuleKind(kind), line.attribute, at_least=1 if line.numbers else None, priority=30)
        for line in forms.LINES["rules"]
        for kind, _ in line.choices[:1]
    ),
    wishes=tuple(WishChoice(WishKind(line.choices[-1][0]), line.attribute, weight=3) for line in forms.LINES["wishes"]),
    not_again=True,
    should_not_holds=False,
    history_counts=False,
)


STRICT = Preferences(
    rules=(
        RuleChoice(RuleKind.GAP, at_least=0, at_most=3, unknown_is_allowed=False),
        RuleChoice(RuleKind.OFFERS_MEET_NEEDS, both_ways=True, unknown_is_allowed=False),
    )
)


@pytest.mark.parametrize("wanted", [EVERYTHING, STRICT], ids=["everything", "strict"])
def test_every_preference_comes_back_from_its_form(wanted: Preferences) -> None:
    assert preferences.read(forms.plain_values(forms.texts_of(wanted))) == wanted


@pytest.mark.parametrize("preset", forms.PRESETS)
def test_every_preset_can_be_saved_as_it_is(preset: str) -> None:
    found = forms.PRESETS[preset].wanted

    assert preferences.read(forms.plain_values(forms.texts_of(found))) == found


def test_an_instructor_saves_a_rule_and_reads_what_it_costs(school: School) -> None:
    learn(
        school,
        {"department": {"name": "Sales"}},
        {"department": {"name": "Sales"}},
        {"department": {"name": "Care"}},
    )
    instructor = school.somebody("instructor")

    page = instructor.post(
        "/plan/rules",
        **{"kind": "pairs", "rules-department-kind": "other", "version": 0, "history_counts": "1", "do": "save"},
    )

    assert "Saved." in page.text
    assert wanted(school).rules == (RuleChoice(RuleKind.OTHER, "department"),)
    # One of the 15 couples of 6 learners works in one department.
    assert "6.7 %" in page.text
    assert "Propose groups by these rules" in page.text


def test_looking_at_the_cost_saves_nothing(school: School) -> None:
    instructor = school.somebody("instructor")

    page = instructor.send(
        "/plan/rules", **{"kind": "pairs", "rules-department-kind": "other", "version": 0, "do": "check"}
    )

    assert page.status_code == 200
    assert "This is not saved yet" in page.text
    assert re.search(r'value="other" selected', page.text)
    assert "No one has a value for “Department”" in page.text
    assert wanted(school) == Preferences()


@pytest.mark.parametrize("preset", [key for key in forms.PRESETS if key != "plain"])
def test_what_rules_would_cost_before_they_are_saved_is_what_they_cost_afterwards(school: School, preset: str) -> None:
    sales, care = {"department": {"name": "Sales"}}, {"department": {"name": "Care"}}
    about = ({"experience": {"number": 1}, "languages": {"names": ["sv"]}}, {"experience": {"number": 2}})
    learn(school, {**sales, **about[0]}, {**sales, **about[1]}, {**care, "manager": {"member": 1}}, care)
    texts = {**forms.texts_of(forms.PRESETS[preset].wanted), "rules-department-kind": "other", "version": 0}
    instructor = school.somebody("instructor")

    before = instructor.send("/plan/rules", **texts, do="check").text
    after = instructor.post("/plan/rules", **texts, do="save").text

    assert "Saved." in after
    costs = [re.sub(r"\s+", " ", page[page.index("</h2>", page.index('id="costs"')) :]) for page in (before, after)]
    assert costs[0] == costs[1]
    assert re.search(r"Another department</th>.{0,400}?13\.3 %", costs[0])


def test_what_rules_would_cost_counts_other_activities_only_where_they_are_to_count(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        other = an_activity(session, school.group.course, [()])
        plan = propose(session, other.id, seed=1, by=None, now=school.clock.now())
        service.publish(session, other.id, expected_version=plan.version, now=school.clock.now())
    instructor = school.somebody("instructor")
    texts = {"kind": "pairs", "not_again": "1", "version": 0, "do": "check"}

    assert "the rules leave 80 %" in instructor.send("/plan/rules", history_counts="1", **texts).text
    assert "the rules leave 100 %" in instructor.send("/plan/rules", **texts).text


def test_a_preset_fills_the_form_and_saves_nothing(school: School) -> None:
    page = school.somebody("instructor").send("/plan/rules", do="preset-new-managers", version=0)

    assert 'value="reporting_line" selected' in page.text
    assert wanted(school) == Preferences()


@pytest.mark.parametrize(
    ("line", "field", "text"),
    [
        ({"rules-experience-kind": "gap"}, "rules-experience-at_least", ""),
        ({"rules-experience-kind": "gap", "rules-experience-at_least": "3", "rules-experience-at_most": "2"}, "", "3"),
        ({"rules-slots-kind": "share", "rules-slots-at_least": "two"}, "rules-slots-at_least", "two"),
        (
            {"rules-group-kind": "same", "rules-slots-kind": "share", "rules-slots-at_least": "0"},
            "rules-slots-at_least",
            "0",
        ),
        ({"rules-department-kind": "other", "rules-department-priority": "1000"}, "rules-department-priority", "1000"),
        ({"wishes-department-kind": "other", "wishes-department-weight": "5000"}, "wishes-department-weight", "5000"),
    ],
)
def test_what_makes_no_sense_is_named_beside_its_field_and_nothing_is_lost(
    school: School, line: dict[str, str], field: str, text: str
) -> None:
    page = school.somebody("instructor").send("/plan/rules", **{"kind": "circles", "size": "5", "version": 0}, **line)

    assert page.status_code == 409
    assert f'id="{field or "rules-experience-at_least"}-error"' in page.text
    assert f'value="{text}"' in page.text
    assert 'value="circles" checked' in page.text
    assert wanted(school) == Preferences()


def test_who_saves_second_sees_that_somebody_was_first(school: School) -> None:
    instructor = school.somebody("instructor")
    instructor.send("/plan/rules", **{"kind": "trios", "version": 0})

    page = instructor.send("/plan/rules", **{"kind": "pairs", "not_again": "1", "version": 0})

    assert page.status_code == 409
    assert "Someone else saved these rules" in page.text
    assert wanted(school).kind == "trios"
    again = re.search(r'name="version" value="(\d+)"', page.text)
    assert again is not None
    saved = instructor.post("/plan/rules", **{"kind": "pairs", "not_again": "1", "version": again[1]})
    assert "Saved." in saved.text
    assert wanted(school).not_again


@pytest.mark.parametrize("role", ["assistant", "learner"])
def test_nobody_else_sees_the_rules(school: School, role: str) -> None:
    assert school.somebody(role).get("/plan/rules").status_code == 403


def propose_across_departments(school: School) -> None:
    """Four of six learners work in Sales, and partners must come from another department."""
    learn(school, *({"department": {"name": name}} for name in ("Sales", "Sales", "Sales", "Sales", "Care", "Care")))
    with school.kit.open_session(school.institution_id) as session:
        chosen = Preferences(rules=(RuleChoice(RuleKind.OTHER, "department"),))
        service.save_preferences(
            session, school.group.activity.id, chosen, expected_version=0, by=None, now=school.clock.now()
        )
        service.request_proposal(session, school.group.activity.id, seed=1, by=None, now=school.clock.now())


def test_a_rule_gives_way_only_after_its_effect_was_seen(school: School) -> None:
    propose_across_departments(school)
    instructor = school.somebody("instructor")

    seen = instructor.get("/plan/effect?do=relax&rule=other:department")

    assert seen.status_code == 200
    assert "“Another department”" in seen.text
    assert seen.text.count("would have a partner in round") == 4
    assert wanted(school).rules

    version = re.search(r'name="version" value="(\d+)"', seen.text)
    assert version is not None
    assert instructor.send("/plan/change", rule="other:department", do="relax", version=version[1]).status_code == 303
    assert wanted(school).rules == ()
    with school.kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id)
        assert plan is not None
        assert service.current_plan(session, school.group.activity, plan, now=school.clock.now()).unplaced == ()


def test_a_rule_does_not_give_way_in_a_plan_that_somebody_else_changed(school: School) -> None:
    propose_across_departments(school)

    page = school.somebody("instructor").send("/plan/change", rule="other:department", do="relax", version=99)

    assert page.status_code == 409
    assert wanted(school).rules


@pytest.mark.parametrize("rule", ["nonsense", "reporting_line", "other:group", ""])
def test_only_a_rule_that_holds_and_may_give_way_is_looked_at(school: School, rule: str) -> None:
    learn(school, {"department": {"name": "Sales"}})
    with school.kit.open_session(school.institution_id) as session:
        chosen = Preferences(rules=(RuleChoice(RuleKind.REPORTING_LINE), RuleChoice(RuleKind.OTHER, "department")))
        service.save_preferences(
            session, school.group.activity.id, chosen, expected_version=0, by=None, now=school.clock.now()
        )
        service.request_proposal(session, school.group.activity.id, seed=1, by=None, now=school.clock.now())

    answer = school.somebody("instructor").get(f"/plan/effect?do=relax&rule={rule}")

    assert answer.status_code == 409
    assert "Look at the pairing rules as they are now" in answer.text


def test_a_rule_that_keeps_nobody_from_a_partner_is_not_offered_to_give_way(school: School) -> None:
    learn(school, {"department": {"name": "Sales"}}, {"department": {"name": "Sales"}})
    with school.kit.open_session(school.institution_id) as session:
        chosen = Preferences(rules=(RuleChoice(RuleKind.OTHER, "department"),))
        service.save_preferences(
            session, school.group.activity.id, chosen, expected_version=0, by=None, now=school.clock.now()
        )
        service.request_proposal(session, school.group.activity.id, seed=1, by=None, now=school.clock.now())

    seen = school.somebody("instructor").get("/plan/effect?do=relax&rule=other:department")

    assert seen.status_code == 200
    assert "This would give no one a partner" in seen.text
    assert "Switch it off" not in seen.text


def test_why_somebody_has_no_partner_is_counted_and_proven(school: School) -> None:
    propose_across_departments(school)
    with school.kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id)
        assert plan is not None

        current = service.current_plan(session, school.group.activity, plan, now=school.clock.now())

    found = shortfall(current)
    assert found
    care = {one.id for one in school.group.learners[4:]}
    for one in found:
        assert len(one.people) == 2
        assert one.is_proven
        assert [set(needed.partners) for needed in one.needed] == [care]
        assert {removal.removed for why in one.explained for removal in why.removals} == {3}
    assert [relaxation.rules for relaxation in relaxations(current)] == [("other:department",)]


def test_a_rule_says_for_how_many_learners_it_is_known_and_is_folded_while_it_is_known_for_nobody(
    school: School,
) -> None:
    learn(school, {"department": {"name": "Sales"}, "manager": NOBODY}, {"department": {"name": "Care"}})
    instructor = school.somebody("instructor")

    def line(page: str, what: str) -> tuple[str, bool]:
        """How many it is known for, and whether that is folded."""
        label = re.search(rf'<label for="{what}">(.*?)</label>', page, re.DOTALL)
        assert label is not None
        before = page[: label.start()]
        is_folded = before.rfind('class="fold-unknown"') > before.rfind("<section")
        return " ".join(re.sub("<.*?>", "", label[1]).split()), is_folded

    page = instructor.get("/plan/rules").text
    assert line(page, "rules-department-kind") == ("Department known for 2 of 6", False)
    assert line(page, "rules-manager-kind") == ("Manager known for 1 of 6", False)
    assert line(page, "rules-languages-kind") == ("Languages known for 0 of 6", True)
    assert line(page, "wishes-time_zone-kind") == ("Time zone known for 0 of 6", True)
    assert line(page, "rules-offers-kind") == (
        "Can offer Can offer: known for 0 of 6; Wants to learn: known for 0 of 6",
        True,
    )
    assert "6 rules need values that no one has yet" in page

    page = instructor.send("/plan/rules", do="preset-common-language", version=0).text
    assert line(page, "rules-languages-kind") == ("Languages known for 0 of 6", False)
    page = instructor.send("/plan/rules", **{"rules-experience-kind": "gap", "version": 0}).text
    assert line(page, "rules-experience-kind") == ("Experience known for 0 of 6", False)


def test_presets_speak_to_courses_and_to_workplaces(school: School) -> None:
    page = school.somebody("instructor").get("/plan/rules").text

    course, workplace = (page.index(f">{words}</h3>") for words in ("For a course", "For a workplace"))
    assert course < page.index("Mix groups and sections") < workplace < page.index("Support for new managers")
    assert {key for _, keys in forms.PRESET_KINDS for key in keys} == set(forms.PRESETS)
