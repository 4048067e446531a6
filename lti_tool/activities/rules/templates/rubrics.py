"""Ready rubrics: those of templates, and one for each seat. They look at what people do, never at who they are."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from lti_tool.activities.kinds import Kind
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
                N_("I was often interrupted, or the conversation turned to the coach."),
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
            N_("Saying back what was heard"),
            N_("Did the coach say in their own words what you had said, and check it?"),
            _ladder(
                N_("I did not learn what the coach had understood."),
                N_("Now and then something was repeated, without checking whether it was right."),
                N_("The coach summed up what I had said and asked whether it was right."),
                N_("What the coach said back was so exact that I understood it better myself."),
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
            N_("How much you dared to try, not how well it went."),
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
                N_("It was friendly, but too general to use."),
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
            N_("Did the case stay in the case giver's hands?"),
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
                N_("The work was described, not shown."),
                N_("It was shown, but too fast or with words that only insiders know."),
                N_("It was shown step by step, and unusual words were explained."),
                N_("It was shown so that the other could do a part of it at once."),
            ),
        ),
        CriterionDraft(
            N_("Telling why"),
            N_("The reasons, the exceptions, and what goes wrong."),
            _ladder(
                N_("I saw what is done, but not why."),
                N_("Some reasons were given when I asked for them."),
                N_("Reasons and usual mistakes came along with the steps."),
                N_("I understand which parts can be done differently, and what must stay."),
            ),
        ),
        CriterionDraft(
            N_("Asking with curiosity"),
            N_("Questions that helped both see the work in a new way."),
            _ladder(
                N_("There were hardly any questions."),
                N_("The questions were about details; I did not learn what they were for."),
                N_("The questions showed what the other wanted to learn, and built on what I had said."),
                N_("A question made me look at my own work in another way."),
            ),
        ),
        CriterionDraft(
            N_("Carrying it over"),
            N_("From one person's work to the other's."),
            _ladder(
                N_("We did not speak about using it."),
                N_("We named ideas, but they are not concrete yet."),
                N_("We named one thing that can be used, and where."),
                N_("We tried one thing out for the other's work, or agreed on a day for it."),
            ),
        ),
    ),
)
BEING_COACHED: Final = RubricDraft(
    N_("Being coached"),
    (
        CriterionDraft(
            N_("Openness"),
            N_("Was it about something that matters, and was it said openly?"),
            _ladder(
                N_("The conversation stayed with what can be told to anyone."),
                N_("A real topic came up, but the difficult part of it was left out."),
                N_("The coachee said what is difficult, and what it is like."),
                N_("The coachee said what is difficult, and what their own part in it is."),
            ),
        ),
        CriterionDraft(
            N_("Thinking for oneself"),
            N_("Did the coachee use the questions to think, or answer them quickly?"),
            _ladder(
                N_("The coachee waited for advice."),
                N_("The coachee answered with what they knew already."),
                N_("Questions led to new thoughts, and to pauses."),
                N_("The coachee went on asking themselves, and found something that surprised both of us."),
            ),
        ),
        CriterionDraft(
            N_("Follow-through"),
            N_("What became of the step agreed last time, and what is agreed now?"),
            _ladder(
                N_("There was no step, or it was forgotten."),
                N_("A step was named, but no one could tell whether it is done."),
                N_("The last step was tried, and the next one has a day."),
                N_("The last step was tried, we looked at what came of it, and the next one builds on it."),
            ),
        ),
    ),
)
OBSERVING: Final = RubricDraft(
    N_("Observing and giving feedback"),
    (
        CriterionDraft(
            N_("Noticing before judging"),
            N_("Did you hear what was seen and heard, before what the observer thinks of it?"),
            _ladder(
                N_("I heard opinions, but not what they were based on."),
                N_("Some of it was seen or heard; some of it was guessed."),
                N_("I was told what was seen and heard, and when."),
                N_("Moments were described so exactly that I could see them again myself."),
            ),
        ),
        CriterionDraft(
            N_("Feedback that can be used"),
            N_("Was there something to try, small enough and up to you?"),
            _ladder(
                N_("I do not know what to try."),
                N_("There were ideas, too many or too large to try."),
                N_("There was one thing that I can try next time."),
                N_("There was one thing to try that fits how I work, and I know how I will notice it."),
            ),
        ),
        CriterionDraft(
            N_("Room for your view"),
            N_("Were you asked how it was for you?"),
            _ladder(
                N_("I was told how it was, and not asked."),
                N_("I was asked, and my answer changed nothing."),
                N_("I was asked first, and we compared what each had seen."),
                N_("I was asked first, and together we understood something that neither had seen alone."),
            ),
        ),
    ),
)
OBSERVATION_BOTH_WAYS: Final = replace(
    OBSERVATION,
    criteria=(*OBSERVATION.criteria, *(replace(one, seat="observer") for one in OBSERVING.criteria[:2])),
)
"""What the observer looks at, and in short what the observed says of the observer."""
BRINGING_A_CASE: Final = RubricDraft(
    N_("Bringing a case"),
    (
        CriterionDraft(
            N_("A case and a question"),
            N_("Did the circle know what it was being asked?"),
            _ladder(
                N_("There was a topic, but no case and no question."),
                N_("There was a case; the question became clear late."),
                N_("A case was told briefly, with one question."),
                N_(
                    "A case was told briefly and honestly, including the case giver's own part, with a "
                    "question that made us think."
                ),
            ),
        ),
        CriterionDraft(
            N_("Listening to the circle"),
            N_("What was done with what the others said?"),
            _ladder(
                N_("What we said was explained away."),
                N_("The case giver listened, but answered everything at once."),
                N_("The case giver listened, and took up some of it."),
                N_("The case giver listened in silence, and said at the end what they take away and why."),
            ),
        ),
    ),
)
HELPING_WITH_A_CASE: Final = RubricDraft(
    N_("Helping with a case"),
    (
        CriterionDraft(
            N_("Questions to understand"),
            N_("Were questions asked to understand, or to lead?"),
            _ladder(
                N_("There were hardly any questions."),
                N_("Many questions were advice with a question mark."),
                N_("The questions helped us to see the case."),
                N_("A question showed the case from a side that no one had looked at."),
            ),
        ),
        CriterionDraft(
            N_("Advice as an offer"),
            N_("Was the case giver free to take the advice or leave it?"),
            _ladder(
                N_("The case giver was told what to do."),
                N_("Advice came too early, or as the only way."),
                N_("Advice came in its step, as one thing that can be tried."),
                N_("Advice came in its step, from people's own experience, and it was easy to say no to it."),
            ),
        ),
    ),
)


def worded(draft: RubricDraft, say: Callable[[str], str]) -> RubricDraft:
    """The rubric in somebody's language."""
    return replace(
        draft,
        title=say(draft.title),
        criteria=tuple(
            replace(
                criterion,
                name=say(criterion.name),
                description=say(criterion.description) if criterion.description else "",
                levels=tuple(
                    replace(level, label=say(level.label), description=say(level.description))
                    for level in criterion.levels
                ),
            )
            for criterion in draft.criteria
        ),
    )


@dataclass(frozen=True, slots=True)
class ReadyRubric:
    """A rubric to begin with, about one seat. Texts are marked for translation."""

    key: str
    kinds: tuple[str, ...]
    """The keys of kinds that it was written for."""
    seat: str
    draft: RubricDraft

    def suits(self, kind: Kind) -> bool:
        """Whether it was written for this kind."""
        return kind.key in self.kinds

    def worded(self, say: Callable[[str], str]) -> RubricDraft:
        """The rubric in somebody's language, each criterion about the seat."""
        draft = worded(self.draft, say)
        return replace(draft, criteria=tuple(replace(criterion, seat=self.seat) for criterion in draft.criteria))


def _part(draft: RubricDraft, title: str, first: int, last: int) -> RubricDraft:
    return RubricDraft(title, draft.criteria[first:last])


_TALKS: Final = ("goals", "reflection", "open")
READY_RUBRICS: Final[dict[str, ReadyRubric]] = {
    ready.key: ready
    for ready in (
        ReadyRubric("coach", _TALKS, "coach", COACHING),
        ReadyRubric("coachee", _TALKS, "coachee", BEING_COACHED),
        ReadyRubric("observed", ("observation", "rehearsal"), "observed", OBSERVATION),
        ReadyRubric("observer", ("observation", "rehearsal"), "observer", OBSERVING),
        ReadyRubric("showing", ("cross_training",), "observed", _part(SHOWING, N_("Showing one's work"), 0, 2)),
        ReadyRubric("learning", ("cross_training",), "observer", _part(SHOWING, N_("Learning from another"), 2, 4)),
        ReadyRubric("self", ("role_play",), "self", _part(PLAYING, N_("Trying it out"), 0, 2)),
        ReadyRubric("other", ("role_play",), "other", _part(PLAYING, N_("Playing the other person"), 2, 3)),
        ReadyRubric("facilitator", ("circle",), "facilitator", FACILITATING),
        ReadyRubric("case_giver", ("circle",), "case_giver", BRINGING_A_CASE),
        ReadyRubric("member", ("circle",), "member", HELPING_WITH_A_CASE),
    )
}
"""One for every seat of every kind."""
