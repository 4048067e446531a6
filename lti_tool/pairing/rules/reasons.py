"""What learners may know of why they have their partners: the sentences, and nothing private.

The reporting line, who is kept apart and what is on anybody's list are never among them.
"""

from dataclasses import dataclass
from typing import Final

from lti_tool.errors import N_

OF_RULES: Final[dict[str, str]] = {
    "not_again": N_("You have not worked together before."),
    "other:department": N_("You work in different departments."),
    "other:group": N_("You are in different groups."),
    "other:cohort": N_("You are in different cohorts."),
    "same:department": N_("You work in the same department."),
    "same:group": N_("You are in the same group."),
    "same:cohort": N_("You are in the same cohort."),
    "share:languages": N_("You share a language."),
    "share:slots": N_("You have free time in common."),
    "gap": N_("You bring different experience."),
    "close": N_("You have about the same length of experience."),
    "offers": N_("One of you offers what the other wants to learn."),
}
"""By name of the rule, or by its kind; true of two people whom the rule lets meet. Others are nobody's business."""
OF_WISHES: Final[dict[str, str]] = {
    "other:department": OF_RULES["other:department"],
    "other:group": OF_RULES["other:group"],
    "other:cohort": OF_RULES["other:cohort"],
    "other": N_("You bring different backgrounds."),
    "same:department": OF_RULES["same:department"],
    "same:group": OF_RULES["same:group"],
    "same:cohort": OF_RULES["same:cohort"],
    "same": N_("You bring similar backgrounds."),
    "gap": OF_RULES["gap"],
    "extra_shared:languages": OF_RULES["share:languages"],
    "extra_shared:slots": OF_RULES["share:slots"],
    "extra_shared": N_("You have something in common."),
    "near": N_("Your days begin at about the same time."),
    "offers": OF_RULES["offers"],
}
"""By name of the wish, or by its kind; true of two people who got points for it."""


@dataclass(frozen=True, slots=True)
class WhyMatched:
    """Sentences that are true of somebody and all their partners in a round, not translated yet."""

    sentences: tuple[str, ...] = ()
    is_first_time: bool = False
    """Whether they are with none of them in an earlier round or another activity. Asked only without sentences."""


def of_rule(name: str) -> str | None:
    """What a learner is told of a rule that lets them meet; None where that is nobody's business."""
    return _of(OF_RULES, name)


def of_wish(name: str) -> str | None:
    """What a learner is told of a wish that comes true; None where that is nobody's business."""
    return _of(OF_WISHES, name)


def _of(sentences: dict[str, str], name: str) -> str | None:
    return sentences.get(name) or sentences.get(name.partition(":")[0])
