"""What can go wrong with what is known of learners."""

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


class WhoUnsaid(AttributesError, Conflict):
    """No column of a table names people."""

    def __init__(self, course_id: int) -> None:
        super().__init__(course_id)
        self.course_id = course_id


class NotLookedAt(AttributesError, Conflict):
    """It is not certain how to read the file, and no one has confirmed it yet."""

    def __init__(self, course_id: int) -> None:
        super().__init__(course_id)
        self.course_id = course_id


class CheckOutdated(AttributesError, Conflict):
    """Applying the table would do something else than what was shown: choices or values have changed since."""


WORDS: dict[type[ToolError], Words] = {
    UploadGone: Words(
        404,
        N_("This upload is over"),
        N_("It was taken over or thrown away, or it is older than a day. Upload the table again."),
    ),
    AnswerTooLate: Words(
        409,
        N_("The groups have been made"),
        N_(
            "So this answer comes too late for them, and nothing was changed. "
            "Go back to the activity to see your group."
        ),
    ),
    TableUnusable: Words(422, N_("This file could not be read"), N_("Save the table as CSV and upload it again.")),
    WhoUnsaid: Words(
        409,
        N_("No column names people"),
        N_("Go back and say which column has the people: an id, an e-mail address or a name."),
    ),
    NotLookedAt: Words(
        409, N_("Look at the table first"), N_("Go back to the page of the upload and say how the file is read.")
    ),
    ChoicesConflict: Words(
        409, N_("Two rows were given to one person"), N_("Go back and choose another person, or skip one of the rows.")
    ),
    CheckOutdated: Words(
        409, N_("The table would change something else now"), N_("Look at what it would change, then take it over.")
    ),
}
