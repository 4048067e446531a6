"""What a wish is: points for couples, vectorised. A new wish is one small file beside this one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from lti_tool.pairing.engine.people import People, Places, Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(ABC):
    """Says how welcome a couple is, from what is known of the two in the attributes it `reads`, and nothing else.

    People with the same values in everything that it reads may stand for each other in `points`.
    """

    attribute: str
    weight: int
    """Points for each step, or once, as the wish says. At least 1."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name that is unique in a course, like `other:department`. Pages find the sentence by it."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The attributes that it looks at: mostly one, offers and needs are two."""
        return (self.attribute,)

    @property
    @abstractmethod
    def most(self) -> int:
        """The most points that a couple can get."""

    @abstractmethod
    def points(self, people: People, one: Places, other: Places) -> Points:
        """For each couple (one[i], other[i]), 0 … `most`. Symmetric. 0 where a value is unknown."""
