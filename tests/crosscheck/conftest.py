"""Second opinions: what other people's platforms make of our messages. Run by `make crosscheck`.

They need packages that are in an environment of their own, so the ordinary test run passes them by. Nothing here uses
the fixtures of the other tests, whose packages are not in that environment.
"""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("lti_consumer") and find_spec("lti1p3platform") else ["test_*.py"]
