"""Reviews in every family of courses: as many as there can be, and nobody does or gets too many."""

from collections import Counter

import pytest

from lti_tool.pairing import engine
from tests.unit.pairing.brute_force import is_allowed
from tests.unit.pairing.families import REVIEWS, ReviewInstance


@pytest.mark.parametrize("instance", REVIEWS, ids=lambda instance: instance.name)
def test_everybody_reviews_and_is_reviewed_wherever_that_can_be(instance: ReviewInstance) -> None:
    found = engine.reviews(instance.course, instance.k, seed=3)

    pairs = list(found.pairs)
    assert len(set(pairs)) == len(pairs) == instance.reviews
    assert all(reviewer != author and is_allowed(instance.course, reviewer, author) for reviewer, author in pairs)
    for which in (0, 1):
        assert max(Counter(pair[which] for pair in pairs).values()) <= instance.k
