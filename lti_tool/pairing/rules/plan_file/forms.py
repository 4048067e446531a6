"""The parts of an instance, each read strictly, and what is said about mistakes in them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final, Generic, TypeVar

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
"""In order of turn; a group of two has no observer."""
SAID: Final = {
    "list_type": "a list is needed",
    "model_type": "an object is needed",
    "string_type": "a text is needed",
    "bool_type": "true or false is needed",
}
"""What is said about a value of the wrong type; the validators below have words of their own."""


class InstanceFlawed(ValueError):
    """What was read is not an instance. Each of `mistakes` is a sentence that begins with a path."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class InstanceKind(StrEnum):
    """What is asked for."""

    PAIRS = "pairs"
    REVIEW = "review"


def alike(name: Name) -> str:
    """An id or text as it is compared; 7 and "7", and wide and narrow forms of a letter are the same."""
    return compared(str(name), "NFKC")


def is_name(written: object) -> bool:
    """Whether this can be the id of a person."""
    return isinstance(written, str | int) and not isinstance(written, bool) and bool(alike(written))


def whole_number(written: object, least: int = -LARGEST, most: int = LARGEST) -> int:
    """The number, if it is whole and in these limits. Raises ValueError."""
    if not isinstance(written, int) or isinstance(written, bool) or not least <= written <= most:
        raise ValueError(f"a whole number from {least} to {most} is needed")
    return written


def _name(written: object) -> object:
    if not is_name(written):
        raise ValueError("the id of a person is needed")
    return written


def _once(members: list[Name]) -> list[Name]:
    if len({alike(name) for name in members}) < len(members):
        raise ValueError("somebody is named twice")
    return members


def _whole(*limits: int) -> BeforeValidator:
    return BeforeValidator(lambda written: whole_number(written, *limits))


def _among(*words: str) -> BeforeValidator:
    def check(written: object) -> object:
        if written in words:
            return written
        raise ValueError(f"one of these is needed: {', '.join(words)}")

    return BeforeValidator(check)


PersonName = Annotated[Name, PlainValidator(_name)]
Members = Annotated[list[PersonName], AfterValidator(_once)]
Count = Annotated[int, _whole(0, LARGEST)]
NEEDED: Any = Field(default=None)
"""The default of a field that must be there: None is no value for it, and is refused in the same words."""


class Part(BaseModel):
    """An object of an instance. An unknown field is noted and is no mistake."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, validate_default=True)


class InstancePart(Part):
    """The whole instance; the entries of its lists are read one by one."""

    name: str = ""
    seed: Annotated[int, _whole(0, 2**63 - 1)] = 0
    kind: Annotated[InstanceKind, BeforeValidator(InstanceKind), _among(*InstanceKind)] = InstanceKind.PAIRS
    rounds: Annotated[int, _whole(1, MOST_ROUNDS)] = 1
    reviews_per_person: Annotated[int, _whole(1, LARGEST)] = 1
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
    """A person, and what is known about them."""

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


Attribute = TypeVar("Attribute", bound=str)
AmongNames = Annotated[str, _among("department", "group")]
AmongSets = Annotated[str, _among("languages", "slots")]


class Bare(Part):
    """A constraint without parameters."""

    type: str


class Exclude(Bare):
    """Couples who are kept apart."""

    pairs: list[Any] = NEEDED


class ByAttribute(Bare, Generic[Attribute]):
    """A constraint that compares values."""

    attribute: Attribute = NEEDED


class Weight(ByAttribute[Attribute], Generic[Attribute]):
    """Points for couples, by comparing values."""

    weight: Annotated[int, _whole(0, MOST_POINTS)] = NEEDED


class CappedWeight(Weight[Attribute], Generic[Attribute]):
    """Points for each step between values, up to a limit."""

    cap: Count = MOST_POINTS


CONSTRAINTS: Final[dict[str, tuple[type[Bare], Callable[..., Rule]]]] = {
    "not_manager": (Bare, ReportingLine),
    "share_any": (ByAttribute[AmongSets], Share),
    "differ": (ByAttribute[AmongNames], Other),
    "same": (ByAttribute[AmongNames], Same),
    "exclude": (Exclude, Exclusions),
}
WEIGHTS: Final[dict[str, tuple[type[Bare], Callable[..., Wish]]]] = {
    "differ": (Weight[AmongNames], RatherOther),
    "same": (Weight[AmongNames], RatherSame),
    "gap": (CappedWeight[Annotated[str, _among("experience")]], RatherGap),
    "extra_shared": (CappedWeight[AmongSets], ExtraShared),
}

Read = TypeVar("Read", bound=Part)
ReadGroup = TypeVar("ReadGroup", bound=GroupPart)


@dataclass
class Reading:
    """Reads parts of an instance, and collects mistakes and notes with their paths."""

    mistakes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def mistake(self, path: str, says: object) -> None:
        self.mistakes.append(f"{path}: {says}")

    def part(self, path: str, form: type[Read], written: object) -> Read | None:
        """An object, or None if there is a mistake in it."""
        try:
            part = form.model_validate(written)
        except ValidationError as flawed:
            for error in flawed.errors(include_url=False, include_input=False):
                own_words = error["type"] == "value_error"
                says = error["ctx"]["error"] if own_words else SAID.get(error["type"], error["msg"])
                self.mistake(at(path, *error["loc"]), says)
            return None
        unknown = sorted(part.model_extra or ())
        self.notes += [f"{at(path, name)}: is not a field of the format, so it is not read" for name in unknown]
        return part

    def whole(self, written: dict[str, Any]) -> InstancePart:
        """The instance; a field with a mistake gets its default."""
        if part := self.part("", InstancePart, written):
            return part
        flawed = {mistake.partition(":")[0].partition("[")[0] for mistake in self.mistakes}
        defaults = {"people": [], "rounds": MOST_ROUNDS, "reviews_per_person": 1}
        sound = {name: what for name, what in written.items() if name not in flawed}
        return InstancePart.model_validate(defaults | sound)

    def group(self, path: str, form: type[ReadGroup], written: object) -> ReadGroup | None:
        """A group, which is written as an object or as the list of its members."""
        if not isinstance(written, list):
            return self.part(path, form, written)
        before = len(self.mistakes)
        part = self.part(path, form, {"members": written})
        self.mistakes[before:] = [said.replace(f"{path}.members", path, 1) for said in self.mistakes[before:]]
        return part

    def kind(self, path: str, written: object, kinds: Mapping[str, tuple[type[Bare], Any]], word: str) -> Bare | None:
        """A constraint or weight, read by the form of its type."""
        kind = written.get("type") if isinstance(written, dict) else None
        if isinstance(kind, str) and kind in kinds:
            return self.part(path, kinds[kind][0], written)
        if isinstance(written, dict):
            self.mistake(at(path, "type"), f"{kind!r} is not a {word}; the {word}s are {', '.join(kinds)}")
        else:
            self.mistake(path, SAID["model_type"])
        return None


def at(path: str, *keys: str | int) -> str:
    """The path of a part: `people`, `people[3]`, `people[3].id`."""
    for key in keys:
        path = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
    return path


def half_characters(written: object) -> Iterator[str]:
    """The paths of texts and names with half of a surrogate pair, which JSON can escape and no file can hold."""
    waiting = [("", written)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            yield path
        elif isinstance(value, list):
            waiting += [(at(path, number), entry) for number, entry in enumerate(value)]
        elif isinstance(value, dict):
            waiting += [
                (at(path, ascii(name)[1:-1]), part) for item in value.items() for name in item[:1] for part in item
            ]
