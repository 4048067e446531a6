"""What can go wrong with figures, and how a page says it."""

from lti_tool.errors import N_, NotFound, ToolError, Words


class FigureUnknown(NotFound):
    """There is no such figure, or it has no such row or column (any more)."""


WORDS: dict[type[ToolError], Words] = {
    FigureUnknown: Words(
        404,
        N_("This figure has changed"),
        N_("Go back to the figures of the activity and choose the number again."),
    ),
}
