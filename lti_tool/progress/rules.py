"""The completion checklist: what is done, what is next, and how much of what counts is there.

One pure function over the steps of the activity's kind. The learner's page, the instructor's page and the score all use
it, so they cannot disagree.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from itertools import groupby

from lti_tool.activities.rules import Completion, Opens, Release, Step, To
from lti_tool.feedback.rules import release_rule
from lti_tool.goals.rules import turns_of


class State(StrEnum):
    """How a step stands. `waiting` is for somebody else or a date; `missed` is past its date and may still be done."""

    DONE = "done"
    STARTED = "started"
    OPEN = "open"
    WAITING = "waiting"
    EXCUSED = "excused"
    MISSED = "missed"


class What(StrEnum):
    """What staff do for one or several learners at once."""

    EXTEND = "extend"
    EXCUSE = "excuse"
    TAKE_BACK = "take_back"
    """Of more time and an excuse."""
    REMIND = "remind"
    SEND = "send"
    """Their scores again."""
    RELEASE = "release"
    """Feedback that they received and that waits for staff."""


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
    INSTRUCTOR = "instructor"
    """An instructor to release what the partner gave."""
    RELEASE = "release"
    """The day on which feedback is shown."""
    STEP = "step"
    """The step before it, which the person has not done yet."""
    ROUND = "round"
    """The round before it, which is not over yet."""


@dataclass(frozen=True, slots=True)
class RoundDates:
    """When a round opens and is due. None: at once, and whenever."""

    number: int
    opens_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody in the same group. `is_absent`: left the course. `is_silent`: did not answer, and nobody waits for them
    any more. `due_at`: their own date, extension included.
    """

    member_id: int
    is_absent: bool = False
    is_excused: bool = False
    due_at: datetime | None = None
    gets: frozenset[str] = frozenset()
    """Keys of the steps that the person owes them."""
    is_silent: bool = False

    @property
    def takes_part(self) -> bool:
        """Whether anybody can do something with them."""
        return not (self.is_absent or self.is_excused or self.is_silent)


@dataclass(frozen=True, slots=True)
class MyGroup:
    """The group of the person whose checklist it is, in one round."""

    round: int
    partners: tuple[Partner, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An entry, without its words. A draft while `given_at` is None."""

    step: str
    round: int
    partner_id: int | None = None
    """Who receives it, or who wrote it to the person; None where it goes to nobody."""
    given_at: datetime | None = None
    count: int = 0
    """Of notes, goals or actions."""
    has_text: bool = False
    is_released: bool = False
    released_at: datetime | None = None
    counted_at: datetime | None = None
    """When `count` reached what is asked for."""
    is_withheld: bool = False
    """It was reported, or staff hid it: nobody has to answer it."""
    is_unread: bool = False
    """It can be read, and the person has not opened it."""
    left: int = 0
    """How many open actions there were to look back at, of which `count` were looked back at."""
    alias: int | None = None
    """Of what came without a name, what stands in the place of its author."""
    is_held: bool = False
    """It came without a name, and so few others did that it is not shown although the round is over."""


@dataclass(frozen=True, slots=True)
class Extra:
    """What staff allowed the person in a round: more time, or to leave it out."""

    round: int
    due_at: datetime | None = None
    is_excused: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist. `partner_id` is None while no partner is known, and no id after `without_names`."""

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
    """Of `wanted`; used by steps that are counted, such as notes and actions."""
    wanted: int = 1

    @property
    def is_late(self) -> bool:
        """Whether it was done after its date."""
        return self.done_at is not None and self.due_at is not None and self.done_at > self.due_at


@dataclass(frozen=True, slots=True)
class Progress:
    """A person's whole checklist and what follows from it."""

    items: tuple[Item, ...]
    points: Fraction | None = None
    """Share of the rubric points that were given to the person, where the score asks for it; None: none were given."""
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
        """What to do now: of what counts what is overdue in any round, else by round what is begun, then what is open;
        then the same of optional steps. None: nothing.
        """
        order = (State.MISSED, State.STARTED, State.OPEN)
        todo = [item for item in self.items if item.state in order]
        return min(
            todo,
            key=lambda item: (not item.counts, item.state is not State.MISSED, item.round, order.index(item.state)),
            default=None,
        )

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


def with_points(completion: Fraction, points: Fraction | None, percent: int, *, is_final: bool) -> Fraction:
    """The share of a score of which `percent` follow the rubric points that somebody was given, the rest completion.

    Without points that part is still to come; once the activity is closed (`is_final`), completion alone counts, since
    nobody loses by what a partner does not write. What somebody gives to others never counts.
    """
    part = Fraction(percent, 100)
    if points is None:
        return completion if is_final else completion * (1 - part)
    return completion * (1 - part) + points * part


def why_held(step: Step | None, release: str, *, is_own_given: bool) -> WaitsFor:
    """What a receiver waits for where a partner gave this step and it cannot be read. `release`: of the activity."""
    match release_rule(step, release):
        case Release.BY_INSTRUCTOR:
            return WaitsFor.INSTRUCTOR
        case Release.WHEN_BOTH_GAVE if not is_own_given:
            return WaitsFor.OWN_FEEDBACK
    return WaitsFor.RELEASE


def checklist(
    steps: Iterable[Step],
    completion: Completion,
    rounds: Collection[RoundDates],
    *,
    my_groups: Iterable[MyGroup],
    mine: Iterable[Written],
    theirs: Iterable[Written],
    extras: Iterable[Extra],
    now: datetime,
    is_closed: bool = False,
    points: Fraction | None = None,
    done_alone: Collection[str] = (),
    release: str = Release.WHEN_BOTH_GAVE,
) -> Progress:
    """The checklist of one person at one moment: for every round those of the kind's steps that are asked for.

    `mine` is what the person wrote, alone or with the group, `theirs` what partners wrote to them. A partner who left
    or is excused takes the steps with them along, unless they were done. What a partner gave after their date may be
    answered and need not be, so that nobody's completion hangs on another's delay or is lost by it.
    Of whoever waits for partners in vain, only the steps of `done_alone` are needed.
    What is counted of goals and actions counts without a partner too. Once a round has its turn, looking back is
    needed there only by those who had open actions.
    Doing more never lowers the fraction. `points` are those of `Progress`.
    """
    known = list(steps)
    every_round = [step for step in known if completion.of(step)]
    first_round = min((dates.number for dates in rounds), default=0)
    groups = {group.round: group for group in my_groups}
    allowed = {one.round: one for one in extras}
    written = {(one.step, one.round, one.partner_id): one for one in mine}
    came = {(one.step, one.round, one.partner_id): one for one in theirs}
    items: list[Item] = []
    in_order = sorted(rounds, key=lambda dates: dates.number)
    turns = turns_of([(dates.number, dates.opens_at, dates.due_at) for dates in in_order])
    for dates in in_order:
        extra = allowed.get(dates.number, Extra(dates.number))
        own = RoundDates(dates.number, dates.opens_at, extra.due_at or dates.due_at)
        partners = groups[dates.number].partners if dates.number in groups else ()
        is_first = dates.number == first_round
        asked = [step for step in every_round if not (step.looks_back if is_first else step.is_asked_once)]
        turn_at = turns[dates.number]
        place = _Place(
            own,
            turn_at,
            partners,
            extra.is_excused,
            written,
            came,
            completion,
            asked,
            now,
            is_closed,
            done_alone,
            {step.key: step for step in known},
            release,
        )
        if not partners:
            items += [place.without_partner(step) for step in asked]
            continue
        # Partner by partner, as a learner's page shows them; what goes to nobody stands where the agenda has it.
        for is_to_partners, run in groupby(asked, key=lambda step: step.is_to_partners):
            with_each = list(run)
            if not is_to_partners:
                items += [place.item(step, None) for step in with_each]
                continue
            receivers = {step: place.receivers(step) for step in with_each}
            items += [
                place.item(step, partner) for partner in partners for step in with_each if partner in receivers[step]
            ]
    return Progress(tuple(items), points)


def without_names(
    progress: Progress, came: Mapping[tuple[str, int, int], Written], is_anonymous: Callable[[Item], bool]
) -> Progress:
    """The checklist as its owner may see it: answers to feedback without names stand at the end of their round, in an
    order that tells nothing, with the alias of what they answer in place of the partner, or a number below zero where
    nothing is shown yet.

    `came` is what was given to them, by step, round and author; `is_anonymous` says so of an item whose feedback has
    not come.
    """
    items: list[Item] = []
    for _, of_round in groupby(progress.items, key=lambda item: item.round):
        named: list[Item] = []
        shown: list[tuple[tuple[datetime, int], Item]] = []
        hidden: list[Item] = []
        for item in of_round:
            written = came.get((item.step.after, item.round, item.partner_id or 0)) if item.step.is_answer else None
            if written is None:
                (hidden if item.step.is_answer and is_anonymous(item) else named).append(item)
            elif written.alias is None:
                named.append(item)
            elif written.released_at is not None:
                shown.append(((written.released_at, written.alias), replace(item, partner_id=written.alias)))
            else:
                hidden.append(item)
        # What waits differs in nothing but its number.
        hidden.sort(key=lambda item: (item.state, item.counts))
        items += named + [item for _, item in sorted(shown, key=lambda one: one[0])]
        items += [
            replace(item, partner_id=-number, waits_for=item.waits_for and WaitsFor.RELEASE)
            for number, item in enumerate(hidden, start=1)
        ]
    return replace(progress, items=tuple(items))


@dataclass(frozen=True, slots=True)
class _Place:
    """A person in one round: all that the state of a step there depends on."""

    dates: RoundDates
    """With the person's own date."""
    turn_at: datetime | None
    """When there is no more to add to what is looked back at."""
    partners: tuple[Partner, ...]
    is_excused: bool
    mine: Mapping[tuple[str, int, int | None], Written]
    theirs: Mapping[tuple[str, int, int | None], Written]
    completion: Completion
    asked: list[Step]
    now: datetime
    is_closed: bool
    done_alone: Collection[str]
    steps: Mapping[str, Step]
    """All of the kind, by key."""
    release: str

    @property
    def is_over(self) -> bool:
        return self.is_closed or (self.dates.due_at is not None and self.now > self.dates.due_at)

    def wrote(self, key: str, partner_id: int | None) -> Written:
        """What the person wrote in a step; an empty entry where that is nothing."""
        number = self.dates.number
        return self.mine.get((key, number, partner_id)) or Written(key, number, partner_id)

    def receivers(self, step: Step) -> tuple[Partner, ...]:
        """The partners for whom this step is asked.

        Round a ring those to whom the person gave already, if there are any: somebody who leaves afterwards makes
        nobody give twice. And an answer is asked for wherever there is something to answer.
        """
        owed = tuple(one for one in self.partners if step.key in one.gets)
        if step.is_owed_back:
            number = self.dates.number
            return tuple(
                one for one in self.partners if one in owed or (step.after, number, one.member_id) in self.theirs
            )
        if step.to is not To.NEXT:
            return owed
        key = step.part_of or step.key
        given = tuple(one for one in self.partners if self.wrote(key, one.member_id).given_at is not None)
        return given or owed

    def without_partner(self, step: Step) -> Item:
        if step.counted_by and (item := self.item(step, None)).state is State.DONE:
            return item
        # A round that ended before somebody could be placed in it is not their omission.
        is_spared = self.is_excused or self.is_over
        return Item(
            step,
            self.dates.number,
            None,
            State.EXCUSED if is_spared else State.WAITING,
            counts=not is_spared,
            due_at=None if step.is_owed_back else self.dates.due_at,
            waits_for=None if is_spared else WaitsFor.PARTNER,
            wanted=self.completion.of(step),
        )

    def item(self, step: Step, partner: Partner | None) -> Item:
        if step.is_owed_back and partner is not None:
            return self._answer(step, partner)
        partner_id = partner.member_id if partner is not None else None
        entry = self.wrote(step.part_of or step.key, partner_id)
        wanted = entry.left if step.looks_back else self.completion.of(step)
        done = min(entry.count, wanted) if step.is_counted else int(entry.given_at is not None)
        is_begun = done > 0 if step.is_counted else entry.has_text
        is_done = 0 < wanted == done and not (step.looks_back and self._is_before_opening(step))
        state = self._state(step, partner, is_done=is_done, is_begun=is_begun, is_empty=not wanted)
        waits = None
        if state is State.WAITING:
            is_early = self._is_before_opening(step)
            early = WaitsFor.ROUND if step.looks_back and self.dates.opens_at is None else WaitsFor.OPENING
            waits = early if is_early else WaitsFor.STEP
        return Item(
            step,
            self.dates.number,
            partner_id,
            state,
            counts=state is not State.EXCUSED,
            due_at=self.dates.due_at,
            waits_for=waits,
            done_at=(entry.counted_at if step.is_counted else entry.given_at) if is_done else None,
            done=done,
            wanted=max(wanted, 1),
        )

    def _answer(self, step: Step, partner: Partner) -> Item:
        came = self.theirs.get((step.after, self.dates.number, partner.member_id))
        sent_at = self.wrote(step.key, partner.member_id).given_at
        # Who gives first cannot be asked to wait for ever, and who is late cannot take away what others completed.
        given_at = came.given_at if came is not None else None
        partner_is_late = partner.due_at is not None and (given_at or self.now) > partner.due_at
        counts, waits = not (partner_is_late or partner.is_silent), None
        if sent_at is not None:
            state = State.DONE
        elif came is None:
            is_spared = partner_is_late or self.is_closed or self.is_excused or not partner.takes_part
            counts = not is_spared
            state, waits = (State.EXCUSED, None) if is_spared else (State.WAITING, WaitsFor.FEEDBACK)
        elif self.is_excused or came.is_withheld or came.is_held:
            state, counts = State.EXCUSED, False
        elif self.is_closed:
            state = State.MISSED if counts else State.EXCUSED
        elif came.is_released:
            state = State.OPEN
        else:
            state = State.WAITING
            is_own_given = self.wrote(step.after, partner.member_id).given_at is not None
            waits = why_held(self.steps.get(step.after), self.release, is_own_given=is_own_given)
        done_at = sent_at if state is State.DONE else None
        number = self.dates.number
        return Item(step, number, partner.member_id, state, counts=counts, waits_for=waits, done_at=done_at)

    def _state(self, step: Step, partner: Partner | None, *, is_done: bool, is_begun: bool, is_empty: bool) -> State:
        if is_done:
            return State.DONE
        concerned = self.partners if partner is None else (partner,)
        is_alone = not any(one.takes_part for one in concerned)
        if is_alone and step.key in self.done_alone:
            is_alone = not any(one.is_silent for one in concerned)
        if self.is_excused or is_alone or (is_empty and (self.is_over or not self._is_before_opening(step))):
            return State.EXCUSED
        if self.is_over:
            return State.MISSED
        if is_begun:
            return State.STARTED
        if self._is_before_opening(step) or not self._is_step_before_done(step, partner):
            return State.WAITING
        return State.OPEN

    def _is_before_opening(self, step: Step) -> bool:
        opens_at = self.dates.opens_at if step.opens is not Opens.AT_ONCE else None
        if step.looks_back:
            opens_at = self.turn_at
        return opens_at is not None and self.now < opens_at

    def _is_step_before_done(self, step: Step, partner: Partner | None) -> bool:
        before = next((one for one in self.asked if one.key == step.after), None)
        if step.opens is not Opens.AFTER or before is None:
            return True
        owed: list[int | None]
        if before.is_to_partners and partner is None:
            owed = [one.member_id for one in self.receivers(before) if not one.is_absent]
        else:
            owed = [partner.member_id if partner is not None and before.is_to_partners else None]
        return all(self.wrote(before.key, one).given_at is not None for one in owed)


@dataclass(frozen=True, slots=True)
class Column:
    """A step of a round: a column of the instructor's grid."""

    round: int
    step: Step

    @property
    def key(self) -> str:
        """Names it in addresses."""
        return f"{self.round}-{self.step.key}"


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
    """How many entries were given, and how many are to be given in all; answers apart."""
    is_complete: bool
    behind_since: datetime | None
    belongs: Show
    points: Fraction | None = None

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
    to_give = [item for item in progress.items if item.step.is_begun_by_itself and item.state is not State.EXCUSED]
    return Summary(
        cells(progress),
        progress.done,
        progress.counting,
        sum(item.state is State.DONE for item in to_give),
        len(to_give),
        progress.is_complete,
        progress.behind_since,
        belongs(progress),
        progress.points,
    )


def tally(steps: Iterable[Step], summaries: Collection[Summary]) -> dict[Column, Counter[State]]:
    """For each step of each round that somebody has, in order, how many people stand in which state."""
    order = {step: place for place, step in enumerate(steps)}
    counts: dict[Column, Counter[State]] = defaultdict(Counter)
    # People who stand alike share one summary, so it is counted once and multiplied.
    alike = {id(one): one for one in summaries}
    for key, people in Counter(map(id, summaries)).items():
        for column, cell in alike[key].cells.items():
            counts[column][cell.state] += people
    return {column: counts[column] for column in sorted(counts, key=lambda one: (one.round, order[one.step]))}
