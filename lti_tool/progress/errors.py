"""What can go wrong when staff look after somebody's progress."""

from lti_tool.errors import N_, NotFound, ToolError, Words


class ProgressError(ToolError):
    """The root of this feature's failures."""


class LearnerUnknown(ProgressError, NotFound):
    """Nobody with this id takes part in the activity."""


class ActUnknown(ProgressError, NotFound):
    """Staff did nothing in this activity under this number."""


WORDS: dict[type[ToolError], Words] = {
    ActUnknown: Words(404, N_("There is nothing to undo here"), N_("Go back to everyone’s progress.")),
    LearnerUnknown: Words(
        404, N_("This person is not taking part here"), N_("They may have left the course. Go back to the list.")
    ),
}
