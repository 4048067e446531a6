"""A kind of activity that only this file knows, from placing to gradebook, to export and erasure."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from lti_tool.activities.kinds import KINDS
from lti_tool.activities.kinds.form import AUTHOR_ALONE, GROUP, PARTNER, Choice, Field, FieldKind, Form, Section
from lti_tool.activities.kinds.kind import By, Kind, Opens, SeatName, Step, StepWords, To
from lti_tool.activities.rules.templates import OBSERVATION_AND_FEEDBACK, TEMPLATES
from lti_tool.feedback.models import Entry
from lti_tool.launch.models import Member
from lti_tool.wiring import Services
from lti_tool.workspace import personal_data
from tests.fakes.clock import FakeClock
from tests.functional.guests import Guest, text_of
from tests.functional.living import Life, a_life

PREPARE = Step(
    "prepare",
    StepWords(name="Prepared", todo="Think about your case", title="Your case"),
    Form(
        (
            Section(
                "case",
                (Field("case", FieldKind.TEXT, "What is it about?", "Case", is_required=True, seen_by=AUTHOR_ALONE),),
            ),
        )
    ),
    opens=Opens.AT_ONCE,
)
RECORD = Step(
    "record",
    StepWords(name="Record", todo="Write down together what you decide", title="Our record"),
    Form(
        (
            Section(
                "decisions",
                (
                    Field(
                        "decided", FieldKind.TEXT, "What do you decide?", "Decision", is_required=True, seen_by=GROUP
                    ),
                    Field("votes", FieldKind.NUMBER, "How many are for it?", "Votes", highest=3, seen_by=GROUP),
                    Field(
                        "mood",
                        FieldKind.CHOICE,
                        "How was it?",
                        "Mood",
                        choices=(Choice("good", "Good mood"), Choice("bad", "Bad mood")),
                        seen_by=GROUP,
                    ),
                ),
                title="Decisions",
            ),
        )
    ),
    by=By.GROUP,
)
THANK = Step(
    "thank",
    StepWords(name="Thanked", todo="Thank %(name)s", title="Thanks to %(name)s", theirs="Thanks from %(name)s"),
    Form(
        (
            Section(
                "thanks",
                (Field("thanks", FieldKind.LINE, "Your words", "Thanks", is_required=True, seen_by=PARTNER),),
                is_in_short=True,
            ),
        )
    ),
    to=To.SEAT,
    seat="presenter",
)
PASS_ON = Step(
    "pass_on",
    StepWords(name="Passed on", todo="Pass a question on to %(name)s", title="A question for %(name)s"),
    Form((Section("on", (Field("question", FieldKind.LINE, "Your question", "Question", is_required=True),)),)),
    to=To.NEXT,
)
LOOK_BACK = Step(
    "look_back",
    StepWords(name="Looked back", todo="Look back", title="Looking back"),
    Form(
        (Section("back", (Field("learned", FieldKind.TEXT, "What did you learn?", "Learned", seen_by=AUTHOR_ALONE),)),)
    ),
    opens=Opens.AFTER,
    after="record",
    asked_usually=0,
)
COUNCIL = Kind(
    "council",
    "Council",
    seats=(SeatName("presenter", "Presenter"), SeatName("asker", "Asker"), SeatName("keeper", "Keeper of time")),
    smallest_group=3,
    largest_group=3,
    steps=(PREPARE, RECORD, THANK, PASS_ON, LOOK_BACK),
)
NAMES = ("learner01", "learner02", "learner03")


@pytest.fixture
def life(services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    template = replace(OBSERVATION_AND_FEEDBACK, key="council", kind="council", title="Council of three")
    monkeypatch.setitem(KINDS, "council", COUNCIL)
    monkeypatch.setitem(TEMPLATES, "council", template)
    with a_life(services, clock, learners=3) as life:
        yield life


def in_seats(life: Life) -> list[str]:
    """The three in the order of their seats, as their pages tell it."""
    said = {name: text_of(life.launch(name).landing) for name in NAMES}
    return [next(name for name in NAMES if f"Your seat: {seat.title}." in said[name]) for seat in COUNCIL.seats]


def thanks(life: Life, recipient: str) -> str:
    return f"/round/1/for/{life.member(recipient).id}"


def test_a_kind_that_is_only_data_works_from_placing_to_erasure(life: Life) -> None:
    designer = life.set_up(template="council")
    setup = designer.get("/setup").text
    assert 'name="record"' in setup
    assert "give_feedback" not in setup
    life.publish(designer)
    presenter, asker, keeper = in_seats(life)

    # Their own case first, for nobody else's eyes.
    for name in NAMES:
        guest = life.launch(name)
        assert "Think about your case" in text_of(guest.landing)
        assert "Only you read this." in text_of(guest.get("/round/1/step/prepare"))
        page = guest.post("/round/1/step/prepare", case=f"Case of {name}", do="give")
        assert "Done." in text_of(page)
    for name in NAMES:
        assert f"Case of {presenter}" not in life.launch(name).get("/round/1/step/prepare").text or name == presenter
    assert "Write down together what you decide" in text_of(life.launch(keeper).landing)

    # One record that all three write; a number that is none is said so, and a wrong choice is no choice.
    one, two, three = (life.launch(name) for name in (presenter, asker, keeper))
    one.post("/round/1/step/record", decided="We try it", device="one", do="save")
    refused = text_of(two.post("/round/1/step/record", votes="many", mood="odd", device="two", do="give"))
    assert "Votes: a whole number from 0 to 3" in refused
    page = three.get("/round/1/step/record").text
    assert "We try it" in page
    assert "Everyone in your group reads and writes this." in page
    assert one_step_before_first(three)
    three.post("/round/1/step/record", votes="3", mood="good", base="9", device="three", do="give")
    two.post("/round/1/step/record", decided="We try it on Monday", base="9", device="two", do="save")
    with life.look() as session:
        record = session.scalars(select(Entry).where(Entry.step == "record")).one()
        assert (record.author_id, record.recipient_id) == (None, None)
        assert record.fields == {"decided": "We try it on Monday", "votes": "3", "mood": "good"}
    assert not one_step_before_first(three)

    # Thanks go to one seat, and nobody answers them.
    assert "Thank " not in text_of(life.launch(presenter).landing)
    for name in (asker, keeper):
        guest = life.launch(name)
        assert guest.get(thanks(life, asker if name == keeper else keeper)).status_code == 404
        guest.post(thanks(life, presenter), thanks=f"Thanks from {name}!", do="give")
    received = life.launch(presenter).get("/feedback")
    assert received.text.count("Thanks from learner") == 2
    [first, _] = re.findall(r"/feedback/(\d+)", received.text)[:2]
    read = life.launch(presenter).get(f"/feedback/{first}")
    assert "Thanks from" in text_of(read)
    assert "answer" not in text_of(read).casefold()
    # A question goes round: to the next one, and to nobody else.
    for name, receiver in ((presenter, asker), (asker, keeper), (keeper, presenter)):
        guest = life.launch(name)
        [other] = set(NAMES) - {name, receiver}
        assert guest.get(f"{thanks(life, other)}/step/pass_on").status_code == 404
        life.run()
        assert life.shown(name) is None
        guest.post(f"{thanks(life, receiver)}/step/pass_on", question=f"Question of {name}?", do="give")
    life.run()

    # The gradebook, and what staff see.
    assert [life.shown(name) for name in NAMES] == [100, 100, 100]
    grid = text_of(life.launch("designer").get("/progress"))
    assert all(f"Round 1: {step.words.name}" in grid for step in (PREPARE, RECORD, THANK, PASS_ON))
    assert "Round 1: Looked back" not in grid
    assert "We try it" not in grid
    staff = life.launch("designer")
    assert staff.get(f"/feedback/{first}").status_code == 404

    for name, others in ((presenter, asker), (asker, presenter)):
        export = exported(life, name)
        for own in (f"Case of {name}", "We try it on Monday", "Good mood", "Decision"):
            assert own in export
        assert f"Case of {others}" not in export
    assert f"Thanks from {asker}!" in exported(life, presenter)
    assert f"Thanks from {keeper}!" not in exported(life, asker)
    assert f"Question of {presenter}?" in exported(life, asker)
    assert f"Question of {presenter}?" not in exported(life, keeper)

    with life.services.kit.open_session(life.institution_id) as session:
        personal_data.erase(session, person_of(life, asker), now=life.clock.now())
    with life.look() as session:
        kept = {json.dumps(one.fields) for one in session.scalars(select(Entry))}
    assert not any(f"Case of {asker}" in text for text in kept)
    assert any(f"Thanks from {asker}!" in text for text in kept), "it is the receiver's record too"
    assert any("We try it on Monday" in text for text in kept), "it is the group's record"


def one_step_before_first(guest: Guest) -> bool:
    """Whether looking back waits for the record."""
    return "needs the step before it" in text_of(guest.get("/"))


def person_of(life: Life, name: str) -> int:
    with life.look() as session:
        return session.get_one(Member, life.member(name).id).person_id


def exported(life: Life, name: str) -> str:
    with life.look() as session:
        return json.dumps(personal_data.everything_about(session, person_of(life, name)), ensure_ascii=False)
