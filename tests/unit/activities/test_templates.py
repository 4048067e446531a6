"""Ready templates: each can be used as it is."""

from datetime import UTC, datetime

import pytest

from lti_tool.activities.rules import KINDS, check, kind_of
from lti_tool.activities.rules.templates import TEMPLATES, Template
from lti_tool.activities.rules.templates.picture import MOST_ROUNDS, draw
from lti_tool.activities.rules.templates.rubrics import READY_RUBRICS, ReadyRubric
from lti_tool.pairing.engine import Kind as Shape
from lti_tool.pairing.rules import preferences
from lti_tool.rubrics.rules import check as check_rubric
from tests.factories.activities import as_written

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(params=TEMPLATES.values(), ids=TEMPLATES.keys())
def template(request: pytest.FixtureRequest) -> Template:
    found: Template = request.param
    return found


def test_there_is_a_template_for_every_kind_of_work() -> None:
    assert list(TEMPLATES) == [
        "observation",
        "goals",
        "reflection",
        "role_play",
        "open",
        "circle",
        "rehearsal",
        "new_managers",
        "cross_training",
    ]


def test_settings_rubric_and_rules_of_a_template_are_valid(template: Template) -> None:
    settings = template.settings(as_written, now=NOW, time_zone="Europe/Stockholm")
    assert check(settings, now=NOW) == []
    assert check_rubric(template.rubric(as_written)) == []
    assert preferences.read(template.preferences)


def test_a_template_says_what_it_is_good_for_how_long_it_takes_and_what_happens(template: Template) -> None:
    assert template.title
    assert template.good_for.endswith(".")
    assert template.how_long.endswith(".")
    assert len(template.what_happens) >= 3
    assert 2 <= len(template.days_to_due) <= 5


def test_groups_of_a_template_suit_its_kind(template: Template) -> None:
    kind, wanted = kind_of(template.kind), preferences.read(template.preferences)
    assert kind.smallest_group <= wanted.size <= kind.largest_group
    assert (wanted.kind is Shape.CIRCLES) is template.is_in_circles


@pytest.mark.parametrize(("key", "rules"), [("new_managers", ["manager", "experience"]), ("cross_training", None)])
def test_workplace_templates_bring_their_rules_along(key: str, rules: list[str] | None) -> None:
    wanted = preferences.read(TEMPLATES[key].preferences)
    assert [rule.attribute for rule in wanted.rules] == (rules or ["department", "offers"])


def test_a_circle_has_four_or_five_people() -> None:
    wanted = preferences.read(TEMPLATES["circle"].preferences)
    assert (wanted.kind, wanted.size) == (Shape.CIRCLES, 4)


@pytest.mark.parametrize("rounds", range(1, MOST_ROUNDS + 1))
def test_no_pair_of_a_picture_meets_twice(rounds: int) -> None:
    drawn = draw(rounds)
    pairs = [group for one in drawn for group in one.groups]
    assert len(pairs) == len(set(pairs)) == 4 * rounds
    assert all(sorted(person for group in one.groups for person in group) == list(range(1, 9)) for one in drawn)


def test_circles_of_a_picture_are_mixed_anew_and_everybody_is_in_one() -> None:
    drawn = draw(4, in_circles=True)
    for one in drawn:
        assert sorted(person for group in one.groups for person in group) == list(range(1, 9))
        assert {len(group) for group in one.groups} == {4}
        assert [kind for kind, *_ in one.lines] == [1] * 4 + [2] * 4
    assert len({one.groups for one in drawn}) == 4


def test_there_is_a_ready_rubric_for_every_seat_of_every_kind() -> None:
    missing = {
        (kind.key, seat.key)
        for kind in KINDS.values()
        for seat in kind.seats
        if not any(one.suits(kind) and one.seat == seat.key for one in READY_RUBRICS.values())
    }
    assert missing == set()


@pytest.mark.parametrize("ready", READY_RUBRICS.values(), ids=READY_RUBRICS.keys())
def test_a_ready_rubric_is_valid_and_about_its_seat(ready: ReadyRubric) -> None:
    draft = ready.worded(as_written)
    assert check_rubric(draft) == []
    assert {one.seat for one in draft.criteria} == {ready.seat}
    assert all(level.description for one in draft.criteria for level in one.levels)
