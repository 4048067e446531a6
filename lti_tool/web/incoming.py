"""Check what requests bring: numbers that rows can have, texts that databases take."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict, iter_multi_items
from werkzeug.routing import IntegerConverter, Map, UnicodeConverter, ValidationError

NUL = "\0"
"""The NUL character: people do not type it, and PostgreSQL does not store it."""


class Texts(ImmutableMultiDict[str, Any]):
    """Fields of a form or of a query, without NUL characters."""

    had_nul: frozenset[str]
    """Names of fields with a NUL character. A signed or secret value must not become valid by leaving it out."""

    def __init__(self, mapping: Any = None) -> None:
        sent = list(iter_multi_items(mapping or ()))
        super().__init__([(_plain(name), _plain(value)) for name, value in sent])
        self.had_nul = frozenset(_plain(name) for name, value in sent if NUL in f"{name}{value}")


def is_intact(fields: Mapping[str, Any], name: str) -> bool:
    """Whether a field came at most once, and unchanged."""
    return not (isinstance(fields, Texts) and (len(fields.getlist(name)) > 1 or name in fields.had_nul))


class PlainRequest(Request):
    """A request whose fields can be stored."""

    parameter_storage_class = Texts


class RowNumber(IntegerConverter):
    """A number in an address. One that is larger than any row's names nothing, and no database is asked for it."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**31 - 1)


class PlainName(UnicodeConverter):
    """A name in an address. One with a NUL character names nothing."""

    def to_python(self, value: str) -> str:
        if NUL in value:
            raise ValidationError
        return value


def install(app: Flask) -> None:
    """Read all requests of this app in this way. Call it before pages are registered."""
    app.request_class = PlainRequest
    app.url_map.converters.update({"int": RowNumber, "default": PlainName, "string": PlainName})


def _plain(value: Any) -> Any:
    return value.replace(NUL, "") if isinstance(value, str) else value
