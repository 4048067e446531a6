"""What the engine refuses. It stands alone, so these are not the tool's own errors."""


class ImpossibleRequest(ValueError):
    """The question makes no sense: fewer than one round, a person listed twice, somebody who both left and joined."""
