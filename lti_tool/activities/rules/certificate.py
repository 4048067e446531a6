"""What a designer says about the certificate of an activity: its title, who issues it, and hours for each seat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Self

from lti_tool.activities.kinds.kind import Kind, SeatName
from lti_tool.errors import N_

LONGEST_NAME: Final = 255
"""Characters of a title, and of who issues it."""
MOST_HOURS: Final = 100
"""For one seat in one round."""
ONLY_SEAT: Final = SeatName("taking_part", N_("Taking part"))
"""What hours are for where a kind has no seats."""


@dataclass(frozen=True, slots=True)
class CertificateTerms:
    """What the certificate says of everybody who gets one."""

    title: str = ""
    """Empty where it is called like the activity."""
    issuer: str = ""
    """Who issues it; empty for the institution."""
    hours: Mapping[str, Decimal] = field(default_factory=dict)
    """For one round, by key of a seat; a seat that is not in here counts no hours."""

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """What the database keeps of it."""
        if kept is None:
            return None
        return cls(kept["title"], kept["issuer"], {seat: Decimal(hours) for seat, hours in kept["hours"].items()})

    def to_json(self) -> dict[str, Any]:
        """Plain values for the database."""
        return {
            "title": self.title,
            "issuer": self.issuer,
            "hours": {seat: str(hours) for seat, hours in self.hours.items()},
        }


def seats_with_hours(kind: Kind) -> tuple[SeatName, ...]:
    """The seats for which a designer says hours."""
    return kind.seats or (ONLY_SEAT,)
