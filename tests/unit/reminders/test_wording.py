"""Letters in the reader's language, with headers that nothing can add to."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from zoneinfo import ZoneInfo

from lti_tool.reminders import wording
from lti_tool.reminders.rules import Rule, Waiting
from lti_tool.reminders.service import Outgoing, Section
from lti_tool.settings import Settings
from tests.catalogs import a_catalog

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 3, 22, 59, tzinfo=UTC)
SETTINGS = Settings(base_url="https://tandem.example.org", mail_from="tandem@example.org")
LINK = "https://tandem.example.org/letters/sealed"


def outgoing(locale: str | None = None, title: str = "Observe", words: str = "", *, link: str | None = "") -> Outgoing:
    waiting = (
        Waiting(Rule.STAFF, words=words, act_id=1),
        Waiting(Rule.DUE_SOON, 1, ("Feedback given",), DUE),
        *(Waiting(rule, 2) for rule in (Rule.WAITS, Rule.TIME, Rule.FEEDBACK, Rule.PARTNER, Rule.CHANGE)),
        Waiting(Rule.OVERDUE, 3, ("Feedback given", "Feedback answered"), NOW),
    )
    section = Section("Teaching", title, link, "Campus LMS", "UTC", waiting)
    zone = ZoneInfo("Europe/Stockholm")
    return Outgoing(7, 1, "mette@campus.example", locale, zone, (section,))


def test_a_letter_says_each_thing_in_a_sentence_of_its_own() -> None:
    text = wording.letter(outgoing(words="See you"), SETTINGS, LINK, now=NOW).get_body(("plain",)).get_content()
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert lines == [
        "- Your instructors remind you of this activity.",
        "- Round 1 is due on Tue 3 Nov, 23:59: Feedback given.",
        "- In round 2 someone is waiting for your answer.",
        "- In round 2 a time for your meeting is proposed. Does it suit you?",
        "- In round 2 there is feedback for you to read.",
        "- You have a partner in round 2.",
        "- Your group in round 2 has changed.",
        "- Round 3 was due on Mon 2 Nov, 10:00. It is not too late: Feedback given, Feedback answered.",
    ]
    assert "Open it in your course on Campus LMS." in text
    assert f"Stop these letters: {LINK}" in text


def test_mail_programs_find_a_long_link_that_stops_letters() -> None:
    link = f"https://tandem.example.org/letters/{'gAAAAA' * 30}=="
    sent = wording.letter(outgoing(), SETTINGS, link, now=NOW).as_bytes()
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in sent


def test_headers_stop_letters_and_take_nothing_along() -> None:
    title = "Observe\r\nBcc: all@campus.example\r\n\r\n<script>alert(1)</script>"
    letter = wording.letter(outgoing(title=title, words="<b>\r\n.\r\nhi"), SETTINGS, LINK, now=NOW)
    read = message_from_bytes(letter.as_bytes(), policy=policy.default)
    assert read["To"] == "mette@campus.example"
    assert read["Bcc"] is None
    assert read["List-Unsubscribe"] == f"<{LINK}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Message-ID"] == "<letter-7@tandem.example.org>"
    page = read.get_body(("html",)).get_content()
    assert "<script>" not in page
    assert "&lt;b&gt;<br>.<br>hi" in page


def test_a_letter_speaks_the_language_that_has_a_catalog(tmp_path: Path) -> None:
    texts = {
        "Round %(number)d is due on %(when)s:": "Omgång %(number)d ska vara klar %(when)s:",
        "Feedback given": "Återkoppling lämnad",
    }
    a_catalog(tmp_path, "sv", texts)
    for locale, sentence in (
        ("sv-SE", "Omgång 1 ska vara klar tis 3 nov., 23:59: Återkoppling lämnad."),
        ("fi", "Round 1 is due on Tue 3 Nov, 23:59: Feedback given."),
        (None, "Round 1 is due on Tue 3 Nov, 23:59: Feedback given."),
    ):
        letter = wording.letter(outgoing(locale), SETTINGS, LINK, now=NOW, folder=tmp_path)
        assert sentence in letter.get_body(("plain",)).get_content()
