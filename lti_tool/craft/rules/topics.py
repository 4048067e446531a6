"""The help topics: short pages about peer coaching, for people who are new to it. Texts are marked for translation."""

from dataclasses import dataclass
from typing import Final

from lti_tool.errors import N_


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a topic: a heading, what is said below it, and a list."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of help."""

    key: str
    """Its place in addresses."""
    title: str
    """A question, as people ask it."""
    answer: str
    """The answer in one or two sentences."""
    parts: tuple[Part, ...] = ()


TOPICS: Final = (
    Topic(
        "peer-coaching",
        N_("What is peer coaching?"),
        N_(
            "Two or more people of equal standing help each other to learn from their own work. They take turns: first "
            "one is coached and the other asks and listens, then they swap."
        ),
        (
            Part(
                N_("What happens in a meeting"),
                points=(
                    N_("You check in: a win or a challenge since last time, and what became of what you planned."),
                    N_("You choose one or two things that this conversation is for."),
                    N_("One of you talks; the other listens, asks open questions, and says back what they heard."),
                    N_("You give each other feedback: strengths first, then one or two things to try next time."),
                    N_("Each of you ends with a small action and a date. You look back at it next time."),
                ),
            ),
            Part(
                N_("What it needs"),
                points=(
                    N_("Trust: you agree on what stays between you before you begin."),
                    N_("Regular meetings. A few short ones do more than one long one."),
                    N_("No expert. What you know together is enough, and the coachee decides."),
                ),
            ),
        ),
    ),
    Topic(
        "why",
        N_("Why do people do it?"),
        N_(
            "It is practice close to your own work, with somebody who is in the same place as you. Both "
            "learn: the coachee finds a next step, and the coach learns to listen and to ask."
        ),
        (
            Part(
                N_("What you can get from it"),
                points=(
                    N_("A goal that is clear enough to work on, and somebody who asks how it goes."),
                    N_("A look at your own work from outside, in words that you can use."),
                    N_("Practice in listening, asking and giving feedback, which helps wherever you work with others."),
                    N_("Somebody you know well enough to ask the next time, too."),
                ),
            ),
            Part(
                N_("When it is not the right thing"),
                (
                    N_(
                        "Peer coaching is for learning. When somebody is treated badly, is ill or is in "
                        "danger, a partner cannot carry that: turn to the people in your course or "
                        "organization who are there to help."
                    ),
                ),
            ),
        ),
    ),
    Topic(
        "mentoring",
        N_("How is it different from mentoring?"),
        N_(
            "A mentor has been where you want to go, and gives advice. A peer coach is in the same place as you, and "
            "helps you to find your own answer. It goes both ways."
        ),
        (
            Part(
                N_("Side by side"),
                points=(
                    N_("Mentoring: one is more experienced. Peer coaching: both are equals and take turns."),
                    N_("Mentoring: the mentor tells. Peer coaching: the coach asks, and the coachee decides."),
                    N_(
                        "Mentoring: the conversation follows what the mentor knows. Peer coaching: it "
                        "follows the coachee’s goal."
                    ),
                    N_("A course or a lesson: somebody teaches. Peer coaching: you practice what you learned."),
                ),
            ),
            Part(
                N_("May I give a tip?"),
                (
                    N_(
                        "Yes, once your partner has thought about it first, and if they want one. Ask: "
                        "“Would a tip help you?” Then say it as something that worked for you, and let "
                        "them decide."
                    ),
                ),
            ),
        ),
    ),
    Topic(
        "kinds",
        N_("What kinds are there?"),
        N_(
            "The person who sets up an activity chooses one of these. They work alike, but you look at "
            "different things."
        ),
        (
            Part(
                N_("For two, or for three"),
                points=(
                    N_("Goal setting: a vague wish becomes a goal that you can see, with your partner’s questions."),
                    N_("Reflection: you look back at a meeting or a project. What went well, what would you change?"),
                    N_(
                        "Observation and feedback: one watches the other at work, takes notes, and says what they saw, "
                        "what it led to, and one thing to try."
                    ),
                    N_("Role-play: you try out a difficult conversation in safety, more than once, and swap."),
                    N_("Open session: whatever is on your mind, in a loose frame of goal, reflection and next steps."),
                ),
            ),
            Part(
                N_("For three to six"),
                points=(
                    N_(
                        "Circle: one brings a case, the others ask and help them see it in a new way, in "
                        "timed steps. The case giver changes from meeting to meeting."
                    ),
                ),
            ),
        ),
    ),
    Topic(
        "questions",
        N_("Which questions help?"),
        N_("Open ones: they cannot be answered with yes or no, and you do not know the answer beforehand."),
        (
            Part(
                N_("To understand"),
                points=(
                    N_("What happened, step by step?"),
                    N_("What was most important to you in it?"),
                    N_("How did the others see it, do you think?"),
                ),
            ),
            Part(
                N_("To find out what somebody wants"),
                points=(
                    N_("What would be different if it went well?"),
                    N_("How will you notice that you are closer?"),
                    N_("What have you tried, and what came of it?"),
                ),
            ),
            Part(
                N_("To find a next step"),
                points=(
                    N_("What could you do, if nothing stood in the way?"),
                    N_("What is the smallest step that you can take this week?"),
                    N_("What could make it hard, and who can help?"),
                ),
            ),
            Part(
                N_("Better left out"),
                points=(
                    N_("“Have you tried …?” is advice with a question mark. Ask what they have tried."),
                    N_("“Why did you …?” easily sounds like blame. Ask what made them do it."),
                    N_("Two questions at once. Ask one, and wait. Silence is when people think."),
                ),
            ),
        ),
    ),
    Topic(
        "feedback",
        N_("What makes feedback useful?"),
        N_("It says what you saw or heard, what it led to, and one thing to try. Strengths come first."),
        (
            Part(
                N_("Giving it"),
                points=(
                    N_(
                        "Strengths: what should stay as it is? Say when it was and what effect it had on "
                        "you or on others."
                    ),
                    N_("One or two things to try next time, no more. Word them as a chance, not as a mistake."),
                    N_("Talk about what people did, not about how they are. What people do, they can do differently."),
                ),
            ),
            Part(
                N_("Receiving it"),
                points=(
                    N_("Listen to the end, without explaining yourself. Ask if something is not clear."),
                    N_("Say back what you heard. You decide what you take from it."),
                    N_("You may see it differently, and say so. There is a place for it below the feedback."),
                    N_("If it hurts rather than helps, you can report it. It is set aside at once."),
                ),
            ),
        ),
    ),
)
BY_KEY: Final = {topic.key: topic for topic in TOPICS}
