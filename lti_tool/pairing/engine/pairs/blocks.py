"""The best couples among some people, exactly: Edmonds' blossom algorithm with whole numbers as weights (rustworkx)."""

import numpy as np
from rustworkx import PyGraph, max_weight_matching

from lti_tool.pairing.engine.people import Places, Points

ALONE = -1


def best_couples(size: int, one: Places, other: Places, weight: Points) -> Places:
    """Partner or -1 for each of `size` people: as many couples as there can be, and of those the heaviest.

    `one`, `other` and `weight` are the couples that may be, each once. Weights may be negative; they have no say in how
    many couples there are. The same input gives the same answer.
    """
    partner = np.full(size, ALONE, dtype=np.int64)
    if len(one):
        graph: PyGraph[int, int] = PyGraph(multigraph=False)
        graph.add_nodes_from(range(size))
        graph.add_edges_from(list(zip(one.tolist(), other.tolist(), weight.tolist(), strict=True)))
        found = max_weight_matching(graph, max_cardinality=True, weight_fn=int)
        couples = np.array(list(found), dtype=np.int64).reshape(-1, 2)
        partner[couples[:, 0]], partner[couples[:, 1]] = couples[:, 1], couples[:, 0]
    return partner
