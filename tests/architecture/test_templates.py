"""What every template owes: no inline code, every word translatable, a form token in every form that posts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
NAMES = {"Tandem", "UTC", "CSV", "ZIP", "LTI", "LMS", "JSON", "ID"}
WITHOUT_A_VISIT = {"launch", "letters", "registration"}
"""Their forms carry a state, an invitation or a sealed number instead, and come before there is any cookie to abuse."""
WORDS_IN_ATTRIBUTES = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)')


def source(name: str) -> str:
    return (TEMPLATES / name).read_text()


def pieces(name: str) -> Iterator[str]:
    """The literal text of a template, as one string per run, without what Jinja fills in."""
    tree = ENVIRONMENT.parse(source(name))
    yield "\x00".join(
        piece.data
        for output in tree.find_all(nodes.Output)
        for piece in output.nodes
        if isinstance(piece, nodes.TemplateData)
    )


@pytest.mark.parametrize("name", ALL)
def test_no_inline_script_or_style(name: str) -> None:
    text = source(name)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)


@pytest.mark.parametrize("name", ALL)
def test_every_word_can_be_translated(name: str) -> None:
    text = next(pieces(name))
    # Macros that write attributes only have no tag around them.
    literal = re.sub(r'<[^>]*>|[\w-]+="[^"]*"', " ", text, flags=re.DOTALL)
    words = set(re.findall(r"[^\W\d_]{2,}", re.sub(r"&\w+;", " ", literal))) - NAMES
    attributes = {word for value in WORDS_IN_ATTRIBUTES.findall(text) for word in re.findall(r"[^\W\d_]{2,}", value)}
    assert words | (attributes - NAMES) == set()


@pytest.mark.parametrize("name", ALL)
def test_every_form_that_changes_something_proves_that_it_is_ours(name: str) -> None:
    if name.split("/", maxsplit=1)[0] in WITHOUT_A_VISIT:
        return
    for form in re.findall(r"<form.*?</form>", source(name), flags=re.DOTALL):
        if 'method="post"' in form and "data-post" not in form:
            assert "form_token()" in form
