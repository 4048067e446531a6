"""The words of concerns, outcomes and what is missing."""

from typing import Final

from lti_tool.errors import N_
from lti_tool.reports.rules import Concern, Flaw, Outcome

CONCERNS: Final = {
    Concern.HURTS: N_("It hurts or humiliates"),
    Concern.DISCRIMINATES: N_("It discriminates"),
    Concern.THREATENS: N_("It threatens or pressures me"),
    Concern.CONFIDENTIAL: N_("It tells something that should have stayed private"),
    Concern.OTHER: N_("Something else"),
}

DECISIONS: Final = {
    Outcome.HIDDEN: (
        N_("Hide the whole text"),
        N_("Only its author can read it. The person who received it does not have to answer."),
    ),
    Outcome.PASSAGES_HIDDEN: (
        N_("Hide passages"),
        N_("The passages that you ticked are replaced by […]. The rest can be read again."),
    ),
    Outcome.RESTORED: (N_("Show it again as it is"), N_("The person who received it can read it and answer.")),
}

OUTCOMES: Final = {
    Outcome.OPEN: N_("Waiting for a decision"),
    Outcome.TAKEN_BACK: N_("Taken back"),
    Outcome.RESTORED: N_("Shown again"),
    Outcome.PASSAGES_HIDDEN: N_("Passages hidden"),
    Outcome.HIDDEN: N_("Hidden"),
    Outcome.TALKED: N_("Dealt with"),
}

FOR_REPORTER: Final = {
    Outcome.OPEN: N_("You reported this. It is set aside, and your instructors are looking at it."),
    Outcome.TAKEN_BACK: N_("You took your report back."),
    Outcome.RESTORED: N_("Your instructors looked at it and decided that you can read it again."),
    Outcome.PASSAGES_HIDDEN: N_("Your instructors hid passages of it. You can read the rest."),
    Outcome.HIDDEN: N_("Your instructors hid the text. You do not have to answer it."),
    Outcome.TALKED: N_("Your instructors have dealt with what you reported."),
}

FOR_AUTHOR: Final = {
    Outcome.OPEN: N_("Your instructors are looking at this text. Until they have decided, only you can read it."),
    Outcome.RESTORED: N_("Your instructors looked at this text and left it as it is."),
    Outcome.PASSAGES_HIDDEN: N_("Your instructors hid passages of this text."),
    Outcome.HIDDEN: N_("Your instructors hid this text. Only you can read it. What you did counts as done."),
}

ACTS: Final = {
    "reported": N_("reported it"),
    "read": N_("read it"),
    "told": N_("told the author that it is under review"),
    Outcome.RESTORED: N_("showed it again"),
    Outcome.PASSAGES_HIDDEN: N_("hid passages"),
    Outcome.HIDDEN: N_("hid the text"),
    Outcome.TALKED: N_("dealt with it"),
}

FLAWS: Final = {
    Flaw.NO_CONCERN: N_("Choose what is wrong"),
    Flaw.NO_WORDS: N_("Say in a few words what happened"),
    Flaw.TOO_LONG: N_("Shorten it to 4,000 characters"),
    Flaw.NO_OUTCOME: N_("Choose what happens to the text"),
    Flaw.NO_REASON: N_("Write a sentence that explains your decision to both"),
    Flaw.NO_PASSAGE: N_("Tick at least one passage to hide"),
}

FIELD_OF: Final = {
    Flaw.NO_CONCERN: "concern",
    Flaw.NO_WORDS: "words",
    Flaw.NO_OUTCOME: "outcome",
    Flaw.NO_REASON: "reason",
    Flaw.NO_PASSAGE: "passage",
}
"""The field that a flaw is about; TOO_LONG is about the one that holds words."""
