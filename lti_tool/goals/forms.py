"""Forms of this feature in words: names of fields, what is wrong with them, and what would sharpen a goal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask_babel import gettext

from lti_tool.errors import N_
from lti_tool.goals import rules
from lti_tool.goals.rules import Area, Flaw, Hint

NAMES: Final[dict[str, str]] = {form.sent_as(field): field.name for form in rules.FORMS for field in form.fields}
"""What pages call a field whose text could not be taken."""

AREAS: Final[dict[Area, str]] = {
    Area.COMMUNICATION: N_("Communication"),
    Area.LEADERSHIP: N_("Leadership"),
    Area.TOOL: N_("Mastering a tool"),
    Area.OTHER: N_("Something else"),
}
HINTS: Final[dict[Hint, str]] = {
    Hint.WHAT_WILL_BE_DIFFERENT: N_("What will be different then? What would someone see you do?"),
    Hint.HOW_WILL_YOU_KNOW: N_("How will you know that you have reached it?"),
    Hint.WHERE_ARE_YOU_NOW: N_("Where are you now?"),
    Hint.HOW_FAR: N_("How far do you want to get?"),
    Hint.WHAT_CHANGES: N_("This is where you are already. What will be another value then?"),
    Hint.BY_WHEN: N_("A date about a month ahead works well."),
    Hint.NEARER: N_("That is far away. What could you reach within a month?"),
}
FLAWS: Final[dict[Flaw, str]] = {
    Flaw.MISSING: N_("Fill in “%(field)s”"),
    Flaw.TOO_LONG: N_("%(field)s: shorten it to %(limit)d characters"),
    Flaw.NO_NUMBER: N_("%(field)s: type a number such as 3 or 2.5, or leave it empty"),
    Flaw.NO_DAY: N_("%(field)s: choose a date"),
    Flaw.NO_ADDRESS: N_("%(field)s: copy the whole address, with https:// or http:// at its beginning"),
    Flaw.UNKNOWN: N_("%(field)s: choose one of the answers"),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A form that could not be taken, to be shown again as it was typed."""

    at: str
    """Which form of the page: its key, and the number of what it belongs to."""
    typed: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    """Sentences by the name of a field."""
    is_changed: bool = False
    """What is stored changed meanwhile."""


def sentences(problems: Iterable[Any]) -> dict[str, str]:
    """What to do about each field, by the name under which it is sent."""
    return {
        problem.form.sent_as(problem.field): str(
            gettext(FLAWS[problem.flaw], field=gettext(problem.field.name), limit=problem.field.longest)
        )
        for problem in problems
        if isinstance(problem, rules.Problem)
    }
