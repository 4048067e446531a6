"""The optional improver for reviews: minimum-cost flow by OR-tools, in place of exchanges."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np

from lti_tool.pairing.engine.improver.improving import ImproverMissing
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.reviewing.allocating import NOBODY, Allocation, Authors

FEW: Final = 1000
"""So few people that every allowed couple is a possible review; of more, each considers some."""
LOOKS: Final = 128
CANDIDATES: Final = 32


def engine_name(name: str) -> str:
    """The name of the engine with that of the improver and its version. Raises ImproverMissing without OR-tools."""
    try:
        return f"{name}+min-cost-flow {version('ortools')}"
    except PackageNotFoundError as missing:
        raise ImproverMissing from missing


def cheapest(allocation: Allocation, k: int) -> Authors:
    """As many reviews as can be among those considered, and of those the ones with the most points.

    Up to 1,000 people that is the optimum, as far as it does not matter who reviews one another. Work: about 4 s for
    1,000 people, 10 s for 10,000. Needs OR-tools.
    """
    from ortools.graph.python import min_cost_flow  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    people = len(allocation.couples)
    authors = np.full((people, k), NOBODY, dtype=np.int64)
    if not people or not k:
        return authors
    reviewer, author = _considered(allocation, k)
    everybody = np.arange(people, dtype=np.int64)
    source, sink = np.full(people, 2 * people), np.full(people, 2 * people + 1)
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([reviewer, source, everybody + people]),
        np.concatenate([author + people, everybody, sink]),
        np.concatenate([np.ones(len(reviewer), dtype=np.int64), np.full(2 * people, k)]),
        np.concatenate([-allocation.worth(reviewer, author), np.zeros(2 * people, dtype=np.int64)]),
    )
    flow.set_nodes_supplies(np.array([2 * people, 2 * people + 1]), np.array([people * k, -people * k]))
    status = flow.solve_max_flow_with_min_cost()
    if status != flow.OPTIMAL:
        raise RuntimeError(status)
    chosen = np.flatnonzero(flow.flows(arcs)[: len(reviewer)] > 0)
    fill = np.zeros(people, dtype=np.int64)
    for who, whom in zip(reviewer[chosen].tolist(), author[chosen].tolist(), strict=True):
        authors[who, fill[who]] = whom
        fill[who] += 1
    return authors


def _considered(allocation: Allocation, k: int) -> tuple[Places, Places]:
    """Possible reviews: all of few people; else the best of some for everybody, and reviews that are good already."""
    people = len(allocation.couples)
    if people <= FEW:
        reviewer, author = np.divmod(np.arange(people * people, dtype=np.int64), people)
    else:
        start = allocation.ring(k)
        allocation.exchange(start)
        looks = allocation.rng.integers(0, people, (people, LOOKS))
        rows = np.repeat(np.arange(people, dtype=np.int64), LOOKS).reshape(people, LOOKS)
        worth = allocation.worth(rows.reshape(-1), looks.reshape(-1)).reshape(people, LOOKS)
        best = np.argsort(-worth, axis=1, kind="stable")[:, :CANDIDATES]
        wide = np.concatenate([start, np.take_along_axis(looks, best, axis=1)], axis=1)
        listed = np.unique(np.repeat(np.arange(people), wide.shape[1]) * people + wide.reshape(-1))
        reviewer, author = np.divmod(listed, people)
    fits = allocation.allowed(reviewer, author)
    return reviewer[fits], author[fits]
