"""Partners who have something in common: a language, a time at which both can meet."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules.rule import RuleByValue
from lti_tool.pairing.engine.rules.subjects import in_parts

MANY_NAMES: Final = 512
"""From so many names on, couples who share one are looked up in a list, if that is short enough."""
MOST_STEPS: Final = 1 << 23


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(RuleByValue):
    """The two have at least so many names of the attribute in common."""

    at_least: int = 1

    @property
    def name(self) -> str:
        return f"share:{self.attribute}"

    def known(self, people: People) -> Bools:
        found: Bools = people.kept(self, lambda: self._looked_up(people))[0] >= 0
        return found

    def allows_known(self, people: People, one: Places, other: Places) -> Bools:
        counts, listed = people.kept(self, lambda: self._looked_up(people))
        if len(listed):
            wanted = np.minimum(one, other) * len(people) + np.maximum(one, other)
            shares = listed[np.minimum(np.searchsorted(listed, wanted), len(listed) - 1)] == wanted
            # Somebody held against themselves stands for two people who have the same names.
            found: Bools = np.where(one == other, counts[one] >= self.at_least, shares)
            return found
        sets = people.sets(self.attribute)
        return in_parts(sets.masks.shape[1], one, other, lambda *part: sets.shared(*part) >= self.at_least)

    def _looked_up(self, people: People) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many names each has, -1 for unknown; and sorted keys of all couples who share enough.

        There are no keys where masks are quicker.
        """
        values = [people.attributes.get(self.attribute, {}).get(person) for person in people.ids.tolist()]
        names = {name for several in values for name in several or ()}
        couples = self.couples_sharing(people, MOST_STEPS) if len(names) >= MANY_NAMES else None
        keys = np.zeros(0, dtype=np.int64) if couples is None else couples[:, 0] * len(people) + couples[:, 1]
        return np.array([-1 if several is None else len(several) for several in values], dtype=np.int64), keys

    def couples_sharing(self, people: People, most: int) -> NDArray[np.int64] | None:
        """Every couple of people who have enough in common, or None when looking for them is more than `most` steps.

        A step is a name and two people who have it. The couples are places, of shape (couples, 2), smaller place first,
        without repeats, sorted. Of people of whom the attribute is unknown nothing is said: see `unknown_is_allowed`.
        """
        if self.at_least < 1:
            return None
        holders = self._holders(people)
        if sum(len(several) * (len(several) - 1) // 2 for several in holders) > most:
            return None
        by_size: dict[int, list[list[int]]] = {}
        for several in holders:
            by_size.setdefault(len(several), []).append(several)
        keys = [np.empty(0, dtype=np.int64)]
        for size, alike in by_size.items():
            smaller, larger = np.triu_indices(size, 1)
            places = np.array(alike, dtype=np.int64)
            keys.append((places[:, smaller] * len(people) + places[:, larger]).reshape(-1))
        found, times = np.unique(np.concatenate(keys), return_counts=True)
        return np.column_stack(np.divmod(found[times >= self.at_least], max(1, len(people))))

    def _holders(self, people: People) -> list[list[int]]:
        """For each name the places of who has it, in order; only names that two people have."""
        values = people.attributes.get(self.attribute, {})
        holders: dict[str, list[int]] = {}
        for place, person in enumerate(people.ids.tolist()):
            for name in values.get(person) or ():
                holders.setdefault(name, []).append(place)
        return [several for several in holders.values() if len(several) > 1]
