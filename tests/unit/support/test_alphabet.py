"""Names are where readers of a language look for them."""

import pytest

from lti_tool.support.alphabet import sort_key

NAMES = ["Öberg", "Ek", "Ängström", "Zetterlund", "Åberg", "ek", "Éclair", "Aagaard", "Ørsted", "Æbelø", "Olsen"]


@pytest.mark.parametrize(
    ("language", "order"),
    [
        ("sv", "Aagaard Éclair Ek ek Olsen Zetterlund Åberg Æbelø Ängström Öberg Ørsted"),
        ("da", "Éclair Ek ek Olsen Zetterlund Æbelø Ängström Öberg Ørsted Åberg Aagaard"),
        ("nb", "Éclair Ek ek Olsen Zetterlund Æbelø Ängström Öberg Ørsted Åberg Aagaard"),
        ("nl", "Aagaard Åberg Æbelø Ängström Éclair Ek ek Öberg Olsen Ørsted Zetterlund"),
        ("en", "Aagaard Åberg Æbelø Ängström Éclair Ek ek Öberg Olsen Ørsted Zetterlund"),
    ],
)
def test_names_stand_where_the_alphabet_has_them(language: str, order: str) -> None:
    assert sorted(NAMES, key=lambda name: sort_key(name, language)) == order.split()


def test_nobody_comes_first() -> None:
    assert sorted(["a", None, ""], key=lambda name: sort_key(name, "sv")) == [None, "", "a"]
