"""Pages of the LMS for people in a course."""

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for

from sandbox_lms import deep_linking, oidc
from sandbox_lms.path import steps
from sandbox_lms.people import Person, Role
from sandbox_lms.records import Course, ResourceLink
from sandbox_lms.visitor import EDITORS, STAFF, Answer, in_course, message, plays_learner, role_here, the_lms, visitor

pages = Blueprint("pages", __name__)


@pages.get("/")
def home() -> Answer:
    """Who to be, and what to do next."""
    lms = the_lms()
    course = lms.course()
    enrolled = list(course.enrolments.values())[:200]
    by_role = {role: [one.person for one in enrolled if one.role is role] for role in Role}
    next_address = request.args.get("next", "")
    return render_template(
        "home.html",
        course=course,
        steps=steps(lms, course),
        by_role=by_role,
        admins=[person for person in lms.people.values() if person.is_admin],
        next_address=next_address if next_address.startswith("/") else "",
    )


@pages.post("/be")
def be() -> Answer:
    """Become somebody and go on."""
    person = the_lms().people.get(request.form.get("person", ""))
    if person is None:
        return message("Nobody by that name", "Pick a person on the first page.", 404)
    session.clear()
    session["person"] = person.username
    address = request.form.get("next", "")
    is_own = address.startswith("/") and not address.startswith(("//", "/\\"))
    if is_own:
        return redirect(address, 303)
    return redirect(
        url_for("admin.tools") if person.is_admin else url_for("pages.course", key=the_lms().course().key), 303
    )


@pages.get("/courses/<key>")
@in_course()
def course(course: Course) -> Answer:
    """A course and its activities."""
    lms = the_lms()
    role = role_here(course)
    return render_template(
        "course.html",
        course=course,
        role=role,
        is_staff=role in STAFF,
        is_editor=role in EDITORS,
        plays_learner=plays_learner(course),
        links=[link for link in lms.links if link.course is course],
        test_person=next((one for one in lms.people.values() if one.is_test), None),
    )


@pages.post("/courses/<key>/role")
@in_course()
def switch_role(course: Course) -> Answer:
    """Look at the course as a learner, or stop doing so."""
    if request.form.get("as") == "learner":
        session["as_learner"] = course.key
    else:
        session.pop("as_learner", None)
    return redirect(url_for(".course", key=course.key), 303)


def _link(course: Course, number: int) -> ResourceLink | None:
    link = the_lms().link_numbered(number)
    return link if link is not None and link.course is course else None


def _gone() -> Answer:
    return message("No such activity", "This activity was deleted.", 404)


@pages.get("/courses/<key>/activities/<int:number>")
@in_course()
def activity(course: Course, number: int) -> Answer:
    """The LMS's header and the tool in its frame."""
    link = _link(course, number)
    if link is None:
        return _gone()
    return render_template(
        "activity.html",
        course=course,
        link=link,
        is_editor=role_here(course) in EDITORS,
        frame_address=url_for(".launch", key=course.key, number=number),
        window_address=url_for(".launch", key=course.key, number=number, window=1),
    )


@pages.post("/courses/<key>/activities/<int:number>/<any(duplicate, delete):verb>")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def change_activity(course: Course, number: int, verb: str) -> Answer:
    """Duplicate or delete an activity."""
    link = _link(course, number)
    if link is None:
        return _gone()
    (the_lms().duplicate_link if verb == "duplicate" else the_lms().delete_link)(link)
    return redirect(url_for(".course", key=course.key), 303)


@pages.get("/courses/<key>/launch/<int:number>")
@in_course()
def launch(course: Course, number: int) -> Answer:
    """The form that starts the launch, which posts itself."""
    lms, person, link = the_lms(), visitor(), _link(course, number)
    if link is None or person is None:
        return _gone()
    subject = _person_asked() if role_here(course) in STAFF else (person if request.args.get("for") else None)
    try:
        begun = oidc.launch_of_link(
            lms,
            person,
            link,
            as_learner=plays_learner(course),
            for_person=subject,
            opens_window=bool(request.args.get("window")),
        )
    except oidc.MayNotLaunch as refusal:
        return message("This activity cannot be opened", f"The LMS did not open it: {refusal}.", 403)
    return render_template("post.html", title=f"Opening {link.title}", form=oidc.initiate(lms, begun))


def _person_asked() -> Person | None:
    return the_lms().person_numbered(request.args.get("for", 0, type=int))


@pages.get("/courses/<key>/review/<int:number>")
@in_course()
def review(course: Course, number: int) -> Answer:
    """The tool's own view on one grade."""
    link, person = _link(course, number), _person_asked()
    if link is None or person is None:
        return _gone()
    address = f"{url_for('.launch', key=course.key, number=number)}?for={person.number}"
    return render_template(
        "activity.html", course=course, link=link, reviewed=person, frame_address=address, window_address=address
    )


@pages.get("/courses/<key>/add")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def add(course: Course) -> Answer:
    """The tools that may be placed here."""
    lms = the_lms()
    return render_template(
        "add.html",
        course=course,
        tools=[tool for tool in lms.tools if lms.may_place(course, tool)],
        hidden=[tool for tool in lms.tools if not lms.may_place(course, tool)],
    )


@pages.get("/courses/<key>/add/<int:number>")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def select(course: Course, number: int) -> Answer:
    """The tool's dialog to pick content in."""
    tool = the_lms().tool_numbered(number)
    if tool is None or not the_lms().may_place(course, tool):
        return message("Not offered here", "This tool is not switched on in this course.", 404)
    return render_template("select.html", course=course, tool=tool)


@pages.get("/courses/<key>/pick/<int:number>")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def pick(course: Course, number: int) -> Answer:
    """The form that starts the tool's dialog, which posts itself."""
    lms, person, tool = the_lms(), visitor(), the_lms().tool_numbered(number)
    if tool is None or person is None or not lms.may_place(course, tool):
        return message("Not offered here", "This tool is not switched on in this course.", 404)
    begun = oidc.launch_of_selection(lms, deep_linking.begin(lms, person, course, tool))
    return render_template("post.html", title=f"Opening {tool.title}", form=oidc.initiate(lms, begun))


@pages.post("/courses/<key>/add/<int:number>/plain")
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def add_plain(course: Course, number: int) -> Answer:
    """An activity without the tool's dialog: a bare link to the tool."""
    tool = the_lms().tool_numbered(number)
    if tool is None or not the_lms().may_place(course, tool):
        return message("Not offered here", "This tool is not switched on in this course.", 404)
    title = request.form.get("title", "").strip() or tool.title
    line_item = {"scoreMaximum": 100} if request.form.get("graded") else None
    the_lms().add_link(course, tool, title=title, line_item=line_item)
    return redirect(url_for(".course", key=course.key), 303)


@pages.route("/courses/<key>/selections/<token>", methods=["GET", "POST"])
@in_course(Role.INSTRUCTOR, Role.ADMIN)
def confirm(course: Course, token: str) -> Answer:
    """What was picked, to be looked at and saved."""
    selection = the_lms().selections.get(token)
    if selection is None or selection.course is not course or selection.items is None:
        return message("Nothing was picked", "The tool has not answered yet.", 404)
    if request.method == "POST":
        deep_linking.save(the_lms(), selection, accepts_grades="graded" in request.form)
    if selection.is_saved or not selection.items:
        return redirect(url_for(".course", key=course.key), 303)
    return render_template("confirm.html", course=course, selection=selection)


@pages.get("/return")
def come_back() -> Answer:
    """Where a tool sends people back to, perhaps with a message."""
    lms = the_lms()
    course = lms.courses.get(request.args.get("course", "")) or lms.course()
    return render_template(
        "returned.html",
        course=course,
        said=request.args.get("lti_msg", ""),
        complained=request.args.get("lti_errormsg", ""),
    )


@pages.get("/storage-frame")
def storage_frame() -> Answer:
    """The frame that keeps values for tools, where the product has one."""
    return render_template("storage_frame.html")


@pages.get("/stranger")
def stranger() -> Answer:
    """A page that answers the tool under another origin, for one of the fault switches."""
    page = make_response(render_template("stranger.html"))
    page.headers["Content-Security-Policy"] = f"default-src 'self'; frame-ancestors {the_lms().url}"
    return page
