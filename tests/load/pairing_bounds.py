"""What no plan can exceed: the proven optimum of a round, or a sum of prices that is at least as large."""

from typing import Final

import numpy as np
import rustworkx as rx
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.problem import Course
from lti_tool.pairing.engine.rules import RuleByValue

FORBIDDEN: Final = -128
AT_ONCE: Final = 1 << 22


def allowed_couples(course: Course) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every couple that the rules allow, as places, and its points. For up to some thousand people."""
    people = People(course.people, course.attributes)
    one, other = np.triu_indices(len(people), 1)
    for rule in course.rules:
        kept = rule.allows(people, one, other)
        one, other = one[kept], other[kept]
    points = np.zeros(len(one), dtype=np.int64)
    for wish in course.wishes:
        points += wish.points(people, one, other)
    return one, other, points


def optimum(course: Course) -> int:
    """The points of people in the best round in pairs, proven: rustworkx on the complete graph of allowed couples."""
    one, other, points = allowed_couples(course)
    graph: rx.PyGraph[int, int] = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(len(course.people)))
    graph.add_edges_from(list(zip(one.tolist(), other.tolist(), points.tolist(), strict=True)))
    couples = rx.max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    return 2 * sum(graph.get_edge_data(*couple) for couple in couples)


def price_bound(course: Course) -> int:
    """A number that the points of people of no round in pairs exceed, at most some tenths of a percent too large.

    Give each person a price such that the prices of every two who may work together are at least the points of the
    couple. Then twice the prices of all people is such a number: the dual of the linear programme of matching. People
    who are the same to all rules and wishes have one price; reporting lines and exclusions are left out, which can only
    make the number larger. Prices come from Sinkhorn's scaling at falling temperatures, made symmetric. In the end each
    price is the mean of itself and of what it must be beside all others, which makes every set of prices valid.
    """
    people = People(course.people, course.attributes)
    rules = [rule for rule in course.rules if isinstance(rule, RuleByValue)]
    values = [
        _alike(course, name) for name in sorted({name for one in (*rules, *course.wishes) for name in _reads(one)})
    ]
    _, first, count = np.unique(np.stack(values, axis=1), axis=0, return_index=True, return_counts=True)
    weights = _weights(course, people, rules, first, count)
    prices = np.full(len(first), 9, dtype=np.float32)
    steps, coldest = _cooling(len(first))
    for temperature in np.geomspace(2.0, coldest, steps * 4 // 5).tolist() + [coldest] * (steps // 5):
        prices = (prices + _softest(weights, prices, count, temperature)) / 2
    for _ in range(4):
        prices = (prices + _least(weights, prices)) / 2
    # The mean of prices and what they must be beside these prices is valid; a little more pays for rounding.
    valid = (prices.astype(np.float64) + _least(weights, prices)) / 2 + 1e-4
    return int(2 * (valid * count).sum())


def _reads(one: object) -> tuple[str, ...]:
    reads = getattr(one, "reads", ())
    return tuple(reads) or (one.attribute,)


def _alike(course: Course, attribute: str) -> NDArray[np.int64]:
    """For each person a number that is the same for the same value."""
    known = course.attributes.get(attribute, {})
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(known.get(one), len(numbers)) for one in sorted(course.people)], dtype=np.int64)


def _cooling(kinds: int) -> tuple[int, float]:
    """How many steps of scaling, and the last temperature: fewer where a step is long."""
    if kinds <= 2_000:
        return 400, 0.01
    return (150, 0.03) if kinds <= 5_500 else (80, 0.06)


def _weights(
    course: Course, people: People, rules: list[RuleByValue], first: NDArray[np.int64], count: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Points of every two kinds of people. The only one of their kind does not meet themselves."""
    weights = np.full((len(first), len(first)), FORBIDDEN, dtype=np.int8)
    step = max(1, AT_ONCE // len(first))
    for at in range(0, len(first), step):
        rows = first[at : at + step]
        one, other = np.repeat(rows, len(first)), np.tile(first, len(rows))
        points = np.zeros(len(one), dtype=np.int64)
        for wish in course.wishes:
            points += wish.points(people, one, other)
        for rule in rules:
            points[~rule.allows(people, one, other)] = FORBIDDEN
        weights[at : at + step] = points.reshape(len(rows), -1)
    alone = np.flatnonzero(count == 1)
    weights[alone, alone] = FORBIDDEN
    return weights


def _softest(
    weights: NDArray[np.int8], prices: NDArray[np.float32], count: NDArray[np.int64], temperature: float
) -> NDArray[np.float32]:
    found = np.empty_like(prices)
    log = np.log(count).astype(np.float32)
    step = max(1, AT_ONCE // len(prices))
    for at in range(0, len(prices), step):
        over = (weights[at : at + step] - prices) / np.float32(temperature) + log
        largest = over.max(axis=1)
        found[at : at + step] = temperature * (largest + np.log(np.exp(over - largest[:, None]).sum(axis=1)))
    return found


def _least(weights: NDArray[np.int8], prices: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each price must be at least, beside these prices of all others."""
    found = np.empty_like(prices)
    step = max(1, AT_ONCE // len(prices))
    for at in range(0, len(prices), step):
        rows = weights[at : at + step]
        found[at : at + step] = np.where(rows == FORBIDDEN, np.float32(-1e6), rows - prices).max(axis=1)
    return found
