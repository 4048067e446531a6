"""Partners from the own department, group or cohort."""

from dataclasses import dataclass

from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules.rule import RuleByValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Same(RuleByValue):
    """The two have the same name in the attribute."""

    @property
    def name(self) -> str:
        return f"same:{self.attribute}"

    def known(self, people: People) -> Bools:
        return people.names(self.attribute).known

    def allows_known(self, people: People, one: Places, other: Places) -> Bools:
        codes = people.names(self.attribute).codes
        same: Bools = codes[one] == codes[other]
        return same
