from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.support.answers import Answer, next_page, retry_after
from lti_tool.support.failures import BadAnswer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BASE = "https://lms.example.org/course/2/memberships?limit=10"


def an_answer(body: bytes = b"", **headers: str) -> Answer:
    return Answer(
        "lms.example.org", 200, "OK", {name.replace("_", "-"): value for name, value in headers.items()}, body
    )


@pytest.mark.parametrize(
    "link",
    [
        '<https://lms.example.org/p?b=Xy>; rel="next"',
        "<https://lms.example.org/p?b=Xy>; rel='next'",
        "<https://lms.example.org/p?b=Xy>; rel=next",
        "<https://lms.example.org/p?b=Xy>;rel=next;",
        "<https://lms.example.org/p?b=Xy> ; REL = NEXT",
        "<https://lms.example.org/p?b=Xy>; rel=“next”",
        "<https://lms.example.org/p?b=Xy>; rel=“next”".encode().decode("latin-1"),
        '<https://lms.example.org/p?b=Xy>; title="a, <b>; rel=prev"; rel="next"',
        '<https://lms.example.org/p?b=Xy>; crossorigin; rel="next"',
        '<https://lms.example.org/p?b=Xy>; rel="last next"',
        '<https://lms.example.org/1>; rel="first", <https://lms.example.org/p?b=Xy>; rel="next", <x>; rel="last"',
        '<https://lms.example.org/1>; rel=current,<https://lms.example.org/p?b=Xy>; rel="next",<x>; rel=last',
        "< https://lms.example.org/p?b=Xy >; rel=next",
    ],
)
def test_the_next_page_is_found_however_it_is_written(link):
    assert next_page(an_answer(Link=link), BASE) == "https://lms.example.org/p?b=Xy"


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("/p?page=2", "https://lms.example.org/p?page=2"),
        ("?limit=10&from=10", "https://lms.example.org/course/2/memberships?limit=10&from=10"),
        ("https://x.org/p?a=1&amp;b=2", "https://x.org/p?a=1&b=2"),
        ("https://x.org/p?a=1&copy=2", "https://x.org/p?a=1&copy=2"),
        ("https://x.org/p?list=1,2;3", "https://x.org/p?list=1,2;3"),
    ],
)
def test_relative_and_escaped_addresses_become_absolute_ones(target, address):
    assert next_page(an_answer(Link=f'<{target}>; rel="next"'), BASE) == address


@pytest.mark.parametrize(
    "link",
    [
        "",
        "next",
        '<https://x.org/1>; rel="prev"',
        '<>; rel="next"',
        "<https://x.org/1",
        "<https://x.org/1>; rel=nextdoor",
        '<https://x.org/1>; rel="prev"; rel="next"',
        '<https://x.org/1>; title="next"',
        "<https://[x/>; rel=next",
    ],
)
def test_the_last_page_has_no_next_one(link):
    assert next_page(an_answer(Link=link), BASE) is None


def test_an_answer_without_links_is_the_last_page():
    assert next_page(an_answer(), BASE) is None


@given(st.text(alphabet="<>;,=\"'“” relnxt/a", max_size=200))
def test_no_link_header_breaks_the_reader(link):
    found = next_page(an_answer(Link=link), BASE)

    assert found is None or found.startswith(("https://lms.example.org/", "https:", "/"))


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        ("Mon, 02 Mar 2026 09:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 02 Mar 2026 10:05:00 +0100", timedelta(minutes=5)),
        ("Mon, 02 Mar 2026 08:00:00 GMT", timedelta(0)),
        ("999999999", timedelta(days=1)),
        ("Mon, 02 Mar 2099 08:00:00 GMT", timedelta(days=1)),
    ],
)
def test_how_long_to_wait_is_read_as_seconds_or_as_a_date(value, wait):
    assert retry_after(an_answer(Retry_After=value), NOW) == wait


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "9" * 30, "Mon, 99 Mar 2026 09:05:00 GMT", "²"])
def test_a_wait_that_cannot_be_read_is_none(value):
    assert retry_after(an_answer(Retry_After=value), NOW) is None


def test_the_platforms_clock_is_aware_and_in_utc():
    date = an_answer(Date="Mon, 02 Mar 2026 10:00:00 +0100").date

    assert date == NOW
    assert date is not None
    assert date.tzinfo is UTC


@pytest.mark.parametrize("value", ["", "yesterday", "Mon, 02 Mar 99999 10:00:00 GMT"])
def test_a_clock_that_cannot_be_read_is_none(value):
    assert an_answer(Date=value).date is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"[-Infinity]",
        b"1e999",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b"9" * 5000,
        b'{"a": 1} trailing',
    ],
    ids=range(11),
)
def test_what_is_not_strict_json_is_a_bad_answer(body):
    with pytest.raises(BadAnswer) as failure:
        an_answer(body).json()

    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    ("body", "read"), [(b'{"a": [1.5, null]}', {"a": [1.5, None]}), (b"\xef\xbb\xbf[]", []), (b"0", 0)]
)
def test_json_is_read(body, read):
    assert an_answer(body).json() == read


def test_a_printed_answer_holds_nothing_that_somebody_wrote():
    printed = repr(Answer("lms.example.org", 400, "echo of Mette", {"X": "Mette"}, b"Mette"))

    assert "Mette" not in printed
    assert "400" in printed
