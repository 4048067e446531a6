"""The command line as an operator types it."""

import json
import re
import stat
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select

import lti_tool
from lti_tool.cli import main
from lti_tool.launch.models import Person
from lti_tool.registration.models import Deployment, Invitation, ParkedDeployment, Registration
from lti_tool.registration.service.keys import signing_key
from lti_tool.support import schema
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import OpenSession, across_institutions, make_engine, session_opener
from sandbox_lms import SandboxLms
from tests.engines import URLS
from tests.factories.people import LONG_AGO, a_course, a_deployment, a_member, a_person, a_registration, an_institution
from tests.shared import reserved_port
from tests.unit.registration.test_rules import GOOD

Run = Callable[..., Result]
EXAMPLE = Path(__file__).parents[2] / "config" / "registration.example.json"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str | None]:
    return {
        "LTI_TOOL_DEVELOPMENT": "1",
        "LTI_TOOL_BASE_URL": "http://localhost:8000",
        "LTI_TOOL_DATABASE_URL": f"sqlite:///{tmp_path}/tandem.db",
        "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
    }


@pytest.fixture
def run(environment: dict[str, str | None]) -> Run:
    """Type a command; it must end with this status."""

    def typed(*words: object, status: int = 0, said: str | None = None) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words], env=environment, input=said)
        assert result.exit_code == status, f"{result.output}{result.exception!r}"
        return result

    return typed


@pytest.fixture
def open_file(environment: dict[str, str | None], run: Run) -> Any:
    """Sessions on the database that the commands use."""
    run("migrate")
    engine: Engine = make_engine(str(environment["LTI_TOOL_DATABASE_URL"]))
    yield session_opener(engine)
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        path = tmp_path / "registrations.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def test_a_fresh_database_is_brought_up_to_date_by_the_first_command(
    run: Run, environment: dict[str, str | None]
) -> None:
    run("deployments", "list")
    engine = make_engine(str(environment["LTI_TOOL_DATABASE_URL"]))
    assert schema.is_current(engine)
    engine.dispose()


def test_the_database_goes_down_and_up_again(run: Run) -> None:
    assert "up to date" in run("migrate").output
    assert "at base" in run("migrate", "--to", "base").output
    assert "up to date" in run("migrate").output


def test_all_wrong_settings_are_told_at_once(run: Run, environment: dict[str, str | None]) -> None:
    environment |= {"LTI_TOOL_BASE_URL": "ftp://x", "LTI_TOOL_WORKER": "somebody", "LTI_TOOL_WORKR": "1"}
    output = run("migrate", status=1).output
    for name in ("LTI_TOOL_BASE_URL", "LTI_TOOL_WORKER ", "LTI_TOOL_WORKR"):
        assert name in output
    assert "BAD  settings" in run("doctor", status=1).output


def test_an_invitation_is_printed_once_and_revoked_by_number_or_address(run: Run, open_file: OpenSession) -> None:
    addresses = []
    for _ in range(2):
        result = run("invite", "--institution", "University", "--expires", "2h")
        addresses.append(result.stdout.strip())
        assert re.fullmatch(r"http://localhost:8000/lti/register\?invite=[\w-]{43}", addresses[-1])
    assert len(set(addresses)) == 2
    run("invite", "--revoke", "1")
    run("invite", "--revoke", addresses[1])
    run("invite", "--revoke", "1", status=1)
    run("invite", "--revoke", "http://localhost:8000/lti/register?invite=made-up", status=1)
    run("invite", status=2)
    run("invite", "--institution", "x", "--expires", "soon", status=2)
    with open_file() as session:
        stored = session.scalars(select(Invitation)).all()
        assert [one.revoked_at is not None for one in stored] == [True, True]
        assert (stored[0].expires_at - stored[0].created_at).total_seconds() == 7200


def test_a_file_that_begins_with_a_byte_order_mark_registers(run: Run, open_file: OpenSession, tmp_path: Path) -> None:
    file = tmp_path / "registration.json"
    file.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.read_bytes())
    assert "Registered" in run("register", file).output


def test_the_example_file_registers_and_registers_again(run: Run, open_file: OpenSession) -> None:
    assert run("register", EXAMPLE).output.count("Registered") == 3
    assert run("register", EXAMPLE).output.count("Updated") == 3
    with open_file() as session:
        assert len(session.scalars(select(Registration)).all()) == 3
    listed = run("deployments", "list").output
    assert "1. Campus Moodle: https://moodle.example.org" in listed
    assert "deployment 1: last launch never" in listed


@pytest.mark.parametrize("content", ["", "{", "[" * 5000, "\x00"])
def test_what_is_no_json_is_said_to_be_none(run: Run, file: Callable[[Any], Path], content: str) -> None:
    assert "is not JSON" in run("register", file(content), status=1).output


def test_mistakes_in_a_file_are_listed_and_nothing_is_kept(
    run: Run, file: Callable[[Any], Path], open_file: OpenSession
) -> None:
    output = run("register", file([GOOD, {"title": "Second"}]), status=1).output
    assert "entry 2 (Second): issuer is missing" in output
    with open_file() as session:
        assert session.scalars(select(Registration)).all() == []


def test_parked_deployments_are_approved_and_refused(
    run: Run, file: Callable[[Any], Path], open_file: OpenSession
) -> None:
    run("register", file([GOOD | {"institution": "A"}]))
    with open_file() as session:
        registration_id = session.scalars(select(Registration.id)).one()
        for lti_id in ("8", "9"):
            session.add(
                ParkedDeployment(
                    registration_id=registration_id, lti_id=lti_id, first_seen_at=LONG_AGO, last_seen_at=LONG_AGO
                )
            )
    assert "number 1: deployment 8 waits for approval" in run("deployments", "list").output
    run("deployments", "approve", 1)
    run("deployments", "refuse", 2)
    run("deployments", "approve", 77, status=1)
    run("deployments", "approve", 2, "--institution", "Nobody", status=1)
    assert "number 2: deployment 9 refused" in run("deployments", "list").output
    with open_file() as session, across_institutions(session):
        assert session.scalars(select(Deployment.lti_id).order_by(Deployment.id)).all() == ["1", "8"]


def test_a_platform_is_paused_and_resumed(run: Run, file: Callable[[Any], Path]) -> None:
    run("register", file([GOOD]))
    run("pause", 1)
    assert "paused (operator)" in run("deployments", "list").output
    run("resume", 1)
    assert "active" in run("deployments", "list").output
    run("pause", 2, status=1)


def test_keys_rotate_step_by_step(run: Run) -> None:
    assert "Published the next key" in run("rotate-keys").output
    assert "It can sign from" in run("rotate-keys").output
    assert "Signing with" in run("rotate-keys", "--force").output


def test_a_new_secret_key_takes_over(
    run: Run, environment: dict[str, str | None], file: Callable[[Any], Path], open_file: OpenSession
) -> None:
    run("register", file([GOOD]))
    old, new = environment["LTI_TOOL_SECRET_KEYS"], KeyRing.generate_key()
    environment["LTI_TOOL_SECRET_KEYS"] = f"{new},{old}"
    assert "1 secrets are encrypted" in run("reencrypt").output
    with open_file() as session:
        assert signing_key(session, KeyRing([new]))
    environment["LTI_TOOL_SECRET_KEYS"] = KeyRing.generate_key()
    run("reencrypt", status=1)


@pytest.fixture
def mette(open_file: OpenSession) -> int:
    with open_file() as session:
        registration = a_registration(session, an_institution(session, name="University"))
        person = a_person(session, registration, name="Mette Ø", email="mette@example.org")
        a_member(session, a_course(session, a_deployment(session, registration)), person)
        return person.id


def test_a_person_is_found_exported_and_erased(run: Run, mette: int, tmp_path: Path, open_file: OpenSession) -> None:
    assert f"{mette}: Mette Ø" in run("person", "find", "mette").output
    target = tmp_path / "mette.zip"
    target.touch(mode=0o644)
    run("person", "export", mette, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as archive:
        assert "Mette Ø" in archive.read("index.html").decode()
        assert json.loads(archive.read("data.json"))["person"]["email"] == "mette@example.org"
    run("person", "erase", mette, said="n\n", status=1)
    run("person", "erase", mette, "--yes")
    with open_file() as session, across_institutions(session):
        assert session.get_one(Person, mette).name is None
    for words in (("person", "export", 99, target), ("person", "erase", 99, "--yes"), ("grant-admin", 99)):
        run(*words, status=1)


def test_an_administrator_is_made(run: Run, mette: int, open_file: OpenSession) -> None:
    run("grant-admin", mette)
    assert "(administrator)" in run("person", "find", "mette").output
    with open_file() as session, across_institutions(session):
        assert session.get_one(Person, mette).is_administrator


def test_the_doctor_looks_at_platforms(
    run: Run, environment: dict[str, str | None], file: Callable[[Any], Path]
) -> None:
    with SandboxLms(profile="moodle").running() as lms:
        environment["LTI_TOOL_REACHABLE_PRIVATE_HOSTS"] = f"127.0.0.1:{lms.port}"
        tool = lms.register_tool(
            title="Tandem",
            initiate_login_uri="http://localhost:8000/lti/login",
            redirect_uris=["http://localhost:8000/lti/launch"],
            # Nobody listens there, so the platform cannot check what we sign.
            jwks_uri="http://127.0.0.1:1/lti/jwks",
            target_link_uri="http://localhost:8000/lti/launch",
        )
        run("register", file([tool.as_registration_json() | {"title": "Sandbox"}]))
        output = run("doctor", status=1).output
    assert "ok   migrations: up to date" in output
    assert "ok   signing key: 1 published" in output
    assert re.search(r"ok   Sandbox, key set: \d keys", output)
    assert "BAD  Sandbox, token endpoint: could not use our published keys" in output
    assert "it must be able to fetch http://localhost:8000/lti/jwks" in output
    assert "cURL allowed ports list" in output


def test_a_worker_runs_what_is_due_and_stops(run: Run) -> None:
    assert "0 jobs done" in run("worker", "--until-idle").output


def test_a_relay_without_celery_says_what_it_needs(run: Run) -> None:
    assert "Only LTI_TOOL_JOBS=celery has a message broker." in run("relay", status=1).output


def test_the_doctor_looks_at_the_broker(run: Run, environment: dict[str, str | None]) -> None:
    assert "broker" not in run("doctor", status=1).output
    environment |= {"LTI_TOOL_JOBS": "celery", "LTI_TOOL_BROKER_URL": f"redis://127.0.0.1:{reserved_port()}/0"}
    assert re.search(r"BAD  broker: cannot be reached \(\w*Error\)", run("doctor", status=1).output)
    environment["LTI_TOOL_BROKER_URL"] = URLS["redis"]
    assert re.search(r"ok   broker: messages that wait: own \d+, grades \d+, ", run("doctor", status=1).output)


def test_a_relay_without_the_extra_says_what_to_install(
    run: Run, environment: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment |= {"LTI_TOOL_JOBS": "celery", "LTI_TOOL_BROKER_URL": "redis://localhost:6379/0"}
    monkeypatch.setitem(sys.modules, "celery", None)
    monkeypatch.delitem(sys.modules, "lti_tool.celery", raising=False)
    monkeypatch.delattr(lti_tool, "celery", raising=False)
    assert "Install lti-tool[celery]." in run("relay", status=1).output


def test_moments_are_told_in_utc(run: Run, mette: int, open_file: OpenSession) -> None:
    with open_file() as session, across_institutions(session):
        session.scalars(select(Deployment)).one().last_launch_at = datetime(2026, 11, 2, 9, 5, tzinfo=UTC)
    assert "last launch 2026-11-02 09:05 UTC" in run("deployments", "list").output
