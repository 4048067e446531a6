"""The OpenID Connect dance: login initiation and the authentication answer."""

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox_lms import vocabulary as words
from sandbox_lms.messages import claims_of, review_target, role_in
from sandbox_lms.people import Person
from sandbox_lms.records import Course, Form, Launch, ResourceLink, Selection, ToolRegistration

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms


class MayNotLaunch(Exception):
    """This person, or this tool, does not get that far; the tool is not contacted."""


class UntrustedRequest(Exception):
    """An authentication request that names no client or no address to answer to."""


def launch_of_link(
    lms: "Lms",
    person: Person,
    link: ResourceLink,
    *,
    as_learner: bool = False,
    for_person: Person | None = None,
    opens_window: bool = False,
) -> Launch:
    """What a click on an activity, or on a grade (`for_person`), is going to tell the tool."""
    _check(lms, person, link.course, link.tool, as_learner=as_learner)
    if link.visible_to is not None and person.number not in link.visible_to:
        raise MayNotLaunch(f"{link.title} is not open to this person")
    return Launch(
        hint=_hint(lms, link.number),
        person=person,
        tool=link.tool,
        course=link.course,
        deployment_id=link.deployment_id,
        target=review_target(link) if for_person else link.url,
        message_type=words.SUBMISSION_REVIEW_REQUEST if for_person else words.RESOURCE_LINK_REQUEST,
        link=link,
        as_learner=as_learner,
        for_person=for_person,
        opens_window=opens_window or link.opens_window,
    )


def launch_of_selection(lms: "Lms", selection: Selection) -> Launch:
    """What "Select content" is going to tell the tool."""
    tool = selection.tool
    _check(lms, selection.person, selection.course, tool, as_learner=False)
    return Launch(
        hint=_hint(lms, 0),
        person=selection.person,
        tool=tool,
        course=selection.course,
        deployment_id=tool.deployment_id,
        target=tool.deep_link_uri or tool.target_link_uri,
        message_type=words.DEEP_LINKING_REQUEST,
        selection=selection.token,
    )


def _check(lms: "Lms", person: Person, course: Course, tool: ToolRegistration, *, as_learner: bool) -> None:
    if not tool.active:
        raise MayNotLaunch(f"{tool.title} is not active")
    if course.is_concluded and not lms.profile.numeric_ids:
        raise MayNotLaunch(f"{course.title} is over")
    if role_in(course, person, as_learner=as_learner) is None:
        raise MayNotLaunch(f"this person is not enrolled in {course.title}")


def _hint(lms: "Lms", link_number: int) -> str:
    secret = secrets.token_urlsafe(16)
    if not lms.profile.numeric_ids:
        return secret
    return json.dumps({"cmid": link_number + 2, "launchid": f"ltilaunch{link_number}_{secret}"}, separators=(",", ":"))


def initiate(lms: "Lms", launch: Launch) -> Form:
    """The form that starts a login at the tool. The launch waits for the tool to come back with its hint."""
    with lms.lock:
        lms.launches[launch.hint] = launch
    tool, profile = launch.tool, lms.profile
    fields = {
        "iss": tool.issuer,
        "target_link_uri": launch.target,
        "login_hint": launch.person.sub,
        "lti_message_hint": launch.hint,
        "client_id": tool.client_id,
        "lti_deployment_id": launch.deployment_id,
        **dict(profile.own_login_fields),
    }
    if profile.storage_target and lms.storage_behavior != "missing_frame":
        fields["lti_storage_target"] = profile.storage_target
    return Form(tool.initiate_login_uri, fields)


def authenticate(lms: "Lms", request: Mapping[str, str], asker: Person | None = None) -> Form:
    """Answer an authentication request with the form the browser posts to the tool: a token, or an error.

    `asker` is the person whose browser it is, when the browser told. Raises UntrustedRequest when the answer
    would have nowhere safe to go.
    """
    tool = lms.tool_of_client(request.get("client_id", ""))
    redirect_uri = request.get("redirect_uri", "")
    if tool is None or redirect_uri not in tool.redirect_uris:
        raise UntrustedRequest("unknown client, or a redirect_uri that is not registered for it")
    state = {"state": request["state"]} if request.get("state") else {}
    refusal = _refusal(lms, tool, request, asker)
    if refusal is not None:
        error, description = refusal
        return Form(redirect_uri, {"error": error, "error_description": description, **state})
    with lms.lock:
        launch = lms.launches[request["lti_message_hint"]]
        if lms.profile.hint_works_once:
            del lms.launches[launch.hint]
        if launch.link is not None:
            lms.opened.add((launch.link.number, launch.person.number))
    token = lms.keyring.sign(claims_of(lms, launch, request["nonce"]))
    return Form(redirect_uri, {"id_token": token, **state})


def _refusal(
    lms: "Lms", tool: ToolRegistration, request: Mapping[str, str], asker: Person | None
) -> tuple[str, str] | None:
    def is_missing(name: str) -> bool:
        return not request.get(name)

    needed = ("scope", "response_type", "login_hint", "nonce")
    fixed: tuple[tuple[str, str, str], ...] = (
        ("scope", "openid", "invalid_scope"),
        ("response_type", "id_token", "unsupported_response_type"),
        ("response_mode", "form_post", "invalid_request"),
        ("prompt", "none", "invalid_request"),
    )
    if any(map(is_missing, needed)):
        return "invalid_request", "Missing " + ", ".join(filter(is_missing, needed))
    for name, value, error in fixed:
        if request.get(name) != value:
            return error, f"Invalid {name}"
    if not tool.active:
        return "unauthorized_client", "The tool is not active"
    launch = lms.launches.get(request.get("lti_message_hint", ""))
    if launch is None or launch.tool is not tool:
        return "invalid_request", "Unknown lti_message_hint, or used before"
    if request["login_hint"] != launch.person.sub or (asker is not None and asker is not launch.person):
        return "access_denied", "Somebody else is signed in"
    return None


def openid_configuration(lms: "Lms", suffix: str = "") -> dict[str, Any]:
    """What a tool needs to know to register itself. `suffix` is put behind the registration address."""
    return {
        "issuer": lms.issuer,
        "token_endpoint": f"{lms.url}/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": f"{lms.url}/jwks",
        "authorization_endpoint": f"{lms.url}/auth",
        "registration_endpoint": f"{lms.url}/register{suffix}",
        "scopes_supported": [*lms.profile.scopes, "openid"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        **({"authorization_server": lms.profile.token_audience} if lms.profile.token_audience else {}),
        words.PLATFORM_CONFIGURATION: {
            "product_family_code": lms.profile.family_code,
            "version": lms.profile.version,
            "messages_supported": [
                {"type": words.RESOURCE_LINK_REQUEST},
                {"type": words.DEEP_LINKING_REQUEST, "placements": ["ContentArea"]},
            ],
            "variables": [
                "Context.id",
                "Context.title",
                "Context.label",
                "Context.id.history",
                "CourseSection.title",
                "CourseSection.label",
                "CourseSection.sourcedId",
                "CourseSection.timeFrame.begin",
                "CourseSection.timeFrame.end",
                "ResourceLink.id",
                "ResourceLink.title",
                "ResourceLink.description",
                "User.id",
                "User.username",
                "Person.name.full",
                "Person.name.given",
                "Person.name.family",
                "Person.email.primary",
                "Person.sourcedId",
                "Person.address.timezone",
                "Membership.role",
            ],
        },
    }
