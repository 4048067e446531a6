"""What a complete entry is, who may read it when, and how two versions of a text are kept apart."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, Final

from lti_tool.activities.rules import (
    FEWEST_WITHOUT_NAMES,
    ActivityState,
    Craft,
    Field,
    FieldKind,
    Form,
    Release,
    Step,
)
from lti_tool.hints import rules as hints
from lti_tool.rubrics.rules import Asked, Question, Wrong

LONGEST_DRAFT: Final = 50_000
"""Characters of a field that is kept as a draft: what was typed too long must not get lost before it is shortened."""
MOST_KEPT_ASIDE: Final = 40
FEWEST_FOR_A_MEAN: Final = 3
"""With fewer people behind a figure, the figure would say who said what."""

ADDITION_DRAFT: Final = "addition_draft"
"""What is typed to be added to feedback that was read. Saved like any other field; never part of what is given."""
LONGEST_ADDITION: Final = 4000
"""Characters of what is added to feedback after it was read."""
NOTE_DRAFT: Final = "note_draft"
"""A note that was typed and not added yet. Saved like any other field; never part of what is given."""
NOTE: Final = "note-"
"""Prefix of the field that holds the text of a note that was added."""


class Flaw(StrEnum):
    """What is wrong with a field."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    NO_LEVEL = "no_level"
    NO_ANSWER = "no_answer"
    OTHER_SUM = "other_sum"
    NO_ORDER = "no_order"
    NO_COMMENT = "no_comment"
    FEW_NOTES = "few_notes"
    UNKNOWN_CHOICE = "unknown_choice"
    NO_NUMBER = "no_number"


_WRONG: Final = {
    Wrong.MISSING: Flaw.NO_ANSWER,
    Wrong.UNKNOWN: Flaw.UNKNOWN_CHOICE,
    Wrong.TOO_LONG: Flaw.TOO_LONG,
    Wrong.NO_NUMBER: Flaw.NO_NUMBER,
    Wrong.OTHER_SUM: Flaw.OTHER_SUM,
    Wrong.NO_ORDER: Flaw.NO_ORDER,
    Wrong.NO_COMMENT: Flaw.NO_COMMENT,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A field and what is wrong with it; `criterion_id` where the field is a criterion's, `lacking` where some more
    are asked for.
    """

    field: str
    flaw: Flaw
    criterion_id: int | None = None
    lacking: int = 0


def clean(text: str) -> str:
    """Text as every database takes it: one kind of line end, no control characters, no half characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")


USEFULNESS: Final = "usefulness"
"""The field of an answer that says how useful feedback was: a choice from 4 to 1."""
USEFUL: Final = 3
"""From here on it was."""


def counted(form: Form, fields: Mapping[str, str], places: Sequence[int]) -> dict[str, Any]:
    """What figures need of an entry that was given, without a word of it. `places` are those of what was chosen.

    Of feedback whether it has a usable strength, growth point and example, its length, and where the levels stand; of
    an answer `usefulness`, where it says so.
    """
    by_craft: dict[Craft, list[str]] = {}
    for field in form.texts:
        if field.craft is not None:
            by_craft.setdefault(field.craft, []).append(fields.get(field.key, ""))
    if not by_craft:
        usefulness = fields.get(USEFULNESS, "")
        return {USEFULNESS: int(usefulness)} if usefulness.isdecimal() else {}
    strengths, noticed = by_craft.get(Craft.STRENGTH, []), by_craft.get(Craft.NOTICED, [])
    return {
        "has_strength": hints.is_usable(strengths, Craft.STRENGTH, ANY_LANGUAGE),
        "has_growth": hints.is_usable(by_craft.get(Craft.GROWTH, []), Craft.GROWTH, ANY_LANGUAGE),
        "has_example": hints.has_example([*strengths, *noticed], Craft.NOTICED, ANY_LANGUAGE),
        "word_count": sum(len(hints.words_of(text)) for texts in by_craft.values() for text in texts),
        "level_places": list(places),
    }


ANY_LANGUAGE: Final = "en"
"""For a text too short to tell its language: it is judged by its length alone."""


def problems_of(
    form: Form,
    fields: Mapping[str, str],
    questions: Sequence[Asked] = (),
    *,
    notes: int = 0,
    minimum_notes: int = 0,
) -> tuple[Problem, ...]:
    """What keeps an entry from being given, in the order of the page; empty when it is complete.

    `questions` are those of the rubric, `notes` counts those that were added. A field may be filled in by another that
    stands in for it.
    """
    problems: list[Problem] = []
    for field in form.fields:
        match field.kind:
            case FieldKind.NOTES:
                problems += _problems_of_notes(field, fields.get(NOTE_DRAFT, ""), notes, minimum_notes)
            case FieldKind.MARKS:
                problems += _problems_of_marks(fields, questions, is_required=field.is_required)
            case _:
                flaw = _flaw_of(field, fields.get(field.key, ""), _stands_in(form, field, fields))
                problems += [Problem(field.key, flaw)] if flaw is not None else []
    return tuple(problems)


def _problems_of_notes(field: Field, draft: str, notes: int, minimum: int) -> list[Problem]:
    if len(draft) > field.longest:
        return [Problem(NOTE_DRAFT, Flaw.TOO_LONG)]
    # One that is typed and not added yet counts: giving adds it.
    lacking = minimum - notes - bool(draft.strip())
    return [Problem(NOTE_DRAFT, Flaw.FEW_NOTES, lacking=lacking)] if lacking > 0 else []


def _problems_of_marks(
    fields: Mapping[str, str], questions: Sequence[Asked], *, is_required: bool
) -> Iterator[Problem]:
    for asked in questions:
        for name, wrong in asked.flaws(fields, is_required=is_required):
            is_level = wrong is Wrong.MISSING and asked.draft.question is Question.LEVELS
            yield Problem(name, Flaw.NO_LEVEL if is_level else _WRONG[wrong], asked.id)


def _flaw_of(field: Field, text: str, stand_in: str) -> Flaw | None:
    if len(text) > field.longest:
        return Flaw.TOO_LONG
    if not text.strip():
        return Flaw.MISSING if field.is_required and not stand_in else None
    if field.kind is FieldKind.CHOICE and text not in {choice.value for choice in field.choices}:
        return Flaw.UNKNOWN_CHOICE
    if field.kind is FieldKind.NUMBER and not _is_number(field, text.strip()):
        return Flaw.NO_NUMBER
    return None


def _is_number(field: Field, text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19 and field.lowest <= int(text) <= field.highest


def _stands_in(form: Form, field: Field, fields: Mapping[str, str]) -> str:
    """The text that another field has in this one's stead."""
    stand_ins = (fields.get(other.key, "").strip() for other in form.texts if other.stands_in_for == field.key)
    return next((text for text in stand_ins if text), "")


def tidy(form: Form, fields: Mapping[str, str]) -> dict[str, str]:
    """Texts as they are given: no blank edges, and a text that stands in for an empty field in that one's place."""
    tidied = {field.key: fields.get(field.key, "").strip() for field in form.texts}
    for field in form.texts:
        if field.stands_in_for and not tidied[field.stands_in_for]:
            tidied[field.stands_in_for], tidied[field.key] = tidied[field.key], ""
    return tidied


POOLED: Final = "pooled"
"""With everything else that was given to the same person in the round without names: see `is_pool_ready`."""


def release_rule(step: Step | None, setting: str, *, is_anonymous: bool = False) -> str:
    """When what is written in this step is released, under the activity's setting. An answer is read after the round,
    so that it cannot be repaid within it, and nothing waits for a counterpart that nobody writes.
    """
    if is_anonymous:
        return POOLED
    if step is not None and step.is_answer:
        return Release.AT_DUE
    waits_for_nobody = setting == Release.WHEN_BOTH_GAVE and step is not None and not step.is_mutual
    return Release.AT_ONCE if waits_for_nobody else setting


@dataclass(frozen=True, slots=True)
class Moments:
    """What decides whether feedback is released: times of this feedback, its counterpart, its round and activity."""

    submitted_at: datetime | None
    released_at: datetime | None
    counterpart_submitted_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    is_withheld: bool = False


def is_released(release: str, moments: Moments, *, now: datetime) -> bool:
    """Whether the receiver may read it now. What was released once stays so.

    "When both gave" waits no longer than the round's due time, and nothing waits beyond the activity's close: a
    partner who never writes must not keep feedback from anybody. Without a due time "at due" has nothing to wait for.
    "By an instructor" waits for that person alone: what they hold back, perhaps for a reason, no date shows.
    What is withheld because of a report is not to be read, whenever it was released. Anonymous feedback is released
    together with others, by whoever looks at all of it.
    """
    if moments.submitted_at is None or moments.is_withheld:
        return False
    if moments.released_at is not None or release == Release.AT_ONCE:
        return True
    if release in {Release.BY_INSTRUCTOR, POOLED}:
        return False
    is_due = moments.due_at is not None and moments.due_at <= now
    if is_due or (moments.closed_at is not None and moments.closed_at <= now):
        return True
    if release == Release.WHEN_BOTH_GAVE:
        return moments.counterpart_submitted_at is not None
    return moments.due_at is None


def is_over(due_at: datetime | None, closed_at: datetime | None, *, now: datetime) -> bool:
    """Whether a round is over: it was due, or the activity is closed."""
    return any(moment is not None and moment <= now for moment in (due_at, closed_at))


def is_pool_ready(setting: str, *, given: int, everybody_gave: bool, is_over: bool) -> bool:
    """Whether anonymous feedback to one person in one round is released now, all of it at once.

    `given` counts what waits. Fewer than three pieces are never released: who wrote them could be told. While somebody
    may still give, it waits for them, since a piece that came later by itself could be told from the others.
    """
    if given < FEWEST_WITHOUT_NAMES:
        return False
    return is_over or (everybody_gave and setting != Release.AT_DUE)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to read: a member of the course, and whether they are staff in it now."""

    member_id: int | None
    is_staff: bool


def may_read(
    reader: Reader,
    *,
    author_id: int,
    recipient_id: int,
    is_given: bool,
    is_released: bool,
    staff_read: bool,
    is_withheld: bool = False,
) -> bool:
    """Whether this reader may see the text: its author always, its receiver once released, staff only by the setting.

    Nobody else, whatever their role: not the third person of a trio, not an observer, not an administrator. Staff see
    what was given, never a draft. What is withheld is read by its author alone.
    """
    if reader.member_id is not None and reader.member_id == author_id:
        return True
    if is_withheld:
        return False
    if reader.member_id is not None and reader.member_id == recipient_id:
        return is_released
    return reader.is_staff and staff_read and is_given


def may_write(*, state: str, is_course_over: bool) -> bool:
    """Whether the activity takes texts at all. A passed due time never locks anybody out."""
    return state == ActivityState.READY and not is_course_over


def is_late(submitted_at: datetime | None, due_at: datetime | None) -> bool:
    """Whether it was given after its due time, the member's own where they were given more time."""
    return submitted_at is not None and due_at is not None and submitted_at > due_at


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a field last changed (the draft's version then) and on which device."""

    version: int
    device: str
    """Of a text that a group shares, with the member who wrote it before it: `<member>.<device>`."""

    @property
    def member_id(self) -> int | None:
        """Who wrote it, of a text that a group shares."""
        member, dot, _ = self.device.partition(".")
        return int(member) if dot and member.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Aside:
    """A text that a newer one took the place of, kept until its author decides."""

    field: str
    text: str
    at: datetime

    @property
    def key(self) -> str:
        """A short name for it, the same for the same text."""
        return hashlib.sha256(f"{self.field}\0{self.text}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Draft:
    """Fields as they are stored, with what is needed to tell whether a device had seen them."""

    fields: Mapping[str, str]
    stamps: Mapping[str, Stamp]
    aside: tuple[Aside, ...]
    version: int


@dataclass(frozen=True, slots=True)
class Merged:
    """What a save makes of a draft: fields that change, and what is kept aside because of them."""

    changed: Mapping[str, str]
    stamps: Mapping[str, Stamp]
    aside: tuple[Aside, ...]
    has_conflict: bool


def merge(
    draft: Draft,
    typed: Mapping[str, str],
    bases: Mapping[str, int],
    *,
    device: str,
    now: datetime,
    choices: Collection[str] = (),
    started_from: Mapping[str, str] | None = None,
) -> Merged:
    """Lay typed fields over stored ones; a stored text that its typist never saw is kept aside, never lost.

    Where `started_from` has the text that the typist changed, both changes are put together if they touch different
    words; then nothing is kept aside.

    `bases` says for each field which version the device had seen. What the same device wrote is no conflict (its own
    save may have arrived without the answer coming back), nor is a text that the new one contains. `choices` names
    fields that are no texts: the newest counts.
    """
    changed: dict[str, str] = {}
    kept = list(draft.aside)
    stamps = dict(draft.stamps)
    for field, text in typed.items():
        before = draft.fields.get(field, "")
        if text == before:
            continue
        new, last = text, stamps.get(field)
        was_unseen = last is not None and last.version > bases.get(field, 0) and last.device != device
        if was_unseen and before.strip() and field not in choices:
            if not text.strip():
                # An empty field of a page that was opened before the other device wrote is no wish to delete.
                continue
            start = (started_from or {}).get(field)
            together = merge_texts(start, text, before) if start is not None else None
            if together is None and before.strip() not in text:
                kept.append(Aside(field, before, now))
            new = text if together is None else together
            if new == before:
                continue
        changed[field] = new
        stamps[field] = Stamp(draft.version + 1, device)
    aside = tuple({one.key: one for one in kept}.values())
    return Merged(changed, stamps, aside[-MOST_KEPT_ASIDE:], len(kept) > len(draft.aside))


_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")


def merge_texts(start: str, mine: str, theirs: str) -> str | None:
    """Two changes of one text put together; None where both changed the same words.

    Words that both added at one place stand one after the other, theirs first (three-way merge as in Khanna, Kunal and
    Pierce 2007, on words instead of lines). A change that both made is made once.
    """
    words = _WORDS.findall(start)
    changes = sorted(
        dict.fromkeys(change for text in (theirs, mine) for change in _changes(words, _WORDS.findall(text))),
        key=lambda change: (change[0], change[1]),
    )
    merged: list[str] = []
    at = 0
    for first, last, new in changes:
        if first < at:
            return None
        merged += [*words[at:first], *new]
        at = last
    return "".join([*merged, *words[at:]])


MOST_COMPARED: Final = 250_000
"""Pairs of words that are compared to find out what changed; a larger change counts as one."""


def _changes(words: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, tuple[str, ...]]]:
    """What was replaced: the first and the last place (excluded) in the old words, and the new ones there."""
    pairs = list(zip(words, new, strict=False))
    head = next((place for place, (old, now) in enumerate(pairs) if old != now), len(pairs))
    rest = list(zip(reversed(words[head:]), reversed(new[head:]), strict=False))
    tail = next((place for place, (old, now) in enumerate(rest) if old != now), len(rest))
    old_part, new_part = words[head : len(words) - tail], new[head : len(new) - tail]
    if len(old_part) * len(new_part) > MOST_COMPARED:
        return [(head, head + len(old_part), tuple(new_part))]
    return [
        (head + first, head + last, tuple(new_part[start:end]))
        for tag, first, last, start, end in SequenceMatcher(None, old_part, new_part, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def newer_than_seen(
    fields: Mapping[str, str], stamps: Mapping[str, Stamp], bases: Mapping[str, int], *, device: str
) -> dict[str, tuple[str, int]]:
    """Fields, with their versions, that another device changed since this one looked: the page may show them."""
    return {
        field: (fields.get(field, ""), stamp.version)
        for field, stamp in stamps.items()
        if field in bases and stamp.version > bases[field] and stamp.device != device
    }


def typical_level(ranks: Iterable[tuple[int, int]]) -> int | None:
    """The middle one of the level ranks that people chose, as (person, rank); None with fewer than three people.

    Ranks are an order without distances, so the middle is a level that has words, and no mean is made of them.
    """
    by_person: dict[int, list[int]] = {}
    for person, rank in ranks:
        by_person.setdefault(person, []).append(rank)
    if len(by_person) < FEWEST_FOR_A_MEAN:
        return None
    chosen = sorted(rank for each in by_person.values() for rank in each)
    return chosen[(len(chosen) - 1) // 2]
