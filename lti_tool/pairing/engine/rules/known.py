"""Nobody of whom an attribute is unknown: for designers who would rather ask than guess."""

from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules.rule import RuleByValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(RuleByValue):
    """The attribute is known of both, whatever it is: for an attribute that is a manager, None is known too.

    It stands beside rules that let the unknown pass, like the reporting line. The other rules refuse it themselves.
    """

    unknown_is_allowed: bool = False

    @property
    def name(self) -> str:
        return f"known:{self.attribute}"

    def known(self, people: People) -> Bools:
        values = people.attributes.get(self.attribute, {})
        return people.kept(self, lambda: np.array([one in values for one in people.ids.tolist()], dtype=np.bool_))

    def allows_known(self, people: People, one: Places, other: Places) -> Bools:
        return np.ones(np.broadcast(one, other).shape, dtype=np.bool_)
