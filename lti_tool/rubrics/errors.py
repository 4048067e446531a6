"""Failures of rubrics."""

from lti_tool.errors import N_, ToolError, Words


class RubricError(ToolError):
    """The root of this feature's failures."""


class RubricInvalid(RubricError):
    """A rubric was about to be kept that its own rules refuse. Forms check first, so people do not meet this."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


WORDS: dict[type[ToolError], Words] = {
    RubricInvalid: Words(
        422,
        N_("This rubric cannot be used yet"),
        N_("Go back and change the marked fields."),
    ),
}
