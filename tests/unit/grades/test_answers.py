"""What a platform's answer to a score means."""

from datetime import timedelta

import pytest

from lti_tool.grades.rules import GIVES_UP_ON_500, PAUSE_UNSAID, Kind, Reason, judge

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "words", "kind", "reason"),
    [
        (200, "ok []", Kind.DELIVERED, None),
        (204, "", Kind.DELIVERED, None),
        (400, 'incorrect score received{"userid": "30"} []', Kind.REFUSED, Reason.NOT_GRADABLE),
        (400, "provided timestamp of x before last updated timestamp of y", Kind.CONFLICT, Reason.NEWER_GRADE),
        (400, "user could not be found: 7", Kind.WAITS, Reason.NOT_ENROLLED),
        (400, "no handler found for /2/lineitems", Kind.WAITS, Reason.NOT_UNDERSTOOD),
        (400, "bad request <!doctype html><title>maintenance", Kind.WAITS, Reason.BLOCKED),
        (401, "unauthorized", Kind.WAITS, Reason.NO_ACCESS),
        (401, "invalid access token field/s: the 'aud' is invalid", Kind.WAITS, Reason.NO_ACCESS),
        (403, "forbidden", Kind.WAITS, Reason.NOT_ALLOWED),
        (403, "forbidden <html>your attempt was blocked", Kind.WAITS, Reason.BLOCKED),
        (403, "403 forbidden (rate limit exceeded)", Kind.THROTTLED, Reason.BUSY),
        (403, "user in requested score is not enrolled in the org unit", Kind.WAITS, Reason.NOT_ENROLLED),
        (404, "not found: grade item 5 doesn't exist", Kind.GONE, Reason.COLUMN_GONE),
        (404, 'user in requested score does not exist {"url": "/lineitems/5"}', Kind.WAITS, Reason.NOT_ENROLLED),
        (404, "the specified resource does not exist.", Kind.GONE, Reason.COLUMN_GONE),
        (404, "not found <html><h1>down for maintenance", Kind.WAITS, Reason.BLOCKED),
        (405, "", Kind.WAITS, Reason.NOT_ALLOWED),
        (408, "", Kind.RETRY, Reason.TROUBLE),
        (409, "", Kind.CONFLICT, Reason.NEWER_GRADE),
        (410, "", Kind.GONE, Reason.COLUMN_GONE),
        (412, "", Kind.WAITS, Reason.NOT_UNDERSTOOD),
        (422, "", Kind.WAITS, Reason.NOT_UNDERSTOOD),
        (422, "user not found in course or is not a student", Kind.WAITS, Reason.NOT_ENROLLED),
        (422, "user in requested score can not be graded", Kind.REFUSED, Reason.NOT_GRADABLE),
        (422, "the maximum number of allowed attempts has been reached", Kind.REFUSED, Reason.NO_ATTEMPTS_LEFT),
        (429, "", Kind.THROTTLED, Reason.BUSY),
        (500, "internal server error", Kind.RETRY, Reason.TROUBLE),
        (503, "", Kind.RETRY, Reason.TROUBLE),
    ],
)
def test_an_answer_means(status: int, words: str, kind: Kind, reason: Reason | None) -> None:
    verdict = judge(status, words)
    assert (verdict.kind, verdict.reason) == (kind, reason)


def test_throttling_waits_as_long_as_asked_or_a_little() -> None:
    assert judge(429, "", after=MINUTE).after == MINUTE
    assert judge(429, "").after == PAUSE_UNSAID


def test_clocks_that_are_apart_explain_a_refusal_that_says_nothing_else() -> None:
    apart = timedelta(minutes=5)
    assert judge(401, "unauthorized", clock_offset=apart).reason is Reason.CLOCK
    assert judge(400, "bad request", clock_offset=-apart).reason is Reason.CLOCK
    assert judge(401, "unauthorized", clock_offset=timedelta(seconds=2)).reason is Reason.NO_ACCESS
    assert judge(422, "user not found in course", clock_offset=apart).reason is Reason.NOT_ENROLLED


def test_trouble_with_a_wish_is_waited_out_as_wished() -> None:
    assert judge(503, "", after=MINUTE).after == MINUTE


def test_a_locked_grade_is_recognized_after_some_attempts() -> None:
    assert judge(500, "", attempts=GIVES_UP_ON_500 - 1, locked_status=500).kind is Kind.RETRY
    locked = judge(500, "", attempts=GIVES_UP_ON_500, locked_status=500)
    # A platform that is only broken for an hour answers so too.
    assert (locked.kind, locked.reason) == (Kind.WAITS, Reason.LOCKED)
    assert judge(500, "", attempts=99).kind is Kind.RETRY
    assert judge(502, "", attempts=99, locked_status=500).kind is Kind.RETRY
