"""Made-up sentences with the hints that a person would expect, and how often the rules agree.

`python -m tests.unit.hints.corpus` prints precision and recall by language and hint, and every disagreement.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lti_tool.activities.rules import Craft
from lti_tool.hints.rules import LANGUAGES, Hint, hints_of

FOLDER = Path(__file__).parent / "corpus"
UNSEEN = "unseen"
"""Heads the sentences that were written after the lists, and for which no list was changed."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A line of the corpus."""

    language: str
    craft: Craft
    expected: frozenset[Hint]
    text: str
    is_unseen: bool

    @property
    def given(self) -> frozenset[Hint]:
        return frozenset(hints_of(self.text, self.craft, self.language))


@dataclass(frozen=True, slots=True)
class Score:
    """How often one hint was right in one language."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def sentences() -> Iterator[Sentence]:
    for language in LANGUAGES:
        is_unseen = False
        for line in (FOLDER / f"{language}.txt").read_text("utf-8").splitlines():
            is_unseen = is_unseen or line == f"# {UNSEEN}"
            if not line or line.startswith("#"):
                continue
            craft, hints, text = (part.strip() for part in line.split("|", 2))
            expected = frozenset(Hint(hint.strip()) for hint in hints.split(",") if hint.strip() != "-")
            yield Sentence(language, Craft(craft), expected, text, is_unseen)


def score(hint: Hint, among: Iterable[Sentence]) -> Score:
    pairs = [(hint in one.expected, hint in one.given) for one in among]
    return Score(pairs.count((True, True)), pairs.count((False, True)), pairs.count((True, False)))


def main() -> None:
    everything = list(sentences())
    for title, is_unseen in (("Seen while the lists were made", False), ("Unseen", True)):
        print(f"\n{title}: right/wrong/missed, precision, recall")
        for hint in Hint:
            cells = []
            for language in LANGUAGES:
                among = (each for each in everything if each.language == language and each.is_unseen == is_unseen)
                one = score(hint, among)
                cells.append(f"{language} {one.right}/{one.wrong}/{one.missed} {one.precision:.2f} {one.recall:.2f}")
            print(f"{hint:14}", " | ".join(cells))
    for one in everything:
        if one.expected != one.given:
            extra, lacking = sorted(one.given - one.expected), sorted(one.expected - one.given)
            print(f"{one.language}: {one.text} (too much: {extra}, missed: {lacking})")


if __name__ == "__main__":
    main()
