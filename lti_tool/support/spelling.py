"""Which spellings of a text count as the same."""

import re
import unicodedata
from typing import Literal

_APOSTROPHES = re.compile("[\u2018\u2019\u02bc\u2032\u00b4`]")
_DASHES = re.compile("[\u2010-\u2015\u2212]")


def compared(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """The text as it is compared: upper and lower case, blanks, kinds of apostrophes and dashes, and characters that no
    one sees make no difference. `form`: which forms of a letter are the same, by the name that Unicode has for it.
    """
    visible = "".join(one for one in unicodedata.normalize(form, text) if unicodedata.category(one) != "Cf")
    plain = _DASHES.sub("-", _APOSTROPHES.sub("'", visible.casefold()))
    return unicodedata.normalize(form, " ".join(plain.split()))
