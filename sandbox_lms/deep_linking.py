"""Content picked in a tool: the request, the tool's signed answer, and the activities it becomes."""

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox_lms import vocabulary as words
from sandbox_lms.people import Person
from sandbox_lms.records import Course, ResourceLink, Selection, ToolRegistration
from sandbox_lms.tokens import Refused, use_once, verified

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms


def begin(lms: "Lms", person: Person, course: Course, tool: ToolRegistration, **own: Any) -> Selection:
    """Open a selection. `own` replaces deep-linking settings, for platforms that ask for something else."""
    token = secrets.token_urlsafe(16)
    settings: dict[str, Any] = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_copy_advice": False,
        "accept_multiple": True,
        "accept_unsigned": False,
        "auto_create": not lms.profile.confirms_selection,
        "can_confirm": False,
        "deep_link_return_url": f"{lms.url}/deep-link/{token}",
        "title": tool.title,
        "text": "",
    }
    if not lms.profile.numeric_ids:
        settings |= {"accept_lineitem": True, "data": secrets.token_urlsafe(8)}
    selection = Selection(token, course, tool, person, settings | own)
    with lms.lock:
        lms.selections[token] = selection
    return selection


def receive(lms: "Lms", selection: Selection, message: str) -> None:
    """Take the tool's answer after checking all of it; raise Refused when anything is wrong."""
    tool = selection.tool
    claims = verified(lms, tool, message, audience=tool.issuer)
    if claims["iss"] != tool.client_id:
        raise Refused("invalid_request", "iss is the client")
    use_once(lms, tool, claims.get("nonce"), "invalid_request")
    fixed = {
        "message_type": words.DEEP_LINKING_RESPONSE,
        "version": "1.3.0",
        "deployment_id": tool.deployment_id,
    }
    for name, value in fixed.items():
        if claims.get(f"{words.LTI}{name}") != value:
            raise Refused("invalid_request", f"wrong {name}")
    sent = selection.settings.get("data")
    if claims.get(f"{words.DL}data") != sent or (sent is None and f"{words.DL}data" in claims):
        raise Refused("invalid_request", "data is returned as it was sent, and only then")
    items = _checked(claims.get(f"{words.DL}content_items", []), selection)
    with lms.lock:
        if selection.items is not None:
            raise Refused("invalid_request", "this selection was answered before")
        selection.items = items
        selection.message = str(claims.get(f"{words.DL}msg") or "")


def _checked(items: Any, selection: Selection) -> list[dict[str, Any]]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refused("invalid_request", "content_items is a list of objects")
    if len(items) > 1 and not selection.settings["accept_multiple"]:
        raise Refused("invalid_request", "one item was asked for")
    for item in items:
        if item.get("type") not in selection.settings["accept_types"]:
            raise Refused("invalid_request", f"type {item.get('type')!r} was not asked for")
        url, custom, column = item.get("url"), item.get("custom", {}), item.get("lineItem", {})
        if url is not None and urlsplit(str(url)).netloc != selection.tool.host:
            raise Refused("invalid_request", "the address is not the tool's")
        if not isinstance(custom, dict) or not all(isinstance(value, str) for value in custom.values()):
            raise Refused("invalid_request", "custom parameters are strings")
        maximum = column.get("scoreMaximum") if isinstance(column, dict) else None
        if column != {} and (isinstance(maximum, bool) or not isinstance(maximum, int | float) or maximum <= 0):
            raise Refused("invalid_request", "a lineItem has a positive scoreMaximum")
    return items


def save(
    lms: "Lms", selection: Selection, *, accepts_grades: bool = True, onto: ResourceLink | None = None
) -> list[ResourceLink]:
    """Place what was picked. Saving twice places nothing more.

    `accepts_grades`: what the teacher answered when asked whether the activity is graded. `onto`: an activity that is
    there already gets the address, title and parameters of the first item, as "Select content" once more does.
    """
    with lms.lock:
        if selection.is_saved or selection.items is None:
            return []
        selection.is_saved = True
        takes_columns = selection.settings.get("accept_lineitem", True) and accepts_grades
        if onto is not None:
            for item in selection.items[:1]:
                _put_onto(onto, item, selection)
            return [onto]
        return [
            lms.add_link(
                selection.course,
                selection.tool,
                item.get("url"),
                str(item.get("title") or selection.tool.title),
                custom=item.get("custom"),
                line_item=item.get("lineItem") if takes_columns else None,
                text=str(item.get("text") or ""),
                is_plain=False,
            )
            for item in selection.items
        ]


def _put_onto(link: ResourceLink, item: dict[str, Any], selection: Selection) -> None:
    link.url = str(item.get("url") or selection.tool.target_link_uri)
    link.title, link.text = str(item.get("title") or link.title), str(item.get("text") or "")
    link.custom = dict(item.get("custom") or {})
