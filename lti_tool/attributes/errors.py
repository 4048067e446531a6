"""Failures with the attributes of learners."""

from lti_tool.errors import N_, Conflict, NotFound, ToolError, Words


class AttributesError(ToolError):
    """The root of this feature's failures."""


class UploadGone(AttributesError, NotFound):
    """The uploaded table was applied or discarded, or it is older than a day."""


class AnswerTooLate(AttributesError, Conflict):
    """The questionnaire was answered after the groups were published."""


class TableUnusable(AttributesError):
    """The uploaded file cannot be read as a table of people. `reason` is a word of `tables.Unusable`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChoicesConflict(AttributesError, Conflict):
    """Two rows of a table were assigned to one person, or a row to somebody who is not in the course."""

    def __init__(self, lines: tuple[int, ...]) -> None:
        super().__init__(lines)
        self.lines = lines


class NoPersonColumn(AttributesError, Conflict):
    """No column of a table names people."""

    def __init__(self, course_id: int) -> None:
        super().__init__(course_id)
        self.course_id = course_id


class TableUnconfirmed(AttributesError, Conflict):
    """It is not certain how to read the file, and no one has confirmed it yet."""

    def __init__(self, course_id: int) -> None:
        super().__init__(course_id)
        self.course_id = course_id


class CheckOutdated(AttributesError, Conflict):
    """Applying the table would change something else than what was shown, because choices or values have changed."""


WORDS: dict[type[ToolError], Words] = {
    UploadGone: Words(
        404,
        N_("This upload is no longer here"),
        N_("It was imported or discarded, or it is more than a day old. Upload the table again."),
    ),
    AnswerTooLate: Words(
        409,
        N_("The groups have already been made"),
        N_("So your answer could no longer be used, and nothing changed. Go back to the activity to see your group."),
    ),
    TableUnusable: Words(422, N_("This file could not be read"), N_("Save the table as CSV and upload it again.")),
    NoPersonColumn: Words(
        409,
        N_("No column says who the rows are about"),
        N_("Go back and choose the column with an id, an e-mail address or a name."),
    ),
    TableUnconfirmed: Words(
        409, N_("Check the table first"), N_("Go back to the upload page and say how the file is read.")
    ),
    ChoicesConflict: Words(
        409, N_("Two rows have the same person"), N_("Go back and choose another person, or skip one of the rows.")
    ),
    CheckOutdated: Words(
        409, N_("The table would now make other changes"), N_("Check what it would change, then import it.")
    ),
}
