"""Words for staff: rules, wishes and warnings of the engine, and what to do when something cannot be done.

What learners read is in `rules.why`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from flask_babel import gettext, ngettext

from lti_tool.attributes.rules.catalogue import BY_KEY
from lti_tool.errors import N_, NN_
from lti_tool.pairing import engine, service
from lti_tool.pairing.engine import Caution, Concern, Removal
from lti_tool.pairing.errors import OBSTACLES, WORDS, ChangeImpossible, PlanError, PlanImpossible, RuleBroken
from lti_tool.support.languages import isolated
from lti_tool.web.access import Here
from lti_tool.web.i18n import in_a_list

MOST_NAMED: Final = 5

Words = TypeVar("Words")
Counted: TypeAlias = tuple[str, str]
"""A text for one and for several, with `%(num)d` for the number."""


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A rule in the words of designers. The texts take `attribute` for attributes that this list does not know."""

    rule: str
    """What must hold, as designers choose it."""
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
        "%(num)d people are above each other in the reporting line, in a loop",
    ),
    "more_rounds_than_partners": NN_(
        "%(num)d person cannot meet someone new in every round",
        "%(num)d people cannot meet someone new in every round",
    ),
}
"""The warnings of the engine, by concern; `num` is the number of people."""

RULES: Final[dict[str, RuleWords]] = {
    "reporting_line": RuleWords(
        N_("Never their own manager or anyone above them"),
        N_("One of them is above the other in the reporting line"),
    ),
    "exclusions": RuleWords(N_("Never two people whom you keep apart"), N_("You keep these people apart")),
    "should_not": RuleWords(N_("Avoid pairing the people you named"), N_("You want to avoid pairing these people")),
    "not_again": RuleWords(N_("Never the same partner again"), N_("They have worked together before")),
    "other:department": RuleWords(N_("Another department"), N_("They work in the same department")),
    "other:group": RuleWords(N_("Another group"), N_("They are in the same group")),
    "other:cohort": RuleWords(N_("Another cohort"), N_("They are in the same cohort")),
    "same:department": RuleWords(N_("The same department"), N_("They work in different departments")),
    "same:group": RuleWords(N_("The same group"), N_("They are in different groups")),
    "same:cohort": RuleWords(N_("The same cohort"), N_("They are in different cohorts")),
    "share:languages": RuleWords(N_("A language in common"), N_("They share too few languages")),
    "share:slots": RuleWords(N_("Free time in common"), N_("They have too little free time in common")),
    "gap": RuleWords(N_("Different experience"), N_("Their experience is too similar or too different")),
    "close": RuleWords(N_("Experience that is not too different"), N_("Their experience is too different")),
    "offers": RuleWords(
        N_("One offers what the other wants to learn"), N_("What they offer is not what they want to learn")
    ),
    "offers:both": RuleWords(
        N_("Each offers what the other wants to learn"), N_("What they offer is not what they want to learn")
    ),
    "known": RuleWords(
        N_("Only people with a value for “%(attribute)s”"), N_("One of them has no value for “%(attribute)s”")
    ),
}
"""By the name of a rule in the engine, or by its kind."""
WISHES: Final[dict[str, str]] = {
    "other:department": N_("Different departments"),
    "other:group": N_("Different groups"),
    "other:cohort": N_("Different cohorts"),
    "same:department": N_("The same department"),
    "same:group": N_("The same group"),
    "same:cohort": N_("The same cohort"),
    "gap": N_("Different experience"),
    "extra_shared:languages": N_("More than one language in common"),
    "extra_shared:slots": N_("A lot of free time in common"),
    "near": N_("Close time zones"),
    "offers": N_("One offers what the other wants to learn"),
}
"""What is true of two people who got points for a wish, by its name in the engine, or by its kind."""
RULED_OUT: Final = NN_(
    "“%(rule)s” rules out %(num)d possible partner", "“%(rule)s” rules out %(num)d possible partners"
)
UNKNOWN: Final = NN_(
    "for %(num)d possible partner we do not know whether “%(rule)s” holds",
    "for %(num)d possible partners we do not know whether “%(rule)s” holds",
)
UNKNOWN_TOO: Final = NN_("for %(num)d other we do not know", "for %(num)d others we do not know")
"""The same after `RULED_OUT`."""


def _found(table: Mapping[str, Words], name: str) -> Words:
    """The words for a rule or wish, by its name in the engine or else by its kind."""
    return table[name] if name in table else table[name.partition(":")[0]]


def label(attribute: str) -> str:
    """What an attribute is called."""
    return str(gettext(BY_KEY[attribute].label)) if attribute in BY_KEY else attribute


def rule_in_words(name: str) -> str:
    """What a rule asks for, by its name in the engine."""
    return _about(name, _found(RULES, name).rule)


def breach_in_words(name: str) -> str:
    """What is true of two people whom a rule forbids, by its name in the engine."""
    return _about(name, _found(RULES, name).breach)


def met_in_words(name: str) -> str:
    """What is true of two people who got points for a wish, by its name in the engine."""
    return _about(name, _found(WISHES, name))


def removed_in_words(removal: Removal) -> str:
    """How many possible partners a rule takes away from someone, and for how many it is not known whether it holds."""
    rule, needs_value = rule_in_words(removal.rule), removal.rule.startswith("known:")
    known = removal.removed if needs_value else removal.removed - removal.unknown
    sentences = [_counted(RULED_OUT, known, rule=rule)] if known else []
    if removal.unknown and not needs_value:
        sentences.append(_counted(UNKNOWN_TOO if known else UNKNOWN, removal.unknown, rule=rule))
    return "; ".join(sentences)


def caution_in_words(caution: Caution, names: Mapping[int, str | None]) -> str:
    """The warning as a sentence, with the names of the people unless it concerns many."""
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
    named = [names.get(person) or gettext("Learner %(number)s", number=person) for person in first]
    named = list(map(isolated, named))
    more = len(people) - MOST_NAMED
    if more > 0:
        return str(gettext("%(names)s and %(count)d more", names=", ".join(named), count=more))
    return in_a_list(named)


def rounds_in_words(numbers: Sequence[int]) -> str:
    """“Round 3” or “Rounds 1–4, 7”; the numbers are in ascending order."""
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


def _about(name: str, words: str) -> str:
    return str(gettext(words, attribute=label(name.partition(":")[2])))


def _counted(words: Counted, count: int, **values: str) -> str:
    return str(ngettext(*words, count, **values))


# ---- what cannot be done ---------------------------------------------------------------------------------------------

IMPOSSIBLE_TO_OTHERS: Final = N_(
    "This contradicts a rule, or something an instructor decided. Nothing was changed; an instructor can see why."
)
OUR_MISTAKE: Final = N_(
    "Something went wrong on our side. Try once more; if it happens again, tell your administrator."
)
FIGURES: Final = (
    ("unpaired", N_("Without a partner")),
    ("broken", N_("Broken rules")),
    ("repeats", N_("Pairs who have met before")),
    ("points", N_("Points for wishes")),
    ("uneven", N_("People whose turns are uneven by two or more")),
    ("groups", N_("Groups")),
)
"""What a page compares of two plans, in order of importance."""
CONTRADICTIONS: Final[dict[type[Exception], str]] = {
    engine.LockForbidden: N_(
        "You keep %(names)s together in round %(number)d, but a rule forbids it: %(rule)s. Take that back under “What "
        "you decided”, on this page, or change the rule under “Pairing rules”."
    ),
    engine.LockConflict: N_(
        "You keep %(names)s together with different people in round %(number)d: %(groups)s. Take one of these back "
        "under “What you decided”, on this page."
    ),
    engine.LockSize: N_(
        "You keep %(names)s together in round %(number)d, but no group of that round can have so many people. Take "
        "that back under “What you decided”, on this page."
    ),
}
"""What the engine refuses about pins."""


def what_to_do(refusal: PlanError, here: Here) -> str:
    """What to do about a refusal. Only those who may see attributes read names of pinned people and of rules."""
    is_told = here.may("see attributes")
    match refusal:
        case PlanImpossible():
            return _contradiction(here, refusal) if is_told else str(gettext(IMPOSSIBLE_TO_OTHERS))
        case RuleBroken():
            rules = dict.fromkeys(breach.rule for breach in refusal.broken if is_told and breach.rule)
            return " ".join([gettext("A rule forbids this."), *(f"{breach_in_words(rule)}." for rule in rules)])
        case ChangeImpossible():
            return str(gettext(OBSTACLES[refusal.why]))
    return str(gettext(WORDS[type(refusal)].what_to_do))


def _contradiction(here: Here, refusal: PlanImpossible) -> str:
    """Which pins contradict each other or a rule, by name where the engine knows, and where to take them back."""
    reason = refusal.reason
    if not isinstance(reason, engine.LockForbidden | engine.LockConflict | engine.LockSize):
        return str(gettext(WORDS[PlanImpossible].what_to_do))

    def named(members: tuple[int, ...]) -> str:
        return names_in_words(service.names_of(here.session, members), members)

    people = (reason.person,) if isinstance(reason, engine.LockConflict) else reason.members
    pins = service.pins_of(here.session, refusal.activity_id).values()
    groups = [named(pin.members) for pin in pins if people[0] in pin.members and pin.round in {None, reason.round}]
    values = {"names": named(people), "number": reason.round, "groups": "; ".join(dict.fromkeys(groups))}
    if isinstance(reason, engine.LockForbidden):
        values["rule"] = breach_in_words(reason.rule)
    return str(gettext(CONTRADICTIONS[type(reason)], **values))


def why_no_proposal(refusal: str | None) -> str | None:
    """What to do about a proposal that came to nothing in the background, by the cause of its error."""
    if refusal is None:
        return None
    known = OBSTACLES | {error.__name__: words.what_to_do for error, words in WORDS.items()}
    return str(gettext(known.get(refusal, OUR_MISTAKE)))
