"""The institution's pages: who gets in, from where, and what can be done there."""

import html
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

import lti_tool
from lti_tool.activities.models import Round
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course, Member, Person
from lti_tool.pairing.models import Group, Plan
from lti_tool.registration.models import (
    AccessToken,
    Deployment,
    Institution,
    Invitation,
    ParkedDeployment,
    Registration,
    ToolKey,
)
from lti_tool.registration.service.answers import new_administrator_code
from lti_tool.registration.service.keys import ensure_signing_key
from lti_tool.roster.models import RosterSync
from lti_tool.support.db import across_institutions
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.visits import Visit, VisitKind
from lti_tool.workspace import personal_data
from lti_tool.workspace.first_administrator import open_for_registrar
from lti_tool.workspace.record import WHAT_HAPPENED
from tests.factories.activities import an_activity
from tests.factories.people import (
    LONG_AGO,
    a_course,
    a_deployment,
    a_member,
    a_person,
    a_placement,
    a_registration,
    a_visit,
    an_institution,
)
from tests.fakes.clock import FakeClock

BASE_URL = "http://localhost:8000"


@dataclass
class Tab:
    """A browser tab that knows one visit by its bearer."""

    client: FlaskClient
    key: str
    bearer: str

    def get(self, path: str = "/institution", **query: str) -> TestResponse:
        return self.client.get(f"/v/{self.key}{path}", headers=self._headers, query_string=query, base_url=BASE_URL)

    def post(self, path: str, accept: str = "text/html", **fields: str) -> TestResponse:
        headers = {**self._headers, "Accept": accept}
        return self.client.post(f"/v/{self.key}{path}", headers=headers, data=fields, base_url=BASE_URL)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"}


@dataclass
class University:
    """An institution with one platform, an administrator and two learners, one of whom is Mette."""

    app: Flask
    kit: Kit
    name: str = "University"

    def __post_init__(self) -> None:
        with self.kit.open_session() as session:
            ensure_signing_key(session, self.kit.secrets, now=self.kit.clock.now())
            institution = an_institution(session, name=self.name)
            self.id = institution.id
            registration = a_registration(session, institution, title=f"LMS of {self.name}")
            self.registration_id = registration.id
            deployment = a_deployment(session, registration, last_launch_at=LONG_AGO)
            course = a_course(session, deployment)
            self.course_id = course.id
            administrator = a_person(session, registration, name="Ada Admin", is_administrator=True)
            mette = a_person(session, registration, name="Mette <b>Ø</b>", email="mette@example.org", sub="mette-1")
            self.administrator_id, self.mette_id = administrator.id, mette.id
            self.member_id = a_member(session, course, mette, last_launch_at=LONG_AGO).id
            self.administrator_member_id = a_member(session, course, administrator, "instructor").id

    def tab(self, *, kind: VisitKind = VisitKind.INSTITUTION, **values: Any) -> Tab:
        """A visit of the administrator, in a tab of its own unless `frame_origins` says otherwise."""
        with self.kit.open_session(self.id) as session:
            visit, bearer = a_visit(
                session,
                session.get_one(Member, values.pop("member_id", self.administrator_member_id)),
                session.get_one(Registration, self.registration_id),
                now=self.kit.clock.now(),
                kind=kind,
                **{"frame_origins": [], **values},
            )
            return Tab(self.app.test_client(), visit.key, bearer)

    def await_first_administrator(self) -> None:
        with self.kit.open_session(self.id) as session:
            session.get_one(Registration, self.registration_id).first_administrator_awaited = True
            session.get_one(Person, self.administrator_id).is_administrator = False

    def registrar(self) -> Tab:
        """The visit of whoever registered the platform, while its first administrator is awaited."""
        self.await_first_administrator()
        with self.kit.open_session(self.id) as session:
            registration = session.get_one(Registration, self.registration_id)
            visit, bearer = open_for_registrar(
                session, registration, now=self.kit.clock.now(), lifetime=timedelta(hours=12)
            )
            self.registrar_id = visit.person_id
            return Tab(self.app.test_client(), visit.key, bearer)

    def administers(self) -> bool:
        with self.kit.open_session(self.id) as session:
            return session.get_one(Person, self.administrator_id).is_administrator


@pytest.fixture
def university(app: Flask, kit: Kit) -> University:
    return University(app, kit)


@pytest.fixture
def entries(kit: Kit) -> Callable[[], list[str]]:
    def read() -> list[str]:
        with kit.open_session() as session:
            return list(session.scalars(select(AuditEntry.what).order_by(AuditEntry.id)))

    return read


# Getting in


def test_an_administrator_sees_platforms_keys_and_health_in_a_tab_that_nobody_may_frame(university: University) -> None:
    page = university.tab().get()
    assert page.status_code == 200, page.text
    assert "LMS of University" in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_inside_a_frame_there_is_only_the_way_out(university: University) -> None:
    framed = university.tab(frame_origins=["https://lms.example"])
    for path in (
        "/institution",
        "/institution/people",
        "/institution/record",
        f"/institution/people/{university.mette_id}",
    ):
        answer = framed.get(path)
        assert (answer.status_code, answer.location) == (303, f"/v/{framed.key}/institution/enter")
    page = framed.get("/institution/enter")
    assert page.status_code == 200
    assert "LMS of University" not in page.text
    assert framed.post("/institution/keys/rotate").status_code == 303
    with university.kit.open_session() as session:
        assert len(session.scalars(select(ToolKey)).all()) == 1


def test_the_way_out_is_a_single_use_address_of_a_tab_of_its_own(university: University) -> None:
    framed = university.tab(frame_origins=["https://lms.example"])
    address = framed.post("/institution/open", accept="application/json").get_json()["open"]
    client = university.app.test_client()

    arrived = client.get(address, base_url=BASE_URL)
    assert arrived.status_code == 303
    assert client.get(address, base_url=BASE_URL).status_code == 410
    with university.kit.open_session(university.id) as session:
        newest = session.scalars(select(Visit).order_by(Visit.id.desc())).first()
        assert newest is not None
        assert (newest.kind, newest.frame_origins) == ("institution", [])
        assert f"/v/{newest.key}/" in arrived.location


def test_an_administrator_gets_there_from_an_activity_and_a_learner_does_not(university: University) -> None:
    framed = university.tab(kind=VisitKind.ACTIVITY, frame_origins=["https://lms.example"])
    assert framed.get("/institution").status_code == 403
    assert framed.post("/institution/open").status_code == 200
    learner = university.tab(kind=VisitKind.ACTIVITY, member_id=university.member_id)
    assert learner.post("/institution/open").status_code == 403


def test_the_header_of_staffs_pages_offers_the_way_in_to_administrators_only(university: University) -> None:
    staff = university.tab(kind=VisitKind.ACTIVITY)
    offered = f"/v/{staff.key}/institution/open"
    assert offered in staff.get("/setup").text
    with university.kit.open_session(university.id) as session:
        session.get_one(Person, university.administrator_id).is_administrator = False
    assert offered not in staff.get("/setup").text


def test_who_is_no_administrator_any_more_is_out_at_once(university: University) -> None:
    tab = university.tab()
    with university.kit.open_session(university.id) as session:
        session.get_one(Person, university.administrator_id).is_administrator = False
    for path in ("/institution", "/institution/people", "/institution/enter"):
        assert tab.get(path).status_code == 403
    assert tab.post(f"/institution/people/{university.mette_id}/erase", understood="yes").status_code == 403


def test_the_first_administrator_confirms_once(university: University, entries: Any) -> None:
    university.await_first_administrator()
    tab = university.tab(details={"awaits_administrator": True})
    answer = tab.get("/institution")
    assert answer.location.endswith("/institution/confirm")
    assert "look after Tandem" in tab.get("/institution/confirm").text
    assert not university.administers()

    assert tab.post("/institution/confirm").status_code == 303
    assert university.administers()
    assert tab.get("/institution").status_code == 200
    assert entries() == ["administrator granted"]

    second = university.tab(member_id=university.member_id, details={"awaits_administrator": True})
    assert second.post("/institution/confirm").status_code == 403


def test_nobody_becomes_administrator_inside_a_frame_or_without_the_role(university: University) -> None:
    university.await_first_administrator()
    framed = university.tab(details={"awaits_administrator": True}, frame_origins=["https://lms.example"])
    assert framed.post("/institution/confirm").status_code == 403
    without_role = university.tab()
    assert without_role.post("/institution/confirm").status_code == 403
    assert without_role.get("/institution").status_code == 403
    assert not university.administers()


def test_an_administrator_who_came_for_the_course_can_go_on_to_it(university: University) -> None:
    university.await_first_administrator()
    framed = university.tab(details={"awaits_administrator": True}, frame_origins=["https://lms.example"])
    assert "Go on to the activity" in framed.get("/institution/enter").text
    assert framed.post("/institution/course").status_code == 200
    no_role = university.tab(role="administrator", frame_origins=["https://lms.example"])
    assert no_role.post("/institution/course").status_code == 403


def test_with_a_cookie_instead_of_a_bearer_forms_work_and_foreign_forms_do_not(university: University) -> None:
    tab = university.tab()
    client = university.app.test_client(use_cookies=False)
    cookie = {"Cookie": f"__Host-tandem-{tab.key}={tab.bearer}"}
    page = client.get(f"/v/{tab.key}/institution", headers=cookie, base_url=BASE_URL)
    assert page.status_code == 200
    forms = re.findall(r'<form method="post" action="([^"]*)"(.*?)</form>', page.text, re.DOTALL)
    assert len(forms) >= 2
    for action, form in forms:
        token = re.findall(r'name="form_token" value="([^"]*)"', form)
        assert token, action
    path = next(action for action, _ in forms if action.endswith("/invitations"))
    assert client.post(path, headers=cookie, base_url=BASE_URL).status_code == 400
    assert client.post(path, headers=cookie, data={"form_token": token[0]}, base_url=BASE_URL).status_code == 200


# Administrators


def test_administrators_are_listed_added_and_removed(university: University, entries: Any) -> None:
    tab = university.tab()
    page = tab.get("/institution/administrators", text="mette").text
    assert "Ada Admin" in page
    assert "Make an administrator" in page
    path = f"/institution/administrators/{university.mette_id}"
    assert tab.post(f"{path}/add").location.endswith("said=added")
    mette = university.tab(member_id=university.member_id)
    assert mette.get().status_code == 200
    assert tab.post(f"{path}/remove").location.endswith("said=removed")
    assert mette.get().status_code == 403
    assert tab.post(f"{path}/remove").status_code == 404
    assert entries()[:2] == ["administrator granted", "administrator removed"]


def test_the_last_administrator_cannot_remove_themselves(university: University) -> None:
    tab = university.tab()
    path = f"/institution/administrators/{university.administrator_id}/remove"
    assert "lose access to these pages at once" in tab.post(path).text
    refused = tab.post(path, sure="yes")
    assert refused.status_code == 422
    assert "The last administrator cannot be removed" in refused.text
    assert university.administers()
    tab.post(f"/institution/administrators/{university.mette_id}/add")
    assert tab.post(path, sure="yes").status_code == 200
    assert not university.administers()
    assert tab.get().status_code == 403


@pytest.mark.store
def test_two_administrators_who_remove_each_other_at_once_leave_one(university: University, kit: Kit) -> None:
    university.tab().post(f"/institution/administrators/{university.mette_id}/add")
    tabs = [university.tab(), university.tab(member_id=university.member_id)]
    others = [university.mette_id, university.administrator_id]
    barrier = threading.Barrier(2)

    def remove(tab: Tab, other: int) -> int:
        barrier.wait(10)
        return tab.post(f"/institution/administrators/{other}/remove").status_code

    with ThreadPoolExecutor(2) as threads:
        answers = sorted(threads.map(remove, tabs, others))
    assert answers in ([303, 403], [303, 422], [303, 404])
    with kit.open_session(university.id) as session:
        assert len(session.scalars(select(Person).where(Person.is_administrator)).all()) == 1


def test_who_stands_for_the_registrar_is_nobody_to_find_count_or_appoint(university: University) -> None:
    registrar = university.registrar()
    for path in ("/institution/people", "/institution/administrators"):
        assert (
            "registrar" not in registrar.get(path, text="registrar").text.split("No one found")[1].split("</main>")[0]
        )
    assert "Tandem knows 2 people." in registrar.get("/institution/people").text
    assert registrar.get(f"/institution/people/{university.registrar_id}").status_code == 404
    assert registrar.post(f"/institution/administrators/{university.registrar_id}/add").status_code == 404
    assert (
        registrar.post(f"/institution/administrators/{university.registrar_id}/remove", sure="yes").status_code == 404
    )


def test_who_stands_for_the_registrar_is_no_second_administrator(university: University, kit: Kit) -> None:
    university.registrar()
    with kit.open_session(university.id) as session:
        for person_id in (university.registrar_id, university.administrator_id):
            session.get_one(Person, person_id).is_administrator = True
    refused = university.tab().post(f"/institution/administrators/{university.administrator_id}/remove", sure="yes")
    assert refused.status_code == 422
    assert university.administers()


def test_who_registered_hands_over_to_the_administrator_they_add(university: University, kit: Kit) -> None:
    registrar = university.registrar()
    with kit.open_session() as session:
        registration = session.get_one(Registration, university.registration_id)
        assert new_administrator_code(registration) is not None
    page = registrar.post(f"/institution/administrators/{university.administrator_id}/add")
    assert page.status_code == 200
    assert "Ada Admin looks after Tandem for University now." in page.text
    assert registrar.get().status_code in {401, 403, 410}
    assert university.tab().get().status_code == 200
    with kit.open_session(university.id) as session:
        registration = session.get_one(Registration, university.registration_id)
        assert (registration.first_administrator_awaited, registration.administrator_code_hash) == (False, None)
        assert session.get(Person, university.registrar_id) is None
    for details in ({"awaits_administrator": True}, {"may_claim": True}):
        late = university.tab(member_id=university.member_id, details=details)
        assert late.post("/institution/confirm").status_code == 403
        assert late.post("/institution/code", code="AAAA-BBBB-CCCC").status_code == 403


def test_an_administrator_named_from_outside_ends_the_wait_for_the_first(university: University, kit: Kit) -> None:
    registrar = university.registrar()
    with kit.open_session(university.id) as session:
        personal_data.grant_administration(session, university.mette_id, now=kit.clock.now())
    assert registrar.get().status_code in {401, 403, 410}
    with kit.open_session(university.id) as session:
        assert not session.get_one(Registration, university.registration_id).first_administrator_awaited
        assert session.get(Person, university.registrar_id) is None


def test_who_has_the_code_of_the_registration_becomes_the_first_administrator_without_the_role(
    university: University, kit: Kit
) -> None:
    university.await_first_administrator()
    teacher = university.tab(kind=VisitKind.ACTIVITY, frame_origins=["https://lms.example"])
    assert "/institution/code" not in teacher.get("/setup").text
    assert teacher.get("/institution/code").status_code == 403
    with kit.open_session() as session:
        code = new_administrator_code(session.get_one(Registration, university.registration_id))
    assert code is not None
    details = {"may_claim": True}
    teacher = university.tab(kind=VisitKind.ACTIVITY, frame_origins=["https://lms.example"], details=details)
    assert f"/v/{teacher.key}/institution/code" in teacher.get("/setup").text

    wrong = teacher.post("/institution/code", code="AAAA-BBBB-CCCC")
    assert wrong.status_code == 422
    assert "That is not the code" in wrong.text
    assert not university.administers()
    learner = university.tab(kind=VisitKind.ACTIVITY, member_id=university.member_id, details=details)
    assert learner.post("/institution/code", code=code).status_code == 403

    assert teacher.post("/institution/code", code=f" {code.lower()} ").status_code == 200
    assert university.administers()
    assert teacher.post("/institution/code", code=code).status_code == 403
    assert teacher.post("/institution/open", accept="application/json").status_code == 200


# Platforms


def test_addresses_that_may_frame_are_seen_and_edited(university: University, kit: Kit) -> None:
    tab = university.tab()
    path = f"/institution/registrations/{university.registration_id}/addresses"
    assert tab.post(path, origins="https://canvas.school.example/courses/7\nhttps://B.example").status_code == 303
    assert "https://canvas.school.example, https://b.example" in tab.get().text
    for wrong in ("canvas.school.example", "https://*.example", "javascript:alert(1)", "https://a.example;x"):
        refused = tab.post(path, origins=f"https://good.example {wrong}")
        assert refused.status_code == 422, wrong
        assert html.escape(wrong) in refused.text
    assert tab.post(path, origins=" ".join(f"https://a{number}.example" for number in range(21))).status_code == 422
    with kit.open_session() as session:
        kept = session.get_one(Registration, university.registration_id).frame_origins
    assert kept == ["https://canvas.school.example", "https://b.example"]


def test_a_registration_from_which_nobody_launched_is_taken_back_and_another_is_not(
    university: University, kit: Kit, entries: Any
) -> None:
    with kit.open_session(university.id) as session:
        spare = a_registration(session, session.get_one(Institution, university.id), title="By mistake")
        a_deployment(session, spare)
        spare_id = spare.id
    tab = university.tab()
    assert "Take this registration back" in tab.get().text
    assert tab.post(f"/institution/registrations/{spare_id}/remove").location.endswith("said=removed")
    assert "By mistake" not in tab.get().text
    assert tab.post(f"/institution/registrations/{university.registration_id}/remove").status_code == 403
    assert entries()[0] == "registration removed"


def test_courses_and_activities_are_listed_with_their_health(
    university: University, kit: Kit, clock: FakeClock
) -> None:
    with kit.open_session(university.id) as session:
        course = session.get_one(Course, university.course_id)
        activity = an_activity(session, course, a_placement(session, course), title="Observe", now=clock.now())
        column = LineItem(activity_id=activity.id, state="none")
        session.add(column)
        session.flush()
        session.add(
            ScoreState(
                line_item_id=column.id,
                member_id=university.member_id,
                state="refused",
                wanted=1,
                changed_at=clock.now(),
            )
        )
        session.add(
            RosterSync(
                course_id=course.id, state="failed", started_at=clock.now(), finished_at=clock.now(), next_url="x"
            )
        )
        course.memberships_url = "https://lms.example/members"
    tab = university.tab()
    page = tab.get("/institution/courses").text
    for words in ("Teaching 1", "1 learner", "Observe", "1 did not arrive", "Scores did not arrive", "Failed"):
        assert words in page, words
    assert "Mette" not in page
    assert "Teaching 1" in tab.get("/institution/courses", show="trouble").text
    assert "Nothing is running" in tab.get("/institution/courses", show="running").text
    with kit.open_session(university.id) as session:
        session.scalars(select(ScoreState)).one().state = "delivered"
        session.scalars(select(RosterSync)).one().state = "finished"
        round_ = session.scalars(select(Round)).first()
        assert round_ is not None
        times = {"created_at": clock.now(), "published_at": clock.now(), "changed_at": clock.now()}
        plan = Plan(activity_id=round_.activity_id, state="published", seed=1, engine="tandem", **times)
        session.add(plan)
        session.flush()
        for number in (1, 2):
            begun_at = clock.now() if number == 1 else None
            session.add(Group(plan_id=plan.id, round_id=round_.id, number=number, begun_at=begun_at))
    assert "No course is in trouble" in tab.get("/institution/courses", show="trouble").text
    assert "1 of 2 groups have begun." in tab.get("/institution/courses", show="running").text
    assert "Teaching 1" in tab.get("/institution/courses", text="teach").text
    assert "No course found" in tab.get("/institution/courses", text="%").text


@pytest.mark.parametrize(
    ("state", "failure", "words"),
    [
        ("asks", None, ("no longer lists many learners", "Waiting for an instructor")),
        ("failed", "taken for a mistake", ("a mistake, so everyone stays", "Called a mistake")),
        ("failed", "refused", ("Could not be read", "Failed")),
    ],
)
def test_courses_say_why_the_roster_is_not_up_to_date(
    university: University, kit: Kit, clock: FakeClock, state: str, failure: str | None, words: tuple[str, ...]
) -> None:
    with kit.open_session(university.id) as session:
        course = session.get_one(Course, university.course_id)
        course.memberships_url = "https://lms.example/members"
        times = {"started_at": clock.now(), "finished_at": clock.now()}
        session.add(RosterSync(course_id=course.id, state=state, failure=failure, next_url="x", **times))
    page = university.tab().get("/institution/courses").text
    for sentence in words:
        assert sentence in page
    assert ("Failed" in page) == ("Failed" in words)


def test_pausing_and_resuming_a_platform(university: University, entries: Any) -> None:
    tab = university.tab()
    path = f"/institution/registrations/{university.registration_id}"
    asked = tab.get(f"{path}/pause").text
    assert "This stops 2 people who are in courses there." in asked
    assert "In the last 7 days 0 of them opened Tandem." in asked
    assert "Paused" not in tab.get().text
    assert tab.post(f"{path}/pause").location.endswith("said=paused")
    assert "Paused" in tab.get().text
    assert tab.post(f"{path}/resume").location.endswith("said=resumed")
    assert "by an administrator" not in tab.get().text
    assert entries() == ["registration paused", "registration resumed"]


def test_a_parked_deployment_is_approved_or_refused(university: University, kit: Kit) -> None:
    with kit.open_session() as session:
        for lti_id in ("77", "78"):
            session.add(
                ParkedDeployment(
                    registration_id=university.registration_id,
                    lti_id=lti_id,
                    platform_name="<i>Campus</i>",
                    first_seen_at=LONG_AGO,
                    last_seen_at=LONG_AGO,
                )
            )
        session.flush()
        first, second = session.scalars(select(ParkedDeployment.id).order_by(ParkedDeployment.id)).all()
    tab = university.tab()
    page = tab.get().text
    assert "2 waiting" in page
    assert "<i>Campus" not in page

    tab.post(f"/institution/parked/{first}/approve")
    tab.post(f"/institution/parked/{second}/refuse")
    with kit.open_session(university.id) as session:
        assert "77" in session.scalars(select(Deployment.lti_id)).all()
        assert [one.lti_id for one in session.scalars(select(ParkedDeployment)) if one.refused_at] == ["78"]


def test_another_institution_is_out_of_reach(university: University, app: Flask, kit: Kit, clock: FakeClock) -> None:
    other = University(app, kit, name="Elsewhere")
    with kit.open_session() as session:
        session.add(
            ParkedDeployment(
                registration_id=other.registration_id, lti_id="9", first_seen_at=LONG_AGO, last_seen_at=LONG_AGO
            )
        )
        session.flush()
        parked = session.scalars(select(ParkedDeployment.id)).one()
    other.tab().post("/institution/invitations")
    with kit.open_session() as session:
        invitation = session.scalars(select(Invitation.id)).one()
    tab = university.tab()

    assert "Elsewhere" not in tab.get().text
    for path in (
        f"/institution/registrations/{other.registration_id}/pause",
        f"/institution/parked/{parked}/approve",
        f"/institution/parked/{parked}/refuse",
        f"/institution/invitations/{invitation}/revoke",
        f"/institution/people/{other.mette_id}/export",
    ):
        assert tab.post(path).status_code == 404, path
    assert tab.post(f"/institution/people/{other.mette_id}/erase", understood="yes").status_code == 404
    assert tab.get(f"/institution/people/{other.mette_id}").status_code == 404
    assert tab.get("/institution/people", text="mette").text.count("mette@example.org") == 1
    assert tab.post("/institution/keys/rotate").status_code == 403


def test_a_registration_link_is_shown_once_and_can_be_revoked(university: University, kit: Kit) -> None:
    tab = university.tab()
    page = tab.post("/institution/invitations").text
    address = html.unescape(re.findall(r'value="(http[^"]*)"', page)[0])
    assert address.startswith("http://localhost:8000/lti/register?invite=")
    overview = tab.get().text
    assert address.partition("invite=")[2] not in overview
    with kit.open_session() as session:
        invitation = session.scalars(select(Invitation)).one()
        assert invitation.expires_at - invitation.created_at == timedelta(days=7)
    tab.post(f"/institution/invitations/{invitation.id}/revoke")
    with kit.open_session() as session:
        assert session.scalars(select(Invitation.revoked_at)).one() is not None


def test_keys_rotate_in_steps(university: University, clock: FakeClock, kit: Kit) -> None:
    tab = university.tab()
    said = []
    for _ in range(2):
        said.append(tab.post("/institution/keys/rotate").location.rpartition("=")[2])
    clock.advance(timedelta(days=1))
    said.append(university.tab().post("/institution/keys/rotate").location.rpartition("=")[2])
    assert said == ["key-published", "key-too-early", "key-promoted"]


def test_the_record_finds_what_stands_behind_a_reference(university: University, kit: Kit) -> None:
    with kit.open_session() as session:
        session.add(AuditEntry(at=LONG_AGO, what="launch refused", reference="ABCD2345", institution_id=university.id))
        session.add(AuditEntry(at=LONG_AGO, what="of nobody", reference="WXYZ2345"))
        elsewhere = Institution(name="Elsewhere", created_at=LONG_AGO)
        session.add(elsewhere)
        session.flush()
        session.add(AuditEntry(at=LONG_AGO, what="theirs", reference="KLMN2345", institution_id=elsewhere.id))
    tab = university.tab()
    assert "A launch was refused" in tab.get("/institution/record", reference="abcd2345 ").text
    # What happened before anybody was known is found by the reference that somebody read out, and not listed.
    assert "of nobody" not in tab.get("/institution/record").text
    assert "of nobody" in tab.get("/institution/record", reference="WXYZ2345").text
    assert "theirs" not in tab.get("/institution/record", reference="KLMN2345").text


def test_where_there_is_one_institution_its_record_shows_what_happened_before_anybody_was_known(
    university: University, kit: Kit
) -> None:
    with kit.open_session() as session:
        session.add(AuditEntry(at=LONG_AGO, what="login refused", reference="WXYZ2345"))
    assert "A login was refused" in university.tab().get("/institution/record").text


def test_the_record_is_filtered_by_day_platform_course_and_person(university: University, kit: Kit) -> None:
    with kit.open_session() as session:
        for what, values in (
            ("launch", {"at": LONG_AGO, "course_id": university.course_id, "person_id": university.mette_id}),
            ("invitation made", {"at": LONG_AGO + timedelta(days=1)}),
            ("registration paused", {"at": LONG_AGO, "registration_id": university.registration_id}),
        ):
            session.add(AuditEntry(what=what, reference=what[:8].upper(), institution_id=university.id, **values))
    tab = university.tab()

    def shown(**asked: str) -> list[str]:
        page = tab.get("/institution/record", **asked).text
        known = ("A launch", "A registration link was made", "A platform was paused")
        return [words for words in known if f'<th scope="row">{words}</th>' in page]

    assert shown() == ["A launch", "A registration link was made", "A platform was paused"]
    assert shown(day="2026-10-02") == ["A registration link was made"]
    assert shown(platform=str(university.registration_id)) == ["A platform was paused"]
    assert shown(course="teaching") == ["A launch"]
    assert shown(person="mette@") == ["A launch"]
    assert shown(person="mette@", day="2026-10-02") == []
    for strange in ({"day": "soon"}, {"day": "9999-12-31"}, {"platform": "x" * 300}, {"course": "%"}):
        assert shown(**strange) == []
    assert "page=1" not in tab.get("/institution/record").text


def test_a_long_record_has_further_pages(university: University, kit: Kit) -> None:
    with kit.open_session() as session:
        for number in range(51):
            session.add(
                AuditEntry(at=LONG_AGO, what="launch", reference=f"REF{number:05}", institution_id=university.id)
            )
    tab = university.tab()
    first, second = tab.get("/institution/record").text, tab.get("/institution/record", page="1").text
    assert "REF00050" in first
    assert "REF00000" not in first
    assert "REF00000" in second
    assert tab.get("/institution/record", page="-5").status_code == 200


def test_the_usual_time_zone_is_set_and_taken_back(university: University, kit: Kit) -> None:
    def kept() -> str | None:
        with kit.open_session() as session:
            return session.get_one(Institution, university.id).time_zone

    tab = university.tab()
    assert tab.post("/institution/time-zone", time_zone="stockholm").status_code == 303
    assert kept() == "Europe/Stockholm"
    assert 'value="Europe/Stockholm"' in tab.get().text
    refused = tab.post("/institution/time-zone", time_zone="Atlantis <b>")
    assert refused.status_code == 422
    assert "Tandem does not know a time zone with this name" in refused.text
    assert 'value="Atlantis &lt;b&gt;"' in refused.text
    assert kept() == "Europe/Stockholm"
    assert tab.post("/institution/time-zone", time_zone="").status_code == 303
    assert kept() is None


def a_refused_score(session: Session, registration_id: int, *, now: datetime, **values: object) -> None:
    registration = session.get_one(Registration, registration_id)
    deployment = session.scalars(select(Deployment).where(Deployment.registration_id == registration_id)).first()
    course = a_course(session, deployment or a_deployment(session, registration))
    activity = an_activity(session, course, a_placement(session, course), now=now)
    line = LineItem(institution_id=course.institution_id, activity_id=activity.id, state="linked", url="https://l/1")
    session.add(line)
    session.flush()
    member = a_member(session, course, a_person(session, registration))
    session.add(
        ScoreState(
            institution_id=course.institution_id,
            line_item_id=line.id,
            member_id=member.id,
            wanted=1_000_000,
            changed_at=now,
            **values,
        )
    )


def test_what_a_platform_refuses_is_said_with_how_many_since_when_and_what_to_do(
    university: University, kit: Kit, clock: FakeClock
) -> None:
    now = clock.now()
    since = now - timedelta(days=2)
    assert "has not reached the gradebook" not in university.tab().get().text
    with kit.open_session(university.id) as session:
        for reason in ("no access", "no access", "not gradable"):
            is_final = reason == "not gradable"
            a_refused_score(
                session,
                university.registration_id,
                now=since,
                state="refused" if is_final else "waiting",
                reason=reason,
                waits_since=None if is_final else since,
            )
        a_refused_score(
            session, university.registration_id, now=now, state="waiting", reason="trouble", waits_since=now
        )
        session.add(
            AccessToken(
                registration_id=university.registration_id,
                scopes="s",
                denied_because="credentials",
                denied_since=since,
                denials=9,
                asks_again_at=now + timedelta(hours=20),
                clock_offset_ms=-300_000,
            )
        )
    page = " ".join(university.tab().get().text.split())
    assert "2 scores have not reached the gradebook. Since" in page
    assert "1 score has not reached the gradebook. Since" in page
    assert "Sat 31 Oct" in page
    assert "does not accept Tandem's credentials" in page
    assert "check whether the tool is still there" in page
    assert "Its clock is 300 seconds behind ours." in page


def test_refused_rosters_are_trouble_and_others_do_not_see_it(
    university: University, app: Flask, kit: Kit, clock: FakeClock
) -> None:
    with kit.open_session(university.id) as session:
        deployment = session.scalars(select(Deployment)).first()
        assert deployment is not None
        course = a_course(session, deployment)
        session.add(
            RosterSync(
                institution_id=university.id,
                course_id=course.id,
                state="failed",
                failure="key set",
                started_at=clock.now(),
                finished_at=clock.now(),
                next_url="https://lms.example/roster",
            )
        )
    page = university.tab().get().text
    assert "The roster of 1 course could not be read." in page
    assert "cURL blocked hosts list" in page
    assert "could not be read" not in University(app, kit, "College").tab().get().text


def test_an_administrator_has_a_platform_asked_again_now(university: University, kit: Kit, clock: FakeClock) -> None:
    with kit.open_session() as session:
        session.add(
            AccessToken(
                registration_id=university.registration_id,
                scopes="s",
                denied_because="credentials",
                denied_since=clock.now(),
                denials=1,
                asks_again_at=clock.now() + timedelta(days=1),
            )
        )
    path = f"/institution/registrations/{university.registration_id}/look-again"
    assert university.tab().post(path).location.endswith("said=looks")
    with kit.open_session() as session:
        assert session.scalars(select(AccessToken.asks_again_at)).one() == clock.now()


def test_failed_work_and_refusals_show_at_a_glance(university: University, kit: Kit, clock: FakeClock) -> None:
    assert "Nothing failed" in university.tab().get().text
    with kit.open_session() as session:
        session.add(
            Job(
                name="roster.sync", payload={}, institution_id=university.id, state="failed",
                due_at=clock.now(), created_at=clock.now(), finished_at=clock.now(),
            )
        )  # fmt: skip
    assert "1 failed" in university.tab().get().text


# Personal data


@pytest.mark.parametrize("text", ["mette", "METTE@", "Ø", "mette-1"])
def test_a_person_is_found_by_name_address_or_id(university: University, text: str) -> None:
    page = university.tab().get("/institution/people", text=text).text
    assert "Mette &lt;b&gt;" in page
    assert "1 person" in page


@pytest.mark.parametrize("text", ["%", "_", "' OR 1=1 --", "nobody"])
def test_signs_of_the_database_find_nobody(university: University, text: str) -> None:
    assert "No one found" in university.tab().get("/institution/people", text=text).text


def test_retention_periods_say_what_they_would_delete(university: University, kit: Kit, clock: FakeClock) -> None:
    kept = kit.settings.audit_retention
    with kit.open_session() as session:
        for age in (kept - timedelta(days=6), kept - timedelta(days=8)):
            session.add(
                AuditEntry(at=clock.now() - age, what="launch", reference="ABCD2345", institution_id=university.id)
            )
    with kit.open_session(university.id) as session:
        member = session.get_one(Member, university.member_id)
        member.status, member.left_at = "inactive", clock.now() - timedelta(days=400)
        session.get_one(Person, university.mette_id).created_at = clock.now() - timedelta(days=500)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", university.tab().get("/institution/people").text))
    assert f"Entries of the record {kept.days} days 2 1 " in page
    assert "Tandem knows 2 people. 1 left every course more than a year ago." in page


def test_an_export_is_a_zip_with_a_page_and_the_same_for_programs(university: University, entries: Any) -> None:
    tab = university.tab()
    offered = tab.post(f"/institution/people/{university.mette_id}/export", accept="application/json").get_json()
    answer = tab.client.get(offered["download"], base_url=BASE_URL)
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == ["index.html", "data.json"]
        page, written = archive.read("index.html").decode(), json.loads(archive.read("data.json"))
    assert written["person"]["email"] == "mette@example.org"
    assert written["courses"][0]["role"] == "learner"
    assert "Mette &lt;b&gt;Ø&lt;/b&gt;" in page
    assert "Ada Admin" not in page
    assert "Ada Admin" not in json.dumps(written)
    assert tab.client.get(offered["download"], base_url=BASE_URL).status_code == 410
    assert entries() == ["person exported", "error page"]


def test_an_offered_export_is_kept_back_from_who_is_no_administrator_any_more(university: University) -> None:
    tab = university.tab()
    offered = tab.post(f"/institution/people/{university.mette_id}/export", accept="application/json").get_json()
    with university.kit.open_session(university.id) as session:
        session.get_one(Person, university.administrator_id).is_administrator = False
    assert tab.client.get(offered["download"], base_url=BASE_URL).status_code == 403


def test_erasing_asks_for_the_tick(university: University) -> None:
    page = university.tab().post(f"/institution/people/{university.mette_id}/erase")
    assert page.status_code == 422
    assert "Nothing was erased yet" in page.text
    with university.kit.open_session(university.id) as session:
        assert session.get_one(Person, university.mette_id).name is not None


def test_erasing_takes_name_and_visits_and_leaves_the_place_in_the_group(university: University, entries: Any) -> None:
    learner = university.tab(kind=VisitKind.ACTIVITY, member_id=university.member_id)
    tab = university.tab()
    assert tab.post(f"/institution/people/{university.mette_id}/erase", understood="yes").status_code == 303
    assert "a former member" in tab.get(f"/institution/people/{university.mette_id}").text
    with university.kit.open_session(university.id) as session, across_institutions(session):
        person = session.get_one(Person, university.mette_id)
        assert (person.name, person.given_name, person.email, person.locale) == (None, None, None, None)
        assert person.erased_at is not None
        member = session.get_one(Member, university.member_id)
        assert (member.status, member.person_id) == ("inactive", university.mette_id)
        assert session.scalars(select(Visit).where(Visit.key == learner.key)).all() == []
        assert [job.name for job in session.scalars(select(Job))] == ["pairing.roster_changed"]
    assert entries() == ["person erased"]
    assert learner.post("/institution/open").status_code == 401


def test_nobody_erases_themselves(university: University) -> None:
    tab = university.tab()
    assert tab.post(f"/institution/people/{university.administrator_id}/erase", understood="yes").status_code == 403
    assert "This is you" in tab.get(f"/institution/people/{university.administrator_id}").text


def test_everything_that_the_audit_notes_has_words() -> None:
    """Read from the code, so that a new kind of entry cannot stand in the record in code's own words."""
    noted = set()
    for path in Path(lti_tool.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        noted |= set(re.findall(r'audit\.record\(\s*(?:here\.)?session,\s*"([a-z ]+)"', text))
        if path.parent.name == "launch":
            noted |= set(re.findall(r'^    what(?:: ClassVar\[str\])? = "([a-z ]+)"', text, re.MULTILINE))
    assert len(noted) > 10
    assert noted - WHAT_HAPPENED.keys() == set()
