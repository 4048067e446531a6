"""What a real Moodle said about its course, replayed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lti_tool.launch.rules.roles import CourseRole
from lti_tool.registration.service import keys
from lti_tool.roster import gateway, rules
from lti_tool.roster.errors import RosterGone
from lti_tool.support.kit import Kit
from tests.factories.people import a_registration, an_institution
from tests.factories.registration import json_answer, reaching
from tests.fakes.web_server import Request, WebServer, answer

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recordings/roster/moodle.json").read_text())
RECORDED_AT = "http://127.0.0.1:8081"


@dataclass
class Replay:
    """A server that answers what Moodle answered, at its own address."""

    server: WebServer
    kit: Kit
    registration_id: int

    def url(self, exchange: dict[str, Any]) -> str:
        return str(exchange["request"]["url"]).replace(RECORDED_AT, self.server.url(""))


@pytest.fixture
def replay(kit: Kit) -> Iterator[Replay]:
    exchanges = {
        one["request"]["url"].removeprefix(RECORDED_AT): one
        for one in [*RECORDED["pages"], RECORDED["unknown_link"], RECORDED["restricted_link"]]
    }

    def respond(request: Request) -> list[bytes]:
        if request.target == "/token":
            return json_answer({"access_token": "token", "token_type": "Bearer", "expires_in": 3600})
        assert request.headers["Accept"] == gateway.MEDIA_TYPE
        said = exchanges[request.target]["response"]
        headers = [f"{name}: {value}".replace(RECORDED_AT, server.url("")) for name, value in said["headers"].items()]
        return answer(json.dumps(said["body"]).encode(), f"{said['status']} {said['reason']}", *headers)

    with WebServer(respond) as server:
        with kit.open_session() as session:
            keys.ensure_signing_key(session, kit.secrets, now=kit.clock.now())
            registration = a_registration(session, an_institution(session), auth_token_url=server.url("/token"))
        yield Replay(server, reaching(kit, server.port), registration.id)


def test_every_page_of_moodles_roster_is_found_and_read(replay: Replay) -> None:
    url: str | None = replay.url(RECORDED["pages"][0])
    rows: dict[str, rules.RosterRow] = {}
    visited = 0
    while url is not None:
        with gateway.page(replay.kit, replay.registration_id, 1, url) as page:
            found = [rules.row_of(member, names_are_escaped=True) for member in page.members()]
            rows |= rules.merged(row for row in found if row is not None)
            url = page.next_url
        visited += 1
    assert visited == len(RECORDED["pages"])
    assert len(rows) == sum(len(page["response"]["body"]["members"]) for page in RECORDED["pages"])
    assert rows["22"].name == "Tom & Jerry Ampersand"
    assert rows["3"].name == "Åsa Öberg"
    assert rows["30"].role is CourseRole.INSTRUCTOR
    # The non-editing teacher, of whom the roster says no more than this.
    assert rows["31"].role is CourseRole.LEARNER
    assert all(row.is_active and row.email for row in rows.values())


def test_a_link_that_moodle_does_not_know_is_gone(replay: Replay) -> None:
    with (
        pytest.raises(RosterGone),
        gateway.page(replay.kit, replay.registration_id, 1, replay.url(RECORDED["unknown_link"])),
    ):
        pass


def test_moodle_lists_only_those_who_may_open_a_restricted_activity(replay: Replay) -> None:
    url = replay.url(RECORDED["restricted_link"]).removesuffix("?rlid=2")
    roster = gateway.CourseRoster(1, replay.registration_id, [replay.server.url("")], url, page_size=None)
    found = gateway.who_may_open(replay.kit, roster, "2")
    everybody = {one["user_id"] for page in RECORDED["pages"] for one in page["response"]["body"]["members"]}
    assert found is not None
    assert (len(found), found < everybody, len(everybody)) == (15, True, 28)
    assert gateway.who_may_open(replay.kit, roster, "9999") is None


def test_a_status_that_is_not_understood_locks_nobody_out(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    members = RECORDED["restricted_link"]["response"]["body"]["members"]
    monkeypatch.setitem(members[0], "status", "Pending")
    monkeypatch.setitem(members[1], "status", "Inactive")
    url = replay.url(RECORDED["restricted_link"]).removesuffix("?rlid=2")
    roster = gateway.CourseRoster(1, replay.registration_id, [replay.server.url("")], url, page_size=None)
    found = gateway.who_may_open(replay.kit, roster, "2")
    assert found == {member["user_id"] for member in members} - {members[1]["user_id"]}
