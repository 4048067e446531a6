"""The first command on a fresh machine: what is installed, and what is said where it cannot be."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import environment

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "tests" / "environment.py"
OLDEST_PIP = "pip==22.3 --hash=sha256:1daab4b8d3b97d1d763caeb01a4640a2250a0ea899e257b1e44b9eded91e15ab"
"""What `python -m venv` of Python 3.11.0 installs."""


def wheel(folder: Path, name: str, version: str, *requires: str) -> str:
    """Write an empty package. Returns its sha256."""
    normal = re.sub(r"[-_.]+", "_", name)
    info = f"{normal}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
    files = {
        f"{normal}.py": f"version = {version!r}\n",
        f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {one}\n" for one in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{normal}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder of wheels, which is all that pip may look at."""
    folder = tmp_path / "index"
    folder.mkdir()
    return folder


def settings_of_pip(index: Path) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return {**others, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}


def make_environment(folder: Path, requirements: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(folder), str(requirements)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env)


def test_a_newer_release_of_a_package_with_an_extra_changes_nothing(index: Path, tmp_path: Path) -> None:
    pinned = {
        "reporter==1.0": wheel(index, "reporter", "1.0", "counter[toml]>=1"),
        "counter==1.0": wheel(index, "counter", "1.0"),
    }
    wheel(index, "counter", "2.0")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("".join(f"{name} --hash=sha256:{sha}\n" for name, sha in pinned.items()))
    # What an interrupted first run leaves behind.
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").write_text("half a file")

    done = make_environment(tmp_path / "venv", requirements, settings_of_pip(index))

    assert done.returncode == 0, done.stderr
    ask = [str(tmp_path / "venv" / "bin" / "python"), "-c", "import counter, reporter; print(counter.version)"]
    assert subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip() == "1.0"


def test_a_requirement_file_that_lacks_a_package_is_refused(index: Path, tmp_path: Path) -> None:
    sha = wheel(index, "reporter", "1.0", "counter>=1")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"reporter==1.0 --hash=sha256:{sha}\n")

    done = make_environment(tmp_path / "venv", requirements, settings_of_pip(index))

    assert done.returncode == 1
    assert "reporter 1.0 requires counter, which is not installed" in (tmp_path / "venv" / "install.log").read_text()


def test_a_machine_without_network_gets_one_sentence(index: Path, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"counter==1.0 --hash=sha256:{'0' * 64}\n")
    nowhere = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1"}

    done = make_environment(tmp_path / "venv", requirements, {**settings_of_pip(index), **nowhere})

    assert done.returncode == 1
    assert "the package index cannot be reached" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_python_without_venv_gets_one_sentence(index: Path, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError\n")

    done = make_environment(
        tmp_path / "venv", tmp_path / "none.txt", {**settings_of_pip(index), "PYTHONPATH": str(tmp_path)}
    )

    assert done.stderr == (
        "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv\n"
    )


@pytest.mark.parametrize(("version", "is_refused"), [((3, 10, 13), True), ((3, 11, 0), False), ((3, 14, 0), False)])
def test_a_python_that_is_too_old_gets_one_sentence(version: tuple[int, ...], is_refused: bool) -> None:
    sentence = environment.too_old(version)

    assert (sentence is not None) == is_refused
    if sentence:
        assert sentence.startswith("Tandem needs Python 3.11 or newer; this one is 3.10.")


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["dev", "production", "build", "crosscheck"])
def test_each_requirement_file_installs_whatever_is_released_later(
    name: str, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = ROOT / "requirements" / f"{name}.txt"
    for package in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", requirements.read_text(), re.MULTILINE):
        wheel(index, package, "9999.0")
    python = environment.create(tmp_path / "venv")
    oldest = tmp_path / "oldest.txt"
    oldest.write_text(OLDEST_PIP)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", oldest], check=True)

    monkeypatch.setenv("PIP_FIND_LINKS", f"{os.environ.get('PIP_FIND_LINKS', '')} {index}")
    environment.install(python, requirements)

    listed = subprocess.run([python, "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert re.search(r"^pip +22\.3$", listed, re.MULTILINE)
    assert "9999" not in listed
