"""Which people are the same to a rule or a wish: what a planner needs to work out a table instead of every couple."""

import numpy as np

from lti_tool.pairing.engine.people import People, Places


def alike(people: People, attributes: tuple[str, ...]) -> Places:
    """For each person a number, counted from 0: people with the same number have the same value in every attribute.

    Unknown is a value here, and the same as None. Numbers are given in the order of first occurrence. Shape (n,).
    """
    known = [people.attributes.get(attribute, {}) for attribute in attributes]
    numbers: dict[tuple[object, ...], int] = {}
    found = [
        numbers.setdefault(tuple(values.get(person) for values in known), len(numbers))
        for person in people.ids.tolist()
    ]
    return np.array(found, dtype=np.int64)
