"""Hands one letter to the operator's mail server."""

import re
import smtplib
import ssl
import sys
from email.message import EmailMessage
from typing import Final

from lti_tool.reminders.errors import AddressRefused, AnswerLost, LetterRefused, MailDown
from lti_tool.settings import MailServer

PATIENCE: Final = 20.0
"""Seconds to wait for each answer of the server."""
NO_SUCH_MAILBOX: Final = frozenset({550, 551, 553})
_ENHANCED = re.compile(rb"\s*[245]\.([0-9]{1,3})\.([0-9]{1,3})\b")


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
