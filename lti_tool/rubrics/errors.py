"""Failures of rubrics."""

from lti_tool.errors import N_, ToolError, Words


class RubricError(ToolError):
    """The root of this feature's failures."""


class RubricInvalid(RubricError):
    """A rubric was about to be kept that its own rules refuse. Forms check first, so people do not meet this."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


class RubricFileUnusable(RubricError):
    """A file holds no rubric that could be read. `reason` is a word of `rules.files.Unusable`; `count` says how many
    criteria or levels it has, where those are too many.
    """

    def __init__(self, reason: str, count: int = 0) -> None:
        super().__init__(reason, count)
        self.reason, self.count = reason, count


WORDS: dict[type[ToolError], Words] = {
    RubricInvalid: Words(
        422,
        N_("This rubric cannot be used yet"),
        N_("Go back and change the marked fields."),
    ),
    RubricFileUnusable: Words(
        422,
        N_("No rubric could be read from this file"),
        N_("Choose a CSV or JSON file of a rubric, or a rubric from Moodle or Canvas."),
    ),
}
