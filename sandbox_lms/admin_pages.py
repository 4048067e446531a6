"""Pages of the LMS for its administrator: tools, and everything that can go wrong."""

import json
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for

from sandbox_lms import registration
from sandbox_lms.faults import ENDPOINTS, Fault
from sandbox_lms.visitor import Answer, for_administrators, message, the_lms

admin = Blueprint("admin", __name__)

STORAGE_BEHAVIORS = {
    "answer": "answers",
    "silent": "says nothing",
    "wrong_origin": "answers from another origin",
    "missing_frame": "has no frame",
}


@admin.get("/admin")
@for_administrators
def tools() -> Answer:
    """The tools of this LMS."""
    return render_template("admin.html")


@admin.route("/admin/register", methods=["GET", "POST"])
@for_administrators
def register() -> Answer:
    """Dynamic registration: the tool's own page opens in a frame."""
    lms = the_lms()
    if request.method == "GET":
        return render_template("register.html")
    address = request.form.get("address", "").strip()
    if not address.startswith(("https://", "http://")):
        return render_template("register.html", problem="Paste the whole link, from http on.", address=address), 400
    updates = lms.tool_numbered(request.form.get("updates", 0, type=int))
    invitation = registration.invite(lms, updates)
    return render_template("registering.html", address=registration.initiation_url(lms, invitation, address))


FIELDS = ("title", "initiate_login_uri", "redirect_uris", "jwks_uri", "target_link_uri")


@admin.route("/admin/tools/new", methods=["GET", "POST"])
@for_administrators
def new_tool() -> Answer:
    """Manual registration: the tool's addresses are typed."""
    if request.method == "GET":
        return render_template("new_tool.html", values={}, problem="")
    values = {name: request.form.get(name, "").strip() for name in (*FIELDS, "deep_link_uri")}
    missing = [name for name in FIELDS if not values[name]]
    if missing:
        problem = f"Please fill in: {', '.join(name.replace('_', ' ') for name in missing)}."
        return render_template("new_tool.html", values=values, problem=problem), 400
    tool = the_lms().register_tool(
        title=values["title"],
        initiate_login_uri=values["initiate_login_uri"],
        redirect_uris=values["redirect_uris"].split(),
        jwks_uri=values["jwks_uri"],
        target_link_uri=values["target_link_uri"],
        deep_link_uri=values["deep_link_uri"] or None,
    )
    return redirect(url_for(".tool", number=tool.number), 303)


@admin.get("/admin/tools/<int:number>")
@for_administrators
def tool(number: int) -> Answer:
    """What the tool's administrator has to know about this LMS."""
    found = the_lms().tool_numbered(number)
    if found is None:
        return message("No such tool", "It was removed.", 404)
    return render_template("tool.html", tool=found, values=json.dumps([found.as_registration_json()], indent=2))


@admin.post("/admin/tools/<int:number>")
@for_administrators
def change_tool(number: int) -> Answer:
    """Activate a tool, switch it off, rename it, or change what it learns about people."""
    lms, found = the_lms(), the_lms().tool_numbered(number)
    if found is None:
        return message("No such tool", "It was removed.", 404)
    action = request.form.get("action")
    if action == "activate":
        lms.activate(found)
        return redirect(url_for(".tools"), 303)
    if action == "deactivate":
        lms.deactivate(found)
        return redirect(url_for(".tools"), 303)
    if action == "settings":
        found.title = request.form.get("title", "").strip() or found.title
        lms.set_privacy(found, name="names" in request.form, email="mail" in request.form)
    return redirect(url_for(".tool", number=number), 303)


@admin.route("/admin/faults", methods=["GET", "POST"])
@for_administrators
def faults() -> Answer:
    """Switches that make this LMS fail."""
    lms = the_lms()
    if request.method == "GET":
        return render_template("faults.html", endpoints=ENDPOINTS, behaviors=STORAGE_BEHAVIORS)
    form = request.form
    action = form.get("action")
    if action == "add" and form.get("endpoint") in ENDPOINTS:
        lms.faults.add(_fault())
    elif action == "clear":
        lms.faults.clear()
    elif action == "storage" and form.get("storage") in STORAGE_BEHAVIORS:
        lms.storage_behavior = form["storage"]
    elif action == "clock":
        lms.clock_offset = timedelta(seconds=form.get("seconds", 0, type=int))
    elif action == "rotate":
        lms.rotate_keys()
    elif action == "revoke":
        lms.revoke_tokens()
    return redirect(url_for(".faults"), 303)


def _fault() -> Fault:
    form = request.form
    fault = Fault(form["endpoint"], form.get("times", type=int))
    kind = form.get("kind")
    if kind == "status":
        fault.status = min(max(form.get("status", 500, type=int), 400), 599)
        if form.get("retry_after", type=int):
            fault.headers["Retry-After"] = form["retry_after"]
    elif kind == "slow":
        fault.seconds = min(form.get("seconds", 5.0, type=float), 120.0)
    elif kind == "drop":
        fault.drops = "before"
    elif kind == "drop_after":
        fault.drops = "after"
    elif kind == "garble":
        fault.body, fault.content_type, fault.replaces_body = "<html>oops", "text/html", True
    return fault
