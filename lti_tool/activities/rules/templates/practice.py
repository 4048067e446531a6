"""Templates in which people watch, show or play something."""

from typing import Final

from lti_tool.activities.kinds.observation import CROSS_TRAINING as CROSS_TRAINING_KIND
from lti_tool.activities.kinds.observation import OBSERVATION
from lti_tool.activities.kinds.observation import REHEARSAL as REHEARSAL_KIND
from lti_tool.activities.kinds.role_play import ROLE_PLAY as ROLE_PLAY_KIND
from lti_tool.activities.rules.templates import rubrics, scenarios
from lti_tool.activities.rules.templates.template import Template
from lti_tool.errors import N_

OBSERVATION_AND_FEEDBACK: Final = Template(
    key="observation",
    kind=OBSERVATION.key,
    title=N_("Observation and feedback"),
    good_for=N_(
        "Presentations, lessons, meetings and other moments that a partner can watch. Partners swap "
        "seats, so everyone learns to observe and to be observed."
    ),
    how_long=N_("Two rounds of about one hour, with two weeks for each."),
    instructions=N_(
        "In each round you and your partner observe each other once: a presentation, a lesson, a meeting, or another "
        "moment that you choose together.\n\n"
        "Before: agree on what to observe, when and where, and on one thing your partner should look at.\n"
        "While observing: write down what you see and hear, not what you think of it.\n"
        "After: give your feedback within two days. Strengths first, then one or two things to try next time. "
        "Say what you noticed, what effect it had, and one adjustment.\n\n"
        "What you tell each other stays between you. Feedback is there to help, not to judge."
    ),
    days_to_due=(14, 28),
    rubric_draft=rubrics.OBSERVATION_BOTH_WAYS,
)
ROLE_PLAY: Final = Template(
    key="role_play",
    kind=ROLE_PLAY_KIND.key,
    title=N_("Role-play"),
    good_for=N_(
        "Rehearsing a conversation that matters: difficult feedback, a client who complains, saying no. "
        "Both play both sides and can try several ways. Nothing of it is graded."
    ),
    how_long=N_("Three rounds of about 45 minutes, with two weeks for each."),
    instructions=N_(
        "In each round you and your partner play the scenario several times and then swap seats.\n\n"
        "One of you plays themselves. The other has a private brief that only they can read.\n"
        "After each take, stop for a minute: what was it like to hear this? Choose one thing to do differently, and "
        "play again.\n"
        "At the end, say what made the difference between the takes.\n\n"
        "This is a rehearsal. No one grades how well you play. What you tell each other stays between you."
    ),
    days_to_due=(14, 28, 42),
    rubric_draft=rubrics.PLAYING,
    scenario=scenarios.DIFFICULT_FEEDBACK,
)
REHEARSAL: Final = Template(
    key="rehearsal",
    kind=REHEARSAL_KIND.key,
    title=N_("Presentation rehearsal"),
    good_for=N_(
        "A talk, a pitch or a defense that is coming up. The presenter rehearses before one person who knows what to "
        "look at, and practices the questions that will come."
    ),
    how_long=N_("Three rounds of about one hour, with one week for each."),
    instructions=N_(
        "In each round, each of you rehearses a presentation once, or the part of it that matters most.\n\n"
        "Before: say what the occasion is, who will listen, and what your partner should look at.\n"
        "Rehearse: stand up and speak as you will speak there. The observer takes notes and does not interrupt.\n"
        "Questions and answers: the observer asks what the real audience would ask. Try an answer twice if you like.\n"
        "After: strengths first, then one or two things to try next time. Then swap seats.\n\n"
        "What you tell each other stays between you."
    ),
    days_to_due=(7, 14, 21),
    rubric_draft=rubrics.OBSERVATION_BOTH_WAYS,
    scenario=scenarios.AUDIENCE,
)
CROSS_TRAINING: Final = Template(
    key="cross_training",
    kind=CROSS_TRAINING_KIND.key,
    title=N_("Cross-training"),
    good_for=N_(
        "People from different departments who can learn from each other's work. Each shows a piece of it, and each "
        "learns. Partners come from another department, and one offers what the other wants to learn."
    ),
    how_long=N_("Three rounds of about two hours, with one month for each."),
    instructions=N_(
        "In each round you and your partner show each other a piece of your work.\n\n"
        "Before: say what you would like to learn and what you can show. Choose a moment at which the real work is "
        "done.\n"
        "While one works, the other shadows: watch, ask, try a part yourself. Then swap.\n"
        "After: write down what surprised you and what you will use in your own work. Tell each other what helped.\n\n"
        "Show how it really is, including what does not go well. What you see of people and of cases stays there."
    ),
    days_to_due=(30, 60, 90),
    rubric_draft=rubrics.SHOWING,
    preferences={
        "rules": [
            {"kind": "other", "attribute": "department"},
            {"kind": "offers_meet_needs", "attribute": "offers"},
        ],
        "wishes": [{"kind": "extra_shared", "attribute": "slots"}],
    },
)
