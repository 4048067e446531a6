"""The rubrics of ready templates. They look at what people do in the talk, never at who they are."""

from typing import Final

from lti_tool.errors import N_
from lti_tool.rubrics.rules import CriterionDraft, LevelDraft, RubricDraft

_NOT_YET: Final = N_("Not yet seen")
_STARTING: Final = N_("Starting")
_SOLID: Final = N_("Solid")
_STRONG: Final = N_("Strong")


def _ladder(not_yet: str, starting: str, solid: str, strong: str) -> tuple[LevelDraft, ...]:
    labels = (_NOT_YET, _STARTING, _SOLID, _STRONG)
    return tuple(
        LevelDraft(label, description)
        for label, description in zip(labels, (not_yet, starting, solid, strong), strict=True)
    )


OBSERVATION: Final = RubricDraft(
    N_("Observation of a presentation, lesson or meeting"),
    (
        CriterionDraft(
            N_("Purpose and structure"),
            N_("Can people tell what this is about, where it is going, and what is asked of them?"),
            _ladder(
                N_("The purpose was not stated, and I could not follow the order."),
                N_("The purpose was stated, but the parts did not connect."),
                N_("Purpose and order were clear; I always knew where we were."),
                N_(
                    "Purpose and order were clear, each part led to the next, and the end returned to what was "
                    "promised."
                ),
            ),
        ),
        CriterionDraft(
            N_("Contact with the people in the room"),
            N_("Eye contact, questions, room for others, reactions to what happens."),
            _ladder(
                N_("Attention was on slides, notes or the screen rather than on people."),
                N_("There was contact now and then. Questions were asked, but with little time for answers."),
                N_("People were seen, asked and heard, and their answers were used."),
                N_("People were drawn in throughout, quiet people too, and what they said shaped what came next."),
            ),
        ),
        CriterionDraft(
            N_("Clear language and examples"),
            N_("Words, pace and examples that these listeners can use."),
            _ladder(
                N_("Many terms stayed unexplained, or the pace left people behind."),
                N_("Mostly understandable; some key points needed an example or a slower pace."),
                N_("Words and pace suited the listeners; key points had examples."),
                N_("Difficult points became simple through examples from the listeners' own work."),
            ),
        ),
        CriterionDraft(
            N_("Voice, presence and time"),
            N_("How it was to listen and watch, and whether the time was used well."),
            _ladder(
                N_("Hard to hear or to follow, or the time ran out before the main point."),
                N_("Audible, with stretches that were rushed or flat; the end came in a hurry."),
                N_("Calm and audible, pauses at the right moments, finished in time."),
                N_("Voice, pauses and movement supported the message, and time was left for questions."),
            ),
        ),
    ),
)

COACHING: Final = RubricDraft(
    N_("Coaching a partner"),
    (
        CriterionDraft(
            N_("Listening without interrupting"),
            N_("Did the coach leave you time to think and to finish?"),
            _ladder(
                N_("I was often interrupted, or the talk turned to the coach."),
                N_("I could mostly finish, but silences were filled quickly."),
                N_("I could finish every thought, and silences were left alone."),
                N_("The coach's attention was with me throughout, and I thought of things that I had not seen before."),
            ),
        ),
        CriterionDraft(
            N_("Open questions"),
            N_("Questions that begin with what, how or who, and have no answer hidden in them."),
            _ladder(
                N_("There were hardly any questions, or they could be answered with yes or no."),
                N_("Some questions were open; others were advice with a question mark."),
                N_("Most questions were open and followed from what I had said."),
                N_("The questions were open and short, and one of them changed how I look at it."),
            ),
        ),
        CriterionDraft(
            N_("Giving back what was heard"),
            N_("Did the coach say in their own words what you had said, and check it?"),
            _ladder(
                N_("I did not learn what the coach had understood."),
                N_("Now and then something was repeated, without checking whether it was right."),
                N_("The coach summed up what I had said and asked whether it was right."),
                N_("What came back was so exact that it helped me to understand it myself."),
            ),
        ),
        CriterionDraft(
            N_("Room for your own solution"),
            N_("Whose idea was the next step?"),
            _ladder(
                N_("I was told what to do."),
                N_("I was asked for ideas, but advice came before I had any."),
                N_("I came up with the next step myself; advice came when I asked for it."),
                N_("I found several ways, chose one, and know why I chose it."),
            ),
        ),
    ),
)
PLAYING: Final = RubricDraft(
    N_("Trying things out together"),
    (
        CriterionDraft(
            N_("Courage to try"),
            N_("How much was ventured, not how well it went."),
            _ladder(
                N_("We talked about the situation more than we played it."),
                N_("It was played once, close to the usual way."),
                N_("Something new was tried, although it was not certain to work."),
                N_("Something was tried that takes courage, and it was tried again after it went wrong."),
            ),
        ),
        CriterionDraft(
            N_("Variation between takes"),
            N_("Were the takes different from each other?"),
            _ladder(
                N_("There was one take."),
                N_("There were several takes, and they were much alike."),
                N_("The takes differed in one thing that was chosen beforehand."),
                N_("Each take tried another way, and we can say what made the difference."),
            ),
        ),
        CriterionDraft(
            N_("Giving feedback kindly"),
            N_("What was said between the takes."),
            _ladder(
                N_("Little was said between the takes, or it was a judgment."),
                N_("It was friendly, but too general to try anything with it."),
                N_("It named one thing that was said or done, and what it was like to hear it."),
                N_("It was kind and exact, and led to what was tried next."),
            ),
        ),
    ),
)
FACILITATING: Final = RubricDraft(
    N_("Facilitating a circle"),
    (
        CriterionDraft(
            N_("Keeping to steps and time"),
            N_("Did each step of the method have its time?"),
            _ladder(
                N_("Steps ran into each other, and the time ran out."),
                N_("The steps were announced, and some took the time of others."),
                N_("Each step had its time, and we finished when we wanted to."),
                N_("The clock was kept so lightly that all attention was on the case."),
            ),
        ),
        CriterionDraft(
            N_("Room for every voice"),
            N_("Who spoke, and who was asked?"),
            _ladder(
                N_("A few people spoke most of the time."),
                N_("Everyone spoke, some only briefly."),
                N_("Everyone was asked and had the time they needed."),
                N_("Quiet people were drawn in, and what they said was taken up."),
            ),
        ),
        CriterionDraft(
            N_("Questions before advice"),
            N_("Was advice kept back until its step?"),
            _ladder(
                N_("Advice came from the beginning."),
                N_("Advice hidden in questions was mostly let pass."),
                N_("The facilitator noticed advice that came too early and turned it into a question."),
                N_("The circle kept to questions by itself, because the facilitator had made clear why."),
            ),
        ),
        CriterionDraft(
            N_("Care for the case giver"),
            N_("Did the case stay in the hands of whoever brought it?"),
            _ladder(
                N_("The case giver was questioned or judged."),
                N_("The case giver was treated kindly, but the circle chose what it was about."),
                N_("The case giver's question stayed in the middle, and the last word was theirs."),
                N_("The case giver was asked along the way what would help, and the circle followed."),
            ),
        ),
    ),
)
SHOWING: Final = RubricDraft(
    N_("Showing and asking"),
    (
        CriterionDraft(
            N_("Showing the work"),
            N_("Could a person from outside see how it is done?"),
            _ladder(
                N_("It was told rather than shown."),
                N_("It was shown, but too fast or with words that only insiders know."),
                N_("It was shown step by step, and unusual words were explained."),
                N_("It was shown so that the other could do a part of it at once."),
            ),
        ),
        CriterionDraft(
            N_("Telling why"),
            N_("The reasons, the exceptions, and what goes wrong."),
            _ladder(
                N_("I saw what is done and not why."),
                N_("Some reasons were given when I asked for them."),
                N_("Reasons and usual mistakes came along with the steps."),
                N_("I understand which parts can be done differently, and what must stay."),
            ),
        ),
        CriterionDraft(
            N_("Asking with curiosity"),
            N_("Questions that helped both to see the work anew."),
            _ladder(
                N_("There were hardly any questions."),
                N_("The questions were about details; I did not learn what they were for."),
                N_("The questions showed what the other wanted to learn, and built on what I had said."),
                N_("A question made me look at my own work in another way."),
            ),
        ),
        CriterionDraft(
            N_("Carrying it over"),
            N_("From the one's work to the other's."),
            _ladder(
                N_("We did not speak about using it."),
                N_("We named ideas that are not concrete yet."),
                N_("We named one thing that can be used, and where."),
                N_("We tried one thing out for the other's work, or agreed on a day for it."),
            ),
        ),
    ),
)
