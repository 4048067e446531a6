"""Reading one value of a claim. Every value may be hostile."""

from collections.abc import Mapping
from html.parser import HTMLParser
from math import isfinite
from re import DOTALL, VERBOSE, Match
from re import compile as pattern
from typing import Any, Final

from lti_tool.launch.errors import ClaimRefused
from lti_tool.support.addresses import origin_of
from lti_tool.support.failures import AddressRefused
from lti_tool.support.zones import read_zone

LTI: Final = "https://purl.imsglobal.org/spec/lti/claim/"
LONGEST_ID: Final = 255
DEEPEST: Final = 32
"""How deep a value may be nested: programs that read and write JSON have different limits."""
_LOCALE = pattern(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}")
_BLANKS = pattern(r"\s")
_BREAKS = pattern(r"[\t\r\n]")
_SURROGATES = pattern(r"[\ud800-\udfff]")
_UNSTORABLE = pattern(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and halves of surrogate pairs: two categories of Unicode that never change."""
_VARIABLE = pattern(r"(?:\$[A-Za-z]\w*(?:\.[\w-]+)*[\s,;]*)+")
"""Such as $Person.address.street1, $Canvas.root_account.id, $vnd.Canvas.Person.email.sis, or several of them."""
_LAYOUT_OVERRIDES = pattern(r"[\u202a-\u202e\u2066-\u2069]")
_WIDTHLESS = pattern(r"[\u00ad\u180e\u200b\u2060\ufeff]")
"""Characters without width that no writing needs, unlike the joiners of Persian or of emoji; they come by copying."""
_MARKUP = pattern(r"</?[A-Za-z][^<>]*>|&#?\w{2,8};")
_PIECES = pattern(
    r"""<!--(?:(?!<!--).)*?--> | <[!?][^<>]*>
      | <(/?[A-Za-z][\w:-]*)(?: (?:[^<>"']|"[^"]*"|'[^']*')*+> | [^<>]*> )
      | <""",
    DOTALL | VERBOSE,
)
"""A comment or declaration, a tag with its name, or a "<" that begins neither. Takes linear time on any text."""
_EMPTY_LINES = pattern(r"\n{3,}")


def clean(text: str, longest: int = LONGEST_ID) -> str:
    """A text to show, cut and trimmed, without characters that databases refuse, that are invisible, or that change the
    direction of a page.
    """
    kept = _LAYOUT_OVERRIDES.sub("", _UNSTORABLE.sub("", _BREAKS.sub(" ", text)))
    return _WIDTHLESS.sub("", kept).strip()[:longest].strip()


def is_storable(text: str) -> bool:
    """Whether every character can be stored and shown as it is."""
    return _UNSTORABLE.search(text) is None


def is_variable(text: str) -> bool:
    """Whether this consists of names of variables only: a platform sends them if it has no value."""
    return _VARIABLE.fullmatch(text) is not None


def is_json(value: object) -> bool:
    """Whether a value of a claim can be kept as JSON in either database, and sent back as it came."""
    level: list[object] = [value]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for part in level:
            if isinstance(part, dict):
                inner += [*part.keys(), *part.values()]
            elif isinstance(part, list):
                inner += part
            elif not _is_plain(part):
                return False
        level = inner
    return not level


def _is_plain(part: object) -> bool:
    if isinstance(part, str):
        return "\x00" not in part and _SURROGATES.search(part) is None
    # JSON has no numbers that are not finite, but Python reads 1e999 as one.
    return not isinstance(part, float) or isfinite(part)


def object_of(claims: Mapping[str, Any], name: str, *, is_null_absent: bool = False) -> dict[str, Any]:
    """A claim that is an object; empty where it is absent. Raises ClaimRefused."""
    if name not in claims or (is_null_absent and claims[name] is None):
        return {}
    value = claims[name]
    if not isinstance(value, dict):
        raise ClaimRefused(short(name))
    return value


def identifier(claims: Mapping[str, Any], name: str, *, longest: int = LONGEST_ID) -> str:
    """A claim that names something, kept exactly. Raises ClaimRefused."""
    value = claims.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not is_storable(value):
        raise ClaimRefused(short(name))
    return value


def shown(claims: Mapping[str, Any], name: str, *, longest: int = LONGEST_ID) -> str | None:
    """A claim that people read, cleaned; None where there is none. Raises ClaimRefused."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ClaimRefused(short(name))
    return clean(value, longest) or None


def paragraphs(claims: Mapping[str, Any], name: str, *, longest: int) -> str | None:
    """A longer text that people read, with its lines, as plain text; None where there is none. Raises ClaimRefused.

    Moodle sends what stands in its editor, which is HTML; the specification means plain text.
    """
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ClaimRefused(short(name))
    lines = [clean(line, longest) for line in _plain_text(value[: 10 * longest]).splitlines()]
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()[:longest].strip() or None


def _plain_text(text: str) -> str:
    if _MARKUP.search(text) is None:
        return text
    reader = _MarkupReader()
    reader.feed(_PIECES.sub(_plain_tag, text))
    reader.close()
    return "".join(reader.parts)


def _plain_tag(piece: Match[str]) -> str:
    """The tag without attributes. HTMLParser needs quadratic time for tags that never end, so it is given none."""
    if piece[1]:
        return f"<{piece[1]}>"
    return "&lt;" if piece[0] == "<" else ""


class _MarkupReader(HTMLParser):
    """Collects the words of a piece of HTML, with a line of its own for each block."""

    BREAKS: Final = {
        **dict.fromkeys(("p", "ul", "ol", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"), "\n\n"),
        **dict.fromkeys(("br", "div", "li", "tr"), "\n"),
    }
    UNSEEN: Final = frozenset({"script", "style"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in self.UNSEEN
        self.parts.append(self.BREAKS.get(tag, ""))
        if tag == "li":
            self.parts.append("• ")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in self.UNSEEN
        if tag not in {"br", "li"}:
            self.parts.append(self.BREAKS.get(tag, ""))

    def handle_data(self, data: str) -> None:
        if self.hidden <= 0:
            # A line break in the source of a page is a blank on the page.
            self.parts.append(_BREAKS.sub(" ", data).replace("\xa0", " "))


def texts(claims: Mapping[str, Any], name: str, *, required: bool = False) -> tuple[str, ...]:
    """A claim that is a list of texts. Raises ClaimRefused."""
    value = claims.get(name)
    if value is None and not required:
        return ()
    if not isinstance(value, list) or len(value) > 200:
        raise ClaimRefused(short(name))
    if not all(isinstance(text, str) and len(text) <= 1000 and is_storable(text) for text in value):
        raise ClaimRefused(short(name))
    return tuple(value)


def yes_or_no(claims: Mapping[str, Any], name: str) -> bool | None:
    """A claim that is true or false, or None where it is absent. Raises ClaimRefused."""
    value = claims.get(name)
    if value is not None and not isinstance(value, bool):
        raise ClaimRefused(short(name))
    return value


def address(claims: Mapping[str, Any], name: str, *, allow_http: bool) -> str | None:
    """A claim that is a web address which something depends on; None where it is absent. Raises ClaimRefused."""
    value = claims.get(name)
    # Moodle sends "" for a line item that does not exist.
    if value is None or value == "":
        return None
    if not isinstance(value, str) or harmless_address(value, allow_http=allow_http) is None:
        raise ClaimRefused(short(name))
    return value


def harmless_address(value: object, *, allow_http: bool) -> str | None:
    """The value if it is a web address that may be linked to, else None."""
    if not isinstance(value, str) or len(value) > 4000 or _BLANKS.search(value):
        return None
    if not is_storable(value):
        return None
    try:
        origin = origin_of(value)
    except AddressRefused:
        return None
    return value if origin.startswith("https://") or allow_http else None


def locale_of(presentation: Mapping[str, Any]) -> str | None:
    """The language that a presentation claim names, as BCP 47 spells it."""
    value = shown(presentation, "locale", longest=35)
    return value.replace("_", "-") if value and _LOCALE.fullmatch(value) else None


def time_zone_of(name: str | None) -> str | None:
    """The name of the time zone that is meant; None where none is. Moodle says "99" for "the server's zone"."""
    zone = read_zone(name) if name else None
    return zone.key if zone is not None else None


def short(name: str) -> str:
    """The name of a claim as the audit shows it."""
    return name.rsplit("/", 1)[-1]
