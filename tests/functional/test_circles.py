"""Groups in which not everybody owes everybody: rings, one way, and circles that staff facilitate at first."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from lti_tool.activities.models import Round
from lti_tool.launch.models import Member, Person
from lti_tool.pairing.models import Group, Plan, Seat, published_seats
from lti_tool.web.audit import AuditEntry
from lti_tool.wiring import Services
from tests.fakes.clock import FakeClock
from tests.functional.designing import fields_of
from tests.functional.guests import Guest, text_of
from tests.functional.living import Life, a_life
from tests.functional.test_life_names import downloaded

NAMES = ("learner01", "learner02", "learner03", "learner04")
COUNTED = ("case", "reflections", "take_along", "check_in", "meet", "agree")


@contextmanager
def a_circle(
    services: Services, clock: FakeClock, rounds: int = 1, learners: int = 4, **settings: str
) -> Iterator[Life]:
    """A published circle in which only what `settings` names counts."""
    with a_life(services, clock, learners=learners) as life:
        nothing = dict.fromkeys(COUNTED, "(unchecked)")
        life.begin(template="circle", rounds=rounds, **{**nothing, "guided_rounds": "0", **settings})
        yield life


def in_turn(life: Life, number: int = 1, of: str = "learner01") -> list[str]:
    """The group of this learner in the order of turns."""
    names = {person.sub: person.username for person in life.lms.people.values()}
    with life.look() as session:
        rows = session.execute(
            published_seats(Group.id, Person.sub)
            .join(Member, Member.id == Seat.member_id)
            .join(Person, Person.id == Member.person_id)
            .where(Round.number == number, Plan.activity_id == life.activity().id)
            .order_by(Group.number, Seat.turn)
        ).all()
    groups: dict[int, list[str]] = {}
    for group_id, sub in rows:
        groups.setdefault(group_id, []).append(names[sub])
    return next(group for group in groups.values() if of in group)


def named(life: Life, name: str) -> str:
    """What pages call this learner."""
    with life.look() as session:
        return session.get_one(Person, life.member(name).person_id).name or ""


def asked_of(life: Life, name: str) -> set[str]:
    """Whom the first page of this learner asks to be told what helped."""
    page = text_of(life.launch(name).landing)
    return {other for other in NAMES if f"Tell {named(life, other)} what helped" in page}


def leaves(life: Life, name: str) -> None:
    """Somebody leaves the course, and the roster says so."""
    life.lms.unenrol(life.lms.course(), life.person(name))
    life.clock.advance(timedelta(hours=2))
    life.launch("designer")
    life.run()


RING = {"feedback_to": "next", "give_feedback": "1", "acknowledge": "1"}


def test_a_ring_of_four_from_placing_to_the_score(services: Services, clock: FakeClock) -> None:
    with a_circle(services, clock, rounds=2, **RING) as life:
        for number in (1, 2):
            order = in_turn(life, number)
            ring = dict(zip(order, [*order[1:], order[0]], strict=True))
            before = dict(zip(ring.values(), ring, strict=True))
            for name in NAMES:
                assert asked_of(life, name) >= {ring[name]}
            for name in NAMES:
                opposite = next(one for one in NAMES if one not in {name, ring[name], before[name]})
                assert life.launch(name).get(life.writing(name, opposite, number)).status_code == 404
                told = f"/round/{number}/for/{life.member(opposite).id}/tell"
                assert life.launch(name).post(told, partner_note="Room 4").status_code == 200
                life.gives(name, ring[name], number)
                # Nobody owes anything back, so nothing waits for it.
                assert f"Round {number}, from {named(life, name)}" in text_of(life.launch(ring[name]).get("/feedback"))
            if number == 1:
                first = ring
                staff = life.launch("designer")
                assert "Round 1: Feedback given" in text_of(staff.get("/progress"))
                file = downloaded(staff, "/progress/export").decode()
                assert all(file.count(named(life, name)) == 7 for name in NAMES), "three partners in two rounds"
        assert all(first[name] != ring[name] for name in NAMES), "somebody else in the next round"
        life.run()
        assert [life.shown(name) for name in NAMES] == [None] * 4
        for name, receiver in [*first.items(), *ring.items()]:
            life.answers(receiver, name)
        life.run()
        assert [life.shown(name) for name in NAMES] == [100] * 4


def test_who_leaves_a_ring_makes_nobody_give_twice_and_leaves_nobody_out(services: Services, clock: FakeClock) -> None:
    with a_circle(services, clock, give_feedback="1", feedback_to="next") as life:
        one, two, three, four = in_turn(life)
        life.gives(one, two)
        leaves(life, three)
        assert asked_of(life, two) == {four}
        life.gives(two, four)
        life.gives(four, one)
        life.run()
        assert [life.shown(name) for name in (one, two, four)] == [100, 100, 100]

        leaves(life, two)
        assert [life.shown(name) for name in (one, four)] == [100, 100], "what was given to somebody who left is given"


def test_an_observation_one_way_asks_the_observed_for_nothing_but_an_answer(
    services: Services, clock: FakeClock
) -> None:
    with a_life(services, clock, learners=2) as life:
        life.begin(feedback_to="seat", give_feedback="1", acknowledge="1", write_notes="0")
        observed, observer = in_turn(life)
        page = text_of(life.launch(observed).landing)
        assert "Your seat: Observed." in page
        assert "Observe Learner" not in page
        assert life.launch(observed).get(life.writing(observed, observer)).status_code == 404
        life.gives(observer, observed)
        life.answers(observed, observer)
        life.run()
        assert [life.shown(name) for name in (observed, observer)] == [100, 100]


# ---- a facilitator from the staff ------------------------------------------------------------------------------------


def save(guest: Guest, step: str, **fields: str) -> None:
    answer = guest.send(f"/round/1/step/{step}/save", **{"device": guest.key[:8], **fields})
    assert answer.status_code == 200, answer.text


def group_of(life: Life, name: str, number: int = 1) -> int:
    with life.look() as session:
        return session.scalars(
            published_seats(Seat.group_id).where(Seat.member_id == life.member(name).id, Round.number == number)
        ).one()


def seat(life: Life, name: str, number: int = 1) -> str:
    return f"/round/{number}/group/{group_of(life, name, number)}/seat"


@pytest.fixture
def guided(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_circle(services, clock, rounds=2, learners=8, guided_rounds="1", meet="1", agree="1") as life:
        yield life


def test_a_facilitators_seat_opens_one_group_and_is_announced(guided: Life) -> None:
    life = guided
    member, stranger = "learner01", next(iter(next(group for group in life.groups() if "learner01" not in group)))
    for name, words in ((member, "I held my first workshop"), (stranger, "My boss left")):
        guest = life.launch(name)
        assert "may take the facilitator’s seat in your group" in text_of(guest.get("/round/1/meeting"))
        guest.post("/round/1/meeting/confirm/agree", do="confirm")
        save(guest, "check_in", win_or_challenge=words)
        save(guest, "own_notes", my_notes=f"Mine alone: {name}")

    staff = life.launch("designer")
    meeting = seat(life, member).replace("/seat", "/meeting")
    assert staff.get(meeting).status_code == 404
    page = text_of(staff.post(seat(life, member)))
    assert "I held my first workshop" in page
    assert "Mine alone" not in page
    assert "Ask for the facts first" in page
    assert "My boss left" not in page
    assert staff.get(seat(life, stranger).replace("/seat", "/meeting")).status_code == 404
    assert staff.get(seat(life, member, 2).replace("/seat", "/meeting")).status_code == 404
    assert staff.get("/round/1/meeting").status_code == 404
    assert life.launch(member).get(meeting).status_code == 403

    seen = text_of(life.launch(member).get("/round/1/meeting"))
    assert "from the staff facilitates this meeting" in seen
    assert "from the staff facilitates" not in text_of(life.launch(stranger).get("/round/1/meeting"))
    staff.post(f"{meeting}/clock", step="1")
    assert "Began" in text_of(life.launch(member).get("/round/1/meeting"))

    staff.post(f"{seat(life, member)}/leave")
    assert staff.get(meeting).status_code == 404
    assert staff.get(f"{meeting}/changes").status_code == 404
    assert "from the staff facilitates" not in text_of(life.launch(member).get("/round/1/meeting"))
    with life.look() as session:
        said = session.scalars(select(AuditEntry.what).where(AuditEntry.what.like("facilitator%"))).all()
    assert said == ["facilitator came", "facilitator left"]


def test_in_a_self_run_round_and_for_anybody_but_staff_the_seat_is_closed(guided: Life) -> None:
    life = guided
    staff = life.launch("designer")
    assert staff.post(seat(life, "learner01", 2)).status_code == 409
    assert life.launch("learner02").post(seat(life, "learner01")).status_code == 403
    assert "Take the seat" in text_of(staff.get("/meetings?round=1"))
    assert "Take the seat" not in text_of(staff.get("/meetings?round=2"))


def test_words_of_somebody_who_did_not_agree_keep_the_seat_closed(guided: Life) -> None:
    life = guided
    guest, staff = life.launch("learner01"), life.launch("designer")
    save(guest, "check_in", win_or_challenge="Not for staff")
    assert "has not accepted the agreement" in text_of(staff.get("/meetings"))
    assert staff.post(seat(life, "learner01")).status_code == 409
    guest.post("/round/1/meeting/confirm/agree", do="confirm")
    assert "Not for staff" in text_of(staff.post(seat(life, "learner01")))


def test_rounds_that_become_guided_later_are_agreed_to_again(services: Services, clock: FakeClock) -> None:
    with a_circle(services, clock, agree="1") as life:
        guest, staff = life.launch("learner01"), life.launch("designer")
        guest.post("/round/1/meeting/confirm/agree", do="confirm")
        save(guest, "check_in", win_or_challenge="Said among us")
        life.run()
        assert life.shown("learner01") == 100
        set_up_again(staff, guided_rounds="1")

        assert "facilitator’s seat in your group" in text_of(guest.get("/round/1/meeting"))
        assert "Agree on what stays between you" in text_of(guest.get("/"))
        assert staff.post(seat(life, "learner01")).status_code == 409
        guest.post("/round/1/meeting/confirm/agree", do="confirm")
        assert "Said among us" in text_of(staff.post(seat(life, "learner01")))


def test_where_staff_facilitate_nobody_owes_the_facilitator_feedback(services: Services, clock: FakeClock) -> None:
    with a_circle(services, clock, guided_rounds="1", feedback_to="seat", give_feedback="1", meet="1") as life:
        _, facilitator, third, _ = in_turn(life)
        assert asked_of(life, third) == {facilitator}
        assert "Your seat: Facilitator." in text_of(life.launch(facilitator).landing)
        staff = life.launch("designer")
        staff.post(seat(life, "learner01"))
        assert asked_of(life, third) == set()
        assert "Your seat: Member." in text_of(life.launch(facilitator).landing)
        for name in NAMES:
            life.launch(name).post("/round/1/meeting/confirm/meet", do="confirm")
        life.run()
        assert [life.shown(name) for name in NAMES] == [100] * 4


def test_after_the_close_a_facilitator_sees_nothing_more(guided: Life, clock: FakeClock) -> None:
    staff = guided.launch("designer")
    staff.post(seat(guided, "learner01"))
    meeting = seat(guided, "learner01").replace("/seat", "/meeting")
    assert staff.get(meeting).status_code == 200
    clock.advance(timedelta(minutes=1))
    staff.post("/setup/close")
    assert staff.get(meeting).status_code == 404


def set_up_again(staff: Guest, **changes: str) -> None:
    """Save the settings with changes."""
    fields = fields_of(staff.get("/setup").text)
    fields.pop("form_token", None)
    assert "Saved." in text_of(staff.post("/setup", **{**fields, **changes}, do="save"))
