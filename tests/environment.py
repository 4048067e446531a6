"""Makes a virtual environment that holds exactly what a requirement file says.

    python tests/environment.py .venv requirements/dev.txt --editable

Needs nothing but Python, and runs far enough on an old one to say that it is too old. Replaces whatever an interrupted
run left behind. Ends with one sentence where it cannot go on; what pip said is kept in a file that the sentence names.
"""

import argparse
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
OPTIONS = ("--disable-pip-version-check", "--no-input")
NO_NETWORK = ("NewConnectionError", "NameResolutionError", "Could not connect", "ConnectTimeoutError", "ProxyError")


def too_old(version):
    """The sentence for a Python older than the tool needs, or None."""
    if tuple(version[:2]) >= OLDEST:
        return None
    return "Tandem needs Python {}.{} or newer; this one is {}.{}. Name another: make PYTHON=python3.11 ...".format(
        *OLDEST, *version[:2]
    )


def create(folder):
    """Make an empty environment in the place of whatever is there. Returns its interpreter."""
    try:
        # Imported here because Debian ships both apart: their absence has to become a sentence.
        import ensurepip  # noqa: F401, PLC0415 - looked for here, used by venv
        import venv  # noqa: PLC0415 - see above
    except ImportError:
        sys.exit("This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv")
    try:
        venv.EnvBuilder(clear=True, with_pip=True, symlinks=True).create(folder)
    except (OSError, subprocess.CalledProcessError) as failure:
        sys.exit(f"The virtual environment {folder} could not be made: {failure}")
    return folder / "bin" / "python"


def install(python, requirements):
    """Install what the file names and nothing else, then check that nothing is missing.

    The files are complete, so pip is told not to look for dependencies. Up to pip 23.2 it otherwise asks for the newest
    release of a package that is required with an extra, and refuses it for having no hash (pypa/pip#12345).
    """
    run(python, ["-m", "pip", "install", *OPTIONS, "--require-hashes", "--no-deps", "-r", str(requirements)])
    run(python, ["-m", "pip", "check", "--disable-pip-version-check"])


def install_tool(python):
    """Install this checkout, so that a change in it is used at once."""
    run(python, ["-m", "pip", "install", *OPTIONS, "--no-deps", "--no-build-isolation", "--editable", "."])


def run(python, arguments):
    """Run a step of pip, and end with one sentence where it fails."""
    done = subprocess.run(
        [str(python), *arguments], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode == 0:
        return
    log = python.parent.parent / "install.log"
    log.write_text(done.stdout, encoding="utf-8")
    last = ([line for line in done.stdout.splitlines() if line.startswith("ERROR")] or ["pip failed"])[-1]
    if any(word in done.stdout for word in NO_NETWORK):
        last = "the package index cannot be reached; connect this machine and run the command again"
    sys.exit(f"The packages could not be installed: {last} (all of it: {log})")


def main():
    """Make the environment that the command line names."""
    sentence = too_old(sys.version_info)
    if sentence:
        sys.exit(sentence)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--editable", action="store_true", help="install this checkout too")
    asked = parser.parse_args()
    python = create(asked.folder)
    install(python, asked.requirements)
    if asked.editable:
        install_tool(python)


if __name__ == "__main__":
    main()
