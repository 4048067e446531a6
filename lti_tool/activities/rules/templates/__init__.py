"""Ready templates: activities that can be used as they are, as plain values."""

from typing import Final

from lti_tool.activities.rules.templates.practice import (
    CROSS_TRAINING,
    OBSERVATION_AND_FEEDBACK,
    REHEARSAL,
    ROLE_PLAY,
)
from lti_tool.activities.rules.templates.talks import (
    CIRCLE,
    GOAL_SETTING,
    NEW_MANAGERS,
    OPEN_SESSION,
    REFLECTION,
)
from lti_tool.activities.rules.templates.template import Say, Template, worded_again

TEMPLATES: Final[dict[str, Template]] = {
    template.key: template
    for template in (
        OBSERVATION_AND_FEEDBACK,
        GOAL_SETTING,
        REFLECTION,
        ROLE_PLAY,
        OPEN_SESSION,
        CIRCLE,
        REHEARSAL,
        NEW_MANAGERS,
        CROSS_TRAINING,
    )
}
"""In the order in which they are offered."""

__all__ = ["OBSERVATION_AND_FEEDBACK", "TEMPLATES", "Say", "Template", "worded_again"]
