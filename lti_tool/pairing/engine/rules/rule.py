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
    """A rule that looks at the values of the two people in one attribute, and at nothing else."""

    attribute: str
    unknown_is_allowed: bool = True
    """What becomes of a couple when the attribute is unknown of one of them."""

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.attribute,)

    def allows(self, people: People, one: Places, other: Places) -> Bools:
        known = self.known(people)
        return np.where(known[one] & known[other], self.allows_known(people, one, other), self.unknown_is_allowed)

    @abstractmethod
    def known(self, people: People) -> Bools:
        """For each person, whether the attribute is known."""

    @abstractmethod
    def allows_known(self, people: People, one: Places, other: Places) -> Bools:
        """As `allows`, for couples of whom both values are known; of others any answer will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleByCouple(Rule):
    """A rule that forbids couples which can be listed, few beside all couples there are."""

    @abstractmethod
    def forbidden(self, people: People) -> NDArray[np.int64]:
        """The forbidden couples as places, of shape (couples, 2), smaller place first, without repeats, sorted."""

    def allows(self, people: People, one: Places, other: Places) -> Bools:
        couples = self.forbidden(people)
        keys = couples[:, 0] * len(people) + couples[:, 1]
        wanted = np.minimum(one, other) * len(people) + np.maximum(one, other)
        return ~np.isin(wanted, keys)
