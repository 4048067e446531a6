"""Whose a launch is, what it leaves behind, and who is turned away with which page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course, LaunchState, Member, Person, Placement
from lti_tool.launch.service.languages import choose_language
from lti_tool.registration.models import Deployment, Institution, ParkedDeployment, Registration
from lti_tool.support.db import OpenSession, across_institutions
from lti_tool.web import audit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.database import RaceLost
from lti_tool.web.visits import Visit
from tests.contract.launch_stage import Stage
from tests.factories.people import a_deployment, a_registration, an_institution
from tests.fakes.clock import FakeClock
from tests.fakes.platform import AGS, INSTRUCTOR, LEARNER, LTI, NRPS, Claims, Platform
from tests.functional.launching import BASE_URL, Browser, attribute, reference_on

ADMINISTRATOR = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"


@pytest.fixture
def change(open_session: OpenSession) -> Callable[..., None]:
    """Change the first registration."""

    def change(**values: Any) -> None:
        with open_session() as session:
            registration = session.get_one(Registration, 1)
            for name, value in values.items():
                setattr(registration, name, value)

    return change


def rows(open_session: OpenSession, table: type[Any]) -> list[Any]:
    with open_session() as session, across_institutions(session):
        return list(session.scalars(select(table).order_by(table.id)))


def from_deployment(stage: Stage, lti_id: str, platform: dict[str, str] | None = None) -> TestResponse:
    begun = stage.begin(lti_deployment_id=lti_id)
    claims = stage.claims(begun) | {f"{LTI}deployment_id": lti_id}
    if platform is not None:
        claims[f"{LTI}tool_platform"] = platform
    return stage.post(begun, stage.first.sign(claims))


# Deployments


def test_an_unknown_deployment_is_refused_where_the_file_lists_them(stage: Stage, open_session: OpenSession) -> None:
    answer = from_deployment(stage, "new")
    assert answer.status_code == 403
    assert rows(open_session, ParkedDeployment) == []
    assert len(rows(open_session, Deployment)) == 3


@pytest.mark.store
def test_a_parked_deployment_waits_in_the_list_and_opens_nothing(
    stage: Stage, open_session: OpenSession, change: Callable[..., None], clock: FakeClock
) -> None:
    change(new_deployments="park")
    for name in ("Campus North", "Campus North 2"):
        answer = from_deployment(stage, "new", {"name": name, "guid": "g-1"})
        assert answer.status_code == 403
        assert "Waiting for approval" in answer.text
        assert reference_on(answer.text)
        clock.advance(timedelta(minutes=5))
    parked = rows(open_session, ParkedDeployment)
    assert [(one.lti_id, one.platform_name, one.platform_guid) for one in parked] == [("new", "Campus North 2", "g-1")]
    assert parked[0].last_seen_at - parked[0].first_seen_at == timedelta(minutes=5)
    assert rows(open_session, Person) == []
    assert stage.visits() == 0


def test_an_approved_deployment_opens(stage: Stage, open_session: OpenSession, change: Callable[..., None]) -> None:
    change(new_deployments="park")
    assert from_deployment(stage, "new").status_code == 403
    with open_session() as session, across_institutions(session):
        session.add(Deployment(institution_id=1, registration_id=1, lti_id="new", created_at=stage.clock.now()))
    assert from_deployment(stage, "new").status_code == 303


@pytest.mark.store
def test_a_new_deployment_joins_where_the_administrator_chose_so(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    change(new_deployments="join")
    assert from_deployment(stage, "new").status_code == 303
    assert rows(open_session, Deployment)[-1].lti_id == "new"


def test_a_client_that_customers_share_never_joins_anybody(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    change(new_deployments="join", institution_id=None)
    assert from_deployment(stage, "new").status_code == 403
    assert [one.lti_id for one in rows(open_session, ParkedDeployment)] == ["new"]


@pytest.mark.store
def test_two_institutions_behind_one_client_share_nothing(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    change(institution_id=None)
    with open_session() as session, across_institutions(session):
        elsewhere = an_institution(open_session_free(session))
        session.add(
            Deployment(institution_id=elsewhere.id, registration_id=1, lti_id="theirs", created_at=stage.clock.now())
        )
    assert from_deployment(stage, "deployment-1").status_code == 303
    assert from_deployment(stage, "theirs").status_code == 303
    for table in (Person, Course, Placement, Member, Visit):
        found = rows(open_session, table)
        assert [one.institution_id for one in found] == [1, elsewhere.id], table


def open_session_free(session: Any) -> Any:
    """The session, not yet serving anybody: `an_institution` binds it."""
    session.info.pop("institution_id", None)
    return session


def test_a_login_without_client_id_finds_the_only_registration(stage: Stage) -> None:
    begun = stage.begin(stage.other, client_id=None)
    assert stage.post(begun, stage.other.sign(stage.claims(begun, stage.other))).status_code == 303


def test_a_login_that_could_mean_two_registrations_is_refused(stage: Stage) -> None:
    answer = stage.login(client_id=None, lti_deployment_id=None)
    assert answer.status_code == 400
    assert "which registration" in answer.text


def test_a_paused_registration_has_a_page(stage: Stage, change: Callable[..., None], clock: FakeClock) -> None:
    begun = stage.begin()
    change(paused_at=clock.now(), paused_because="credentials")
    for answer in (stage.login(), stage.post(begun, stage.first.sign(stage.claims(begun)))):
        assert answer.status_code == 403
        assert "paused" in answer.text
    assert stage.visits() == 0


# Who, where, with what


@pytest.mark.store
def test_a_visit_knows_what_later_pages_need(stage: Stage, open_session: OpenSession) -> None:
    def change(claims: Claims) -> None:
        claims[f"{LTI}custom"] = {"activity": "abc", "time_zone": "Europe/Oslo", "email": "x@y"}
        claims[f"{LTI}launch_presentation"] = {"locale": "nb", "return_url": "https://lms.example/course/1"}

    begun = stage.begin(lti_storage_target="_parent")
    claims = stage.claims(begun)
    change(claims)
    assert stage.post(begun, stage.first.sign(claims)).status_code == 303
    visit: Visit = rows(open_session, Visit)[0]
    assert (visit.locale, visit.time_zone, visit.return_url) == ("nb", "Europe/Oslo", "https://lms.example/course/1")
    assert (visit.storage_target, visit.platform_origin) == ("_parent", "https://lms.example")
    assert visit.frame_origins == ["https://lms.example"]
    assert visit.details["activity"] == "abc"
    assert visit.details["link"] == {"id": "link-1", "title": "Observe a lesson"}
    assert visit.member_id == rows(open_session, Member)[0].id


@pytest.mark.store
def test_a_language_that_a_person_chose_comes_before_the_platforms(stage: Stage, open_session: OpenSession) -> None:
    def launch() -> None:
        begun = stage.begin()
        claims = stage.claims(begun)
        claims[f"{LTI}launch_presentation"] = {"locale": "nb"}
        assert stage.post(begun, stage.first.sign(claims)).status_code == 303

    launch()
    with open_session() as session, across_institutions(session):
        choose_language(session, session.scalars(select(Person.id)).one(), "da")
    launch()
    assert [visit.locale for visit in rows(open_session, Visit)] == ["da", "da"]
    [person] = rows(open_session, Person)
    assert (person.locale, person.reads_in) == ("nb", "da")


@pytest.mark.store
@pytest.mark.parametrize(
    ("launch", "browser", "institution", "chosen"),
    [
        ("Europe/Oslo", "Asia/Tokyo", "Europe/Paris", "Europe/Oslo"),
        # Moodle says so of people whose zone is the server's.
        ("99", "Asia/Tokyo", "Europe/Paris", "Asia/Tokyo"),
        ("99", "Mars/Olympus", "Europe/Paris", "Europe/Paris"),
        (None, "", "Europe/Paris", "Europe/Paris"),
        ("99", None, None, None),
    ],
)
def test_the_time_zone_is_the_launch_s_then_the_browser_s_then_the_institution_s(
    stage: Stage,
    open_session: OpenSession,
    launch: str | None,
    browser: str | None,
    institution: str | None,
    chosen: str | None,
) -> None:
    with open_session() as session:
        session.execute(update(Institution).values(time_zone=institution))
    begun = stage.begin()
    if browser is not None:
        told = {"state": begun.state, "zone": browser}
        stage.browser.client.post(attribute(begun.page.text, "data-kept"), data=told, base_url=BASE_URL)
    claims = stage.claims(begun)
    if launch is not None:
        claims[f"{LTI}custom"] = {"time_zone": launch}
    assert stage.post(begun, stage.first.sign(claims)).status_code == 303
    assert rows(open_session, Visit)[0].time_zone == chosen


def test_a_visit_knows_that_its_login_could_not_stay_in_the_frame(stage: Stage, open_session: OpenSession) -> None:
    for path in ("/lti/login", "/lti/new-tab"):
        begun = stage.browser.begin(stage.first.login_fields(), path=path)
        stage.post(begun, stage.first.sign(stage.claims(begun)))
    assert ["is_own_tab" in visit.details for visit in rows(open_session, Visit)] == [False, True]


def test_a_time_zone_is_noted_for_a_login_under_way_only(stage: Stage, open_session: OpenSession) -> None:
    begun = stage.begin()
    address = attribute(begun.page.text, "data-kept")

    def tell(state: str) -> None:
        told = {"state": state, "zone": "Asia/Tokyo"}
        answer = stage.browser.client.post(address, data=told, base_url=BASE_URL)
        assert answer.status_code == 200

    tell("somebody else's")
    stage.post(begun, stage.first.sign(stage.claims(begun)))
    tell(begun.state)
    with open_session() as session:
        assert session.scalars(select(LaunchState.time_zone)).all() == [None]


def test_services_are_remembered_and_withdrawn_grants_forgotten(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch().status_code == 303
    course: Course = rows(open_session, Course)[0]
    assert course.gradebook_scopes == ["https://purl.imsglobal.org/spec/lti-ags/scope/score"]
    assert course.line_items_url == "https://lms.example/courses/1/lineitems"
    assert rows(open_session, Placement)[0].line_item_url == "https://lms.example/courses/1/lineitems/7"
    assert stage.launch(lambda claims: claims.pop(AGS)).status_code == 303
    assert rows(open_session, Course)[0].gradebook_scopes == []
    assert rows(open_session, Placement)[0].line_item_url is None


def test_a_signed_launch_may_name_a_further_origin_and_a_refused_one_may_not(
    stage: Stage, open_session: OpenSession
) -> None:
    def elsewhere(claims: Claims) -> None:
        claims[NRPS] = {"context_memberships_url": "https://services.example/members"}

    begun = stage.begin()
    forged = stage.claims(begun)
    elsewhere(forged)
    assert stage.post(begun, stage.other.sign(forged)).status_code == 401
    assert rows(open_session, Registration)[0].platform_origins == ["https://lms.example"]
    assert stage.launch(elsewhere).status_code == 303
    assert rows(open_session, Registration)[0].platform_origins == ["https://lms.example", "https://services.example"]


def test_a_registration_typed_by_hand_learns_which_product_it_is(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    change(platform_family=None)
    platform = {f"{LTI}tool_platform": {"guid": "g", "product_family_code": "canvas"}}
    assert stage.launch(lambda claims: claims.update(platform)).status_code == 303
    assert stage.launch().status_code == 303
    assert rows(open_session, Registration)[0].platform_family == "canvas"


def test_a_shared_registration_with_many_origins_lets_only_the_launching_one_frame(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    change(platform_origins=[f"https://customer{number}.example" for number in range(30)])
    assert stage.launch().status_code == 303
    assert rows(open_session, Visit)[0].frame_origins == ["https://lms.example"]


@pytest.mark.parametrize("owner", [1, None])
def test_pages_before_the_launch_may_be_framed_by_an_lms_at_any_address(
    stage: Stage, open_session: OpenSession, change: Callable[..., None], owner: int | None
) -> None:
    change(institution_id=owner)
    assert "frame-ancestors" not in stage.begin().page.headers["Content-Security-Policy"]
    assert from_deployment(stage, "deployment-1").status_code == 303
    assert rows(open_session, Visit)[0].frame_origins == ["https://lms.example"]


SECOND_ADDRESS = "https://canvas.school.example"


def framed(stage: Stage, by: str = f"{SECOND_ADDRESS}/courses/7", **claims: Any) -> TestResponse:
    """A launch that begins inside a page."""
    stage.browser.client.environ_base.update({"HTTP_SEC_FETCH_DEST": "iframe", "HTTP_REFERER": by})
    return stage.launch(lambda said: said.update(claims))


def test_a_course_at_a_second_address_frames_its_visit_once_a_signed_launch_named_it(
    stage: Stage, open_session: OpenSession
) -> None:
    returning = {f"{LTI}launch_presentation": {"return_url": f"{SECOND_ADDRESS}/courses/7"}}
    assert framed(stage, **returning).status_code == 303
    registration = rows(open_session, Registration)[0]
    assert (registration.frame_origins, registration.platform_origins) == ([SECOND_ADDRESS], ["https://lms.example"])
    # Learned for launches that do not say where they came from.
    assert framed(stage).status_code == 303
    assert rows(open_session, Visit)[-1].frame_origins == [SECOND_ADDRESS, "https://lms.example"]


def test_a_course_at_an_address_that_nobody_named_gets_a_tab_of_its_own(
    stage: Stage, open_session: OpenSession, clock: FakeClock
) -> None:
    answer = framed(stage)
    assert answer.status_code == 200
    assert SECOND_ADDRESS in answer.text
    assert "frame-ancestors" not in answer.headers["Content-Security-Policy"]
    assert rows(open_session, Registration)[0].frame_origins == []
    clock.advance(timedelta(minutes=9))
    address = attribute(answer.text, 'btn btn-primary" href')
    headers = {"Sec-Fetch-Site": "same-origin"}
    opened = stage.browser.client.get(address, headers=headers, base_url=BASE_URL)
    assert opened.status_code == 303
    assert rows(open_session, Visit)[-1].frame_origins == []


@pytest.mark.parametrize("referrer", ["https://lms.example/course", "", "about:blank", "https://x;y"])
def test_what_a_browser_does_not_say_of_its_page_changes_nothing(stage: Stage, referrer: str) -> None:
    assert framed(stage, by=referrer).status_code == 303


def test_a_shared_registration_learns_no_addresses_of_pages(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    change(institution_id=None)
    stage.launch(lambda said: said.update({f"{LTI}launch_presentation": {"return_url": f"{SECOND_ADDRESS}/1"}}))
    assert rows(open_session, Registration)[0].frame_origins == []


def test_staff_of_a_platform_without_an_administrator_may_type_the_code_of_its_registration(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    def opened(*roles: str) -> bool:
        assert stage.launch(lambda claims: claims.update({f"{LTI}roles": [*roles]})).status_code == 303
        return "may_claim" in rows(open_session, Visit)[-1].details

    assert not opened(INSTRUCTOR)
    change(first_administrator_awaited=True)
    assert not opened(INSTRUCTOR)
    change(administrator_code_hash="x")
    assert opened(INSTRUCTOR)
    assert not opened(LEARNER)


# Refusals


@pytest.mark.parametrize("name", ["state", "id_token"])
def test_a_form_that_carries_a_field_twice_is_refused(stage: Stage, name: str) -> None:
    begun = stage.begin()
    fields = {"state": begun.state, "id_token": stage.first.sign(stage.claims(begun))}
    doubled = {**fields, name: [fields[name], fields[name]]}
    assert stage.browser.client.post("/lti/launch", data=doubled, base_url=BASE_URL).status_code in {400, 401}
    assert stage.visits() == 0
    assert stage.browser.client.post("/lti/launch", data=fields, base_url=BASE_URL).status_code == 303


def test_a_login_that_carries_a_field_twice_is_refused(stage: Stage) -> None:
    fields: dict[str, Any] = dict(stage.first.login_fields())
    for name in ("iss", "client_id", "target_link_uri"):
        doubled = {**fields, name: [fields[name], fields[name]]}
        assert stage.browser.login(doubled).status_code == 400, name


def test_a_token_with_a_nul_in_it_does_not_become_good_by_leaving_it_out(stage: Stage) -> None:
    begun = stage.begin()
    token = stage.first.sign(stage.claims(begun))
    assert stage.post(begun, f"{token[:20]}\0{token[20:]}").status_code == 400
    assert stage.post(begun, token, state=f"{begun.state}\0").status_code == 401
    assert stage.visits() == 0


def test_refusals_before_anybody_is_known_stand_in_the_log_and_in_the_record(
    stage: Stage, open_session: OpenSession
) -> None:
    begun = stage.begin()
    token = stage.first.sign(stage.claims(begun))
    with capture_logs() as logged:
        pages = [
            stage.browser.login(stage.first.login_fields(iss="https://nobody.example")),
            stage.browser.launch({"state": "state-made-up", "id_token": token}),
            stage.browser.launch({}),
            stage.browser.login({}),
        ]
    entries = {entry.reference: entry.details["error"] for entry in rows(open_session, AuditEntry)}
    noted = {line["reference"]: line["error"] for line in logged if line["event"] == "launch_refused"}
    assert [entries[reference_on(page.text)] for page in pages] == [
        "UnknownPlatform", "LaunchUnknown", "LaunchUnknown", "LoginIncomplete",
    ]  # fmt: skip
    assert noted == entries


def test_a_refusal_whose_note_loses_a_race_is_still_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken() -> None:
        raise RaceLost("StaleDataError")

    monkeypatch.setattr("lti_tool.launch.pages.transaction", overtaken)
    with capture_logs() as logged:
        page = stage.browser.launch({})
    assert page.status_code == 401
    refusals = [line["error"] for line in logged if line["event"] == "launch_refused"]
    assert refusals == ["LaunchUnknown"]
    assert "nobody.example" not in repr(logged)


def test_a_refused_launch_leads_back_to_the_course_once_the_platform_signed_where_that_is(stage: Stage) -> None:
    course = {f"{LTI}launch_presentation": {"return_url": "https://lms.example/course/1"}}
    signed = stage.launch(lambda claims: claims.update({**course, f"{LTI}roles": []}))
    assert 'href="https://lms.example/course/1"' in signed.text
    begun = stage.begin()
    forged = stage.post(begun, stage.other.sign({**stage.claims(begun), **course}))
    assert forged.status_code == 401
    assert "course/1" not in forged.text


def test_the_page_that_a_launch_came_from_may_frame_its_visit_and_gets_no_token(
    stage: Stage, open_session: OpenSession
) -> None:
    presentation = {f"{LTI}launch_presentation": {"return_url": "https://campus.example/1"}}
    assert stage.launch(lambda claims: claims.update(presentation)).status_code == 303
    assert rows(open_session, Visit)[0].frame_origins == ["https://campus.example", "https://lms.example"]
    assert rows(open_session, Registration)[0].platform_origins == ["https://lms.example"]


def test_a_token_larger_than_any_honest_one_is_refused_unread(stage: Stage) -> None:
    answer = stage.launch(lambda claims: claims.update(padding="x" * 70_000))
    assert answer.status_code == 400
    assert stage.refusals()[0].details == {"error": "TokenUnreadable", "reason": "too large"}


def test_a_launch_has_an_ended_course_asked_and_brings_back_its_link_and_the_person(
    stage: Stage, open_session: OpenSession
) -> None:
    assert stage.launch().status_code == 303
    with open_session() as session, across_institutions(session):
        session.scalars(select(Course)).one().ended_at = stage.clock.now()
        session.scalars(select(Placement)).one().gone_at = stage.clock.now()
        member = session.scalars(select(Member)).one()
        member.status, member.left_at = "inactive", stage.clock.now()
    assert stage.launch().status_code == 303
    assert "grades.check_course" in [job.name for job in rows(open_session, Job)]
    assert rows(open_session, Placement)[0].gone_at is None
    member = rows(open_session, Member)[0]
    assert (member.status, member.left_at) == ("active", None)


@pytest.mark.store
def test_the_roster_is_asked_for_once_in_a_while(stage: Stage, open_session: OpenSession, clock: FakeClock) -> None:
    for _ in range(3):
        assert stage.launch().status_code == 303
    jobs = rows(open_session, Job)
    assert [(job.name, job.payload) for job in jobs] == [("roster.sync", {"course_id": 1})]
    assert rows(open_session, Course)[0].roster_asked_at == clock.now()
    clock.advance(timedelta(minutes=5))
    assert stage.launch().status_code == 303
    assert rows(open_session, Course)[0].roster_asked_at == clock.now()


def test_without_a_roster_service_none_is_asked_for(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch(lambda claims: claims.pop(NRPS)).status_code == 303
    assert [job.name for job in rows(open_session, Job)] == ["pairing.roster_changed"]


def test_a_test_person_is_marked(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch(lambda claims: claims.update({f"{LTI}roles": [LEARNER, TEST_USER]})).status_code == 303
    assert rows(open_session, Member)[0].is_test


@pytest.mark.parametrize("roles", [[LEARNER, TEST_USER], [LEARNER]], ids=["test person", "learner"])
def test_a_link_that_opens_for_nobody_opens_again_when_a_learner_opens_it(
    stage: Stage, open_session: OpenSession, roles: list[str]
) -> None:
    assert stage.launch().status_code == 303
    with open_session() as session, across_institutions(session):
        session.execute(update(Placement).values(opens_for_nobody=True))
    claims = {f"{LTI}roles": roles, "sub": "another"}
    assert stage.launch(lambda before: before.update(claims)).status_code == 303
    assert rows(open_session, Placement)[0].opens_for_nobody is (TEST_USER in roles)


def test_the_same_sub_at_another_platform_is_somebody_else(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch().status_code == 303
    begun = stage.begin(stage.other)
    assert stage.post(begun, stage.other.sign(stage.claims(begun, stage.other))).status_code == 303
    people = rows(open_session, Person)
    assert [person.registration_id for person in people] == [1, 3]
    assert len(rows(open_session, Course)) == 2


def test_a_person_in_two_tabs_has_two_visits(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch().status_code == 303
    assert (
        stage.launch(lambda claims: claims.update({"sub": "person-2", f"{LTI}roles": [INSTRUCTOR]})).status_code == 303
    )
    visits = rows(open_session, Visit)
    assert visits[0].key != visits[1].key
    assert [visit.role for visit in visits] == ["learner", "instructor"]


# Administrators


def as_administrator(*others: str) -> Callable[[Claims], None]:
    return lambda claims: claims.update({f"{LTI}roles": [ADMINISTRATOR, *others]})


def test_the_first_administrator_may_confirm_and_nobody_else(
    stage: Stage, open_session: OpenSession, change: Callable[..., None]
) -> None:
    change(first_administrator_awaited=True)
    assert stage.launch().status_code == 303
    assert stage.launch(as_administrator(INSTRUCTOR)).status_code == 303
    learner, administrator = rows(open_session, Visit)
    assert (learner.kind, learner.details.get("awaits_administrator")) == ("activity", None)
    assert (administrator.kind, administrator.details["awaits_administrator"]) == ("institution", True)
    assert not any(person.is_administrator for person in rows(open_session, Person))


def test_an_administrator_outside_the_course_gets_a_page_until_known(stage: Stage, open_session: OpenSession) -> None:
    answer = stage.launch(as_administrator())
    assert answer.status_code == 200
    assert "not a member of this course" in answer.text
    assert reference_on(answer.text)
    assert stage.visits() == 0
    assert rows(open_session, Person) == []
    assert stage.launch(as_administrator(INSTRUCTOR)).status_code == 303
    with open_session() as session, across_institutions(session):
        session.scalars(select(Person)).one().is_administrator = True
    assert stage.launch(as_administrator()).status_code == 303
    visit = rows(open_session, Visit)[-1]
    assert (visit.kind, visit.role, visit.member_id) == ("institution", "administrator", None)


@pytest.mark.parametrize(
    ("change_claims", "words"),
    [
        (lambda claims: claims.pop("sub"), "did not say who you are"),
        (lambda claims: claims.pop(f"{LTI}context"), "from inside a course"),
        (lambda claims: claims.update({f"{LTI}roles": []}), "no role in this course"),
        (lambda claims: claims.update({f"{LTI}roles": [ADMINISTRATOR]}), "administrator"),
        (lambda claims: claims.update({f"{LTI}message_type": "DataPrivacyLaunchRequest"}), "not supported here"),
    ],
    ids=["no sub", "no context", "no role", "administrator", "message"],
)
def test_each_launch_with_nothing_to_open_has_its_own_page(
    stage: Stage, change_claims: Callable[[Claims], object], words: str
) -> None:
    answer = stage.launch(change_claims)
    assert words in answer.text
    assert answer.status_code < 500
    assert [entry.reference for entry in stage.refusals()] == [reference_on(answer.text)]


# Audit


def test_every_launch_is_noted_without_personal_data(stage: Stage, open_session: OpenSession) -> None:
    assert stage.launch().status_code == 303
    entry: AuditEntry = rows(open_session, AuditEntry)[0]
    assert (entry.what, entry.institution_id, entry.registration_id) == ("launch", 1, 1)
    assert entry.details == {"opens": "activity", "role": "learner", "is_bound": True}


def test_a_refusal_says_whose_it_was_and_where_from_only_as_a_mark(stage: Stage, open_session: OpenSession) -> None:
    stage.launch(lambda claims: claims.update(exp=1))
    stage.launch(lambda claims: claims.update(exp=1))
    stage.launch(lambda claims: claims.update({f"{LTI}roles": []}))
    first, second, third = stage.refusals()
    assert (third.institution_id, third.registration_id) == (1, 1)
    assert (first.institution_id, first.registration_id) == (1, 1)
    assert first.source == second.source
    assert first.source
    assert "127.0.0.1" not in first.source


def test_a_flood_of_refusals_is_sampled_and_still_answered(stage: Stage, clock: FakeClock) -> None:
    begun = stage.begin()
    answers = [stage.post(begun, "garbage") for _ in range(60)]
    assert {answer.status_code for answer in answers} == {400}
    assert all(reference_on(answer.text) for answer in answers)
    kept = len(stage.refusals())
    assert audit.SAMPLE_AFTER <= kept < 40
    clock.advance(timedelta(minutes=2))
    stage.post(begun, "garbage")
    assert len(stage.refusals()) == kept + 1


def test_a_refusal_is_told_even_when_it_cannot_be_noted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> str:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(audit, "record", broken)
    answer = stage.launch(kid=None)
    assert answer.status_code == 401
    assert reference_on(answer.text)


@pytest.mark.store
def test_a_launch_that_cannot_be_written_leaves_nothing_half_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, open_session: OpenSession
) -> None:
    def broken(*_: object, **__: object) -> str:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    begun = stage.begin()
    token = stage.first.sign(stage.claims(begun))
    with monkeypatch.context() as patched:
        patched.setattr(audit, "record", broken)
        assert stage.post(begun, token).status_code == 503
    assert stage.visits() == 0
    assert rows(open_session, Person) == []
    assert stage.post(begun, token).status_code == 303


def test_hostile_html_in_every_text_is_only_text(stage: Stage, open_session: OpenSession) -> None:
    hostile = '"><script>alert(1)</script>'

    def change(claims: Claims) -> None:
        claims |= {"name": hostile, "given_name": hostile, "email": f"{hostile}@x"}
        claims[f"{LTI}context"] |= {"title": hostile, "label": hostile}
        claims[f"{LTI}resource_link"] |= {"title": hostile}
        claims[f"{LTI}tool_platform"] = {"name": hostile, "guid": hostile}

    assert stage.launch(change).status_code == 303
    assert rows(open_session, Course)[0].title == hostile


@pytest.mark.parametrize("name", ["error", "state", "id_token"])
def test_whatever_stands_in_a_field_the_page_does_not_repeat_it(stage: Stage, name: str) -> None:
    fields = {"state": "state-x", "id_token": "a.b.c", name: "<script>alert(1)</script>"}
    answer = stage.browser.launch(fields)
    assert 400 <= answer.status_code < 500
    assert "<script>alert" not in answer.text


def test_the_keys_of_a_second_platform_do_not_open_the_first(stage: Stage) -> None:
    begun = stage.begin()
    assert stage.post(begun, stage.other.sign(stage.claims(begun))).status_code == 401


def test_registrations_of_one_issuer_do_not_answer_for_each_other(open_session: OpenSession, stage: Stage) -> None:
    shared = Platform("https://lms.example", "client-9", "deployment-1", name="third.example")
    stage.network.platforms.append(shared)
    with open_session() as session, across_institutions(session):
        registration = a_registration(session, an_institution(session), **shared.registration())
        a_deployment(session, registration, lti_id="deployment-1")
    begun = Browser(stage.app).begin(shared.login_fields())
    claims = shared.claims(begun.request["nonce"], now=stage.now)
    answer = stage.post(begun, stage.first.sign(claims))
    assert answer.status_code == 401
