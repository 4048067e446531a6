"""Invitations, registrations from a file and deployments, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from lti_tool.errors import NotFound
from lti_tool.registration import service
from lti_tool.registration.errors import FileMistakes, InvitationBusy, InvitationUnusable
from lti_tool.registration.models import (
    AccessToken,
    Deployment,
    Institution,
    Invitation,
    KeySet,
    NewDeployments,
    ParkedDeployment,
    Registration,
    ToolKey,
)
from lti_tool.registration.rules.dynamic import read_configuration, read_granted
from lti_tool.registration.rules.registrations import Entry, read_entries
from lti_tool.registration.service import answers, invitations, keys
from lti_tool.support.crypto import KeyRing, Undecipherable
from lti_tool.support.db import OpenSession, across_institutions
from tests.factories.registration import a_configuration
from tests.fakes.clock import FakeClock
from tests.unit.registration.test_rules import GOOD

pytestmark = pytest.mark.store


def entries(*changes: dict[str, Any]) -> list[Entry]:
    return read_entries([GOOD | change for change in changes], development=False)


def register(open_session: OpenSession, clock: FakeClock, *changes: dict[str, Any]) -> list[service.Registered]:
    with open_session() as session:
        return service.register_from_file(session, entries(*changes), now=clock.now())


def count(open_session: OpenSession, model: type) -> int:
    with open_session() as session, across_institutions(session):
        return session.scalar(select(func.count()).select_from(model)) or 0


# Files


def test_running_a_file_again_doubles_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    (first,) = register(open_session, clock, {"institution": "University"})
    (again,) = register(open_session, clock, {"institution": "University"})
    assert (first.is_new, first.joined) == (True, ("1",))
    assert (again.is_new, again.joined) == (False, ())
    assert [count(open_session, model) for model in (Registration, Deployment, Institution)] == [1, 1, 1]


def test_a_changed_file_changes_the_registration_and_drops_what_the_old_addresses_gave(
    open_session: OpenSession, clock: FakeClock
) -> None:
    (first,) = register(open_session, clock, {"institution": "University"})
    with open_session() as session:
        session.add(AccessToken(registration_id=first.registration_id, scopes="s", token="t", expires_at=clock.now()))
        session.add(KeySet(registration_id=first.registration_id, url="u", keys=[]))
    register(open_session, clock, {"title": "Renamed", "deployment_ids": ["1", "2"]})
    assert (count(open_session, AccessToken), count(open_session, KeySet)) == (1, 1)
    register(
        open_session,
        clock,
        {
            "auth_token_url": "https://lms.example/new",
            "key_set_url": "https://lms.example/keys",
            "deployment_ids": ["1"],
        },
    )
    assert (count(open_session, AccessToken), count(open_session, KeySet)) == (0, 0)
    # People's work hangs on a deployment, so leaving it out of the file does not remove it.
    assert count(open_session, Deployment) == 2


def test_a_file_can_do_without_proof_of_the_browser_and_ask_for_it_again(
    open_session: OpenSession, clock: FakeClock
) -> None:
    for change, expected in (({"require_browser_binding": False}, False), ({}, True)):
        (registered,) = register(open_session, clock, change)
        with open_session() as session:
            registration = session.get_one(Registration, registered.registration_id)
            assert registration.require_browser_binding is expected
    with pytest.raises(FileMistakes, match="require_browser_binding must be true or false"):
        entries({"require_browser_binding": "no"})


def test_without_a_name_the_only_institution_is_meant(open_session: OpenSession, clock: FakeClock) -> None:
    (first,) = register(open_session, clock, {})
    assert first.institution == "Moodle"
    (second,) = register(open_session, clock, {"client_id": "other"})
    assert second.institution == "Moodle"
    register(open_session, clock, {"client_id": "third", "institution": "Another"})
    with pytest.raises(FileMistakes, match="institution is missing"):
        register(open_session, clock, {"client_id": "fourth"})


def test_a_file_with_one_mistake_changes_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    register(open_session, clock, {"institution": "A"})
    with pytest.raises(FileMistakes) as caught:
        register(
            open_session,
            clock,
            {"client_id": "new", "institution": "B"},
            {"institution": "B"},
            {"client_id": "nobodys"},
        )
    assert len(caught.value.mistakes) == 2
    assert count(open_session, Registration) == 1
    assert count(open_session, Institution) == 1


def test_institutions_that_share_a_client_keep_their_own_deployments(
    open_session: OpenSession, clock: FakeClock
) -> None:
    register(open_session, clock, {"institution": "A"}, {"institution": "B", "deployment_ids": ["2"]})
    with open_session() as session, across_institutions(session):
        registration = session.scalars(select(Registration)).one()
        assert registration.institution_id is None
        assert len({one.institution_id for one in session.scalars(select(Deployment))}) == 2
    with pytest.raises(FileMistakes, match="cannot be join"):
        register(open_session, clock, {"institution": "A", "new_deployments": "join"})
    with pytest.raises(FileMistakes, match="deployment 2 belongs to another institution"):
        register(open_session, clock, {"institution": "A", "deployment_ids": ["1", "2"]})


@pytest.mark.parametrize("number", range(3))
def test_of_two_who_name_a_new_institution_at_once_both_get_the_one(
    open_session: OpenSession, clock: FakeClock, number: int
) -> None:
    barrier = threading.Barrier(2)

    def invite(_: int) -> int:
        barrier.wait(10)
        with open_session() as session:
            institution = service.institution_named(session, "University", now=clock.now())
            return invitations.invite(session, institution.id, now=clock.now(), lifetime=timedelta(1))[0].institution_id

    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(invite, range(2)))) == 1
    assert count(open_session, Institution) == 1


def test_two_registrations_at_once_of_one_client_make_one(
    open_session: OpenSession, clock: FakeClock, database_kind: str
) -> None:
    configuration = read_configuration(
        "https://lms.example/.well-known/openid-configuration",
        a_configuration("https://lms.example"),
        development=False,
    )
    secrets = [invited(open_session, clock) for _ in range(2)]
    barrier = threading.Barrier(2)

    def keep(secret: str) -> int:
        with open_session() as session:
            invitation = invitations.usable_invitation(session, secret, now=clock.now())
            if database_kind == "postgresql":  # SQLite lets one write at a time anyway.
                barrier.wait(10)
            kept = answers.keep_registration(
                session,
                invitation,
                configuration,
                read_granted({"client_id": "one"}),
                answers.Wishes("LMS", NewDeployments.PARK),
                now=clock.now(),
            )
            return kept.registration.id

    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(keep, secrets))) == 1
    assert count(open_session, Registration) == 1


# Invitations


def invited(open_session: OpenSession, clock: FakeClock) -> str:
    with open_session() as session:
        institution = service.institution_named(session, "University", now=clock.now())
        return invitations.invite(session, institution.id, now=clock.now(), lifetime=timedelta(days=7))[1]


def test_of_many_registrations_at_once_one_gets_the_invitation(open_session: OpenSession, clock: FakeClock) -> None:
    secret = invited(open_session, clock)
    barrier = threading.Barrier(4)
    got: list[str] = []

    def claim() -> None:
        barrier.wait(10)
        try:
            with open_session() as session:
                invitations.claim_invitation(session, secret, now=clock.now())
            got.append("claimed")
        except InvitationBusy:
            got.append("busy")

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == ["busy", "busy", "busy", "claimed"]


def test_a_claim_whose_process_died_runs_out(open_session: OpenSession, clock: FakeClock) -> None:
    secret = invited(open_session, clock)
    with open_session() as session:
        invitations.claim_invitation(session, secret, now=clock.now())
    clock.advance(invitations.REGISTRATION_LEASE)
    with open_session() as session:
        assert invitations.claim_invitation(session, secret, now=clock.now())


def test_an_invitation_is_stored_as_a_fingerprint_and_ends(open_session: OpenSession, clock: FakeClock) -> None:
    secret = invited(open_session, clock)
    with open_session() as session:
        stored = session.scalars(select(Invitation)).one()
        assert secret not in (stored.secret_hash, str(stored.id))
        assert invitations.usable_invitation(session, secret, now=clock.now())
        with pytest.raises(InvitationUnusable):
            invitations.usable_invitation(session, secret, now=clock.now() + timedelta(days=7))
        assert invitations.revoke_invitation(session, now=clock.now(), secret=secret)
        assert not invitations.revoke_invitation(session, now=clock.now(), secret=secret)
        with pytest.raises(InvitationUnusable):
            invitations.claim_invitation(session, secret, now=clock.now())


# Deployments


def parked(open_session: OpenSession, clock: FakeClock, registration_id: int, lti_id: str = "9") -> int:
    with open_session() as session:
        waiting = ParkedDeployment(
            registration_id=registration_id, lti_id=lti_id, first_seen_at=clock.now(), last_seen_at=clock.now()
        )
        session.add(waiting)
        session.flush()
        return waiting.id


def test_an_approved_deployment_joins_the_institution_and_leaves_the_list(
    open_session: OpenSession, clock: FakeClock
) -> None:
    (one,) = register(open_session, clock, {"institution": "A"})
    number = parked(open_session, clock, one.registration_id)
    with open_session() as session:
        owner = session.scalars(select(Institution.id)).one()
        service.refuse_deployment(session, number, institution_id=owner, now=clock.now())
        service.approve_deployment(session, number, institution_id=owner, now=clock.now())
    assert count(open_session, ParkedDeployment) == 0
    with open_session() as session:
        (state,) = service.registration_states(session, owner)
        assert [deployment.lti_id for deployment in state.deployments] == ["1", "9"]


def test_only_the_operator_approves_where_institutions_share_a_client(
    open_session: OpenSession, clock: FakeClock
) -> None:
    one, _ = register(open_session, clock, {"institution": "A"}, {"institution": "B", "deployment_ids": ["2"]})
    number = parked(open_session, clock, one.registration_id)
    with open_session() as session:
        owner = session.scalars(select(Institution.id).where(Institution.name == "B")).one()
        with pytest.raises(NotFound):
            service.approve_deployment(session, number, institution_id=owner, now=clock.now())
        (state,) = service.registration_states(session, owner)
        assert ([deployment.lti_id for deployment in state.deployments], state.parked) == (["2"], ())
        service.approve_deployment(session, number, institution_id=owner, now=clock.now(), by_operator=True)
        assert len(service.registration_states(session, owner)[0].deployments) == 2


def test_of_two_approvals_at_once_both_end_well(open_session: OpenSession, clock: FakeClock) -> None:
    (one,) = register(open_session, clock, {"institution": "A"})
    number = parked(open_session, clock, one.registration_id)
    with open_session() as session:
        owner = session.scalars(select(Institution.id)).one()
    barrier = threading.Barrier(2)

    def approve(_: int) -> str:
        barrier.wait(10)
        try:
            with open_session() as session:
                service.approve_deployment(session, number, institution_id=owner, now=clock.now())
        except NotFound:
            return "gone"
        return "approved"

    with ThreadPoolExecutor(2) as threads:
        assert set(threads.map(approve, range(2))) <= {"approved", "gone"}
    assert count(open_session, Deployment) == 2


# Secret keys


def test_after_a_new_secret_key_the_old_one_can_be_dropped(open_session: OpenSession, clock: FakeClock) -> None:
    old, new = KeyRing.generate_key(), KeyRing.generate_key()
    (one,) = register(open_session, clock, {"institution": "A"})
    with open_session() as session:
        keys.ensure_signing_key(session, KeyRing([old]), now=clock.now())
        readable = AccessToken(
            registration_id=one.registration_id, scopes="a", token=KeyRing([old]).encrypt(b"t"), expires_at=clock.now()
        )
        lost = AccessToken(
            registration_id=one.registration_id,
            scopes="b",
            token=KeyRing([KeyRing.generate_key()]).encrypt(b"t"),
            expires_at=clock.now(),
        )
        session.add_all([readable, lost])
    with open_session() as session:
        assert service.reencrypt(session, KeyRing([new, old])) == 3
    with open_session() as session:
        assert keys.signing_key(session, KeyRing([new])).kid
        tokens = {row.scopes: row.token for row in session.scalars(select(AccessToken))}
        assert KeyRing([new]).decrypt(tokens["a"] or "") == b"t"
        assert tokens["b"] is None
        with pytest.raises(Undecipherable):
            service.reencrypt(session, KeyRing([KeyRing.generate_key()]))
        assert session.scalars(select(ToolKey)).one().state == "active"
