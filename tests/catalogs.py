"""Catalogs of a few texts, for tests of what is said in another language."""

from collections.abc import Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from lti_tool.support.languages import OFFERED, catalog_file

Texts = Mapping[str | tuple[str, str], str | tuple[str, str]]
"""Each English text with its translation; of one with two forms, both."""


def a_catalog(folder: Path, language: str, texts: Texts, *, is_offered: bool = True) -> None:
    """Write the catalog of a language into this folder."""
    catalog = Catalog(locale=language, header_comment=OFFERED if is_offered else "# Offered: no")
    for text, translation in texts.items():
        catalog.add(text, translation)
    file = catalog_file(folder, language)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        write_po(opened, catalog)
