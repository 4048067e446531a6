"""What a real Moodle answered to scores and about columns, judged and read by our gateway."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lti_tool.grades import rules
from lti_tool.grades.errors import GradebookUnavailable
from lti_tool.grades.gateway import ALL_SCOPES, SCORE_TYPE, Gradebook, Score
from lti_tool.grades.rules import WHOLE, Kind, Reason
from lti_tool.launch.rules.platforms import platform_of
from lti_tool.registration.service import keys
from lti_tool.support.kit import Kit
from tests.factories.people import a_registration, an_institution
from tests.factories.registration import json_answer, reaching
from tests.fakes.web_server import Request, WebServer, answer

RECORDED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recordings/gradebook/moodle.json").read_text()
)
RECORDED_AT = "http://127.0.0.1:8081"
SCORE = Score("7", WHOLE * 3 // 4, 20, datetime(2026, 11, 20, 23, 53, 56, 146_000, UTC), "Completed in Tandem.")


@dataclass
class Replay:
    """A server that gives one recorded answer to whatever it is asked."""

    server: WebServer
    gradebook: Gradebook
    said: dict[str, Any] = field(default_factory=dict)

    def play(self, kind: str, name: str) -> str:
        """Answer with this recording, and return its address here."""
        exchange = RECORDED[kind][name]
        self.said = exchange["response"]
        return str(exchange["request"]["url"]).replace(RECORDED_AT, self.server.url(""))

    @property
    def asked(self) -> Request:
        return self.server.requests[-1]


@pytest.fixture
def replay(kit: Kit) -> Iterator[Replay]:
    def respond(request: Request) -> list[bytes]:
        if request.target == "/token":
            return json_answer({"access_token": "token", "token_type": "Bearer", "expires_in": 3600})
        headers = [f"{name}: {value}" for name, value in replay.said["headers"].items()]
        body = replay.said["body"]
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        return answer(text.encode(), f"{replay.said['status']} {replay.said['reason']}", *headers)

    with WebServer(respond) as server:
        with kit.open_session() as session:
            keys.ensure_signing_key(session, kit.secrets, now=kit.clock.now())
            registration = a_registration(session, an_institution(session), auth_token_url=server.url("/token"))
        replay = Replay(
            server,
            Gradebook(reaching(kit, server.port), registration.id, [server.url("")], platform_of("moodle"), ALL_SCOPES),
        )
        yield replay


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("first_15_of_20", Kind.DELIVERED, None),
        ("after_teacher_override", Kind.DELIVERED, None),
        ("hidden_activity", Kind.DELIVERED, None),
        ("for_student27", Kind.DELIVERED, None),
        ("older_timestamp", Kind.CONFLICT, Reason.NEWER_GRADE),
        ("same_second_later_millisecond", Kind.CONFLICT, Reason.NEWER_GRADE),
        ("now_after_future", Kind.CONFLICT, Reason.NEWER_GRADE),
        ("for_outsider1", Kind.REFUSED, Reason.NOT_GRADABLE),
        ("for_teacher1", Kind.REFUSED, Reason.NOT_GRADABLE),
        ("for_tutor1", Kind.REFUSED, Reason.NOT_GRADABLE),
        ("for_unknown_id", Kind.REFUSED, Reason.NOT_GRADABLE),
        ("ctype_application_json", Kind.WAITS, Reason.NOT_UNDERSTOOD),
        ("wrong_scope", Kind.WAITS, Reason.NO_ACCESS),
        ("unknown_lineitem", Kind.GONE, Reason.COLUMN_GONE),
        ("deleted_lineitem", Kind.GONE, Reason.COLUMN_GONE),
        ("for_text_id", Kind.RETRY, Reason.TROUBLE),
        ("locked_single_grade", Kind.RETRY, Reason.TROUBLE),
    ],
)
def test_moodles_answer_to_a_score_means(replay: Replay, name: str, kind: Kind, reason: Reason | None) -> None:
    url = replay.play("scores", name).replace("/scores", "")
    receipt = replay.gradebook.post_score(url, SCORE)
    verdict = rules.judge(receipt.status, receipt.words)
    assert (verdict.kind, verdict.reason) == (kind, reason)
    assert receipt.date is not None


def test_a_score_goes_out_as_the_one_that_moodle_took(replay: Replay) -> None:
    url = replay.play("scores", "first_15_of_20")
    replay.gradebook.post_score(url.replace("/scores", ""), SCORE)
    recorded = RECORDED["scores"]["first_15_of_20"]["request"]
    sent = json.loads(replay.asked.body)
    assert replay.asked.target == recorded["url"].removeprefix(RECORDED_AT)
    assert replay.asked.headers["Content-Type"] == SCORE_TYPE
    assert sent.pop("comment")
    assert {name: value for name, value in recorded["body"].items() if name != "comment"} == sent


def test_a_refusal_shows_nobody_what_it_echoes(replay: Replay) -> None:
    url = replay.play("scores", "for_teacher1").replace("/scores", "")
    receipt = replay.gradebook.post_score(url, SCORE)
    assert "incorrect score" in receipt.words
    assert "incorrect" not in repr(receipt)
    assert "'7'" not in repr(SCORE)


def test_the_column_of_a_link_is_found_in_moodles_list(replay: Replay) -> None:
    url = replay.play("line_items", "list")
    found = replay.gradebook.columns_of(url, "4")
    assert [urlsplit(column.url).path for column in found] == ["/mod/lti/services.php/2/lineitems/5/lineitem"]
    assert found[0].label.startswith("DL two")


def test_a_new_column_is_what_moodle_called_it(replay: Replay) -> None:
    url = replay.play("line_items", "create_coupled_to_link_1")
    column = replay.gradebook.make_column(url, label="P", maximum=5, resource_link_id="1", resource_id="part-1")
    assert column is not None
    assert column.url == RECORDED["line_items"]["create_coupled_to_link_1"]["response"]["body"]["id"]
    assert column.resource_link_id == "1"


@pytest.mark.parametrize("name", ["create_foreign_link", "create_with_readonly_scope"])
def test_a_column_that_moodle_refuses_to_make_is_none(replay: Replay, name: str) -> None:
    url = replay.play("line_items", name)
    assert replay.gradebook.make_column(url, label="P", maximum=5, resource_link_id="1", resource_id="x") is None


@pytest.mark.parametrize("name", ["get_deleted", "get_unknown_item"])
def test_a_column_that_is_gone_is_none(replay: Replay, name: str) -> None:
    column, date = replay.gradebook.column(replay.play("line_items", name))
    assert column is None
    assert date is not None


def test_a_result_is_read_as_moodle_words_it(replay: Replay) -> None:
    result = replay.gradebook.result_of(replay.play("results", "one_user").replace("/results", ""), "7")
    assert result is not None
    assert (result.score, result.maximum) == (5, 20)
    assert result.at is not None


@pytest.mark.parametrize("name", ["user_without_grade", "item_without_any_grade", "unknown_item", "limit_5"])
def test_where_moodle_has_no_result_there_is_none(replay: Replay, name: str) -> None:
    url = replay.play("results", name).replace("/results", "")
    assert replay.gradebook.result_of(url, "7") is None


def test_a_list_that_cannot_be_read_is_no_empty_list(replay: Replay) -> None:
    url = replay.play("line_items", "list")
    replay.said = {**replay.said, "status": 500}
    with pytest.raises(GradebookUnavailable):
        replay.gradebook.columns_of(url, "4")
