"""What certified platforms send is taken, and so is what a real Moodle sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lti_tool.launch.models import Course, Member, Person, Placement
from lti_tool.support.db import OpenSession, across_institutions
from lti_tool.web.visits import Visit
from tests.contract.launch_stage import Stage
from tests.factories.people import a_deployment, a_registration, an_institution
from tests.fakes.clock import FakeClock
from tests.fakes.platform import DEEP_LINKING, INSTRUCTOR, LEARNER, LTI, Claims, Platform, PlatformNetwork
from tests.functional.launching import Browser

PERSONAL = ("name", "given_name", "family_name", "email")


def without(*names: str) -> Callable[[Claims], object]:
    return lambda claims: [claims.pop(name, None) for name in names]


def roles(*given: str) -> Callable[[Claims], object]:
    return lambda claims: claims.update({f"{LTI}roles": list(given)})


def launched(stage: Stage, principal: str, change: Callable[[Claims], object]) -> Any:
    def both(claims: Claims) -> None:
        claims[f"{LTI}roles"] = [principal]
        change(claims)

    return stage.launch(both)


def only_visit(open_session: OpenSession) -> Visit:
    with open_session() as session, across_institutions(session):
        return session.scalars(select(Visit)).one()


VALID: dict[str, tuple[Callable[[str], Callable[[Claims], object]], bool]] = {
    "everything": (lambda _: lambda claims: None, True),
    "a short role": (lambda role: roles(role.rpartition("#")[2]), True),
    "an unknown role beside": (lambda role: roles("urn:example#Wizard", role), True),
    "only an unknown role": (
        lambda _: roles("http://purl.imsglobal.org/vocab/lis/v2/uknownrole/unknown#Helper"),
        False,
    ),
    "no role": (lambda _: roles(), False),
    "mail only": (lambda _: without("name", "given_name", "family_name"), True),
    "names only": (lambda _: without("email"), True),
    "no personal data": (lambda _: without(*PERSONAL), True),
    "no context": (lambda _: without(f"{LTI}context"), False),
}


@pytest.mark.parametrize("principal", [INSTRUCTOR, LEARNER], ids=["instructor", "learner"])
@pytest.mark.parametrize("name", VALID)
def test_a_valid_launch_is_never_refused(stage: Stage, principal: str, name: str) -> None:
    change, opens = VALID[name]
    answer = launched(stage, principal, change(principal))
    assert answer.status_code == (303 if opens else 200)
    assert stage.visits() == opens


def test_a_valid_deep_linking_launch_opens_the_dialog(stage: Stage, open_session: OpenSession) -> None:
    assert stage.deep_link().status_code == 303
    visit = only_visit(open_session)
    assert (visit.kind, visit.role, visit.placement_id) == ("placing", "instructor", None)
    assert visit.details["deep_linking"]["data"] == "opaque"


def test_a_valid_review_opens_ones_own_feedback(stage: Stage, open_session: OpenSession) -> None:
    assert stage.review().status_code == 303
    visit = only_visit(open_session)
    assert (visit.kind, visit.role, visit.details["reviewed_sub"]) == ("review", "learner", "person-1")


def test_a_review_without_a_link_finds_the_activity_by_its_column(stage: Stage, open_session: OpenSession) -> None:
    stage.launch()
    assert stage.review(without(f"{LTI}resource_link")).status_code == 303
    with open_session() as session, across_institutions(session):
        launched, reviewed = session.scalars(select(Visit.placement_id).order_by(Visit.id))
    assert launched is not None
    assert reviewed == launched


def test_a_person_without_a_name_is_nobody_else(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch(without(*PERSONAL)).status_code == 303
    with open_session() as session, across_institutions(session):
        person = session.scalars(select(Person)).one()
    assert (person.name, person.email) == (None, None)


def test_a_name_once_told_is_not_forgotten(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch().status_code == 303
    assert stage.launch(without(*PERSONAL)).status_code == 303
    with open_session() as session, across_institutions(session):
        assert session.scalars(select(Person)).one().name == "Åsa Öberg"


# A real Moodle

FOLDER = Path(__file__).parent / "recordings"
MOODLE: dict[str, dict[str, Any]] = {
    **json.loads((FOLDER / "moodle_launches.json").read_text()),
    **json.loads((FOLDER / "launches" / "moodle-4.5.6.json").read_text()),
}
EXPECTED = {
    "launch_resourcelink_student01": ("activity", "learner"),
    "launch_resourcelink_student02": ("activity", "learner"),
    "launch_resourcelink_student04": ("activity", "learner"),
    "launch_resourcelink_teacher1": ("activity", "instructor"),
    "launch_resourcelink_tutor1": ("activity", "instructor"),
    "launch_resourcelink_admin": ("activity", "instructor"),
    "launch_switched_teacher1": ("activity", "learner"),
    "deeplinking_teacher1_two": ("placing", "instructor"),
    "deeplinking_admin": ("placing", "instructor"),
    "submission_review_launch": ("review", "instructor"),
    "submission_review_student01": ("review", "learner"),
}


@pytest.fixture
def network() -> PlatformNetwork:
    """The Moodle of the recordings beside the ordinary platforms."""
    names = MOODLE["launch_resourcelink_student01"]["login_initiation"]
    return PlatformNetwork([Platform(names["iss"], names["client_id"], "1", name="moodle.example")] * 3)


@pytest.fixture
def stage(launch_app: Any, clock: FakeClock, open_session: OpenSession, network: PlatformNetwork) -> Stage:
    first = network.platforms[0]
    with open_session() as session, across_institutions(session):
        registration = a_registration(session, an_institution(session), **first.registration())
        a_deployment(session, registration, lti_id="1")
    return Stage(launch_app, clock, open_session, network, first, first, first)


def replayed(stage: Stage, name: str) -> Any:
    recorded = MOODLE[name]
    target = "http://localhost:8000/lti/launch"
    browser = Browser(stage.app)
    begun = browser.begin({**recorded["login_initiation"], "target_link_uri": target})
    now = int(stage.now)
    fresh = {"nonce": begun.request["nonce"], "iat": now, "exp": now + 60, f"{LTI}target_link_uri": target}
    return stage.post(begun, stage.first.sign({**recorded["claims"], **fresh}), browser=browser)


def test_every_recording_has_its_expectation() -> None:
    assert MOODLE.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_what_moodle_sent_opens_a_visit(stage: Stage, open_session: OpenSession, name: str) -> None:
    answer = replayed(stage, name)
    assert answer.status_code == 303, answer.text
    visit = only_visit(open_session)
    assert (visit.kind, visit.role) == EXPECTED[name]
    claims = MOODLE[name]["claims"]
    with open_session() as session, across_institutions(session):
        assert session.scalars(select(Person)).one().name == claims["name"]
        course = session.scalars(select(Course)).one()
        assert course.title == "Peer coaching pilot"
        assert course.memberships_url == visit_memberships(claims)
        placements = session.scalars(select(Placement)).all()
        assert [one.resource_link_id for one in placements] == (
            [] if DEEP_LINKING in claims else [claims[f"{LTI}resource_link"]["id"]]
        )
    # The parameters that Moodle fills with a person's data are not ours, and not kept.
    assert visit.details["custom"].keys() <= {"context_id_history"}
    assert visit.time_zone is None


def visit_memberships(claims: Claims) -> str:
    url: str = claims["https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"]["context_memberships_url"]
    return url


def test_a_moodle_teacher_who_plays_a_learner_stays_staff(stage: Stage, open_session: OpenSession) -> None:
    for name in ("launch_resourcelink_teacher1", "launch_switched_teacher1"):
        assert replayed(stage, name).status_code == 303
    with open_session() as session, across_institutions(session):
        visits = session.scalars(select(Visit).order_by(Visit.id)).all()
        assert [(visit.role, visit.is_preview) for visit in visits] == [("instructor", False), ("learner", True)]
        assert session.scalars(select(Member)).one().ever_staff
