"""Questions that make no sense are refused by name, and questions that only look so are answered."""

import pytest

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Kind, Schedule, Shape

PAIRS = Schedule((((1, 2), (3, 4)),), course=Course((1, 2, 3, 4)))


@pytest.mark.parametrize(
    "shape",
    [Shape(Kind.TRIOS, 4), Shape(Kind.TRIOS), *(Shape(kind, n) for kind in (Kind.CIRCLES, Kind.RINGS) for n in (2, 7))],
)
def test_a_size_that_the_kind_does_not_have_is_refused(shape: Shape) -> None:
    with pytest.raises(engine.ShapeImpossible) as refused:
        engine.plan(Course((1, 2, 3, 4, 5, 6, 7), shape=shape), 1, seed=0)

    assert (refused.value.kind, refused.value.size) == (shape.kind, shape.size)


@pytest.mark.parametrize("kind", [Kind.CIRCLES, Kind.RINGS])
@pytest.mark.parametrize("size", [3, 6])
def test_the_smallest_and_the_largest_size_are_planned(kind: Kind, size: int) -> None:
    assert engine.plan(Course(tuple(range(12)), shape=Shape(kind, size)), 1, seed=0).unpaired == ()


def test_who_both_left_and_joined_or_joined_twice_is_named() -> None:
    for left, joined in (((1, 3), (3, 5)), ((), (3, 5, 3))):
        with pytest.raises(engine.ListedTwice) as refused:
            engine.repair(PAIRS, left, joined, 1)
        assert refused.value.people == (3,)


def test_who_joins_has_an_id() -> None:
    with pytest.raises(engine.UnknownPerson) as refused:
        engine.repair(PAIRS, (), (5, -1), 1)

    assert refused.value.people == (-1,)


def test_who_is_gone_already_may_leave_and_who_is_seated_may_join() -> None:
    assert engine.repair(PAIRS, (9,), (1,), 1) == PAIRS
