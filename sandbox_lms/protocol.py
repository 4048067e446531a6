"""The addresses that tools and their browsers talk to."""

import json
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, jsonify, render_template, request, session

from sandbox_lms import deep_linking, oidc, registration, tokens
from sandbox_lms.answers import answered

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

protocol = Blueprint("protocol", __name__)


def _lms() -> "Lms":
    lms: Lms = current_app.config["LMS"]
    return lms


@protocol.route("/auth", methods=["GET", "POST"])
def auth() -> tuple[str, int] | str:
    """The authentication request of a tool, answered by a form that posts itself."""
    lms = _lms()
    asker = lms.people.get(session.get("person", ""))
    try:
        form = oidc.authenticate(lms, request.values, asker)
    except oidc.UntrustedRequest:
        return render_template("message.html", title="Invalid request", text="This tool is not known here."), 400
    return render_template("post.html", title="Opening the tool", form=form)


@protocol.get("/jwks")
def jwks() -> Response:
    """The keys that id_tokens are signed with."""
    answer = jsonify(_lms().keyring.jwks())
    answer.headers["Cache-Control"] = "max-age=60"
    return answer


@protocol.post("/token")
def token() -> Response:
    """Access tokens for client assertions."""
    lms = _lms()
    media_type = "text/html" if lms.profile.token_answers_as_html else "application/json"
    try:
        if request.mimetype != "application/x-www-form-urlencoded":
            raise tokens.Refused("invalid_request", "a form is expected")
        granted = tokens.grant(lms, request.form)
    except tokens.Refused as refusal:
        if lms.profile.token_answers_as_html:
            # Moodle puts the text between quotes without escaping it: one of its errors is no JSON.
            body = f'{{\n  "error" : "{refusal.error}"\n}}'
            return Response(body, 400, content_type=f"{media_type}; charset=utf-8")
        known = {"invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"}
        error = refusal.error if refusal.error in known else "invalid_client"
        return answered({"error": error, "error_description": refusal.description or refusal.error}, media_type, 400)
    return answered(granted, media_type)


@protocol.get("/.well-known/openid-configuration")
def openid_configuration() -> Response:
    """What a tool reads before it registers itself."""
    lms = _lms()
    invitation_id = request.args.get("registration")
    if lms.profile.configuration_needs_token:
        try:
            registration.invitation_for(lms, request.headers.get("Authorization"), invitation_id)
        except registration.NotRegistered as refusal:
            return answered({"error": refusal.reason}, "application/json", refusal.status)
    suffix = f"?registration={invitation_id}" if invitation_id else ""
    return answered(oidc.openid_configuration(lms, suffix), "application/json")


@protocol.post("/register")
def register() -> Response:
    """A tool that describes itself."""
    lms = _lms()
    try:
        invitation = registration.invitation_for(
            lms, request.headers.get("Authorization"), request.args.get("registration")
        )
        sent = json.loads(request.get_data())
        told = registration.register(lms, invitation, sent)
    except ValueError:
        return answered({"error": "invalid JSON"}, "application/json", 400)
    except registration.NotRegistered as refusal:
        return answered({"error": refusal.reason}, "application/json", refusal.status)
    return answered(told, "application/json")


@protocol.post("/deep-link/<token>")
def deep_link(token: str) -> tuple[str, int] | str:
    """The tool's answer to a selection, inside the dialog's frame."""
    lms = _lms()
    selection = lms.selections.get(token)
    try:
        if selection is None:
            raise tokens.Refused("invalid_request", "no such selection")
        deep_linking.receive(lms, selection, request.form.get("JWT", ""))
    except tokens.Refused as refusal:
        text = f"The tool's answer was refused: {refusal.description or refusal.error}."
        return render_template("message.html", title="Nothing was added", text=text), 400
    if not lms.profile.confirms_selection:
        deep_linking.save(lms, selection)
    return render_template("picked.html", selection=selection)
