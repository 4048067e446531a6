"""Who observes whom in a ring: each observes the next, the last observes the first."""

from collections import Counter
from itertools import pairwise, permutations

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.schedule import Group

Watching = Counter[tuple[PersonId, PersonId]]
"""How often the first observed the second."""


def observations(group: Group) -> list[tuple[PersonId, PersonId]]:
    """Who observes whom in this ring: (observer, observed). Two people observe each other."""
    return [*pairwise(group), (group[-1], group[0])]


def in_a_ring(group: Group, watched: Watching) -> Group:
    """The group in the order in which fewest observe somebody whom they observed before; notes it in `watched`.

    Of equal orders, the one in which fewest are observed by somebody whom they observed. All orders are tried: 720 for
    a group of seven.
    """
    first, *others = sorted(group)
    best = (
        min(
            ((first, *rest) for rest in permutations(others)),
            key=lambda order: (
                sum(watched[couple] for couple in observations(order)),
                sum(watched[observed, observer] for observer, observed in observations(order)),
                order,
            ),
        )
        if any(watched[one, other] for one in group for other in group)
        else tuple(group)
    )
    watched.update(observations(best))
    return best
