"""The command `lti-tool plan`: an instance of the format `pairing/1` in, a result out. No settings, no database."""

import json
import os
from pathlib import Path
from typing import Any, Final, TypeAlias

from lti_tool.pairing.engine import ImpossibleRequest, ImproverMissing, score
from lti_tool.pairing.rules.plan_answer import (
    AnswerFlawed,
    notes_of,
    reviews_of,
    schedule_of,
    write_reviews,
    write_schedule,
)
from lti_tool.pairing.rules.plan_file import Instance, InstanceFlawed, counted, people, read_text

MOST_MISTAKES: Final = 20

Answer: TypeAlias = tuple[dict[str, Any], list[str], list[str]]
"""A result, two lines of summary, and notes."""


class Refused(Exception):
    """The instance cannot be answered, and nothing was written. The text says why."""


def plan_file(source: Path, out: Path, *, seed: int | None, improve: bool) -> tuple[list[str], list[str]]:
    """Answer the instance in a file. Returns two lines of summary, and notes. Raises Refused."""
    instance = _read(source)
    answer = _reviewed if instance.form.kind == "review" else _planned
    try:
        result, lines, notes = answer(instance, instance.form.seed if seed is None else seed, improve)
    except ImpossibleRequest as refusal:
        raise Refused(f"This cannot be planned: {type(refusal).__name__} {refusal}") from None
    except ImproverMissing as missing:
        raise Refused(f"--improve: {missing or ImproverMissing.__doc__}") from None
    except AnswerFlawed as flawed:
        raise Refused(f"The result did not pass our own check, so nothing was written: {flawed}") from None
    _write(out, json.dumps(result, ensure_ascii=False) + "\n")
    return lines, notes


def _read(source: Path) -> Instance:
    try:
        return read_text(source.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused(f"{source} is not UTF-8.") from None
    except OSError as failure:
        raise Refused(f"{source} cannot be read: {failure.strerror}") from None
    except InstanceFlawed as flawed:
        shown = list(flawed.mistakes[:MOST_MISTAKES])
        if len(flawed.mistakes) > MOST_MISTAKES:
            shown.append(f"and {len(flawed.mistakes) - MOST_MISTAKES} more")
        raise Refused(
            "\n".join([f"{source} is not an instance of pairing/1:", *(f"  {mistake}" for mistake in shown)])
        ) from None


def _planned(instance: Instance, seed: int, improve: bool) -> Answer:
    schedule = schedule_of(instance, seed, improve=improve)
    total = score(instance.course, schedule)
    lines = [
        f"{people(len(instance.course.people))}, {counted(len(schedule.rounds), 'round')}, "
        f"{total.unpaired} without a partner",
        f"{counted(total.repeats, 'repeat')}, {counted(total.objective, 'point')}, "
        f"turns as coach and as coachee differ by at most {total.coach_balance}",
    ]
    return write_schedule(schedule, instance.names), lines, notes_of(instance, schedule)


def _reviewed(instance: Instance, seed: int, improve: bool) -> Answer:
    reviews = reviews_of(instance, seed, improve=improve)
    pairs = set(reviews.pairs)
    mutual = sum((author, reviewer) in pairs for reviewer, author in pairs) // 2
    lines = [
        f"{people(len(instance.course.people))}, {counted(instance.form.reviews_per_person, 'review')} each, "
        f"{len(reviews.pairs)} in all",
        f"{people(len(reviews.short))} with fewer, {counted(mutual, 'couple')} with reviews of each other",
    ]
    return write_reviews(reviews.pairs, instance.names), lines, notes_of(instance, reviews)


def _write(out: Path, text: str) -> None:
    """Write all of it or nothing: the old result stays if something fails."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(out)
    except OSError as failure:
        unfinished.unlink(missing_ok=True)
        raise Refused(f"{out} cannot be written: {failure.strerror}") from None
