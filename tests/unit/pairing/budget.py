"""How many examples a property test tries: some in every run, many more at night."""

from typing import Final

from hypothesis import settings

MORE_AT_NIGHT: Final = 20


def examples(usual: int) -> int:
    """A quarter as many in `make test`, and many times as many in `make nightly`. For `@settings(max_examples=…)`."""
    return usual * MORE_AT_NIGHT if settings.get_current_profile_name() == "nightly" else max(usual // 4, 1)
