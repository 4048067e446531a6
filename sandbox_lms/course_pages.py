"""Pages of the LMS about a course: its gradebook, its people, its tools."""

from flask import Blueprint, redirect, render_template, request, url_for

from sandbox_lms.people import Role
from sandbox_lms.records import Course, Enrolment, Grade, LineItem
from sandbox_lms.visitor import EDITORS, STAFF, Answer, in_course, message, role_here, the_lms, visitor

course_pages = Blueprint("course", __name__)

SHOWN_AT_ONCE = 200


@course_pages.get("/courses/<key>/gradebook")
@in_course()
def gradebook(course: Course) -> Answer:
    """People by columns; a learner sees one row."""
    lms, person, role = the_lms(), visitor(), role_here(course)
    learners = [one.person for one in course.enrolments.values() if one.role is Role.LEARNER]
    is_staff = role in STAFF
    rows = learners[:SHOWN_AT_ONCE] if is_staff else [one for one in learners if one is person]
    return render_template(
        "gradebook.html",
        course=course,
        items=lms.all_line_items(course),
        rows=rows,
        is_staff=is_staff,
        is_editor=role in EDITORS,
        hidden_rows=len(learners) - len(rows) if is_staff else 0,
    )


def _cell(course: Course, item_number: int, person_number: int) -> tuple[LineItem, Enrolment] | None:
    item = next((one for one in the_lms().all_line_items(course) if one.number == item_number), None)
    enrolment = course.enrolments.get(person_number)
    return (item, enrolment) if item is not None and enrolment is not None else None


@course_pages.route("/courses/<key>/gradebook/<int:item_number>/<int:person_number>", methods=["GET", "POST"])
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def grade(course: Course, item_number: int, person_number: int) -> Answer:
    """One cell: set it by hand, give it back to the tool, lock it."""
    lms, cell = the_lms(), _cell(course, item_number, person_number)
    if cell is None:
        return message("No such grade", "This column or this person is gone.", 404)
    item, enrolment = cell
    if request.method == "POST":
        if request.form.get("action") == "override":
            points = request.form.get("points", type=float)
            if points is None:
                return message("No number", "The points have to be a number.", 400)
            lms.override_grade(item, enrolment.person, points, request.form.get("comment", ""))
        elif request.form.get("action") == "clear":
            lms.override_grade(item, enrolment.person, None)
        elif request.form.get("action") in {"lock", "unlock"}:
            lms.lock_grade(item, enrolment.person, is_locked=request.form["action"] == "lock")
        return redirect(url_for(".gradebook", key=course.key), 303)
    return render_template(
        "grade.html",
        course=course,
        item=item,
        person=enrolment.person,
        grade=item.grades.get(enrolment.person.sub) or Grade(),
    )


@course_pages.get("/courses/<key>/people")
@in_course()
def people(course: Course) -> Answer:
    """Who is in the course."""
    return render_template(
        "people.html",
        course=course,
        enrolments=list(course.enrolments.values())[:SHOWN_AT_ONCE],
        hidden_rows=max(len(course.enrolments) - SHOWN_AT_ONCE, 0),
        is_editor=role_here(course) in EDITORS,
        roles=[Role.LEARNER, Role.INSTRUCTOR, Role.ASSISTANT, Role.OBSERVER],
    )


@course_pages.post("/courses/<key>/people/<int:number>")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def change_person(course: Course, number: int) -> Answer:
    """Suspend, bring back or remove somebody."""
    lms, enrolment = the_lms(), course.enrolments.get(number)
    verbs = {"suspend": lms.suspend, "resume": lms.resume, "remove": lms.unenrol}
    verb = verbs.get(request.form.get("action", ""))
    if enrolment is None or verb is None:
        return message("Nothing was changed", "This person is not in the course.", 404)
    verb(course, enrolment.person)
    return redirect(url_for(".people", key=course.key), 303)


@course_pages.post("/courses/<key>/people")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def add_person(course: Course) -> Answer:
    """A late arrival."""
    lms = the_lms()
    given = request.form.get("given_name", "").strip()
    if not given:
        return message("Nobody was added", "A given name is needed.", 400)
    username = f"late{len(lms.people) + 1:03}"
    person = lms.add_person(username, given, request.form.get("family_name", "").strip())
    lms.enrol(course, person, Role(request.form.get("role", Role.LEARNER)))
    return redirect(url_for(".people", key=course.key), 303)


@course_pages.route("/courses/<key>/tools", methods=["GET", "POST"])
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def tools(course: Course) -> Answer:
    """The teacher's switches for tools."""
    lms = the_lms()
    if request.method == "POST":
        tool = lms.tool_numbered(request.form.get("tool", 0, type=int))
        if tool is not None:
            lms.switch_on(course, tool, on=request.form.get("on") == "yes")
        return redirect(url_for(".tools", key=course.key), 303)
    return render_template("tools.html", course=course, tools=[tool for tool in lms.tools if tool.active])


@course_pages.post("/courses/<key>/state")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def change_course(course: Course) -> Answer:
    """End, reopen, reset or copy the course."""
    lms, action = the_lms(), request.form.get("action")
    if action in {"conclude", "reopen"}:
        lms.conclude_course(course, is_concluded=action == "conclude")
    elif action == "reset":
        lms.reset_course(course)
    elif action == "copy":
        copy = lms.copy_course(course, f"course-{len(lms.courses) + 1}")
        return redirect(url_for("pages.course", key=copy.key), 303)
    return redirect(url_for("pages.course", key=course.key), 303)
