"""The format `pairing/1`: what is read, what is refused and with which words, and what is written."""

import json
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.commands import schedule_of, write_schedule
from lti_tool.pairing.engine import Lock
from lti_tool.pairing.engine.rules import Exclusions, Other, ReportingLine, Same, Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap, RatherOther, RatherSame
from lti_tool.pairing.rules.plan_file import Instance, InstanceFlawed, read_instance, read_text
from tests.unit.pairing.budget import examples

INSTANCES = Path(__file__).parent / "instances"


def instance(**changes: Any) -> dict[str, Any]:
    people = [{"id": one} for one in ("a", "b", "c", "d")]
    return {"kind": "pairs", "people": people, "rounds": 1} | changes


def mistakes(written: object) -> list[str]:
    with pytest.raises(InstanceFlawed) as flawed:
        read_instance(written)
    return list(flawed.value.mistakes)


def result_of(read: Instance) -> dict[str, Any]:
    return write_schedule(schedule_of(read, read.form.seed), read)


def test_everything_that_an_instance_says_is_read() -> None:
    read = read_text((INSTANCES / "company.json").read_text())

    course = read.course
    assert (read.form.name, read.form.seed, read.form.rounds) == ("small company, odd", 7, 4)
    assert [read.names[one] for one in course.people] == sorted(f"p{one}" for one in range(1, 12))
    assert course.rules == (
        ReportingLine(),
        Share(attribute="languages", unknown_is_allowed=False),
        Share(attribute="slots", unknown_is_allowed=False),
        Exclusions(couples=((5, 6), (7, 11))),
    )
    assert course.wishes == (
        RatherOther(attribute="department", weight=10),
        RatherGap(attribute="experience", weight=3, cap=9),
        ExtraShared(attribute="slots", weight=1, cap=2),
    )
    assert course.met == ((5, 7),)
    assert course.locks == (Lock((8, 9), 2),)
    assert {read.names[one] for one in course.left_out} == {"p11"}
    assert read.warnings == []


def test_every_form_of_constraint_and_weight_has_its_rule_or_wish() -> None:
    people = [{"id": 1, "group": "x", "past_coach": 3, "past_coachee": 1}, {"id": 2, "group": "y", "department": None}]
    read = read_instance(
        instance(
            people=people,
            constraints=[
                {"type": "same", "attribute": "department"},
                {"type": "differ", "attribute": "group"},
            ],
            weights=[
                {"type": "same", "attribute": "group", "weight": 2},
                {"type": "gap", "attribute": "experience", "weight": 1},
                {"type": "differ", "attribute": "group", "weight": 0},
            ],
        )
    )

    assert read.course.rules == (
        Same(attribute="department", unknown_is_allowed=False),
        Other(attribute="group", unknown_is_allowed=False),
    )
    assert read.course.wishes[0] == RatherSame(attribute="group", weight=2)
    assert len(read.course.wishes) == 2
    assert read.course.ahead == {1: 2}
    assert read.course.attributes["group"] == {1: "x", 2: "y"}
    assert "department" not in read.course.attributes


def test_the_order_of_people_has_no_influence_and_ids_may_be_numbers() -> None:
    people = [{"id": one} for one in (7, 3, "x", 12, "b")]

    one = result_of(read_instance(instance(people=people, seed=4)))
    other = result_of(read_instance(instance(people=people[::-1], seed=4)))

    assert one == other
    assert {member for group in one["rounds"][0]["groups"] for member in group["members"]} == {3, 7, 12, "b", "x"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"people": 3}, "people: Input should be a valid list"),
        ({"people": ["a"]}, "people[0]: Input should be a valid dictionary or instance of Person"),
        ({"people": [{}]}, "people[0].id: Field required"),
        ({"people": [{"id": True}]}, "people[0].id: the id of a person is needed"),
        ({"people": [{"id": "a"}, {"id": "a"}]}, "people[1].id: 'a' is there already, as people[0]"),
        ({"people": [{"id": "a", "languages": "en"}]}, "people[0].languages: Input should be a valid list"),
        ({"people": [{"id": "a", "slots": [1]}]}, "people[0].slots[0]: Input should be a valid string"),
        ({"people": [{"id": "a", "department": 5}]}, "people[0].department: Input should be a valid string"),
        (
            {"people": [{"id": "a", "experience": 1.5}]},
            "people[0].experience: Input should be a valid integer",
        ),
        (
            {"people": [{"id": "a", "past_coach": -1}]},
            "people[0].past_coach: Input should be greater than or equal to 0",
        ),
        ({"people": [{"id": "a", "manager": []}]}, "people[0].manager: the id of a person is needed"),
        ({"people": [{"id": "a", "unpaired_last": 1}]}, "people[0].unpaired_last: Input should be a valid boolean"),
        ({"kind": "triples"}, "kind: Input should be 'pairs' or 'review'"),
        ({"rounds": 0}, "rounds: Input should be greater than or equal to 1"),
        ({"rounds": None}, "rounds: Input should be a valid integer"),
        ({"seed": "x"}, "seed: Input should be a valid integer"),
        ({"name": 1}, "name: Input should be a valid string"),
        (
            {"constraints": [{"type": "nearby"}]},
            "constraints[0]: Input tag 'nearby' found using 'type' does not match any of the expected tags: "
            "'not_manager', 'share_any', 'differ', 'same', 'exclude'",
        ),
        ({"constraints": [7]}, "constraints[0]: Input should be a valid dictionary or object to extract fields from"),
        (
            {"constraints": [{"type": "share_any", "attribute": "department"}]},
            "constraints[0].attribute: share_any takes languages or slots",
        ),
        (
            {"constraints": [{"type": "exclude", "pairs": [["a", "q"]]}]},
            "constraints[0].pairs[0]: 'q' is not a person of this instance",
        ),
        (
            {"constraints": [{"type": "exclude", "pairs": [["a"]]}]},
            "constraints[0].pairs[0]: List should have at least 2 items after validation, not 1",
        ),
        ({"constraints": [{"type": "exclude"}]}, "constraints[0].pairs: Field required"),
        (
            {"weights": [{"type": ["differ"]}]},
            "weights[0].type: Input should be 'differ', 'same', 'gap' or 'extra_shared'",
        ),
        (
            {"weights": [{"type": "gap", "attribute": "experience", "weight": -1}]},
            "weights[0].weight: Input should be greater than or equal to 0",
        ),
        ({"past": [{"members": ["a"]}]}, "past[0].members: List should have at least 2 items after validation, not 1"),
        ({"past": [{"members": ["a", "a"]}]}, "past[0].members: somebody is named twice"),
        ({"locked": [{"round": 2, "members": ["a", "b"]}]}, "locked[0].round: there is no such round"),
        ({"locked": [{"round": 1, "members": ["a", "q"]}]}, "locked[0]: 'q' is not a person of this instance"),
        ({"left": ["a"]}, "left: belongs to a repair, which needs the running round as `current`"),
        ({"current": [["a", "b"], ["b", "c"]]}, "current[1]: 'b' is in two groups"),
        ({"current": [["a"]]}, "current[0].members: List should have at least 2 items after validation, not 1"),
        ({"current": [["a", "q"]]}, "current[0]: 'q' is not a person of this instance"),
        ({"current": [["a", "b"]], "joined": ["q"]}, "joined: 'q' is not a person of this instance"),
        ({"current": [["a", "b"]], "joined": ["a"]}, "current[0]: 'a' joined and has a group already"),
        ({"current": [["a", "b"]], "joined": ["c"], "left": ["c"]}, "joined: 'c' both left and joined"),
        (
            {"current": [{"members": ["a", "b"], "roles": {"a": "coach"}}]},
            "current[0].roles: each member has one of these roles, each once: coach, coachee",
        ),
        ({"kind": "review", "reviews_per_person": 0}, "reviews_per_person: Input should be greater than or equal to 1"),
    ],
)
def test_a_mistake_is_named_with_its_path(changes: dict[str, Any], says: str) -> None:
    assert says in mistakes(instance(**changes))


def test_all_mistakes_of_form_are_named_at_once() -> None:
    found = mistakes(instance(people=[{"id": []}], rounds=0, constraints=[{"type": "x"}], weights=[{}]))

    assert [one.split(":")[0] for one in found] == [
        "rounds",
        "people[0].id",
        "constraints[0]",
        "weights[0].type",
        "weights[0].weight",
    ]


@pytest.mark.parametrize("text", ["", "{", "[1,]", '{"people": [], "people": []}', '{"seed": NaN}', "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InstanceFlawed, match="not JSON"):
        read_text(text)


def test_what_is_no_object_is_refused() -> None:
    assert mistakes([]) == ["An instance is a JSON object."]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"comment": "x"}, "comment: is not a field of the format, so it is not read"),
        (
            {"people": [{"id": "a", "departement": "x"}, {"id": "b"}]},
            "people[0].departement: is not a field of the format, so it is not read",
        ),
        (
            {"past": [{"members": ["a", "gone"]}]},
            "past[0].members: 'gone' is not a person of this instance, so this meeting counts for the others only",
        ),
        ({"current": [["a", "b"], ["c", "d"]], "left": ["e"]}, "left: 'e' was in no group of the running round"),
    ],
)
def test_what_is_odd_and_no_mistake_is_a_note(changes: dict[str, Any], says: str) -> None:
    assert says in read_instance(instance(**changes)).warnings


def test_a_manager_outside_of_the_list_still_carries_the_line() -> None:
    people = [{"id": "a", "manager": "m"}, {"id": "b", "manager": "m"}]

    read = read_instance(instance(people=people, constraints=[{"type": "not_manager"}], outside_managers=True))

    assert read.course.people == (1, 2)
    assert read.course.attributes["manager"] == {1: 3, 2: 3}
    assert result_of(read)["rounds"][0]["unpaired"] == []


def test_a_manager_whom_nobody_is_stops_the_run_where_the_line_of_managers_counts() -> None:
    people = [{"id": "a", "manager": "m"}, {"id": "b"}]
    says = """people[0].manager: 'm' is not a person of this instance ("outside_managers": true allows that)"""

    assert mistakes(instance(people=people, constraints=[{"type": "not_manager"}])) == [says]
    assert read_instance(instance(people=people)).warnings == []
    assert "outside_managers: Input should be a valid boolean" in mistakes(instance(outside_managers="yes"))


ALIKE: list[tuple[Any, Any]] = [
    ("Anna@uni.example", "anna@uni.example"),
    (7, "7"),
    ("Zo\u00eb", "Zoe\u0308"),
    (" Anna  Berg", "anna berg"),
    ("\uff21nna", "Anna"),
    ("an\u200bna\ufeff", "anna"),
    ("O'Hara-1", "O\u2019Hara\u20111"),
]
"""Two spellings of one name: case, type, form of letters, blanks, width, what no one sees, apostrophes and dashes."""


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_two_ids_that_differ_in_spelling_only_are_a_mistake_that_names_both(one: Any, other: Any) -> None:
    says = f"people[1].id: {other!r} is there already, as people[0] ({one!r}, which counts as the same)"

    assert mistakes(instance(people=[{"id": one}, {"id": other}, {"id": "c"}])) == [says]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_whoever_is_named_in_another_spelling_is_meant(one: Any, other: Any) -> None:
    people = [{"id": one}, {"id": "b", "manager": other}, {"id": "c"}, {"id": "d"}]
    managed = read_instance(instance(people=people, constraints=[{"type": "not_manager"}], rounds=1))
    excluded = read_instance(instance(people=people, constraints=[{"type": "exclude", "pairs": [[other, "b"]]}]))
    locked = read_instance(instance(people=people, locked=[{"round": 1, "members": [other, "b"]}]))
    past = read_instance(instance(people=people, past=[{"members": [other, "b"]}]))
    roles = {"members": [other, "b"], "roles": {str(other): "coachee", "B": "coach"}}
    repaired = read_instance(instance(people=people, current=[roles], left=["C"], joined=["D "]))

    def partner(read: Instance) -> Any:
        [group] = [one for one in result_of(read)["rounds"][0]["groups"] if "b" in one["members"]]
        return next(member for member in group["members"] if member != "b")

    assert partner(managed) != one
    assert partner(excluded) != one
    assert partner(locked) == one
    assert partner(past) != one
    assert [repaired.names[member] for member in repaired.current[0]] == ["b", one]
    assert [repaired.names[member] for member in (*repaired.left, *repaired.joined)] == ["c", "d"]
    assert "current[0].members: somebody is named twice" in mistakes(instance(people=people, current=[[one, other]]))


@pytest.mark.parametrize(("one", "other"), [pair for pair in ALIKE if isinstance(pair[0], str)])
def test_values_that_differ_in_spelling_only_are_one(one: str, other: str) -> None:
    people = [{"id": "a", "languages": [one], "group": one}, {"id": "b", "languages": [other], "group": other}]

    for constraint in ({"type": "share_any", "attribute": "languages"}, {"type": "same", "attribute": "group"}):
        result = result_of(read_instance(instance(people=people, constraints=[constraint])))
        assert result["rounds"][0]["unpaired"] == []


def test_half_a_character_is_a_mistake_wherever_it_stands() -> None:
    text = r"""{"rounds": 1, "name": "\ud83d", "people": [{"id": "a\udc00"}, {"id": "b", "\ud800": [1]}]}"""

    with pytest.raises(InstanceFlawed, match=r"This is not JSON: .*surrogates not allowed"):
        read_text(text)
    assert read_text(r'{"rounds": 1, "people": [{"id": "\ud83d\ude00"}]}').names == {1: "\U0001f600"}


def test_a_repair_keeps_the_round_but_for_those_who_must_move() -> None:
    read = read_text((INSTANCES / "repair.json").read_text())

    groups = [set(group["members"]) for group in result_of(read)["rounds"][0]["groups"]]

    assert groups[:3] == [{"p3", "p4"}, {"p5", "p6"}, {"p7", "p8"}]
    assert groups[3:] == [{"p2", "p9"}]


def test_roles_of_groups_that_stay_are_kept_where_all_are_given() -> None:
    current = [
        {"members": ["a", "b"], "roles": {"a": "coachee", "b": "coach"}},
        {"members": ["c", "d"], "roles": {"c": "coach", "d": "coachee"}},
    ]
    people = [{"id": one} for one in "abc"] + [{"id": "e"}]

    found = result_of(read_instance(instance(people=people, current=current, left=["d"], joined=["e"])))

    assert found["rounds"][0]["groups"][0] == {"members": ["b", "a"], "roles": {"b": "coach", "a": "coachee"}}


def test_rounds_after_a_repaired_one_know_who_has_met_in_it() -> None:
    found = result_of(read_instance(instance(current=[["a", "b"], ["c", "d"]], rounds=3)))

    met = [frozenset(group["members"]) for round_ in found["rounds"] for group in round_["groups"]]
    assert [round_["round"] for round_ in found["rounds"]] == [1, 2, 3]
    assert set(met) == {frozenset(couple) for couple in combinations("abcd", 2)}


def test_who_is_unpaired_has_a_reason_in_words_and_the_barrier_is_named() -> None:
    found = result_of(read_text((INSTANCES / "star.json").read_text()))

    assert found["infeasible"] == {"barrier": ["hub"]}
    assert len(found["rounds"][0]["unpaired"]) == 2
    assert all(
        "No one but 'hub' may work with 'x', 'y', 'z'" in one["reason"] for one in found["rounds"][0]["unpaired"]
    )


def test_a_course_of_nobody_one_or_two_has_a_result() -> None:
    for people in ([], [{"id": "a"}], [{"id": "a"}, {"id": "b"}]):
        found = result_of(read_instance(instance(people=people, rounds=2)))
        alone = [[one["id"] for one in round_["unpaired"]] for round_ in found["rounds"]]
        assert alone == ([["a"], ["a"]] if len(people) == 1 else [[], []])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(["a", "b", "slots"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "attribute", "members", "round", "weight", "pairs", "manager", "slots", "roles"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = ("people", "constraints", "weights", "past", "locked", "current", "left", "joined", "rounds", "kind", "seed")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
@settings(max_examples=examples(300), deadline=None)
def test_whatever_is_read_is_an_instance_or_refused_in_words(written: dict[str, Any]) -> None:
    flawed: tuple[str, ...] = ()
    read = None
    try:
        read = read_instance(instance(**written))
    except InstanceFlawed as refusal:
        flawed = refusal.mistakes

    assert bool(flawed) != bool(read and set(read.course.people) <= set(read.names))


@given(st.integers(0, 10**9))
@settings(max_examples=examples(40), deadline=None)
def test_any_instance_gets_a_result_that_says_everything_about_everybody(seed: int) -> None:
    written = an_instance(Random(seed))

    found = result_of(read_instance(written))

    here = {one["id"] for one in written["people"]} - set(written.get("left", ()))
    assert [round_["round"] for round_ in found["rounds"]] == list(range(1, written["rounds"] + 1))
    excluded = {frozenset(couple) for couple in written["constraints"][0]["pairs"]}
    slots = {one["id"]: set(one["slots"]) for one in written["people"]}
    for round_ in found["rounds"]:
        seated = [member for group in round_["groups"] for member in group["members"]]
        alone = [one["id"] for one in round_["unpaired"]]
        assert sorted(seated + alone) == sorted(here)
        assert all(one["reason"] for one in round_["unpaired"])
        assert sum(len(group["members"]) == 3 for group in round_["groups"]) <= len(here) % 2
        for group in round_["groups"]:
            assert sorted(group["roles"]) == sorted(group["members"])
            for one, other in combinations(group["members"], 2):
                assert frozenset((one, other)) not in excluded
                assert slots[one] & slots[other]
    assert json.loads(json.dumps(found)) == found


def an_instance(chance: Random) -> dict[str, Any]:
    ids = [f"p{number}" for number in range(chance.randrange(2, 12))]
    people = [
        {"id": one, "slots": [slot for slot in "xyz" if chance.random() < 0.6], "department": chance.choice("mn")}
        for one in ids
    ]
    written = instance(
        people=people,
        rounds=chance.randrange(1, 4),
        seed=chance.randrange(100),
        constraints=[
            {"type": "exclude", "pairs": [chance.sample(ids, k=2) for _ in range(chance.randrange(4))]},
            {"type": "share_any", "attribute": "slots"},
        ],
        weights=[{"type": "differ", "attribute": "department", "weight": 5}],
        past=[{"members": chance.sample(ids, k=2)} for _ in range(chance.randrange(3))],
    )
    if chance.random() < 0.5:
        before = chance.sample(ids, k=len(ids) // 2 * 2)
        written["current"] = [{"members": before[at : at + 2]} for at in range(0, len(before), 2)]
        written["left"] = [one for one in before if chance.random() < 0.2]
        written["joined"] = [one for one in ids if one not in before]
    return written
