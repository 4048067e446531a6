"""What several tests about the code itself need."""

import shlex
from pathlib import Path

import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> set[str | tuple[str, ...]]:
    """The texts that the command of the Makefile finds; of one with two forms, both."""
    [command] = [
        lines.split("\n\n")[0]
        for lines in (ROOT / "Makefile").read_text().split("$(BIN)/pybabel --quiet ")[1:]
        if lines.startswith("extract ")
    ]
    arguments = shlex.split(command.replace("\\\n", " "))
    file = tmp_path_factory.mktemp("messages") / "messages.pot"
    arguments[arguments.index("--output-file") + 1] = str(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        CommandLineInterface().run(["pybabel", "--quiet", *arguments])
    with file.open("rb") as opened:
        return {message.id for message in read_po(opened) if message.id}
