"""The scenario of a role-play: what everyone reads, and a private brief for each seat. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from lti_tool.activities.kinds import kind_of


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played. A brief is for whoever has that seat, and is sent to no one else."""

    public: str
    briefs: Mapping[str, str] = field(default_factory=dict)
    """By key of a seat; a seat without a brief is not in it."""

    def brief_for(self, seat: str) -> str:
        """The private brief of this seat; empty where it has none."""
        return self.briefs.get(seat, "")

    @classmethod
    def written(cls, public: str, briefs: Mapping[str, str]) -> Self | None:
        """The scenario of these texts; None where all of them are empty."""
        kept = {seat: brief for seat, brief in briefs.items() if brief}
        return cls(public, kept) if public or kept else None

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """What the database keeps of it."""
        return cls.written(kept.get("public", ""), kept.get("briefs", {})) if kept else None

    def to_json(self) -> dict[str, Any]:
        """Plain values for the database."""
        return {"public": self.public, "briefs": dict(self.briefs)}


class Played(Protocol):
    """An activity, as far as its scenario is concerned."""

    kind: Any
    scenario: Any


def scenario_of(activity: Played) -> Scenario | None:
    """The scenario that this activity plays; None where its kind has none or nobody wrote any."""
    return Scenario.from_json(activity.scenario) if kind_of(activity.kind).has_scenario else None
