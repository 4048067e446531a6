"""What the plan says in words: after every deed, of drafts that deserve a look, of people without a partner."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

import lti_tool.pairing
from lti_tool.pairing.engine import Removal
from lti_tool.pairing.models import Plan
from lti_tool.pairing.pages.changes import CHOICES
from lti_tool.pairing.rules.preferences import RuleChoice, RuleKind
from lti_tool.pairing.wording import sentences as words
from lti_tool.support.kit import Kit
from tests.factories.pairing import a_draft, a_learner, a_published_plan, know, want
from tests.fakes.clock import FakeClock
from tests.functional.teaching import a_school

SAYS = re.compile(r"\bsaid(?:: str)? ?=(?!=)(.*)")
WORD = re.compile(r'"([a-z-]+)"')


def said_by(module: Path) -> set[str]:
    """What a module hands to the page as `said`."""
    return {word for given in SAYS.findall(module.read_text("utf-8")) for word in WORD.findall(given)}


def modules() -> list[Path]:
    return sorted(Path(str(lti_tool.pairing.__file__)).parent.glob("pages/*.py"))


def test_every_deed_has_its_sentence_on_the_page_that_follows(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4)
    with kit.open_session(school.institution_id) as session:
        a_draft(session, school.group, clock.now())
    instructor = school.somebody("instructor")
    deeds = {word for module in modules() for word in said_by(module)} | {choice.done for choice in CHOICES.values()}
    assert {"proposed", "published", "swapped", "swapped-back", "turns-up", "taken-back", "relaxed", "apart"} <= deeds

    silent = {
        said
        for said in deeds
        for page in [instructor.get(f"/plan{'/rules' if said == 'saved' else ''}?said={said}")]
        if page.status_code != 200 or 'class="notice notice-done"' not in page.text
    }

    assert silent == set()
    assert "notice-done" not in instructor.get("/plan?said=nonsense").text


def test_a_draft_that_deserves_a_look_is_said_so_to_instructors_only(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales", "Care", None, None, None, None])
        want(session, school.group, rules=(RuleChoice(RuleKind.OTHER, "department", unknown_is_allowed=True),))
        a_draft(session, school.group, clock.now())
    instructor = school.somebody("instructor")
    draft = instructor.get("/plan").text

    assert "Worth a look" in draft
    assert "4 people have no value for “Department”" in draft
    assert "Worth a look" not in school.somebody("assistant").get("/plan").text
    version = re.search(r'name="version" value="(\d+)"', draft)
    assert version is not None
    instructor.post("/plan/publish", version=version[1])
    assert "Worth a look" not in instructor.get("/plan").text


def test_rounds_that_lack_the_same_people_are_told_of_together(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4, rounds=((), (), (), ()))
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales"] * 4)
        want(session, school.group, rules=(RuleChoice(RuleKind.OTHER, "department"),))
        a_draft(session, school.group, clock.now())

    page = school.somebody("instructor").get("/plan").text

    assert page.count("Why, one by one") == 1
    assert "Rounds 1–4: Åsa Lindqvist 1, Mette Sørensen 2, Jonas Haugen 3, Femke de Vries 4" in page
    assert "Femke de Vries 4 have no possible partner." in page
    assert "in every round" not in page.partition("When you publish it")[2].partition("</ul>")[0]
    assert "4 of them have no partner in at least one round." in page


def test_an_odd_number_who_may_only_meet_each_other_are_told_of_so(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6, rounds=((),))
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales", "Sales", "Care", "Law", "Law", "Law"])
        want(session, school.group, rules=(RuleChoice(RuleKind.SAME, "department"),))
        a_draft(session, school.group, clock.now())

    page = school.somebody("instructor").get("/plan").text

    assert "Jonas Haugen 3 has no possible partner." in page
    assert "These people can only meet each other, but their number is odd: Femke de Vries 4, " in page


def test_everybody_with_a_partner_in_every_round_is_said_so(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4)
    with kit.open_session(school.institution_id) as session:
        a_draft(session, school.group, clock.now())

    page = school.somebody("instructor").get("/plan").text

    assert "4 learners will see who they work with, in every round." in page
    assert "have no partner in at least one round" not in page


@pytest.mark.parametrize(
    ("removal", "sentence"),
    [
        (Removal("other:department", 5, 0), "“Another department” rules out 5 possible partners"),
        (
            Removal("other:department", 5, 2),
            "“Another department” rules out 3 possible partners; for 2 others we do not know",
        ),
        (
            Removal("other:department", 1, 1),
            "for 1 possible partner we do not know whether “Another department” holds",
        ),
        (
            Removal("known:manager", 3, 3),
            "“Only people with a value for “Manager”” rules out 3 possible partners",
        ),
    ],
)
def test_partners_of_whom_it_is_not_known_are_counted_apart(app: Flask, removal: Removal, sentence: str) -> None:
    with app.test_request_context():
        assert words.removed_in_words(removal) == sentence


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((3,), "Round 3"),
        ((1, 2), "Rounds 1–2"),
        ((1, 2, 3, 5, 7, 8), "Rounds 1–3, 5, 7–8"),
    ],
)
def test_rounds_are_listed_by_their_spans(app: Flask, numbers: tuple[int, ...], sentence: str) -> None:
    with app.test_request_context():
        assert words.rounds_in_words(numbers) == sentence


def test_nothing_is_done_in_a_round_that_is_not_there(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 4)
    with kit.open_session(school.institution_id) as session:
        version = a_published_plan(session, school.group, clock.now()).version
    instructor = school.somebody("instructor")
    people = [one.id for one in school.group.learners[:2]]

    for do, who in (("absent", people[:1]), ("together", people), ("swap", people)):
        for number in ("99", "0", "3", "two"):
            asked = {"do": do, "who": who, "round": number}
            for answer in (
                instructor.get("/plan/effect?" + urlencode(asked, doseq=True)),
                instructor.send("/plan/change", **asked, version=version),
            ):
                assert answer.status_code == 409
                assert "There is no such round." in answer.text


def test_in_a_ring_each_observes_the_next_and_nobody_is_first(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        plan = a_draft(session, school.group, clock.now())
    instructor = school.somebody("instructor")
    pairs = instructor.get("/plan").text
    with kit.open_session(school.institution_id) as session:
        session.get_one(Plan, plan.id).kind = "rings"
    rings = instructor.get("/plan").text

    turns = ("The first name is observed first.", "Observed first as often as last", "First / last", "who begins")
    assert all(words in pairs for words in turns)
    assert [words for words in turns if words in rings] == []
    assert "Each gives feedback to the next, and the last to the first." in rings
    assert "Different partners in every round" in rings


def test_groups_come_before_notices_and_settings(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales"] * 3 + ["Care"] + [None] * 2)
        a_draft(session, school.group, clock.now())
        a_learner(session, school.group.registration, school.group.course, "Late")
        want(
            session, school.group, rules=(RuleChoice(RuleKind.OTHER, "department"), RuleChoice(RuleKind.SAME, "group"))
        )

    page = school.somebody("instructor").get("/plan").text

    def at(name: str) -> int:
        return page.index(f'id="{name}"')

    for name in ("since", "worth-a-look", "meets", "take", "rules"):
        assert at("to-look-at") < at("groups") < at(name)
        if name in {"since", "worth-a-look"}:
            assert f'href="#{name}"' in page[at("to-look-at") : at("groups")]
