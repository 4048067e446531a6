"""The words of kinds, stages and what is missing."""

from typing import Final

from lti_tool.errors import N_
from lti_tool.practices.rules import Flaw, Kind, Stage

KINDS: Final = {
    Kind.PRACTICE: N_("Practice"),
    Kind.EXAMPLE: N_("Example"),
    Kind.RESOURCE: N_("Resource"),
}

STAGES: Final = {
    Stage.ASKED: ("waiting", N_("Not everyone has answered yet")),
    Stage.DECLINED: ("excused", N_("Not shared")),
    Stage.HIDDEN: ("late", N_("Hidden by instructors")),
    Stage.SHOWN: ("done", N_("Shown to the course")),
}

FLAWS: Final = {
    Flaw.NO_KIND: N_("Choose what it is"),
    Flaw.NO_TITLE: N_("Give it a title"),
    Flaw.LONG_TITLE: N_("Shorten the title to 300 characters"),
    Flaw.NO_TEXT: N_("Write what others can use"),
    Flaw.LONG_TEXT: N_("Shorten the text to 10,000 characters"),
    Flaw.NO_REASON: N_("Say briefly why you hide it"),
    Flaw.LONG_REASON: N_("Shorten the reason to 1,000 characters"),
}

FIELD_OF: Final = {
    Flaw.NO_KIND: "practice_kind",
    Flaw.NO_TITLE: "practice_title",
    Flaw.LONG_TITLE: "practice_title",
    Flaw.NO_TEXT: "practice_text",
    Flaw.LONG_TEXT: "practice_text",
    Flaw.NO_REASON: "hidden_why",
    Flaw.LONG_REASON: "hidden_why",
}
"""The field that a flaw is about."""
