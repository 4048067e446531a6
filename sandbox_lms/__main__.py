"""`python -m sandbox_lms` runs the LMS alone."""

import argparse
import os
from threading import Event

from sandbox_lms.profiles import PROFILES
from sandbox_lms.sandbox import SandboxLms


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox_lms", description="A small LMS to try an LTI tool in.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="moodle")
    chosen = parser.parse_args()
    lms = SandboxLms(chosen.profile, chosen.host, chosen.port)
    lms.suggested_registration_url = os.environ.get("SANDBOX_LMS_REGISTRATION_URL", "")
    with lms.running():
        print(f"{lms.title} ({lms.profile.title}) answers at {lms.url}", flush=True)
        try:
            Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
