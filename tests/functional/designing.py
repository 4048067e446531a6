"""Somebody who sets activities up, as their browser sees it."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import jwt
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.activities import service
from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import Course, Placement
from lti_tool.registration.models import Registration
from lti_tool.registration.service.keys import ensure_signing_key, public_keys
from lti_tool.support.kit import Kit
from lti_tool.web.visits import Visit, VisitKind
from tests.factories.people import (
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


@dataclass
class Designer:
    """Somebody at work in one visit, with the bearer that the page's script would send."""

    client: FlaskClient
    kit: Kit
    visit: Visit
    bearer: str
    institution_id: int
    course: Course
    placement: Placement | None
    registration: Registration

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/v/{self.visit.key}{path}", headers={"Authorization": f"Bearer {self.bearer}"})

    def post(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(
            f"/v/{self.visit.key}{path}", data=fields, headers={"Authorization": f"Bearer {self.bearer}"}
        )

    def follow(self, answer: TestResponse) -> TestResponse:
        assert answer.status_code == 303, answer.text
        return self.client.get(answer.headers["Location"], headers={"Authorization": f"Bearer {self.bearer}"})

    def start(self, template: str = "observation") -> tuple[str, dict[str, str]]:
        """Begin with a template; returns the page's path and its fields as a browser would send them back."""
        answer = self.post("/setup/start", template=template)
        assert answer.status_code == 303
        path = answer.headers["Location"].removeprefix(f"/v/{self.visit.key}").partition("?")[0]
        return path, fields_of(self.follow(answer).text)

    def activities(self) -> list[Activity]:
        with self.kit.open_session(self.institution_id) as session:
            return list(session.scalars(select(Activity).order_by(Activity.id)))

    def rounds(self, activity: Activity) -> list[Round]:
        with self.kit.open_session(self.institution_id) as session:
            return service.rounds_of(session, activity.id)


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send from the settings form without a button."""
    form = re.search(r'<form[^>]*id="setup".*?</form>', page, re.DOTALL)
    assert form is not None, page
    found: dict[str, str] = {}
    for tag in re.finditer(r"<input([^>]*)>|<textarea([^>]*)>(.*?)</textarea>", form[0], re.DOTALL):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag[1] or tag[2] or ""))
        if attributes.get("type") in {"radio", "checkbox"} and " checked" not in (tag[1] or ""):
            continue
        value = attributes.get("value", "") if tag[1] is not None else re.sub(r"^\r?\n", "", tag[3] or "")
        found[attributes["name"]] = unescape(value)
    for tag in re.finditer(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        options = re.findall(r'<option value="([^"]*)"( selected)?', tag[2])
        found[tag[1]] = unescape(next((value for value, chosen in options if chosen), options[0][0]))
    return found


def a_designer(
    app: Flask, kit: Kit, clock: FakeClock, *, kind: VisitKind, role: str = "instructor", **asked: object
) -> Designer:
    with kit.open_session() as session:
        institution = an_institution(session)
        registration = a_registration(session, institution)
        deployment = a_deployment(session, registration)
        course = a_course(session, deployment)
        member = a_member(session, course, a_person(session, registration, name="Dina Designer"), role)
        placement = a_placement(session, course) if kind is VisitKind.ACTIVITY else None
        details = {}
        if kind is VisitKind.PLACING:
            details["deep_linking"] = {
                "return_url": f"{registration.platform_origins[0]}/return?course=2&sesskey=a",
                "data": None,
                "accept_types": ["ltiResourceLink"],
                "accept_targets": ["iframe"],
                "accepts_multiple": True,
                "accepts_line_item": None,
                "title": None,
                "text": None,
                **asked,
            }
        visit, bearer = a_visit(
            session,
            member,
            registration,
            now=clock.now(),
            kind=kind,
            placement_id=placement.id if placement else None,
            details=details,
        )
        if kind is VisitKind.PLACING:
            ensure_signing_key(session, kit.secrets, now=clock.now())
    return Designer(app.test_client(), kit, visit, bearer, institution.id, course, placement, registration)


def answer_page(designer: Designer, answer: TestResponse) -> TestResponse:
    onward = re.search(r'href="([^"]+)" data-open', answer.text)
    assert onward is not None, answer.text
    # A document of its own: the browser opens it without the bearer.
    return designer.client.get(onward[1])


def claims_of(designer: Designer, page: TestResponse) -> dict[str, Any]:
    token = re.search(r'name="JWT" value="([^"]+)"', page.text)
    assert token is not None
    with designer.kit.open_session() as session:
        [key] = public_keys(session, now=designer.kit.clock.now())
    return dict(
        jwt.decode(
            token[1],
            jwt.PyJWK(key),
            algorithms=["RS256"],
            audience=designer.registration.issuer,
            options={"verify_exp": False, "verify_iat": False},
        )
    )
