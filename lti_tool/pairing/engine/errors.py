"""What the engine refuses. It stands alone, so these are not the tool's own errors."""


class ImpossibleRequest(ValueError):
    """The question makes no sense: fewer than one round, somebody who both left and joined. Root of all others here."""


class ListedTwice(ImpossibleRequest):
    """People who are listed more than once: in the course, among those who joined, or as both left and joined."""

    def __init__(self, people: tuple[int, ...]) -> None:
        super().__init__(people)
        self.people = people


class UnknownPerson(ImpossibleRequest):
    """People who are named in a lock and are not in the course, or whose id is no id (below 0)."""

    def __init__(self, people: tuple[int, ...]) -> None:
        super().__init__(people)
        self.people = people


class ShapeImpossible(ImpossibleRequest):
    """Groups of this kind are not of this size: pairs are two, trios three, circles and rings three to six."""

    def __init__(self, kind: str, size: int) -> None:
        super().__init__(kind, size)
        self.kind, self.size = kind, size


class LockConflict(ImpossibleRequest):
    """Two locks want the same person in the same round."""

    def __init__(self, round: int, person: int) -> None:
        super().__init__(round, person)
        self.round, self.person = round, person


class LockSize(ImpossibleRequest):
    """People are locked together who are no group of this course in this round: one alone, or a trio too many."""

    def __init__(self, round: int, members: tuple[int, ...]) -> None:
        super().__init__(round, members)
        self.round, self.members = round, members


class LockForbidden(ImpossibleRequest):
    """A rule forbids two people who are locked together. `rule` is its name."""

    def __init__(self, round: int, members: tuple[int, ...], rule: str) -> None:
        super().__init__(round, members, rule)
        self.round, self.members, self.rule = round, members, rule


class ImproverMissing(RuntimeError):
    """OR-tools is not installed. It comes with the extra `improve`."""
