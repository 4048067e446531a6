"""What can go wrong with surveys, and how a page says it."""

from lti_tool.errors import N_, Conflict, ToolError, Words


class SurveyOver(Conflict):
    """The first round was due, so that answers would no longer say how it was before."""

    def __init__(self, activity_id: int) -> None:
        super().__init__("survey", activity_id)
        self.activity_id = activity_id


WORDS: dict[type[ToolError], Words] = {
    SurveyOver: Words(
        409,
        N_("This part of the survey is over"),
        N_(
            "It asked about the time before you began and was open until the first round was due. "
            "You will be asked again."
        ),
    ),
}
