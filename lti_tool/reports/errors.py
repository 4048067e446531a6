"""What can go wrong with a report of harm, and how a page says it."""

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words


class ReportsError(ToolError):
    """The root of this feature's failures."""


class NothingToReport(ReportsError, NotFound):
    """There is no such text, or this member did not receive it."""

    def __init__(self, entry_id: int) -> None:
        super().__init__(entry_id)
        self.entry_id = entry_id


class ReportHidden(ReportsError, NotFound):
    """There is no such report, or this person may not know that there is."""

    def __init__(self, report_id: int) -> None:
        super().__init__(report_id)
        self.report_id = report_id


class NotModerator(ReportsError, NotAllowed):
    """Reports of this activity are for instructors, and for assistants where its settings say so."""

    def __init__(self, activity_id: int) -> None:
        super().__init__(activity_id)
        self.activity_id = activity_id


class ReportRefused(ReportsError):
    """Something is missing in a report or a decision. `flaws` says what."""

    def __init__(self, flaws: tuple[object, ...]) -> None:
        super().__init__(len(flaws))
        self.flaws = flaws


class ReportDecided(ReportsError, Conflict):
    """Staff have decided meanwhile, or it was taken back."""

    def __init__(self, report_id: int) -> None:
        super().__init__(report_id)
        self.report_id = report_id


WORDS: dict[type[ToolError], Words] = {
    NothingToReport: Words(
        404,
        N_("There is nothing here to report"),
        N_("You can report what somebody wrote to you, once you can read it. Go back to the activity."),
    ),
    ReportHidden: Words(404, N_("You cannot see this report"), N_("Go back to the activity.")),
    NotModerator: Words(
        403,
        N_("Reports are for instructors"),
        N_("An instructor can let assistants decide about reports, in the settings of the activity."),
    ),
    ReportRefused: Words(422, N_("Something is missing"), N_("Go back and fill in the marked fields.")),
    ReportDecided: Words(
        409,
        N_("This report was settled a moment ago"),
        N_("Go back to it to see what was decided. Nothing was changed by your last step."),
    ),
}
