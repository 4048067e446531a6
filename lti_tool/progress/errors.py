"""What can go wrong when staff look after somebody's progress."""

from lti_tool.errors import N_, NotFound, ToolError, Words


class ProgressError(ToolError):
    """The root of this feature's failures."""


class LearnerUnknown(ProgressError, NotFound):
    """Nobody with this id takes part in the activity."""


WORDS: dict[type[ToolError], Words] = {
    LearnerUnknown: Words(
        404, N_("This person is not taking part here"), N_("They may have left the course. Go back to the list.")
    ),
}
