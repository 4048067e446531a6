"""What the tool does with answers that are slow, large, broken or elsewhere: over real sockets."""

import gzip
import time
import zlib
from contextlib import suppress
from pathlib import Path

import ijson
import pytest

from lti_tool.support.http import (
    LIMITS,
    AddressRefused,
    BadAnswer,
    Limit,
    Outbound,
    Patience,
    Purpose,
    Redirected,
    TooLarge,
    TooSlow,
    Unreachable,
    next_page,
    tls_context,
)
from tests.fakes.web_server import Request, WebServer, answer, certificate_for

SHORT = {purpose: Limit(0.4, 10_000) for purpose in Purpose}


def client(server: WebServer, limits=LIMITS, pauses: list[float] | None = None) -> Outbound:
    named = (("127.0.0.1", server.port),)
    pause = (pauses if pauses is not None else []).append
    return Outbound(named, development=True, limits=limits, pause=pause)


def drip(piece: bytes, times: int = 100):
    """Send for about ten seconds and then end well: a client without a deadline gets a good answer."""
    for _ in range(times):
        time.sleep(0.1)
        yield piece


def test_a_body_that_drips_is_too_slow_as_a_whole():
    def respond(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        yield from drip(b" ")

    with WebServer(respond) as server, pytest.raises(TooSlow):
        client(server, SHORT).get(server.url(), Purpose.KEY_SET)


def test_a_body_that_drips_under_tls_is_too_slow_as_a_whole(tmp_path: Path):
    def respond(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        yield from drip(b" ")

    certificate = certificate_for("lms.internal", tmp_path)
    with WebServer(respond, certificate) as server, pytest.raises(TooSlow):
        Outbound(
            (("lms.internal", server.port),),
            limits=SHORT,
            tls=tls_context(str(certificate)),
            resolve=lambda host, port: ["127.0.0.1"],
        ).get(server.url(host="lms.internal"), Purpose.KEY_SET)


def test_headers_that_drip_are_too_slow_as_a_whole():
    def respond(_):
        yield b"HTTP/1.1 200 OK\r\n"
        yield from drip(b"X-Drip: drop\r\n")
        yield b"Content-Length: 0\r\n\r\n"

    with WebServer(respond) as server, pytest.raises(TooSlow):
        client(server, SHORT).get(server.url(), Purpose.KEY_SET)


def test_a_host_that_hangs_gets_less_time_until_it_answers():
    def respond(request: Request):
        return answer(b"{}") if request.target == "/well" else drip(b"")

    with WebServer(respond) as server:
        calls = client(server, SHORT)
        for allowed in (30, 10, 30 / 9, 30 / 9):
            assert calls.patience.seconds("127.0.0.1", 30) == allowed
            with pytest.raises(TooSlow):
                calls.post(server.url("/hangs"), Purpose.SCORE, json_body={})
        assert calls.patience.seconds("elsewhere", 30) == 30
        calls.get(server.url("/well"), Purpose.KEY_SET)
        assert calls.patience.seconds("127.0.0.1", 30) == 30


def test_a_host_that_is_slow_and_well_is_given_its_whole_time_now_and_then():
    at = [0.0]
    patience = Patience(lambda: at[0])
    patience.ran_out("slow")
    assert patience.seconds("slow", 30) == 10
    at[0] = 600
    assert patience.seconds("slow", 30) == 30
    assert patience.seconds("slow", 30) == 10
    assert patience.seconds("slow", 2) == 2


def test_a_server_that_says_nothing_is_too_slow():
    with WebServer(lambda _: drip(b"")) as server, pytest.raises(TooSlow):
        client(server, SHORT).post(server.url(), Purpose.SCORE, json_body={})


def test_a_name_server_that_says_nothing_is_too_slow():
    def resolve(host: str, port: int) -> list[str]:
        time.sleep(5)
        return []

    with pytest.raises(TooSlow):
        Outbound(limits=SHORT, resolve=resolve).get("https://lms.example.org/", Purpose.KEY_SET)


def test_a_stream_that_drips_is_too_slow_while_it_is_read():
    def respond(_):
        yield b"HTTP/1.1 200 OK\r\n\r\n[1"
        yield from drip(b",1")
        yield b"]"

    with WebServer(respond) as server, client(server, SHORT).stream(server.url(), Purpose.ROSTER) as stream:
        assert stream.status == 200
        with pytest.raises(TooSlow):
            list(stream.chunks())


def test_a_body_over_the_limit_is_refused_without_reading_it_all():
    sent = []

    def respond(_):
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        for _ in range(1000):
            yield b" " * 100_000
            sent.append(1)

    with WebServer(respond) as server, pytest.raises(TooLarge):
        client(server).get(server.url(), Purpose.KEY_SET)
    assert len(sent) < 1000


def test_a_body_of_just_the_limit_is_taken():
    with WebServer(lambda _: answer(b" " * 10_000)) as server:
        assert len(client(server, SHORT).get(server.url(), Purpose.KEY_SET).body) == 10_000


def test_a_small_body_that_unfolds_into_a_large_one_is_counted_unfolded():
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 64_000

    with WebServer(lambda _: answer(bomb, "200 OK", "Content-Encoding: gzip")) as server, pytest.raises(TooLarge):
        client(server).get(server.url(), Purpose.TOKEN)


def test_a_compressed_answer_is_unfolded():
    with WebServer(lambda _: answer(gzip.compress(b'{"a": 1}'), "200 OK", "Content-Encoding: gzip")) as server:
        assert client(server).get(server.url(), Purpose.KEY_SET).json() == {"a": 1}


def test_broken_compression_is_a_bad_answer():
    broken = zlib.compress(b"x" * 1000)[:-10] + b"0123456789"
    with WebServer(lambda _: answer(broken, "200 OK", "Content-Encoding: gzip")) as server, pytest.raises(BadAnswer):
        client(server).get(server.url(), Purpose.KEY_SET)


def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one():
    cut_short = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1]"
    with WebServer(lambda _: [cut_short]) as server, pytest.raises(Unreachable) as failure:
        client(server).get(server.url(), Purpose.ROSTER)

    assert failure.value.reason == "broken off"


def test_chunks_that_break_off_are_never_taken_for_a_whole_answer():
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n"
    with WebServer(lambda _: [body]) as server, pytest.raises(Unreachable):
        client(server).get(server.url(), Purpose.ROSTER)


def test_garbage_instead_of_http_is_unreachable():
    with WebServer(lambda _: [b"\x00\x01\x02 garbage\r\n\r\n"]) as server, pytest.raises(Unreachable):
        client(server).get(server.url(), Purpose.KEY_SET)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_a_redirect_is_an_error_and_is_not_followed(status, method):
    with (
        WebServer(lambda _: answer()) as elsewhere,
        WebServer(lambda _: answer(b"", status, f"Location: {elsewhere.url()}")) as server,
        pytest.raises(Redirected),
    ):
        getattr(client(server), method)(server.url(), Purpose.SCORE)

    assert elsewhere.requests == []


def test_the_endless_body_of_a_redirect_is_not_read():
    sent = []

    def respond(_):
        yield b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n"
        for _ in range(1000):
            yield b" " * 100_000
            sent.append(1)

    with WebServer(respond) as server, pytest.raises(Redirected):
        client(server).get(server.url(), Purpose.KEY_SET)
    assert len(sent) < 1000


@pytest.mark.parametrize("url", ["http://me@127.0.0.1:{}/", "http://me:pw@127.0.0.1:{}/", "http://@127.0.0.1:{}/"])
def test_a_name_or_password_in_the_address_is_refused(url):
    with WebServer(lambda _: answer()) as server, pytest.raises(AddressRefused):
        client(server).get(url.format(server.port), Purpose.KEY_SET)

    assert server.requests == []


def test_a_refusal_keeps_its_status_and_the_beginning_of_its_words():
    with WebServer(lambda _: answer(b"x" * 5_000_000, "404 Not Found")) as server:
        fetched = client(server).get(server.url(), Purpose.KEY_SET)

    assert fetched.status == 404
    assert 0 < len(fetched.body) < 200_000


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_fetch_is_repeated_when_the_platform_is_away_for_a_moment(status):
    answers = [answer(b"", f"{status} Away"), answer(b"", f"{status} Away"), answer(b"[]")]
    pauses: list[float] = []

    with WebServer(lambda _: answers.pop(0)) as server:
        fetched = client(server, pauses=pauses).get(server.url(), Purpose.KEY_SET)

    assert fetched.json() == []
    assert pauses == [0.3, 1.0]


def test_a_fetch_gives_up_after_three_attempts_and_returns_what_it_got():
    with WebServer(lambda _: answer(b"", "503 Away")) as server:
        fetched = client(server).get(server.url(), Purpose.KEY_SET)

    assert fetched.status == 503
    assert len(server.requests) == 3


def test_a_platform_that_says_when_to_come_back_is_not_asked_again_at_once():
    with WebServer(lambda _: answer(b"", "503 Away", "Retry-After: 60")) as server:
        client(server).get(server.url(), Purpose.KEY_SET)

    assert len(server.requests) == 1


def test_a_token_is_asked_for_again_after_a_lost_connection():
    answers = [[], answer(b'{"access_token": "t"}')]

    with WebServer(lambda _: answers.pop(0)) as server:
        fetched = client(server).post(server.url(), Purpose.TOKEN, form={"grant_type": "client_credentials"})

    assert fetched.json() == {"access_token": "t"}
    assert server.requests[1].body == b"grant_type=client_credentials"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
@pytest.mark.parametrize("reply", [[], answer(b"", "503 Away")])
def test_a_score_is_sent_once_whatever_happens(method, reply):
    with WebServer(lambda _: reply) as server, suppress(Unreachable):
        getattr(client(server), method)(server.url(), Purpose.SCORE)

    assert len(server.requests) == 1


def test_the_media_type_of_a_score_is_the_callers():
    media_type = "application/vnd.ims.lis.v1.score+json"
    with WebServer(lambda _: answer(b"", "204 No Content")) as server:
        client(server).post(server.url(), Purpose.SCORE, {"Content-Type": media_type}, json_body={"scoreGiven": 1})

    assert server.requests[0].headers["Content-Type"] == media_type
    assert server.requests[0].body == b'{"scoreGiven": 1}'


def test_a_header_that_cannot_be_sent_is_refused_without_quoting_it():
    with WebServer(lambda _: answer()) as server, pytest.raises(ValueError) as failure:
        client(server).get(server.url(), Purpose.ROSTER, {"Authorization": "Bearer abc\r\nX-Other: 1"})

    assert "abc" not in repr(failure.value)
    assert failure.value.__suppress_context__


def test_failures_do_not_carry_the_query_in_their_traceback():
    with WebServer(lambda _: []) as server, pytest.raises(Unreachable) as failure:
        client(server).post(server.url("/path?secret=abc"), Purpose.SCORE)

    assert "abc" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


def test_a_roster_is_read_as_it_arrives():
    members = b",".join(b'{"user_id": "%d"}' % number for number in range(5000))
    whole = answer(b'{"members": [' + members + b"]}")
    with WebServer(lambda _: whole) as server, client(server).stream(server.url(), Purpose.ROSTER) as stream:
        ids = [member["user_id"] for member in ijson.items(stream, "members.item")]

    assert ids == [str(number) for number in range(5000)]


def test_the_link_of_a_real_moodle_with_curly_quotes_is_understood_over_the_wire():
    link = "Link: <http://127.0.0.1/lineitems?limit=2&amp;from=2>; rel=“next”"
    with WebServer(lambda _: answer(b"[]", "200 OK", link)) as server:
        fetched = client(server).get(server.url(), Purpose.SCORE)

    assert next_page(fetched, server.url()) == "http://127.0.0.1/lineitems?limit=2&from=2"


def test_the_platforms_clock_is_read_from_its_answer():
    with WebServer(lambda _: answer(b"", "200 OK", "Date: Mon, 02 Mar 2026 09:00:00 GMT")) as server:
        fetched = client(server).get(server.url(), Purpose.SCORE)

    assert fetched.date is not None
    assert fetched.date.isoformat() == "2026-03-02T09:00:00+00:00"


def test_cookies_of_one_answer_are_not_sent_with_the_next_call():
    with WebServer(lambda _: answer(b"", "200 OK", "Set-Cookie: a=b")) as server:
        outbound = client(server)
        outbound.get(server.url(), Purpose.KEY_SET)
        outbound.get(server.url(), Purpose.KEY_SET)

    assert all("Cookie" not in request.headers for request in server.requests)


def test_a_form_is_sent_as_a_form():
    seen: list[Request] = []

    def respond(request):
        seen.append(request)
        return answer()

    with WebServer(respond) as server:
        client(server).post(server.url(), Purpose.TOKEN, form={"a": "å b"})

    assert seen[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert seen[0].body == b"a=%C3%A5+b"
