"""Failures of a call to a platform. All name the host only: paths, queries, tokens and bodies may be personal."""

from typing import Literal

from lti_tool.errors import ToolError

Step = Literal["name", "connection", "certificate", "broken off"]


class CallFailed(ToolError):
    """A call to a platform brought no answer that can be used."""

    def __init__(self, host: str, *details: object) -> None:
        super().__init__(host, *details)
        self.host = host

    def __str__(self) -> str:
        return ", ".join([f"{type(self).__name__} at {self.host}", *(str(detail) for detail in self.args[1:])])


class Unreachable(CallFailed):
    """No answer: the name is unknown, no connection, no trusted certificate, or the answer broke off."""

    def __init__(self, host: str, reason: Step) -> None:
        super().__init__(host, reason)
        self.reason = reason


class AddressRefused(CallFailed):
    """We do not call this address: not https, not on the public internet, or it carries a name or password."""


class TooSlow(CallFailed):
    """The whole answer did not arrive in time. The platform may have acted on the request all the same."""


class TooLarge(CallFailed):
    """The answer is too large."""


class Redirected(CallFailed):
    """The platform pointed elsewhere. We do not follow: the other address was never agreed on."""

    def __init__(self, host: str, status: int) -> None:
        super().__init__(host, status)
        self.status = status


class BadAnswer(CallFailed):
    """The answer is not what its kind promises: broken compression, no JSON, numbers that JSON does not have."""
