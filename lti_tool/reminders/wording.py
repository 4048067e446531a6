"""Letters in words: subject, text and HTML in the language of whoever gets them."""

from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, localtime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape

from lti_tool.errors import N_
from lti_tool.reminders.rules import Rule
from lti_tool.reminders.service import Outgoing
from lti_tool.settings import Settings
from lti_tool.support.languages import (
    TRANSLATIONS,
    first_offered,
    isolated,
    moment_in_words,
    templates,
    translations,
)

RULES: Final[Mapping[Rule, str]] = {
    Rule.STAFF: N_("Your instructors reminded you."),
    Rule.OVERDUE: N_("Something that counts is overdue: reminded at once, then up to twice more, three days apart."),
    Rule.DUE_SOON: N_("Something that counts is due within three days: reminded once."),
    Rule.WAITS: N_("A partner is waiting for your answer: reminded once."),
    Rule.TIME: N_("A time for your meeting was proposed: reminded once."),
    Rule.FEEDBACK: N_("There is feedback that you have not read: reminded once."),
    Rule.PARTNER: N_("You have a partner, and had not opened the activity since: reminded once."),
    Rule.CHANGE: N_("Your group changed, and you had not opened the activity since: reminded once."),
}
"""Why a learner was reminded, in words of the pages."""
SHORT: Final[Mapping[Rule, str]] = {
    Rule.STAFF: N_("Sent by staff"),
    Rule.OVERDUE: N_("Overdue"),
    Rule.DUE_SOON: N_("Due soon"),
    Rule.WAITS: N_("A partner is waiting"),
    Rule.TIME: N_("A time was proposed"),
    Rule.FEEDBACK: N_("New feedback"),
    Rule.PARTNER: N_("A new partner"),
    Rule.CHANGE: N_("The group changed"),
}


class _AddressHeader(BaseHeader):
    """A header with a long address. Python folds it into encoded words, which mail programs do not look into."""

    max_count = 1
    parse = UnstructuredHeader.parse

    def fold(self, *, policy: "Policy[Any]") -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _AddressHeader)


def letter(
    outgoing: Outgoing, settings: Settings, stop_link: str, *, now: datetime, folder: Path = TRANSLATIONS
) -> EmailMessage:
    """The message to send. Headers hold nothing that could add another header: the policy refuses line breaks."""
    language = first_offered((outgoing.locale,), str(folder))
    environment = _environment(language, str(folder))
    values = {
        "outgoing": outgoing,
        "stop_link": stop_link,
        "language": language.replace("_", "-"),
        "when": lambda moment: moment_in_words(moment, outgoing.zone, language),
        "zone": outgoing.zone.key,
    }
    host = urlsplit(settings.base_url).hostname or "tandem"
    message = EmailMessage(policy=SMTP.clone(header_factory=_HEADERS))
    message["Subject"] = _one_line(environment.get_template("reminders/subject.txt").render(values))
    message["From"] = Address("Tandem", addr_spec=settings.mail_from or f"tandem@{host}")
    message["To"] = Address(addr_spec=outgoing.address)
    message["Date"] = format_datetime(localtime(now))
    message["Message-ID"] = f"<letter-{outgoing.id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = language.replace("_", "-")
    # RFC 8058: programs that show letters offer to stop them, and send this form by themselves.
    message["List-Unsubscribe"] = f"<{stop_link}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(environment.get_template("reminders/letter.txt").render(values).strip() + "\n")
    message.add_alternative(environment.get_template("reminders/letter.html").render(values), subtype="html")
    return message


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


@lru_cache(maxsize=16)
def _environment(language: str, folder: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates()),
        autoescape=select_autoescape(["html"]),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(folder, language), newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    environment.filters["isolated"] = isolated
    environment.filters["one_line"] = _one_line
    return environment
