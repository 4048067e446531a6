"""Set up an activity and place it: for designers in the deep-linking dialog, and later from the activity itself."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, gettext
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities import forms, rules, service
from lti_tool.activities.errors import (
    ActivityChanged,
    ActivityInUse,
    ActivityUnknown,
    AnonymityPromised,
    NothingToReturn,
    ReturnAddressForeign,
    RoundInUse,
)
from lti_tool.activities.forms import Reading, SetupText
from lti_tool.activities.models import Activity, Round, SavedTemplate
from lti_tool.activities.rules import KINDS, ActivitySettings, Kind, ScoreMode, kind_for, kind_of, seats_with_hours
from lti_tool.activities.rules.saved import rubric_from, settings_from
from lti_tool.activities.rules.templates import TEMPLATES, worded_again
from lti_tool.activities.rules.templates.scenarios import scenarios_for
from lti_tool.activities.service import InUse, Saved
from lti_tool.errors import N_, NotFound
from lti_tool.feedback import service as feedback
from lti_tool.feedback.models import Entry
from lti_tool.goals import service as goals
from lti_tool.grades.models import LineItem
from lti_tool.launch.models import Course, Person, Placement
from lti_tool.launch.rules.context import DeepLinking
from lti_tool.launch.service import deep_linking
from lti_tool.launch.service.deep_linking import Addressee, GradeColumn, LinkItem
from lti_tool.meetings.wording import RHYTHMS
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Plan, published
from lti_tool.pairing.rules import preferences
from lti_tool.programmes import service as programmes
from lti_tool.registration.models import Deployment, Institution, Registration
from lti_tool.registration.service.keys import signing_key
from lti_tool.rubrics import forms as rubric_forms
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.rules import MOST_CRITERIA, MOST_LEVELS, RubricDraft
from lti_tool.rubrics.rules.files import to_csv, to_json
from lti_tool.support.crypto import new_secret
from lti_tool.support.spreadsheet import delimiter_for
from lti_tool.support.zones import known_zones
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import address_of, builds, offer
from lti_tool.web.i18n import into_language, offered, page_language, reader_locale
from lti_tool.web.pages import unsent_store
from lti_tool.web.visits import VisitKind
from lti_tool.workspace import rubric_choice
from lti_tool.workspace.template_changes import changes_of

pages = Blueprint("setup", __name__)

ACT: Final = "set up an activity"
DESIGNING: Final = frozenset({VisitKind.PLACING, VisitKind.ACTIVITY})
PLACING: Final = frozenset({VisitKind.PLACING})
ACTIVITY: Final = frozenset({VisitKind.ACTIVITY})
MANY_STEPS: Final = 9
"""From so many on, steps that seldom count are folded away."""
ANSWER: Final = "deep-linking answer"
RUBRIC_FILE: Final = "rubric"
COLUMN_TAG: Final = "completion"
NAMES: Final = {
    "title": N_("Title"),
    "instructions": N_("Instructions"),
    "series-free": N_("Free weeks"),
    "certificate_title": N_("What the certificate is called"),
    "certificate_issuer": N_("Issued by"),
    "scenario-public": N_("What everyone reads"),
    **{
        f"scenario-brief-{seat.key}": N_("Private brief")
        for kind in KINDS.values()
        if kind.has_scenario
        for seat in kind.seats
    },
    "rubric-title": N_("Title of the rubric"),
    "criteria--name": N_("Criterion"),
    "criteria--description": N_("What the criterion is about"),
    "criteria--levels--label": N_("Level"),
    "criteria--levels--description": N_("What the level means"),
    **rubric_choice.NAMES,
    "criteria--options": N_("Options"),
    "criteria--lowest_words": N_("What the lowest number means"),
    "criteria--highest_words": N_("What the highest number means"),
}
ROUND_IN_USE: Final = N_(
    "People have groups in a round that you removed, or have written in it, so you cannot remove it."
)

ANONYMITY_PROMISED: Final = N_(
    "Somebody has agreed or written and was told whether their name is shown. So this stays as it is here."
)


@pages.get("/setup")
@on_visit(may=ACT, kinds=DESIGNING)
def show(here: Here) -> ResponseReturnValue:
    """Show the settings of the activity at this placement, else the templates to begin with."""
    if here.visit.kind == VisitKind.PLACING:
        asked = asked_by(here)
        if not deep_linking.accepts_links(asked):
            return render_template("setup/no_links.html", asked=asked)
        if here.visit.details.get("is_own_tab") and not deep_linking.accepts_answer_from_tab(asked):
            return render_template("setup/own_tab.html")
    activity = service.activity_of(here.session, here.placement_id)
    if activity is not None:
        return _editor(here, activity, _kept(here.session, activity), is_typed=False)
    is_placing = here.visit.kind == VisitKind.PLACING
    drafts = service.open_drafts(here.session, here.course_id) if is_placing else []
    already = _activity_placed_before(here) if is_placing else None
    waiting = programmes.to_place(here.session, here.course_id)
    return render_template(
        "setup/choose.html",
        templates=TEMPLATES.values(),
        saved=[
            (template, kind_of(template.settings["kind"]), name_of(here.session, template.saved_by_id))
            for template in service.templates_for(here.session, here.course_id)
        ],
        drafts=drafts,
        already=already,
        waiting=waiting,
        to_copy=programmes.to_copy(here.session, here.course_id, here.person_id),
        takes_several=is_placing and asked_by(here).accepts_multiple,
    )


def _activity_placed_before(here: Here) -> Activity | None:
    """The activity of the course for which the dialog was opened again, judged by its title."""
    asked = (asked_by(here).title or "").strip()
    for activity in service.open_activities(here.session, here.course_id):
        placement = here.session.get_one(Placement, activity.placement_id)
        if asked and asked in {activity.title.strip(), (placement.title or "").strip()}:
            return activity
    return None


@pages.post("/setup/start")
@on_visit(may=ACT, kinds=DESIGNING)
def start(here: Here) -> ResponseReturnValue:
    """Begin with a ready template, or with one that a designer saved."""
    if service.activity_of(here.session, here.placement_id) is not None:
        return redirect(url_for(".show"), code=303)
    zone = rules.usable_zone(here.visit.time_zone, service.last_time_zone(here.session))
    title, text = _typed_in_the_lms(here)
    begin = _begin_with_own if "saved" in request.form else _begin_with_ready
    begun = begin(here, zone)
    settings = rules.begun_with(begun.settings, title=title, instructions=text)
    try:
        with here.session.begin_nested():
            activity = service.create_draft(
                here.session,
                here.course_id,
                settings,
                begun.rubric,
                by=here.person_id,
                now=here.now,
                placement_id=here.placement_id,
            )
            if begun.saved is not None:
                service.began_with(here.session, activity, begun.saved)
            _want(here, activity, begun.preferences)
    except IntegrityError:
        # Pressed twice, or by two people: what was begun first stands here now.
        return redirect(url_for(".show"), code=303)
    return redirect(address_here(activity), code=303)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a template gives an activity to begin with."""

    settings: ActivitySettings
    rubric: RubricDraft
    preferences: Mapping[str, Any]
    saved: SavedTemplate | None = None


def _begin_with_ready(here: Here, zone: str) -> Beginning:
    template = TEMPLATES.get(request.form.get("template", ""))
    if template is None:
        raise NotFound("template")
    asked = request.form.get("language")
    language = asked if asked in offered() else page_language()
    say = into_language(language)
    settings = template.settings(say, now=here.now, time_zone=zone, language=language)
    return Beginning(settings, template.rubric(say), template.preferences)


def _begin_with_own(here: Here, zone: str) -> Beginning:
    template = service.template_named(here.session, here.course_id, request.form.get("saved", ""))
    settings = rules.copy_of(settings_from(template.settings, now=here.now, time_zone=zone), now=here.now)
    return Beginning(settings, rubric_from(template.rubric), template.preferences, template)


def _want(here: Here, activity: Activity, wanted: Mapping[str, Any]) -> None:
    """Save what a template wants of groups, so that its rules hold from the first proposal on."""
    if wanted:
        pairing.save_preferences(
            here.session,
            activity.id,
            preferences.read(wanted),
            expected_version=0,
            by=here.person_id,
            now=here.now,
        )


@pages.get("/setup/drafts/<key>")
@on_visit(may=ACT, kinds=PLACING)
def show_draft(here: Here, key: str) -> ResponseReturnValue:
    """Show the settings of an activity that is not placed yet."""
    activity = service.draft_for_key(here.session, here.course_id, key)
    return _editor(here, activity, _kept(here.session, activity), is_typed=False)


@pages.post("/setup/drafts/<key>")
@on_visit(may=ACT, kinds=PLACING)
def change_draft(here: Here, key: str) -> ResponseReturnValue:
    """Handle any button on the settings page of an activity that is not placed yet."""
    return _change(here, service.draft_for_key(here.session, here.course_id, key))


@pages.post("/setup")
@on_visit(may=ACT, kinds=ACTIVITY)
def change(here: Here) -> ResponseReturnValue:
    """Handle any button on the settings page of a placed activity."""
    return _change(here, service.activity_at(here.session, here.placement_id))


@pages.post("/setup/copy-of")
@on_visit(may=ACT, kinds=ACTIVITY)
def copy_of(here: Here) -> ResponseReturnValue:
    """Set which activity this one is a copy of. It begins again with that activity's settings."""
    copy = service.activity_at(here.session, here.placement_id)
    asked = request.form.get("source", "")
    source = next((one for one in _possible_sources(here, copy) if str(one.id) == asked), None)
    if source is None:
        raise ActivityUnknown(asked)
    service.copy_again(here.session, copy, source, by=here.person_id, now=here.now)
    return redirect(url_for(".show", said="copied"), code=303)


@pages.post("/setup/close")
@on_visit(may=ACT, kinds=ACTIVITY)
def close(here: Here) -> ResponseReturnValue:
    """End the activity."""
    service.close(here.session, service.activity_at(here.session, here.placement_id), by=here.person_id, now=here.now)
    return redirect(url_for(".show", said="closed"), code=303)


@pages.post("/setup/reopen")
@on_visit(may=ACT, kinds=ACTIVITY)
def reopen(here: Here) -> ResponseReturnValue:
    """Undo a close."""
    service.reopen(here.session, service.activity_at(here.session, here.placement_id), by=here.person_id, now=here.now)
    return redirect(url_for(".show", said="reopened"), code=303)


@pages.post("/setup/chosen")
@on_visit(may=ACT, kinds=ACTIVITY)
def decide_chosen(here: Here) -> ResponseReturnValue:
    """Decide which of two activities is at this placement: the present one, or the one that "Select content" chose
    again.
    """
    present = service.activity_at(here.session, here.placement_id)
    chosen = service.chosen_instead(here.session, present, here.visit.details.get("activity"))
    if chosen is None:
        return redirect(url_for("home.show"), code=303)
    if request.form.get("means") == "keep":
        service.keep_standing(here.session, present, chosen, by=here.person_id, now=here.now)
        return redirect(url_for("home.show"), code=303)
    if is_in_use(here.session, present.id):
        raise ActivityInUse(present.id)
    # Its column goes with the link to the other; as a draft it has none.
    here.session.execute(delete(LineItem).where(LineItem.activity_id == present.id))
    service.take_its_place(here.session, present, chosen, by=here.person_id, now=here.now)
    return redirect(url_for("home.show"), code=303)


@pages.post("/setup/cancel")
@on_visit(may=ACT, kinds=PLACING)
def cancel(here: Here) -> ResponseReturnValue:
    """Leave the dialog without placing anything."""
    return leave(here)


def _typed_in_the_lms(here: Here) -> tuple[str | None, str | None]:
    """The title and the description in the LMS, from the dialog's form or from the link."""
    if here.visit.kind == VisitKind.PLACING:
        asked = asked_by(here)
        return deep_linking.title_typed(asked.title), asked.text
    link = here.visit.details.get("link") or {}
    return deep_linking.title_typed(link.get("title")), None


def _change(here: Here, activity: Activity) -> ResponseReturnValue:
    text = forms.typed(request.form, kind=activity.kind)
    button = request.form.get("do", "save")
    if button.partition(":")[0] == rubric_choice.BUTTON:
        return _choose_rubric(here, activity, text, button)
    pressed = forms.press(text, button, into_language(text.language))
    if pressed is not None:
        return _editor(here, activity, pressed[0], focus=pressed[1])
    if button == "back":
        return _editor(here, activity, text)
    before = service.settings_in_force(here.session, activity)
    reading = forms.read(text, now=here.now, before=before, languages=offered())
    if reading.problems:
        return _editor(here, activity, text, problems=reading.problems, status=422)
    if button == "preview":
        return _preview(here, activity, reading)
    return _keep(here, activity, text, reading, button)


def _choose_rubric(here: Here, activity: Activity, text: SetupText, button: str) -> ResponseReturnValue:
    """Show where rubrics come from, or the settings page with the one that was taken."""
    outcome = rubric_choice.answer(
        here,
        activity,
        text,
        button,
        address=address_here(activity),
        file_address=url_for(".rubric_file", key=_draft_key(activity)),
        store=store_of(here, activity),
        is_placing=here.visit.kind == VisitKind.PLACING,
    )
    if not isinstance(outcome, rubric_choice.Taken):
        return outcome
    _, problems = rubric_forms.read(outcome.text.rubric, rounds=len(text.rounds))
    return _editor(here, activity, outcome.text, problems=problems, focus="rubric", rubric_said=outcome.said)


@pages.post("/setup/rubric-file", defaults={"key": None})
@pages.post("/setup/drafts/<key>/rubric-file")
@on_visit(may=ACT, kinds=DESIGNING)
def rubric_file(here: Here, key: str | None) -> ResponseReturnValue:
    """Offer the rubric of the activity, as it was last saved, as a file."""
    if key is None:
        activity = service.activity_at(here.session, here.placement_id)
    else:
        activity = service.draft_for_key(here.session, here.course_id, key)
    extension = "json" if request.form.get("as") == "json" else "csv"
    return offer(here, RUBRIC_FILE, activity_id=activity.id, extension=extension)


@builds(pages, RUBRIC_FILE)
def build_rubric_file(here: Here, details: Mapping[str, Any]) -> Response:
    """The rubric as CSV or JSON."""
    rubric = service.rubric_draft_of(here.session, here.session.get_one(Activity, details["activity_id"]))
    is_json = details["extension"] == "json"
    answer = make_response(to_json(rubric) if is_json else to_csv(rubric, delimiter_for(reader_locale())))
    answer.headers["Content-Type"] = "application/json" if is_json else "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="rubric.{details["extension"]}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _keep(here: Here, activity: Activity, text: SetupText, reading: Reading, button: str) -> ResponseReturnValue:
    try:
        outcome: str = _save(here, activity, text, reading)
    except ActivityChanged:
        # Saving again from this page is a decision, so it carries the version that the person was told about.
        newer = replace(text, version=str(activity.version))
        return _editor(here, activity, newer, changed_by=name_of(here.session, activity.changed_by_id), status=409)
    except RoundInUse:
        return _editor(here, activity, text, problems={"rounds": ROUND_IN_USE}, status=409)
    except AnonymityPromised:
        kept = replace(text, anonymous_feedback=activity.anonymous_feedback)
        return _editor(here, activity, kept, problems={"anonymous_feedback": ANONYMITY_PROMISED}, status=409)
    if button == "template":
        return redirect(url_for("saved_templates.ask", key=_draft_key(activity), said="saved"), code=303)
    if button in {"place", "open"}:
        service.confirm(here.session, activity, by=here.person_id, now=here.now)
        if here.visit.kind == VisitKind.PLACING:
            return leave(here, activity)
        outcome = "opened"
    return redirect(address_here(activity, outcome), code=303)


def _save(here: Here, activity: Activity, text: SetupText, reading: Reading) -> Saved:
    settings, rubric = reading.settings, reading.rubric
    if settings.language is not None and settings.language != activity.language:
        # What nobody reworded is a text of ours, and goes with the language.
        settings, rubric = worded_again(settings, rubric, into_language(settings.language, source=activity.language))
    with agreed_again(here, activity):
        return service.update(
            here.session,
            activity,
            settings,
            rubric,
            expected_version=int(text.version) if text.version.isdecimal() else 0,
            in_use=in_use(here.session, activity.id),
            by=here.person_id,
            now=here.now,
            rubric_origin=rubric_choice.origin_in(here, text),
        )


@contextmanager
def agreed_again(here: Here, activity: Activity) -> Iterator[None]:
    """Change settings; where staff may then facilitate in more rounds, learners are asked to agree again."""
    guided_before = activity.guided_rounds
    yield
    if activity.guided_rounds > guided_before:
        feedback.ask_to_agree_again(here.session, activity, now=here.now)


def _possible_sources(here: Here, activity: Activity) -> list[Activity]:
    return service.possible_sources(here.session, activity, here.visit.details.get("custom") or {})


def address_here(activity: Activity, said: str | None = None) -> str:
    """The address of the settings page of an activity."""
    if activity.placement_id is None:
        return url_for("setup.show_draft", key=activity.key, said=said)
    return url_for("setup.show", said=said)


def _draft_key(activity: Activity) -> str | None:
    """How addresses name an activity that stands nowhere yet."""
    return activity.key if activity.placement_id is None else None


def in_use(session: Session, activity_id: int) -> InUse:
    """What learners have begun. Asked here, since activities come before plans and feedback in the story."""
    written = session.scalar(
        select(func.max(Round.number)).join(Entry, Entry.round_id == Round.id).where(Round.activity_id == activity_id)
    )
    planned = session.scalar(published(func.max(Round.number)).where(Plan.activity_id == activity_id))
    last = max(written or 0, planned or 0, goals.last_round_in_use(session, activity_id))
    return InUse(has_feedback=written is not None, rounds=last)


def is_in_use(session: Session, activity_id: int) -> bool:
    """Whether people have groups in this activity, or have written in it."""
    begun = in_use(session, activity_id)
    return begun.has_feedback or begun.rounds > 0


def name_of(session: Session, person_id: int | None) -> str:
    """What a person is called; "Someone" where nobody knows."""
    person = session.get(Person, person_id) if person_id is not None else None
    return (person.name if person is not None else None) or gettext("Someone")


def _kept(session: Session, activity: Activity) -> SetupText:
    return forms.shown(
        service.settings_of(session, activity),
        service.rubric_draft_of(session, activity),
        version=activity.version,
        rubric_origin=rubrics.origin_of(rubrics.rubric_of(session, activity.rubric_id)),
    )


def _editor(
    here: Here,
    activity: Activity,
    text: SetupText,
    *,
    problems: Mapping[str, str] | None = None,
    focus: str | None = None,
    changed_by: str | None = None,
    is_typed: bool = True,
    rubric_said: Sequence[str] = (),
    status: int = 200,
) -> Response:
    is_over = here.session.get_one(Course, activity.course_id).ended_at is not None
    newer = service.newer_template(here.session, activity)
    seats = [(seat.key, gettext(seat.title)) for seat in kind_of(activity.kind).seats]
    page = render_template(
        "setup/edit.html",
        activity=activity,
        address=address_here(activity),
        text=text,
        kind=kind_for(activity),
        may_be_anonymous=any(
            rules.may_be_anonymous(kind_of(activity.kind).going(one.to)) for one in kind_of(activity.kind).directions
        )
        or rules.may_be_anonymous(kind_of(activity.kind)),
        **_counting(kind_for(activity), text),
        ready_scenarios=scenarios_for(kind_for(activity)),
        problems=problems or {},
        summary=[(field, _placed(field, gettext(sentence))) for field, sentence in (problems or {}).items()],
        focus=focus,
        rhythms=[(rhythm.value, gettext(words)) for rhythm, words in RHYTHMS.items()],
        guided=forms.guided_of(text),
        due_days=[format_date(day, "full") if day is not None else "" for day in forms.due_days(text)],
        changed_by=changed_by,
        store=store_of(here, activity),
        is_typed=is_typed,
        in_use=in_use(here.session, activity.id),
        sources=[
            (one, here.session.get_one(Placement, one.placement_id), here.session.get_one(Course, one.course_id))
            for one in _possible_sources(here, activity)
        ],
        is_read_only=service.is_read_only(here.session, activity),
        is_over=is_over,
        draft_key=_draft_key(activity),
        newer=newer,
        newer_by=name_of(here.session, newer.saved_by_id) if newer is not None else "",
        newer_changes=changes_of(here.session, activity, newer) if newer is not None else [],
        is_placing=here.visit.kind == VisitKind.PLACING,
        title_in_course=_title_in_course(here.session, activity, text.title),
        takes_columns=here.visit.kind != VisitKind.PLACING or deep_linking.takes_columns(asked_by(here)),
        zones=known_zones(),
        limits={
            "rounds": rules.MOST_ROUNDS,
            "criteria": MOST_CRITERIA,
            "levels": MOST_LEVELS,
            "questions": [(question.value, gettext(words)) for question, words in rubric_forms.QUESTIONS.items()],
            "comments": [(comment.value, gettext(words)) for comment, words in rubric_forms.COMMENTS.items()],
        },
        seats=seats,
        certificate_seats=seats_with_hours(kind_for(activity)),
        institution=here.session.get_one(Institution, activity.institution_id),
        sends_letters=here.session.get_one(Institution, here.visit.institution_id).sends_letters,
        asides=rubric_forms.asides_of(text.rubric, dict(seats)),
        rubric_said=rubric_said,
        newer_rubric=rubric_choice.newer_of(here, text),
        begun=feedback.begun_with_rubric(here.session, activity.id),
    )
    return make_response(page, status)


def _counting(kind: Kind, text: SetupText) -> dict[str, Any]:
    """The steps that may count: where there are many, those that usually do or are ticked stand before the others."""
    steps = [step for step in kind.steps if step.may_count]
    asked = forms.asked_of(text)
    is_long = len(steps) >= MANY_STEPS
    more = [step for step in steps if is_long and not step.asked_usually and not text.asked.get(step.key)]
    return {
        "usual_steps": [step for step in steps if step not in more],
        "more_steps": more,
        "counted_steps": [(step, asked.of(step)) for step in steps if asked.of(step) > 0],
    }


def _title_in_course(session: Session, activity: Activity, title: str) -> str | None:
    """The name of the activity in the course, if it differs from this title."""
    if activity.placement_id is None:
        return None
    title_in_course = session.get_one(Placement, activity.placement_id).title
    return title_in_course if title_in_course and title_in_course.strip() != title.strip() else None


def _preview(here: Here, activity: Activity, reading: Reading) -> ResponseReturnValue:
    kind = kind_for(reading.settings)
    listed = reading.settings.completion.with_every_task(kind)
    typed = [(name, value) for name, value in request.form.items(multi=True) if name not in {"form_token", "do"}]
    return render_template(
        "setup/preview.html",
        activity=activity,
        address=address_here(activity),
        settings=reading.settings,
        kind=kind,
        steps=[step for step in kind.steps if listed.of(step)],
        rubric=reading.rubric,
        typed=typed,
        store=store_of(here, activity),
        is_placing=here.visit.kind == VisitKind.PLACING,
    )


def store_of(here: Here, activity: Activity) -> dict[str, str]:
    """Where the browser keeps what is typed on the settings page and not saved yet."""
    return unsent_store(here, f"set-up:{activity.id}")


def _placed(field: str, sentence: str) -> str:
    """A sentence of the error summary, with the place of the field, such as the criterion."""
    numbers = [int(number) for number in re.findall(r"\d+", field)]
    if re.fullmatch(r"criteria-\d+-levels-\d+-\w+", field):
        place = gettext("Criterion %(criterion)d, level %(level)d:", criterion=numbers[0] + 1, level=numbers[1] + 1)
    elif re.fullmatch(r"criteria-\d+-\w+", field):
        place = gettext("Criterion %(criterion)d:", criterion=numbers[0] + 1)
    elif re.fullmatch(r"r\d+-\w+", field):
        place = gettext("Round %(number)d:", number=numbers[0])
    else:
        return sentence
    return f"{place} {sentence}"


# The answer to the dialog


def asked_by(here: Here) -> DeepLinking:
    """What the dialog asked for. Raises NothingToReturn."""
    kept = here.visit.details.get("deep_linking")
    if here.visit.kind != VisitKind.PLACING or kept is None:
        raise NothingToReturn(here.visit.key)
    return deep_linking.asked_of(kept)


def leave(here: Here, *chosen: Activity, title: str = "") -> ResponseReturnValue:
    """Send the person to the page that posts the answer, with links to these activities, named together by a title.

    That page is opened as a document of its own, by a single-use address: a page that was fetched and swapped in would
    keep the policy of the first, which lets forms post to us only.
    """
    _return_origin(here)
    title = title or (chosen[0].title if chosen else "")
    onward = address_of(here, ANSWER, keys=[one.key for one in chosen], title=title)
    store = store_of(here, chosen[0]) if len(chosen) == 1 else None
    return render_template("setup/leave.html", title=title, onward=onward, store=store)


@builds(pages, ANSWER)
def build_answer(here: Here, details: Mapping[str, Any]) -> Response:
    """The page that posts the signed answer to the platform."""
    chosen = [service.draft_for_key(here.session, here.course_id, key) for key in details["keys"]]
    asked, origin = asked_by(here), _return_origin(here)
    claims = deep_linking.answer(
        asked,
        [_link_to(activity, here) for activity in chosen],
        _addressee(here),
        nonce=new_secret(),
        now=here.now,
    )
    g.form_targets = [origin]
    g.frame_ancestors = here.visit.frame_origins
    token = deep_linking.sign(claims, signing_key(here.session, here.kit.secrets))
    return make_response(
        render_template("setup/answer.html", return_url=asked.return_url, token=token, title=details["title"])
    )


def _link_to(activity: Activity, here: Here) -> LinkItem:
    column = None
    if activity.score_mode != ScoreMode.NONE:
        column = GradeColumn(activity.title, activity.score_maximum, activity.key, COLUMN_TAG)
    return LinkItem(
        title=activity.title,
        url=f"{here.kit.settings.base_url}/lti/launch",
        activity_key=activity.key,
        text=activity.instructions,
        column=column,
    )


def _addressee(here: Here) -> Addressee:
    registration = here.session.get_one(Registration, here.visit.registration_id)
    deployment_id = here.session.scalars(
        select(Deployment.lti_id).join(Course, Course.deployment_id == Deployment.id).where(Course.id == here.course_id)
    ).one()
    return Addressee(registration.issuer, registration.client_id, deployment_id)


def _return_origin(here: Here) -> str:
    registration = here.session.get_one(Registration, here.visit.registration_id)
    origin = deep_linking.return_origin(
        asked_by(here), registration.platform_origins, may_be_http=here.kit.settings.development
    )
    if origin is None:
        raise ReturnAddressForeign(registration.id)
    return origin
