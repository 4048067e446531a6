"""Ready scenarios for role-plays. Each brief is for one seat only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lti_tool.activities.kinds import Kind
from lti_tool.activities.rules.scenario import Scenario
from lti_tool.errors import N_


@dataclass(frozen=True, slots=True)
class ReadyScenario:
    """A scenario to begin with. Texts are marked for translation."""

    key: str
    title: str
    texts: Scenario

    def suits(self, kind: Kind) -> bool:
        """Whether its briefs are for seats of this kind."""
        return kind.has_scenario and set(self.texts.briefs) <= {seat.key for seat in kind.seats}

    def worded(self, say: Callable[[str], str]) -> Scenario:
        """The scenario in somebody's language."""
        return Scenario(say(self.texts.public), {seat: say(brief) for seat, brief in self.texts.briefs.items()})


DIFFICULT_FEEDBACK: Final = ReadyScenario(
    "feedback",
    N_("Giving a colleague difficult feedback"),
    Scenario(
        N_(
            "Two colleagues have worked on a project together for half a year. One of them has handed in their part "
            "late three times, and the other stayed late to make up for it. They meet for a quarter of an hour, "
            "because the one who made up for it has asked for a talk."
        ),
        {
            "self": N_(
                "You asked for this talk. You like working with your colleague and want to go on doing so. You want to "
                "say what the delays meant for you, and to agree on what is different from now on. Choose a way: come "
                "to the point at once, or begin with what works well. Try the other way in the next take."
            ),
            "other": N_(
                "You do not know what the talk is about. Two weeks ago, your father fell ill, and you have told no one "
                "at work. You feel ashamed of the delays and tend to explain them away. If you are asked openly and "
                "listened to, you say what is going on. If you feel attacked, you point out that others are late, too."
            ),
        },
    ),
)
COMPLAINT: Final = ReadyScenario(
    "complaint",
    N_("A client who complains"),
    Scenario(
        N_(
            "A client calls about an order that arrived incomplete and a week late. It is the second time this year. "
            "The client speaks with the person who is responsible for the order."
        ),
        {
            "self": N_(
                "You are responsible for the order. A supplier let you down; the client does not need to know that. "
                "You can send the missing parts by express today and take a tenth off the price, not more. You want "
                "the client to stay. Try in each take what happens if you say more, or less, before you offer "
                "something."
            ),
            "other": N_(
                "You are the client. Because of the missing parts, you had to put off your own client, which was "
                "embarrassing. You want somebody to understand that before they offer you anything. You become calmer "
                "when someone sums up what it meant for you, and louder when you hear excuses or rules. You do not "
                "want to leave."
            ),
        },
    ),
)
SAYING_NO: Final = ReadyScenario(
    "no",
    N_("Saying no to one more task"),
    Scenario(
        N_(
            "On a Thursday afternoon, somebody asks a colleague to take over one more task: the report for the "
            "steering group, due on Monday. The two work well together and depend on each other."
        ),
        {
            "self": N_(
                "Your week is full, and you have promised the weekend to your family. You want to say no, or to a part "
                "of it, without a long excuse and without harming the relationship. You could offer to read the report "
                "on Monday morning. In one take, say no in your first sentence; in another, ask first."
            ),
            "other": N_(
                "You need this report, and you have already asked somebody else in vain. You are friendly and do not "
                "give up easily: you say how good the other is at this, that it is only this once, and that it takes "
                "two hours at most. If you hear a clear no with a reason or an offer, you accept it."
            ),
        },
    ),
)
AUDIENCE: Final = ReadyScenario(
    "audience",
    N_("Questions from the audience"),
    Scenario(
        N_(
            "The presentation is over, and there are ten minutes for questions. The observer now plays the audience "
            "that the presenter has described."
        ),
        {
            "observed": N_(
                "You want to answer briefly and honestly. If you do not know something, say so and say when you will "
                "know. In another take, repeat each question in your own words before you answer it."
            ),
            "observer": N_(
                "Ask at least three questions: one because you did not understand something, one that doubts the main "
                "point, and one that has little to do with it. Ask as the real audience would, and stay with a "
                "question if the answer passes it by."
            ),
        },
    ),
)
READY_SCENARIOS: Final[dict[str, ReadyScenario]] = {
    scenario.key: scenario for scenario in (DIFFICULT_FEEDBACK, COMPLAINT, SAYING_NO, AUDIENCE)
}


def scenarios_for(kind: Kind) -> list[ReadyScenario]:
    """The ready scenarios that suit a kind."""
    return [scenario for scenario in READY_SCENARIOS.values() if scenario.suits(kind)]
