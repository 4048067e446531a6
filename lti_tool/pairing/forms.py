"""The form for pairing rules: a line for each attribute, from preferences to texts and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lti_tool.errors import N_
from lti_tool.pairing.engine import Kind
from lti_tool.pairing.rules.preferences import SIZES, Preferences, RuleChoice, RuleKind, WishChoice, WishKind

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """What can be required of, or wished for in, an attribute."""

    attribute: str
    choices: tuple[tuple[str, str], ...]
    """Kind and words, without the choice that the attribute does not matter."""
    has_least: bool = False
    has_most: bool = False
    can_relax: bool = True

    @property
    def needs(self) -> tuple[str, ...]:
        """The attributes that must be known for this to have an effect."""
        return ("offers", "needs") if self.attribute == "offers" else (self.attribute,)


BOTH_WAYS: Final = "both_ways"
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
        (
            (RuleKind.OFFERS_MEET_NEEDS, N_("one must offer what the other wants to learn")),
            (BOTH_WAYS, N_("each must offer what the other wants to learn")),
        ),
    ),
)
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
FLAGS: Final = ("not_again", "should_not_holds", "history_counts")


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
    texts = {"kind": wanted.kind.value, "size": str(wanted.size)}
    texts |= {flag: "1" if getattr(wanted, flag) else "" for flag in FLAGS}
    for rule in wanted.rules:
        at = f"rule-{rule.looks_at}"
        texts[at] = BOTH_WAYS if rule.both_ways else rule.kind.value
        texts[f"{at}-unknown"] = "allowed" if rule.unknown_is_allowed else "refused"
        texts |= {f"{at}-{name}": _text(getattr(rule, name)) for name in ("at_least", "at_most", "priority")}
    for wish in wanted.wishes:
        at = f"wish-{wish.looks_at}"
        texts |= {at: wish.kind.value, f"{at}-weight": str(wish.weight)}
    return texts


def plain_values(texts: Texts) -> dict[str, Any]:
    """The form as plain values for `rules.preferences.read`, which refuses a text in place of a number."""
    kind = texts.get("kind", Kind.PAIRS.value)
    size = _whole(texts.get("size", ""))
    if kind in {Kind.PAIRS.value, Kind.TRIOS.value}:
        size = SIZES[Kind(kind)][0]
    return {
        "kind": kind,
        "size": size,
        "rules": [_rule(texts, line.attribute) for line in RULE_LINES if texts.get(f"rule-{line.attribute}")],
        "wishes": [_wish(texts, line.attribute) for line in WISH_LINES if texts.get(f"wish-{line.attribute}")],
        **{flag: bool(texts.get(flag)) for flag in FLAGS},
    }


def field_of(texts: Texts, path: str) -> str:
    """The field of the form for a path in the plain values: `rules.0.at_least` is `rule-department-at_least`."""
    where, _, rest = path.partition(".")
    number, _, name = rest.partition(".")
    if where not in {"rules", "wishes"} or not number.isdigit():
        return where
    prefix, lines = ("rule", RULE_LINES) if where == "rules" else ("wish", WISH_LINES)
    used = [line.attribute for line in lines if texts.get(f"{prefix}-{line.attribute}")]
    at = f"{prefix}-{used[int(number)]}"
    return f"{at}-{name}" if name in {"at_least", "at_most", "weight", "priority"} else at


def _rule(texts: Texts, attribute: str) -> dict[str, Any]:
    at = f"rule-{attribute}"
    both_ways = texts[at] == BOTH_WAYS
    return {
        "kind": RuleKind.OFFERS_MEET_NEEDS.value if both_ways else texts[at],
        "attribute": attribute,
        "both_ways": both_ways,
        "unknown_is_allowed": texts.get(f"{at}-unknown") != "refused",
        **{name: _whole(texts.get(f"{at}-{name}", "")) for name in ("at_least", "at_most", "priority")},
    }


def _wish(texts: Texts, attribute: str) -> dict[str, Any]:
    at = f"wish-{attribute}"
    return {"kind": texts[at], "attribute": attribute, "weight": _whole(texts.get(f"{at}-weight", "")) or 1}


def _whole(text: str) -> int | str | None:
    """The number in a text, None for an empty text, and the text itself if it is not a number."""
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else plain or None


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
