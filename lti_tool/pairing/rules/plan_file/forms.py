"""What an instance may hold, part by part, and what is said of a mistake. Every part is read strictly."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from lti_tool.pairing.engine.rules import Exclusions, Other, ReportingLine, Rule, Same, Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap, RatherOther, RatherSame, Wish
from lti_tool.pairing.rules.plan_file.wording import Name
from lti_tool.support.spelling import compared

LARGEST: Final = 1_000_000_000
MOST_POINTS: Final = 1_000_000
MOST_ROUNDS: Final = 10_000
ROLES: Final = ("coach", "observer", "coachee")
"""In order of turn; in a group of two there is no observer."""

SAID: Final = {
    "list_type": "a list is needed",
    "model_type": "an object is needed",
    "string_type": "a text is needed",
    "bool_type": "true or false is needed",
}
"""What is said of a value of the wrong form; the validators below have words of their own."""


class InstanceFlawed(ValueError):
    """What was read is not an instance. `mistakes` has a sentence for each, which begins with its path."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class InstanceKind(StrEnum):
    """What is asked for."""

    PAIRS = "pairs"
    REVIEW = "review"


# ---- values ----------------------------------------------------------------------------------------------------------


def alike(name: Name) -> str:
    """An id or text as it is compared; 7 and "7", and wide and narrow forms of a letter are the same."""
    return compared(str(name), "NFKC")


def is_name(written: object) -> bool:
    """Whether this can be the id of a person."""
    return isinstance(written, str | int) and not isinstance(written, bool) and bool(alike(written))


def is_whole(written: object, least: int, most: int) -> bool:
    """Whether this is a whole number from `least` to `most`."""
    return isinstance(written, int) and not isinstance(written, bool) and least <= written <= most


def whole_needed(least: int, most: int) -> str:
    """What is said of anything else."""
    return f"a whole number from {least} to {most} is needed"


def _name(written: object) -> object:
    if not is_name(written):
        raise ValueError("the id of a person is needed")
    return written


def _once(members: list[Name]) -> list[Name]:
    if len({alike(name) for name in members}) < len(members):
        raise ValueError("somebody is named twice")
    return members


def _whole(least: int = -LARGEST, most: int = LARGEST) -> BeforeValidator:
    def check(written: object) -> object:
        if not is_whole(written, least, most):
            raise ValueError(whole_needed(least, most))
        return written

    return BeforeValidator(check)


def _one_of(*words: str) -> BeforeValidator:
    def check(written: object) -> object:
        if written in words:
            return written
        raise ValueError(f"one of these is needed: {', '.join(words)}")

    return BeforeValidator(check)


PersonName = Annotated[Name, PlainValidator(_name)]
Members = Annotated[list[PersonName], AfterValidator(_once)]
Count = Annotated[int, _whole(0)]
AmongNames = Annotated[str, _one_of("department", "group")]
AmongSets = Annotated[str, _one_of("languages", "slots")]
NEEDED: Any = Field(default=None)
"""A field that must be there: None is no value for it, and the mistake is named in the same words."""


# ---- parts -----------------------------------------------------------------------------------------------------------


class Part(BaseModel):
    """One object of an instance. A field that is not known is no mistake, but it is noted, for it may be a slip."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, validate_default=True)


class InstancePart(Part):
    """The whole; the entries of its lists are read one by one."""

    name: str = ""
    seed: Annotated[int, _whole(0, 2**63 - 1)] = 0
    kind: Annotated[InstanceKind, BeforeValidator(InstanceKind), _one_of(*InstanceKind)] = InstanceKind.PAIRS
    rounds: Annotated[int, _whole(1, MOST_ROUNDS)] = 1
    reviews_per_person: Annotated[int, _whole(1)] = 1
    outside_managers: bool = False
    people: list[Any] = NEEDED
    constraints: list[Any] = []
    weights: list[Any] = []
    past: list[Any] = []
    locked: list[Any] = []
    current: list[Any] = []
    left: Members = []
    joined: Members = []

    @model_validator(mode="before")
    @classmethod
    def _what_belongs_to_the_kind(cls, written: dict[str, Any]) -> dict[str, Any]:
        """`rounds` belong to pairs and are needed unless a round is repaired, `reviews_per_person` to reviews."""
        if written.get("kind", InstanceKind.PAIRS) == InstanceKind.REVIEW:
            return {"reviews_per_person": None} | {name: what for name, what in written.items() if name != "rounds"}
        needed = {} if "current" in written else {"rounds": None}
        return needed | {name: what for name, what in written.items() if name != "reviews_per_person"}


class PersonPart(Part):
    """Someone, and what is known of them."""

    id: PersonName = NEEDED
    manager: PersonName | None = None
    department: str | None = None
    group: str | None = None
    languages: list[str] | None = None
    slots: list[str] | None = None
    experience: Annotated[int, _whole()] | None = None
    past_coach: Count = 0
    past_coachee: Count = 0
    unpaired_last: bool = False


class GroupPart(Part):
    """People who are or were together."""

    members: Members = NEEDED


class CurrentPart(GroupPart):
    """A group of the running round."""

    roles: Any = None


class LockPart(GroupPart):
    """People who must be together in a round."""

    round: Any = None


class Bare(Part):
    """A constraint without anything to choose."""

    type: str


class Exclude(Bare):
    """Couples who are kept apart."""

    pairs: list[Any] = NEEDED


class ByAttribute(Bare):
    """A constraint that compares values."""

    attribute: str = NEEDED


class Weight(ByAttribute):
    """Points for couples, by comparing values."""

    weight: Annotated[int, _whole(0, MOST_POINTS)] = NEEDED


class CappedWeight(Weight):
    """Points for each step between values, up to a limit."""

    cap: Count = MOST_POINTS


class ByName(ByAttribute):
    attribute: AmongNames = NEEDED


class BySet(ByAttribute):
    attribute: AmongSets = NEEDED


class WeightByName(Weight):
    attribute: AmongNames = NEEDED


class WeightBySet(CappedWeight):
    attribute: AmongSets = NEEDED


class WeightByNumber(CappedWeight):
    attribute: Annotated[str, _one_of("experience")] = NEEDED


CONSTRAINTS: Final[dict[str, tuple[type[Bare], Callable[..., Rule]]]] = {
    "not_manager": (Bare, ReportingLine),
    "share_any": (BySet, Share),
    "differ": (ByName, Other),
    "same": (ByName, Same),
    "exclude": (Exclude, Exclusions),
}
WEIGHTS: Final[dict[str, tuple[type[Bare], Callable[..., Wish]]]] = {
    "differ": (WeightByName, RatherOther),
    "same": (WeightByName, RatherSame),
    "gap": (WeightByNumber, RatherGap),
    "extra_shared": (WeightBySet, ExtraShared),
}


# ---- reading ---------------------------------------------------------------------------------------------------------

Read = TypeVar("Read", bound=Part)
ReadGroup = TypeVar("ReadGroup", bound=GroupPart)


@dataclass
class Reading:
    """Reads parts of an instance, and keeps every mistake and note with its path."""

    mistakes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def mistake(self, path: str, says: str) -> None:
        self.mistakes.append(f"{path}: {says}")

    def part(self, path: str, form: type[Read], written: object) -> Read | None:
        """One object; None where something is wrong with it."""
        try:
            part = form.model_validate(written)
        except ValidationError as flawed:
            for error in flawed.errors(include_url=False, include_input=False):
                says = (
                    error["ctx"]["error"] if error["type"] == "value_error" else SAID.get(error["type"], error["msg"])
                )
                self.mistake(at(path, *error["loc"]), str(says))
            return None
        self.notes += [
            f"{at(path, name)}: is not a field of the format, so it is not read"
            for name in sorted(part.model_extra or ())
        ]
        return part

    def whole(self, written: dict[str, Any]) -> InstancePart:
        """The instance. What stands in for a flawed field is its default."""
        if part := self.part("", InstancePart, written):
            return part
        flawed = {mistake.partition(":")[0].partition("[")[0] for mistake in self.mistakes}
        stand_ins = {"people": [], "rounds": MOST_ROUNDS, "reviews_per_person": 1}
        sound = {name: what for name, what in written.items() if name not in flawed}
        return InstancePart.model_validate(stand_ins | sound)

    def group(self, path: str, form: type[ReadGroup], written: object) -> ReadGroup | None:
        """A group, which is an object or just the list of its members."""
        if not isinstance(written, list):
            return self.part(path, form, written)
        mistakes = len(self.mistakes)
        part = self.part(path, form, {"members": written})
        self.mistakes[mistakes:] = [said.replace(f"{path}.members", path, 1) for said in self.mistakes[mistakes:]]
        return part

    def kind(self, path: str, written: object, kinds: Mapping[str, tuple[type[Bare], Any]], word: str) -> Bare | None:
        """A constraint or weight, read by the form of its type."""
        if not isinstance(written, dict):
            self.mistake(path, SAID["model_type"])
            return None
        kind = written.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            self.mistake(at(path, "type"), f"{kind!r} is not a {word}; the {word}s are {', '.join(kinds)}")
            return None
        return self.part(path, kinds[kind][0], written)


def at(path: str, *keys: str | int) -> str:
    """The path of a part: `people`, `people[3]`, `people[3].id`."""
    for key in keys:
        path = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
    return path


def half_characters(written: object) -> Iterator[str]:
    """The paths of texts and names with half of a surrogate pair in them: JSON can escape one, no file can hold it."""
    waiting = [("", written)]
    while waiting:
        path, here = waiting.pop()
        if isinstance(here, str):
            if any("\ud800" <= character <= "\udfff" for character in here):
                yield path
        elif isinstance(here, list):
            waiting += [(at(path, number), entry) for number, entry in enumerate(here)]
        elif isinstance(here, dict):
            for name, value in here.items():
                waiting += [(at(path, ascii(name)[1:-1]), name), (at(path, ascii(name)[1:-1]), value)]
