"""What can go wrong with programmes, and how a page says it."""

from lti_tool.errors import N_, Conflict, NotFound, ToolError, Words


class ProgrammesError(ToolError):
    """The root of this feature's failures."""


class ProgrammeUnknown(ProgrammesError, NotFound):
    """There is no such programme in this course, or no such one that may be copied here."""


class ProgrammeChanged(ProgrammesError, Conflict):
    """Somebody else changed the programme after this page was opened."""

    def __init__(self, programme_id: int) -> None:
        super().__init__(programme_id)
        self.programme_id = programme_id


class StepRefused(ProgrammesError, Conflict):
    """An activity is in another programme already, or of another course, or there are too many."""


WORDS: dict[type[ToolError], Words] = {
    ProgrammeUnknown: Words(
        404,
        N_("This program is not here"),
        N_("It may have been dissolved. Go back to the programs of the course."),
    ),
    ProgrammeChanged: Words(
        409, N_("Someone else changed this program"), N_("Look at it, then make your change again if it is needed.")
    ),
    StepRefused: Words(
        409,
        N_("This activity cannot be added"),
        N_("It may be in another program by now, or the program has as many activities as it can have."),
    ),
}
