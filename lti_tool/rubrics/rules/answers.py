"""How the questions of a rubric are answered: names of fields, what is wrong with an answer, and what it says.

An answer is kept as texts by name of a field, like everything that people write. The names begin with the criterion's:
`mark-7` holds a level, number, option or text, `mark-7.0` what is said of the first option, `mark-7.comment` a comment.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final

from lti_tool.rubrics.rules.drafts import LONGEST_NAME, Comment, CriterionDraft, Question

MARK: Final = "mark-"
LONGEST_TEXT: Final = 10_000
CHOSEN: Final = "1"
"""The value of a ticked option."""

IN_PARTS: Final = frozenset({Question.CHOICES, Question.SHARE, Question.RANKING})
"""Answered option by option."""


class Wrong(StrEnum):
    """What is wrong with an answer."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    """Nothing that was offered."""
    TOO_LONG = "too long"
    NO_NUMBER = "no number"
    OTHER_SUM = "other sum"
    """Points that do not add up."""
    NO_ORDER = "no order"
    """Options without a place of their own."""
    NO_COMMENT = "no comment"


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answered."""

    lines: tuple[str, ...] = ()
    """In the words of the rubric, or the person's own."""
    detail: str = ""
    """What the chosen level means."""
    step: int | None = None
    """The place on the ladder or scale, counted from 1."""
    steps: int = 0
    points: int | None = None
    """Of the chosen level; for staff to read."""
    comment: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.lines and not self.comment

    @property
    def text(self) -> str:
        """All of it as one text."""
        return "\n".join([*self.lines, *([self.comment] if self.comment else [])])


@dataclass(frozen=True, slots=True)
class Asked:
    """A criterion of a kept rubric, as people answer it."""

    id: int
    draft: CriterionDraft
    level_ids: tuple[int, ...] = ()
    """Of the draft's levels, in the same order."""

    @property
    def key(self) -> str:
        """The field that holds the answer, or begins the names of those that do."""
        return f"{MARK}{self.id}"

    @property
    def comment_key(self) -> str:
        return f"{self.key}.comment"

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The name of a field and the option that it is about, where each option has its own."""
        if self.draft.question not in IN_PARTS:
            return ()
        return tuple((f"{self.key}.{place}", choice) for place, choice in enumerate(self.draft.options.choices))

    @property
    def offered(self) -> tuple[tuple[str, str], ...]:
        """The values that may be chosen, with what they are called; none for texts and numbers."""
        draft = self.draft
        match draft.question:
            case Question.LEVELS:
                return tuple((str(id_), level.label) for id_, level in zip(self.level_ids, draft.levels, strict=True))
            case Question.SCALE:
                return tuple((str(n), str(n)) for n in range(draft.options.lowest, draft.options.highest + 1))
            case Question.CHOICE:
                return tuple((str(place), choice) for place, choice in enumerate(draft.options.choices))
            case Question.RANKING:
                return tuple((str(n), str(n)) for n in range(1, len(draft.options.choices) + 1))
        return ()

    @property
    def longest(self) -> int:
        """Characters of a text."""
        return LONGEST_NAME if self.draft.question is Question.SHORT else LONGEST_TEXT

    def names(self) -> tuple[str, ...]:
        """The names of all its fields."""
        own = tuple(name for name, _ in self.parts) or (self.key,)
        return own if self.draft.comment is Comment.NONE else (*own, self.comment_key)

    def texts(self) -> tuple[str, ...]:
        """The names of those fields that hold a text."""
        own = (self.key,) if self.draft.question in {Question.SHORT, Question.LONG} else ()
        return own if self.draft.comment is Comment.NONE else (*own, self.comment_key)

    def usable(self, name: str, text: str) -> str:
        """What is kept of a field while it is typed: nothing where no page of ours could have sent it."""
        if name in self.texts() or self.draft.question is Question.SHARE:
            return text
        if self.draft.question is Question.CHOICES:
            return CHOSEN if text == CHOSEN else ""
        if self.draft.question is Question.LEVELS:
            # A level of another criterion is named when the entry is given.
            return text if text.isascii() and text.isdecimal() and len(text) < 19 else ""
        return text if text in dict(self.offered) else ""

    def tidy(self, fields: Mapping[str, str]) -> dict[str, str]:
        """The answer as it is given: its own fields that are not empty, without blank edges."""
        return {name: text for name in self.names() if (text := fields.get(name, "").strip())}

    def flaws(self, fields: Mapping[str, str], *, is_required: bool) -> list[tuple[str, Wrong]]:
        """What keeps the answer from being given, by field."""
        flaws_found = []
        wrong = self._flaw(self.tidy(fields), is_required=is_required)
        if wrong is not None:
            flaws_found.append((self.key, wrong))
        comment = self.tidy(fields).get(self.comment_key, "")
        if len(comment) > LONGEST_TEXT:
            flaws_found.append((self.comment_key, Wrong.TOO_LONG))
        if self.draft.comment is Comment.REQUIRED and is_required and not comment:
            flaws_found.append((self.comment_key, Wrong.NO_COMMENT))
        return flaws_found

    def _flaw(self, answer: Mapping[str, str], *, is_required: bool) -> Wrong | None:
        values = [answer[name] for name, _ in self.parts if name in answer]
        text = answer.get(self.key, "")
        if not values and not text:
            return Wrong.MISSING if is_required else None
        is_right, wrong = text in dict(self.offered), Wrong.UNKNOWN
        match self.draft.question:
            case Question.SHORT | Question.LONG:
                is_right, wrong = len(text) <= self.longest, Wrong.TOO_LONG
            case Question.SHARE:
                left = self.left(answer)
                is_right, wrong = left == 0, Wrong.NO_NUMBER if left is None else Wrong.OTHER_SUM
            case Question.RANKING:
                is_right, wrong = sorted(values, key=_by_number) == [value for value, _ in self.offered], Wrong.NO_ORDER
            case Question.CHOICES:
                is_right = True
        return None if is_right else wrong

    def left(self, fields: Mapping[str, str]) -> int | None:
        """How many points are still to be shared out, less than 0 for too many; None where something is no number."""
        values = [text for name, _ in self.parts if (text := fields.get(name, "").strip())]
        return self.draft.options.points - sum(map(int, values)) if all(map(_is_number, values)) else None

    def reply(self, fields: Mapping[str, str]) -> Reply:
        """What was answered, in words; an answer to something else is none."""
        answer = self.tidy(fields)
        comment = answer.get(self.comment_key, "")
        text = answer.get(self.key, "")
        if not self.offered or self.parts:
            parts = [(choice, answer[name]) for name, choice in self.parts if name in answer]
            return Reply(self._in_parts(parts) if self.parts else (text,) if text else (), comment=comment)
        place = next((at for at, (value, _) in enumerate(self.offered) if value == text), None)
        if place is None:
            return Reply(comment=comment)
        reply = Reply((self.offered[place][1],), step=place + 1, steps=len(self.offered), comment=comment)
        if self.draft.question is Question.LEVELS:
            level = self.draft.levels[place]
            return replace(reply, detail=level.description, points=level.points)
        if self.draft.question is Question.SCALE:
            return replace(reply, lines=(f"{text} ({self.ends})",))
        return replace(reply, step=None, steps=0)

    def in_own_words(self, fields: Mapping[str, str]) -> Reply:
        """What was answered in the person's own words: a text or a comment, and nothing that was chosen."""
        reply = self.reply(fields)
        lines = reply.lines if self.draft.question in {Question.SHORT, Question.LONG} else ()
        return Reply(lines, comment=reply.comment)

    def _in_parts(self, parts: list[tuple[str, str]]) -> tuple[str, ...]:
        if self.draft.question is Question.CHOICES:
            return tuple(choice for choice, _ in parts)
        if self.draft.question is Question.SHARE:
            return tuple(f"{choice}: {points}" for choice, points in parts)
        return tuple(f"{place}. {choice}" for choice, place in sorted(parts, key=lambda part: _by_number(part[1])))

    @property
    def ends(self) -> str:
        """The ends of a scale, with their words."""
        options = self.draft.options
        named = ((options.lowest, options.lowest_words), (options.highest, options.highest_words))
        return " – ".join(f"{number}: {words}" if words else str(number) for number, words in named)

    def share(self, fields: Mapping[str, str]) -> Fraction | None:
        """The share of the most points that the answer gives; None where it gives none or could give none."""
        text = fields.get(self.key, "")
        place = next((at for at, (value, _) in enumerate(self.offered) if value == text), None)
        if place is None:
            return None
        if self.draft.question is Question.LEVELS:
            points = [level.points for level in self.draft.levels]
            return Fraction(points[place], max(points)) if max(points) else None
        if self.draft.question is Question.SCALE:
            return Fraction(place, len(self.offered) - 1)
        return None


def is_in_own_words(name: str, text: str) -> bool:
    """Whether this field of an entry holds words that its author wrote, rather than what they chose in a rubric."""
    return not name.startswith(MARK) or name.endswith(".comment") or not text.isdecimal()


def asked_of(questions: Iterable[Asked], seats: Collection[str], round_number: int) -> list[Asked]:
    """Those questions that are asked in this round about one of these seats; the empty one stands for everybody."""
    return [
        one
        for one in questions
        if one.draft.seat in seats and (not one.draft.rounds or round_number in one.draft.rounds)
    ]


@dataclass(frozen=True, slots=True)
class Beside:
    """What several people answered to one question, in their order; None where somebody did not."""

    name: str
    seat: str
    steps: int
    """Of the ladder or scale; 0 where the question has none."""
    replies: tuple[Reply | None, ...]


def beside(views: Sequence[tuple[Sequence[Asked], Mapping[str, str]]]) -> list[Beside]:
    """Answers side by side. Each view is what somebody was asked, and their fields.

    Versions of a rubric have different ids for the same criterion, so questions are the same by name, seat and type.
    """
    replies: dict[tuple[str, str, Question], list[Reply | None]] = {}
    for place, (questions, fields) in enumerate(views):
        for asked in questions:
            reply = asked.reply(fields)
            if not reply.is_empty:
                key = (asked.draft.name, asked.draft.seat, asked.draft.question)
                replies.setdefault(key, [None] * len(views))[place] = reply
    return [
        Beside(name, seat, max(reply.steps for reply in row if reply is not None), tuple(row))
        for (name, seat, _), row in replies.items()
    ]


@dataclass(frozen=True, slots=True)
class Pooled:
    """What several people answered to one question, taken together so that nobody's answer can be told."""

    asked: Asked
    people: int
    """How many answered it; with too few of them there are no parts."""
    parts: tuple[tuple[str, Fraction | int], ...]
    """What was offered with how many chose it; of points and places of options their mean."""
    mean: Fraction | None
    """Of a number scale."""
    words: tuple[str, ...]
    """Texts and comments, in the order in which the answers came."""


def pooled(questions: Iterable[Asked], answers: Sequence[Mapping[str, str]], *, fewest: int) -> list[Pooled]:
    """The answers of several people to a rubric, question by question; what nobody answered is left out."""
    pools = []
    for asked in questions:
        own_words = tuple(text for fields in answers if (text := asked.in_own_words(fields).text))
        chosen = [fields for fields in answers if asked.reply(fields).lines and not asked.in_own_words(fields).lines]
        parts: list[tuple[str, Fraction | int]] = []
        mean = None
        if len(chosen) >= fewest:
            tidied = [asked.tidy(fields) for fields in chosen]
            is_counted = asked.draft.question is Question.CHOICES
            for name, option in asked.parts:
                values = [int(fields.get(name, "0")) for fields in tidied]
                parts.append((option, sum(values) if is_counted else Fraction(sum(values), len(values))))
            if not asked.parts:
                answered = [fields[asked.key] for fields in tidied]
                parts = [(label, answered.count(value)) for value, label in asked.offered]
                if asked.draft.question is Question.SCALE:
                    mean = Fraction(sum(map(int, answered)), len(answered))
        if chosen or own_words:
            pools.append(Pooled(asked, len(chosen), tuple(parts), mean, own_words))
    return pools


def share_of(questions: Iterable[Asked], fields: Mapping[str, str]) -> Fraction | None:
    """The weighted share of the points that an entry gives; None where it gives none."""
    weighted = [(one.draft.weight, share) for one in questions if (share := one.share(fields)) is not None]
    whole = sum(weight for weight, _ in weighted)
    return sum((weight * share for weight, share in weighted), Fraction(0)) / whole if whole else None


def _by_number(text: str) -> tuple[int, str]:
    return len(text), text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
