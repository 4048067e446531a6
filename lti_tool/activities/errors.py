"""What can go wrong while an activity is set up."""

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words


class ActivityError(ToolError):
    """The root of this feature's failures."""


class ActivityUnknown(ActivityError, NotFound):
    """There is no such activity in this course."""


class ActivityInvalid(ActivityError):
    """Settings were about to be kept that their own rules refuse. Forms check first, so people do not meet this."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


class ActivityChanged(ActivityError, Conflict):
    """Somebody else saved the activity after this page of it was opened."""

    def __init__(self, activity_id: int, changed_by_id: int | None = None) -> None:
        super().__init__(activity_id)
        self.activity_id = activity_id
        self.changed_by_id = changed_by_id


class RoundInUse(ActivityError, Conflict):
    """A round was about to be removed in which people have groups or have written."""


class AnonymityPromised(ActivityError, Conflict):
    """Whether feedback is anonymous was about to change after somebody had agreed or written."""


class ActivityInUse(ActivityError, Conflict):
    """Another activity was to take the place of one in which people have groups or have written."""


class StepNotPossible(ActivityError, Conflict):
    """The activity is in a state from which this step does not lead on."""


class ActivityReadOnly(ActivityError, NotAllowed):
    """The activity is closed, or its course is over."""


class TemplateUnknown(ActivityError, NotFound):
    """There is no such saved template, or it is another course's."""


class TemplateChanged(ActivityError, Conflict):
    """Somebody else saved a version of the template after this page was opened."""


class NothingToReturn(ActivityError, NotAllowed):
    """The visit did not come from the dialog that places activities."""


class ReturnAddressForeign(ActivityError, NotAllowed):
    """The dialog wants its answer at an address that the platform's registration does not own."""


WORDS: dict[type[ToolError], Words] = {
    ActivityUnknown: Words(
        404,
        N_("This activity is not here"),
        N_("It may have been placed or removed in the meantime. Open the activity again from your course."),
    ),
    ActivityInvalid: Words(422, N_("These settings cannot be used yet"), N_("Go back and change the marked fields.")),
    ActivityChanged: Words(
        409, N_("Someone else changed this activity"), N_("Check the settings, then make your change again.")
    ),
    RoundInUse: Words(
        409,
        N_("This round has begun"),
        N_("People already have groups or feedback in it, so you cannot remove it. You can still change its dates."),
    ),
    AnonymityPromised: Words(
        409,
        N_("People have been told whether their names are shown"),
        N_("Somebody has agreed or written under that promise, so it stays as it is in this activity."),
    ),
    ActivityInUse: Words(
        409,
        N_("People are already working in this activity"),
        N_(
            "They have groups or have written here, so no other activity can replace it. Add the other "
            "one to the course separately."
        ),
    ),
    StepNotPossible: Words(
        409, N_("The activity has changed in the meantime"), N_("Open its settings again to see its state now.")
    ),
    ActivityReadOnly: Words(
        403,
        N_("This activity can no longer be changed"),
        N_("It is closed, or its course is over. You can still read everything in it."),
    ),
    TemplateUnknown: Words(
        404, N_("This template is not here"), N_("It may belong to another course. Choose one that is listed.")
    ),
    TemplateChanged: Words(
        409,
        N_("Someone else saved a version of this template"),
        N_("Look at it, then save yours again if it is still needed."),
    ),
    ReturnAddressForeign: Words(
        403,
        N_("Your choice would be sent outside your learning platform"),
        N_("The dialog gave an address that does not belong to the platform. Tell the platform's administrator."),
    ),
    NothingToReturn: Words(
        403,
        N_("There is nothing to place here"),
        N_("Start by adding an activity in your course."),
    ),
}
