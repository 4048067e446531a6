"""The words of certificates: how one reads, what is wrong with a name, and the sentences of a credential."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from flask_babel import format_date, format_decimal, get_locale, gettext

from lti_tool.certificates.rules import BadgeWords, Content, Flaw, SeatHours, total
from lti_tool.errors import N_
from lti_tool.support.paper import PdfState

FLAWS: Final[dict[str, str]] = {
    Flaw.NO_NAME: N_("Write your name as it should appear"),
    Flaw.LONG_NAME: N_("Shorten the name to 255 characters"),
    Flaw.NO_REASON: N_("Say briefly why it is withdrawn"),
    Flaw.LONG_REASON: N_("Shorten the reason to 1,000 characters"),
}

PDF_STATES: Final = {
    PdfState.NO_LETTERS: N_(
        "This server has no font for some letters of the name, so there is no PDF. You can print this page from your "
        "browser, which may have one."
    ),
    PdfState.IMPOSSIBLE: N_("This server does not make PDFs. You can print this page from your browser instead."),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate as it reads, in one language."""

    language: str
    name: str
    title: str
    issuer: str
    hours: tuple[SeatHours, ...]
    total: Decimal
    issued_on: str

    @property
    def length(self) -> str:
        """How small its letters must be to fit on one page."""
        if len(self.name) + len(self.title) + len(self.issuer) > 350:
            return "longest"
        return "long" if len(self.name) > 48 or len(self.title) > 90 or len(self.issuer) > 120 else "usual"


def shown(content: Content, name: str, issued_at: datetime, zone: str) -> Shown:
    """The certificate in the language of the request."""
    return Shown(
        language=str(get_locale() or "en").replace("_", "-"),
        name=name,
        title=content.title,
        issuer=content.issuer,
        hours=content.hours,
        total=total(content.hours),
        issued_on=format_date(issued_at.astimezone(ZoneInfo(zone)).date(), "long"),
    )


def badge_words(content: Content) -> BadgeWords:
    """The sentences of the credential, in the language of the request."""
    hours = [
        gettext("%(seat)s: %(hours)s h", seat=gettext(one.seat), hours=format_decimal(one.hours))
        for one in content.hours
    ]
    return BadgeWords(
        description=gettext("Peer coaching: learners work together in rounds and give each other feedback."),
        criteria=gettext("Everything that counts toward completion was done, in all rounds."),
        narrative="; ".join([*hours, gettext("issued by %(name)s", name=content.issuer)]),
    )
