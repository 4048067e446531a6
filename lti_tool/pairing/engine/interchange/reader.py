"""Reading JSON strictly: every mistake with its path, all of them at once."""

from collections.abc import Iterable, Mapping
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
        if isinstance(written, str | int) and not isinstance(written, bool) and written != "":
            return written
        self.mistake(path, "the id of a person is needed")
        return None

    def members(self, path: str, written: object) -> list[Name]:
        """The members of a group, which is an object with `members` or just a list, without repeats."""
        if isinstance(written, dict):
            path, written = at(path, "members"), written.get("members")
        names = [self.person(at(path, number), one) for number, one in enumerate(self.listed(path, written))]
        found = [one for one in names if one is not None]
        if len(set(found)) < len(found):
            self.mistake(path, "somebody is named twice")
        return list(dict.fromkeys(found))
