"""Many people type and give feedback at the same moment, each on two devices: no acknowledged text is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest
from flask import Flask

from lti_tool.feedback.service import asides_of, draft_fields, find_entry, find_task
from lti_tool.support.kit import Kit
from tests.factories.feedback import complete_fields
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school
from tests.functional.test_at_once import groups

pytestmark = pytest.mark.store

AT_A_TIME = 12
OWN = {
    "laptop": ("observed_what", "strengths", "behavior", "effect"),
    "phone": ("observed_at", "next_time_1", "suggestion"),
}
"""What somebody types on which device."""
COMMON = "next_time_2"
"""Typed on both, neither of which sees what the other wrote."""


@dataclass(frozen=True)
class Device:
    """One of the two on which somebody writes to one partner."""

    visitor: Visitor
    recipient_id: int
    name: str
    marks: dict[str, str]

    @property
    def address(self) -> str:
        return f"/round/1/for/{self.recipient_id}"

    def texts(self, turn: object) -> dict[str, str]:
        who = f"{self.visitor.member.id} to {self.recipient_id} on the {self.name}, {turn}"
        return {field: f"{field} by {who}" for field in (*OWN[self.name], COMMON)}

    def type(self, saves: int) -> dict[str, str]:
        """Type on and on. Returns the last texts that the tool said it has."""
        acknowledged: dict[str, str] = {}
        for turn in range(saves):
            texts = self.texts(turn)
            answer = self.visitor.send(f"{self.address}/save", device=self.name, base="0", **texts)
            assert answer.status_code in {200, 409}, answer.text
            if answer.status_code == 200:
                acknowledged = texts
        return acknowledged

    def give(self) -> dict[str, str]:
        """Press the button, with the newest words. Returns those that the tool said it has."""
        texts = self.texts("given")
        del texts[COMMON]
        answer = self.visitor.send(self.address, device=self.name, base="99", do="give", **texts, **self.marks)
        assert answer.status_code in {303, 409}, answer.text
        return texts if answer.status_code == 303 else {}


def devices(school: School, kit: Kit, pairs: int) -> list[tuple[Device, Device]]:
    """Both devices of everybody, for the first partner that they have."""
    place = {learner.id: number for number, learner in enumerate(school.group.learners)}
    found = []
    for group in groups(school)[:pairs]:
        for author, recipient in zip(group, [*group[1:], group[0]], strict=True):
            with kit.open_session(school.institution_id) as session:
                task = find_task(session, school.group.activity, 1, author, recipient)
                fields = complete_fields(session, task)
            marks = {name: value for name, value in fields.items() if name.startswith("mark-")}
            visitor = school.learner(place[author])
            found.append((Device(visitor, recipient, "laptop", marks), Device(visitor, recipient, "phone", marks)))
    return found


def all_at_once(people: list[tuple[Device, Device]], act: Callable[[Device], dict[str, str]]) -> list[dict[str, str]]:
    """What each device did, those of one person beside each other."""
    everything = [device for both in people for device in both]
    start = Barrier(min(AT_A_TIME, len(everything)))

    def run(number: int) -> dict[str, str]:
        if number < start.parties:
            start.wait(timeout=60)
        return act(everything[number])

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        return list(threads.map(run, range(len(everything))))


@pytest.mark.parametrize(("pairs", "saves"), [(3, 4), pytest.param(50, 9, marks=pytest.mark.nightly)])
def test_no_acknowledged_text_is_lost_when_many_type_and_give_at_once(
    app: Flask, kit: Kit, clock: FakeClock, pairs: int, saves: int
) -> None:
    school = a_school(app, kit, clock, learners=2 * pairs)
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    people = devices(school, kit, pairs)
    assert len(people) == 2 * pairs

    typed = all_at_once(people, lambda device: device.type(saves))

    for at, (laptop, _) in enumerate(people):
        by_laptop, by_phone = typed[2 * at : 2 * at + 2]
        fields, aside, _ = kept(school, kit, laptop)
        assert {**by_laptop, **by_phone}.keys() == {*OWN["laptop"], *OWN["phone"], COMMON}
        for texts in (by_laptop, by_phone):
            assert {name: fields[name] for name in texts if name != COMMON} == {
                name: text for name, text in texts.items() if name != COMMON
            }
            assert texts[COMMON] in {fields[COMMON], *aside}

    given = all_at_once(people, Device.give)

    for at, (laptop, _) in enumerate(people):
        by_laptop, by_phone = given[2 * at : 2 * at + 2]
        assert by_laptop or by_phone
        fields, _, is_given = kept(school, kit, laptop)
        assert is_given
        for texts in (by_laptop, by_phone):
            assert {name: fields[name] for name in texts} == texts


def kept(school: School, kit: Kit, device: Device) -> tuple[dict[str, str], set[str], bool]:
    """What the tool has of somebody's words: the fields with corrections, the texts kept aside, whether it is given."""
    with kit.open_session(school.institution_id) as session:
        task = find_task(session, school.group.activity, 1, device.visitor.member.id, device.recipient_id)
        feedback = find_entry(session, task)
        assert feedback is not None
        aside = {one.text for one in asides_of(feedback)}
        return dict(draft_fields(feedback)), aside, feedback.submitted_at is not None
