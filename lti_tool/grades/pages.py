"""The ledger: what the gradebook was told of each learner, what it said, and what staff can do about it."""

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, activity_of
from lti_tool.errors import N_
from lti_tool.grades import rules
from lti_tool.grades.models import NO_SCORE, LineItem, ScoreState
from lti_tool.grades.rules import Kind, Reason
from lti_tool.grades.service import ledger, scores
from lti_tool.launch.models import Course
from lti_tool.web.access import Here, on_visit

pages = Blueprint("grades", __name__)

PEOPLE_A_PAGE: Final = 50
MOST_PAGES: Final = 100_000
"""The last page. No course has people beyond it, and databases refuse larger numbers."""

STATES: Final[dict[str, tuple[str, str]]] = {
    "nothing": ("open", N_("Nothing to send yet")),
    "waiting": ("waiting", N_("On its way")),
    "held": ("waiting", N_("Not there yet")),
    "delivered": ("done", N_("In the gradebook")),
    "refused": ("error", N_("Not accepted")),
    "asks": ("late", N_("Needs your decision")),
}
"""The marker and the words of each state; `held` is a score that waits for a reason."""

REASONS: Final[dict[Reason, str]] = {
    Reason.NOT_GRADABLE: N_("The LMS does not grade this person in this course. Their role there may have changed."),
    Reason.NOT_ENROLLED: N_(
        "The LMS does not accept grades for this person right now. The course may not be published "
        "there yet, or the person is no longer enrolled."
    ),
    Reason.NO_ATTEMPTS_LEFT: N_("The LMS allows no more attempts. Allow more there, then send the score again."),
    Reason.LOCKED: N_("The LMS failed several times. This happens when a grade is locked. If it is, unlock it there."),
    Reason.NEWER_GRADE: N_("The gradebook holds a newer grade. Send the score again if it should replace that one."),
    Reason.HIGHER_THERE: N_("The gradebook has more than this activity would send."),
    Reason.NOT_ALLOWED: N_(
        "The LMS does not let Tandem write grades here right now. If this lasts, ask your administrator to allow it."
    ),
    Reason.NO_ACCESS: N_("The LMS refused Tandem access and did not say why. This often goes away on its own."),
    Reason.CREDENTIALS: N_(
        "The LMS no longer accepts Tandem. The tool may have been switched off there. Your "
        "administrator can see this too."
    ),
    Reason.CLOCK: N_("The clocks of the LMS and Tandem differ, so the LMS refused the request as too old or too new."),
    Reason.KEY_SET: N_(
        "The LMS could not read the keys that Tandem publishes, perhaps because its settings block that. Your "
        "administrator can see this too."
    ),
    Reason.BLOCKED: N_(
        "The LMS sent a web page instead of an answer from the gradebook. This happens during maintenance."
    ),
    Reason.NOT_UNDERSTOOD: N_("The LMS did not accept the score and did not say why."),
    Reason.COLUMN_GONE: N_("The column in the gradebook was deleted."),
    Reason.NOT_FOUND: N_("The LMS has the column, but says that it does not know where to put the score."),
    Reason.NO_COLUMN: N_("The activity has no column in the gradebook."),
    Reason.COURSE_OVER: N_("The course is over in the LMS."),
    Reason.LEFT: N_("This person left the course. The score is sent if they come back."),
    Reason.PAUSED: N_("The connection to the LMS is paused. The score is sent when it is resumed."),
    Reason.UNREACHABLE: N_("The LMS could not be reached."),
    Reason.BUSY: N_("The LMS asked Tandem to wait a little."),
    Reason.TROUBLE: N_("The LMS had a problem."),
    Reason.WITHDRAWN: N_("Something was undone before the score was sent, so nothing was sent."),
}
LEFT_TO_PEOPLE: Final = N_("Tandem tried for a month. Send the score again when the problem is fixed.")
LASTING: Final = {
    Reason.NOT_GRADABLE,
    Reason.NO_ATTEMPTS_LEFT,
    Reason.NEWER_GRADE,
    Reason.COURSE_OVER,
    Reason.WITHDRAWN,
}
"""Reasons that are final at once; a score refused for another one was tried for a month."""
OUTCOMES: Final[dict[Kind, str]] = {
    Kind.DELIVERED: N_("The LMS accepted the score"),
    Kind.FOUND: N_("The LMS already had the score from an attempt whose answer was lost"),
    Kind.RETRY: N_("The LMS could not accept it then"),
    Kind.THROTTLED: N_("The LMS asked Tandem to wait"),
    Kind.CONFLICT: N_("The LMS already had a newer grade"),
    Kind.WAITS: N_("The LMS refused it for now"),
    Kind.REFUSED: N_("The LMS refused it"),
    Kind.GONE: N_("The column was not there"),
}
COLUMNS: Final[dict[str, str]] = {
    "none": N_(
        "This activity has no column in the gradebook, and the LMS does not let Tandem create one. "
        "The activity still works. Ask your administrator to allow grade columns, or add one in the "
        "LMS. Then check again."
    ),
    "declined": N_(
        "Grades were switched off for this activity when it was added to the course, so nothing is "
        "sent. Switch them on in the activity's settings in the LMS, or let Tandem create its own "
        "column."
    ),
    "readonly": N_(
        "The LMS does not let Tandem write grades in this course. The activity still works. Ask your "
        "administrator to allow it, then check again."
    ),
    "deleted": N_(
        "The column of this activity was deleted from the gradebook. If you recreate it, all scores "
        "are sent to the new one."
    ),
}


@pages.get("/grades")
@on_visit(may="see the ledger")
def show(here: Here) -> ResponseReturnValue:
    """Every learner with the state of their score."""
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("setup.show"))
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    filters = {name: value for name in ("q", "state", "sort") if (value := request.args.get(name, "")[:255].strip())}
    state = filters.get("state")
    shown = ledger.ledger(
        here.session,
        activity,
        page=page,
        size=PEOPLE_A_PAGE,
        text=filters.get("q", ""),
        state=state if state in STATES else None,
        by_trouble=filters.get("sort") == "trouble",
    )
    column = ledger.column_of(here.session, activity.id)
    return render_template(
        "grades/ledger.html",
        activity=activity,
        course=here.session.get_one(Course, here.course_id),
        ledger=shown,
        filters=filters,
        column=column,
        column_words=_column_words(column, shown.by_state),
        other_points=_other_points(column, activity),
        page=page,
        page_count=max(1, -(-shown.count // PEOPLE_A_PAGE)),
        states=STATES,
        reason_of=reason_of,
        points_of=lambda share: rules.points(share, activity.score_maximum),
        said=request.args.get("said"),
    )


@pages.get("/grades/<int:score_id>")
@on_visit(may="see the ledger")
def show_score(here: Here, score_id: int) -> ResponseReturnValue:
    """One learner's score with every attempt to send it."""
    activity = activity_at(here.session, here.placement_id)
    row = ledger.ledger_row(here.session, activity.id, score_id)
    return render_template(
        "grades/score.html",
        activity=activity,
        course=here.session.get_one(Course, here.course_id),
        row=row,
        attempts=ledger.attempts_of(here.session, activity.id, score_id),
        states=STATES,
        outcomes=OUTCOMES,
        reasons=REASONS,
        reason_of=reason_of,
        no_score=NO_SCORE,
        points_of=lambda share: rules.points(share, activity.score_maximum),
        said=request.args.get("said"),
    )


@pages.post("/grades/send")
@on_visit(may="send a score again")
def send_all(here: Here) -> ResponseReturnValue:
    """Send everything again that is not in the gradebook."""
    scores.send_all_again(here.session, activity_at(here.session, here.placement_id).id, now=here.now)
    return redirect(url_for(".show", said="sent"), code=303)


@pages.post("/grades/<int:score_id>/send")
@on_visit(may="send a score again")
def send_one(here: Here, score_id: int) -> ResponseReturnValue:
    """Send one score again."""
    scores.send_again(here.session, activity_at(here.session, here.placement_id).id, score_id, now=here.now)
    return redirect(url_for(".show_score", score_id=score_id, said="sent"), code=303)


@pages.post("/grades/<int:score_id>/answer")
@on_visit(may="set up an activity")
def answer(here: Here, score_id: int) -> ResponseReturnValue:
    """Say whether a score follows progress that was undone."""
    lowers = request.form.get("means") == "lower"
    scores.answer_question(
        here.session, activity_at(here.session, here.placement_id).id, score_id, lowers=lowers, now=here.now
    )
    return redirect(url_for(".show_score", score_id=score_id, said="lowered" if lowers else "kept"), code=303)


@pages.post("/grades/column")
@on_visit(may="set up an activity")
def recreate_column(here: Here) -> ResponseReturnValue:
    """Look for the column once more, or have it made again."""
    scores.recreate_column(here.session, activity_at(here.session, here.placement_id).id, now=here.now)
    return redirect(url_for(".show", said="column"), code=303)


def reason_of(score: ScoreState | None) -> tuple[str, ...]:
    """Why a score is not in the gradebook, as sentences to translate."""
    if score is None or score.reason is None:
        return ()
    reason = Reason(score.reason)
    if score.state == "refused" and reason not in LASTING:
        return REASONS[reason], LEFT_TO_PEOPLE
    return (REASONS[reason],)


def _column_words(column: LineItem | None, by_state: dict[str, int]) -> str | None:
    if column is None or not any(by_state.get(state) for state in STATES if state != "nothing"):
        return None
    return COLUMNS.get(column.state)


def _other_points(column: LineItem | None, activity: Activity) -> str | None:
    """The points of the column in the LMS if they differ from those of the activity."""
    if column is None or column.state != "linked" or column.maximum in {None, activity.score_maximum}:
        return None
    return f"{column.maximum:g}"
