"""What can go wrong with goals, actions, wins and the shelf, and how a page says it."""

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words


class GoalsError(ToolError):
    """The root of this feature's failures."""


class NotShown(GoalsError, NotFound):
    """There is no such goal, action, win or resource, or this member may not know that there is."""

    def __init__(self, what: str, row_id: int) -> None:
        super().__init__(what, row_id)
        self.what, self.row_id = what, row_id


class NotYourGroup(GoalsError, NotFound):
    """The member has no seat in this group of the course."""

    def __init__(self, group_id: int, member_id: int) -> None:
        super().__init__(group_id, member_id)
        self.group_id, self.member_id = group_id, member_id


class NotForStaff(GoalsError, NotAllowed):
    """Only learners of the course have goals, actions and wins."""


class GoalsClosed(GoalsError, NotAllowed):
    """The activity takes nothing: closed by an instructor, not ready, or its course is over."""

    def __init__(self, activity_id: int) -> None:
        super().__init__(activity_id)
        self.activity_id = activity_id


class Refused(GoalsError):
    """Something that was typed cannot be taken. `problems` names each field and what is wrong with it."""

    def __init__(self, problems: tuple[object, ...]) -> None:
        super().__init__(len(problems))
        self.problems = problems


class ChangedMeanwhile(GoalsError, Conflict):
    """It was saved in another tab or on another device since the page was opened."""

    def __init__(self, what: str, row_id: int) -> None:
        super().__init__(what, row_id)
        self.what, self.row_id = what, row_id


class StandsByNow(GoalsError, Conflict):
    """It was written more than a day ago, so it cannot be taken back any more."""

    def __init__(self, what: str, row_id: int) -> None:
        super().__init__(what, row_id)
        self.what, self.row_id = what, row_id


WORDS: dict[type[ToolError], Words] = {
    NotShown: Words(
        404,
        N_("You cannot see this"),
        N_("Its owner may have hidden it, or your groups have changed. Go back to the activity."),
    ),
    StandsByNow: Words(
        409,
        N_("This can no longer be taken back"),
        N_("It was written more than a day ago, and others may have read it. You can write another line beside it."),
    ),
    NotYourGroup: Words(
        404,
        N_("You are not in this group"),
        N_("The groups may have changed. Go back to the activity to see who you work with."),
    ),
    NotForStaff: Words(
        403, N_("Only learners set goals here"), N_("You see how many goals and actions there are, not what they say.")
    ),
    GoalsClosed: Words(
        409, N_("This activity is read-only"), N_("You can read goals and actions, but not change anything here.")
    ),
    Refused: Words(422, N_("Something is missing"), N_("Go back and fill in the marked fields.")),
    ChangedMeanwhile: Words(
        409,
        N_("This was changed in another tab or on another device"),
        N_("Open it again to see it as it is now, then make your change once more."),
    ),
}
