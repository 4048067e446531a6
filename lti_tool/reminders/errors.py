"""What can go wrong when letters are sent."""

from lti_tool.errors import N_, ToolError, Words


class RemindersError(ToolError):
    """The root of this feature's failures."""


class MailDown(RemindersError):
    """The mail server could not be reached or takes nothing now; the letter was certainly not sent."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class LetterRefused(RemindersError):
    """The mail server works, and does not take this letter: a full mailbox, a rule of its own. `why` names the step."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class AddressRefused(RemindersError):
    """The mail server says that the address takes no letters."""


class AnswerLost(RemindersError):
    """The letter was handed over, and the mail server's answer did not come: it may have been sent."""


class LinkUnreadable(RemindersError):
    """The link that stops letters was cut or changed, or is older than the secret keys."""


WORDS: dict[type[ToolError], Words] = {
    LinkUnreadable: Words(
        404,
        N_("This link cannot be read"),
        N_(
            "Part of it may be missing. Copy the whole link, or open the activity from your course, where "
            "you can stop letters too."
        ),
    ),
}
