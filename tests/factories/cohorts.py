"""A large company as a course to pair: departments, managers, languages, time slots, experience, exclusions.

The proportions are those of the study behind the engine: 8 departments (24 … 5 %), one manager for each 8 to 12, three
languages (55 % speak only the first, 9 % do not speak it), five slots (about half of them free, at least one), and 2 %
who name three people they will not work with. About 67 % of all couples are allowed. Points: 10 for another department,
3 for each step of difference in experience up to 9, 1 for each common slot beyond the first up to 2.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.problem import Course, Lock, Value
from lti_tool.pairing.engine.rules import Exclusions, ReportingLine, Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap, RatherOther

DEPARTMENTS: Final = {
    "operations": 0.24,
    "sales": 0.19,
    "development": 0.15,
    "service": 0.13,
    "finance": 0.10,
    "logistics": 0.08,
    "people": 0.06,
    "law": 0.05,
}
LANGUAGES: Final = {
    frozenset({"sv"}): 0.55,
    frozenset({"sv", "en"}): 0.24,
    frozenset({"sv", "nl"}): 0.07,
    frozenset({"sv", "en", "nl"}): 0.05,
    frozenset({"en"}): 0.05,
    frozenset({"nl"}): 0.02,
    frozenset({"en", "nl"}): 0.02,
}
SLOTS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri")
FREE: Final = 0.48
"""How likely somebody is free at a time; whoever would have no time at all has one."""
EXPERIENCE: Final = 5
TEAM: Final = (8, 12)
EXCLUDING: Final = 0.02
EXCLUDED: Final = 3

WISHES: Final = (
    RatherOther(attribute="department", weight=10),
    RatherGap(attribute="experience", weight=3, cap=9),
    ExtraShared(attribute="slots", weight=1, cap=2),
)


def corporate(people: int, seed: int = 1, **values: Any) -> Course:
    """The company with this many people, ids 1 … n. `values` replace what the course would have."""
    rng = np.random.default_rng(seed)
    ids = list(range(1, people + 1))
    shares = np.array(list(DEPARTMENTS.values()))
    department = rng.choice(len(shares), size=people, p=shares / shares.sum())
    spoken = list(LANGUAGES)
    languages = rng.choice(len(spoken), size=people, p=list(LANGUAGES.values()))
    is_free = rng.random((people, len(SLOTS))) < FREE
    is_free[np.arange(people), rng.integers(0, len(SLOTS), size=people)] |= ~is_free.any(axis=1)
    free = is_free @ (1 << np.arange(len(SLOTS)))
    times = [frozenset(slot for bit, slot in enumerate(SLOTS) if mask >> bit & 1) for mask in range(1 << len(SLOTS))]
    names = list(DEPARTMENTS)
    attributes: dict[str, dict[int, Value]] = {
        "department": dict(zip(ids, (names[one] for one in department.tolist()), strict=True)),
        "manager": _managers(ids, department, rng),
        "languages": dict(zip(ids, (spoken[one] for one in languages.tolist()), strict=True)),
        "slots": dict(zip(ids, (times[one] for one in free.tolist()), strict=True)),
        "experience": dict(zip(ids, rng.integers(1, EXPERIENCE + 1, size=people).tolist(), strict=True)),
    }
    rules = (
        ReportingLine(),
        Exclusions(couples=_exclusions(people, rng)),
        Share(attribute="languages"),
        Share(attribute="slots"),
    )
    return replace(Course(tuple(ids), attributes=attributes, rules=rules, wishes=WISHES), **values)


def corporate_with_locks(people: int, locks: int, seed: int = 1, **values: Any) -> Course:
    """The company, in which as many couples that the rules allow must be together in round 1."""
    course = corporate(people, seed, **values)
    rng = np.random.default_rng(seed + 1)
    order = rng.permutation(np.array(course.people))
    listed = People(course.people, course.attributes)
    places = listed.places(order[: people // 2 * 2]).reshape(2, -1)
    allowed = np.logical_and.reduce([rule.allows(listed, places[0], places[1]) for rule in course.rules])
    couples = order[: people // 2 * 2].reshape(2, -1)[:, allowed].T[:locks]
    return replace(course, locks=tuple(Lock((one, other), 1) for one, other in couples.tolist()))


def _managers(ids: list[int], department: NDArray[np.int64], rng: np.random.Generator) -> dict[int, Value]:
    """In each department teams of 8 to 12 with one who leads; the first of those leads the other leaders."""
    above: dict[int, Value] = {}
    for number in range(len(DEPARTMENTS)):
        members = rng.permutation(np.flatnonzero(department == number)).tolist()
        head = ids[members[0]] if members else None
        at = 0
        while at < len(members):
            size = int(rng.integers(TEAM[0], TEAM[1] + 1))
            leader = ids[members[at]]
            above[leader] = head if leader != head else None
            above.update((ids[one], leader) for one in members[at + 1 : at + size])
            at += size
    return above


def _exclusions(people: int, rng: np.random.Generator) -> tuple[tuple[int, int], ...]:
    """Two in a hundred name three others."""
    if people < 2:
        return ()
    naming = rng.choice(people, size=round(EXCLUDING * people), replace=False)
    named = (naming[:, None] + rng.integers(1, people, size=(len(naming), EXCLUDED))) % people
    return tuple(
        (one + 1, other + 1) for one, others in zip(naming.tolist(), named.tolist(), strict=True) for other in others
    )
