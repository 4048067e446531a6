"""The best couples among some people, proven: Edmonds' blossom algorithm with whole numbers as weights.

For up to a few hundred people at once, because every allowed couple of them is looked at.
"""

from collections.abc import Callable

import numpy as np
import rustworkx
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, Places, Points

Allowed = Callable[[Places, Places], Bools]
Weigh = Callable[[Places, Places], Points]


def couple_up(play: Places, allowed: Allowed, weigh: Weigh) -> NDArray[np.int64]:
    """As many couples as there can be among these people, and of those the heaviest. Shape (couples, 2), sorted.

    Weights may be negative; they have no say in how many couples there are.
    """
    first, second = np.triu_indices(len(play), 1)
    may = allowed(play[first], play[second])
    first, second = first[may], second[may]
    if not len(first):
        return np.zeros((0, 2), dtype=np.int64)
    weights = weigh(play[first], play[second])
    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(len(play)))
    graph.add_edges_from(list(zip(first.tolist(), second.tolist(), weights.tolist(), strict=True)))
    found = rustworkx.max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    chosen = np.array(sorted((min(couple), max(couple)) for couple in found), dtype=np.int64).reshape(-1, 2)
    couples: NDArray[np.int64] = play[chosen]
    return couples
