"""Pages on which instructors see and change the attributes of learners: one by one, by table, by questionnaire."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from lti_tool.activities.service import activity_at, activity_of, is_read_only, refuse_read_only
from lti_tool.attributes import forms
from lti_tool.attributes.errors import CheckOutdated, ChoicesConflict, NoPersonColumn, TableUnusable
from lti_tool.attributes.rules.catalogue import ASKABLE, BY_KEY, CATALOGUE, Form, Kept, Source
from lti_tool.attributes.rules.tables import MOST_BYTES, Question, Sheet, Unusable
from lti_tool.attributes.rules.values import folded, tidy
from lti_tool.attributes.service import groups as people_groups
from lti_tool.attributes.service import reading, records, uploads
from lti_tool.attributes.service.reading import written
from lti_tool.attributes.service.uploads import HEAD, Check
from lti_tool.attributes.wording import (
    DELIMITER_NAMES,
    FLAWS,
    HEADERS,
    QUESTIONS,
    SOURCES,
    UNUSABLE,
    Shown,
    column_names,
    complaint_in_words,
    in_words,
)
from lti_tool.errors import NotFound
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.roster.service import groups, learners_to_pair
from lti_tool.support.alphabet import sort_key
from lti_tool.support.spreadsheet import DELIMITERS, ENCODINGS
from lti_tool.web import audit
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer, table
from lti_tool.web.i18n import page_language
from lti_tool.web.lists import page_of
from lti_tool.web.pages import unsent_store

pages = Blueprint("people", __name__)

TEMPLATE: Final = "table of learners"
NAMES: Final = {attribute.key: attribute.label for attribute in CATALOGUE}
PEOPLE_A_PAGE: Final = 50
MOST_COMPLAINTS: Final = 100
MOST_OPEN_ROWS: Final = 40
MOST_CANDIDATES: Final = 200
MOST_CHANGES: Final = 50
SHOWN_ROWS: Final = 6


@pages.get("/people")
@on_visit(may="see attributes")
def show(here: Here) -> ResponseReturnValue:
    """Show for each attribute how many learners have a value, and how to get more."""
    return _page(here)


@pages.get("/people/<int:member_id>")
@on_visit(may="see attributes")
def show_learner(here: Here, member_id: int) -> ResponseReturnValue:
    """Show the attributes of one learner in a form."""
    return _learner(here, _member(here, member_id))


@pages.post("/people/<int:member_id>")
@on_visit(may="change attributes")
def change_learner(here: Here, member_id: int) -> ResponseReturnValue:
    """Keep what an instructor typed about one learner; what was not changed keeps its source."""
    refuse_read_only(here.session, activity_at(here.session, here.placement_id))
    member = _member(here, member_id)
    before = _cells(here, member)
    cells = {key: request.form.get(key, "").strip()[:4000] for key in BY_KEY}
    if request.form.get("do") == "back":
        return _learner(here, member, cells)
    changed = {key: cell for key, cell in cells.items() if folded(cell) != folded(before[key])}
    values, flaws = forms.read_cells(
        {key: cell for key, cell in changed.items() if BY_KEY[key].form is not Form.PERSON}
    )
    problems = {key: gettext(FLAWS[flaw]) for key, flaw in flaws.items()}
    for key in changed.keys() & {one.key for one in CATALOGUE if one.form is Form.PERSON}:
        value = records.find_manager(here.session, here.course_id, cells[key]) if tidy(cells[key]) else None
        if value is not None and records.would_loop(here.session, here.course_id, member.id, value):
            problems[key] = gettext("would form a loop")
        values[key] = value
    if problems:
        return _learner(here, member, cells, problems)
    records.put(here.session, {member.id: values}, Source.STAFF, now=here.now)
    records.forget_outsiders(here.session, here.course_id)
    return redirect(url_for(".show_learner", member_id=member.id, said="saved"), code=303)


# ---- tables ----------------------------------------------------------------------------------------------------------


@pages.post("/people/template")
@on_visit(may="see attributes")
def template(here: Here) -> ResponseReturnValue:
    """Offer the table to fill in."""
    return offer(here, TEMPLATE)


@builds(pages, TEMPLATE)
def build_template(here: Here, _: dict[str, Any]) -> Response:
    """Everyone who can be paired, with their attributes, as CSV."""
    members = learners_to_pair(here.session, here.course_id)
    header = [gettext(HEADERS[key]) for key in HEAD] + [gettext(attribute.label) for attribute in CATALOGUE]
    lines = uploads.template(here.session, here.course_id, members)
    return table("learners", header, lines)


@pages.post("/people/upload")
@on_visit(may="change attributes")
def upload(here: Here) -> ResponseReturnValue:
    """Read an uploaded table, and go on to the page that shows what it would change."""
    refuse_read_only(here.session, activity_at(here.session, here.placement_id))
    file = request.files.get("table")
    content = file.read(MOST_BYTES + 1) if file is not None else b""
    try:
        if file is None or not file.filename:
            raise TableUnusable("none")
        kept = uploads.keep(here.session, here.course_id, here.person_id, content, column_names(), now=here.now)
    except TableUnusable as refusal:
        reason = refusal.reason
        sentence = UNUSABLE[Unusable(reason)] if reason in set(Unusable) else None
        return _page(here, gettext(sentence) if sentence else gettext("Choose a file first."))
    return redirect(url_for(".show_upload", key=kept.key), code=303)


@pages.get("/people/upload/<key>")
@on_visit(may="change attributes")
def show_upload(here: Here, key: str) -> ResponseReturnValue:
    """What an uploaded table would change, once it is clear how it is read."""
    table = uploads.find(here.session, here.course_id, key)
    if uploads.sheet_of(table).questions:
        return redirect(url_for(".show_columns", key=key), code=303)
    return _check(here, uploads.check(here.session, table, {}, {}))


@pages.get("/people/upload/<key>/columns")
@on_visit(may="change attributes")
def show_columns(here: Here, key: str) -> ResponseReturnValue:
    """How an uploaded file was read: its first rows, and what each column is."""
    return _columns(here, key, uploads.sheet_of(uploads.find(here.session, here.course_id, key)))


@pages.post("/people/upload/<key>/columns")
@on_visit(may="change attributes")
def set_columns(here: Here, key: str) -> ResponseReturnValue:
    """Read the file in another way, or agree to how it was read and what its columns are."""
    refuse_read_only(here.session, activity_at(here.session, here.placement_id))
    table = uploads.find(here.session, here.course_id, key, to_take=True)
    try:
        sheet = uploads.read_again(table, forms.layout(request.form), column_names())
    except TableUnusable as refusal:
        return _columns(here, key, uploads.sheet_of(table), gettext(UNUSABLE[Unusable(refusal.reason)]))
    if request.form.get("do") != "agree" or request.form.get("shown") != forms.way(sheet):
        return _columns(here, key, sheet)
    _, meanings = forms.chosen(request.form)
    columns = tuple(meanings.get(place) for place in range(len(sheet.headers)))
    if len(set(filter(None, columns))) < len([one for one in columns if one]):
        return _columns(
            here, key, sheet, gettext("Two columns cannot have the same meaning. Leave one of them out."), columns
        )
    try:
        uploads.agree(here.session, table, sheet, columns)
    except NoPersonColumn:
        return _columns(here, key, sheet, gettext(QUESTIONS[Question.NO_PEOPLE]), columns)
    return redirect(url_for(".show_upload", key=key), code=303)


@pages.post("/people/upload/<key>")
@on_visit(may="change attributes")
def decide(here: Here, key: str) -> ResponseReturnValue:
    """Take an uploaded table over, throw it away, or look at it again with other choices."""
    refuse_read_only(here.session, activity_at(here.session, here.placement_id))
    table = uploads.find(here.session, here.course_id, key, to_take=True)
    choices, meanings = forms.chosen(request.form)
    match request.form.get("do"):
        case "throw":
            uploads.discard(here.session, table)
            return redirect(url_for(".show", said="thrown"), code=303)
        case _ if uploads.sheet_of(table).questions:
            return redirect(url_for(".show_columns", key=key), code=303)
        case "take":
            try:
                seen = request.args.get("seen", "")
                done = uploads.apply_table(here.session, table, choices, meanings, seen=seen, now=here.now)
            except ChoicesConflict as conflict:
                return _check(here, uploads.check(here.session, table, choices, meanings), conflict.lines)
            except CheckOutdated:
                return _check(here, uploads.check(here.session, table, choices, meanings), is_outdated=True)
            count = done.people["new"] + done.people["changed"]
            return redirect(url_for(".show", said="taken", count=count), code=303)
        case _:
            return _check(here, uploads.check(here.session, table, choices, meanings))


# ---- questions and deleting ------------------------------------------------------------------------------------------


@pages.post("/people/questions")
@on_visit(may="change attributes")
def ask(here: Here) -> ResponseReturnValue:
    """Set what learners are asked about themselves."""
    refuse_read_only(here.session, activity_at(here.session, here.placement_id))
    records.ask_for(here.session, here.course_id, request.form.getlist("asked"), now=here.now)
    return redirect(url_for(".show", said="asked"), code=303)


@pages.post("/people/groups")
@on_visit(may="change attributes")
def choose_groups(here: Here) -> ResponseReturnValue:
    """Take people's group from another set of the platform's groups, or from none."""
    refuse_read_only(here.session, activity_at(here.session, here.placement_id))
    chosen = request.form.get("set", "")
    if chosen not in {groups.NO_GROUPS, *(one.id for one in groups.sets_of(here.session, here.course_id))}:
        raise NotFound("set of groups", chosen[:40])
    people_groups.choose_set(here.session, here.course_id, chosen, now=here.now)
    return redirect(url_for(".show", said="groups"), code=303)


@pages.get("/people/delete")
@on_visit(may="change attributes")
def confirm_delete(here: Here) -> ResponseReturnValue:
    """Ask before all attributes, or one of them, are deleted."""
    key = _attribute_to_delete()
    known = reading.values_of_members(here.session, _listed_members(here))
    count = sum(key is None or key in values for values in known.values() if values)
    return render_template(
        "attributes/delete.html",
        activity=activity_at(here.session, here.placement_id),
        attribute=BY_KEY[key] if key else None,
        count=count,
    )


@pages.post("/people/delete")
@on_visit(may="change attributes")
def delete(here: Here) -> ResponseReturnValue:
    """Delete everything that is known of the learners of the course, or one attribute."""
    attribute = _attribute_to_delete()
    count = records.delete_all(here.session, here.course_id, attribute)
    institution_id = here.visit.institution_id
    audit.record(
        here.session,
        "attributes deleted",
        now=here.now,
        institution_id=institution_id,
        course=here.course_id,
        attribute=attribute or "all",
        values=count,
        by=here.person_id,
    )
    return redirect(url_for(".show", said="deleted"), code=303)


def _attribute_to_delete() -> str | None:
    """The attribute that the address or the form names; None for all of them."""
    key = request.values.get("what", "")
    if key != "all" and key not in BY_KEY:
        raise NotFound("attribute", key)
    return None if key == "all" else key


# ---- showing ---------------------------------------------------------------------------------------------------------


def _page(here: Here, problem: str | None = None) -> ResponseReturnValue:
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("setup.show"))
    learners = learners_to_pair(here.session, here.course_id)
    known = reading.values_of_members(here.session, learners)
    names = _names(here, learners)
    missing = request.args.get("missing") if request.args.get("missing") in BY_KEY else None
    wanted = request.args.get("q", "").strip().casefold()
    listed = [
        one
        for one in sorted(learners, key=lambda one: (sort_key(names[one], page_language()), one))
        if (missing is None or missing not in known[one]) and (not wanted or wanted in (names[one] or "").casefold())
    ]
    page = page_of(len(listed), PEOPLE_A_PAGE)
    shown = listed[page.part]
    tally = reading.tally(known)
    answered, skipped = reading.answers(here.session, here.course_id)
    sets = groups.sets_of(here.session, here.course_id)
    return render_template(
        "attributes/people.html",
        activity=activity,
        is_read_only=is_read_only(here.session, activity),
        catalogue=CATALOGUE,
        askable=[BY_KEY[key] for key in ASKABLE],
        asked=reading.asked_of(here.session, here.course_id),
        answered=answered,
        skipped=skipped,
        group_sets=sets,
        group_set=groups.chosen_set(here.session, here.course_id, sets),
        no_groups=groups.NO_GROUPS,
        learner_count=len(learners),
        tally=tally,
        in_use=[attribute for attribute in CATALOGUE if tally[attribute.key]],
        known=known,
        listed=shown,
        listed_count=len(listed),
        names=names,
        shown=_in_words(here, [value.value for one in shown for value in known[one].values()]),
        page=page.number,
        pages=page.count,
        filters={name: value for name in ("missing", "q") if (value := request.args.get(name))},
        missing=BY_KEY[missing] if missing else None,
        problems=[("table", problem)] if problem else [],
        said=None if problem else request.args.get("said"),
        count=request.args.get("count", 0, type=int),
    ), 422 if problem else 200


def _learner(
    here: Here, member: Member, cells: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    known = reading.values_of_members(here.session, [member.id])[member.id]
    activity = activity_at(here.session, here.placement_id)
    page = render_template(
        "attributes/learner.html",
        activity=activity,
        is_read_only=is_read_only(here.session, activity),
        member=member,
        name=_names(here, [member.id])[member.id],
        catalogue=CATALOGUE,
        known=known,
        cells=cells or _cells(here, member),
        problems=problems or {},
        sources=SOURCES,
        store=unsent_store(here, f"what is known:{member.id}"),
        is_typed=cells is not None,
        said=request.args.get("said") if problems is None else None,
    )
    return page, 422 if problems else 200


def _check(
    here: Here, check: Check, conflicts: Collection[int] = (), *, is_outdated: bool = False
) -> ResponseReturnValue:
    findings = check.findings
    open_rows = sorted(findings.open_rows, key=lambda row: row.line)
    _, meanings = forms.chosen(request.form)
    labels = {**HEADERS, **{attribute.key: attribute.label for attribute in CATALOGUE}}
    values = [value for one in check.changes for value in (one.before, one.after) if value is not None]
    page = render_template(
        "attributes/check.html",
        activity=activity_at(here.session, here.placement_id),
        check=check,
        delimiter=DELIMITER_NAMES[check.sheet.delimiter],
        complaints=[(one.line, complaint_in_words(one)) for one in findings.complaints[:MOST_COMPLAINTS]],
        complaint_count=len(findings.complaints),
        open_rows=open_rows[:MOST_OPEN_ROWS],
        open_count=len(open_rows),
        candidates=check.candidates[:MOST_CANDIDATES],
        chosen_names=check.names,
        labels=labels,
        meanings=meanings,
        free=[key for key in labels if key not in check.sheet.columns],
        catalogue=CATALOGUE,
        to_take=check.people["new"] + check.people["changed"],
        changes=check.changes[:MOST_CHANGES],
        shown=_in_words(here, values),
        conflicts=sorted(conflicts),
        is_outdated=is_outdated,
    )
    return page, 409 if conflicts or is_outdated else 200


def _columns(
    here: Here, key: str, sheet: Sheet, problem: str | None = None, columns: tuple[str | None, ...] | None = None
) -> ResponseReturnValue:
    labels = {**HEADERS, **{attribute.key: attribute.label for attribute in CATALOGUE}}
    page = render_template(
        "attributes/columns.html",
        activity=activity_at(here.session, here.placement_id),
        key=key,
        sheet=sheet,
        columns=columns if columns is not None else sheet.columns,
        first=sheet.rows[:SHOWN_ROWS],
        shown=forms.way(sheet),
        questions=[QUESTIONS[question] for question in sheet.questions],
        labels=labels,
        encodings=list(ENCODINGS),
        delimiters={name: DELIMITER_NAMES[name] for name in DELIMITERS},
        problems=[("columns", problem)] if problem else [],
    )
    return page, 422 if problem else 200


def _in_words(here: Here, values: Collection[Kept]) -> Shown:
    people = reading.names_of_people(here.session, values)
    members = {one: name for (kind, one), name in people.items() if kind == "member"}
    distinct = {("member", one): name for one, name in told_apart(here.session, here.course_id, members).items()}
    return in_words({**people, **distinct}, _locale())


def _cells(here: Here, member: Member) -> dict[str, str]:
    """The attributes of a member as cells that mean the same when they are read."""
    known = reading.values_of_members(here.session, [member.id])[member.id]
    names = reading.names_of_people(here.session, [one.value for one in known.values()])
    return {key: written(known[key].value, names) if key in known else "" for key in BY_KEY}


def _names(here: Here, members: Collection[int]) -> dict[int, str | None]:
    names = reading.names_of_people(here.session, [{"member": one} for one in members])
    return told_apart(here.session, here.course_id, {one: names.get(("member", one)) for one in members})


def _listed_members(here: Here) -> list[int]:
    return [one.member_id for one in reading.listed(here.session, here.course_id)]


def _member(here: Here, member_id: int) -> Member:
    member = here.session.get(Member, member_id)
    if member is None or member.course_id != here.course_id:
        raise NotFound("member", member_id)
    if here.session.get_one(Person, member.person_id).erased_at is not None:
        raise NotFound("member", member_id)
    return member


def _locale() -> str:
    return str(get_locale() or "en")
