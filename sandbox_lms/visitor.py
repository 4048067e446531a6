"""Who sits at the browser, and what the LMS lets them see."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from flask import current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from sandbox_lms.messages import role_in
from sandbox_lms.people import Person, Role
from sandbox_lms.records import Course

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

P = ParamSpec("P")
Answer = str | tuple[str, int] | Response
STAFF = frozenset({Role.INSTRUCTOR, Role.ASSISTANT, Role.ADMIN})
EDITORS = frozenset({Role.INSTRUCTOR, Role.ADMIN})


def the_lms() -> "Lms":
    lms: Lms = current_app.config["LMS"]
    return lms


def visitor() -> Person | None:
    """The person this browser is at the moment."""
    return the_lms().people.get(session.get("person", ""))


def plays_learner(course: Course) -> bool:
    """Whether staff switched their role in this course."""
    return session.get("as_learner") == course.key


def role_here(course: Course) -> Role | None:
    """What the visitor is in a course, with a switched role taken into account."""
    person = visitor()
    return role_in(course, person, as_learner=plays_learner(course)) if person else None


def message(title: str, text: str, status: int = 200) -> tuple[str, int]:
    """A page that says one thing."""
    return render_template("message.html", title=title, text=text), status


def in_course(*roles: Role) -> Callable[[Callable[Concatenate[Course, P], Answer]], Callable[..., Answer]]:
    """A page of a course for people who are in it, with one of the roles when any are named."""

    def decorate(page: Callable[Concatenate[Course, P], Answer]) -> Callable[..., Answer]:
        @wraps(page)
        def guarded(key: str, *args: P.args, **kwargs: P.kwargs) -> Answer:
            course = the_lms().courses.get(key)
            if course is None:
                return message("No such course", "This course does not exist.", 404)
            if visitor() is None:
                return redirect(url_for("pages.home", next=request.full_path.rstrip("?")), 303)
            role = role_here(course)
            if role is None:
                return message("Not enrolled", f"You cannot open {course.title}: you are not enrolled in it.", 403)
            if roles and role not in roles:
                return message("Not for you", "Your role in this course does not allow this.", 403)
            return page(course, *args, **kwargs)

        return guarded

    return decorate


def for_administrators(page: Callable[P, Answer]) -> Callable[P, Answer]:
    """A page of the site's administration."""

    @wraps(page)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
        person = visitor()
        if person is None:
            return redirect(url_for("pages.home", next=request.full_path.rstrip("?")), 303)
        if not person.is_admin:
            return message("For administrators", "Only an administrator of this LMS may do that.", 403)
        return page(*args, **kwargs)

    return guarded
