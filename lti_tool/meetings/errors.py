"""What can go wrong while a group finds a time to meet, and how a page says it."""

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words


class MeetingError(ToolError):
    """The root of this feature's failures."""


class NotYourMeeting(MeetingError, NotFound):
    """The person is in no group of this round."""

    def __init__(self, round_number: int, member_id: int | None) -> None:
        super().__init__(round_number, member_id)
        self.round_number, self.member_id = round_number, member_id


class TimeGone(MeetingError, Conflict):
    """The time is not there any more: withdrawn, replaced or of another group."""

    def __init__(self, time_id: int) -> None:
        super().__init__(time_id)
        self.time_id = time_id


class TimePassed(MeetingError, Conflict):
    """The time is over, so nobody can agree to it."""

    def __init__(self, time_id: int) -> None:
        super().__init__(time_id)
        self.time_id = time_id


class NobodyToMeet(MeetingError, NotAllowed):
    """Everybody else in the group has left the course."""

    def __init__(self, group_id: int) -> None:
        super().__init__(group_id)
        self.group_id = group_id


class TimesUnfit(MeetingError):
    """The times cannot be proposed as they are: none or too many, in the past, too long, or a link that is none."""

    def __init__(self, flaws: tuple[object, ...]) -> None:
        super().__init__(flaws)
        self.flaws = flaws


class AskedToday(MeetingError, Conflict):
    """The partner was reminded less than a day ago."""

    def __init__(self, member_id: int) -> None:
        super().__init__(member_id)
        self.member_id = member_id


class NotWaiting(MeetingError, Conflict):
    """The member does not wait for this partner, or no longer does; or nobody missed this member."""

    def __init__(self, member_id: int) -> None:
        super().__init__(member_id)
        self.member_id = member_id


class TooEarly(MeetingError, Conflict):
    """The partner was reminded less than a day ago and still has time to answer."""

    def __init__(self, member_id: int) -> None:
        super().__init__(member_id)
        self.member_id = member_id


class CalendarUnknown(MeetingError, NotFound):
    """No calendar has this address: it was replaced or given up, or never existed."""


class CalendarBusy(MeetingError):
    """The calendar was read too often within an hour."""


WORDS: dict[type[ToolError], Words] = {
    NotYourMeeting: Words(
        404,
        N_("You have no meeting in this round"),
        N_("The groups may have changed. Go back to the activity to see who you work with."),
    ),
    TimeGone: Words(
        409,
        N_("This time has changed in the meantime"),
        N_("Go back to the activity to see the time as it is now. You can propose another one."),
    ),
    TimePassed: Words(409, N_("This time is over"), N_("Propose a time in the future.")),
    NobodyToMeet: Words(
        409,
        N_("There is no one to meet in this group"),
        N_("Your partner has left the course. Your instructors see it and can find you a partner."),
    ),
    TimesUnfit: Words(422, N_("These times cannot be proposed"), N_("Go back and change the marked fields.")),
    AskedToday: Words(
        409,
        N_("You have already asked today"),
        N_("Your partner sees it on their first page. You can ask again tomorrow. You do not lose anything."),
    ),
    NotWaiting: Words(
        409,
        N_("This has changed in the meantime"),
        N_("Your partner may have answered. Go back to the activity to see how things are now."),
    ),
    TooEarly: Words(
        409,
        N_("Give your partner a little more time"),
        N_("A day after your reminder you can go on without them. You do not lose anything."),
    ),
    CalendarUnknown: Words(404, N_("There is no such calendar"), N_("Get a new address from the activity.")),
    CalendarBusy: Words(429, N_("Too many requests"), N_("Wait an hour, then try again.")),
}
