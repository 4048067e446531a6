"""What rules, wishes and warnings of the engine are called in front of people.

Everything is found by the name that the engine gives it, `other:department`. Texts are marked here and translated by
the pages, which give them `attribute` (for what this list does not know) and, where they count, `num`. Learners only
ever see `learner`: it is true of both people, and silent about managers, exclusions and lists.
"""

from dataclasses import dataclass
from typing import Final

from lti_tool.errors import N_


@dataclass(frozen=True, slots=True)
class Counted:
    """A text in two forms for ngettext; `num` is the number."""

    one: str
    many: str


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A rule as designers read it, and what a learner may know of it."""

    rule: str
    """What must hold, as one chooses it."""
    removed: Counted
    """How many possible partners of somebody it takes away."""
    breach: str
    """What is true of two people whom it forbids."""
    learner: str | None = None
    """What is true of two people whom it lets meet, told to them; None where that is nobody's business."""
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class WishWords:
    """A wish as designers read it, and what its points tell the two people who got them."""

    wish: str
    met: str
    """What is true of two people who got points for it."""
    learner: str
    attribute: str = ""


def of_rule(name: str) -> RuleWords:
    """The words for a rule by its name. A rule on an attribute that is not listed here has its attribute in them."""
    kind, _, attribute = name.partition(":")
    words = RULES.get(name) or RULES[kind]
    return RuleWords(words.rule, words.removed, words.breach, words.learner, attribute)


def of_wish(name: str) -> WishWords:
    """The words for a wish by its name, as with rules."""
    kind, _, attribute = name.partition(":")
    words = WISHES.get(name) or WISHES[kind]
    return WishWords(words.wish, words.met, words.learner, attribute)


def NN_(one: str, many: str) -> Counted:  # noqa: N802 - the name that message extraction looks for, with both forms
    """Mark a text with a number in it for translation, as `N_` marks others."""
    return Counted(one, many)


CAUTIONS: Final[dict[str, str | Counted]] = {
    "nobody_has": N_(
        "No one has a value for “%(attribute)s”. A rule or wish that needs it has no effect, or leaves everybody out."
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
        "%(num)d person cannot meet somebody new in every round",
        "%(num)d people cannot meet somebody new in every round",
    ),
}
"""What `engine.warnings` found, by its concern; `num` counts the people."""

RULES: Final[dict[str, RuleWords]] = {
    "reporting_line": RuleWords(
        N_("Never their own manager or anybody above them"),
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
        N_("Rather not two people whom you would keep apart"),
        NN_(
            "You would rather keep %(num)d person apart from them",
            "You would rather keep %(num)d people apart from them",
        ),
        N_("You would rather keep these people apart"),
    ),
    "not_again": RuleWords(
        N_("Never the same partner again"),
        NN_(
            "%(num)d possible partner works with them at another time",
            "%(num)d possible partners work with them at another time",
        ),
        N_("They have worked together before"),
        N_("You have not worked together before."),
    ),
    "other:department": RuleWords(
        N_("Another department"),
        NN_(
            "%(num)d possible partner works in the same department",
            "%(num)d possible partners work in the same department",
        ),
        N_("They work in the same department"),
        N_("You work in different departments."),
    ),
    "other:group": RuleWords(
        N_("Another group"),
        NN_("%(num)d possible partner is in the same group", "%(num)d possible partners are in the same group"),
        N_("They are in the same group"),
        N_("You are in different groups."),
    ),
    "other:cohort": RuleWords(
        N_("Another cohort"),
        NN_("%(num)d possible partner is in the same cohort", "%(num)d possible partners are in the same cohort"),
        N_("They are in the same cohort"),
        N_("You are in different cohorts."),
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
        N_("You work in the same department."),
    ),
    "same:group": RuleWords(
        N_("The same group"),
        NN_("%(num)d possible partner is in another group", "%(num)d possible partners are in another group"),
        N_("They are in different groups"),
        N_("You are in the same group."),
    ),
    "same:cohort": RuleWords(
        N_("The same cohort"),
        NN_("%(num)d possible partner is in another cohort", "%(num)d possible partners are in another cohort"),
        N_("They are in different cohorts"),
        N_("You are in the same cohort."),
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
        N_("You share a language."),
    ),
    "share:slots": RuleWords(
        N_("Free time in common"),
        NN_(
            "%(num)d possible partner has too little free time in common",
            "%(num)d possible partners have too little free time in common",
        ),
        N_("They have too little free time in common"),
        N_("You have free time in common."),
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
            "%(num)d possible partner has experience too much like theirs, or too unlike",
            "%(num)d possible partners have experience too much like theirs, or too unlike",
        ),
        N_("Their experience is too much alike, or too unlike"),
        N_("You bring different experience."),
    ),
    "close": RuleWords(
        N_("Experience that is not too unlike"),
        NN_(
            "%(num)d possible partner has experience too unlike theirs",
            "%(num)d possible partners have experience too unlike theirs",
        ),
        N_("Their experience is too unlike"),
        N_("You bring experience of about the same length."),
    ),
    "offers": RuleWords(
        N_("One offers what the other wants to learn"),
        NN_(
            "With %(num)d possible partner, what is offered is not what is wanted",
            "With %(num)d possible partners, what is offered is not what is wanted",
        ),
        N_("What they offer is not what they want to learn"),
        N_("One of you offers what the other wants to learn."),
    ),
    "known": RuleWords(
        N_("Only people of whom we know it (%(attribute)s)"),
        NN_(
            "With %(num)d possible partner, it is not known of one of the two (%(attribute)s)",
            "With %(num)d possible partners, it is not known of one of the two (%(attribute)s)",
        ),
        N_("It is not known of one of them (%(attribute)s)"),
    ),
}

WISHES: Final[dict[str, WishWords]] = {
    "other:department": WishWords(
        N_("Rather another department"), N_("Different departments"), N_("You work in different departments.")
    ),
    "other:group": WishWords(N_("Rather another group"), N_("Different groups"), N_("You are in different groups.")),
    "other:cohort": WishWords(
        N_("Rather another cohort"), N_("Different cohorts"), N_("You are in different cohorts.")
    ),
    "other": WishWords(
        N_("Rather another “%(attribute)s”"),
        N_("They differ in “%(attribute)s”"),
        N_("You bring different backgrounds."),
    ),
    "same:department": WishWords(
        N_("Rather the same department"), N_("The same department"), N_("You work in the same department.")
    ),
    "same:group": WishWords(N_("Rather the same group"), N_("The same group"), N_("You are in the same group.")),
    "same:cohort": WishWords(N_("Rather the same cohort"), N_("The same cohort"), N_("You are in the same cohort.")),
    "same": WishWords(
        N_("Rather the same “%(attribute)s”"), N_("The same “%(attribute)s”"), N_("You bring similar backgrounds.")
    ),
    "gap": WishWords(
        N_("Rather different experience"), N_("Different experience"), N_("You bring different experience.")
    ),
    "extra_shared:languages": WishWords(
        N_("Rather more than one language in common"),
        N_("More than one language in common"),
        N_("You share a language."),
    ),
    "extra_shared:slots": WishWords(
        N_("Rather much free time in common"), N_("Much free time in common"), N_("You have free time in common.")
    ),
    "extra_shared": WishWords(
        N_("Rather much in common in “%(attribute)s”"),
        N_("Much in common in “%(attribute)s”"),
        N_("You have something in common."),
    ),
    "near": WishWords(N_("Rather nearby in time"), N_("Nearby in time"), N_("Your days begin at about the same time.")),
    "offers": WishWords(
        N_("Rather somebody who offers what the other wants to learn"),
        N_("One offers what the other wants to learn"),
        N_("One of you offers what the other wants to learn."),
    ),
}
