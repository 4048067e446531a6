"""The form for pairing rules: a line for each attribute, from preferences to texts and back.

Fields are called like the values of the preferences: `rules-department-at_least`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lti_tool.errors import N_
from lti_tool.pairing.engine import Kind
from lti_tool.pairing.rules.preferences import (
    LISTS,
    RULES,
    SIZES,
    WISHES,
    Preferences,
    RuleChoice,
    RuleKind,
    WishChoice,
    WishKind,
)

Texts = Mapping[str, str]
BOTH_WAYS: Final = "both_ways"
"""The choice that each offers what the other wants to learn. In the preferences, that is a flag of the rule."""


@dataclass(frozen=True, slots=True)
class Line:
    """What can be required of, or wished for in, an attribute."""

    attribute: str
    choices: tuple[tuple[str, str], ...]
    """Kinds, and names in the engine, which have words; without the choice that the attribute does not matter."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The attributes that must be known for this to have an effect."""
        return ("offers", "needs") if self.attribute == "offers" else (self.attribute,)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that a rule takes."""
        if self.attribute == "experience":
            return ("at_least", "at_most")
        return ("at_least",) if self.attribute in LISTS else ()


def _lines(table: Mapping[Any, tuple[object, tuple[str, ...]]], name: Callable[[Any, str], str]) -> tuple[Line, ...]:
    attributes = dict.fromkeys(attribute for _, fitting in table.values() for attribute in fitting)
    return tuple(
        Line(attribute, tuple((kind, name(kind, attribute)) for kind in table if attribute in table[kind][1]))
        for attribute in attributes
    )


def _rule_name(kind: str, attribute: str) -> str:
    return "offers:both" if kind == BOTH_WAYS else RuleChoice(RuleKind(kind), attribute, 1).to_engine()[0].name


LINES: Final = {
    "rules": _lines({**RULES, BOTH_WAYS: RULES[RuleKind.OFFERS_MEET_NEEDS]}, _rule_name),
    "wishes": _lines(WISHES, lambda kind, attribute: WishChoice(kind, attribute).to_engine().name),
}
WEIGHTS: Final = ((1, N_("a little")), (3, N_("more")), (10, N_("a lot")))
WAYS: Final = ((10, N_("first")), (30, N_("early")), (50, N_("in the middle")), (90, N_("last")))
"""When it is suggested to switch a rule off."""
FLAGS: Final = ("not_again", "should_not_holds", "history_counts")
NUMBERS: Final = ("at_least", "at_most", "priority", "weight", "size")


@dataclass(frozen=True, slots=True)
class Preset:
    """Preferences to start from."""

    label: str
    text: str
    wanted: Preferences


_NOT_THEIR_BOSS: Final = RuleChoice(RuleKind.REPORTING_LINE, "manager")
_LANGUAGE: Final = RuleChoice(RuleKind.SHARE, "languages")
_FREE_TIME: Final = WishChoice(WishKind.EXTRA_SHARED, "slots", 1)
PRESETS: Final[dict[str, Preset]] = {
    "plain": Preset(
        N_("No rules"), N_("Everyone may meet everyone, and partners change from round to round."), Preferences()
    ),
    "across-groups": Preset(
        N_("Mix groups and sections"),
        N_("Preferably someone from another group, section or class of the course, with free time in common."),
        Preferences(wishes=(WishChoice(WishKind.OTHER, "group", 10), _FREE_TIME)),
    ),
    "within-groups": Preset(
        N_("Stay within groups and sections"),
        N_("Only someone from the same group, section or class, with free time in common."),
        Preferences(rules=(RuleChoice(RuleKind.SAME, "group"),), wishes=(_FREE_TIME,)),
    ),
    "common-language": Preset(
        N_("Online course in several countries"),
        N_("A language in common, preferably close time zones and free time in common."),
        Preferences(
            rules=(_LANGUAGE,),
            wishes=(
                WishChoice(WishKind.EXTRA_SHARED, "slots", 3),
                WishChoice(WishKind.NEAR_IN_TIME, "time_zone", 3),
            ),
        ),
    ),
    "across": Preset(
        N_("Across departments"),
        N_("A language and free time in common, preferably another department, never in the same reporting line."),
        Preferences(
            rules=(_NOT_THEIR_BOSS, _LANGUAGE, RuleChoice(RuleKind.SHARE, "slots")),
            wishes=(WishChoice(WishKind.OTHER, "department", 10), _FREE_TIME),
        ),
    ),
    "new-managers": Preset(
        N_("Support for new managers"),
        N_("At least two years of experience apart, never in the same reporting line."),
        Preferences(
            rules=(_NOT_THEIR_BOSS, RuleChoice(RuleKind.GAP, "experience", at_least=2)),
            wishes=(WishChoice(WishKind.OTHER, "department", 3), _FREE_TIME),
        ),
    ),
    "cross-training": Preset(
        N_("Cross-training"),
        N_("Another department, and preferably someone who offers what the other wants to learn."),
        Preferences(
            rules=(_NOT_THEIR_BOSS, RuleChoice(RuleKind.OTHER, "department")),
            wishes=(_FREE_TIME, WishChoice(WishKind.OFFERS_FIT, "offers", 10)),
        ),
    ),
}
PRESET_KINDS: Final = (
    (N_("For a course"), ("plain", "across-groups", "within-groups", "common-language")),
    (N_("For a workplace"), ("across", "new-managers", "cross-training")),
)


def texts_of(wanted: Preferences) -> dict[str, str]:
    """What the fields of the form hold for these preferences."""
    plain = wanted.to_json()
    for what in LINES:
        for choice in plain.pop(what):
            if choice.pop(BOTH_WAYS, False):
                choice["kind"] = BOTH_WAYS
            plain |= {f"{what}-{choice['attribute']}-{field}": value for field, value in choice.items()}
    return {name: _text(value) for name, value in plain.items()}


def plain_values(texts: Texts) -> dict[str, Any]:
    """The form as plain values for `rules.preferences.read`, which refuses a text in place of a number."""
    kind = texts.get("kind", Kind.PAIRS.value)
    has_one_size = kind in {Kind.PAIRS.value, Kind.TRIOS.value}
    return {
        "kind": kind,
        "size": SIZES[Kind(kind)][0] if has_one_size else _value("size", texts.get("size", "")),
        **{what: [_choice(texts, f"{what}-{attribute}-") for attribute in _chosen(texts, what)] for what in LINES},
        **{flag: bool(texts.get(flag)) for flag in FLAGS},
    }


def field_of(texts: Texts, path: str) -> str:
    """The field of the form for a path in the plain values: `rules.0.at_least` is `rules-department-at_least`."""
    what, _, rest = path.partition(".")
    number, _, field = rest.partition(".")
    if what not in LINES or not number.isdigit():
        return what
    return f"{what}-{_chosen(texts, what)[int(number)]}-{field if field in NUMBERS else 'kind'}"


def _chosen(texts: Texts, what: str) -> list[str]:
    """The attributes for which something is chosen, in the order of the lines."""
    return [line.attribute for line in LINES[what] if texts.get(f"{what}-{line.attribute}-kind")]


def _choice(texts: Texts, at: str) -> dict[str, Any]:
    fields = {name.removeprefix(at): text for name, text in texts.items() if name.startswith(at)}
    choice = {field: _value(field, text) for field, text in fields.items()} | {"attribute": at.split("-")[1]}
    is_both_ways = choice["kind"] == BOTH_WAYS
    return choice | ({"kind": RuleKind.OFFERS_MEET_NEEDS.value, BOTH_WAYS: True} if is_both_ways else {})


def _value(field: str, text: str) -> int | bool | str | None:
    """What the text of a field says: yes or no, a number, None for an empty text, or else the text itself."""
    plain = text.strip()
    if field == "unknown_is_allowed":
        return bool(plain)
    is_number = field in NUMBERS and plain.isascii() and plain.isdigit() and len(plain) < 10
    return int(plain) if is_number else plain or None


def _text(value: object) -> str:
    return {True: "1", False: ""}[value] if isinstance(value, bool) else "" if value is None else str(value)
