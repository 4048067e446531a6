"""What learners may know about why they have their partners. Nothing here reveals private values.

The reporting line, people who are kept apart, and values such as languages are never named.
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
"""By the name of a rule, or by its kind; true of two people whom the rule allows. Other rules are not told."""
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
"""By the name of a wish, or by its kind; true of two people who got points for it."""


@dataclass(frozen=True, slots=True)
class WhyMatched:
    """Sentences, not yet translated, that are true of a learner and all their partners in a round."""

    sentences: tuple[str, ...] = ()
    is_first_time: bool = False
    """Whether they meet all of them for the first time. Only looked up if there are no sentences."""


def of_rule(name: str) -> str | None:
    """What a learner may know about a rule that allows the pair; None if nothing."""
    return _of(OF_RULES, name)


def of_wish(name: str) -> str | None:
    """What a learner may know about a wish that is fulfilled; None if nothing."""
    return _of(OF_WISHES, name)


def _of(sentences: dict[str, str], name: str) -> str | None:
    return sentences.get(name) or sentences.get(name.partition(":")[0])
