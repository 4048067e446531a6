"""Custom parameters: what `$Variables` become for one launch."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox_lms.records import Launch

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms


def substituted(lms: "Lms", launch: Launch, role_names: tuple[str, ...]) -> dict[str, str | None]:
    """The custom claim. Unknown variables stay as they are written; unknown values are None, as in Moodle."""
    values = _values(lms, launch, role_names)
    written: dict[str, str] = dict(launch.tool.custom)
    if launch.link is not None:
        written |= launch.link.custom
        if launch.message_type == "LtiSubmissionReviewRequest" and launch.link.review:
            own = launch.link.review.get("custom")
            if isinstance(own, Mapping):
                written |= {str(key): str(value) for key, value in own.items()}
    custom: dict[str, str | None] = {}
    for key, value in written.items():
        replaced = values[value[1:]] if value.startswith("$") and value[1:] in values else value
        if lms.profile.numeric_ids and key.lower() != key:
            custom[key.lower()] = replaced
        custom[key] = replaced
    return custom


def _values(lms: "Lms", launch: Launch, role_names: tuple[str, ...]) -> dict[str, str | None]:
    person, course, link, tool = launch.person, launch.course, launch.link, launch.tool
    begin = lms.now() - timedelta(days=7)
    name = person.name if tool.shares_names else None
    return {
        "User.id": person.sub,
        "User.username": person.username,
        "Person.name.full": name,
        "Person.name.given": person.given_name if tool.shares_names else None,
        "Person.name.family": person.family_name if tool.shares_names else None,
        "Person.email.primary": person.email if tool.shares_mail else None,
        "Person.sourcedId": f"sis-{person.number:04}",
        "Person.address.timezone": "99" if lms.profile.numeric_ids else "Europe/Amsterdam",
        "Context.id": course.id,
        "Context.title": course.title,
        "Context.label": course.label,
        "Context.id.history": ",".join(course.history),
        "CourseSection.title": course.title,
        "CourseSection.label": course.label,
        "CourseSection.sourcedId": f"SIS-{course.label}",
        "CourseSection.timeFrame.begin": begin.isoformat(timespec="seconds"),
        "CourseSection.timeFrame.end": (begin + timedelta(days=97)).isoformat(timespec="seconds"),
        "ResourceLink.id": link.id if link else None,
        "ResourceLink.title": link.title if link else None,
        "ResourceLink.description": link.text if link else None,
        "Membership.role": ",".join(role_names),
    }
