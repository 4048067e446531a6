"""What staff see of the quality of feedback. No text is read: what is counted was kept when the feedback was given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Kind, Step, kind_for
from lti_tool.activities.service import is_read_only, rounds_of
from lti_tool.feedback.models import Entry
from lti_tool.feedback.rules import USEFULNESS
from lti_tool.meetings.models import Appointment, MeetingGroup, MeetingTime
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules.views import PublishedGroup
from lti_tool.quality import rules
from lti_tool.quality.rules import Expected, Figures, Given, Part, Pattern, SeatBalance

MEET: Final = "meet"
"""The step in which members say that they have met."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The figures of an activity."""

    given: int
    """Pieces of feedback that are counted."""
    not_counted: int
    """Given before figures were kept of it."""
    rounds: Mapping[int, Figures]
    whole: Figures
    """Of all rounds."""
    groups: Mapping[int, Mapping[int, Figures]]
    """By round and group."""
    members: Mapping[int, tuple[int, ...]]
    """By group."""
    without_feedback: Mapping[int, list[int]]
    """Members, by round."""
    expected: int
    """How many times somebody was to get feedback in a round that is over."""
    without_value: Part | None
    patterns: Mapping[Pattern, Part | None]
    seats: Mapping[str, SeatBalance]
    pieces: Sequence[Given]
    """What is counted, piece by piece; for further figures, and for no page."""
    awaited: Sequence[Expected]
    published: Sequence[PublishedGroup]


def quality_of(session: Session, activity: Activity, *, now: datetime) -> Quality:
    """All figures of an activity; five queries, whatever its size."""
    kind = kind_for(activity)
    rounds = rounds_of(session, activity.id)
    step = next((one for one in kind.steps if one.is_to_partners and one.form and not one.is_answer), None)
    groups = pairing.published_groups(session, activity.id)
    is_closed = is_read_only(session, activity)
    over = {one.number for one in rounds if is_closed or (one.due_at is not None and one.due_at <= now)}
    given, not_counted = _given(session, activity, kind, step) if step is not None else ([], 0)
    by_round = {one.number: [each for each in given if each.round == one.number] for one in rounds}
    shown, whole = rules.beside_each_other({number: each for number, each in by_round.items() if each})
    expected = list(_expected(groups, kind, step, over)) if step is not None else []
    return Quality(
        given=len(given),
        not_counted=not_counted,
        rounds=shown,
        whole=whole,
        groups=_by_group(by_round, shown, groups),
        members={group.id: group.members for group in groups},
        without_feedback=rules.without_feedback(expected, given),
        expected=sum(one.is_over and bool(one.authors) for one in expected),
        without_value=rules.without_value(given),
        patterns=rules.patterns_of(given, _pairs(groups, kind, step, over)),
        seats=rules.balance_of([seat.key for seat in kind.seats], turns_of(groups, kind)),
        pieces=given,
        awaited=expected,
        published=groups,
    )


def _given(session: Session, activity: Activity, kind: Kind, step: Step) -> tuple[list[Given], int]:
    answer, answer_step = aliased(Entry), kind.answer_to(step)
    met = aliased(Entry)
    rows = session.execute(
        select(
            Round.number,
            Entry.group_id,
            Entry.author_id,
            Entry.recipient_id,
            Entry.submitted_at,
            Entry.counted,
            answer.counted.label("answered"),
            met.submitted_at.label("met_at"),
        )
        .select_from(Entry)
        .join(Round, Round.id == Entry.round_id)
        .outerjoin(
            answer,
            and_(
                answer.round_id == Entry.round_id,
                answer.step == (answer_step.key if answer_step is not None else ""),
                answer.author_id == Entry.recipient_id,
                answer.recipient_id == Entry.author_id,
                answer.submitted_at.is_not(None),
            ),
        )
        .outerjoin(
            met,
            and_(
                met.round_id == Entry.round_id,
                met.step == MEET,
                met.author_id == Entry.author_id,
                met.recipient_id.is_(None),
                met.submitted_at.is_not(None),
            ),
        )
        .where(Entry.activity_id == activity.id, Entry.step == step.key, Entry.submitted_at.is_not(None))
    ).all()
    ends = _meetings(session, activity)
    given = [
        Given(
            row.number,
            row.group_id,
            row.author_id,
            row.recipient_id,
            row.counted["has_strength"],
            row.counted["has_growth"],
            row.counted["has_example"],
            row.counted["word_count"],
            tuple(row.counted["level_places"]),
            rules.hours_after(ends.get(row.group_id) or row.met_at, row.submitted_at),
            (row.answered or {}).get(USEFULNESS),
        )
        for row in rows
        if row.counted
    ]
    return given, len(rows) - len(given)


def _meetings(session: Session, activity: Activity) -> dict[int, datetime]:
    """When each group's agreed meeting ends. A rhythm has several dates, of which none is the one."""
    rows = session.execute(
        select(MeetingGroup.group_id, MeetingTime.starts_at, MeetingTime.minutes)
        .join(Appointment, Appointment.id == MeetingGroup.meeting_id)
        .join(MeetingTime, MeetingTime.meeting_id == Appointment.id)
        .join(Round, Round.id == Appointment.round_id)
        .where(Round.activity_id == activity.id, MeetingTime.state == "agreed", MeetingTime.rhythm.is_(None))
    )
    return {row.group_id: row.starts_at + timedelta(minutes=row.minutes) for row in rows}


def _expected(groups: list[PublishedGroup], kind: Kind, step: Step, over: set[int]) -> Iterator[Expected]:
    for group in groups:
        for member in group.members:
            owing = [one for one in group.partners_of(member) if step.key in group.owed(kind, one, member)]
            authors = frozenset(owing) if group.turn_of(member) not in group.seating.away else frozenset()
            yield Expected(group.round_number, member, authors, group.round_number in over)


def _pairs(
    groups: list[PublishedGroup], kind: Kind, step: Step | None, over: set[int]
) -> Iterator[tuple[int, int, int, bool]]:
    """Those who owe each other feedback."""
    for group in groups:
        for first, second in combinations(group.members, 2):
            if step is not None and step.key in group.owed(kind, first, second) & group.owed(kind, second, first):
                yield group.round_number, first, second, group.round_number in over


def turns_of(groups: Sequence[PublishedGroup], kind: Kind) -> Iterator[tuple[int, str]]:
    """Who has which seat, once for each group: (member, key of the seat)."""
    for group in groups:
        for member in group.members:
            yield member, group.seat_of(kind, member)


def _by_group(
    by_round: Mapping[int, list[Given]], shown: Mapping[int, Figures], groups: list[PublishedGroup]
) -> dict[int, dict[int, Figures]]:
    """Figures of groups, by rounds in which one is large enough. What the round hides, its groups do not tell."""
    shown_groups: dict[int, dict[int, Figures]] = {}
    for number, given in by_round.items():
        parts: dict[int, list[Given]] = {group.id: [] for group in groups if group.round_number == number}
        for entry in given:
            if entry.group_id in parts:
                parts[entry.group_id].append(entry)
        figures, _ = rules.beside_each_other({group: each for group, each in parts.items() if each})
        for each in figures.values():
            each |= {measure: None for measure, figure in shown.get(number, {}).items() if figure is None}
        if any(figure is not None for each in figures.values() for figure in each.values()):
            shown_groups[number] = dict(figures)
    return shown_groups
