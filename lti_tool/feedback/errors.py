"""What can go wrong while feedback is written, read or answered, and how a page says it."""

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words


class FeedbackError(ToolError):
    """The root of this feature's failures."""


class NotYourPartner(FeedbackError, NotFound):
    """The two do not share a group in this round."""

    def __init__(self, round_number: int, author_id: int | None, recipient_id: int | None) -> None:
        super().__init__(round_number, author_id, recipient_id)
        self.round_number, self.author_id, self.recipient_id = round_number, author_id, recipient_id


class NotInGroup(FeedbackError, NotFound):
    """The member has no group in this round, or none any more."""

    def __init__(self, round_number: int, member_id: int) -> None:
        super().__init__(round_number, member_id)
        self.round_number, self.member_id = round_number, member_id


class NotFacilitating(FeedbackError, NotFound):
    """The person does not have this group's facilitator's seat in the round, or not any more."""

    def __init__(self, round_number: int, group_id: int) -> None:
        super().__init__(round_number, group_id)
        self.round_number, self.group_id = round_number, group_id


class SeatClosed(FeedbackError, Conflict):
    """The person cannot have the facilitator's seat of this group. `why` is a `SeatRefusal`."""

    def __init__(self, group_id: int, why: str) -> None:
        super().__init__(group_id, why)
        self.group_id, self.why = group_id, why


class FeedbackHidden(FeedbackError, NotFound):
    """There is no such feedback, or this reader may not know that there is."""

    def __init__(self, feedback_id: int) -> None:
        super().__init__(feedback_id)
        self.feedback_id = feedback_id


class OccasionUnknown(FeedbackError, NotFound):
    """The member has no such occasion in this activity, or its kind asks for none."""

    def __init__(self, occasion_id: int) -> None:
        super().__init__(occasion_id)
        self.occasion_id = occasion_id


class RoundNotOpen(FeedbackError, NotAllowed):
    """The round has not begun: its form can be looked at, and nothing can be written yet."""

    def __init__(self, round_id: int) -> None:
        super().__init__(round_id)
        self.round_id = round_id


class ActivityClosed(FeedbackError, NotAllowed):
    """The activity is read-only: closed by an instructor, not ready, or its course is over."""

    def __init__(self, activity_id: int) -> None:
        super().__init__(activity_id)
        self.activity_id = activity_id


class FeedbackRead(FeedbackError, Conflict):
    """The receiver has read it, so it stays as it was given."""

    def __init__(self, feedback_id: int) -> None:
        super().__init__(feedback_id)
        self.feedback_id = feedback_id


class NotReadYet(FeedbackError, Conflict):
    """The receiver has not read it, so it can be changed and needs no addition."""

    def __init__(self, feedback_id: int) -> None:
        super().__init__(feedback_id)
        self.feedback_id = feedback_id


class FeedbackIncomplete(FeedbackError):
    """Something is missing or too long. `problems` names each field and what is wrong with it."""

    def __init__(self, problems: tuple[object, ...]) -> None:
        super().__init__(len(problems))
        self.problems = problems


class TextTooLong(FeedbackError):
    """A field holds more than even a draft may."""

    def __init__(self, field: str, length: int) -> None:
        super().__init__(field, length)
        self.field, self.length = field, length


class PartnerNoteTooLong(TextTooLong):
    """A note to a partner is longer than such a note may be."""


class PreviewOnly(FeedbackError, NotAllowed):
    """Staff who look as a learner would: nothing is kept."""


WORDS: dict[type[ToolError], Words] = {
    NotYourPartner: Words(
        404,
        N_("You do not work together in this round"),
        N_("The groups may have changed. Go back to the activity to see who you work with."),
    ),
    NotInGroup: Words(
        404,
        N_("You have no group in this round"),
        N_("The groups may have changed. Go back to the activity to see who you work with."),
    ),
    NotFacilitating: Words(
        404,
        N_("You do not facilitate this group"),
        N_(
            "Only the person in a group’s facilitator’s seat sees its meeting. You can take a seat on the "
            "Meetings page."
        ),
    ),
    SeatClosed: Words(
        409,
        N_("You cannot take this seat now"),
        N_("The Meetings page says why. The group can meet without you: one of its members facilitates."),
    ),
    FeedbackHidden: Words(
        404,
        N_("You cannot read this feedback"),
        N_("It may not be released yet. Go back to the activity to see what you can read."),
    ),
    OccasionUnknown: Words(
        404, N_("There is no such reflection here"), N_("Go back to the activity to see what you wrote.")
    ),
    RoundNotOpen: Words(
        409,
        N_("This round has not begun yet"),
        N_("You can look at the questions now, and start writing when it opens."),
    ),
    ActivityClosed: Words(
        409, N_("This activity is read-only"), N_("You can read what was given, but not change anything.")
    ),
    FeedbackRead: Words(
        409,
        N_("Your partner has read this"),
        N_("So it stays as you gave it. Only you see your later changes, and you can add something to it."),
    ),
    NotReadYet: Words(
        409, N_("Your partner has not read this yet"), N_("So you can still change it. There is no need to add to it.")
    ),
    TextTooLong: Words(413, N_("That is too long"), N_("Go back and shorten it. A field may hold 10,000 characters.")),
    PartnerNoteTooLong: Words(
        413, N_("This note is too long"), N_("Shorten it to 500 characters: a place and a time are enough.")
    ),
    FeedbackIncomplete: Words(422, N_("Something is missing"), N_("Go back and fill in the marked fields.")),
    PreviewOnly: Words(
        403, N_("This is only a preview"), N_("Nothing is saved while you view this as a learner would.")
    ),
}
