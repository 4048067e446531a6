"""What rules, wishes and warnings of the engine are called in front of staff.

Everything is found by the name that the engine gives it, `other:department`. What learners read is in `rules.reasons`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from flask_babel import gettext, ngettext

from lti_tool.attributes.rules.catalogue import BY_KEY
from lti_tool.errors import N_, NN_
from lti_tool.pairing.engine import Caution, Concern, Removal
from lti_tool.web.i18n import isolated

MOST_NAMED: Final = 5


Counted: TypeAlias = tuple[str, str]
"""A text for one and for several, `%(num)d` of them."""


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A rule as designers read it. The texts take `attribute`, for what this list does not know, and `num`."""

    rule: str
    """What must hold, as one chooses it."""
    removed: Counted
    """How many possible partners of somebody it takes away."""
    breach: str
    """What is true of two people whom it forbids."""


CAUTIONS: Final[dict[str, str | Counted]] = {
    "nobody_has": N_(
        "No one has a value for “%(attribute)s”. A rule or wish that needs it has no effect, or leaves everyone out."
    ),
    "half_unknown": NN_(
        "%(num)d person has no value for “%(attribute)s”", "%(num)d people have no value for “%(attribute)s”"
    ),
    "unknown_refused": NN_(
        "%(num)d person cannot have a partner, because a rule needs “%(attribute)s” and they have no value for it",
        "%(num)d people cannot have a partner, because a rule needs “%(attribute)s” and they have no value for it",
    ),
    "manager_loop": NN_(
        "%(num)d person is above themselves in the reporting line",
        "%(num)d people are above each other in the reporting line, in a circle",
    ),
    "more_rounds_than_partners": NN_(
        "%(num)d person cannot meet someone new in every round",
        "%(num)d people cannot meet someone new in every round",
    ),
}
"""What `engine.warnings` says, by its concern; `num` counts the people."""

RULES: Final[dict[str, RuleWords]] = {
    "reporting_line": RuleWords(
        N_("Never their own manager or anyone above them"),
        NN_(
            "%(num)d possible partner is in their reporting line",
            "%(num)d possible partners are in their reporting line",
        ),
        N_("One of them is above the other in the reporting line"),
    ),
    "exclusions": RuleWords(
        N_("Never two people whom you keep apart"),
        NN_("You keep %(num)d person apart from them", "You keep %(num)d people apart from them"),
        N_("You keep these people apart"),
    ),
    "should_not": RuleWords(
        N_("Avoid pairing the people you named"),
        NN_(
            "You want to avoid pairing %(num)d person with them",
            "You want to avoid pairing %(num)d people with them",
        ),
        N_("You want to avoid pairing these people"),
    ),
    "not_again": RuleWords(
        N_("Never the same partner again"),
        NN_(
            "%(num)d possible partner works with them at another time",
            "%(num)d possible partners work with them at another time",
        ),
        N_("They have worked together before"),
    ),
    "other:department": RuleWords(
        N_("Another department"),
        NN_(
            "%(num)d possible partner works in the same department",
            "%(num)d possible partners work in the same department",
        ),
        N_("They work in the same department"),
    ),
    "other:group": RuleWords(
        N_("Another group"),
        NN_("%(num)d possible partner is in the same group", "%(num)d possible partners are in the same group"),
        N_("They are in the same group"),
    ),
    "other:cohort": RuleWords(
        N_("Another cohort"),
        NN_("%(num)d possible partner is in the same cohort", "%(num)d possible partners are in the same cohort"),
        N_("They are in the same cohort"),
    ),
    "other": RuleWords(
        N_("Another “%(attribute)s”"),
        NN_(
            "%(num)d possible partner has the same “%(attribute)s”",
            "%(num)d possible partners have the same “%(attribute)s”",
        ),
        N_("They have the same “%(attribute)s”"),
    ),
    "same:department": RuleWords(
        N_("The same department"),
        NN_(
            "%(num)d possible partner works in another department",
            "%(num)d possible partners work in another department",
        ),
        N_("They work in different departments"),
    ),
    "same:group": RuleWords(
        N_("The same group"),
        NN_("%(num)d possible partner is in another group", "%(num)d possible partners are in another group"),
        N_("They are in different groups"),
    ),
    "same:cohort": RuleWords(
        N_("The same cohort"),
        NN_("%(num)d possible partner is in another cohort", "%(num)d possible partners are in another cohort"),
        N_("They are in different cohorts"),
    ),
    "same": RuleWords(
        N_("The same “%(attribute)s”"),
        NN_(
            "%(num)d possible partner has another “%(attribute)s”",
            "%(num)d possible partners have another “%(attribute)s”",
        ),
        N_("They differ in “%(attribute)s”"),
    ),
    "share:languages": RuleWords(
        N_("A language in common"),
        NN_("%(num)d possible partner shares too few languages", "%(num)d possible partners share too few languages"),
        N_("They share too few languages"),
    ),
    "share:slots": RuleWords(
        N_("Free time in common"),
        NN_(
            "%(num)d possible partner has too little free time in common",
            "%(num)d possible partners have too little free time in common",
        ),
        N_("They have too little free time in common"),
    ),
    "share": RuleWords(
        N_("Something in common in “%(attribute)s”"),
        NN_(
            "%(num)d possible partner has too little in common in “%(attribute)s”",
            "%(num)d possible partners have too little in common in “%(attribute)s”",
        ),
        N_("They have too little in common in “%(attribute)s”"),
    ),
    "gap": RuleWords(
        N_("Different experience"),
        NN_(
            "%(num)d possible partner has experience that is too similar or too different",
            "%(num)d possible partners have experience that is too similar or too different",
        ),
        N_("Their experience is too similar or too different"),
    ),
    "close": RuleWords(
        N_("Experience that is not too different"),
        NN_(
            "%(num)d possible partner has experience that is too different",
            "%(num)d possible partners have experience that is too different",
        ),
        N_("Their experience is too different"),
    ),
    "offers": RuleWords(
        N_("One offers what the other wants to learn"),
        NN_(
            "%(num)d possible partner does not offer what the other wants to learn",
            "%(num)d possible partners do not offer what the other wants to learn",
        ),
        N_("What they offer is not what they want to learn"),
    ),
    "known": RuleWords(
        N_("Only people with a value for “%(attribute)s”"),
        NN_(
            "With %(num)d possible partner, one of the two has no value for “%(attribute)s”",
            "With %(num)d possible partners, one of the two has no value for “%(attribute)s”",
        ),
        N_("One of them has no value for “%(attribute)s”"),
    ),
}

WISHES: Final[dict[str, str]] = {
    "other:department": N_("Different departments"),
    "other:group": N_("Different groups"),
    "other:cohort": N_("Different cohorts"),
    "other": N_("They differ in “%(attribute)s”"),
    "same:department": N_("The same department"),
    "same:group": N_("The same group"),
    "same:cohort": N_("The same cohort"),
    "same": N_("The same “%(attribute)s”"),
    "gap": N_("Different experience"),
    "extra_shared:languages": N_("More than one language in common"),
    "extra_shared:slots": N_("A lot of free time in common"),
    "extra_shared": N_("A lot in common in “%(attribute)s”"),
    "near": N_("Close time zones"),
    "offers": N_("One offers what the other wants to learn"),
}
"""What is true of two people who got points for a wish."""
UNKNOWN: Final = NN_(
    "for %(num)d possible partner we do not know whether “%(rule)s” holds",
    "for %(num)d possible partners we do not know whether “%(rule)s” holds",
)
"""In place of what a rule takes away, where it does not let the unknown pass; of the person or of the others."""
UNKNOWN_TOO: Final = NN_("for %(num)d other we do not know", "for %(num)d others we do not know")
"""The same after what a rule takes away."""


def of_rule(name: str) -> RuleWords:
    """The words for a rule by its name."""
    return RULES.get(name) or RULES[name.partition(":")[0]]


def of_wish(name: str) -> str:
    """What is true of two people who got points for a wish, by its name."""
    return WISHES.get(name) or WISHES[name.partition(":")[0]]


def label(attribute: str) -> str:
    """What an attribute is called."""
    return str(gettext(BY_KEY[attribute].label)) if attribute in BY_KEY else attribute


def rule_in_words(name: str) -> str:
    """What a rule asks for, by its name in the engine."""
    return str(gettext(of_rule(name).rule, attribute=_label_in(name)))


def breach_in_words(name: str) -> str:
    """What is true of two people whom a rule forbids, by its name in the engine."""
    return str(gettext(of_rule(name).breach, attribute=_label_in(name)))


def met_in_words(name: str) -> str:
    """What is true of two people who got points for a wish, by its name in the engine."""
    return str(gettext(of_wish(name), attribute=_label_in(name)))


def removed_in_words(removal: Removal) -> str:
    """How many possible partners a rule takes away from somebody; those with whom it is not known stand apart."""
    removed, attribute = of_rule(removal.rule).removed, _label_in(removal.rule)
    if removal.rule.startswith("known:"):
        return _counted(removed, removal.removed, attribute=attribute)
    known = removal.removed - removal.unknown
    sentences = [_counted(removed, known, attribute=attribute)] if known else []
    if removal.unknown:
        unknown = UNKNOWN_TOO if known else UNKNOWN
        sentences.append(_counted(unknown, removal.unknown, rule=rule_in_words(removal.rule)))
    return "; ".join(sentences)


def caution_in_words(caution: Caution, names: Mapping[int, str | None]) -> str:
    """The concern as a sentence, with the names of those whom it concerns where they are few enough to help."""
    about = caution.about.partition(":")[2] if caution.concern is Concern.UNKNOWN_REFUSED else caution.about
    words, attribute = CAUTIONS[caution.concern], label(about)
    if isinstance(words, tuple):
        sentence = _counted(words, len(caution.people), attribute=attribute)
    else:
        sentence = str(gettext(words, attribute=attribute))
    if caution.concern in {Concern.NOBODY_HAS, Concern.HALF_UNKNOWN}:
        return sentence
    return f"{sentence}: {names_in_words(names, caution.people)}"


def names_in_words(names: Mapping[int, str | None], people: Sequence[int]) -> str:
    """The first of these people by name, and how many more there are."""
    first = people[:MOST_NAMED]
    listed = ", ".join(isolated(names.get(one) or gettext("Learner %(number)s", number=one)) for one in first)
    more = len(people) - MOST_NAMED
    return str(gettext("%(names)s and %(count)d more", names=listed, count=more)) if more > 0 else listed


def rounds_in_words(numbers: Sequence[int]) -> str:
    """“Round 3” or “Rounds 1–4, 7”, of numbers in ascending order."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    listed = ", ".join("–".join(map(str, span)) for span in spans)
    if len(numbers) == 1:
        return str(gettext("Round %(number)d", number=numbers[0]))
    return str(gettext("Rounds %(numbers)s", numbers=listed))


def _label_in(name: str) -> str:
    return label(name.partition(":")[2])


def _counted(words: Counted, count: int, **values: str) -> str:
    return str(ngettext(*words, count, **values))
