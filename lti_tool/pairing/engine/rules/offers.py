"""Partners of whom one offers what the other needs: cross-training."""

from dataclasses import dataclass

from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules.rule import RuleByValue
from lti_tool.pairing.engine.rules.subjects import Subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class OffersMeetNeeds(RuleByValue):
    """One offers something that the other needs; with `both_ways` each does so for the other.

    It reads two attributes. Who needs nothing and offers nothing is known, and fits nobody.
    """

    attribute: str = "offers"
    needs: str = "needs"
    both_ways: bool = False

    @property
    def name(self) -> str:
        return "offers"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.attribute, self.needs)

    def known(self, people: People) -> Bools:
        known: Bools = people.sets(self.attribute).known & people.sets(self.needs).known
        return known

    def allows_known(self, people: People, one: Places, other: Places) -> Bools:
        subjects = people.kept(self, lambda: Subjects.of(people, self.attribute, self.needs))
        forth, back = subjects.helps(one, other), subjects.helps(other, one)
        fits: Bools = forth & back if self.both_ways else forth | back
        return fits
