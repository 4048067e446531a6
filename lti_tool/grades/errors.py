"""Failures of returning a score, and the words of pages for them."""

from lti_tool.errors import N_, Conflict, NotFound, ToolError, Words


class GradeError(ToolError):
    """The root of this feature's failures."""


class ForeignAddress(GradeError):
    """A gradebook address is not the registration's own, so no token may go there."""

    def __init__(self, registration_id: int) -> None:
        super().__init__(registration_id)
        self.registration_id = registration_id


class GradebookUnavailable(GradeError):
    """The gradebook did not do what was asked; another try later may succeed."""

    def __init__(self, registration_id: int, status: int) -> None:
        super().__init__(registration_id, status)
        self.registration_id, self.status = registration_id, status


class ScoreNotDelivered(GradeError):
    """A score is still to be sent; the job that raises this runs again later."""

    def __init__(self, score_id: int) -> None:
        super().__init__(score_id)
        self.score_id = score_id


class ScoreUnknown(GradeError, NotFound):
    """There is no such score in this activity."""


class NothingAsked(GradeError, Conflict):
    """Somebody answered already what to do about a score that would go down."""


WORDS: dict[type[ToolError], Words] = {
    ScoreUnknown: Words(404, N_("This score could not be found"), N_("Open “Grades” again from the activity.")),
    NothingAsked: Words(409, N_("This was already answered"), N_("Open “Grades” to see what was decided.")),
}
