"""Staff choose people on the plan, see what a change would do, do it or leave it, and take back what they said."""

import re
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.launch.models import Person
from lti_tool.pairing import service
from lti_tool.pairing.models import Absence, Exclusion, Pin, Plan
from lti_tool.pairing.pages.changes import CHOICES
from lti_tool.pairing.rules.preferences import RuleChoice, RuleKind, WishChoice, WishKind
from lti_tool.support.kit import Kit
from tests.factories.pairing import a_draft, a_learner, a_published_plan, know, want
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school

OTHER_DEPARTMENT = (RuleChoice(RuleKind.OTHER, "department"),)


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    school = a_school(app, kit, clock, 8)
    with kit.open_session(school.institution_id) as session:
        a_draft(session, school.group, clock.now())
    return school


@pytest.fixture
def instructor(school: School) -> Visitor:
    return school.somebody("instructor")


def groups(school: School, number: int = 1) -> list[tuple[int, ...]]:
    """The members of every group of a round."""
    with school.kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id)
        assert plan is not None
        views = service.groups_in_plan(session, plan, number)
        return [view.members for view in views]


def name(school: School, member_id: int) -> str:
    with school.kit.open_session(school.institution_id) as session:
        return service.names_of(session, [member_id])[member_id] or ""


def version(school: School) -> int:
    with school.kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id)
        assert plan is not None
        return plan.version


def effect(visitor: Visitor, do: str, *who: int, number: int = 1) -> str:
    answer = visitor.get("/plan/effect?" + urlencode({"do": do, "who": who, "round": number}, doseq=True))
    assert answer.status_code == 200, answer.text
    return answer.text


def change(school: School, visitor: Visitor, do: str, *who: int, number: int = 1, **more: object) -> str:
    fields = {"do": do, "who": list(who), "round": number, "version": version(school), **more}
    answer = visitor.post("/plan/change", **fields)
    assert answer.status_code == 200, answer.text
    return answer.text


def count(school: School, kind: type[Pin] | type[Exclusion] | type[Absence]) -> int:
    with school.kit.open_session(school.institution_id) as session:
        return len(session.scalars(select(kind)).all())


def test_the_effect_of_a_swap_is_shown_and_nothing_is_saved(school: School, instructor: Visitor) -> None:
    before = groups(school)
    (one, left), (other, _) = before[:2]

    page = effect(instructor, "swap", one, other)

    assert "change places in round 1" in page
    assert f"{name(school, other)}, {name(school, left)}" in page
    assert "2 other groups stay as they are" in page
    assert "Nothing is saved yet" in page
    assert groups(school) == before


def shown(page: str) -> list[set[frozenset[str]]]:
    """The groups that an effect page says there will be in the place of others, round by round."""
    # Without the characters that keep a name from right to left inside its sentence.
    page = page.replace("\u2068", "").replace("\u2069", "")
    lists = re.findall(r'<h3>Then</h3><ul class="groups-short">(.*?)</ul>', page, re.DOTALL)
    return [{frozenset(one.split(", ")) for one in re.findall(r"<li>(.*?)</li>", found)} for found in lists]


@pytest.mark.parametrize("do", sorted(CHOICES.keys() - {"mend", "relax", "unpin", "meet-again", "turns-up"}))
def test_the_groups_that_are_shown_before_a_change_are_there_after_it(
    school: School, instructor: Visitor, do: str
) -> None:
    with school.kit.open_session(school.institution_id) as session:
        a_learner(session, school.group.registration, school.group.course, "Late")
    before = [groups(school, number) for number in (1, 2)]
    one, partner = before[0][0]
    chosen = {"never": (one, partner), "avoid": (one, partner), "absent": (one,), "leave-out": (one,)}
    who = chosen.get(do, (one, before[0][1][0]))

    page = effect(instructor, do, *who)
    change(school, instructor, do, *who)

    after = [groups(school, number) for number in (1, 2)]
    new = [set(map(frozenset, now)) - set(map(frozenset, old)) for now, old in zip(after, before, strict=True)]
    assert shown(page) == [{frozenset(name(school, one) for one in group) for group in of} for of in new if of]


def test_a_swap_is_undone_by_one_button(school: School, instructor: Visitor) -> None:
    before = groups(school)
    one, other = before[0][0], before[1][0]

    page = change(school, instructor, "swap", one, other)
    assert "The two people have changed places" in page
    assert groups(school) != before
    undo = re.search(r"<form[^>]*plan/change.*?</form>", page, re.DOTALL)
    assert undo is not None
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', undo[0])
    assert [int(value) for field, value in fields if field == "who"] == [one, other]

    page = change(school, instructor, "swap", one, other, undo="1", anyway="1")
    assert "Undone." in page
    assert groups(school) == before


def test_a_swap_against_a_rule_is_warned_of_and_done_only_knowingly(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4)
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales", "Sales", "Care", "Care"])
        want(session, school.group, rules=OTHER_DEPARTMENT)
        a_draft(session, school.group, clock.now())
    instructor = school.somebody("instructor")
    first, second = groups(school)
    sales = {one.id for one in school.group.learners[:2]}
    # One of Sales for one of Care: then both of Sales are together.
    one = next(person for person in first if person not in sales)
    other = next(person for person in second if person in sales)

    page = effect(instructor, "swap", one, other)
    assert "What speaks against it" in page
    assert "They work in the same department" in page
    assert "Do it anyway" in page

    refused = instructor.post("/plan/change", do="swap", who=[one, other], round=1, version=version(school))
    assert refused.status_code == 409
    assert "A rule forbids this. They work in the same department." in refused.text
    assert refused.text.count(" checked>") == 2
    assert groups(school) == [first, second]

    done = change(school, instructor, "swap", one, other, anyway="1")
    assert "Groups that break a rule" in done
    assert "They work in the same department" in done
    mended = effect(instructor, "mend")
    assert "no longer breaks a rule" in mended
    assert "The groups that broke a rule have been changed" in change(school, instructor, "mend")
    assert "Groups that break a rule" not in instructor.get("/plan").text


def test_people_stay_together_from_now_on_and_it_can_be_taken_back(school: School, instructor: Visitor) -> None:
    one, other = groups(school)[0][0], groups(school)[1][0]

    assert "stay together in every round" in effect(instructor, "always", one, other)
    assert count(school, Pin) == 0
    page = change(school, instructor, "always", one, other)

    assert "They stay together from now on" in page
    assert "Together in every round:" in page
    assert all(any({one, other} <= set(group) for group in groups(school, number)) for number in (1, 2))
    shown = instructor.get("/plan?show=pinned").text
    assert shown.count('class="group') - shown.count('class="groups') == 1
    with school.kit.open_session(school.institution_id) as session:
        [pin] = service.pins_of(session, school.group.activity.id)
    page = instructor.post("/plan/change", do="unpin", decision=pin, round=1).text
    assert "Taken back" in page
    assert count(school, Pin) == 0


def test_other_groups_keep_to_what_was_said_and_are_compared_with_those_before(
    school: School, instructor: Visitor
) -> None:
    one, other = groups(school)[0][0], groups(school)[1][0]
    change(school, instructor, "together", one, other, number=2)
    before = groups(school), groups(school, 2)

    page = instructor.post("/plan/propose", version=version(school)).text
    assert "Compare with the earlier proposal" in page
    assert any({one, other} <= set(group) for group in groups(school, 2))
    compared = instructor.get("/plan/compare?round=2").text
    assert "people have other partners than in the earlier proposal" in compared
    assert "Pairs who have met before" in compared
    back = instructor.post("/plan/drop", version=version(school)).text

    assert "The earlier proposal is back" in back
    assert (groups(school), groups(school, 2)) == before
    assert "Compare with the earlier proposal" not in back


def test_two_people_are_kept_apart_and_it_can_be_taken_back(school: School, instructor: Visitor) -> None:
    one, other = groups(school)[0]

    assert "never work together" in effect(instructor, "never", one, other)
    assert count(school, Exclusion) == 0
    page = change(school, instructor, "never", one, other)

    assert "Never together:" in page
    assert not any({one, other} <= set(group) for number in (1, 2) for group in groups(school, number))
    assert "Never together" not in school.learner(0).get("/").text
    with school.kit.open_session(school.institution_id) as session:
        [apart] = service.apart_of(session, school.group.activity.course_id)
    assert "Taken back" in instructor.post("/plan/change", do="meet-again", decision=apart.id).text
    assert count(school, Exclusion) == 0


def test_rather_not_changes_nothing_where_that_rule_is_off(school: School, instructor: Visitor) -> None:
    with school.kit.open_session(school.institution_id) as session:
        want(session, school.group, should_not_holds=False)
    one, other = groups(school)[0]

    page = effect(instructor, "avoid", one, other)
    assert "No group changes." in page
    assert "switched off under “Pairing rules”" in page
    before = groups(school)
    assert "Avoid pairing:" in change(school, instructor, "avoid", one, other)
    assert groups(school) == before


def test_a_pin_that_a_rule_forbids_is_explained_and_who_was_chosen_stays_chosen(
    school: School, instructor: Visitor
) -> None:
    one, other = groups(school)[0]
    change(school, instructor, "never", one, other)

    answer = instructor.get("/plan/effect?" + urlencode({"do": "together", "who": [one, other]}, doseq=True))
    assert answer.status_code == 409
    assert "A rule forbids this. You keep these people apart." in answer.text
    assert answer.text.count(" checked>") == 2
    refused = instructor.post("/plan/change", do="together", who=[one, other], round=1, version=version(school))
    assert refused.status_code == 409
    assert "Together in round 1:" not in refused.text
    assert count(school, Pin) == 0


def test_somebody_who_does_not_turn_up_leaves_nobody_alone(school: School, instructor: Visitor) -> None:
    absent, partner = groups(school)[0]

    page = effect(instructor, "absent", absent)
    assert "is absent in round 1" in page
    assert name(school, partner) in page
    page = change(school, instructor, "absent", absent)

    assert "Absent in round 1:" in page
    assert not any(absent in group for group in groups(school))
    assert any(partner in group for group in groups(school))
    assert any(absent in group for group in groups(school, 2))
    back = instructor.post("/plan/change", do="turns-up", who=absent, round=1, version=version(school)).text
    assert "They come after all" in back
    assert any(absent in group for group in groups(school))
    assert count(school, Absence) == 0


def test_when_somebody_else_was_quicker_the_effect_is_shown_anew_for_the_same_people(
    school: School, instructor: Visitor
) -> None:
    before = groups(school)
    old = version(school)
    change(school, instructor, "swap", before[2][0], before[3][0])
    now = groups(school)

    answer = instructor.post("/plan/change", do="swap", who=[before[0][0], before[1][0]], round=1, version=old)

    assert answer.status_code == 409
    assert "Someone changed the plan while you were looking" in answer.text
    assert f'name="version" value="{version(school)}"' in answer.text
    for person in (before[0][0], before[1][0]):
        assert f'name="who" value="{person}"' in answer.text
    assert groups(school) == now


@pytest.mark.parametrize(
    ("do", "people", "sentence"),
    [
        ("never", 1, "Choose two people for this."),
        ("never", 3, "Choose two people for this."),
        ("together", 1, "Choose two or more people who should stay together"),
        ("together", 5, "A group of this activity cannot have so many people."),
        ("absent", 2, "Choose one person for this."),
        ("nonsense", 2, "Choose what to do."),
    ],
)
def test_too_few_or_too_many_people_are_told_what_to_choose(
    school: School, instructor: Visitor, do: str, people: int, sentence: str
) -> None:
    who = [one.id for one in school.group.learners[:people]]

    answer = instructor.get("/plan/effect?" + urlencode({"do": do, "who": who, "round": 1}, doseq=True))

    assert answer.status_code == 409
    assert sentence in answer.text
    assert answer.text.count(" checked>") == people


def test_an_assistant_moves_people_and_says_nothing_of_them_for_good(school: School) -> None:
    assistant = school.somebody("assistant")
    one, other = groups(school)[0]

    page = assistant.get("/plan").text
    assert "change places in this round" in page
    assert "never together" not in page
    for do in ("never", "avoid", "together", "always", "mend", "leave-out"):
        fields = urlencode({"do": do, "who": [one, other], "round": 1}, doseq=True)
        assert assistant.get(f"/plan/effect?{fields}").status_code == 403
        asked = {"do": do, "who": [one, other], "round": 1, "version": version(school)}
        assert assistant.send("/plan/change", **asked).status_code == 403
    assert assistant.send("/plan/change", do="unpin", decision=1).status_code == 403
    assert assistant.send("/plan/drop", version=version(school)).status_code == 403


def test_a_learner_sees_nothing_of_it(school: School) -> None:
    learner = school.learner(0)
    for path in ("/plan/effect?do=swap", "/plan/compare"):
        assert learner.get(path).status_code == 403
    for path in ("/plan/change", "/plan/drop"):
        assert learner.send(path).status_code == 403


def test_groups_are_found_by_name_with_who_was_chosen_still_chosen(school: School, instructor: Visitor) -> None:
    with school.kit.open_session(school.institution_id) as session:
        person = session.get_one(Person, school.group.learners[3].person_id)
        person.name = "Zebulon Ångström"
    chosen = next(group[0] for group in groups(school) if school.group.learners[3].id not in group)

    page = instructor.get("/plan?" + urlencode({"q": "zeb ångs", "who": chosen})).text

    assert "1 group of 4." in page
    assert "Also chosen" in page
    assert page.count(" checked>") == 1
    assert "No group in this round matches" in instructor.get("/plan?q=nobody-of-that-name").text


def test_groups_are_filtered_by_what_is_remarkable_about_them(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 3, rounds=((), ()))
    with kit.open_session(school.institution_id) as session:
        a_draft(session, school.group, clock.now())
    instructor = school.somebody("instructor")

    assert "1 group of 1." in instructor.get("/plan?show=three").text
    assert "0 groups of 1." in instructor.get("/plan?show=warning").text
    again = instructor.get("/plan?show=warning&round=2").text
    assert "1 group of 1." in again
    assert "have met before" in again
    assert "0 people are without a partner" in instructor.get("/plan?show=unpaired").text
    assert instructor.get("/plan?show=nonsense&page=99&round=77").status_code == 200


def test_a_group_says_why_these_people(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales", "Sales", "Sales", "Care", "Care", "Care"])
        want(session, school.group, rules=OTHER_DEPARTMENT, wishes=(WishChoice(WishKind.OTHER, "department", 3),))
        a_draft(session, school.group, clock.now())

    page = school.somebody("instructor").get("/plan").text

    assert page.count("Why these people?") == 3
    assert "Different departments (3 points); Another department" in page
    assert "of 3 possible partners." in page
    assert "1 rule holds (Another department: rules out 40 % of all pairs)." in page


def test_without_rules_a_group_says_once_that_anyone_fits_equally_well(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6, rounds=((),))
    with kit.open_session(school.institution_id) as session:
        a_draft(session, school.group, clock.now())

    page = school.somebody("instructor").get("/plan").text

    assert page.count("Why these people?") == 3
    assert page.count("No rules or wishes are set, so anyone fits equally well. They have not met before.") == 3
    assert "possible partner" not in page


def test_an_instructor_leaves_somebody_out_by_choosing_them(school: School, instructor: Visitor) -> None:
    somebody = groups(school)[0][0]

    page = effect(instructor, "leave-out", somebody)

    assert "is staff, and is left out" in page
    assert "Left out." in change(school, instructor, "leave-out", somebody)
    assert not any(somebody in group for group in groups(school))


def test_a_large_course_is_worked_out_in_the_background_and_the_page_says_so(
    app: Flask, kit: Kit, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lti_tool.pairing.service.MOST_INLINE", 3)
    school = a_school(app, kit, clock, 6)
    instructor = school.somebody("instructor")

    page = instructor.post("/plan/propose").text
    assert "Groups are being worked out" in page
    assert "Look again" in page
    assert "Propose groups" not in page

    with kit.open_session(school.institution_id) as session:
        drafting = service.proposal_request(session, school.group.activity.id)
        assert drafting is not None
        drafting.refusal = "PlanImpossible"
    page = instructor.get("/plan").text
    assert "could not be made" in page
    assert "The rules and what you decided about people contradict each other" in page
    assert "Propose groups" in page


def test_learners_are_told_why_they_work_together_and_nothing_private(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4)
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales", "Sales", "Care", "Care"])
        want(session, school.group, rules=OTHER_DEPARTMENT)
        a_published_plan(session, school.group, clock.now())

    page = school.learner(0).get("/").text

    assert page.count("Why you work together: You work in different departments.") == 1
    assert "Sales" not in page


def test_learners_are_told_why_their_partner_is_another_one_now(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    instructor = school.somebody("instructor")
    first, second = groups(school)[:2]
    place = [one.id for one in school.group.learners].index(first[1])

    change(school, instructor, "swap", first[0], second[0])
    page = school.learner(place).get("/").text
    assert f"Your instructors rearranged the groups, so you now meet {name(school, second[0])}." in page

    change(school, instructor, "absent", second[0])
    page = school.learner(place).get("/").text
    assert "Your partner cannot take part in this round, so you now meet" in page


def test_a_plan_that_is_gone_is_said_so(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4)
    instructor = school.somebody("instructor")
    who = [one.id for one in school.group.learners[:2]]

    answer = instructor.post("/plan/change", do="swap", who=who, round=1, version=1)

    assert answer.status_code == 409
    assert "This plan no longer exists" in answer.text
    with kit.open_session(school.institution_id) as session:
        assert session.scalars(select(Plan)).all() == []


def test_people_without_a_partner_are_told_of_once_and_can_be_chosen(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales"] * 5 + ["Care"])
        want(session, school.group, rules=OTHER_DEPARTMENT)
        a_draft(session, school.group, clock.now())
    instructor = school.somebody("instructor")

    page = instructor.get("/plan?show=unpaired").text

    assert "Without a partner, because of the rules" in page
    assert "The course has changed since" not in page
    assert "4 people are without a partner in this round." in page
    assert page.count("group-alone") == 4
    seated = {person for group in groups(school) for person in group}
    alone = [one.id for one in school.group.learners if one.id not in seated]
    refused = instructor.get("/plan/effect?" + urlencode({"do": "together", "who": alone[:2], "round": 1}, doseq=True))
    assert refused.status_code == 409
    assert "They work in the same department" in refused.text


PRIVATE = (
    "department",
    "reporting line",
    "Never together",
    "keep these people apart",
    "Why these people",
    "Why, one by one",
    "What would help",
    "only possible partner",
    "rules out",
    "Points for wishes",
    "points)",
)
"""What an instructor reads on the pages of a plan with rules, and an assistant does not."""


def private_words(page: str) -> list[str]:
    return [words for words in PRIVATE if words in page]


def test_an_assistant_sees_who_has_no_partner_and_no_attribute(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    people = school.group.learners
    with kit.open_session(school.institution_id) as session:
        know(session, people, "department", ["Sales"] * 5 + ["Care"])
        wishes = (WishChoice(WishKind.OTHER, "department", 3),)
        want(session, school.group, rules=OTHER_DEPARTMENT, wishes=wishes)
        a_draft(session, school.group, clock.now())
    instructor = school.somebody("instructor")
    change(school, instructor, "never", people[0].id, people[1].id)

    told, untold = instructor.get("/plan").text, school.somebody("assistant").get("/plan").text

    shown = ("department", "Never together", "Why these people", "Why, one by one", "What would help", "rules out")
    assert set(shown) <= set(private_words(told))
    assert private_words(untold) == []
    assert "Without a partner, because of the rules" in untold
    assert "no plan can leave fewer people without a partner" in untold


def test_an_assistant_is_told_that_a_rule_forbids_a_swap_and_not_which(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4)
    people = school.group.learners
    with kit.open_session(school.institution_id) as session:
        know(session, people, "department", ["Sales", "Sales", "Care", "Care"])
        wishes = (WishChoice(WishKind.OTHER, "department", 3),)
        want(session, school.group, rules=OTHER_DEPARTMENT, wishes=wishes)
        a_draft(session, school.group, clock.now())
    change(school, school.somebody("instructor"), "never", people[0].id, people[1].id)
    assistant = school.somebody("assistant")
    sales = {people[0].id, people[1].id}
    first, second = groups(school)
    one = next(person for person in first if person not in sales)
    other = next(person for person in second if person in sales)

    page = effect(assistant, "swap", one, other)
    assert "a rule forbids it" in page
    assert private_words(page) == []
    refused = assistant.post("/plan/change", do="swap", who=[one, other], round=1, version=version(school))
    assert refused.status_code == 409
    assert "A rule forbids this." in refused.text
    assert private_words(refused.text) == []
    done = change(school, assistant, "swap", one, other, anyway="1")
    assert "Groups that break a rule" in done
    # Once in the list and once at the group for each of two couples, one of them against two rules.
    assert done.count("a rule forbids it") == 4
    assert private_words(done) == []
    back = effect(assistant, "swap", one, other)
    assert "no longer breaks a rule" in back
    assert private_words(back) == []
