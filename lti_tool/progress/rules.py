"""The completion checklist: what is done, what is next, and how much of what counts is there.

One pure function. The learner's page, the instructor's page and the score all use it, so they cannot disagree.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from lti_tool.activities.rules import Completion


class Step(StrEnum):
    """What a checklist asks for."""

    GIVE_FEEDBACK = "give_feedback"
    WRITE_NOTES = "write_notes"
    ACKNOWLEDGE = "acknowledge"


class State(StrEnum):
    """How a step stands. `waiting` is for somebody else or a date; `missed` is past its date and may still be done."""

    DONE = "done"
    STARTED = "started"
    OPEN = "open"
    WAITING = "waiting"
    EXCUSED = "excused"
    MISSED = "missed"


class WaitsFor(StrEnum):
    """What a waiting step waits for."""

    PARTNER = "partner"
    """A group in this round."""
    OPENING = "opening"
    """The day on which the round opens."""
    FEEDBACK = "feedback"
    """The partner to write."""
    OWN_FEEDBACK = "own_feedback"
    """One's own feedback: the partner's is there and is shown when both have given theirs."""
    RELEASE = "release"
    """The day on which feedback is shown."""


@dataclass(frozen=True, slots=True)
class RoundDates:
    """When a round opens and is due. None: at once, and whenever."""

    number: int
    opens_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody in the same group. `is_absent`: left the course. `due_at`: their own date, extension included."""

    member_id: int
    is_absent: bool = False
    is_excused: bool = False
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MyGroup:
    """The group of the person whose checklist it is, in one round."""

    round: int
    partners: tuple[Partner, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """Feedback that the person wrote to a partner. A draft while `given_at` is None."""

    round: int
    partner_id: int
    given_at: datetime | None = None
    notes: int = 0
    has_text: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """Feedback that a partner gave to the person."""

    round: int
    partner_id: int
    given_at: datetime
    is_released: bool = False
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """What staff allowed the person in a round: more time, or to leave it out."""

    round: int
    due_at: datetime | None = None
    is_excused: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist. `partner_id` is None while no partner is known."""

    step: Step
    round: int
    partner_id: int | None
    state: State
    counts: bool
    """Whether completion needs it. Excused steps never count; a step that is done always does, unless it came too
    late to be asked for."""
    due_at: datetime | None = None
    waits_for: WaitsFor | None = None
    done_at: datetime | None = None
    done: int = 0
    """Of `wanted`; used by steps that are counted, such as notes."""
    wanted: int = 1

    @property
    def is_late(self) -> bool:
        """Whether it was done after its date."""
        return self.done_at is not None and self.due_at is not None and self.done_at > self.due_at


@dataclass(frozen=True, slots=True)
class Progress:
    """A person's whole checklist and what follows from it."""

    items: tuple[Item, ...]
    fraction: Fraction = field(init=False)
    """Share of the steps that count which are done; 0 where nothing counts."""
    is_complete: bool = field(init=False)
    """Everything that counts is done, and something does: who is excused from everything is not complete."""

    def __post_init__(self) -> None:
        done, counting = self.done, self.counting
        object.__setattr__(self, "fraction", Fraction(done, counting) if counting else Fraction(0))
        object.__setattr__(self, "is_complete", counting > 0 and done == counting)

    @property
    def counting(self) -> int:
        """How many steps count."""
        return sum(item.counts for item in self.items)

    @property
    def done(self) -> int:
        """How many of those are done."""
        return sum(item.counts and item.state is State.DONE for item in self.items)

    @property
    def next(self) -> Item | None:
        """What to do now: overdue first, then what is begun, then what is open; optional steps last. None: nothing."""
        order = (State.MISSED, State.STARTED, State.OPEN)
        todo = [item for item in self.items if item.state in order]
        return min(todo, key=lambda item: (not item.counts, item.round, order.index(item.state)), default=None)

    @property
    def waiting(self) -> Item | None:
        """What the person waits for when there is nothing to do."""
        return next((item for item in self.items if item.state is State.WAITING), None)

    @property
    def behind_since(self) -> datetime | None:
        """Since when a date has been missed; None while nothing is overdue."""
        return min((item.due_at for item in self.items if item.state is State.MISSED and item.due_at), default=None)

    @property
    def is_excused_from_all(self) -> bool:
        """Whether nothing is asked of the person."""
        return bool(self.items) and self.counting == 0


def checklist(
    settings: Completion,
    rounds: Collection[RoundDates],
    *,
    my_groups: Iterable[MyGroup],
    given: Iterable[Given],
    received: Iterable[Received],
    extras: Iterable[Extra],
    now: datetime,
    is_closed: bool = False,
) -> Progress:
    """The checklist of one person at one moment.

    For every partner in every round: give feedback, write the notes asked for, acknowledge what came back. A partner
    who left or is excused takes the steps with them along, unless they were done. Feedback that a partner gave after
    their date may be acknowledged and need not be, so that nobody's completion hangs on another's delay or is lost by
    it.
    Doing more never lowers the fraction.
    """
    groups = {group.round: group for group in my_groups}
    written = {(one.round, one.partner_id): one for one in given}
    came = {(one.round, one.partner_id): one for one in received}
    allowed = {one.round: one for one in extras}
    items: list[Item] = []
    for dates in sorted(rounds, key=lambda dates: dates.number):
        extra = allowed.get(dates.number, Extra(dates.number))
        own = RoundDates(dates.number, dates.opens_at, extra.due_at or dates.due_at)
        group = groups.get(dates.number)
        if group is None or not group.partners:
            items += _without_partner(settings, own, extra, now, is_closed=is_closed)
            continue
        for partner in group.partners:
            mine = written.get((dates.number, partner.member_id), Given(dates.number, partner.member_id))
            theirs = came.get((dates.number, partner.member_id))
            is_spared = extra.is_excused or partner.is_absent or partner.is_excused
            items += _to_write(settings, own, partner, mine, now, is_spared=is_spared, is_closed=is_closed)
            if settings.acknowledge:
                items.append(
                    _to_acknowledge(own, partner, mine, theirs, now, is_excused=extra.is_excused, is_closed=is_closed)
                )
    return Progress(tuple(items))


def _steps(settings: Completion) -> list[Step]:
    return [
        *([Step.WRITE_NOTES] if settings.minimum_notes > 0 else []),
        *([Step.GIVE_FEEDBACK] if settings.give_feedback else []),
    ]


def _without_partner(
    settings: Completion, dates: RoundDates, extra: Extra, now: datetime, *, is_closed: bool
) -> list[Item]:
    # A round that ended before somebody could be placed in it is not their omission.
    is_over = is_closed or (dates.due_at is not None and now > dates.due_at)
    is_spared = extra.is_excused or is_over
    state, waits = (State.EXCUSED, None) if is_spared else (State.WAITING, WaitsFor.PARTNER)
    steps = _steps(settings) + ([Step.ACKNOWLEDGE] if settings.acknowledge else [])
    return [
        Item(
            step,
            dates.number,
            None,
            state,
            counts=not is_spared,
            due_at=None if step is Step.ACKNOWLEDGE else dates.due_at,
            waits_for=waits,
            wanted=settings.minimum_notes if step is Step.WRITE_NOTES else 1,
        )
        for step in steps
    ]


def _to_write(
    settings: Completion,
    dates: RoundDates,
    partner: Partner,
    mine: Given,
    now: datetime,
    *,
    is_spared: bool,
    is_closed: bool,
) -> list[Item]:
    items = []
    for step in _steps(settings):
        if step is Step.WRITE_NOTES:
            done, wanted = min(mine.notes, settings.minimum_notes), settings.minimum_notes
            done_at, is_done, is_begun = mine.given_at, done == wanted, done > 0
        else:
            done, wanted = int(mine.given_at is not None), 1
            done_at, is_done, is_begun = mine.given_at, mine.given_at is not None, mine.has_text
        state = _state(dates, now, is_done=is_done, is_begun=is_begun, is_spared=is_spared, is_closed=is_closed)
        items.append(
            Item(
                step,
                dates.number,
                partner.member_id,
                state,
                counts=state is not State.EXCUSED,
                due_at=dates.due_at,
                waits_for=WaitsFor.OPENING if state is State.WAITING else None,
                done_at=done_at if is_done else None,
                done=done,
                wanted=wanted,
            )
        )
    return items


def _to_acknowledge(
    dates: RoundDates,
    partner: Partner,
    mine: Given,
    theirs: Received | None,
    now: datetime,
    *,
    is_excused: bool,
    is_closed: bool,
) -> Item:
    # Who gives first cannot be asked to wait for ever, and who is late cannot take away what others completed.
    partner_is_late = partner.due_at is not None and (theirs.given_at if theirs else now) > partner.due_at
    counts, waits, done_at = not partner_is_late, None, None
    if theirs is None:
        is_spared = partner_is_late or is_closed or is_excused or partner.is_absent or partner.is_excused
        counts = not is_spared
        state, waits = (State.EXCUSED, None) if is_spared else (State.WAITING, WaitsFor.FEEDBACK)
    elif theirs.acknowledged_at is not None:
        state, done_at = State.DONE, theirs.acknowledged_at
    elif is_excused:
        state, counts = State.EXCUSED, False
    elif is_closed:
        state = State.MISSED if counts else State.EXCUSED
    elif theirs.is_released:
        state = State.OPEN
    else:
        state = State.WAITING
        waits = WaitsFor.OWN_FEEDBACK if mine.given_at is None else WaitsFor.RELEASE
    return Item(
        Step.ACKNOWLEDGE, dates.number, partner.member_id, state, counts=counts, waits_for=waits, done_at=done_at
    )


def _state(
    dates: RoundDates, now: datetime, *, is_done: bool, is_begun: bool, is_spared: bool, is_closed: bool
) -> State:
    if is_done:
        return State.DONE
    if is_spared:
        return State.EXCUSED
    if is_closed or (dates.due_at is not None and now > dates.due_at):
        return State.MISSED
    if is_begun:
        return State.STARTED
    if dates.opens_at is not None and now < dates.opens_at:
        return State.WAITING
    return State.OPEN


@dataclass(frozen=True, slots=True)
class Column:
    """A step of a round: a column of the instructor's grid."""

    round: int
    step: Step

    @property
    def key(self) -> str:
        """Names it in addresses."""
        return f"{self.round}-{self.step}"


@dataclass(frozen=True, slots=True)
class Cell:
    """How a step of a round stands for one person, all partners taken together."""

    state: State
    done: int
    total: int


WORST_FIRST = (State.MISSED, State.OPEN, State.STARTED, State.WAITING, State.DONE, State.EXCUSED)


def cells(progress: Progress) -> dict[Column, Cell]:
    """A person's row of the grid. With two partners, the state that needs attention most is shown."""
    items: dict[Column, list[Item]] = {}
    for item in progress.items:
        items.setdefault(Column(item.round, item.step), []).append(item)
    return {
        column: Cell(
            min((item.state for item in found), key=WORST_FIRST.index),
            sum(item.state is State.DONE for item in found),
            len(found),
        )
        for column, found in items.items()
    }


def done_dates(progress: Progress) -> dict[Column, datetime]:
    """When the last of a step of a round was done, for steps that are done with every partner."""
    items: dict[Column, list[Item]] = {}
    for item in progress.items:
        items.setdefault(Column(item.round, item.step), []).append(item)
    return {
        column: max(item.done_at for item in found if item.done_at is not None)
        for column, found in items.items()
        if all(item.state is State.DONE and item.done_at is not None for item in found)
    }


class Show(StrEnum):
    """Which people a list shows."""

    ALL = "all"
    COMPLETE = "complete"
    BEHIND = "behind"
    WAITING = "waiting"
    TO_DO = "to_do"
    EXCUSED = "excused"


def belongs(progress: Progress) -> Show:
    """Where a person is counted; everybody in exactly one place."""
    if progress.is_complete:
        return Show.COMPLETE
    if progress.behind_since is not None:
        return Show.BEHIND
    if progress.is_excused_from_all:
        return Show.EXCUSED
    next_item = progress.next
    if next_item is not None and next_item.counts:
        return Show.TO_DO
    return Show.WAITING


@dataclass(frozen=True, slots=True)
class Summary:
    """What lists and counts show of a checklist."""

    cells: Mapping[Column, Cell]
    done: int
    counting: int
    given: int
    to_give: int
    """To how many partners feedback was given, and to how many it is to be given in all."""
    is_complete: bool
    behind_since: datetime | None
    belongs: Show

    @property
    def fraction(self) -> Fraction:
        """Share of the steps that count which are done; 0 where nothing counts."""
        return Fraction(self.done, self.counting) if self.counting else Fraction(0)

    @property
    def is_excused_from_all(self) -> bool:
        """Whether nothing is asked of the person."""
        return bool(self.cells) and self.counting == 0


def summary(progress: Progress) -> Summary:
    """What lists and counts show of this checklist."""
    to_give = [item for item in progress.items if item.step is Step.GIVE_FEEDBACK and item.state is not State.EXCUSED]
    return Summary(
        cells(progress),
        progress.done,
        progress.counting,
        sum(item.state is State.DONE for item in to_give),
        len(to_give),
        progress.is_complete,
        progress.behind_since,
        belongs(progress),
    )


def tally(summaries: Collection[Summary]) -> dict[Column, Counter[State]]:
    """For each step of each round that somebody has, in order, how many people stand in which state."""
    order = list(Step)
    found: dict[Column, Counter[State]] = defaultdict(Counter)
    # People who stand alike share one summary, so it is counted once and multiplied.
    alike = {id(one): one for one in summaries}
    for key, people in Counter(map(id, summaries)).items():
        for column, cell in alike[key].cells.items():
            found[column][cell.state] += people
    return {column: found[column] for column in sorted(found, key=lambda one: (one.round, order.index(one.step)))}
