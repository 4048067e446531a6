"""Reading JSON strictly: every mistake with its path, all of them at once."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

Name: TypeAlias = str | int
"""What an instance calls somebody."""

LARGEST: Final = 1_000_000_000
MOST_NAMED: Final = 20
"""Of more warnings than this the rest are counted."""


class InstanceFlawed(ValueError):
    """What was read is no instance. `mistakes` has a sentence for each, which begins with its path."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def at(path: str, key: str | int) -> str:
    """The path of a part: `people`, `people[3]`, `people[3].id`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def alike(name: Name) -> str:
    """The name or value as it is compared: case, blanks, forms of letters and 7 or "7" make no difference."""
    visible = (one for one in unicodedata.normalize("NFKC", str(name)) if unicodedata.category(one) != "Cf")
    return unicodedata.normalize("NFKC", " ".join("".join(visible).split()).casefold())


def half_characters(written: object) -> Iterator[str]:
    """The paths of texts and names with half of a surrogate pair in them: JSON can escape one, no file can hold it."""
    waiting = [("", written)]
    while waiting:
        path, here = waiting.pop()
        if isinstance(here, str):
            if any("\ud800" <= one <= "\udfff" for one in here):
                yield path
        elif isinstance(here, list):
            waiting += [(at(path, number), one) for number, one in enumerate(here)]
        elif isinstance(here, dict):
            for name, one in here.items():
                waiting += [(at(path, ascii(name)[1:-1]), name), (at(path, ascii(name)[1:-1]), one)]


@dataclass
class Reader:
    """Takes values of the form that is wanted and notes what is not of it; what it gives then is a stop-gap."""

    mistakes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def mistake(self, path: str, says: str) -> None:
        self.mistakes.append(f"{path}: {says}")

    def warn(self, says: str) -> None:
        self.warnings.append(says)

    def warn_of_others(self, path: str, written: Mapping[str, Any], known: Iterable[str]) -> None:
        """Names that are not read are no mistake, but a slip of the pen should be seen."""
        for name in sorted(set(written) - set(known)):
            self.warn(f"{at(path, name)}: is not read")

    def listed(self, path: str, written: object) -> list[Any]:
        if isinstance(written, list):
            return written
        self.mistake(path, "a list is needed")
        return []

    def named(self, path: str, written: object) -> dict[str, Any]:
        if isinstance(written, dict):
            return written
        self.mistake(path, "an object is needed")
        return {}

    def flag(self, path: str, written: object) -> bool:
        if isinstance(written, bool):
            return written
        self.mistake(path, "true or false is needed")
        return False

    def text(self, path: str, written: object) -> str:
        if isinstance(written, str):
            return written
        self.mistake(path, "a text is needed")
        return ""

    def number(self, path: str, written: object, *, least: int = -LARGEST, most: int = LARGEST) -> int:
        if isinstance(written, int) and not isinstance(written, bool) and least <= written <= most:
            return written
        self.mistake(path, f"a whole number from {least} to {most} is needed")
        return max(least, 0)

    def one_of(self, path: str, written: object, known: type[StrEnum]) -> str:
        words = [str(one) for one in known]
        if written not in words:
            self.mistake(path, f"one of these is needed: {', '.join(words)}")
            return words[0]
        return str(written)

    def person(self, path: str, written: object) -> Name | None:
        """The name of somebody, whether known or not."""
        if isinstance(written, str | int) and not isinstance(written, bool) and alike(written):
            return written
        self.mistake(path, "the id of a person is needed")
        return None

    def members(self, path: str, written: object) -> list[Name]:
        """The members of a group, which is an object with `members` or just a list, without repeats."""
        if isinstance(written, dict):
            path, written = at(path, "members"), written.get("members")
        names = [self.person(at(path, number), one) for number, one in enumerate(self.listed(path, written))]
        named = [one for one in names if one is not None]
        found = {alike(one): one for one in reversed(named)}
        if len(found) < len(named):
            self.mistake(path, "somebody is named twice")
        return list(reversed(found.values()))
