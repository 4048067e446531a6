"""Pages on which the steps of a round are written, read and answered."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import EXAMPLES, Audience, Completion, Craft, Kind, kind_for
from lti_tool.activities.service import activity_at
from lti_tool.errors import NotFound
from lti_tool.feedback import forms, rules, service
from lti_tool.feedback.errors import FeedbackIncomplete, FeedbackRead, PreviewOnly
from lti_tool.feedback.forms import NAMES
from lti_tool.feedback.models import Entry, Note
from lti_tool.feedback.service import Saved, Shown, Task
from lti_tool.feedback.wording import label_of, labeled
from lti_tool.hints import rules as hints
from lti_tool.launch.models import Member
from lti_tool.pairing import service as pairing
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.rules import Pooled, pooled
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import in_words, reader_language, zone_of_reader
from lti_tool.web.pages import unsent_store

pages = Blueprint("feedback", __name__)

__all__ = ["NAMES", "pages"]


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints of a form."""

    are_offered: bool
    are_hidden: bool
    """By this member."""
    language: str
    """In which the member writes, unless the text says otherwise."""
    of_fields: Mapping[str, list[str]]

    @property
    def are_shown(self) -> bool:
        return self.are_offered and not self.are_hidden


@pages.get("/round/<int:number>/for/<int:member_id>")
@pages.get("/round/<int:number>/for/<int:member_id>/step/<step>")
@pages.get("/round/<int:number>/step/<step>")
@on_visit(may="take part")
def write(here: Here, number: int, member_id: int | None = None, step: str | None = None) -> ResponseReturnValue:
    """The form of a step, with everything that is typed so far."""
    activity = activity_at(here.session, here.placement_id)
    if here.is_preview:
        return _preview(here, activity, step, is_to_partners=member_id is not None)
    task = _task(here, activity, number, member_id, step)
    if part := _part_of_meeting(task):
        return redirect(url_for("meeting.show", number=number, part=part, _anchor=part), code=303)
    entry = service.find_entry(here.session, task)
    is_given = entry is not None and entry.submitted_at is not None and entry.recipient_id is not None
    if entry is not None and is_given and (entry.read_at is not None or not task.takes_texts):
        said = request.args.get("said", "")
        place = "notes" if said.startswith("note_") or "notes" in request.args else None
        return redirect(url_for(".read", feedback_id=entry.id, said=said or None, _anchor=place), code=303)
    notes = service.notes_of(here.session, entry) if entry is not None else []
    return render_template(
        "feedback/write.html",
        task=task,
        place=_place(task),
        entry=entry,
        notes=[note for note in notes if note.removed_at is None],
        removed=next((one for one in notes if one.removed_at and request.args.get("note") == str(one.id)), None),
        can_write=task.takes_texts and task.is_open(here.now),
        store=_store(here, task),
        clock=clock_of(activity),
        said=request.args.get("said"),
        hint_sentences=hints.SENTENCES,
        examples=EXAMPLES.get(task.kind.key, ()) if any(field.craft for field in task.form.fields) else (),
        to_copy=service.notes_to_copy(here.session, task, notes),
        **_filled_in(here, task, entry, notes),
    )


@pages.post("/round/<int:number>/for/<int:member_id>")
@pages.post("/round/<int:number>/for/<int:member_id>/step/<step>")
@pages.post("/round/<int:number>/step/<step>")
@on_visit(may="take part")
def act(here: Here, number: int, member_id: int | None = None, step: str | None = None) -> ResponseReturnValue:
    """Every button of the form: all of it is saved first, whatever else was asked for."""
    task = _task(here, activity_at(here.session, here.placement_id), number, member_id, step)
    _save(here, task)
    wish, _, what = request.form.get("do", "save").partition(":")
    if wish == "give":
        return redirect(_give(here, task), code=303)
    told = _do(here, task, wish, what)
    if part := _part_of_meeting(task):
        where = {"number": number, "part": part, "said": told["said"], "_anchor": part}
        return redirect(url_for("meeting.show", **where), code=303)
    return redirect(url_for(".write", **_place(task), **told), code=303)


def _part_of_meeting(task: Task) -> str | None:
    """Where the step stands on the page of the meeting; None where it has a page of its own.

    What is left of a group that has changed has one.
    """
    part = task.kind.part_of(task.step) if task.step.is_live and task.group_id is not None else None
    return part.key if part is not None else None


def _give(here: Here, task: Task) -> str:
    try:
        given = service.give(here.session, task, now=here.now)
    except FeedbackIncomplete:
        # The draft is kept, so the page that says what is missing is a page of its own and not an error.
        return url_for(".write", **_place(task), check=1)
    except FeedbackRead:
        return url_for(".write", **_place(task))
    if given.recipient_id is None:
        return url_for(".write", **_place(task), said="given")
    return url_for(".read", feedback_id=given.id, said="given")


def _do(here: Here, task: Task, wish: str, what: str) -> dict[str, Any]:
    """One of the small buttons. Returns what the page is told about it."""
    device = device_of(here)
    match wish:
        case "add_note":
            text, field = request.form.get(rules.NOTE_DRAFT, ""), task.form.notes
            if field is not None and len(text) > field.longest:
                return {"check": 1}
            at = forms.moment_of_note(request.form, now=here.now)
            note = service.add_note(here.session, task, text, at=at, device=device, now=here.now)
            return {"said": "note_added" if note else "saved", "_anchor": rules.NOTE_DRAFT}
        case "remove_note" | "restore_note" if what.isdecimal() and len(what) < 19:
            service.remove_note(here.session, task, int(what), now=here.now, undo=wish == "restore_note")
            return {"said": "note_removed" if wish == "remove_note" else "note_restored", "note": what}
        case "copy":
            key, _, source = what.partition(":")
            service.copy_note(here.session, task, key, source, device=device, now=here.now)
            return {"said": "copied", "_anchor": key}
        case "hide_hints" | "show_hints":
            here.session.get_one(Member, here.member_id).hides_hints = wish == "hide_hints"
        case "add_later":
            service.add_later(here.session, task, request.form.get(rules.ADDITION_DRAFT, ""), now=here.now)
            wish = "added"
        case "use_aside" | "drop_aside":
            service.settle_aside(here.session, task, what, use=wish == "use_aside", device=device, now=here.now)
        case _:
            return {"said": "saved"}
    return {"said": wish}


@pages.post("/round/<int:number>/for/<int:member_id>/save")
@pages.post("/round/<int:number>/for/<int:member_id>/step/<step>/save")
@pages.post("/round/<int:number>/step/<step>/save")
@on_visit(may="take part")
def autosave(here: Here, number: int, member_id: int | None = None, step: str | None = None) -> ResponseReturnValue:
    """Keep the fields that changed; answers with the new version and with what other devices wrote."""
    return _autosave(here, _task(here, activity_at(here.session, here.placement_id), number, member_id, step))


@pages.post("/round/<int:number>/for/<int:member_id>/tell")
@on_visit(may="take part")
def tell(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """Leave a note on the partner's first page."""
    if here.is_preview:
        raise PreviewOnly
    people, text = (here.member_id or 0, member_id), request.form.get("partner_note", "")
    activity = activity_at(here.session, here.placement_id)
    service.tell_partner(here.session, activity, number, people, text, now=here.now)
    return redirect(url_for("home.show", said="told", _anchor=f"round-{number}"), code=303)


@pages.get("/feedback/<int:feedback_id>")
@on_visit(notes_reading=True)
def read(here: Here, feedback_id: int) -> ResponseReturnValue:
    """What someone wrote to a partner, for its receiver, its author or, where the activity says so, staff."""
    shown = _shown(here, feedback_id)
    entry, answer = shown.entry, shown.answer
    if shown.is_unnamed:
        shown = replace(shown, author_name=label_of(shown.place))
    is_author, is_receiver = entry.author_id == here.member_id, entry.recipient_id == here.member_id
    own_first = _own_view_missing(here, shown) if is_receiver and "anyway" not in request.args else None
    if own_first is not None:
        return render_template("feedback/own_first.html", shown=shown, task=own_first, place=_place(own_first))
    if is_receiver:
        service.mark_read(here.session, entry, now=here.now)
    is_begun = answer is not None and (answer.submitted_at is None or bool(answer.correction or answer.kept_aside))
    is_open = shown.sent_answer is None or is_begun or "change" in request.args
    rubric = service.rubric_of(here.session, entry.rubric_id or shown.activity.rubric_id)
    takes_texts = rules.may_write(state=shown.activity.state, is_course_over=shown.course_ended_at is not None)
    task = service.answer_task(shown) if is_receiver and shown.takes_answers and is_open else None
    return render_template(
        "feedback/read.html",
        shown=shown,
        audience=None if is_author else Audience.RECIPIENT if is_receiver else Audience.STAFF,
        **(_own_notes(here, shown) if is_author else {}),
        is_author=is_author,
        is_receiver=is_receiver,
        has_own_view=is_receiver and service.has_own_view(here.session, shown),
        to_try=_to_try(shown) if is_receiver and takes_texts else {},
        can_offer=takes_texts and not here.is_preview,
        rubric=rubric,
        questions=rubrics.questions_of(rubric),
        seats=seat_titles(shown.kind),
        answering=_filled_in(here, task, answer, []) if task is not None else None,
        task=task,
        answer_store=unsent_store(here, f"answer:{feedback_id}"),
        clock=clock_of(shown.activity),
        said=request.args.get("said"),
    )


def _own_view_missing(here: Here, shown: Shown) -> Task | None:
    """The self-assessment that is asked for before its reader reads this; None where nothing stands in the way."""
    member_id, step = here.member_id or 0, shown.kind.self_assessment
    rounds = service.rounds_for_own_view(here.session, shown.activity, member_id)
    if step is None or not service.waits_for_own_view(shown.entry, rounds):
        return None
    return service.find_task(here.session, shown.activity, shown.round.number, member_id, step_key=step.key)


@pages.get("/round/<int:number>/side-by-side")
@on_visit(may="take part")
def side_by_side(here: Here, number: int) -> ResponseReturnValue:
    """How the member sees themselves beside what partners wrote, in words and as a picture."""
    activity = activity_at(here.session, here.placement_id)
    exchanges = labeled(service.exchanges_of(here.session, activity, here.member_id or 0, now=here.now))
    view = service.side_by_side(here.session, activity, exchanges, number)
    if view is None:
        raise NotFound("side by side", number)
    return render_template(
        "feedback/side_by_side.html",
        activity=activity,
        number=number,
        names=view.names,
        rows=view.rows,
        seats=seat_titles(kind_for(activity)),
    )


def _to_try(shown: Shown) -> dict[str, str]:
    """What the receiver could make a goal or an action, by field."""
    fields = shown.step.form.of_craft(Craft.GROWTH, Craft.ADJUSTMENT) if shown.step.form is not None else ()
    return {field.key: text for field in fields if (text := shown.entry.fields.get(field.key, "").strip())}


def _own_notes(here: Here, shown: Shown) -> dict[str, Any]:
    """The author's own notes, and whether more can be added: as long as the activity is open, released or not."""
    entry = shown.entry
    people = (entry.author_id or 0, entry.recipient_id)
    task = service.find_task(here.session, shown.activity, shown.round.number, *people, step_key=entry.step)
    return {
        "place": _place(task),
        "notes": [note for note in service.notes_of(here.session, entry) if note.removed_at is None],
        "minimum_notes": task.minimum_notes,
        "can_add_notes": task.takes_texts and not here.is_preview and task.form.notes is not None,
        "can_add": task.takes_texts and not here.is_preview and entry.read_at is not None,
        "can_change": entry.read_at is None and task.takes_texts,
        "store": _store(here, task),
    }


@pages.post("/feedback/<int:feedback_id>/name")
@on_visit(may="take part")
def give_with_name(here: Here, feedback_id: int) -> ResponseReturnValue:
    """Let the receiver know who wrote what stays unread otherwise. Also once the activity is closed."""
    if here.is_preview:
        raise PreviewOnly
    service.give_with_name(here.session, _shown(here, feedback_id), here.member_id or 0, now=here.now)
    return redirect(url_for(".read", feedback_id=feedback_id, said="named"), code=303)


@pages.post("/feedback/<int:feedback_id>/answer")
@on_visit(may="take part")
def answer(here: Here, feedback_id: int) -> ResponseReturnValue:
    """Send the answer, keep it as a draft, or take up the one that was sent to change it."""
    task = _to_answer(here, feedback_id)
    _save(here, task)
    wish, _, what = request.form.get("do", "save").partition(":")
    if wish == "send":
        try:
            service.give(here.session, task, now=here.now)
        except FeedbackIncomplete:
            return redirect(url_for(".read", feedback_id=feedback_id, check=1, _anchor="answer"), code=303)
        return redirect(url_for(".read", feedback_id=feedback_id, said="answered"), code=303)
    if wish in {"use_aside", "drop_aside"}:
        use, device = wish == "use_aside", device_of(here)
        service.settle_aside(here.session, task, what, use=use, device=device, now=here.now)
    return redirect(url_for(".read", feedback_id=feedback_id, said="saved", change=1, _anchor="answer"), code=303)


@pages.post("/feedback/<int:feedback_id>/answer/save")
@on_visit(may="take part")
def autosave_answer(here: Here, feedback_id: int) -> ResponseReturnValue:
    """Keep the answer as it is typed."""
    return _autosave(here, _to_answer(here, feedback_id))


@pages.get("/feedback/waiting")
@on_visit(may="release feedback")
def waiting(here: Here) -> ResponseReturnValue:
    """For instructors what waits to be released: by whom, for whom and since when, never what it says."""
    activity = activity_at(here.session, here.placement_id)
    held = service.waiting_for_instructor(here.session, activity)
    people = {member for one in held for member in (one.author_id, one.recipient_id)}
    return render_template(
        "feedback/waiting.html",
        activity=activity,
        held=held,
        names=pairing.names_of(here.session, people),
        said=request.args.get("said"),
        released=request.args.get("released", 0, type=int),
    )


@pages.post("/feedback/waiting")
@on_visit(may="release feedback")
def release(here: Here) -> ResponseReturnValue:
    """Release one piece of feedback, or all that waits."""
    activity = activity_at(here.session, here.placement_id)
    asked = request.form.get("entry", "")
    entries = [int(asked)] if asked.isdecimal() and len(asked) < 19 else None
    if entries is None and request.form.get("do") != "all":
        raise NotFound("feedback", asked)
    count = service.release_by_instructor(here.session, activity, entries, now=here.now)
    return redirect(url_for(".waiting", said="released", released=count), code=303)


@pages.get("/feedback")
@on_visit(may="take part", notes_reading=True)
def received(here: Here) -> ResponseReturnValue:
    """Everything that this member received in the activity, and the levels that several partners agree on."""
    activity = activity_at(here.session, here.placement_id)
    kind = kind_for(activity)
    steps = [step for step in kind.steps if step.is_to_partners and step.form is not None and not step.is_answer]
    exchanges = labeled(service.exchanges_of(here.session, activity, here.member_id or 0, now=here.now))
    beside = {
        number
        for number in {one.round.number for one in exchanges}
        if service.side_by_side(here.session, activity, exchanges, number) is not None
    }
    lines = [(one, step) for one in exchanges if one.partner_id is not None for step in steps]
    readable = [(one, step, entry) for one, step in lines if (entry := one.to_read(step)) is not None]
    own_first = service.rounds_for_own_view(here.session, activity, here.member_id or 0)
    held = [line for line in readable if service.waits_for_own_view(line[2], own_first)]
    readable = [line for line in readable if line not in held]
    by_round = Counter(one.round.number for one, _, _ in readable)
    for _, _, entry in readable:
        service.mark_read(here.session, entry, now=here.now)
    return render_template(
        "feedback/received.html",
        activity=activity,
        kind=kind,
        beside=sorted(beside),
        readable=readable,
        held=held,
        several=sorted(number for number, times in by_round.items() if times > 1),
        waiting=[
            (one, step)
            for one, step in lines
            if one.is_current and step.key in one.owed_to_me and one.to_read(step) is None
        ],
        pools=service.pools_of(here.session, activity, here.member_id or 0, now=here.now),
        typical=service.typical_replies(
            service.rubric_of(here.session, activity.rubric_id),
            [(entry.author_id or 0, entry) for _, _, entry in readable],
        ),
        clock=clock_of(activity),
    )


@pages.get("/round/<int:number>/feedback")
@on_visit(may="take part", notes_reading=True)
def of_round(here: Here, number: int) -> ResponseReturnValue:
    """What several people gave this member in one round, question by question on one page."""
    activity = activity_at(here.session, here.placement_id)
    kind = kind_for(activity)
    exchanges = labeled(service.exchanges_of(here.session, activity, here.member_id or 0, now=here.now))
    of_step = {
        step: [(one, entry) for one in exchanges if one.round.number == number and (entry := one.to_read(step))]
        for step in kind.steps
        if step.is_to_partners and step.form is not None and not step.is_answer
    }
    if not any(of_step.values()):
        raise NotFound("feedback of round", number)
    own_first = service.rounds_for_own_view(here.session, activity, here.member_id or 0)
    if any(service.waits_for_own_view(entry, own_first) for given in of_step.values() for _, entry in given):
        return redirect(url_for(".received"), code=303)
    for given in of_step.values():
        for _, entry in given:
            service.mark_read(here.session, entry, now=here.now)
    versions = {
        entry.rubric_id: service.rubric_of(here.session, entry.rubric_id or activity.rubric_id)
        for given in of_step.values()
        for _, entry in given
    }
    step = kind.self_assessment
    own = next((one for one in exchanges if one.round.number == number and step and one.given(step)), None)
    return render_template(
        "feedback/of_round.html",
        activity=activity,
        kind=kind,
        number=number,
        of_step={step: given for step, given in of_step.items() if given},
        rubrics=versions,
        questions={number: rubrics.questions_of(version) for number, version in versions.items()},
        pooled={
            step: _pooled(here, activity, [entry for one, entry in given if one.unnamed])
            for step, given in of_step.items()
        },
        own=own.mine[step.key].fields if own is not None and step is not None else {},
    )


def _pooled(here: Here, activity: Activity, entries: list[Entry]) -> list[Pooled]:
    """What anonymous feedback answers to the rubric, all of it together, newest version first."""
    versions = sorted({entry.rubric_id or activity.rubric_id for entry in entries}, reverse=True)
    return [
        answers
        for version in versions
        for answers in pooled(
            rubrics.questions_of(service.rubric_of(here.session, version)),
            [entry.fields for entry in entries if (entry.rubric_id or activity.rubric_id) == version],
            fewest=rules.FEWEST_FOR_A_MEAN,
        )
    ]


def _filled_in(here: Here, task: Task, entry: Entry | None, notes: list[Note]) -> dict[str, Any]:
    """A task's form as it was left, with what is wrong in it where the page was asked to say so."""
    rubric = service.rubric_of(here.session, service.rubric_id_of(task, entry))
    problems: tuple[rules.Problem, ...] = ()
    if request.args.get("check"):
        problems = service.problems_of(here.session, task, entry)
    questions = service.questions_of(here.session, task, entry)
    asides: dict[str, list[rules.Aside]] = {}
    for problem in service.asides_of(entry):
        asides.setdefault(problem.field, []).append(problem)
    return {
        "form": task.form,
        "fields": service.draft_fields(entry, notes),
        "problems": [(problem.field, forms.sentence(problem, task.form, questions)) for problem in problems],
        "asides": asides,
        "rubric": rubric,
        "questions": questions,
        "seats": seat_titles(task.kind),
        "minimum_notes": task.minimum_notes,
        "version": entry.version if entry is not None else 0,
        "hints": _hints(here, task, service.draft_fields(entry, notes)),
    }


def _hints(here: Here, task: Task, fields: Mapping[str, str]) -> Hints:
    """What could be more useful in what is saved, by field."""
    is_hidden = here.session.get_one(Member, here.member_id).hides_hints
    has_any = task.activity.shows_hints and any(field.craft for field in task.form.fields)
    language = reader_language()
    sentences = {
        field.key: [gettext(hints.SENTENCES[hint]) for hint in hints.hints_of(text, field.craft, language)]
        for field in task.form.fields
        if field.craft is not None and (text := fields.get(field.key, ""))
    }
    return Hints(has_any, is_hidden, language, sentences if has_any and not is_hidden else {})


def _place(task: Task) -> dict[str, Any]:
    """What the address of a task's page names."""
    step = task.kind.in_address(task.step)
    return {"number": task.round.number, "member_id": task.recipient_id, "step": step}


def _store(here: Here, task: Task) -> dict[str, str]:
    """Where the browser keeps text of this form that was not saved."""
    parts = ["feedback", task.activity.id, task.round.number, task.recipient_id, task.kind.in_address(task.step)]
    return unsent_store(here, ":".join(str(part) for part in parts if part is not None))


def _task(here: Here, activity: Activity, number: int, member_id: int | None, step: str | None) -> Task:
    if here.is_preview:
        raise PreviewOnly
    shown = request.form.get("rubric", "")
    begun_with = int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < 10 else None
    member = here.member_id or 0
    return service.find_task(here.session, activity, number, member, member_id, step_key=step, begun_with=begun_with)


def _shown(here: Here, feedback_id: int) -> Shown:
    reader = rules.Reader(here.member_id, here.is_staff)
    return service.read_entry(here.session, feedback_id, reader, here.course_id, now=here.now)


def _to_answer(here: Here, feedback_id: int) -> Task:
    if here.is_preview:
        raise PreviewOnly
    shown = _shown(here, feedback_id)
    if shown.entry.recipient_id != here.member_id:
        raise NotFound("feedback", feedback_id)
    return service.answer_task(shown)


def _preview(here: Here, activity: Activity, step_key: str | None, *, is_to_partners: bool) -> ResponseReturnValue:
    kind = kind_for(activity)
    step = kind.step(step_key) if step_key else kind.first_step(is_to_partners=is_to_partners)
    if step is None or step.form is None:
        raise NotFound("step", step_key)
    rubric = service.rubric_of(here.session, activity.rubric_id)
    looked_at = kind.looked_at(step, None, Completion.from_json(activity.completion, kind).counted)
    filled = {
        "form": step.form,
        "fields": {},
        "problems": [],
        "asides": {},
        "rubric": rubric,
        "questions": [one for one in rubrics.questions_of(rubric) if one.draft.seat in looked_at],
        "seats": seat_titles(kind),
        "minimum_notes": 0,
    }
    return render_template("feedback/preview.html", activity=activity, step=step, filled=filled)


def seat_titles(kind: Kind) -> dict[str, str]:
    """What the seats of a kind are called, to be translated."""
    return {seat.key: seat.title for seat in kind.seats}


def device_of(here: Here) -> str:
    """The browser tab that sent the form."""
    return request.form.get("device", "")[:32] or here.visit.key


def _save(here: Here, task: Task) -> Saved:
    return service.save_draft(
        here.session,
        task,
        request.form,
        forms.versions_seen(request.form),
        device=device_of(here),
        now=here.now,
        started_from=forms.texts_begun_with(request.form) if task.step.is_shared else None,
    )


def _autosave(here: Here, task: Task) -> ResponseReturnValue:
    return saved_in_words(_save(here, task), task.activity)


def saved_in_words(saved: Saved, activity: Activity) -> Response:
    """What static/autosave.js is told of a save."""
    return jsonify(
        version=saved.version,
        saved_at=saved.saved_at.isoformat(),
        clock=clock_of(activity)(saved.saved_at, "HH:mm"),
        newer={name: {"text": text, "version": version} for name, (text, version) in saved.newer.items()},
        kept_aside=len(saved.aside),
        has_conflict=saved.has_conflict,
        is_read=saved.is_read,
    )


def clock_of(activity: Activity) -> Callable[..., str]:
    """Shows moments in the reader's own time zone, the activity's where theirs is not known."""
    zone = zone_of_reader(activity.time_zone)

    def clock(moment: datetime, pattern: str = "EEE d MMM, HH:mm") -> str:
        return in_words(moment, zone, pattern)

    return clock
