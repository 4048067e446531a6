"""The checker of reviews names everything that is wrong."""

from dataclasses import replace

import pytest

from lti_tool.pairing.engine.check import verify_reviews
from lti_tool.pairing.engine.problem import Breach, Course, Reason, ReviewProof, Reviews, Short
from lti_tool.pairing.engine.reviews import reviews
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Other

COURSE = Course((1, 2, 3, 4))
GOOD = Reviews(((1, 2), (2, 3), (3, 4), (4, 1)))
# 4 may review nobody, so the others cannot all be reviewed once by each other and by 4.
LONELY = replace(COURSE, rules=(Exclusions(couples=((1, 4), (2, 4), (3, 4))),))


def breaches(found: Reviews, course: Course = COURSE, k: int = 1) -> set[tuple[Breach, tuple[int, ...], str]]:
    return {(one.breach, one.people, one.rule) for one in verify_reviews(course, k, found)}


def test_reviews_that_are_well_pass() -> None:
    assert breaches(GOOD) == set()


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ((*GOOD.pairs, (1, 9)), (Breach.UNKNOWN, (9,), "")),
        (((1, 1), *GOOD.pairs[1:]), (Breach.TWICE, (1, 1), "")),
        ((*GOOD.pairs, (1, 2)), (Breach.TWICE, (1, 2), "")),
        ((*GOOD.pairs, (1, 3)), (Breach.SIZE, (1,), "")),
        ((*GOOD.pairs, (1, 3)), (Breach.SIZE, (3,), "")),
        (GOOD.pairs[1:], (Breach.MISSING, (1,), "")),
        (GOOD.pairs[1:], (Breach.PROOF, (), "")),
    ],
)
def test_each_flaw_is_named(pairs: tuple[tuple[int, int], ...], expected: tuple[Breach, tuple[int, ...], str]) -> None:
    assert expected in breaches(replace(GOOD, pairs=pairs))


def test_a_broken_rule_is_named() -> None:
    course = replace(COURSE, rules=(Exclusions(couples=((1, 2),)), NotAgain()), met=((3, 2),))

    assert {rule for _, _, rule in breaches(GOOD, course)} == {"exclusions", "not_again"}


def test_somebody_listed_as_short_who_is_not_is_named() -> None:
    listed = replace(GOOD, short=(Short(1, 1, 1, Reason.TOO_FEW_PARTNERS),))

    assert breaches(listed) == {(Breach.MISSING, (1,), "")}


def test_somebody_listed_as_short_with_other_numbers_is_named() -> None:
    found = reviews(LONELY, 1, seed=1)
    listed = tuple(replace(one, done=one.done + 1) if one.person == 4 else one for one in found.short)

    assert breaches(replace(found, short=listed), LONELY) == {(Breach.MISSING, (4,), "")}


def test_a_shortfall_needs_a_proof_that_shows_it() -> None:
    found = reviews(LONELY, 1, seed=1)
    assert breaches(found, LONELY) == set()

    assert (Breach.PROOF, (), "") in breaches(replace(found, proof=None), LONELY)
    for false in (ReviewProof((), ()), ReviewProof((1, 2, 3, 4), (1,)), ReviewProof((9,), ()), ReviewProof((4, 4), ())):
        assert (Breach.PROOF, false.reviewers, "") in breaches(replace(found, proof=false), LONELY)


def test_a_shortfall_of_people_who_met_before_is_proven_like_any_other() -> None:
    course = replace(COURSE, rules=(NotAgain(),), met=((1, 4), (4, 2), (3, 4)))
    found = reviews(course, 1, seed=1)

    assert found.short
    assert breaches(found, course) == set()


def test_a_proof_about_strangers_proves_nothing() -> None:
    course = Course((1,), attributes={"unit": {1: "a"}}, rules=(Other(attribute="unit"),))
    nothing = Reviews((), short=(Short(1, 0, 0, Reason.NOBODY_ELSE),), proof=ReviewProof((9,), ()))

    assert breaches(nothing, course) == {(Breach.PROOF, (9,), "")}
    assert breaches(replace(nothing, proof=ReviewProof((1,), ())), course) == set()


def test_a_review_that_could_be_made_is_missed() -> None:
    found = reviews(LONELY, 1, seed=1)
    first, *others = found.pairs
    fewer = replace(
        found,
        pairs=tuple(others),
        short=tuple(
            Short(one, sum(p[0] == one for p in others), sum(p[1] == one for p in others), Reason.TOO_FEW_PARTNERS)
            for one in sorted({*first, 4})
        ),
    )

    assert {breach for breach, _, _ in breaches(fewer, LONELY)} == {Breach.PROOF}
