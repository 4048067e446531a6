"""`make messages` brings every text that people read to the translators."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).parent.parent.parent
PYTHON = sorted((ROOT / "lti_tool").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MARKS = {"_", "N_", "NN_", "gettext", "ngettext"}
"""What marks a text, or looks up one that is marked elsewhere."""
ONLY_MARK = {"N_", "NN_"}
PLURAL = {"NN_", "ngettext"}
TEMPLATE_LANGUAGE = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"])


@cache
def marked_in_python(file: Path) -> list[tuple[str, list[str | None], int]]:
    """Every call of a mark: its name, its texts (None for what is no literal) and its line."""
    return [
        (call.func.id, [text_of(one) for one in call.args[: 2 if call.func.id in PLURAL else 1]], call.lineno)
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKS
    ]


def text_of(argument: ast.expr) -> str | None:
    is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    return argument.value if is_text else None


def marked_in(template: Path) -> Iterator[list[str | None]]:
    """The texts of every call of a mark in a template."""
    for call in TEMPLATE_LANGUAGE.parse(template.read_text()).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in MARKS:
            texts = call.args[: 2 if call.node.name in PLURAL else 1]
            yield [one.value if isinstance(one, nodes.Const) else None for one in texts]


def as_extracted(texts: list[str | None]) -> str | tuple[str, ...] | None:
    known = [one for one in texts if one is not None]
    if len(known) < len(texts):
        return None
    return known[0] if len(known) == 1 else tuple(known)


def test_every_text_of_the_program_is_extracted(extracted: set[str | tuple[str, ...]]) -> None:
    lost = []
    for file in PYTHON:
        for mark, texts, line in marked_in_python(file):
            text = as_extracted(texts)
            # What is looked up by a variable was marked where it is written down.
            if text not in extracted and (text is not None or mark in ONLY_MARK):
                lost.append(f"{file.relative_to(ROOT)}:{line}: {mark}({text})")
    assert lost == []


def test_every_text_of_the_pages_is_extracted(extracted: set[str | tuple[str, ...]]) -> None:
    lost = []
    for template in TEMPLATES:
        for texts in marked_in(template):
            text = as_extracted(texts)
            if text is not None and text not in extracted:
                lost.append(f"{template.relative_to(ROOT)}: {text}")
    assert lost == []


def test_every_mark_finds_texts() -> None:
    marks = {mark for file in PYTHON for mark, _, _ in marked_in_python(file)}
    assert marks >= MARKS - {"_"}
