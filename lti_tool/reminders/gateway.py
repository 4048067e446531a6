"""Hands one letter to the operator's mail server, and reads what mail servers report about it later."""

import re
import smtplib
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from typing import Final

from lti_tool.reminders.errors import AddressRefused, AnswerLost, LetterRefused, MailDown
from lti_tool.settings import MailServer

PATIENCE: Final = 20.0
"""Seconds to wait for each answer of the server."""
NO_SUCH_MAILBOX: Final = frozenset({550, 551, 553})
_ENHANCED = re.compile(rb"\s*[245]\.([0-9]{1,3})\.([0-9]{1,3})\b")
_FAILED: Final = re.compile(r"\s*5\.")
_STOP_LINK: Final = re.compile(r"<[^<>\s]*/letters/([A-Za-z0-9_=-]+)>")
LONGEST_REPORT: Final = 1_000_000
"""Bytes of a delivery report that are read. A report holds the letter, and letters are far smaller."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail server reports that an address does not exist."""

    addresses: frozenset[str] = field(repr=False)
    """In lower case."""
    sealed: str = field(repr=False)
    """From the letter's own link that stops letters. Only somebody who has the letter can name it."""


def send(server: MailServer, sender: str, address: str, letter: EmailMessage) -> None:
    """Hand a letter over, for one receiver. Returns once the server has taken it.

    Raises MailDown, LetterRefused or AddressRefused where it was certainly not sent, and AnswerLost where nobody knows.
    """
    if not server.host:
        # For development: a person reads this, and it goes to no log.
        body = letter.get_body(("plain",))
        sys.stderr.write(f"\n{letter['Subject']}\n{body.get_content() if body is not None else ''}\n")
        return
    try:
        connection = _connected(server)
    except (OSError, smtplib.SMTPException, ValueError) as failure:
        raise MailDown(type(failure).__name__) from None
    try:
        _hand_over(connection, sender, address, letter)
    finally:
        connection.close()


def _connected(server: MailServer) -> smtplib.SMTP:
    trust = ssl.create_default_context()
    if server.tls == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=trust)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
    try:
        if server.tls == "starttls":
            # Raises where the server offers no TLS: neither password nor letter goes in the open.
            connection.starttls(context=trust)
        if server.name:
            connection.login(server.name, server.password)
        connection.ehlo_or_helo_if_needed()
    except BaseException:
        connection.close()
        raise
    return connection


def _hand_over(connection: smtplib.SMTP, sender: str, address: str, letter: EmailMessage) -> None:
    try:
        code, _ = connection.mail(sender)
        if code != 250:
            raise MailDown(f"MAIL {code}")
        code, answer = connection.rcpt(address)
    except (OSError, smtplib.SMTPException) as failure:
        raise MailDown(type(failure).__name__) from None
    if 400 <= code < 500:
        raise MailDown(f"RCPT {code}")
    if code not in {250, 251}:
        raise AddressRefused if _is_about_address(code, answer) else LetterRefused(f"RCPT {code}")
    try:
        code, _ = connection.data(letter.as_bytes())
    except smtplib.SMTPDataError as failure:
        raise MailDown(f"DATA {failure.smtp_code}") from None
    except (OSError, smtplib.SMTPException):
        raise AnswerLost from None
    if 400 <= code < 500:
        raise MailDown(f"DATA {code}")
    if code != 250:
        raise LetterRefused(f"DATA {code}")


def _is_about_address(code: int, answer: bytes) -> bool:
    """Whether a refusal is about the receiver, and not about us. Servers that give the reason as well (RFC 3463) refuse
    relaying and senders with the same number as unknown receivers.
    """
    reason = _ENHANCED.match(answer)
    if reason is not None:
        subject, detail = int(reason[1]), int(reason[2])
        return subject == 1 or (subject, detail) == (2, 1)
    return code in NO_SUCH_MAILBOX


def read_bounce(report: bytes) -> Bounce | None:
    """Read a delivery report (RFC 3464). None where it is none, brings no letter of ours back, or says no more than
    that the letter was late or the mailbox full.
    """
    message = message_from_bytes(report[:LONGEST_REPORT])
    addresses = frozenset(_addresses_without_mailbox(message))
    link = next((match for match in map(_STOP_LINK.search, _stop_links(message)) if match is not None), None)
    return Bounce(addresses, link[1]) if addresses and link is not None else None


def _addresses_without_mailbox(message: Message) -> Iterator[str]:
    for part in message.walk():
        status = str(part.get("Status", ""))
        if not _FAILED.match(status) or not _is_about_address(0, status.encode("ascii", "replace")):
            continue
        for name in ("Original-Recipient", "Final-Recipient"):
            kind, _, address = str(part.get(name, "")).partition(";")
            if kind.strip().lower() == "rfc822" and address.strip():
                yield address.strip().lower()


def _stop_links(message: Message) -> Iterator[str]:
    """Of the letter that came back, which a report holds whole or as its headers."""
    for part in message.walk():
        link = _letter_in(part).get("List-Unsubscribe")
        if link is not None:
            yield "".join(str(link).split())


def _letter_in(part: Message) -> Message:
    """The part, or the letter whose headers it quotes."""
    if part.get_content_type() != "text/rfc822-headers":
        return part
    headers = part.get_payload(decode=True)
    return message_from_bytes(headers if isinstance(headers, bytes) else b"")
