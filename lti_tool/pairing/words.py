"""Rules, cautions and people in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Final

from flask_babel import gettext, ngettext

from lti_tool.attributes.rules.catalogue import BY_KEY
from lti_tool.pairing import wording
from lti_tool.pairing.engine.explanations.cautions import Caution, Concern
from lti_tool.pairing.engine.explanations.reasons import Removal
from lti_tool.pairing.wording import NN_
from lti_tool.web.i18n import isolated

MOST_NAMED: Final = 5
UNKNOWN: Final = NN_(
    "with %(num)d possible partner it is not known whether “%(rule)s” holds",
    "with %(num)d possible partners it is not known whether “%(rule)s” holds",
)
"""In place of what a rule takes away, where it does not let the unknown pass; of the person or of the others."""
UNKNOWN_TOO: Final = NN_("with %(num)d other it is not known", "with %(num)d others it is not known")
"""The same after what a rule takes away."""


def rule_in_words(name: str) -> str:
    """What a rule asks for, by its name in the engine."""
    words = wording.of_rule(name)
    return str(gettext(words.rule, attribute=label(words.attribute)))


def in_words(words: str | wording.Counted, count: int, **values: str) -> str:
    """A text of `wording` in the reader's language."""
    if isinstance(words, wording.Counted):
        return str(ngettext(words.one, words.many, count, **values))
    return str(gettext(words, **values))


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


def caution_in_words(caution: Caution, names: Mapping[int, str | None]) -> str:
    """The concern as a sentence, with the names of those whom it concerns where they are few enough to help."""
    about = caution.about
    if caution.concern is Concern.UNKNOWN_REFUSED:
        about = wording.of_rule(about).attribute
    sentence = in_words(wording.CAUTIONS[caution.concern], len(caution.people), attribute=label(about))
    if caution.concern in {Concern.NOBODY_HAS, Concern.HALF_UNKNOWN}:
        return sentence
    return f"{sentence}: {names_in_words(names, caution.people)}"


def removed_in_words(removal: Removal) -> str:
    """How many possible partners a rule takes away from somebody; those with whom it is not known stand apart."""
    said = wording.of_rule(removal.rule)
    attribute = label(said.attribute)
    if removal.rule.startswith("known:"):
        return in_words(said.removed, removal.removed, attribute=attribute)
    known = removal.removed - removal.unknown
    sentences = [in_words(said.removed, known, attribute=attribute)] if known else []
    if removal.unknown:
        unknown = UNKNOWN_TOO if known else UNKNOWN
        sentences.append(in_words(unknown, removal.unknown, rule=rule_in_words(removal.rule)))
    return "; ".join(sentences)


def label(attribute: str) -> str:
    """What an attribute is called."""
    return str(gettext(BY_KEY[attribute].label)) if attribute in BY_KEY else attribute
