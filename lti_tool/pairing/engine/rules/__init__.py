"""All rules. A new one is one small file here, its tests, its name in `ALL` and its sentences in `wording`."""

from typing import Final

from lti_tool.pairing.engine.rules.exclusions import Exclusions, ShouldNot
from lti_tool.pairing.engine.rules.experience_gap import ExperienceGap
from lti_tool.pairing.engine.rules.known import Known
from lti_tool.pairing.engine.rules.not_again import NotAgain
from lti_tool.pairing.engine.rules.offers import OffersMeetNeeds
from lti_tool.pairing.engine.rules.other import Other
from lti_tool.pairing.engine.rules.reporting_line import ReportingLine, loops
from lti_tool.pairing.engine.rules.rule import FIRST_TO_GIVE, NEVER, Rule, RuleByCouple, RuleByValue
from lti_tool.pairing.engine.rules.same import Same
from lti_tool.pairing.engine.rules.share import Share

ALL: Final[tuple[type[Rule], ...]] = (
    ReportingLine,
    Exclusions,
    NotAgain,
    OffersMeetNeeds,
    ExperienceGap,
    Same,
    Other,
    Known,
    Share,
    ShouldNot,
)

__all__ = [
    "ALL",
    "FIRST_TO_GIVE",
    "NEVER",
    "Exclusions",
    "ExperienceGap",
    "Known",
    "NotAgain",
    "OffersMeetNeeds",
    "Other",
    "ReportingLine",
    "Rule",
    "RuleByCouple",
    "RuleByValue",
    "Same",
    "Share",
    "ShouldNot",
    "loops",
]
