"""What may import what: the contracts of pyproject.toml, which also know every feature."""

from pathlib import Path

import pytest
from importlinter.api import read_configuration
from importlinter.cli import lint_imports

from lti_tool.wiring import FEATURES

ROOT = Path(__file__).parent.parent.parent
PACKAGES = {f"lti_tool.{feature}" for feature in FEATURES}


def test_every_import_contract_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True, no_logo=True) == 0, capsys.readouterr().out


def test_rooms_and_doors_are_checked_in_every_feature() -> None:
    contracts = read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    in_order = [name for one in contracts if one.get("exhaustive") for name in one["containers"]]
    assert sorted(name for name in in_order if name != "lti_tool") == sorted(PACKAGES)
    doors = next(one for one in contracts if one["name"].startswith("Doors"))
    assert set(doors["source_modules"]) == PACKAGES
