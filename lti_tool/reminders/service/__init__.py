"""What waits for learners, the letters that say so, and what staff and learners decide about them."""

from lti_tool.reminders.service.letters import (
    MailStanding,
    Outgoing,
    Section,
    begin,
    count_letters,
    mail_trouble,
    people_to_write_to,
    standing_of,
    stop,
    take_up,
)
from lti_tool.reminders.service.persons import everything_of, forget
from lti_tool.reminders.service.staff import Given, given_in, remind, reminders_of, shown_to, take_back
from lti_tool.reminders.service.waiting import waiting_in

__all__ = [
    "Given",
    "MailStanding",
    "Outgoing",
    "Section",
    "begin",
    "count_letters",
    "everything_of",
    "forget",
    "given_in",
    "mail_trouble",
    "people_to_write_to",
    "remind",
    "reminders_of",
    "shown_to",
    "standing_of",
    "stop",
    "take_back",
    "take_up",
    "waiting_in",
]
