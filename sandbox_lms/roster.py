"""Names and roles: who is in a course, page by page."""

import base64
import binascii
import html
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, request

from sandbox_lms import vocabulary as words
from sandbox_lms.answers import answered, link_header, media_refusal, refused
from sandbox_lms.groups import enrollments
from sandbox_lms.messages import roster_url
from sandbox_lms.records import Course, Enrolment, ResourceLink, ToolRegistration
from sandbox_lms.tokens import bearer

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

roster = Blueprint("roster", __name__)


def members(lms: "Lms", course: Course, role: str = "", link: ResourceLink | None = None) -> list[Enrolment]:
    """The enrolments that the roster lists, in order."""
    listed = [
        one
        for one in course.enrolments.values()
        if (one.is_active or lms.profile.roster_lists_inactive) and one.role in lms.profile.roster_roles
    ]
    if link is not None and link.visible_to is not None:
        listed = [one for one in listed if one.person.number in link.visible_to]
    if role:
        short = role.rpartition("#")[2]
        listed = [
            one
            for one in listed
            if any(known.rpartition("#")[2] == short for known in lms.profile.roster_roles[one.role])
        ]
    return listed


def entry(lms: "Lms", tool: ToolRegistration, enrolment: Enrolment, link: ResourceLink | None) -> dict[str, Any]:
    """One member as the roster words it."""
    person, profile = enrolment.person, lms.profile
    member: dict[str, Any] = {
        "status": "Active" if enrolment.is_active else "Inactive",
        "roles": list(profile.roster_roles[enrolment.role]),
        "user_id": person.sub,
        "lis_person_sourcedid": f"sis-{person.number:04}",
    }
    if link is not None:
        message: dict[str, Any] = {f"{words.LTI}message_type": words.RESOURCE_LINK_REQUEST}
        if not profile.numeric_ids:
            message[f"{words.LTI}custom"] = {}
        member["message"] = [message]
    if tool.shares_names:
        names = {"name": person.name, "given_name": person.given_name, "family_name": person.family_name}
        member |= {key: _escaped(value) for key, value in names.items()} if profile.roster_escapes_names else names
    if tool.shares_mail:
        member["email"] = person.email
    if tool.shares_names and profile.roster_has_usernames:
        member["ext_user_username"] = person.username
    return member


def _escaped(name: str) -> str:
    return html.escape(name, quote=True).replace("&#x27;", "&#039;")


def asked_for(lms: "Lms") -> tuple[int, int | None]:
    """Where the page begins, and how many members it holds (None: all)."""
    profile = lms.profile
    limit = request.args.get("limit", type=int) or profile.roster_page
    if limit is not None and profile.roster_page_cap is not None:
        limit = min(limit, profile.roster_page_cap)
    if profile.roster_links == "bookmark":
        return _bookmarked(request.args.get("page", "")), limit
    return max(request.args.get("from", 0, type=int), 0), limit


def page_number(lms: "Lms") -> int:
    """Which page of the roster a request is about, counted from 1."""
    start, limit = asked_for(lms)
    return 1 + start // limit if limit else 1


def _bookmarked(page: str) -> int:
    try:
        return int(base64.b64decode(page.removeprefix("bookmark:"), altchars=b"-_"))
    except (ValueError, binascii.Error):
        return 0


def _next_link(lms: "Lms", url: str, start: int, limit: int) -> str:
    kept = {name: request.args[name] for name in ("role", "rlid", "groups") if name in request.args}
    if lms.profile.roster_links == "bookmark":
        # The page size of the first request is forgotten; the bookmark is case-sensitive.
        mark = base64.b64encode(f"{start:07}".encode(), altchars=b"-_").decode()
        query = {"page": f"bookmark:{mark}", **kept}
    else:
        query = {"limit": str(limit), "from": str(start), **kept}
        if lms.profile.roster_links == "moodle":
            query.pop("role", None)
    return link_header((f"{url}?{urlencode(query, safe=':')}", "next"))


@roster.get("/services/CourseSection/<course_id>/bindings/<int:tool_number>/memberships")
def memberships(course_id: str, tool_number: int) -> Response:
    """The roster, or a page of it."""
    lms: Lms = current_app.config["LMS"]
    path = f"/CourseSection/{course_id}/bindings/{tool_number}/memberships"
    wrong_media = media_refusal(lms, path, accepts=words.ROSTER_TYPE)
    if wrong_media is not None:
        return wrong_media
    tool = bearer(lms, request.headers.get("Authorization"), words.ROSTER)
    if tool is None or tool.number != tool_number:
        return refused(lms, 401)
    course = lms.course_with_id(course_id)
    if course is None or (course.is_concluded and lms.profile.concluded_is_gone):
        return refused(lms, 404, f"Not Found: Course {course_id} doesn't exist")
    link = None
    if "rlid" in request.args:
        link = lms.link_with_id(request.args["rlid"])
        if link is None or link.course is not course or link.tool is not tool:
            return _unknown_link(lms, request.args["rlid"])
    start, limit = asked_for(lms)
    with lms.lock:
        listed = members(lms, course, request.args.get("role", ""), link)
        page = listed[start : start + limit] if limit else listed
        entries = [entry(lms, tool, one, link) for one in page]
        if lms.profile.has_groups_service and words.GROUPS in tool.scopes and request.args.get("groups") == "true":
            for one, member in zip(page, entries, strict=True):
                member["group_enrollments"] = enrollments(course, one.person.number)
    url = roster_url(lms, course, tool)
    answer = answered(
        {
            "id": url,
            "context": {"id": course.id, "label": course.label, "title": course.title},
            "members": entries,
        },
        words.ROSTER_TYPE,
    )
    if limit and start + limit < len(listed):
        answer.headers["Link"] = _next_link(lms, url, start + limit, limit)
    return answer


def _unknown_link(lms: "Lms", link_id: str) -> Response:
    if not lms.profile.numeric_ids:
        return refused(lms, 400, "Requested ResourceLink was not found")
    if not link_id.isdigit():
        return Response("", 500, content_type="text/html; charset=utf-8")
    return refused(lms, 404, f"Not Found: LTI link {link_id} doesn't exist")
