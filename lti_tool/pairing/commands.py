"""The command `lti-tool plan`: an instance of the format `pairing/1` in, a result out. No settings, no database."""

import json
import os
from pathlib import Path
from typing import Any, Final, TypeAlias

from lti_tool.pairing.engine import ImpossibleRequest, ImproverMissing, score
from lti_tool.pairing.rules.plan_file.answer import (
    AnswerFlawed,
    notes_of,
    reviews_of,
    schedule_of,
    write_reviews,
    write_schedule,
)
from lti_tool.pairing.rules.plan_file.forms import InstanceFlawed, InstanceKind
from lti_tool.pairing.rules.plan_file.instance import Instance, read_text
from lti_tool.pairing.rules.plan_file.wording import counted, people

MOST_MISTAKES: Final = 20

Answer: TypeAlias = tuple[dict[str, Any], list[str], list[str]]
"""A result, two lines of summary, and notes."""


class Refused(Exception):
    """The instance cannot be answered. The text says why, for a person, and nothing was written."""


def plan_file(source: Path, out: Path, *, seed: int | None, improve: bool) -> tuple[list[str], list[str]]:
    """Answer the instance in a file. Returns two lines of summary, and notes. Raises Refused."""
    instance = _read(source)
    answer = _reviewed if instance.kind is InstanceKind.REVIEW else _planned
    try:
        result, lines, notes = answer(instance, instance.seed if seed is None else seed, improve)
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
            "\n".join([f"{source} is not an instance of pairing/1:", *(f"  {one}" for one in shown)])
        ) from None


def _planned(instance: Instance, seed: int, improve: bool) -> Answer:
    schedule = schedule_of(instance, seed, improve=improve)
    found = score(instance.course, schedule)
    lines = [
        f"{people(len(instance.course.people))}, {counted(len(schedule.rounds), 'round')}, "
        f"{found.unpaired} without a partner",
        f"{counted(found.repeats, 'repeat')}, {counted(found.objective, 'point')}, "
        f"turns as coach and as coachee differ by at most {found.coach_balance}",
    ]
    return write_schedule(schedule, instance.names), lines, notes_of(instance, schedule)


def _reviewed(instance: Instance, seed: int, improve: bool) -> Answer:
    found = reviews_of(instance, seed, improve=improve)
    both = set(found.pairs)
    mutual = sum((author, reviewer) in both for reviewer, author in found.pairs) // 2
    lines = [
        f"{people(len(instance.course.people))}, {counted(instance.reviews_per_person, 'review')} each, "
        f"{len(found.pairs)} in all",
        f"{people(len(found.short))} with fewer, {counted(mutual, 'couple')} with reviews of each other",
    ]
    return write_reviews(found.pairs, instance.names), lines, notes_of(instance, found)


def _write(out: Path, text: str) -> None:
    """All of it or nothing: a reader never sees half a result, and an old one stays if something fails."""
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(out)
    except OSError as failure:
        unfinished.unlink(missing_ok=True)
        raise Refused(f"{out} cannot be written: {failure.strerror}") from None
