"""Pages on which feedback is written, read and answered."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at
from lti_tool.errors import N_, NotFound
from lti_tool.feedback import answering, drafts, reading, rules, service, telling
from lti_tool.feedback.errors import FeedbackIncomplete, FeedbackReleased, PreviewOnly
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import in_words, zone_of_reader
from lti_tool.web.pages import unsent_store

pages = Blueprint("feedback", __name__)

OLDEST_MOMENT: Final = timedelta(hours=24)
"""A note's moment further back than this is a device whose clock is wrong."""

NAMES: Final[dict[str, str]] = {
    "observed_what": N_("What you observed"),
    "observed_at": N_("When and where"),
    "strengths": N_("Strengths"),
    "next_time_1": N_("Next time, try"),
    "next_time_2": N_("Next time, also try"),
    "behavior": N_("What you noticed"),
    "effect": N_("The effect it had"),
    "suggestion": N_("One adjustment"),
    rules.NOTE_DRAFT: N_("New note"),
    rules.NOTE: N_("Note"),
    "partner_note": N_("Note to your partner"),
    "heard": N_("What I heard"),
    "will_use": N_("What I will use"),
}
MISSING: Final[dict[str, str]] = {
    "strengths": N_("Write at least one strength"),
    "next_time_1": N_("Write one thing to try next time"),
    "behavior": N_("Write what you noticed"),
    "effect": N_("Write what effect it had"),
    "suggestion": N_("Suggest one adjustment"),
    "heard": N_("Write what you heard, in your own words"),
    "will_use": N_("Write what you will use"),
}


@pages.get("/round/<int:number>/for/<int:member_id>")
@on_visit(may="take part")
def write(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """The form for one partner, with everything that is typed so far."""
    activity = activity_at(here.session, here.placement_id)
    if here.is_preview:
        return _preview(here, activity)
    task = _task(here, activity, number, member_id)
    feedback = reading.find_feedback(here.session, task)
    is_released = feedback is not None and service.is_released(here.session, task, feedback, now=here.now)
    if feedback is not None and feedback.submitted_at is not None and (is_released or not task.takes_texts):
        said = request.args.get("said", "")
        place = "notes" if said.startswith("note_") or "notes" in request.args else None
        return redirect(url_for(".read", feedback_id=feedback.id, said=said or None, _anchor=place), code=303)
    notes = reading.notes_of(here.session, feedback) if feedback is not None else []
    fields = reading.draft_fields(feedback, notes)
    rubric = reading.rubric_of(here.session, reading.rubric_id_of(task, feedback))
    problems: tuple[rules.Problem, ...] = ()
    if request.args.get("check"):
        problems = reading.problems_of(here.session, task, feedback)
    return render_template(
        "feedback/write.html",
        task=task,
        feedback=feedback,
        fields=fields,
        notes=[note for note in notes if note.removed_at is None],
        minimum_notes=task.minimum_notes,
        removed=next((one for one in notes if one.removed_at and request.args.get("note") == str(one.id)), None),
        rubric=rubric,
        problems=[(one.field, _sentence(one, {each.id: each.name for each in rubric.criteria})) for one in problems],
        stamps=drafts.stamps_of(feedback),
        asides=_by_field(drafts.asides_of(feedback)),
        can_write=task.takes_texts and task.is_open(here.now),
        store=unsent_store(here, f"feedback:{activity.id}:{number}:{member_id}"),
        clock=_clock(activity),
        said=request.args.get("said"),
    )


@pages.post("/round/<int:number>/for/<int:member_id>")
@on_visit(may="take part")
def act(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """Every button of the form: all of it is saved first, whatever else was asked for."""
    task = _task(here, activity_at(here.session, here.placement_id), number, member_id)
    service.save_draft(here.session, task, request.form, _bases(), device=_device(here), now=here.now)
    wish, _, what = request.form.get("do", "save").partition(":")
    if wish == "give":
        return redirect(_give(here, task), code=303)
    return redirect(_write_url(task, **_do(here, task, wish, what)), code=303)


def _give(here: Here, task: reading.Assignment) -> str:
    try:
        given = service.give(here.session, task, now=here.now)
    except FeedbackIncomplete:
        # The draft is kept, so the page that says what is missing is a page of its own and not an error.
        return _write_url(task, check=1)
    except FeedbackReleased:
        return _write_url(task)
    return url_for(".read", feedback_id=given.id, said="given")


def _do(here: Here, task: reading.Assignment, wish: str, what: str) -> dict[str, Any]:
    """One of the small buttons. Returns what the page is told about it."""
    device = _device(here)
    match wish:
        case "add_note":
            text = request.form.get(rules.NOTE_DRAFT, "")
            if len(text) > rules.LONGEST:
                return {"check": 1}
            note = service.add_note(here.session, task, text, at=_moment(here), device=device, now=here.now)
            return {"said": "note_added" if note else "saved", "_anchor": rules.NOTE_DRAFT}
        case "remove_note" | "restore_note" if what.isdecimal() and len(what) < 19:
            service.remove_note(here.session, task, int(what), now=here.now, undo=wish == "restore_note")
            return {"said": "note_removed" if wish == "remove_note" else "note_restored", "note": what}
        case "use_aside" | "drop_aside":
            service.settle_aside(here.session, task, what, use=wish == "use_aside", device=device, now=here.now)
            return {"said": wish}
        case _:
            return {"said": "saved"}


@pages.post("/round/<int:number>/for/<int:member_id>/save")
@on_visit(may="take part")
def autosave(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """Keep the fields that changed; answers with the new version and with what other devices wrote."""
    activity = activity_at(here.session, here.placement_id)
    task = _task(here, activity, number, member_id)
    saved = service.save_draft(here.session, task, request.form, _bases(), device=_device(here), now=here.now)
    return _saved(activity, saved)


@pages.post("/round/<int:number>/for/<int:member_id>/tell")
@on_visit(may="take part")
def tell(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """Leave a note on the partner's first page."""
    task = _task(here, activity_at(here.session, here.placement_id), number, member_id)
    telling.tell_partner(here.session, task, request.form.get("partner_note", ""), now=here.now)
    return redirect(url_for("home.show", said="told", _anchor=f"round-{number}"), code=303)


@pages.get("/feedback/<int:feedback_id>")
@on_visit()
def read(here: Here, feedback_id: int) -> ResponseReturnValue:
    """Feedback for its receiver, its author or, where the activity says so, staff."""
    shown = _shown(here, feedback_id)
    is_author = shown.feedback.author_id == here.member_id
    is_receiver = shown.feedback.recipient_id == here.member_id
    draft = reading.find_answer_draft(here.session, feedback_id) if is_receiver else None
    answer = reading.answer_fields(draft, shown.acknowledgement)
    problems: tuple[rules.Problem, ...] = ()
    if request.args.get("check"):
        problems = rules.problems_of_answer(answer["heard"], answer["will_use"], None)
    is_open = shown.acknowledgement is None or draft is not None or "change" in request.args
    rubric_id = shown.feedback.rubric_id or shown.activity.rubric_id
    return render_template(
        "feedback/read.html",
        shown=shown,
        **(_own_notes(here, shown) if is_author else {}),
        is_author=is_author,
        is_receiver=is_receiver,
        is_answering=is_receiver and shown.takes_answers and is_open,
        rubric=reading.rubric_of(here.session, rubric_id),
        answer=answer,
        answer_version=draft.version if draft is not None else 0,
        stamps=drafts.stamps_of(draft),
        asides=_by_field(drafts.asides_of(draft)),
        problems=[(one.field, _sentence(one, {})) for one in problems],
        names=NAMES,
        answer_store=unsent_store(here, f"answer:{feedback_id}"),
        clock=_clock(shown.activity),
        said=request.args.get("said"),
    )


def _own_notes(here: Here, shown: reading.Shown) -> dict[str, Any]:
    """The author's own notes, and whether more can be added: as long as the activity is open, released or not."""
    feedback, number = shown.feedback, shown.round.number
    task = reading.find_assignment(here.session, shown.activity, number, feedback.author_id, feedback.recipient_id)
    notes = [note for note in reading.notes_of(here.session, feedback) if note.removed_at is None]
    return {
        "notes": notes,
        "minimum_notes": task.minimum_notes,
        "can_add_notes": task.takes_texts and not here.is_preview,
        "store": unsent_store(here, f"feedback:{shown.activity.id}:{number}:{feedback.recipient_id}"),
    }


@pages.post("/feedback/<int:feedback_id>/answer")
@on_visit(may="take part")
def answer(here: Here, feedback_id: int) -> ResponseReturnValue:
    """Send the acknowledgement, keep it as a draft, or take up the one that was sent to change it."""
    shown = _to_answer(here, feedback_id)
    answering.save_answer(here.session, shown, request.form, _bases(), device=_device(here), now=here.now)
    wish, _, what = request.form.get("do", "save").partition(":")
    if wish == "send":
        try:
            answering.acknowledge(here.session, shown, now=here.now)
        except FeedbackIncomplete:
            return redirect(url_for(".read", feedback_id=feedback_id, check=1, _anchor="answer"), code=303)
        return redirect(url_for(".read", feedback_id=feedback_id, said="answered"), code=303)
    if wish in {"use_aside", "drop_aside"}:
        answering.settle_answer_aside(
            here.session, shown, what, use=wish == "use_aside", device=_device(here), now=here.now
        )
    return redirect(url_for(".read", feedback_id=feedback_id, said="saved", change=1, _anchor="answer"), code=303)


@pages.post("/feedback/<int:feedback_id>/answer/save")
@on_visit(may="take part")
def autosave_answer(here: Here, feedback_id: int) -> ResponseReturnValue:
    """Keep the acknowledgement as it is typed."""
    shown = _to_answer(here, feedback_id)
    saved = answering.save_answer(here.session, shown, request.form, _bases(), device=_device(here), now=here.now)
    return _saved(shown.activity, saved)


@pages.get("/feedback")
@on_visit(may="take part")
def received(here: Here) -> ResponseReturnValue:
    """All feedback that this member received in the activity, and the levels that several partners agree on."""
    activity = activity_at(here.session, here.placement_id)
    exchanges = reading.exchanges_of(here.session, activity, here.member_id or 0, now=here.now)
    readable = [one for one in exchanges if one.is_theirs_released]
    rubric = reading.rubric_of(here.session, activity.rubric_id)
    return render_template(
        "feedback/received.html",
        activity=activity,
        readable=readable,
        waiting=[one for one in exchanges if one.is_current and not one.is_theirs_released],
        typical=reading.typical_levels(rubric, readable),
        clock=_clock(activity),
    )


def _write_url(task: reading.Assignment, **told: Any) -> str:
    return url_for(".write", number=task.round.number, member_id=task.recipient_id, **told)


def _task(here: Here, activity: Activity, number: int, member_id: int) -> reading.Assignment:
    if here.is_preview:
        raise PreviewOnly
    return reading.find_assignment(here.session, activity, number, here.member_id or 0, member_id)


def _shown(here: Here, feedback_id: int) -> reading.Shown:
    reader = rules.Reader(here.member_id, here.is_staff)
    return reading.read_feedback(here.session, feedback_id, reader, here.course_id, now=here.now)


def _to_answer(here: Here, feedback_id: int) -> reading.Shown:
    if here.is_preview:
        raise PreviewOnly
    shown = _shown(here, feedback_id)
    if shown.feedback.recipient_id != here.member_id:
        raise NotFound("feedback", feedback_id)
    return shown


def _preview(here: Here, activity: Activity) -> ResponseReturnValue:
    return render_template(
        "feedback/preview.html", activity=activity, rubric=reading.rubric_of(here.session, activity.rubric_id)
    )


def _bases() -> dict[str, int]:
    """Versions that the page had seen: `base.<field>` where the script keeps them by field, else one `base` for all."""
    whole = request.form.get("base", "")
    seen = dict.fromkeys(request.form, int(whole) if whole.isdecimal() and len(whole) < 10 else 0)
    for name, version in request.form.items():
        if name.startswith("base.") and version.isdecimal() and len(version) < 10:
            seen[name.removeprefix("base.")] = int(version)
    return seen


def _device(here: Here) -> str:
    return request.form.get("device", "")[:32] or here.visit.key


def _moment(here: Here) -> datetime:
    try:
        at = datetime.fromisoformat(request.form.get("note_at", ""))
    except ValueError:
        return here.now
    if at.tzinfo is None or here.now - at > OLDEST_MOMENT:
        return here.now
    return at


def _saved(activity: Activity, saved: drafts.Saved) -> ResponseReturnValue:
    return jsonify(
        version=saved.version,
        saved_at=saved.saved_at.isoformat(),
        clock=_clock(activity)(saved.saved_at, "HH:mm"),
        newer={name: {"text": text, "version": version} for name, (text, version) in saved.newer.items()},
        kept_aside=len(saved.aside),
        has_conflict=saved.has_conflict,
        is_released=saved.is_released,
    )


def _clock(activity: Activity) -> Callable[..., str]:
    """Shows moments in the reader's own time zone, the activity's where theirs is not known."""
    zone = zone_of_reader(activity.time_zone)

    def clock(moment: datetime, pattern: str = "EEE d MMM, HH:mm") -> str:
        return in_words(moment, zone, pattern)

    return clock


def _by_field(asides: tuple[rules.Aside, ...]) -> dict[str, list[rules.Aside]]:
    found: dict[str, list[rules.Aside]] = {}
    for one in asides:
        found.setdefault(one.field, []).append(one)
    return found


def _sentence(problem: rules.Problem, criteria: Mapping[int, str]) -> str:
    match problem.flaw:
        case rules.Flaw.MISSING:
            return str(gettext(MISSING[problem.field]))
        case rules.Flaw.TOO_LONG:
            limit = rules.LONGEST_SHORT if problem.field == "observed_at" else rules.LONGEST
            name = gettext(NAMES[problem.field])
            return str(gettext("%(field)s: shorten it to %(limit)d characters", field=name, limit=limit))
        case rules.Flaw.FEW_NOTES:
            return str(ngettext("Add %(num)d more note", "Add %(num)d more notes", problem.lacking))
        case _:
            name = criteria.get(problem.criterion_id or 0, "")
            return str(gettext("Choose a level for “%(criterion)s”", criterion=name))
