"""Never the same partner again."""

from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAgain(Rule):
    """Two people who have met do not meet again. Without this rule that is a heavy penalty, and can happen.

    Which couples it forbids changes from round to round: the ones in `Course.met` and those of the rounds before. A
    rule knows neither, so `allows` says yes to everybody. Planner, repair and checker look for this rule by its type.
    """

    priority: int = 60

    @property
    def name(self) -> str:
        return "not_again"

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    def allows(self, people: People, one: Places, other: Places) -> Bools:
        return np.ones(np.broadcast(one, other).shape, dtype=np.bool_)
