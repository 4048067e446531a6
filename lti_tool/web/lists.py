"""Long lists on pages: which part of a list a request asks for."""

from dataclasses import dataclass

from flask import request


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; the first is number 1."""

    number: int
    count: int
    """How many pages the list has, at least 1."""
    part: slice
    """Where the entries of the page are in the list."""


def page_of(count: int, size: int, field: str = "page") -> Page:
    """The page that the request asks for in this field, of a list of `count` entries; the nearest that there is."""
    pages = max(-(-count // size), 1)
    number = min(max(number_of(field), 1), pages)
    return Page(number, pages, slice((number - 1) * size, number * size))


def number_of(field: str) -> int:
    """A whole number in the request, or 0, which names nothing."""
    return whole(request.values.get(field, ""))


def whole(text: str) -> int:
    """The number in a text of at most nine digits, or 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
