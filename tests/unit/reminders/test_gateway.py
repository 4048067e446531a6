"""Whatever arrives as a delivery report is read without a failure."""

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.reminders.gateway import LONGEST_REPORT, read_bounce

HEAD = b'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="part"\n\n'
STATE = b"--part\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n\n"
LETTER = (
    b"--part\nContent-Type: text/rfc822-headers\n\nList-Unsubscribe: <https://t.example/letters/sealed>\n\n--part--\n"
)


def test_a_report_with_the_letters_headers_is_read() -> None:
    bounce = read_bounce(HEAD + STATE + LETTER)

    assert bounce is not None
    assert (bounce.addresses, bounce.sealed) == ({"a@b.example"}, "sealed")


@given(st.binary(max_size=200), st.integers(0, len(STATE + LETTER)))
def test_garbled_reports_are_not_believed_and_raise_nothing(garbage: bytes, at: int) -> None:
    rest = STATE + LETTER
    bounce = read_bounce(HEAD + rest[:at] + garbage + rest[at:])

    assert bounce is None or bounce.addresses


def test_a_report_is_read_as_far_as_a_letter_can_be_long() -> None:
    assert read_bounce(HEAD + STATE + b"x" * LONGEST_REPORT + LETTER) is None
