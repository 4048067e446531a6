"""What a rule is: one named predicate on couples, vectorised. A new rule is one small file beside this one.

The same predicate serves planning, checking and explaining. There are two forms, because they are made fast in
different ways: a rule by value is worked out once for every two values that occur; a rule by couple lists couples.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, People, Places

FIRST_TO_GIVE: Final = 1
NEVER: Final = 100
"""The priority of a rule that is never proposed for relaxing: a reporting line, an exclusion."""
USUAL: Final = 0
"""Stands for the priority that is usual for the attribute of the rule; no rule keeps it."""
BY_ATTRIBUTE: Final = {
    "slots": 20,
    "languages": 30,
    "department": 40,
    "group": 45,
    "cohort": 45,
    "experience": 50,
    "offers": 55,
}
OF_ANOTHER_ATTRIBUTE: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ABC):
    """Says which two people may work together."""

    priority: int = 50
    """In what order rules are proposed for relaxing when somebody stays without a partner: the smallest first."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name that is unique in a course, like `share:languages`. Pages find the sentence by it."""

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """The attributes that it looks at."""

    @abstractmethod
    def allows(self, people: People, one: Places, other: Places) -> Bools:
        """For each couple (one[i], other[i]), whether this rule lets them work together. Symmetric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleByValue(Rule):
    """A rule that looks at what is known of the two people in the attributes that it `reads`, and at nothing else.

    Most read one attribute; offers and needs are two. People with the same values in everything that it `reads` may
    stand for each other in `allows`, so a planner can work out a table of the values that occur.
    """

    attribute: str
    priority: int = USUAL
    """As in every rule; when it is not given, the one that is usual for the attribute."""
    unknown_is_allowed: bool = True
    """What becomes of a couple when something that the rule reads is unknown of one of them."""

    def __post_init__(self) -> None:
        if self.priority == USUAL:
            object.__setattr__(self, "priority", BY_ATTRIBUTE.get(self.attribute, OF_ANOTHER_ATTRIBUTE))

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.attribute,)

    def allows(self, people: People, one: Places, other: Places) -> Bools:
        known = self.known(people)
        return np.where(known[one] & known[other], self.allows_known(people, one, other), self.unknown_is_allowed)

    @abstractmethod
    def known(self, people: People) -> Bools:
        """For each person, whether everything that the rule reads is known."""

    @abstractmethod
    def allows_known(self, people: People, one: Places, other: Places) -> Bools:
        """As `allows`, for couples of whom both values are known; of others any answer will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleByCouple(Rule):
    """A rule that forbids couples which can be listed, few beside all couples there are.

    What is unknown forbids nobody here, or the list would be long: `Known` is the rule that refuses the unknown.
    """

    @abstractmethod
    def list_forbidden(self, people: People) -> NDArray[np.int64]:
        """The forbidden couples as places, of shape (couples, 2), in any order, either way round, also repeatedly."""

    def forbidden(self, people: People) -> NDArray[np.int64]:
        """The forbidden couples as places, of shape (couples, 2), smaller place first, without repeats, sorted."""
        keys = self._keys(people)
        return np.column_stack(np.divmod(keys, max(1, len(people))))

    def allows(self, people: People, one: Places, other: Places) -> Bools:
        keys = self._keys(people)
        wanted = np.minimum(one, other) * len(people) + np.maximum(one, other)
        if not len(keys):
            return np.ones(wanted.shape, dtype=np.bool_)
        differ: Bools = keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] != wanted
        return differ

    def _keys(self, people: People) -> NDArray[np.int64]:
        def make() -> NDArray[np.int64]:
            couples = self.list_forbidden(people).reshape(-1, 2)
            couples = couples[couples[:, 0] != couples[:, 1]]
            return np.unique(couples.min(axis=1, initial=len(people)) * len(people) + couples.max(axis=1, initial=0))

        return people.kept(self, make)
