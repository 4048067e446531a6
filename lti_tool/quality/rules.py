"""Figures on feedback, each with the people behind it, and none that would say who said what."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Final, TypeVar

from lti_tool.feedback.rules import FEWEST_FOR_A_MEAN, USEFUL

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Given:
    """Feedback that was given, without a word of it."""

    round: int
    group_id: int
    author_id: int
    recipient_id: int
    has_strength: bool = True
    has_growth: bool = True
    has_example: bool = True
    words: int = 0
    levels: tuple[int, ...] = ()
    """Places of the levels that were chosen."""
    hours: float | None = None
    """From the end of the meeting, where that is known; 0 where it was given before."""
    usefulness: int | None = None
    """What its receiver answered, from 4 to 1."""


class Measure(StrEnum):
    """What is looked at."""

    STRENGTH = "strength"
    GROWTH = "growth"
    EXAMPLE = "example"
    WORDS = "words"
    HOURS = "hours"
    USEFUL = "useful"


SHARES: Final = frozenset({Measure.STRENGTH, Measure.GROWTH, Measure.EXAMPLE, Measure.USEFUL})
"""Measures that are shares from 0 to 1. The others are in the middle of what is there."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, and how many people stand behind it."""

    value: float
    people: int


Figures = Mapping[Measure, Figure | None]
"""None where fewer than three people stand behind it, or taking it from another figure would tell theirs."""


def figures_of(given: Collection[Given]) -> dict[Measure, Figure | None]:
    """Every measure of this feedback."""
    return {measure: _figure(measure, given) for measure in Measure}


def _figure(measure: Measure, given: Iterable[Given]) -> Figure | None:
    seen = [(value, one) for one in given if (value := _value(measure, one)) is not None]
    people = _behind(measure, [one for _, one in seen])
    if people < FEWEST_FOR_A_MEAN:
        return None
    values = [value for value, _ in seen]
    return Figure(sum(values) / len(values) if measure in SHARES else median(values), people)


def _value(measure: Measure, given: Given) -> float | None:
    match measure:
        case Measure.STRENGTH:
            return given.has_strength
        case Measure.GROWTH:
            return given.has_growth
        case Measure.EXAMPLE:
            return given.has_example
        case Measure.WORDS:
            return given.words
        case Measure.HOURS:
            return given.hours
        case Measure.USEFUL:
            return given.usefulness >= USEFUL if given.usefulness is not None else None


def _behind(measure: Measure, given: Collection[Given]) -> int:
    """How many people a figure is about: who wrote; for usefulness both who was judged and who judged."""
    authors = len({one.author_id for one in given})
    return min(authors, len({one.recipient_id for one in given})) if measure is Measure.USEFUL else authors


def beside_each_other(
    parts: Mapping[Key, Collection[Given]],
) -> tuple[dict[Key, dict[Measure, Figure | None]], Figures]:
    """The figures of each part and of all of them together.

    Where some parts are too small to be shown and hold too few people together, these could be told by taking the
    others from the whole: then the parts are left out of that measure.
    """
    whole = figures_of([one for each in parts.values() for one in each])
    shown = {key: figures_of(each) for key, each in parts.items()}
    for measure in Measure:
        hidden = [one for key, each in parts.items() if shown[key][measure] is None for one in each]
        told = [one for one in hidden if _value(measure, one) is not None]
        if told and _behind(measure, told) < FEWEST_FOR_A_MEAN:
            for figures in shown.values():
                figures[measure] = None
    return shown, whole


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody who was to get feedback in a round: from whom, and whether the round is over."""

    round: int
    recipient_id: int
    authors: frozenset[int]
    is_over: bool


def without_feedback(expected: Iterable[Expected], given: Iterable[Given]) -> dict[int, list[int]]:
    """Who got no feedback at all in rounds that are over, by round."""
    got = {(one.round, one.recipient_id) for one in given}
    without: dict[int, list[int]] = defaultdict(list)
    for awaited in expected:
        if awaited.is_over and awaited.authors and (awaited.round, awaited.recipient_id) not in got:
            without[awaited.round].append(awaited.recipient_id)
    return dict(without)


@dataclass(frozen=True, slots=True)
class Part:
    """How many of how many people or pairs; `people` stand behind it."""

    count: int
    of: int
    people: int


def without_value(given: Iterable[Given]) -> Part | None:
    """How many of those who answered found nothing of what they got useful; None with fewer than three of them."""
    best: dict[int, int] = {}
    for answer in given:
        if answer.usefulness is not None:
            best[answer.recipient_id] = max(best.get(answer.recipient_id, 0), answer.usefulness)
    if len(best) < FEWEST_FOR_A_MEAN:
        return None
    return Part(sum(usefulness < USEFUL for usefulness in best.values()), len(best), len(best))


class Pattern(StrEnum):
    """What may be wrong between two people who give each other feedback."""

    SAME_LEVELS = "same_levels"
    """Both chose the same level for each other on every criterion."""
    BOTH_LOW = "both_low"
    """Each found the other's feedback of little use."""
    ONE_SIDED = "one_sided"
    """Only one of the two gave, and the round is over."""
    UNEQUAL = "unequal"
    """One wrote less than a third of what the other did."""


THIRD: Final = 3


def patterns_of(given: Iterable[Given], pairs: Iterable[tuple[int, int, int, bool]]) -> dict[Pattern, Part | None]:
    """How many pairs show each pattern. `pairs` are (round, one, other, whether the round is over)."""
    by_place = {(one.round, one.author_id, one.recipient_id): one for one in given}
    counts: Counter[Pattern] = Counter()
    looked_at: dict[Pattern, set[tuple[int, int, int]]] = {pattern: set() for pattern in Pattern}
    for number, one_id, other_id, is_over in pairs:
        first, second = by_place.get((number, one_id, other_id)), by_place.get((number, other_id, one_id))
        for pattern, is_there in _patterns(first, second, is_over=is_over).items():
            looked_at[pattern].add((number, one_id, other_id))
            counts[pattern] += is_there
    parts: dict[Pattern, Part | None] = {}
    for pattern, places in looked_at.items():
        people = len({person for _, *both in places for person in both})
        parts[pattern] = Part(counts[pattern], len(places), people) if people >= FEWEST_FOR_A_MEAN else None
    return parts


def _patterns(first: Given | None, second: Given | None, *, is_over: bool) -> dict[Pattern, bool]:
    """Which patterns can be seen at all between two people, and which are there."""
    seen: dict[Pattern, bool] = {}
    if is_over and (first is not None or second is not None):
        seen[Pattern.ONE_SIDED] = first is None or second is None
    if first is None or second is None:
        return seen
    if first.levels and second.levels:
        seen[Pattern.SAME_LEVELS] = first.levels == second.levels
    if first.usefulness is not None and second.usefulness is not None:
        seen[Pattern.BOTH_LOW] = max(first.usefulness, second.usefulness) < USEFUL
    seen[Pattern.UNEQUAL] = min(first.words, second.words) * THIRD < max(first.words, second.words)
    return seen


@dataclass(frozen=True, slots=True)
class SeatBalance:
    """How often people had a seat: the fewest and the most times, and how many never had it."""

    fewest: int
    most: int
    never: int
    people: int


def balance_of(seats: Iterable[str], turns: Iterable[tuple[int, str]]) -> dict[str, SeatBalance]:
    """For each seat how evenly it went round, of turns as (person, seat)."""
    had = Counter(turns)
    people = {person for person, _ in had}
    balances = {}
    for seat in seats:
        times = [had[person, seat] for person in people]
        if times:
            balances[seat] = SeatBalance(min(times), max(times), times.count(0), len(times))
    return balances


def hours_after(ended_at: datetime | None, given_at: datetime) -> float | None:
    """Hours from the end of a meeting to the feedback; 0 for what was given before it."""
    return max((given_at - ended_at).total_seconds() / 3600, 0.0) if ended_at is not None else None
