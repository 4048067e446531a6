"""Every figure of an activity, with how its rows are counted. What is listed here is on the page, in the files and in
the report; nothing else has to be said about a figure.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from statistics import mean
from typing import Final, TypeVar

from lti_tool.errors import N_
from lti_tool.evidence.rules.facts import Facts, FollowThrough, GoalStanding
from lti_tool.evidence.rules.figures import Cell, Column, Figure, Row, Unit, gini
from lti_tool.feedback.rules import FEWEST_FOR_A_MEAN
from lti_tool.goals.rules import GoalState
from lti_tool.progress.rules import Show, State, tally
from lti_tool.quality.rules import Measure
from lti_tool.surveys.rules import SCALE, Change

Key = TypeVar("Key", bound=Hashable)

ROUND: Final = Column("round", N_("Round"), N_("The round of the activity; empty for all rounds."), Unit.ROUND)


def _cell(people: Collection[int]) -> Cell:
    """How many people, with the people."""
    return Cell(len(people), people)


def _row(key: Hashable, head: str | int | None, *cells: Cell, part: str = "") -> Row:
    return Row(str(key), (head,), cells, part)


def _grouped(pairs: Iterable[tuple[Key, int]]) -> dict[Key, list[int]]:
    groups: dict[Key, list[int]] = defaultdict(list)
    for key, person in pairs:
        groups[key].append(person)
    return groups


# ---- where people stand ----------------------------------------------------------------------------------------------

PLACES: Final = {
    Show.COMPLETE: (N_("Complete"), State.DONE),
    Show.TO_DO: (N_("Something to do"), State.STARTED),
    Show.WAITING: (N_("Waiting for others"), State.WAITING),
    Show.BEHIND: (N_("Overdue"), State.MISSED),
    Show.EXCUSED: (N_("Nothing required"), State.EXCUSED),
}


def _places(facts: Facts) -> Iterator[Row]:
    standing = _grouped((summary.belongs, person) for person, summary in facts.summaries.items())
    if standing:
        for place, (title, state) in PLACES.items():
            yield _row(place, title, _cell(standing.get(place, ())), part=state)


STATES: Final = {
    State.DONE: (N_("Done"), N_("People who have done it with everyone they owe it to.")),
    State.STARTED: (N_("Started"), N_("People who have begun and not finished.")),
    State.OPEN: (N_("To do"), N_("People who can do it now.")),
    State.WAITING: (N_("Waiting"), N_("People who wait for a partner, for someone to write, or for a date.")),
    State.MISSED: (N_("Overdue"), N_("People whose date has passed.")),
    State.EXCUSED: (N_("Does not count"), N_("People of whom it is not asked.")),
}


def _steps(facts: Facts) -> Iterator[Row]:
    for column in tally(facts.kind.steps, facts.summaries.values()):
        people = _grouped(
            (summary.cells[column].state, person)
            for person, summary in facts.summaries.items()
            if column in summary.cells
        )
        cells = tuple(_cell(people.get(state, ())) for state in STATES)
        yield Row(column.key, (column.round, column.step.words.name), cells)


DAYS: Final = {
    3: N_("Up to 3 days"),
    7: N_("4 to 7 days"),
    14: N_("8 to 14 days"),
    10**6: N_("More than 14 days"),
}


def _overdue(facts: Facts) -> dict[int, datetime]:
    return {one: since for one, summary in facts.summaries.items() if (since := summary.behind_since) is not None}


def _stuck_since(facts: Facts) -> Mapping[int, datetime]:
    return {**facts.waits, **_overdue(facts)}


def _stuck(facts: Facts) -> Iterator[Row]:
    def by_days(since: Mapping[int, datetime]) -> dict[int, list[int]]:
        return _grouped(
            (next(most for most in DAYS if facts.now - at <= timedelta(days=most)), one) for one, at in since.items()
        )

    overdue, waiting = by_days(_overdue(facts)), by_days(facts.waits)
    if overdue or waiting:
        yield from (
            _row(most, title, _cell(overdue.get(most, ())), _cell(waiting.get(most, ())))
            for most, title in DAYS.items()
        )


# ---- meetings and feedback -------------------------------------------------------------------------------------------


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


MOST_WEEKS: Final = 60
"""As many weeks in a row are listed at most; of longer activities those in which something was or will be."""


def _meetings(facts: Facts) -> Iterator[Row]:
    planned: dict[date, list[tuple[int, ...]]] = defaultdict(list)
    held: dict[date, list[tuple[int, ...]]] = defaultdict(list)
    for meeting in facts.meetings:
        for day in meeting.planned_on:
            planned[_monday(day)].append(meeting.members)
        if meeting.held_on is not None:
            held[_monday(meeting.held_on)].append(meeting.members)
    busy = sorted(planned.keys() | held.keys())
    if not busy:
        return
    count = (busy[-1] - busy[0]).days // 7 + 1
    weeks = [busy[0] + timedelta(weeks=number) for number in range(count)] if count <= MOST_WEEKS else busy
    for week in weeks:
        groups = planned.get(week, []), held.get(week, [])
        cells = tuple(Cell(len(each), {one for members in each for one in members}) for each in groups)
        yield Row(week.isoformat(), (week,), cells)


WITHIN: Final = (24, 72, 168)
"""Hours after the meeting."""


def _delays(facts: Facts) -> Iterator[Row]:
    shown = dict(facts.quality)
    for number in facts.rounds:
        timed = [one for one in facts.given if one.round == number and one.hours is not None]
        if not timed:
            continue
        within = _grouped((sum((one.hours or 0) > most for most in WITHIN), one.author_id) for one in timed)
        counts = tuple(Cell(len(within.get(place, ())), set(within.get(place, ()))) for place in range(len(WITHIN) + 1))
        middle = shown.get(number, {}).get(Measure.HOURS)
        yield _row(number, number, *counts, Cell(middle.value if middle is not None else None))


def _usefulness(facts: Facts) -> Iterator[Row]:
    if all(one.usefulness is None for one in facts.given):
        return
    for number, figures in facts.quality:
        figure = figures.get(Measure.USEFUL)
        answered = {
            one.recipient_id for one in facts.given if number in {None, one.round} and one.usefulness is not None
        }
        # Beside a share of all or of none, names would say what each of them thinks.
        yield _row(number or "all", number, Cell(figure.value if figure is not None else None), _cell(answered))


# ---- who gets what ---------------------------------------------------------------------------------------------------


def _seats(facts: Facts) -> Iterator[Row]:
    people = {person for person, _ in facts.turns}
    had = Counter(facts.turns)
    if len(facts.kind.seats) < 2 or not people:
        return
    for seat in facts.kind.seats:
        times = _grouped((min(had[person, seat.key], 3), person) for person in people)
        yield _row(seat.key, seat.title, *(_cell(times.get(count, ())) for count in range(4)))


def _received(facts: Facts) -> Counter[int]:
    """Pieces of feedback by receiver; 0 for those who were to get some in a round that is over, and got none."""
    received = Counter({one.recipient_id: 0 for one in facts.expected if one.is_over and one.authors})
    received.update(one.recipient_id for one in facts.given)
    return received


def _met(facts: Facts) -> Counter[int]:
    met = Counter({person: 0 for person, _ in facts.turns})
    met.update(one for meeting in facts.meetings if meeting.held_on is not None for one in meeting.members)
    return met


def _served(facts: Facts) -> Iterator[Row]:
    if not facts.given:
        return
    times = _grouped((count, person) for person, count in _received(facts).items())
    for count in sorted(times):
        yield _row(count, count, _cell(times[count]))


def _fairness(facts: Facts) -> Iterator[Row]:
    for key, title, amounts in (
        ("feedback", N_("Feedback received"), _received(facts)),
        ("meetings", N_("Meetings held"), _met(facts)),
    ):
        if not any(amounts.values()):
            continue
        least, most = min(amounts.values()), max(amounts.values())
        yield _row(
            key,
            title,
            Cell(least, [one for one, amount in amounts.items() if amount == least]),
            Cell(most, [one for one, amount in amounts.items() if amount == most]),
            Cell(mean(amounts.values())),
            Cell(gini(amounts.values())),
            _cell(amounts.keys()),
        )


# ---- actions and goals -----------------------------------------------------------------------------------------------

BECAME: Final = {
    FollowThrough.DONE: (N_("Done"), N_("Actions that their owners say are done.")),
    FollowThrough.MOVED: (N_("Moved on"), N_("Actions that their owners looked back at and moved to a later date.")),
    FollowThrough.OPEN: (N_("Open"), N_("Actions that no one has looked back at yet.")),
    FollowThrough.DROPPED: (N_("Dropped"), N_("Actions that their owners gave up.")),
}


def _actions(facts: Facts) -> Iterator[Row]:
    for number in facts.rounds:
        written = [one for one in facts.actions if one.round == number]
        if written:
            owners = _grouped((one.became, one.owner_id) for one in written)
            cells = (Cell(len(owners.get(became, ())), set(owners.get(became, ()))) for became in BECAME)
            yield _row(number, number, *cells)


WAYS: Final = {
    "reached": (N_("Reached, as its owner says"), State.DONE),
    "there": (N_("At the target"), State.DONE),
    "half": (N_("Half of the way or more"), State.STARTED),
    "begun": (N_("Less than half of the way"), State.STARTED),
    "start": (N_("No nearer than at the start"), State.MISSED),
    "words": (N_("Open, without numbers"), State.OPEN),
    "open": (N_("Open, and too few people to say how far"), State.OPEN),
    "dropped": (N_("Dropped"), State.EXCUSED),
}
"""From the nearest to the farthest."""


def _way(goal: GoalStanding, *, is_shown: bool) -> str:
    if goal.state != GoalState.OPEN:
        return goal.state
    if goal.way is None:
        return "words"
    if not is_shown:
        return "open"
    return "there" if goal.way >= 1 else "half" if goal.way >= 0.5 else "begun" if goal.way > 0 else "start"


def _goals(facts: Facts) -> Iterator[Row]:
    if not facts.goals:
        return
    measured = {one.owner_id for one in facts.goals if one.state == GoalState.OPEN and one.way is not None}
    owners = _grouped((_way(one, is_shown=len(measured) >= FEWEST_FOR_A_MEAN), one.owner_id) for one in facts.goals)
    everybody = {one.owner_id for one in facts.goals if one.state == GoalState.OPEN}
    for way, (title, state) in WAYS.items():
        if way in owners:
            # How far a goal is, its owner and their partner know. Staff know its state.
            behind = set(owners[way]) if way in set(GoalState) - {GoalState.OPEN} else everybody
            yield _row(way, title, Cell(len(owners[way]), behind), part=state)


# ---- evidence --------------------------------------------------------------------------------------------------------


def _survey(facts: Facts) -> Iterator[Row]:
    for place, line in enumerate(facts.survey):
        if isinstance(line, Change):
            values: tuple[float | None, ...] = (line.before, line.after, line.change, line.spread, line.people)
            text = line.item.text
        else:
            values, text = (None,) * 5, line.text
        yield _row(place, text, *(Cell(value) for value in values))


def _sharing(facts: Facts) -> Iterator[Row]:
    sharing = facts.sharing
    if sharing.groups:
        for key, title, count in (
            ("groups", N_("Groups"), sharing.groups),
            ("agreed", N_("Groups with an agreement on confidentiality"), sharing.agreed),
            ("offered", N_("Practices offered to the course library"), sharing.offered),
            ("shown", N_("Practices that the whole course reads"), sharing.shown),
            ("institution", N_("Practices in the institution’s library"), sharing.in_institution),
        ):
            yield _row(key, title, Cell(count))


def _people_in(parts: Mapping[State, tuple[str, str]]) -> tuple[Column, ...]:
    return tuple(Column(str(state), title, says, part=str(state)) for state, (title, says) in parts.items())


FIGURES: Final[tuple[Figure, ...]] = (
    Figure(
        "places",
        N_("Where people stand"),
        N_("Everyone who takes part, each in one place."),
        N_("From the checklist of each person: complete, else overdue, else with something to do, else waiting."),
        N_("No one is taking part yet."),
        (Column("place", N_("Where"), N_("What comes first for a person."), Unit.TEXT),),
        (Column("people", N_("People"), N_("How many people are there."), part="started"),),
        _places,
    ),
    Figure(
        "steps",
        N_("Step by step"),
        N_("How many people stand where in each step of each round."),
        N_(
            "From the checklist of each person. Where a step is owed to several partners, what needs attention most "
            "is counted."
        ),
        N_("No one is taking part yet."),
        (ROUND, Column("step", N_("Step"), N_("The step, as the activity calls it."), Unit.TEXT)),
        _people_in(STATES),
        _steps,
    ),
    Figure(
        "stuck",
        N_("Who is stuck, and since when"),
        N_("People who are past a due date, and people whose partner does not answer."),
        N_(
            "Days since the earliest date that a person missed, and since the first reminder to a partner that was "
            "not answered."
        ),
        N_("No one is stuck."),
        (Column("since", N_("Since"), N_("How long ago it began."), Unit.TEXT),),
        (
            Column("overdue", N_("Overdue"), N_("People with a step that is past its date."), part="missed"),
            Column("waiting", N_("Waiting"), N_("People whose partner does not answer."), part="waiting"),
        ),
        _stuck,
        since=_stuck_since,
    ),
    Figure(
        "meetings",
        N_("Meetings by week"),
        N_("How many meetings groups have planned for each week, and how many they held."),
        N_(
            "Planned: the times on which groups agreed, of a rhythm every date. Held: counted once for each group, on "
            "the agreed day if that was before a member said that they had met, else on the day when one said so. "
            "Weeks begin on Monday."
        ),
        N_("No group has planned or held a meeting yet."),
        (Column("week", N_("Week from"), N_("The Monday on which the week begins."), Unit.WEEK),),
        (
            Column("planned", N_("Planned"), N_("Agreed dates in that week."), part="waiting"),
            Column("held", N_("Held"), N_("Groups that met in that week."), part="done"),
        ),
        _meetings,
        is_beside=True,
    ),
    Figure(
        "delays",
        N_("From the meeting to the feedback"),
        N_("How long after their meeting people gave feedback."),
        N_(
            "From the end of the agreed time, else from the moment when the writer said that they had met. What was "
            "given before counts as within a day. The median is shown from three people on."
        ),
        N_("No feedback was given after a meeting yet."),
        (ROUND,),
        (
            Column("day", N_("Within a day"), N_("Pieces of feedback given within 24 hours."), part="done"),
            Column("three", N_("Within 3 days"), N_("Pieces given after 24 to 72 hours."), part="started"),
            Column("week", N_("Within a week"), N_("Pieces given after 3 to 7 days."), part="waiting"),
            Column("later", N_("Later"), N_("Pieces given after more than 7 days."), part="missed"),
            Column("middle", N_("Median hours"), N_("The median of the hours."), Unit.HOURS),
        ),
        _delays,
    ),
    Figure(
        "usefulness",
        N_("How useful feedback was"),
        N_("The share of the answers that call feedback useful or very useful."),
        N_(
            "From what receivers answered. Nothing is shown with fewer than three people behind it, or where it would "
            "tell by subtraction about fewer than three."
        ),
        N_("No one has said yet how useful their feedback was."),
        (ROUND,),
        (
            Column("useful", N_("Found useful"), N_("The share of the answers."), Unit.SHARE, part="done"),
            Column("people", N_("People"), N_("How many people answered.")),
        ),
        _usefulness,
        behind=N_("These people have answered. What each of them said is not shown."),
        most=1,
    ),
    Figure(
        "seats",
        N_("Balance of seats"),
        N_("How many people had each seat how often."),
        N_("Counted over all rounds of the published plan; where seats are swapped inside a meeting, who begins."),
        N_("There is nothing to balance, or no plan is published yet."),
        (Column("seat", N_("Seat"), N_("The seat in a group."), Unit.TEXT),),
        (
            Column("never", N_("Never"), N_("People who do not have it in any round."), part="excused"),
            Column("once", N_("Once"), N_("People who have it in one round."), part="waiting"),
            Column("twice", N_("Twice"), N_("People who have it in two rounds."), part="started"),
            Column("more", N_("3 times or more"), N_("People who have it in three rounds or more."), part="done"),
        ),
        _seats,
    ),
    Figure(
        "served",
        N_("Who got how much feedback"),
        N_("How many people got how many pieces of feedback."),
        N_(
            "Feedback that was given, in all rounds. People who were to get some in a round that is over, and got "
            "none, are counted with 0."
        ),
        N_("No feedback was given yet."),
        (Column("pieces", N_("Pieces of feedback"), N_("What a person got in all rounds.")),),
        (Column("people", N_("People"), N_("How many people got that many."), part="started"),),
        _served,
    ),
    Figure(
        "fairness",
        N_("Fairness of service"),
        N_("How evenly feedback and meetings are spread over people."),
        N_(
            "The Gini coefficient is 0 if all have as much and comes near 1 if one person has all: the mean difference "
            "between two people, over twice the mean."
        ),
        N_("There is nothing to compare yet."),
        (Column("what", N_("What"), N_("What is compared."), Unit.TEXT),),
        (
            Column("least", N_("Least"), N_("What the person with the least has.")),
            Column("most", N_("Most"), N_("What the person with the most has.")),
            Column("mean", N_("Mean"), N_("What a person has on average."), Unit.NUMBER),
            Column("gini", N_("Gini"), N_("The Gini coefficient, from 0 to 1."), Unit.NUMBER, part="missed"),
            Column("people", N_("People"), N_("How many people are compared.")),
        ),
        _fairness,
        most=1,
    ),
    Figure(
        "actions",
        N_("Follow-through on actions"),
        N_("What became of the actions that were written in each round."),
        N_("From what owners said when they looked back. No one reads the actions for this."),
        N_("No action was written yet."),
        (ROUND,),
        tuple(
            Column(str(became), title, says, part=part)
            for (became, (title, says)), part in zip(
                BECAME.items(), ("done", "started", "waiting", "missed"), strict=True
            )
        ),
        _actions,
    ),
    Figure(
        "goals",
        N_("Goals by distance to target"),
        N_("How far the goals are that were set in this activity."),
        N_(
            "The share of the way from the value at the start to the target, by the newest check-in with a number. "
            "It is told only if at least three people have open goals with numbers."
        ),
        N_("No goal was set yet."),
        (Column("distance", N_("Distance"), N_("How far a goal is."), Unit.TEXT),),
        (Column("goals", N_("Goals"), N_("How many goals are that far."), part="started"),),
        _goals,
        behind=N_(
            "How far an open goal is, only its owner and their partner see. For open goals, these are all people who "
            "have one."
        ),
    ),
    Figure(
        "survey",
        N_("Survey: before and after"),
        N_("What changed, in people’s own view, on a scale from 1 (not at all) to 5 (fully)."),
        N_(
            "Means over the people who answered both times, and the standard deviation of their changes. Nothing is "
            "shown with fewer than three of them. It can have many reasons, and is no proof that the activity caused "
            "it."
        ),
        N_("This activity asks no survey."),
        (Column("sentence", N_("Sentence"), N_("What people judged."), Unit.TEXT),),
        (
            Column("before", N_("Before"), N_("The mean before the activity."), Unit.NUMBER, part="waiting"),
            Column("after", N_("After"), N_("The mean after the activity."), Unit.NUMBER, part="done"),
            Column("change", N_("Difference"), N_("The mean of the changes."), Unit.NUMBER),
            Column("spread", N_("Spread"), N_("The standard deviation of the changes."), Unit.NUMBER),
            Column("people", N_("People"), N_("How many people answered both times.")),
        ),
        _survey,
        is_beside=True,
        least=min(SCALE),
        most=max(SCALE),
    ),
    Figure(
        "sharing",
        N_("What was agreed on sharing"),
        N_("What groups keep to themselves, and what people agreed that others read."),
        N_(
            "A group is counted once one of its members has agreed. A practice is read by the course only once "
            "everyone concerned has agreed. Practices are those of the whole course."
        ),
        N_("No group was made yet."),
        (Column("what", N_("What"), N_("What is counted."), Unit.TEXT),),
        (Column("count", N_("Count"), N_("How many there are.")),),
        _sharing,
    ),
)
BY_KEY: Final[Mapping[str, Figure]] = {figure.key: figure for figure in FIGURES}
