"""What an operator's mail server hands over by a command."""

from lti_tool.reminders import gateway
from lti_tool.reminders.errors import LinkUnreadable
from lti_tool.reminders.service import letters
from lti_tool.support.crypto import Undecipherable
from lti_tool.support.kit import Kit


def take_bounce(kit: Kit, report: bytes) -> bool:
    """Send no more letters to an address that a delivery report (RFC 3464) calls unknown. False if nothing was learned:
    it is another letter, one that was not ours, about a full mailbox, or about an address the person has no longer.
    """
    bounce = gateway.read_bounce(report)
    if bounce is None:
        return False
    try:
        institution_id, person_id = letters.named_in(kit.secrets.decrypt(bounce.sealed))
    except (Undecipherable, LinkUnreadable):
        return False
    with kit.open_session(institution_id) as session:
        return letters.bounced(session, person_id, bounce.addresses, now=kit.clock.now())
