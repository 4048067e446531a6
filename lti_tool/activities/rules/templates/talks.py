"""Templates in which people talk: about goals, about what happened, about a case."""

from typing import Final

from lti_tool.activities.kinds.circle import CIRCLE as CIRCLE_KIND
from lti_tool.activities.kinds.goal_setting import GOAL_SETTING as GOAL_SETTING_KIND
from lti_tool.activities.kinds.open_session import OPEN_SESSION as OPEN_SESSION_KIND
from lti_tool.activities.kinds.reflection import REFLECTION as REFLECTION_KIND
from lti_tool.activities.rules.templates import rubrics
from lti_tool.activities.rules.templates.template import Template
from lti_tool.errors import N_

GOAL_SETTING: Final = Template(
    key="goals",
    kind=GOAL_SETTING_KIND.key,
    title=N_("Goal setting"),
    good_for=N_(
        "The start of a course, a project or a new role. A partner's questions turn a vague wish into a goal that can "
        "be seen to be reached, and later meetings look back at it."
    ),
    how_long=N_("Three rounds of about one hour, with one month for each."),
    instructions=N_(
        "In each round, both of you work on one goal.\n\n"
        "One says what they would like to get better at. The other asks and does not advise, until the goal says what, "
        "how much and by when. After half the time, change seats.\n"
        "At the end, each names the smallest next step and how the other will notice it.\n"
        "From the second round on, begin with what became of the steps before.\n\n"
        "What you tell each other stays between you."
    ),
    days_to_due=(30, 60, 90),
    rubric_draft=rubrics.COACHING,
)
REFLECTION: Final = Template(
    key="reflection",
    kind=REFLECTION_KIND.key,
    title=N_("Reflection"),
    good_for=N_(
        "After a meeting, a lesson, a project or a placement. Each looks back at something that happened, first alone "
        "and then with a partner who asks."
    ),
    how_long=N_("Four rounds of about 45 minutes, with two weeks for each."),
    instructions=N_(
        "In each round, each of you looks back at something that happened: a meeting, a lesson, a conversation.\n\n"
        "Before you meet: write down what happened, what went well, and what you would do differently.\n"
        "When you meet: one reflects aloud, and the other asks open questions. Tips come last, and only if they are "
        "wanted. Then swap seats.\n"
        "At the end, each says what they take from it and what they will do.\n\n"
        "What you tell each other stays between you."
    ),
    days_to_due=(14, 28, 42, 56),
    rubric_draft=rubrics.COACHING,
)
OPEN_SESSION: Final = Template(
    key="open",
    kind=OPEN_SESSION_KIND.key,
    title=N_("Open session"),
    good_for=N_(
        "People who want to talk about what is on their minds, with a loose frame: a goal for the "
        "conversation, time for each, next steps."
    ),
    how_long=N_("Four rounds of about one hour, with two weeks for each."),
    instructions=N_(
        "In each round you meet for about an hour, and half of the time belongs to each of you.\n\n"
        "Begin with a win or a challenge since last time. Say what you want to get out of this conversation.\n"
        "Ask before you advise. If something else turns out to matter more, follow it.\n"
        "End with what each of you will do until next time.\n\n"
        "What you tell each other stays between you."
    ),
    days_to_due=(14, 28, 42, 56),
    rubric_draft=rubrics.COACHING,
)
CIRCLE: Final = Template(
    key="circle",
    kind=CIRCLE_KIND.key,
    title=N_("Circle"),
    good_for=N_(
        "Work groups and people from several departments who help each other with real cases. One brings a case; the "
        "others ask, reflect and advise, step by step. Circles have four or five people."
    ),
    how_long=N_("Four rounds of about 75 minutes, with three weeks for each."),
    instructions=N_(
        "In each round your circle works on one case. One of you brings it, one facilitates, and in the "
        "next round others do.\n\n"
        "The case giver tells what happened and asks the circle a question. Then come questions only, "
        "reflections, advice, and what each takes away. The page shows the time of each step.\n"
        "The case stays with the person who brought it: advice is an offer.\n\n"
        "What is said in the circle stays in the circle."
    ),
    days_to_due=(21, 42, 63, 84),
    rubric_draft=rubrics.FACILITATING,
    preferences={"kind": "circles", "size": 4},
)
NEW_MANAGERS: Final = Template(
    key="new_managers",
    kind=REFLECTION_KIND.key,
    title=N_("Support for new managers"),
    good_for=N_(
        "People who lead others for the first time. They reflect with someone who has at least two more years of "
        "experience and is never their manager nor anyone above them."
    ),
    how_long=N_("Five rounds of about one hour, with one month for each."),
    instructions=N_(
        "In each round you and your partner look back at situations in which you led people.\n\n"
        "Before you meet: write down one situation, what went well, and what you would do differently.\n"
        "When you meet: one reflects aloud, and the other asks open questions. The more experienced one "
        "speaks about their own experience last. Then swap seats: experienced people have situations too.\n"
        "At the end, each names one thing to do before the next meeting.\n\n"
        "What you tell each other stays between you. It goes to no one's manager."
    ),
    days_to_due=(30, 60, 90, 120, 150),
    rubric_draft=rubrics.COACHING,
    preferences={
        "rules": [
            {"kind": "reporting_line", "attribute": "manager"},
            {"kind": "gap", "attribute": "experience", "at_least": 2},
        ],
        "wishes": [
            {"kind": "other", "attribute": "department", "weight": 3},
            {"kind": "extra_shared", "attribute": "slots"},
        ],
    },
)
