"""An independent check of reviews. It shares no step with the code that makes them, only what the rules say."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np

from lti_tool.pairing.engine.course import Course, PersonId
from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.schedule import Breach, ReviewProof, Reviews, Violation

NOT_AGAIN: Final = "not_again"
AT_ONCE: Final = 1 << 20
"""How many couples are looked at together."""


def verify_reviews(course: Course, k: int, reviews: Reviews) -> list[Violation]:
    """Everything that is wrong with these reviews; an empty list means that they may be used. The round is always 1.

    UNKNOWN: somebody who is not in the course. TWICE: an author twice for a reviewer, or oneself. SIZE: more than k.
    RULE: a review that a rule forbids. MISSING: fewer than k, and not listed as short with the true numbers, or listed
    and not short. PROOF: somebody is short, and the proof is missing or does not show that there cannot be more.
    """
    return list(_violations(course, k, reviews))


def _violations(course: Course, k: int, reviews: Reviews) -> Iterator[Violation]:
    known = frozenset(course.people)
    people = People(tuple(sorted(known)), course.attributes)
    for person in sorted({one for pair in reviews.pairs for one in pair} - known):
        yield Violation(Breach.UNKNOWN, 1, (person,))
    for pair, times in sorted(Counter(reviews.pairs).items()):
        if times > 1 or pair[0] == pair[1]:
            yield Violation(Breach.TWICE, 1, pair)
    yield from _rules(course, people, [pair for pair in reviews.pairs if known.issuperset(pair)])
    done, received = (Counter(pair[side] for pair in reviews.pairs) for side in (0, 1))
    listed = {one.person: (one.done, one.received) for one in reviews.short}
    for person in sorted(known | listed.keys()):
        if done[person] > k or received[person] > k:
            yield Violation(Breach.SIZE, 1, (person,))
        is_short = done[person] < k or received[person] < k
        if is_short != (person in listed) or listed.get(person, (done[person], received[person])) != (
            done[person],
            received[person],
        ):
            yield Violation(Breach.MISSING, 1, (person,))
    if len(reviews.pairs) < k * len(known):
        proof = reviews.proof
        if proof is None or not _proves(course, people, k, len(reviews.pairs), proof):
            yield Violation(Breach.PROOF, 1, proof.reviewers if proof else ())


def _rules(course: Course, people: People, pairs: list[tuple[PersonId, PersonId]]) -> Iterator[Violation]:
    places = people.places(np.array(pairs, dtype=np.int64).reshape(-1, 2))
    met = {frozenset(couple) for couple in course.met}
    for rule in course.rules:
        broken = np.flatnonzero(~rule.allows(people, places[:, 0], places[:, 1])).tolist()
        if rule.name == NOT_AGAIN:
            broken = [number for number, pair in enumerate(pairs) if frozenset(pair) in met]
        for number in broken:
            yield Violation(Breach.RULE, 1, pairs[number], rule.name)


def _proves(course: Course, people: People, k: int, found: int, proof: ReviewProof) -> bool:
    """Whether reviews of the named authors, by the other reviewers, and all allowed couples beside are no more."""
    reviewers, authors = (people.places(np.array(side, dtype=np.int64)) for side in (proof.reviewers, proof.authors))
    for side in (reviewers, authors):
        if (side < 0).any() or len(np.unique(side)) < len(side):
            return False
    others = np.setdiff1d(np.arange(len(people)), authors)
    at_most = k * (len(people) - len(reviewers)) + k * len(authors)
    met = people.places(np.array(course.met, dtype=np.int64).reshape(-1, 2))
    met_keys = met.min(axis=1) * len(people) + met.max(axis=1)
    for at in range(0, len(reviewers), max(1, AT_ONCE // max(1, len(others)))):
        some = reviewers[at : at + max(1, AT_ONCE // max(1, len(others)))]
        one, other = np.repeat(some, len(others)), np.tile(others, len(some))
        fits = one != other
        for rule in course.rules:
            fits &= rule.allows(people, one, other)
            if rule.name == NOT_AGAIN:
                fits &= ~np.isin(np.minimum(one, other) * len(people) + np.maximum(one, other), met_keys)
        at_most += int(fits.sum())
    return found >= at_most
