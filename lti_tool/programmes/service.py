"""Make programmes, arrange their steps, move their dates, copy them to other courses, and undo it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities import service as activities
from lti_tool.activities.errors import ActivityInvalid
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules import RoundDates, kind_for
from lti_tool.launch.models import Course, CourseRole, Member, Placement
from lti_tool.programmes import rules
from lti_tool.programmes.errors import ProgrammeChanged, ProgrammeUnknown, StepRefused
from lti_tool.programmes.models import Programme, ProgrammeStep
from lti_tool.programmes.rules import Moved, Step, Timetable


@dataclass(frozen=True, slots=True)
class Stage:
    """An activity of a programme, with the link at which it stands, if it stands anywhere."""

    activity: Activity
    placement: Placement | None
    counts: bool

    @property
    def is_gone(self) -> bool:
        """Whether its link was removed from the course."""
        return self.placement is not None and self.placement.gone_at is not None


# ---- what there is ---------------------------------------------------------------------------------------------------


def programmes_of(session: Session, course_id: int) -> list[Programme]:
    """The programmes of a course, oldest first."""
    rows = select(Programme).where(Programme.course_id == course_id, _has_steps()).order_by(Programme.id)
    return list(session.scalars(rows))


def programme_in(session: Session, course_id: int, programme_id: int) -> Programme:
    """A programme of this course, dissolved ones included. Raises ProgrammeUnknown."""
    programme = session.get(Programme, programme_id)
    if programme is None or programme.course_id != course_id:
        raise ProgrammeUnknown(programme_id)
    return programme


def programme_with(session: Session, activity_id: int) -> Programme | None:
    """The programme to which an activity belongs."""
    steps = select(ProgrammeStep.programme_id).where(ProgrammeStep.activity_id == activity_id)
    return session.scalar(select(Programme).where(Programme.id.in_(steps)))


def stages_of(session: Session, programme_id: int) -> list[Stage]:
    """The activities of a programme in its order."""
    rows = session.execute(
        select(Activity, Placement, ProgrammeStep.counts)
        .join(ProgrammeStep, ProgrammeStep.activity_id == Activity.id)
        .outerjoin(Placement, Placement.id == Activity.placement_id)
        .where(ProgrammeStep.programme_id == programme_id)
        .order_by(ProgrammeStep.position)
    )
    return [Stage(*row) for row in rows]


def open_activities(session: Session, course_id: int) -> dict[Activity, int | None]:
    """Every activity of a course whose link is there, oldest first, each with the id of its programme."""
    rows = session.execute(
        select(Activity, ProgrammeStep.programme_id)
        .join(Placement, Placement.id == Activity.placement_id)
        .outerjoin(ProgrammeStep, ProgrammeStep.activity_id == Activity.id)
        .where(Activity.course_id == course_id, Placement.gone_at.is_(None))
        .order_by(Activity.created_at, Activity.id)
    )
    return dict(rows.all())


def free_activities(session: Session, course_id: int) -> list[Activity]:
    """The activities of a course that belong to no programme."""
    return [one for one, programme_id in open_activities(session, course_id).items() if programme_id is None]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What another programme of a course could be made of."""

    activities: tuple[Activity, ...]
    """Those that are in none; the copies first, in the order of the programme that they come from."""
    copies: frozenset[int] = frozenset()
    """Those that came with a copied course from activities of the same programme."""
    title: str = ""
    """The title of that programme."""


def suggestion(session: Session, course_id: int) -> Suggestion:
    """The activities of which a programme can be made; in a copied course, the programme that was there before."""
    free = free_activities(session, course_id)
    by_source = {one.copied_from_id: one for one in free if one.copied_from_id is not None}
    rows = session.execute(
        select(Programme, ProgrammeStep.activity_id)
        .join(ProgrammeStep, ProgrammeStep.programme_id == Programme.id)
        .where(ProgrammeStep.activity_id.in_(by_source))
        .order_by(Programme.id, ProgrammeStep.position)
    ).all()
    if not rows:
        return Suggestion(tuple(free))
    first = rows[0][0]
    copies = [by_source[source_id] for programme, source_id in rows if programme is first]
    others = [one for one in free if one not in copies]
    return Suggestion((*copies, *others), frozenset(one.id for one in copies), first.title)


def _has_steps() -> ColumnElement[bool]:
    return exists().where(ProgrammeStep.programme_id == Programme.id)


# ---- making and arranging --------------------------------------------------------------------------------------------


def make(session: Session, course_id: int, title: str, steps: Sequence[Step], *, by: int, now: datetime) -> Programme:
    """A programme of activities of this course; `by` is a person. Raises StepRefused."""
    programme = Programme(course_id=course_id, title=title, changed_by_id=by, changed_at=now, version=1)
    session.add(programme)
    session.flush()
    _write_steps(session, programme, steps)
    return programme


def describe(
    session: Session,
    programme: Programme,
    *,
    title: str,
    gives_certificate: bool,
    is_offered: bool,
    expected_version: int,
    by: int,
    now: datetime,
) -> None:
    """Save what a designer says about it. Raises ProgrammeChanged."""
    _hold(session, programme, expected_version, by=by, now=now)
    programme.title, programme.gives_certificate, programme.is_offered = title, gives_certificate, is_offered
    session.flush()


def arrange(
    session: Session, programme: Programme, steps: Sequence[Step], *, expected_version: int, by: int, now: datetime
) -> None:
    """Give a programme these steps in this order; without any it is dissolved. Raises ProgrammeChanged, StepRefused."""
    _hold(session, programme, expected_version, by=by, now=now)
    programme.before = {"steps": [[one.activity.id, one.counts] for one in stages_of(session, programme.id)]}
    _write_steps(session, programme, steps)


def _hold(session: Session, programme: Programme, expected_version: int, *, by: int, now: datetime) -> None:
    """Let nobody else change it until this transaction ends, and note who does."""
    session.refresh(programme, with_for_update=True)
    if programme.version != expected_version:
        raise ProgrammeChanged(programme.id)
    programme.version += 1
    programme.changed_by_id, programme.changed_at = by, now
    session.flush()


def _write_steps(session: Session, programme: Programme, steps: Sequence[Step]) -> None:
    ids = [one.activity_id for one in steps]
    known = set(
        session.scalars(select(Activity.id).where(Activity.id.in_(ids), Activity.course_id == programme.course_id))
    )
    elsewhere = select(ProgrammeStep.id).where(
        ProgrammeStep.activity_id.in_(ids), ProgrammeStep.programme_id != programme.id
    )
    if len(ids) > rules.MOST_STEPS or set(ids) != known or len(known) < len(ids) or session.scalar(elsewhere):
        raise StepRefused(programme.id, *ids)
    gone = delete(ProgrammeStep).where(ProgrammeStep.programme_id == programme.id)
    session.execute(gone.execution_options(synchronize_session=False))
    session.add_all(
        ProgrammeStep(programme_id=programme.id, activity_id=one.activity_id, position=position, counts=one.counts)
        for position, one in enumerate(steps, start=1)
    )
    session.flush()


# ---- dates -----------------------------------------------------------------------------------------------------------


def timetables_of(
    session: Session, stages: Sequence[Stage], worked_in: Mapping[int, int], *, now: datetime
) -> list[Timetable]:
    """The dates of the activities that can still move. `worked_in`: by activity the highest round with begun work."""
    path = []
    for stage in stages:
        activity = stage.activity
        if activities.is_read_only(session, activity) or stage.is_gone:
            continue
        settings = activities.settings_of(session, activity)
        days = settings.reflection_days
        path.append(
            Timetable(
                activity.id,
                activity.time_zone,
                settings.rounds,
                rules.rounds_begun(settings.rounds, worked_in.get(activity.id, 0), now),
                days.first_on if days is not None and days.first_on > now.date() else None,
            )
        )
    return path


def move(
    session: Session,
    programme: Programme,
    before: Sequence[Timetable],
    after: Moved,
    *,
    free_weeks: str,
    expected_version: int,
    by: int,
    now: datetime,
) -> None:
    """Give all rounds that have not begun their new dates. Raises ProgrammeChanged, ActivityInvalid."""
    _hold(session, programme, expected_version, by=by, now=now)
    programme.before = {
        "dates": {str(one.activity_id): [_kept(was), _kept(one)] for was, one in zip(before, after.path, strict=True)},
        "free": [programme.free_weeks, programme.skipped_weeks],
    }
    programme.free_weeks, programme.skipped_weeks = free_weeks, sorted(map(list, after.skipped))
    for new in after.path:
        activity = session.get_one(Activity, new.activity_id)
        activities.move_dates(session, activity, new.rounds, new.asks_first_on, by=by, now=now)


def undo(
    session: Session,
    programme: Programme,
    worked_in: Mapping[int, int],
    *,
    expected_version: int,
    by: int,
    now: datetime,
) -> bool:
    """Restore what the last change replaced; of dates, those of rounds that have not begun and were not changed since.

    Returns whether that was all of it. Raises ProgrammeChanged, StepRefused.
    """
    _hold(session, programme, expected_version, by=by, now=now)
    kept, programme.before = programme.before or {}, None
    if "steps" in kept:
        ids = set(session.scalars(select(Activity.id).where(Activity.id.in_([one[0] for one in kept["steps"]]))))
        _write_steps(session, programme, [Step(*one) for one in kept["steps"] if one[0] in ids])
        return len(ids) == len(kept["steps"])
    if "dates" not in kept:
        return True
    programme.free_weeks, programme.skipped_weeks = kept["free"]
    path = {
        one.activity_id: one for one in timetables_of(session, stages_of(session, programme.id), worked_in, now=now)
    }
    is_all = True
    for activity_id, (was, became) in kept["dates"].items():
        now_has = path.get(int(activity_id))
        is_all &= now_has is not None and _restore(
            session, now_has, _read(now_has, was), _read(now_has, became), by=by, now=now
        )
    return is_all


def _restore(
    session: Session, current: Timetable, was: Timetable, became: Timetable, *, by: int, now: datetime
) -> bool:
    """Restore the dates of an activity, as far as they are still those of the move. Returns whether it was all."""
    if len(was.rounds) != len(current.rounds):
        return False
    rounds = tuple(
        old if number > current.begun and kept == new else kept
        for number, (old, new, kept) in enumerate(zip(was.rounds, became.rounds, current.rounds, strict=True), start=1)
    )
    asks = was.asks_first_on if current.asks_first_on == became.asks_first_on else current.asks_first_on
    try:
        with session.begin_nested():
            activity = session.get_one(Activity, current.activity_id)
            activities.move_dates(session, activity, rounds, asks, by=by, now=now)
    except ActivityInvalid:
        # What was due by then has passed meanwhile.
        return False
    return rounds == was.rounds


def _kept(timetable: Timetable) -> list[Any]:
    moments = [[moment and moment.isoformat() for moment in (at.opens_at, at.due_at)] for at in timetable.rounds]
    return [moments, timetable.asks_first_on and timetable.asks_first_on.isoformat()]


def _read(timetable: Timetable, kept: list[Any]) -> Timetable:
    moments, asks = kept
    rounds = tuple(RoundDates(*(datetime.fromisoformat(at) if at else None for at in pair)) for pair in moments)
    return replace(timetable, rounds=rounds, asks_first_on=date.fromisoformat(asks) if asks else None)


# ---- copying ---------------------------------------------------------------------------------------------------------


def to_copy(session: Session, course_id: int, person_id: int) -> list[tuple[Programme, str | None]]:
    """The programmes of other courses that this person may copy, with the course's title: those that were offered to
    the institution, and those of courses in which the person is an instructor.
    """
    own = aliased(Member)
    teaches = exists().where(
        own.course_id == Programme.course_id,
        own.person_id == person_id,
        own.role == CourseRole.INSTRUCTOR,
        own.status == "active",
    )
    rows = session.execute(
        select(Programme, Course.title)
        .join(Course, Course.id == Programme.course_id)
        .where(Programme.course_id != course_id, _has_steps(), or_(Programme.is_offered, teaches))
        .order_by(Programme.title, Programme.id)
        .limit(100)
    )
    return [(programme, title) for programme, title in rows]


def source_for(session: Session, course_id: int, person_id: int, programme_id: int) -> Programme:
    """A programme that this person may copy to this course. Raises ProgrammeUnknown."""
    for programme, _ in to_copy(session, course_id, person_id):
        if programme.id == programme_id:
            return programme
    raise ProgrammeUnknown(programme_id)


@dataclass(frozen=True, slots=True)
class Source:
    """An activity that is to be copied, with its dates, and what there is to say about it."""

    activity: Activity
    counts: bool
    timetable: Timetable
    is_kind_gone: bool
    """It cannot be copied: its kind is no longer offered."""
    template: SavedTemplate | None
    """The saved template that it began with, where there still is one; the copy keeps the version."""
    is_template_kept: bool
    """Newer versions of that template will be offered for the copy too."""


def sources_of(session: Session, programme: Programme, course_id: int) -> list[Source]:
    """The activities of a programme as they would come to this course, those included that cannot."""
    sources = []
    for stage in stages_of(session, programme.id):
        settings = activities.settings_of(session, stage.activity)
        days = settings.reflection_days
        asks = days.first_on if days is not None else None
        timetable = Timetable(stage.activity.id, settings.time_zone, settings.rounds, asks_first_on=asks)
        began_with = stage.activity.saved_template_id
        template = session.get(SavedTemplate, began_with) if began_with is not None else None
        is_kept = template is not None and template.withdrawn_at is None and template.course_id in {None, course_id}
        sources.append(Source(stage.activity, stage.counts, timetable, kind_for(settings).is_gone, template, is_kept))
    return sources


def copy(
    session: Session,
    programme: Programme,
    course_id: int,
    sources: Collection[Source],
    after: Moved,
    *,
    free_weeks: str,
    by: int,
    now: datetime,
) -> Programme:
    """The same programme for a course, with these dates. Its activities stand nowhere yet, and wait for a look.

    Raises ActivityInvalid or RubricInvalid; then nothing is copied.
    """
    by_id = {one.activity_id: one for one in after.path}
    steps = []
    for source in sources:
        dates = by_id[source.activity.id]
        settings = replace(activities.settings_of(session, source.activity), rounds=dates.rounds)
        if settings.reflection_days is not None and dates.asks_first_on is not None:
            settings = replace(
                settings, reflection_days=replace(settings.reflection_days, first_on=dates.asks_first_on)
            )
        made = activities.copy_to(session, source.activity, course_id, settings, by=by, now=now)
        steps.append(Step(made.id, source.counts))
    made_of = make(session, course_id, programme.title, steps, by=by, now=now)
    made_of.copied_from_id, made_of.gives_certificate = programme.id, programme.gives_certificate
    made_of.free_weeks, made_of.skipped_weeks = free_weeks, sorted(map(list, after.skipped))
    session.flush()
    return made_of


def to_place(session: Session, course_id: int) -> list[tuple[Programme, list[Activity]]]:
    """The activities that were copied to a course with a programme and have no link there yet."""
    unplaced = [
        (programme, [one.activity for one in stages_of(session, programme.id) if one.placement is None])
        for programme in programmes_of(session, course_id)
    ]
    return [(programme, waiting) for programme, waiting in unplaced if waiting]
