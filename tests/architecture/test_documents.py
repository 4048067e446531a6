"""The documents say what the code says."""

import re
from pathlib import Path

from tests.architecture.reference import reference

ROOT = Path(__file__).parent.parent.parent


def test_every_setting_command_route_job_and_error_is_documented() -> None:
    assert (ROOT / "docs/reference.md").read_text() == reference(), (
        "run: python -m tests.architecture.reference > docs/reference.md"
    )


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "SECURITY.md"]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", document.read_text()):
            if not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert broken == []


def test_the_glossary_is_alphabetical_and_says_each_word_in_one_sentence() -> None:
    lines = (ROOT / "docs/glossary.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]
    assert [word for word, _, _ in rows] == sorted({word for word, _, _ in rows})
    assert [meaning for _, meaning, _ in rows if not re.fullmatch(r"[A-Z][^.]*\.", meaning)] == []
