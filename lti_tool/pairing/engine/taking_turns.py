"""The turns of groups that a repair has formed, beside groups that keep theirs."""

from collections.abc import Collection, Mapping, Sequence
from random import Random

import numpy as np

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.schedule import Group, Placed
from lti_tool.pairing.engine.turns import orient

Rounds = tuple[tuple[Group, ...], ...]


def take_turns(
    rounds: Sequence[tuple[Group, ...]], formed: Collection[Placed], ahead: Mapping[PersonId, int], seed: int
) -> Rounds:
    """The same rounds with the members of the formed groups in order of turn; all other groups stay as they are.

    Formed groups have two or three members. In the middle of a trio, where nobody has a turn, is the one who was there
    least. The largest number that anybody is ahead or behind at the end is the least possible (`turns`).
    """
    new = frozenset(formed)
    placed = _with_middles(rounds, new)
    ends = np.array([(group[0], group[-1]) for _, group, _ in placed], dtype=np.int64).reshape(-1, 2)
    ids, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    before = np.array([ahead.get(one, 0) for one in ids.tolist()], dtype=np.int64)
    given = np.array([not is_new for _, _, is_new in placed], dtype=np.bool_)
    chance = Random(seed)  # noqa: S311 - chance that must be repeatable, and guards nothing
    first = orient(places[:, 0], places[:, 1], chance, ahead=before, given=given)
    turned: list[list[Group]] = [[] for _ in rounds]
    for (number, group, _), stays in zip(placed, first.tolist(), strict=True):
        turned[number].append(group if stays else group[::-1])
    return tuple(map(tuple, turned))


def _with_middles(rounds: Sequence[tuple[Group, ...]], new: frozenset[Placed]) -> list[tuple[int, Group, bool]]:
    """Every group with the index of its round and whether it is new.

    New trios have in their middle who was there least so far, at equal count the smallest id.
    """
    times: dict[PersonId, int] = {person: 0 for _, group in new if len(group) == 3 for person in group}
    found = []
    for index, groups in enumerate(rounds):
        for group in groups:
            is_new = (index + 1, group) in new
            seated = group
            if len(group) == 3:
                if is_new:
                    middle = min(group, key=lambda person: (times[person], person))
                    first, last = (person for person in group if person != middle)
                    seated = (first, middle, last)
                if seated[1] in times:
                    times[seated[1]] += 1
            found.append((index, seated, is_new))
    return found
