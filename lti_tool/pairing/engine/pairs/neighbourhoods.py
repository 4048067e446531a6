"""People in an order in which those who may meet stand near each other."""

import numpy as np

from lti_tool.pairing.engine.people import Places


def neighbours_together(order: Places, people: int, one: Places, other: Places) -> Places:
    """The people of `order`, each followed by those whom they may meet, then those whom these may meet, and so on.

    `one` and `other` are the couples that may be, among `people` places. Whoever comes first in `order` begins.
    """
    ends, others = np.concatenate((one, other)), np.concatenate((other, one))
    others = others[np.argsort(ends, kind="stable")]
    degree = np.bincount(ends, minlength=people)
    starts = np.cumsum(degree) - degree
    waiting = np.zeros(people, dtype=np.bool_)
    waiting[order] = True
    found = []
    for first in order.tolist():
        front = np.array([first], dtype=np.int64)
        while waiting[front].any():
            front = front[waiting[front]]
            waiting[front] = False
            found.append(front)
            near = np.repeat(starts[front] - np.cumsum(degree[front]) + degree[front], degree[front])
            near = others[near + np.arange(len(near))]
            front = np.sort(near[waiting[near]])
            front = front[np.append(True, front[1:] != front[:-1])] if len(front) else front
    return np.concatenate(found) if found else order
