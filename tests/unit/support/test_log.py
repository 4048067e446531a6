import io
import json
import logging
from collections.abc import Callable

import pytest

from lti_tool.support import log
from lti_tool.support.log import HIDDEN, hide_persons_and_secrets


@pytest.fixture
def lines(logged: io.StringIO) -> Callable[[], list[dict[str, object]]]:
    """The JSON lines written since."""
    return lambda: [json.loads(line) for line in logged.getvalue().splitlines()]


def shown(**keys: object) -> dict[str, object]:
    return dict(hide_persons_and_secrets(None, "info", keys))


@pytest.mark.parametrize(
    "key",
    [
        "id_token",
        "access_token",
        "name",
        "given_name",
        "familyName",
        "email",
        "Authorization",
        "state",
        "nonce",
        "code",
        "secret",
        "client_secret",
        "client_assertion",
        "login_hint",
        "X-Api-Secret",
        "cookie",
        "private_pem",
        "body",
        "lis_person_name_full",
        "picture",
        "url",
        "claims",
    ],
)
def test_what_opens_a_door_or_names_a_person_is_hidden_by_its_key(key):
    assert shown(**{key: "Mette"}) == {key: HIDDEN}


@pytest.mark.parametrize(
    "key", ["event", "person_id", "registration_id", "status", "host", "attempts", "job", "request"]
)
def test_ids_and_facts_are_shown(key):
    assert shown(**{key: 7}) == {key: 7}


def test_absence_is_shown_even_where_the_value_would_be_hidden():
    assert shown(id_token=None, name=False) == {"id_token": None, "name": False}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln today", f"got {HIDDEN} today"),
        ("Authorization: Bearer abcdef123456", f"Authorization: {HIDDEN}"),
        ("mail to mette@example.org failed", f"mail to {HIDDEN} failed"),
        ("GET https://lms.org/a?login_hint=4 failed", f"GET https://lms.org/a?{HIDDEN} failed"),
        ('"GET /lti/login?state=abc HTTP/1.1" 302', f'"GET /lti/login?{HIDDEN} HTTP/1.1" 302'),
        ("x\n[parameters: ('Mette', 4)]\n(Background on", f"x\n[parameters: {HIDDEN}\n(Background on"),
        ("DETAIL:  Key (name)=(Mette) already exists.", f"DETAIL: {HIDDEN}"),
        ("round 3/4 of /a/b?", f"round 3/4 of /a/b?{HIDDEN}"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(text, left):
    assert shown(event=text) == {"event": left}


def test_what_lies_deeper_is_searched_too():
    assert shown(found={"ids": [1, {"email": "x"}], "words": ["a@b.org"]}) == {
        "found": {"ids": [1, {"email": HIDDEN}], "words": [HIDDEN]}
    }


def test_an_object_is_shown_as_its_text_without_what_is_secret_in_it():
    assert shown(failure=ValueError("of mette@example.org")) == {"failure": f"of {HIDDEN}"}


def test_a_line_is_json_with_what_was_bound(lines):
    with log.bound(request="r1"):
        log.get_logger("lti_tool.launch").info("launch refused", registration_id=3)
    log.get_logger("lti_tool.launch").warning("later")

    first, second = lines()
    assert first["event"] == "launch refused"
    assert (first["request"], first["registration_id"], first["level"]) == ("r1", 3, "info")
    assert first["logger"] == "lti_tool.launch"
    assert first["timestamp"].endswith("Z")
    assert "request" not in second


def test_what_a_thread_bound_is_forgotten_when_it_is_cleared(lines):
    log.bind(job=1)
    log.clear()
    log.get_logger("x").info("done")

    assert "job" not in lines()[0]


def test_lines_of_libraries_look_the_same_and_hide_the_same(lines):
    logging.getLogger("werkzeug").info("%s asked", "mette@example.org")

    assert lines()[0]["event"] == f"{HIDDEN} asked"
    assert lines()[0]["level"] == "info"


def test_of_an_error_type_and_place_are_kept_and_not_its_words(lines):
    typed = "-".join(["un", "sure"])
    try:
        try:
            {}[typed]
        except KeyError as cause:
            raise ValueError(typed) from cause
    except ValueError:
        log.get_logger("x").exception("failed")

    told = lines()[0]["exception"]
    assert "test_log.py" in told
    assert told.index("KeyError") < told.index("ValueError")
    assert "un-sure" not in told


def test_a_traceback_is_kept_and_searched(lines):
    try:
        raise ValueError("Bearer abcdef123456")
    except ValueError:
        log.get_logger("x").exception("call failed")

    assert "Traceback" in lines()[0]["exception"]
    assert "abcdef123456" not in lines()[0]["exception"]


def test_what_is_below_the_level_is_not_written(lines):
    log.get_logger("x").debug("detail")
    logging.getLogger("urllib3.connectionpool").info("a library's detail")

    assert lines() == []


def test_people_get_plain_text(lines):
    stream = io.StringIO()
    log.set_up("text", "INFO", stream)

    log.get_logger("x").info("launch refused", registration_id=3, email="mette@example.org")

    assert "launch refused" in stream.getvalue()
    assert "registration_id=3" in stream.getvalue()
    assert "mette" not in stream.getvalue()
