"""Feedback, answers, drafts and notes of the version before become entries, and back, without a word lost."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from lti_tool.feedback.models import Entry, Note
from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import across_institutions
from tests.factories.old_database import AT, PLAN, ROWS, add, an_old_database

pytestmark = pytest.mark.store
BEFORE, AFTER = "0009", "0010"
LATER = "2026-11-03 08:00:00+00:00"
TEXTS = ("observed_what", "observed_at", "strengths", "next_time_1", "next_time_2", "behavior", "effect", "suggestion")
TABLES = ("feedback", "acknowledgement", "answer_draft", "note")
WITH_IDS = {"feedback", "note"}
ASIDE = [{"field": "strengths", "text": "ASIDE", "at": AT}]
PEOPLE = {
    "person": {"registration_id": 1, "is_administrator": False, "created_at": AT},
    "member": {
        "course_id": 1,
        "ever_staff": False,
        "is_test": False,
        "role": "learner",
        "status": "active",
        "created_at": AT,
    },
}


def feedback(number: int, author: int, recipient: int, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "institution_id": 1,
        "activity_id": 1,
        "round_id": 1,
        "group_id": 1,
        "author_id": author,
        "recipient_id": recipient,
        **{name: f"{name} of {number}" for name in TEXTS},
        "marks": json.dumps({"7": 70 + number}),
        "rubric_id": 1,
        "is_open_to_staff": number == 41,
        "note_draft": "",
        "correction": None,
        "version": 3,
        "stamps": json.dumps({"strengths": [3, "phone"]}),
        "kept_aside": "[]",
        "created_at": AT,
        "saved_at": AT,
        "submitted_at": AT,
        "released_at": LATER,
        **values,
    }


def answer(feedback_id: int) -> dict[str, Any]:
    return {
        "institution_id": 1,
        "feedback_id": feedback_id,
        "heard": f"heard {feedback_id}",
        "will_use": f"will use {feedback_id}",
        "at": LATER,
    }


def answer_draft(feedback_id: int, **fields: str) -> dict[str, Any]:
    return {
        "institution_id": 1,
        "feedback_id": feedback_id,
        "fields": json.dumps(fields),
        "version": 5,
        "stamps": json.dumps({"heard": [5, "laptop"]}),
        "kept_aside": json.dumps(ASIDE),
        "saved_at": LATER,
    }


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before: six ordered pairs of three people in every state of writing and answering."""
    with an_old_database(settings, "0003", ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        with engine.begin() as connection:
            completion = json.dumps({"give_feedback": True, "acknowledge": False, "minimum_notes": 3})
            connection.execute(text("UPDATE activity SET completion = :completion"), {"completion": completion})
            for number in (1, 2, 3):
                person = {"id": number, "institution_id": 1, "sub": f"s{number}", **PEOPLE["person"]}
                add(connection, "person", person)
                add(connection, "member", {"id": number, "institution_id": 1, "person_id": number, **PEOPLE["member"]})
            plan = {"kind": "trios", "size": 3, "effort": "", "unpaired": "[]", "proofs": "[]", **PLAN}
            add(connection, "plan", {"id": 1, **plan, "state": "published"})
            add(connection, "round", {"id": 1, "institution_id": 1, "activity_id": 1, "number": 1})
            add(connection, "group_", {"id": 1, "institution_id": 1, "plan_id": 1, "round_id": 1, "number": 1})
            draft = {"submitted_at": None, "released_at": None, "note_draft": "NOT ADDED"}
            for row in (
                feedback(41, 1, 2),
                feedback(42, 2, 1, correction=json.dumps({"effect": "CORRECTED", "mark-7": "9"})),
                feedback(43, 1, 3, **draft, kept_aside=json.dumps(ASIDE)),
                feedback(44, 3, 1),
                feedback(45, 2, 3),
            ):
                add(connection, "feedback", row)
            add(connection, "acknowledgement", {"id": 8, **answer(41), "usefulness": 3})
            add(connection, "acknowledgement", {"id": 9, **answer(42), "usefulness": None})
            add(connection, "answer_draft", {"id": 5, **answer_draft(42, heard="CHANGED")})
            add(connection, "answer_draft", {"id": 6, **answer_draft(44, heard="BEGUN", usefulness="2")})
            for number, removed in ((71, None), (72, LATER)):
                note = {"feedback_id": 43, "at": AT, "text": f"note {number}", "removed_at": removed}
                add(connection, "note", {"id": number, "institution_id": 1, **note})
            job = {"lane": 0, "payload": "{}", "state": "waiting", "due_at": AT, "created_at": AT}
            name = "activities.settings_changed"
            job |= {"name": name, "unique_key": f"{name}:1:later", "attempts": 0, "claims": 0}
            add(connection, "job", {"id": 1, **job})
        yield engine


def rows(engine: Engine, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """Everything in these tables, with JSON read and moments to the second."""

    def plain(name: str, value: Any) -> Any:
        if name in {"marks", "correction", "stamps", "kept_aside", "fields", "completion"}:
            return json.loads(value) if isinstance(value, str) else value
        return str(value)[:19] if name.endswith("_at") or name == "at" else value

    with engine.connect() as connection:
        return {
            table: [
                {
                    name: plain(name, value)
                    for name, value in row.items()
                    if name != "id" or table in {"feedback", "note"}
                }
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings()
            ]
            for table in tables
        }


def entries(engine: Engine) -> tuple[dict[tuple[str, int | None, int | None], Entry], list[Note]]:
    with Session(engine, expire_on_commit=False) as session, across_institutions(session):
        found = session.scalars(select(Entry).order_by(Entry.id)).all()
        notes = session.scalars(select(Note).order_by(Note.id)).all()
        return {(one.step, one.author_id, one.recipient_id): one for one in found}, list(notes)


def test_everything_that_was_written_is_an_entry_afterwards(old: Engine) -> None:
    schema.upgrade(old)

    found, notes = entries(old)

    assert len(found) == 5 + 3
    given = found["give_feedback", 1, 2]
    assert given.id == 41, "addresses of pages name it"
    assert given.fields == {**{name: f"{name} of 41" for name in TEXTS}, "mark-7": "111"}
    assert (given.is_open_to_staff, given.rubric_id, given.version) == (True, 1, 3)
    assert given.stamps == {"strengths": [3, "phone"]}
    assert found["give_feedback", 2, 1].correction == {"effect": "CORRECTED", "mark-7": "9"}
    draft = found["give_feedback", 1, 3]
    assert (draft.submitted_at, draft.fields["note_draft"], draft.kept_aside) == (None, "NOT ADDED", ASIDE)
    sent = found["acknowledge", 2, 1]
    assert sent.fields == {"heard": "heard 41", "will_use": "will use 41", "usefulness": "3"}
    assert sent.submitted_at == sent.released_at is not None
    assert (sent.group_id, sent.correction, sent.is_open_to_staff) == (1, None, True)
    changed = found["acknowledge", 1, 2]
    assert (changed.fields["heard"], changed.correction, changed.version) == ("heard 42", {"heard": "CHANGED"}, 5)
    begun = found["acknowledge", 1, 3]
    assert (begun.fields, begun.submitted_at, begun.kept_aside) == ({"heard": "BEGUN", "usefulness": "2"}, None, ASIDE)
    assert [(note.id, note.entry_id, note.text, note.removed_at is None) for note in notes] == [
        (71, 43, "note 71", True),
        (72, 43, "note 72", False),
    ]


def test_what_counts_and_what_waits_are_called_by_their_new_names(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    assert rows(old, "activity")["activity"][0]["completion"] == {
        "give_feedback": 1,
        "acknowledge": 0,
        "write_notes": 3,
    }
    with old.connect() as connection:
        job = connection.execute(text("SELECT name, unique_key FROM job")).one()
    assert job == ("progress.everybody_changed", "progress.everybody_changed:1:later")


def test_new_entries_get_new_ids(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.begin() as connection:
        connection.execute(
            text("INSERT INTO entry_note (institution_id, entry_id, at, text) VALUES (1, 43, :at, 'one more')"),
            {"at": AT},
        )
        assert connection.execute(text("SELECT count(*) FROM entry_note")).scalar_one() == 3


def test_up_and_down_again_gives_every_row_back(old: Engine) -> None:
    before = rows(old, *TABLES, "activity")
    schema.upgrade(old, AFTER)
    schema.downgrade(old, BEFORE)
    assert rows(old, *TABLES, "activity") == before
    with old.connect() as connection:
        assert connection.execute(text("SELECT name FROM job")).scalar_one() == "activities.settings_changed"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET step = 'thank' WHERE id = 41",
        "UPDATE entry SET recipient_id = NULL WHERE id = 41",
        """UPDATE entry SET fields = '{"surprise": "A text of another kind"}' WHERE id = 41""",
    ],
)
def test_a_text_that_the_version_before_has_no_place_for_keeps_it_from_being_taken_back(
    old: Engine, change: str
) -> None:
    schema.upgrade(old, AFTER)
    with old.begin() as connection:
        connection.execute(text(change))
    with pytest.raises(RuntimeError, match="entry 41 has no place"):
        schema.downgrade(old, BEFORE)
    with old.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == AFTER


@pytest.mark.parametrize(
    ("author", "recipient"),
    [("1", "2"), ("1", "NULL"), ("NULL", "NULL")],
    ids=["to a partner", "to nobody", "of a group"],
)
def test_nobody_has_two_entries_in_one_place(old: Engine, author: str, recipient: str) -> None:
    schema.upgrade(old, AFTER)
    insert = text(
        "INSERT INTO entry (institution_id, activity_id, round_id, group_id, author_id, recipient_id, step, fields, "
        "is_open_to_staff, version, stamps, kept_aside, created_at, saved_at) "
        f"VALUES (1, 1, 1, 1, {author}, {recipient}, 'step', '{{}}', false, 1, '{{}}', '[]', :at, :at)"
    )
    with old.begin() as connection:
        connection.execute(insert, {"at": AT})
    with pytest.raises(Exception, match=r"(?i)unique"), old.begin() as connection:
        connection.execute(insert, {"at": AT})
