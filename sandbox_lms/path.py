"""The newcomer's path from an empty LMS to a grade."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox_lms.people import Role
from sandbox_lms.records import Course

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, by whom, where."""

    title: str
    text: str
    username: str
    address: str
    is_done: bool


def steps(lms: "Lms", course: Course) -> list[Step]:
    """What to do in this LMS, in order."""
    base = f"/courses/{course.key}"
    links = [link for link in lms.links if link.course is course]
    newest = f"{base}/activities/{links[-1].number}" if links else base
    learners = _openers(lms, course, Role.LEARNER)
    staff = _openers(lms, course, Role.INSTRUCTOR)
    graded = any(grade.raw is not None for item in lms.all_line_items(course) for grade in item.grades.values())
    path = [
        Step(
            "Register the tool",
            "As the site's administrator, paste the tool's registration link.",
            "admin",
            "/admin/register",
            bool(lms.tools),
        )
    ]
    if lms.profile.needs_activation:
        path.append(
            Step(
                "Activate it",
                f"{lms.profile.title} keeps a new tool pending until the administrator activates it.",
                "admin",
                "/admin",
                any(tool.active for tool in lms.tools),
            )
        )
    if lms.profile.needs_course_switch:
        path.append(
            Step(
                "Switch it on in the course",
                f"In {lms.profile.title} the teacher decides which tools a course offers.",
                "designer",
                f"{base}/tools",
                any(lms.may_place(course, tool) for tool in lms.tools),
            )
        )
    return [
        *path,
        Step(
            "Place an activity",
            "Add it to the course: the tool's own dialog opens. One round is enough for a first try.",
            "designer",
            f"{base}/add",
            bool(links),
        ),
        Step(
            "Open it as its designer",
            "Read the roster, pair the learners, and publish the plan.",
            "designer",
            newest,
            bool(staff),
        ),
        Step(
            "Open it as two learners",
            "Be one learner, then the partner. Observe, give feedback, answer it, and say how it helped.",
            "learner01",
            newest,
            len(learners) > 1,
        ),
        Step("See the grade arrive", "Open the gradebook.", "designer", f"{base}/gradebook", graded),
    ]


def _openers(lms: "Lms", course: Course, role: Role) -> set[int]:
    enrolled = course.enrolments
    return {number for _, number in lms.opened if number in enrolled and enrolled[number].role is role}
