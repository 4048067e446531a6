"""All rules. A new one is one small file here, its tests, its name in `ALL` and its sentences in `wording`."""

from typing import Final

from lti_tool.pairing.engine.rules.exclusions import Exclusions, ShouldNot
from lti_tool.pairing.engine.rules.experience_gap import ExperienceGap
from lti_tool.pairing.engine.rules.other import Other
from lti_tool.pairing.engine.rules.reporting_line import ReportingLine, loops
from lti_tool.pairing.engine.rules.rule import FIRST_TO_GIVE, NEVER, Rule, RuleByCouple, RuleByValue
from lti_tool.pairing.engine.rules.same import Same
from lti_tool.pairing.engine.rules.share import Share

ALL: Final[tuple[type[Rule], ...]] = (ReportingLine, Exclusions, ShouldNot, Share, Other, Same, ExperienceGap)

__all__ = [
    "ALL",
    "FIRST_TO_GIVE",
    "NEVER",
    "Exclusions",
    "ExperienceGap",
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
