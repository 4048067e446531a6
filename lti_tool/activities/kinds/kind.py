"""The shape that all kinds share: seats, agenda, and the steps of a round with their forms and words."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Final, TypeAlias

from lti_tool.activities.kinds.form import Form
from lti_tool.errors import N_

Sentence: TypeAlias = str | tuple[str, str]
"""A text, or one for the singular and one for the plural of `%(num)d`. May name the partner (`%(name)s`), a date
(`%(when)s`) and the round (`%(number)d`)."""


class By(StrEnum):
    """Who writes in a step."""

    EACH = "each"
    """Every member, on their own."""
    GROUP = "group"
    """All members together, in one entry."""


class To(StrEnum):
    """To whom a step is written."""

    NOBODY = "no one"
    PARTNERS = "partners"
    """To each other member of the group."""
    NEXT = "next"
    """To the next member round the ring: each gives to one and gets from one."""
    SEAT = "seat"
    """To whoever has a certain seat, and nothing back."""


class Opens(StrEnum):
    """What opens a step. Only a release keeps anybody from writing: the others are an order, not a lock."""

    AT_ONCE = "at_once"
    """With the group."""
    ROUND = "round"
    """On the day on which the round opens."""
    AFTER = "after"
    """When the same member has done the step `after`."""
    RELEASE = "release"
    """When the partner's entry of the step `after` can be read: this step answers it."""
    RECEIVED = "received"
    """The same, for a step that stands on its own and answers nothing."""


class CountedBy(StrEnum):
    """What is counted of a member for a step that has no entry of its own."""

    GOALS_SET = "goals_set"
    CHECK_INS = "check_ins"
    ACTIONS_WRITTEN = "actions_written"
    LOOK_BACKS = "look_backs"
    """Actions of earlier rounds that the member looked back at, of those that were open."""
    WARM_UP = "warm_up"
    """Whether the member has done every card of the warm-up in the course."""


@dataclass(frozen=True, slots=True)
class StepWords:
    """What pages say of a step. What is left empty is said with `todo`, or in words that suit any step."""

    name: str
    """Heads a column of the grid."""
    todo: Sentence
    """A line of the list of tasks."""
    title: str
    """Of the page on which it is written."""
    asked: str = ""
    """What a designer ticks, and in `asked_help` what that means."""
    asked_help: str = ""
    now: str = ""
    now_by: str = ""
    overdue: str = ""
    still_wanted: Sentence = ""
    """Of notes: the first sentence of a learner's page where what they belong to is given already."""
    before: str = ""
    """While the round has not opened: what is good to agree on."""
    begin: str = N_("Begin")
    go_on: str = N_("Continue writing")
    counted: Sentence = ""
    """A line of the list of what counts."""
    mine: str = ""
    """Names what the reader wrote."""
    theirs: str = ""
    """Names what `%(name)s` wrote."""
    between: str = N_("From %(author)s for %(recipient)s")
    topic: str = ""
    """What it is about, for its reader, where other feedback of the same people stands beside it."""
    lead: str = N_("Almost there. Before you mark it as done:")
    help: str = ""
    advice: str = ""
    give: str = N_("Mark as done")
    give_again: str = N_("Mark the changed text as done")
    given: str = N_("Done.")
    done: str = N_("done")
    done_late: str = ""
    not_done: str = N_("not done")
    partner_waits: str = N_("Your part is done. %(name)s has not written yet.")
    """Of a step that answers: the partner has written nothing to answer yet."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One thing to do in every round. Steps are the same only if they are one object."""

    key: str
    words: StepWords
    form: Form | None = None
    """None for a part of another step, and for a step that is counted elsewhere."""
    by: By = By.EACH
    to: To = To.NOBODY
    seat: str = ""
    """The seat of `To.SEAT`."""
    opens: Opens = Opens.ROUND
    after: str = ""
    """The step that opens this one, by `Opens.AFTER` or `Opens.RELEASE`."""
    about: str = ""
    """The one seat about which the rubric asks here. Empty: the seats of whom the step is about, apart from those that
    have a step of their own."""
    part_of: str = ""
    """The step in whose entry the notes are written that this one counts."""
    counted_by: CountedBy | None = None
    """What is counted where the step has no entry: goals, actions, or the warm-up."""
    may_count: bool = True
    asked_usually: int = 1
    """How often it is asked for unless a designer says otherwise; 0 does not count."""
    most: int = 1
    """How often it can be asked for."""
    is_live: bool = False
    """Written while people meet: the group reads at once what it may see, and a text counts as soon as it is there."""
    is_asked_once: bool = False
    """Asked for in the first round only."""
    is_by_choice: bool = False
    """Offered to people only where a designer asks for it."""
    may_be_offered: bool = False
    """Whether its author is pointed to the course library: what people write here may help others as well."""
    begins_group: bool = True
    """Whether the members of a group stay the same from then on: work that only these people can go on with."""

    @property
    def is_confirmation(self) -> bool:
        """Whether there is nothing to write: one tap says that it is done, another takes that back."""
        return self.form is not None and not self.form.sections

    @property
    def is_to_partners(self) -> bool:
        """Whether somebody receives what is written."""
        return self.to is not To.NOBODY

    @property
    def is_answer(self) -> bool:
        """Whether it answers what a partner wrote."""
        return self.opens is Opens.RELEASE

    @property
    def is_owed_back(self) -> bool:
        """Whether somebody owes it to whoever owes them the step `after`, and only once that came."""
        return self.opens in {Opens.RELEASE, Opens.RECEIVED}

    @property
    def is_shared(self) -> bool:
        """Whether a group writes one entry together."""
        return self.by is By.GROUP

    @property
    def is_read_as_written(self) -> bool:
        """Whether there is nothing to give: others read it while it is typed."""
        return self.is_shared or self.is_live

    @property
    def is_mutual(self) -> bool:
        """Whether partners write it to each other, so that one may wait for the other."""
        return self.to is To.PARTNERS and not self.is_owed_back

    @property
    def is_begun_by_itself(self) -> bool:
        """Whether it has an entry of its own that answers nothing."""
        return not self.is_answer and not self.is_counted

    @property
    def is_counted(self) -> bool:
        """Whether it is done by a number of notes, goals or actions, and not by an entry."""
        return bool(self.part_of or self.counted_by)

    @property
    def is_self_assessment(self) -> bool:
        """Whether people answer the rubric about themselves."""
        return self.form is not None and self.form.has_marks and not self.is_to_partners

    @property
    def looks_back(self) -> bool:
        """Whether it asks for what is left of earlier rounds: all of it, and nothing where nothing is left."""
        return self.counted_by is CountedBy.LOOK_BACKS


@dataclass(frozen=True, slots=True)
class SeatName:
    """A place in a group."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Direction:
    """A way in which what partners write can go through a group, for a designer to choose."""

    to: To
    title: str
    help: str = ""
    seat: str = ""
    """Of `To.SEAT`."""
    agenda: "tuple[AgendaPart, ...]" = ()
    """In the place of the kind's, where that would say something else."""


class Block(StrEnum):
    """What a part of a meeting holds beside its steps. Each is drawn by the feature that owns it."""

    AGREEMENT = "agreement"
    """What stays in the group, in plain words computed from the activity's settings."""
    GOALS = "goals"
    ACTIONS = "actions"
    """Open ones, to look back at."""
    NEW_ACTION = "new_action"
    WINS = "wins"
    SHELF = "shelf"
    SCENARIO = "scenario"
    """The public part of a role-play, and the brief of the reader's seat alone."""
    METHOD = "method"
    """Timed steps with one timer for the whole group."""


HELD_IN: Final = {
    CountedBy.GOALS_SET: Block.GOALS,
    CountedBy.CHECK_INS: Block.GOALS,
    CountedBy.ACTIONS_WRITTEN: Block.NEW_ACTION,
    CountedBy.LOOK_BACKS: Block.ACTIONS,
}
"""The block of a meeting in which it is done."""


@dataclass(frozen=True, slots=True)
class MethodStep:
    """One timed step of a method."""

    title: str
    help: str
    minutes: int
    prompts: tuple[str, ...] = ()
    """What whoever facilitates does, the most important first."""


@dataclass(frozen=True, slots=True)
class AgendaPart:
    """One part of a meeting, with the steps and the blocks that belong to it."""

    title: str
    """In a sentence, as designers read it."""
    steps: tuple[str, ...] = ()
    key: str = ""
    """Names the part on the page of the meeting; a part without a key stands in the description only."""
    heading: str = ""
    help: str = ""
    questions: tuple[str, ...] = ()
    """Open questions that fit here."""
    tips: tuple[str, ...] = ()
    """Offered after the reader wrote something in this part."""
    blocks: tuple[Block, ...] = ()
    method: tuple[MethodStep, ...] = ()
    """Of `Block.METHOD`."""


@dataclass(frozen=True, slots=True)
class PathAlone:
    """What a kind offers a member whose partner does not come."""

    words: str
    """What to do, in one sentence."""
    steps: tuple[str, ...]
    """Keys of steps that need no partner. The others of the round are not needed from whoever goes on alone."""


@dataclass(frozen=True, slots=True)
class Between:
    """What a kind asks a member about something that happened between meetings."""

    form: Form
    """For its author alone."""
    into: str
    """The step of a meeting into which the author can bring it."""
    fields: tuple[tuple[str, str], ...]
    """Each field of the form with the field of the step that takes its text."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What people do together in an activity. Texts are marked for translation. Kinds are the same only if they are
    one object.
    """

    key: str
    title: str
    seats: tuple[SeatName, ...] = ()
    """The seats of a group, in the order in which they begin. More people than seats share the last one."""
    swaps_inside: bool = False
    """Whether everybody takes every seat within one round."""
    smallest_group: int = 2
    largest_group: int = 6
    agenda: tuple[AgendaPart, ...] = ()
    steps: tuple[Step, ...] = ()
    """In the order of the agenda, which is that of every list."""
    directions: tuple[Direction, ...] = ()
    """Ways for what partners write, if a designer can choose one. The first is that of `steps`."""
    you_begin: str = ""
    partner_begins: str = ""
    """Who takes the first seat first, where seats are swapped inside a round."""
    is_gone: bool = False
    """Whether this version does not have it any more: what was written stays readable, and nothing is added."""
    alone: PathAlone | None = None
    """None where the kind makes no sense without a partner."""
    between: Between | None = None
    facilitator: str = ""
    """The seat that staff may take in guided rounds, if there is one."""
    has_scenario: bool = False
    """Whether a designer writes a scenario with a brief for each seat."""
    figure: str = N_("steps done")
    """What the staff's page calls the number of entries that were given."""

    @property
    def takes_points(self) -> bool:
        """Whether points of the rubric may be part of the score: not where people try something out in a role-play."""
        return not self.has_scenario

    @property
    def meeting(self) -> tuple[AgendaPart, ...]:
        """The parts of the page on which a group meets."""
        return tuple(part for part in self.agenda if part.key)

    @property
    def method(self) -> tuple[MethodStep, ...]:
        """The timed steps of its meeting, if it has any."""
        return next((part.method for part in self.agenda if part.method), ())

    @property
    def agreement(self) -> Step | None:
        """The step in which members accept what stays in the group, if it has one."""
        keys = [key for part in self.agenda if Block.AGREEMENT in part.blocks for key in part.steps]
        return next((step for step in self.steps if step.key in keys and step.is_confirmation), None)

    def part_of(self, step: Step) -> AgendaPart | None:
        """The part of the meeting in which this step is done."""
        block = HELD_IN.get(step.counted_by) if step.counted_by is not None else None
        return next((part for part in self.meeting if step.key in part.steps or block in part.blocks), None)

    def step(self, key: str) -> Step | None:
        """The step with this key, if the kind has it."""
        return next((step for step in self.steps if step.key == key), None)

    def first_step(self, *, is_to_partners: bool) -> Step | None:
        """The first step with a form of its own, to partners or to nobody."""
        own = (step for step in self.steps if step.form is not None and step.is_begun_by_itself)
        return next((step for step in own if step.is_to_partners == is_to_partners), None)

    @property
    def self_assessment(self) -> Step | None:
        """The step in which people answer the rubric about themselves, if it has one."""
        return next((step for step in self.steps if step.is_self_assessment), None)

    def answer_to(self, step: Step) -> Step | None:
        """The step in which a receiver answers this one."""
        return next((one for one in self.steps if one.is_answer and one.after == step.key), None)

    def notes_step(self, step: Step) -> Step | None:
        """The step that counts the notes which are written in this one."""
        return next((one for one in self.steps if one.part_of == step.key), None)

    def seat_at(self, turn: int) -> str:
        """The key of the seat of whoever has this turn in a group, counted from 1."""
        return self.seats[min(turn, len(self.seats)) - 1].key if self.seats else ""

    def looked_at(self, step: Step, seat: str | None, asked: Collection[str]) -> frozenset[str]:
        """The seats about which the rubric asks in this step, and the empty one for what it asks about everybody.

        `seat` is that of whom the step is about, None where it is not known; `asked` are the keys of the steps that the
        activity asks for.
        """
        if step.about:
            return frozenset({step.about})
        seats = {one.key for one in self.seats} if self.swaps_inside or seat is None else {seat}
        apart = {one.about for one in self.steps if one.key in asked and step.is_to_partners}
        return frozenset({"", *(seats - apart)})

    def going(self, to: str | None) -> "Kind":
        """The kind with what partners write going in this one of its directions; itself for the first, or no other."""
        chosen = next((one for one in self.directions[1:] if one.to == to), None)
        return self if chosen is None else _going(self, chosen)

    @property
    def without_names(self) -> "Kind":
        """The kind where receivers do not know who gave: without the steps that write to a giver by name."""
        return _without_names(self)

    def in_address(self, step: Step) -> str | None:
        """How an address names the step; None for the first one to partners, which needs no name."""
        return None if step is self.first_step(is_to_partners=True) else step.key


@cache
def _without_names(kind: Kind) -> Kind:
    """Cached for the same reason as `_going`."""
    steps = tuple(step for step in kind.steps if step.opens is not Opens.RECEIVED)
    gone = {step.key for step in kind.steps} - {step.key for step in steps}
    agenda = tuple(replace(part, steps=tuple(key for key in part.steps if key not in gone)) for part in kind.agenda)
    return replace(kind, steps=steps, agenda=agenda) if gone else kind


@cache
def _going(kind: Kind, direction: Direction) -> Kind:
    """Cached, so that the steps of one kind in one direction are the same objects wherever they are asked for."""
    steps = tuple(
        replace(step, to=direction.to, seat=direction.seat) if step.is_to_partners and not step.is_owed_back else step
        for step in kind.steps
    )
    changed = replace(kind, steps=steps, agenda=direction.agenda or kind.agenda)
    if direction.to is To.SEAT:
        # Seats are for the whole round: who is observed in it observes nobody.
        changed = replace(changed, swaps_inside=False, you_begin="", partner_begins="")
    return changed
