"""What to do when a plan cannot be made or changed, and what a longer look found, in the reader's language."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext

from lti_tool.errors import N_
from lti_tool.pairing import engine, service
from lti_tool.pairing.errors import WORDS, PinImpossible, PlanError, PlanFlawed, PlanImpossible, RuleBroken
from lti_tool.pairing.rules.comparing import LOCK, Comparison
from lti_tool.pairing.wording.sentences import breach_in_words, names_in_words
from lti_tool.web.access import Here

PINS: Final[dict[str, str]] = {
    "too few": N_("Choose two or more people who should stay together."),
    "too many": N_("A group of this activity cannot have so many people."),
    "pinned already": N_("You already keep these people together."),
    "pinned to others": N_(
        "You keep one of these people together with someone else. Take that back first, under “What you decided”."
    ),
    "begun": N_("One of these people is in a group that has begun to work, so it stays as it is."),
    "round over": N_("This round is over, so its groups stay as they are."),
}
IMPOSSIBLE: Final = N_(
    "The rules and what you decided about people contradict each other. Take something back under “What you decided”, "
    "on this page, or change a rule under “Pairing rules”."
)
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
OUT_OF_DATE: Final = frozenset({engine.Breach.MISSING.value, engine.Breach.UNKNOWN.value})
"""What the checker finds when people joined or left after groups were proposed."""
ROSTER_MOVED_ON: Final = N_(
    "People joined or left since these groups were proposed. Bring the plan up to date, then publish it."
)
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
            rules = dict.fromkeys(breach.rule for breach in refusal.broken if is_told and breach.rule != LOCK)
            return " ".join([gettext("A rule forbids this."), *(f"{breach_in_words(rule)}." for rule in rules)])
        case PinImpossible() if refusal.why in PINS:
            return str(gettext(PINS[refusal.why]))
    if type(refusal) is PlanFlawed and OUT_OF_DATE.intersection(refusal.breaches):
        return str(gettext(ROSTER_MOVED_ON))
    return str(gettext(WORDS[type(refusal)].what_to_do))


def _contradiction(here: Here, refusal: PlanImpossible) -> str:
    """Which pins contradict each other or a rule, by name where the engine knows, and where to take them back."""
    reason = refusal.reason
    if not isinstance(reason, engine.LockForbidden | engine.LockConflict | engine.LockSize):
        return str(gettext(IMPOSSIBLE))

    def named(members: tuple[int, ...]) -> str:
        return names_in_words(service.names_of(here.session, members), members)

    people = (reason.person,) if isinstance(reason, engine.LockConflict) else reason.members
    pins = service.pins_of(here.session, refusal.activity_id) if isinstance(reason, engine.LockConflict) else []
    groups = [named(pin.members) for pin in pins if people[0] in pin.members and pin.holds_in(reason.round)]
    values = {"names": named(people), "number": reason.round, "groups": "; ".join(dict.fromkeys(groups))}
    if isinstance(reason, engine.LockForbidden):
        values["rule"] = breach_in_words(reason.rule)
    return str(gettext(CONTRADICTIONS[type(reason)], **values))


def why_no_proposal(refusal: str | None) -> str | None:
    """What to do about a proposal that came to nothing in the background, by the name of its error."""
    if refusal is None:
        return None
    known = {error.__name__: words.what_to_do for error, words in WORDS.items()}
    return str(gettext(known.get(refusal, OUR_MISTAKE)))


def what_is_better(effect: Comparison | None, figures: Sequence[tuple[str, str]]) -> str:
    """What is better in the groups that a longer look found, in these numbers."""
    if effect is None:
        return ""
    told = [
        gettext("%(what)s: %(now)d, was %(before)d", what=gettext(words), now=now, before=before)
        for field, words in figures
        if (now := getattr(effect.after, field)) != (before := getattr(effect.before, field))
    ]
    return "; ".join(told) + "."
