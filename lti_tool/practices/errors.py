"""What can go wrong with practices of the course library, and how a page says it."""

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words


class PracticesError(ToolError):
    """The root of this feature's failures."""


class PracticeGone(PracticesError, NotFound):
    """There is no such practice, it is no longer shared, or this person may not know that there is."""

    def __init__(self, practice_id: int) -> None:
        super().__init__(practice_id)
        self.practice_id = practice_id


class PracticeChanged(PracticesError, Conflict):
    """It says something else than on the page that was sent, or staff hid it meanwhile."""

    def __init__(self, practice_id: int) -> None:
        super().__init__(practice_id)
        self.practice_id = practice_id


class PracticeRefused(PracticesError):
    """Something is missing in an offer or a reason. `flaws` says what."""

    def __init__(self, flaws: tuple[object, ...]) -> None:
        super().__init__(len(flaws))
        self.flaws = flaws


class NobodyToAsk(PracticesError, NotAllowed):
    """The text comes from a group in which this member has no seat now, so that nobody could be asked."""

    def __init__(self, group_id: int) -> None:
        super().__init__(group_id)
        self.group_id = group_id


WORDS: dict[type[ToolError], Words] = {
    PracticeGone: Words(
        404,
        N_("This is no longer shared"),
        N_("The people it comes from decide how long others can read it. Go back to the course library."),
    ),
    PracticeChanged: Words(
        409,
        N_("This was changed a moment ago"),
        N_("Open it again and read it as it is now. Your last step changed nothing."),
    ),
    PracticeRefused: Words(422, N_("Something is missing"), N_("Go back and fill in the marked fields.")),
    NobodyToAsk: Words(
        409,
        N_("Your group cannot be asked"),
        N_("You are no longer in the group that this comes from, so it stays there."),
    ),
}
