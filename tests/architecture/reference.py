"""Writes docs/reference.md from the code: every setting, command, route, job and error with its own docstring.

`python -m tests.architecture.reference` prints it; a test compares.
"""

import inspect
import sys
from dataclasses import fields

import click

from lti_tool.app import create_app
from lti_tool.cli import main
from lti_tool.errors import ToolError
from lti_tool.settings import Settings, variable
from lti_tool.support.crypto import KeyRing
from lti_tool.wiring import Services, build


def first_sentence(thing: object) -> str:
    """The first paragraph of a docstring on one line. Raises LookupError where there is none."""
    text = inspect.getdoc(thing)
    if not text:
        raise LookupError(f"{thing!r} has no docstring")
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def settings_rows() -> list[tuple[str, ...]]:
    return [
        (f"`{variable(one)}`", f"`{one.metadata['default']}`" if one.metadata["default"] else "", one.metadata["says"])
        for one in fields(Settings)
    ]


def command_rows(group: click.Group, prefix: str = "lti-tool") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            rows += command_rows(command, f"{prefix} {name}")
        else:
            if not command.help:
                raise LookupError(f"{prefix} {name} has no help")
            rows.append((f"`{prefix} {name}`", " ".join(command.help.split("\n\n")[0].split())))
    return rows


def route_rows(services: Services) -> list[tuple[str, ...]]:
    app = create_app(services)
    rows = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.endpoint in {"static", "bootstrap.static", "health"}:
            continue
        methods = " ".join(sorted(rule.methods - {"HEAD", "OPTIONS"})) if rule.methods else ""
        rows.append((methods, f"`{rule.rule}`", first_sentence(app.view_functions[rule.endpoint])))
    return rows


def job_rows(services: Services) -> list[tuple[str, ...]]:
    return [(f"`{name}`", first_sentence(handler)) for name, handler in sorted(services.handlers.items())]


def error_rows() -> list[tuple[str, ...]]:
    found: list[type[ToolError]] = []
    waiting = [ToolError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return [(f"`{kind.__name__}`", first_sentence(kind)) for kind in sorted(set(found), key=_place)]


def _place(kind: type[ToolError]) -> tuple[str, str]:
    # Two features may give their errors one name.
    return kind.__name__, kind.__module__


def reference() -> str:
    """The whole document."""
    services = build(
        Settings.from_env(
            {
                "LTI_TOOL_DEVELOPMENT": "1",
                "LTI_TOOL_DATABASE_URL": "sqlite://",
                "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
            }
        )
    )
    return "\n".join(
        [
            "# Reference",
            "",
            "Written from the code by `python -m tests.architecture.reference`; a test compares.",
            "",
            "## Settings",
            "",
            *table(("name", "default", "what it does"), settings_rows()),
            "## Commands",
            "",
            *table(("command", "what it does"), command_rows(main)),
            "## Addresses",
            "",
            *table(("method", "address", "what it does"), route_rows(services)),
            "## Jobs",
            "",
            *table(("name", "what it does"), job_rows(services)),
            "## Errors",
            "",
            *table(("name", "what it means"), error_rows()),
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(reference())
