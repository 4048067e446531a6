"""Chromium as people have it, started by hand.

Playwright's own default flags switch storage partitioning off, which gives a browser that nobody has; so the program is
started directly and Playwright only connects to it.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright

POLICIES: dict[str, dict[str, Any]] = {
    "third-party cookies blocked": {"cookie_controls_mode": 1, "block_third_party_cookies": True},
    "third-party cookies allowed": {"cookie_controls_mode": 0, "block_third_party_cookies": False},
    "script blocked": {
        "cookie_controls_mode": 0,
        "block_third_party_cookies": False,
        "default_content_setting_values": {"javascript": 2},
    },
    "all site data of the tool blocked": {
        "cookie_controls_mode": 1,
        "block_third_party_cookies": True,
        "content_settings": {"exceptions": {"cookies": {"localhost,*": {"setting": 2}}}},
    },
}
"""What a person chose in the browser's privacy settings."""

# Nothing here changes how cookies, storage or frames work.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def executable() -> str:
    """The Chromium that `tests/prepare.py` found."""
    return os.environ.get("TANDEM_TEST_CHROMIUM", "/usr/bin/chromium")


@contextmanager
def chromium(playwright: Playwright, folder: Path, policy: str) -> Iterator[Browser]:
    """A Chromium with a fresh profile under this privacy policy; it ends with the block."""
    preferences = folder / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps({"profile": POLICIES[policy]}))
    log = folder / "chromium.log"
    with log.open("wb") as written:
        program = subprocess.Popen(
            [executable(), *FLAGS, f"--user-data-dir={folder}", "about:blank"], stdout=written, stderr=written
        )
        try:
            browser = playwright.chromium.connect_over_cdp(_address(log, program))
            yield browser
            browser.close()
        finally:
            program.terminate()
            program.wait(timeout=20)


def _address(log: Path, program: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        found = re.search(r"DevTools listening on (ws://\S+)", log.read_text(errors="replace"))
        if found:
            return found[1]
        if program.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"Chromium did not start: {log.read_text(errors='replace')[-2000:]}")
