"""Trios, circles and rings in courses that nobody would make on purpose."""

from dataclasses import replace
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Kind, Reason, Shape
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples

WITHOUT_PROOF = {Reason.NOBODY_ALLOWED, Reason.NONE_BETTER_FOUND, Reason.NOBODY_ELSE}


@given(
    people=st.integers(0, 60),
    rounds=st.integers(1, 4),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from([Kind.TRIOS, Kind.CIRCLES, Kind.RINGS]),
    size=st.integers(3, 6),
)
@settings(max_examples=examples(25), deadline=None)
def test_whatever_the_course_larger_groups_pass_the_checker(
    people: int, rounds: int, seed: int, kind: Kind, size: int
) -> None:
    drawn = course_at_random(people, Random(seed))
    course = replace(drawn, shape=Shape(kind, 3 if kind is Kind.TRIOS else size))

    schedule = engine.plan(course, rounds, seed)

    event(f"{'some' if schedule.unpaired else 'nobody'} unpaired")
    assert engine.verify(course, schedule) == []
    assert all(
        one.reason in {Reason.NOBODY_ALLOWED, Reason.NONE_BETTER_FOUND, Reason.NOBODY_ELSE} for one in schedule.unpaired
    )
