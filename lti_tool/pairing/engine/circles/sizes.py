"""How many people sit in each group of a round of trios, circles or rings."""

from lti_tool.pairing.engine.course import Kind, Shape


def group_sizes(people: int, shape: Shape) -> tuple[int, ...]:
    """The sizes of the groups of one round, largest first; they differ by at most one. Nobody and one person: none.

    Fewer people than the size of the shape are one group. Trios: one person too many makes a group of four, two too
    many a pair. Circles and rings: as near to the size as possible, never more than one larger; where two numbers of
    groups come equally near, the larger groups; never two members where three are possible. So 7 people in circles of
    5 are 4 and 3, and only 5 people in circles of 3 leave a group of two.
    """
    if people < 2:
        return ()
    size = 3 if shape.kind is Kind.TRIOS else shape.size
    if people <= size:
        return (people,)
    if shape.kind is Kind.TRIOS:
        return (4,) + (3,) * (people // 3 - 1) if people % 3 == 1 else _even(people, -(-people // 3))
    fewest = -(-people // (size + 1))
    return min(
        (_even(people, groups) for groups in range(max(fewest, people // size - 1), people // size + 2)),
        key=lambda sizes: (sizes[-1] < 3, max(abs(one - size) for one in sizes), sum(abs(one - size) for one in sizes)),
    )


def _even(people: int, groups: int) -> tuple[int, ...]:
    small, larger = divmod(people, groups)
    return (small + 1,) * larger + (small,) * (groups - larger)
