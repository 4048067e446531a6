"""The form on which designers say who may meet whom: one line an attribute, as texts, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lti_tool.errors import N_
from lti_tool.pairing.engine import Kind
from lti_tool.pairing.rules.preferences import SIZES, Preferences, RuleChoice, RuleKind, WishChoice, WishKind

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """What can be demanded of, or wished for in, one attribute."""

    attribute: str
    choices: tuple[tuple[str, str], ...]
    """Kind and words; the first choice, that it does not matter, is not among them."""
    has_least: bool = False
    has_most: bool = False
    can_relax: bool = True

    @property
    def needs(self) -> tuple[str, ...]:
        """The attributes that must be known for this to say anything."""
        return ("offers", "needs") if self.attribute == "offers" else (self.attribute,)


RULE_LINES: Final = (
    Line("manager", ((RuleKind.REPORTING_LINE, N_("never their own manager or anyone above them")),), can_relax=False),
    Line(
        "department",
        ((RuleKind.OTHER, N_("must be another department")), (RuleKind.SAME, N_("must be the same department"))),
    ),
    Line("group", ((RuleKind.OTHER, N_("must be another group")), (RuleKind.SAME, N_("must be the same group")))),
    Line("cohort", ((RuleKind.OTHER, N_("must be another cohort")), (RuleKind.SAME, N_("must be the same cohort")))),
    Line("languages", ((RuleKind.SHARE, N_("must share a language")),), has_least=True),
    Line("slots", ((RuleKind.SHARE, N_("must share a time of the week")),), has_least=True),
    Line("experience", ((RuleKind.GAP, N_("must differ by these years")),), has_least=True, has_most=True),
    Line(
        "offers",
        ((RuleKind.OFFERS_MEET_NEEDS, N_("one must offer what the other wants to learn")),),
    ),
)
BOTH_WAYS: Final = N_("each must offer what the other wants to learn")
WISH_LINES: Final = (
    Line("department", ((WishKind.OTHER, N_("prefer another department")), (WishKind.SAME, N_("prefer the same")))),
    Line("group", ((WishKind.OTHER, N_("prefer another group")), (WishKind.SAME, N_("prefer the same")))),
    Line("cohort", ((WishKind.OTHER, N_("prefer another cohort")), (WishKind.SAME, N_("prefer the same")))),
    Line("experience", ((WishKind.GAP, N_("prefer more years apart")),)),
    Line("languages", ((WishKind.EXTRA_SHARED, N_("prefer several languages in common")),)),
    Line("slots", ((WishKind.EXTRA_SHARED, N_("prefer a lot of free time in common")),)),
    Line("time_zone", ((WishKind.NEAR_IN_TIME, N_("prefer close time zones")),)),
    Line("offers", ((WishKind.OFFERS_FIT, N_("prefer someone who offers what the other wants to learn")),)),
)
WEIGHTS: Final = ((1, N_("a little")), (3, N_("more")), (10, N_("a lot")))
WAYS: Final = ((10, N_("first")), (30, N_("early")), (50, N_("in the middle")), (90, N_("last")))
"""When it is suggested to switch a rule off."""

_PLAIN: Final = Preferences()
_NEW_MANAGERS: Final = Preferences(
    rules=(
        RuleChoice(RuleKind.REPORTING_LINE, "manager"),
        RuleChoice(RuleKind.GAP, "experience", at_least=2),
    ),
    wishes=(WishChoice(WishKind.OTHER, "department", 3), WishChoice(WishKind.EXTRA_SHARED, "slots", 1)),
)
_CROSS_TRAINING: Final = Preferences(
    rules=(RuleChoice(RuleKind.REPORTING_LINE, "manager"), RuleChoice(RuleKind.OTHER, "department")),
    wishes=(WishChoice(WishKind.EXTRA_SHARED, "slots", 1), WishChoice(WishKind.OFFERS_FIT, "offers", 10)),
)
_ACROSS: Final = Preferences(
    rules=(
        RuleChoice(RuleKind.REPORTING_LINE, "manager"),
        RuleChoice(RuleKind.SHARE, "languages"),
        RuleChoice(RuleKind.SHARE, "slots"),
    ),
    wishes=(WishChoice(WishKind.OTHER, "department", 10), WishChoice(WishKind.EXTRA_SHARED, "slots", 1)),
)
_ACROSS_GROUPS: Final = Preferences(
    wishes=(WishChoice(WishKind.OTHER, "group", 10), WishChoice(WishKind.EXTRA_SHARED, "slots", 1)),
)
_WITHIN_GROUPS: Final = Preferences(
    rules=(RuleChoice(RuleKind.SAME, "group"),), wishes=(WishChoice(WishKind.EXTRA_SHARED, "slots", 1),)
)
_COMMON_LANGUAGE: Final = Preferences(
    rules=(RuleChoice(RuleKind.SHARE, "languages"),),
    wishes=(WishChoice(WishKind.EXTRA_SHARED, "slots", 3), WishChoice(WishKind.NEAR_IN_TIME, "time_zone", 3)),
)
PRESETS: Final[dict[str, tuple[str, str, Preferences]]] = {
    "plain": (N_("No rules"), N_("Everyone may meet everyone, and partners change from round to round."), _PLAIN),
    "across-groups": (
        N_("Mix groups and sections"),
        N_("Preferably someone from another group, section or class of the course, with free time in common."),
        _ACROSS_GROUPS,
    ),
    "within-groups": (
        N_("Stay within groups and sections"),
        N_("Only someone from the same group, section or class, with free time in common."),
        _WITHIN_GROUPS,
    ),
    "common-language": (
        N_("Online course in several countries"),
        N_("A language in common, preferably close time zones and free time in common."),
        _COMMON_LANGUAGE,
    ),
    "across": (
        N_("Across departments"),
        N_("A language and free time in common, preferably another department, never in the same reporting line."),
        _ACROSS,
    ),
    "new-managers": (
        N_("Support for new managers"),
        N_("At least two years of experience apart, never in the same reporting line."),
        _NEW_MANAGERS,
    ),
    "cross-training": (
        N_("Cross-training"),
        N_("Another department, and preferably someone who offers what the other wants to learn."),
        _CROSS_TRAINING,
    ),
}


PRESET_KINDS: Final = (
    (N_("For a course"), ("plain", "across-groups", "within-groups", "common-language")),
    (N_("For a workplace"), ("across", "new-managers", "cross-training")),
)


def texts_of(wanted: Preferences) -> dict[str, str]:
    """What the fields of the form hold for these preferences."""
    found = {
        "kind": wanted.kind.value,
        "size": str(wanted.size),
        "not_again": _truth(wanted.not_again),
        "should_not_holds": _truth(wanted.should_not_holds),
        "history_counts": _truth(wanted.history_counts),
    }
    for rule in wanted.rules:
        at = f"rule-{rule.looks_at}"
        found[at] = "both_ways" if rule.both_ways else rule.kind.value
        found[f"{at}-at_least"] = _number(rule.at_least)
        found[f"{at}-at_most"] = _number(rule.at_most)
        found[f"{at}-unknown"] = "allowed" if rule.unknown_is_allowed else "refused"
        found[f"{at}-priority"] = _number(rule.priority)
    for wish in wanted.wishes:
        at = f"wish-{wish.looks_at}"
        found[at] = wish.kind.value
        found[f"{at}-weight"] = str(wish.weight)
        found[f"{at}-cap"] = _number(wish.cap)
    return found


def plain_values(texts: Texts) -> dict[str, Any]:
    """The form as plain values for `rules.preferences.read`, which refuses a text where a number belongs."""
    kind = texts.get("kind", Kind.PAIRS.value)
    size = _whole(texts.get("size", ""))
    if kind in {Kind.PAIRS.value, Kind.TRIOS.value}:
        size = SIZES[Kind(kind)][0]
    return {
        "kind": kind,
        "size": size,
        "rules": [_rule(texts, line.attribute) for line in RULE_LINES if texts.get(f"rule-{line.attribute}")],
        "wishes": [_wish(texts, line.attribute) for line in WISH_LINES if texts.get(f"wish-{line.attribute}")],
        "not_again": bool(texts.get("not_again")),
        "should_not_holds": bool(texts.get("should_not_holds")),
        "history_counts": bool(texts.get("history_counts")),
    }


def field_of(texts: Texts, path: str) -> str:
    """The form's field for a path in the plain values: `rules.0.at_least` is `rule-department-at_least`."""
    where, _, rest = path.partition(".")
    number, _, name = rest.partition(".")
    if where not in {"rules", "wishes"} or not number.isdigit():
        return where
    prefix, lines = ("rule", RULE_LINES) if where == "rules" else ("wish", WISH_LINES)
    used = [line.attribute for line in lines if texts.get(f"{prefix}-{line.attribute}")]
    at = f"{prefix}-{used[int(number)]}"
    return f"{at}-{name}" if name in {"at_least", "at_most", "weight", "cap", "priority"} else at


def _rule(texts: Texts, attribute: str) -> dict[str, Any]:
    at = f"rule-{attribute}"
    kind = texts[at]
    both_ways = kind == "both_ways"
    return {
        "kind": RuleKind.OFFERS_MEET_NEEDS.value if both_ways else kind,
        "attribute": attribute,
        "at_least": _whole(texts.get(f"{at}-at_least", "")),
        "at_most": _whole(texts.get(f"{at}-at_most", "")),
        "both_ways": both_ways,
        "unknown_is_allowed": texts.get(f"{at}-unknown") != "refused",
        "priority": _whole(texts.get(f"{at}-priority", "")),
    }


def _wish(texts: Texts, attribute: str) -> dict[str, Any]:
    at = f"wish-{attribute}"
    return {
        "kind": texts[at],
        "attribute": attribute,
        "weight": _whole(texts.get(f"{at}-weight", "")) or 1,
        "cap": _whole(texts.get(f"{at}-cap", "")),
    }


def _whole(text: str) -> int | str | None:
    """The number that a text is, None for an empty one, and the text itself when it is no number."""
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else plain or None


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _truth(value: bool) -> str:
    return "1" if value else ""
