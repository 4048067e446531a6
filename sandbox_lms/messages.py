"""The claims of an id_token, per message and product."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox_lms import vocabulary as words
from sandbox_lms.custom import substituted
from sandbox_lms.people import Person, Role
from sandbox_lms.records import Course, Launch, ResourceLink, ToolRegistration

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms


def role_in(course: Course, person: Person, *, as_learner: bool = False) -> Role | None:
    """What the person is there now; None when the course is closed to them."""
    if person.account_suspended:
        return None
    if as_learner:
        return Role.LEARNER
    if person.is_test:
        return Role.TEST
    enrolment = course.enrolments.get(person.number)
    if enrolment is not None and enrolment.is_active:
        return enrolment.role
    return Role.ADMIN if person.is_admin else None


def claims_of(lms: "Lms", launch: Launch, nonce: str | None) -> dict[str, Any]:
    """Everything the tool is told about one launch."""
    profile, person, tool = lms.profile, launch.person, launch.tool
    role = role_in(launch.course, person, as_learner=launch.as_learner) or Role.LEARNER
    now = int(lms.now().timestamp())
    claims: dict[str, Any] = {
        "nonce": nonce,
        "iat": now,
        "exp": now + profile.id_token_lifetime,
        "iss": tool.issuer,
        "aud": tool.client_id,
        f"{words.LTI}deployment_id": launch.deployment_id,
        f"{words.LTI}target_link_uri": launch.target,
        "sub": person.sub,
        f"{words.LTI}roles": list(profile.roles[role]),
        f"{words.LTI}context": {
            "id": launch.course.id,
            "label": launch.course.label,
            "title": launch.course.title,
            "type": ["CourseSection"]
            if profile.numeric_ids
            else ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
        },
        f"{words.LTI}message_type": launch.message_type,
        f"{words.LTI}version": "1.3.0",
        f"{words.LTI}tool_platform": {
            "product_family_code": profile.family_code,
            "version": profile.version,
            "guid": lms.guid,
            "name": lms.title,
            "description": "A small LMS to try tools in",
        },
        f"{words.LTI}lis": {
            "person_sourcedid": f"sis-{person.number:04}",
            "course_section_sourcedid": f"SIS-{launch.course.label}",
        },
        f"{words.LTI}launch_presentation": _presentation(lms, launch),
        f"{words.LTI}custom": substituted(lms, launch, profile.roster_roles.get(role, ("Instructor",))),
    }
    if profile.sends_nbf:
        claims["nbf"] = now
    if profile.sends_azp:
        claims["azp"] = tool.client_id
    claims |= _personal(launch)
    claims |= _services(lms, launch)
    if launch.link is not None:
        claims[f"{words.LTI}resource_link"] = {
            "id": launch.link.id,
            "title": launch.link.title,
            "description": launch.link.text,
        }
    if launch.for_person is not None:
        claims[f"{words.LTI}for_user"] = {"user_id": launch.for_person.sub}
    if launch.selection is not None:
        claims[words.DEEP_LINKING_SETTINGS] = lms.selections[launch.selection].settings
    return claims


def _personal(launch: Launch) -> dict[str, Any]:
    person, tool = launch.person, launch.tool
    told: dict[str, Any] = {}
    if tool.shares_names:
        told |= {"given_name": person.given_name, "family_name": person.family_name, "name": person.name}
        told[f"{words.LTI}ext"] = {"user_username": person.username, "lms": "sandbox"}
    if tool.shares_mail:
        told["email"] = person.email
    return told


def _presentation(lms: "Lms", launch: Launch) -> dict[str, Any]:
    presentation: dict[str, Any] = {"locale": launch.person.locale}
    if launch.link is not None:
        query = {"course": launch.course.key, "link": str(launch.link.number)}
        presentation |= {
            "document_target": "window" if launch.opens_window else "iframe",
            "return_url": f"{lms.url}/return?{urlencode(query)}",
        }
    return presentation


def _services(lms: "Lms", launch: Launch) -> dict[str, Any]:
    tool, told = launch.tool, {}
    granted = [scope for scope in words.AGS_SCOPES if scope in tool.scopes]
    if granted:
        endpoint: dict[str, Any] = {"scope": granted, "lineitems": line_items_url(lms, launch.course, tool)}
        if launch.link is not None:
            items = lms.line_items_of(launch.link)
            if len(items) == 1 or (items and not lms.profile.two_line_items_hide_the_claim):
                endpoint["lineitem"] = line_item_url(lms, launch.course, tool, items[0].number)
        told[words.AGS_ENDPOINT] = endpoint
    if words.ROSTER in tool.scopes:
        told[words.NRPS_SERVICE] = {
            "context_memberships_url": roster_url(lms, launch.course, tool),
            "service_versions": ["1.0", "2.0"] if lms.profile.numeric_ids else ["2.0"],
        }
    if lms.profile.has_groups_service and words.GROUPS in tool.scopes:
        told[words.GROUPS_SERVICE] = {
            "scope": [words.GROUPS],
            "context_groups_url": groups_url(lms, launch.course),
            "context_group_sets_url": groups_url(lms, launch.course, "groupsets"),
            "service_versions": ["1.0"],
        }
    if lms.profile.sends_notices and words.NOTICE_HANDLERS in tool.scopes:
        told[words.NOTIFICATION_SERVICE] = {
            "service_versions": ["1.0"],
            "platform_notification_service_url": notices_url(lms, tool, launch.deployment_id),
            "scope": [words.NOTICE_HANDLERS],
            "notice_types_supported": [words.HELLO_NOTICE, words.COPY_NOTICE],
        }
    return told


def type_query(lms: "Lms", tool: ToolRegistration) -> str:
    """The query that Moodle hangs on line item addresses."""
    return f"?type_id={tool.number}" if lms.profile.line_items_have_type else ""


def line_items_url(lms: "Lms", course: Course, tool: ToolRegistration) -> str:
    return f"{lms.url}/services/{course.id}/lineitems{type_query(lms, tool)}"


def line_item_url(lms: "Lms", course: Course, tool: ToolRegistration, number: int, part: str = "") -> str:
    return f"{lms.url}/services/{course.id}/lineitems/{number}/lineitem{part}{type_query(lms, tool)}"


def roster_url(lms: "Lms", course: Course, tool: ToolRegistration) -> str:
    return f"{lms.url}/services/CourseSection/{course.id}/bindings/{tool.number}/memberships"


def groups_url(lms: "Lms", course: Course, kind: str = "groups") -> str:
    return f"{lms.url}/services/courses/{course.id}/{kind}"


def notices_url(lms: "Lms", tool: ToolRegistration, deployment_id: str) -> str:
    return f"{lms.url}/services/notice-handlers/{tool.number}/{deployment_id}"


def review_target(link: ResourceLink) -> str:
    """Where a look at one grade opens: the address given for reviews, else the activity's."""
    return str((link.review or {}).get("url") or link.url)
