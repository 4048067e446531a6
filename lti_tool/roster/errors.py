"""Failures of reading a course's roster."""

from datetime import timedelta

from lti_tool.errors import NotFound, ToolError


class RosterError(ToolError):
    """The root of this feature's failures."""


class MemberUnknown(RosterError, NotFound):
    """The course has no such member."""

    def __init__(self, member_id: int) -> None:
        super().__init__(member_id)
        self.member_id = member_id


class BrokenRoster(RosterError):
    """The platform's answer is not a complete roster. No membership ends because of it."""

    def __init__(self, course_id: int, reason: str) -> None:
        super().__init__(course_id, reason)
        self.course_id, self.reason = course_id, reason


class RosterGone(RosterError):
    """The platform no longer knows this roster: the course is over, or its address changed."""

    def __init__(self, course_id: int) -> None:
        super().__init__(course_id)
        self.course_id = course_id


class RosterRefused(RosterError):
    """The platform does not let us read this roster now. It is asked again later, with growing pauses."""

    def __init__(self, course_id: int, status: int) -> None:
        super().__init__(course_id, status)
        self.course_id, self.status = course_id, status


class RosterThrottled(RosterError):
    """The platform asks us to wait."""

    def __init__(self, course_id: int, after: timedelta) -> None:
        super().__init__(course_id, after)
        self.course_id, self.after = course_id, after


class RosterTooLarge(RosterError):
    """One page has more people, or longer texts, than any course. Asking again would bring the same."""

    def __init__(self, course_id: int) -> None:
        super().__init__(course_id)
        self.course_id = course_id


class RosterUnavailable(RosterError):
    """The platform cannot answer just now; another try later may succeed."""

    def __init__(self, course_id: int, status: int) -> None:
        super().__init__(course_id, status)
        self.course_id, self.status = course_id, status
