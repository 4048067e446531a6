"""Names say what a value is. Words that fit everything are for comprehensions and lambdas alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lti_tool

ROOT = Path(lti_tool.__file__).parent
SAYS_NOTHING = {"found", "one", "other"}


def named(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of every variable and argument, but for those of comprehensions and lambdas."""
    short_lived = {
        id(part)
        for node in ast.walk(tree)
        for scope in ([node.target] if isinstance(node, ast.comprehension) else [])
        + ([node.args] if isinstance(node, ast.Lambda) else [])
        for part in ast.walk(scope)
    }
    for node in ast.walk(tree):
        if id(node) in short_lived:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


@pytest.mark.parametrize("folder", sorted(path.name for path in ROOT.iterdir() if path.is_dir()))
def test_variables_are_named_for_what_they_hold(folder: str) -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, name in named(ast.parse(path.read_text("utf-8")))
        if name in SAYS_NOTHING
    ]
    assert faults == []


def test_a_name_that_says_nothing_is_seen() -> None:
    code = "found = [one for one in x]\nfor one in x: pass\ndef f(other): return lambda one: one"
    assert sorted(named(ast.parse(code)), key=str) == [(1, "found"), (2, "one"), (3, "other")]
