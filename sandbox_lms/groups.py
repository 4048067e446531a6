"""Course groups: which groups a course has, page by page. The roster tells who is in them."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, request

from sandbox_lms import vocabulary as words
from sandbox_lms.answers import answered, link_header, refused
from sandbox_lms.messages import groups_url
from sandbox_lms.records import Course
from sandbox_lms.tokens import bearer

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

groups = Blueprint("groups", __name__)
PAGE = 50


@groups.get("/services/courses/<course_id>/groups")
def list_groups(course_id: str) -> Response:
    """The groups of a course, or those of one person."""
    return _page(course_id, "groups", words.GROUPS_TYPE)


@groups.get("/services/courses/<course_id>/groupsets")
def list_sets(course_id: str) -> Response:
    """The sets that groups belong to."""
    return _page(course_id, "sets", words.SETS_TYPE)


def _page(course_id: str, kind: str, media_type: str) -> Response:
    lms: Lms = current_app.config["LMS"]
    if not lms.profile.has_groups_service:
        return refused(lms, 404)
    if bearer(lms, request.headers.get("Authorization"), words.GROUPS) is None:
        return refused(lms, 401)
    course = lms.course_with_id(course_id)
    if course is None:
        return refused(lms, 404)
    with lms.lock:
        entries = _groups(lms, course) if kind == "groups" else _sets(course)
    start = max(request.args.get("from", 0, type=int), 0)
    limit = min(request.args.get("limit", PAGE, type=int), PAGE)
    url = groups_url(lms, course, "groups" if kind == "groups" else "groupsets")
    answer = answered({"id": url, kind: entries[start : start + limit]}, media_type)
    if start + limit < len(entries):
        answer.headers["Link"] = link_header((f"{url}?limit={limit}&from={start + limit}", "next"))
    return answer


def _groups(lms: "Lms", course: Course) -> list[dict[str, Any]]:
    person = lms.person_with_sub(request.args.get("user_id", ""))
    entries = []
    for group in course.groups:
        if "user_id" in request.args and (person is None or person.number not in group.people):
            continue
        entry: dict[str, Any] = {"id": group.id, "name": group.name}
        if group.group_set is not None:
            entry["set_id"] = group.group_set.id
        if group.is_hidden:
            entry["hidden"] = True
        entries.append(entry)
    return entries


def _sets(course: Course) -> list[dict[str, Any]]:
    return [
        {"id": one.id, "name": one.name, **({"hidden": True} if one.is_hidden else {})} for one in course.group_sets
    ]


def enrollments(course: Course, number: int) -> list[dict[str, str]]:
    """The groups of one person, as the roster lists them."""
    return [{"group_id": group.id} for group in course.groups if number in group.people]
