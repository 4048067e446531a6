"""Assignment and grade services: columns, scores, results."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, request

from sandbox_lms import vocabulary as words
from sandbox_lms.answers import answered, link_header, media_refusal, refused, status_line
from sandbox_lms.messages import line_item_url, line_items_url
from sandbox_lms.records import Course, LineItem, ResourceLink, ToolRegistration
from sandbox_lms.scores import RULES, Cell, person_of
from sandbox_lms.tokens import bearer

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

gradebook = Blueprint("gradebook", __name__)

LONGEST_LABEL = 255
READS = (words.LINE_ITEM, words.LINE_ITEM_READONLY)


class _Refusal(Exception):
    def __init__(self, status: int, reason: str | None = None) -> None:
        self.status, self.reason = status, reason


@gradebook.errorhandler(_Refusal)
def _refuse(refusal: _Refusal) -> Response:
    return refused(_lms(), refusal.status, refusal.reason)


def _lms() -> "Lms":
    lms: Lms = current_app.config["LMS"]
    return lms


def _tool(*scopes: str) -> ToolRegistration:
    lms = _lms()
    tool = bearer(lms, request.headers.get("Authorization"), *scopes)
    if tool is None or request.args.get("type_id", str(tool.number)) != str(tool.number):
        raise _Refusal(401)
    return tool


def _course(course_id: str) -> Course:
    lms = _lms()
    course = lms.course_with_id(course_id)
    if course is None or (course.is_concluded and lms.profile.concluded_is_gone):
        raise _Refusal(404, "Not Found: the course doesn't exist")
    return course


def _item(number: int, tool: ToolRegistration) -> LineItem:
    item = next((one for one in _lms().all_line_items() if one.number == number), None)
    if item is None:
        raise _Refusal(404, f"Not Found: Grade item {number} doesn't exist")
    if item.tool is not tool:
        raise _Refusal(403, "Invalid LTI id supplied.")
    return item


def shown(lms: "Lms", course: Course, item: LineItem) -> dict[str, Any]:
    """A column as the service words it."""
    told: dict[str, Any] = {
        "id": line_item_url(lms, course, item.tool, item.number),
        "label": item.label,
        "scoreMaximum": int(item.score_maximum) if item.score_maximum.is_integer() else item.score_maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
    }
    if item.resource_link is not None:
        told["resourceLinkId"] = item.resource_link.id
        if lms.profile.numeric_ids:
            told["ltiLinkId"] = item.resource_link.id
    return told | item.own_fields


@gradebook.get("/services/<course_id>/lineitems")
def list_line_items(course_id: str) -> Response:
    """The tool's columns in a course, filtered and paged."""
    lms = _lms()
    wrong_media = media_refusal(lms, f"/{course_id}/lineitems", accepts=words.LINE_ITEMS_TYPE)
    if wrong_media is not None:
        return wrong_media
    tool, course = _tool(*READS), _course(course_id)
    asked = request.args
    items = [
        item
        for item in lms.all_line_items(course)
        if item.tool is tool
        and asked.get("tag", item.tag) == item.tag
        and asked.get("resource_id", item.resource_id) == item.resource_id
        and ("resource_link_id" not in asked or _hangs_on(item, asked["resource_link_id"]))
    ]
    limit = asked.get("limit", type=int) or lms.profile.line_items_page
    start = asked.get("from", 0, type=int)
    page = items[start : start + limit] if limit else items
    answer = answered([shown(lms, course, item) for item in page], words.LINE_ITEMS_TYPE)
    if limit:
        answer.headers["Link"] = _links(lms, course, tool, start=start, limit=limit, count=len(items))
    return answer


def _hangs_on(item: LineItem, link_id: str) -> bool:
    return item.resource_link is not None and item.resource_link.id == link_id


def _links(lms: "Lms", course: Course, tool: ToolRegistration, *, start: int, limit: int, count: int) -> str:
    url = line_items_url(lms, course, tool)
    filters = {key: value for key, value in request.args.items() if key not in {"type_id", "limit", "from"}}

    def at(first: int) -> str:
        return f"{url}{'&' if '?' in url else '?'}{urlencode({**filters, 'limit': limit, 'from': first})}"

    links = [(at(0), "first"), (at(start), "canonical" if lms.profile.line_item_links_are_curly else "current")]
    if start + limit < count:
        links.append((at(start + limit), "next"))
    links.append((at(max(count - 1, 0) // limit * limit), "last"))
    return link_header(*links, is_curly=lms.profile.line_item_links_are_curly)


def _body() -> dict[str, Any]:
    try:
        sent = json.loads(request.get_data())
    except ValueError as error:
        raise _Refusal(400) from error
    if not isinstance(sent, dict):
        raise _Refusal(400)
    return sent


def _maximum(sent: dict[str, Any]) -> float:
    try:
        return float(sent["scoreMaximum"])
    except (KeyError, TypeError, ValueError) as error:
        raise _Refusal(400, "No label or Score Maximum") from error


def _link(sent: dict[str, Any], tool: ToolRegistration) -> ResourceLink | None:
    if "resourceLinkId" not in sent:
        return None
    link = _lms().link_with_id(str(sent["resourceLinkId"]))
    if link is None or link.tool is not tool:
        raise _Refusal(403 if _lms().profile.numeric_ids else 404)
    return link


@gradebook.post("/services/<course_id>/lineitems")
def create_line_item(course_id: str) -> Response:
    """A new column. Asked twice, it makes two."""
    lms = _lms()
    path = f"/{course_id}/lineitems"
    wrong_media = media_refusal(lms, path, accepts=words.LINE_ITEM_TYPE, takes=words.LINE_ITEM_TYPE)
    if wrong_media is not None:
        return wrong_media
    tool, course, sent = _tool(words.LINE_ITEM), _course(course_id), _body()
    label = str(sent.get("label") or "")
    if not label:
        raise _Refusal(400, "No label or Score Maximum")
    if len(label) > LONGEST_LABEL:
        return Response("", 500, content_type="text/html; charset=utf-8")
    item = lms.add_line_item(
        course,
        tool,
        label,
        _maximum(sent),
        resource_id=str(sent.get("resourceId") or ""),
        tag=str(sent.get("tag") or ""),
        resource_link=_link(sent, tool),
    )
    return answered(sent | {"id": line_item_url(lms, course, tool, item.number)}, words.LINE_ITEM_TYPE, 201)


ITEM = "/services/<course_id>/lineitems/<int:number>/lineitem"


@gradebook.get(ITEM)
def get_line_item(course_id: str, number: int) -> Response:
    """One column."""
    lms = _lms()
    wrong_media = media_refusal(lms, f"/{course_id}/lineitems/{number}/lineitem", accepts=words.LINE_ITEM_TYPE)
    if wrong_media is not None:
        return wrong_media
    tool, course = _tool(*READS), _course(course_id)
    return answered(shown(lms, course, _item(number, tool)), words.LINE_ITEM_TYPE)


@gradebook.put(ITEM)
def put_line_item(course_id: str, number: int) -> Response:
    """A column written anew: what is not sent is cleared."""
    lms = _lms()
    path = f"/{course_id}/lineitems/{number}/lineitem"
    wrong_media = media_refusal(lms, path, takes=words.LINE_ITEM_TYPE)
    if wrong_media is not None:
        return wrong_media
    tool, course, sent = _tool(words.LINE_ITEM), _course(course_id), _body()
    item = _item(number, tool)
    if not sent.get("label") or "scoreMaximum" not in sent:
        raise _Refusal(400)
    maximum, link = _maximum(sent), _link(sent, tool)
    with lms.lock:
        item.label, item.score_maximum, item.resource_link = str(sent["label"]), maximum, link
        item.resource_id, item.tag = str(sent.get("resourceId") or ""), str(sent.get("tag") or "")
    return answered(sent | {"id": line_item_url(lms, course, tool, number)}, words.LINE_ITEM_TYPE)


@gradebook.post(ITEM)
def misplaced_post(course_id: str, number: int) -> Response:
    """What a tool meets that hangs `/scores` behind the query of a line item's address."""
    path = f"/{course_id}/lineitems/{number}/lineitem"
    return media_refusal(_lms(), path, takes=words.LINE_ITEM_TYPE) or refused(_lms(), 405)


@gradebook.delete(ITEM)
def delete_line_item(course_id: str, number: int) -> Response:
    """A column taken away with its grades."""
    lms = _lms()
    tool = _tool(words.LINE_ITEM)
    _course(course_id)
    item = _item(number, tool)
    if item.is_coupled and lms.profile.coupled_line_items_are_kept:
        raise _Refusal(401)
    with lms.lock:
        lms.line_items.remove(item)
    return Response("", 204)


@gradebook.route(f"{ITEM}/scores", methods=["POST", "GET"])
def post_score(course_id: str, number: int) -> Response:
    """A score for one person, judged by the product's rules."""
    lms = _lms()
    if request.method == "GET":
        raise _Refusal(405)
    path = f"/{course_id}/lineitems/{number}/lineitem/scores"
    wrong_media = media_refusal(lms, path, takes=words.SCORE_TYPE)
    if wrong_media is not None:
        return wrong_media
    tool, course = _tool(words.SCORE), _course(course_id)
    item, body = _item(number, tool), request.get_data()
    sub = person_of(body)
    with lms.lock:
        grade = item.grades.get(sub)
        enrolment = item.course.enrolment_of(sub)
        cell = Cell(
            item_number=number,
            maximum=item.score_maximum,
            grade=grade,
            role=enrolment.role if enrolment else None,
            is_active=enrolment is not None and enrolment.is_active,
            is_known=lms.person_with_sub(sub) is not None,
            is_locked=item.is_locked or (grade is not None and grade.is_locked),
        )
        verdict = RULES[lms.profile.score_rules](cell, body)
        if verdict.grade is not None:
            item.grades[sub] = verdict.grade
    if verdict.status == 200:
        told = None if lms.profile.strict_media_types else {"resultUrl": _result_url(lms, course, item, sub)}
        return answered(told, words.SCORE_TYPE if told is None else "application/json")
    if not lms.profile.strict_media_types:
        return refused(lms, verdict.status, verdict.reason)
    answer = answered([], words.SCORE_TYPE, verdict.status)
    if verdict.reason:
        answer.status = status_line(verdict.status, verdict.reason)
    return answer


def _result_url(lms: "Lms", course: Course, item: LineItem, sub: str) -> str:
    url = line_item_url(lms, course, item.tool, item.number, "/results")
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'user_id': sub})}"


@gradebook.get(f"{ITEM}/results")
def list_results(course_id: str, number: int) -> Response:
    """What the gradebook shows, of one person or of all who have a grade."""
    lms = _lms()
    path = f"/{course_id}/lineitems/{number}/lineitem/results"
    wrong_media = media_refusal(lms, path, accepts=words.RESULTS_TYPE)
    if wrong_media is not None:
        return wrong_media
    tool, course = _tool(words.RESULT_READONLY), _course(course_id)
    item, asked = _item(number, tool), request.args.get("user_id")
    limit = request.args.get("limit", type=int)
    if limit and lms.profile.results_limit_crashes:
        return Response("<!DOCTYPE html><title>Error</title>", 404, content_type="text/html; charset=utf-8")
    results = []
    with lms.lock:
        for sub, grade in item.grades.items():
            if grade.shown is None or asked not in {None, sub}:
                continue
            result: dict[str, Any] = {
                "id": _result_url(lms, course, item, sub),
                "userId": sub,
                "resultScore": grade.shown,
                "resultMaximum": item.score_maximum,
                "scoreOf": line_item_url(lms, course, tool, number),
                "timestamp": grade.timestamp.isoformat(timespec="seconds") if grade.timestamp else None,
            }
            if grade.comment and not (asked and lms.profile.results_filter_drops_comments):
                result["comment"] = grade.comment
            results.append(result)
    start = request.args.get("from", 0, type=int)
    answer = answered(results[start : start + limit] if limit else results, words.RESULTS_TYPE)
    if limit and start + limit < len(results):
        url = line_item_url(lms, course, tool, number, "/results")
        query = urlencode({"limit": limit, "from": start + limit})
        answer.headers["Link"] = link_header((f"{url}{'&' if '?' in url else '?'}{query}", "next"))
    return answer
