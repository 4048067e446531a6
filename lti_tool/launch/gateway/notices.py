"""The platform's notification service."""

from lti_tool.launch.rules.notices import COPY_NOTICE
from lti_tool.registration.rules.dynamic import NOTICES_SCOPE
from lti_tool.registration.service.tokens import TokenClient
from lti_tool.support.http import Purpose
from lti_tool.support.kit import Kit


def subscribe(kit: Kit, registration_id: int, url: str, handler: str) -> int:
    """Ask for notices of copied courses at this address of ours. Returns the status of the answer.

    No transaction may be open. Raises what `support.http` raises and what asking for a token raises.
    """
    tokens = TokenClient(kit)
    for is_last_try in (False, True):
        token = tokens.token(registration_id, [NOTICES_SCOPE])
        answer = kit.http.put(
            url,
            Purpose.CONFIGURATION,
            {"Accept": "application/json", "Authorization": f"Bearer {token.value}"},
            json_body={"notice_type": COPY_NOTICE, "handler": handler},
        )
        if answer.status != 401 or is_last_try:
            break
        tokens.forget(token)
    return answer.status
