"""what people write in steps of any kind

Feedback, answers to it and their drafts become entries, notes go with them, and what counts is said by step.

Revision ID: 0010
Revises: 0009
"""

from collections.abc import Iterator
from typing import Any

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

TEXTS = ('observed_what', 'observed_at', 'strengths', 'next_time_1', 'next_time_2', 'behavior', 'effect', 'suggestion')
ANSWER = ('heard', 'will_use', 'usefulness')
GIVE, ANSWERS = 'give_feedback', 'acknowledge'
JOBS = ('activities.settings_changed', 'progress.everybody_changed')
BATCH = 500

JSON = sa.JSON(none_as_null=True)
MOMENT = UtcDateTime(timezone=True)


def _table(name: str, **columns: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, type_) for key, type_ in {'id': sa.Integer, 'institution_id': sa.Integer, **columns}.items()))


PLACE = {'activity_id': sa.Integer, 'round_id': sa.Integer, 'group_id': sa.Integer, 'author_id': sa.Integer, 'recipient_id': sa.Integer}
DRAFT = {'version': sa.Integer, 'stamps': JSON, 'kept_aside': JSON, 'saved_at': MOMENT}
STAMPS = {'rubric_id': sa.Integer, 'is_open_to_staff': sa.Boolean, 'correction': JSON, 'created_at': MOMENT, 'submitted_at': MOMENT, 'released_at': MOMENT}
FEEDBACK = _table('feedback', **PLACE, **dict.fromkeys(TEXTS, sa.Text), marks=JSON, note_draft=sa.Text, **STAMPS, **DRAFT)
ACKNOWLEDGEMENT = _table('acknowledgement', feedback_id=sa.Integer, heard=sa.Text, will_use=sa.Text, usefulness=sa.Integer, at=MOMENT)
ANSWER_DRAFT = _table('answer_draft', feedback_id=sa.Integer, fields=JSON, **DRAFT)
NOTE = _table('note', feedback_id=sa.Integer, at=MOMENT, text=sa.Text, removed_at=MOMENT)
ENTRY = _table('entry', **PLACE, step=sa.String, fields=JSON, **STAMPS, **DRAFT)
ENTRY_NOTE = _table('entry_note', entry_id=sa.Integer, at=MOMENT, text=sa.Text, removed_at=MOMENT)
ACTIVITY = _table('activity', completion=JSON)


def upgrade() -> None:
    op.create_table('entry',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=True),
    sa.Column('recipient_id', sa.Integer(), nullable=True),
    sa.Column('step', sa.String(length=32), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('rubric_id', sa.Integer(), nullable=True),
    sa.Column('is_open_to_staff', sa.Boolean(), nullable=False),
    sa.Column('correction', sa.JSON(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('stamps', sa.JSON(), nullable=False),
    sa.Column('kept_aside', sa.JSON(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('saved_at', MOMENT, nullable=False),
    sa.Column('submitted_at', MOMENT, nullable=True),
    sa.Column('released_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('author_id <> recipient_id', name=op.f('ck_entry_not_to_oneself')),
    sa.CheckConstraint('author_id IS NOT NULL OR recipient_id IS NULL', name=op.f('ck_entry_group_writes_to_nobody')),
    *_references('entry', activity_id='activity', round_id='round', group_id='group_', author_id='member', recipient_id='member'),
    )
    _index('entry', 'activity_id', 'author_id', 'group_id', 'institution_id', 'recipient_id')
    for name, columns, where in (
        ('to_partner', ['round_id', 'author_id', 'recipient_id', 'step'], 'recipient_id IS NOT NULL'),
        ('to_nobody', ['round_id', 'author_id', 'step'], 'author_id IS NOT NULL AND recipient_id IS NULL'),
        ('of_group', ['group_id', 'step'], 'author_id IS NULL'),
    ):
        op.create_index(f'uq_entry_{name}', 'entry', columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_table('entry_note',
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('removed_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    *_references('entry_note', entry_id='entry'),
    )
    _index('entry_note', 'entry_id', 'institution_id')

    connection = op.get_bind()
    # Ids of feedback and notes stay: addresses and drafts in browsers name them.
    for row in _rows(connection, sa.select(FEEDBACK), FEEDBACK):
        kept = {key: row[key] for key in ('id', 'institution_id', *PLACE, *STAMPS, *DRAFT)}
        marks = {f'mark-{criterion}': str(level) for criterion, level in row['marks'].items()}
        fields = {key: row[key] for key in TEXTS} | ({'note_draft': row['note_draft']} if row['note_draft'] else {}) | marks
        connection.execute(sa.insert(ENTRY).values(**kept, step=GIVE, fields=fields))
    connection.execute(sa.insert(ENTRY_NOTE).from_select(
        ['id', 'institution_id', 'entry_id', 'at', 'text', 'removed_at'],
        sa.select(NOTE.c.id, NOTE.c.institution_id, NOTE.c.feedback_id, NOTE.c.at, NOTE.c.text, NOTE.c.removed_at),
    ))
    _continue_ids(connection, 'entry', 'entry_note')
    answers = (
        sa.select(FEEDBACK, *(ACKNOWLEDGEMENT.c[key] for key in (*ANSWER, 'at')), *(ANSWER_DRAFT.c[key].label(f'draft_{key}') for key in ('fields', *DRAFT)))
        .outerjoin(ACKNOWLEDGEMENT, ACKNOWLEDGEMENT.c.feedback_id == FEEDBACK.c.id)
        .outerjoin(ANSWER_DRAFT, ANSWER_DRAFT.c.feedback_id == FEEDBACK.c.id)
        .where(sa.or_(ACKNOWLEDGEMENT.c.id.is_not(None), ANSWER_DRAFT.c.id.is_not(None)))
    )
    for row in _rows(connection, answers, FEEDBACK):
        connection.execute(sa.insert(ENTRY).values(**_answer(row)))

    for activity in connection.execute(sa.select(ACTIVITY)).mappings().all():
        completion = {key: int(value) for key, value in activity['completion'].items()}
        if 'minimum_notes' in completion:
            completion['write_notes'] = completion.pop('minimum_notes')
        connection.execute(sa.update(ACTIVITY).where(ACTIVITY.c.id == activity['id']).values(completion=completion))
    _rename_job(*JOBS)
    for table in ('note', 'answer_draft', 'acknowledgement', 'feedback'):
        op.drop_table(table)


def _answer(row: Any) -> dict[str, Any]:
    """An acknowledgement, its draft, or both, as one entry."""
    draft, sent_at = row['draft_fields'], row['at']
    sent = {'heard': row['heard'], 'will_use': row['will_use'], 'usefulness': str(row['usefulness'] or '')}
    return {
        'institution_id': row['institution_id'],
        'activity_id': row['activity_id'],
        'round_id': row['round_id'],
        'group_id': row['group_id'],
        'author_id': row['recipient_id'],
        'recipient_id': row['author_id'],
        'step': ANSWERS,
        'fields': sent if sent_at is not None else draft,
        'correction': draft if sent_at is not None and draft else None,
        'is_open_to_staff': row['is_open_to_staff'],
        'version': row['draft_version'] or 1,
        'stamps': row['draft_stamps'] or {},
        'kept_aside': row['draft_kept_aside'] or [],
        'created_at': sent_at or row['draft_saved_at'],
        'saved_at': row['draft_saved_at'] or sent_at,
        'submitted_at': sent_at,
        'released_at': sent_at,
    }


def downgrade() -> None:
    connection = op.get_bind()
    _refuse_what_has_no_place(connection)
    op.create_table('feedback',
    *(sa.Column(key, sa.Integer(), nullable=False) for key in PLACE),
    *(sa.Column(key, sa.Text(), nullable=False) for key in TEXTS),
    sa.Column('marks', sa.JSON(), nullable=False),
    sa.Column('rubric_id', sa.Integer(), nullable=True),
    sa.Column('is_open_to_staff', sa.Boolean(), nullable=False),
    sa.Column('note_draft', sa.Text(), nullable=False),
    sa.Column('correction', sa.JSON(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('stamps', sa.JSON(), nullable=False),
    sa.Column('kept_aside', sa.JSON(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('saved_at', MOMENT, nullable=False),
    sa.Column('submitted_at', MOMENT, nullable=True),
    sa.Column('released_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('author_id <> recipient_id', name=op.f('ck_feedback_not_to_oneself')),
    *_references('feedback', activity_id='activity', round_id='round', group_id='group_', author_id='member', recipient_id='member'),
    sa.UniqueConstraint('round_id', 'author_id', 'recipient_id', name=op.f('uq_feedback_round_id_author_id_recipient_id')),
    )
    _index('feedback', 'activity_id', 'author_id', 'group_id', 'institution_id', 'recipient_id')
    op.create_table('acknowledgement',
    sa.Column('feedback_id', sa.Integer(), nullable=False),
    sa.Column('heard', sa.Text(), nullable=False),
    sa.Column('will_use', sa.Text(), nullable=False),
    sa.Column('usefulness', sa.Integer(), nullable=True),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('usefulness BETWEEN 1 AND 4', name=op.f('ck_acknowledgement_usefulness')),
    *_references('acknowledgement', feedback_id='feedback'),
    sa.UniqueConstraint('feedback_id', name=op.f('uq_acknowledgement_feedback_id')),
    )
    _index('acknowledgement', 'institution_id')
    op.create_table('answer_draft',
    sa.Column('feedback_id', sa.Integer(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('stamps', sa.JSON(), nullable=False),
    sa.Column('kept_aside', sa.JSON(), nullable=False),
    sa.Column('saved_at', MOMENT, nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    *_references('answer_draft', feedback_id='feedback'),
    sa.UniqueConstraint('feedback_id', name=op.f('uq_answer_draft_feedback_id')),
    )
    _index('answer_draft', 'institution_id')
    op.create_table('note',
    sa.Column('feedback_id', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('removed_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    *_references('note', feedback_id='feedback'),
    )
    _index('note', 'feedback_id', 'institution_id')

    for row in _rows(connection, sa.select(ENTRY).where(ENTRY.c.step == GIVE), ENTRY):
        kept = {key: row[key] for key in ('id', 'institution_id', *PLACE, *STAMPS, *DRAFT)}
        fields = row['fields']
        marks = {key.removeprefix('mark-'): int(level) for key, level in fields.items() if key.startswith('mark-') and level}
        texts = {key: fields.get(key, '') for key in (*TEXTS, 'note_draft')}
        connection.execute(sa.insert(FEEDBACK).values(**kept, **texts, marks=marks))
    connection.execute(sa.insert(NOTE).from_select(
        ['id', 'institution_id', 'feedback_id', 'at', 'text', 'removed_at'],
        sa.select(ENTRY_NOTE.c.id, ENTRY_NOTE.c.institution_id, ENTRY_NOTE.c.entry_id, ENTRY_NOTE.c.at, ENTRY_NOTE.c.text, ENTRY_NOTE.c.removed_at),
    ))
    _continue_ids(connection, 'feedback', 'note')
    answered = ENTRY.alias()
    there = sa.and_(
        answered.c.step == GIVE,
        answered.c.round_id == ENTRY.c.round_id,
        answered.c.author_id == ENTRY.c.recipient_id,
        answered.c.recipient_id == ENTRY.c.author_id,
    )
    answers = sa.select(ENTRY, answered.c.id.label('feedback_id')).join(answered, there).where(ENTRY.c.step == ANSWERS)
    for row in _rows(connection, answers, ENTRY):
        place = {'institution_id': row['institution_id'], 'feedback_id': row['feedback_id']}
        fields, draft = row['fields'], row['correction'] or {}
        if row['submitted_at'] is None:
            draft = fields
        else:
            usefulness = fields.get('usefulness', '')
            connection.execute(sa.insert(ACKNOWLEDGEMENT).values(
                **place, heard=fields.get('heard', ''), will_use=fields.get('will_use', ''),
                usefulness=int(usefulness) if usefulness else None, at=row['submitted_at'],
            ))
        if row['submitted_at'] is None or draft or row['kept_aside']:
            connection.execute(sa.insert(ANSWER_DRAFT).values(**place, fields=draft, **{key: row[key] for key in DRAFT}))

    for activity in connection.execute(sa.select(ACTIVITY)).mappings().all():
        completion = {key: bool(value) if key in {GIVE, ANSWERS} else value for key, value in activity['completion'].items()}
        if 'write_notes' in completion:
            completion['minimum_notes'] = completion.pop('write_notes')
        connection.execute(sa.update(ACTIVITY).where(ACTIVITY.c.id == activity['id']).values(completion=completion))
    _rename_job(*reversed(JOBS))
    op.drop_table('entry_note')
    op.drop_table('entry')


def _refuse_what_has_no_place(connection: sa.Connection) -> None:
    """No text is lost: what other kinds than observation hold fits no older table, so it has to go first."""
    known = {GIVE: {*TEXTS, 'note_draft'}, ANSWERS: set(ANSWER)}
    for row in _rows(connection, sa.select(ENTRY), ENTRY):
        names = {*row['fields'], *(row['correction'] or {})}
        names = {name for name in names if not name.startswith(('mark-', 'note-'))}
        if row['step'] not in known or names - known[row['step']] or row['recipient_id'] is None:
            raise RuntimeError(f"entry {row['id']} has no place in the version before: export it and delete its activity first")


def _references(table: str, **columns: str) -> list[Any]:
    """The keys that every table of an institution has, and references that do not leave it."""
    return [
        *(sa.ForeignKeyConstraint(['institution_id', column], [f'{other}.institution_id', f'{other}.id'], name=op.f(f'fk_{table}_institution_id_{column}'), ondelete='CASCADE') for column, other in columns.items()),
        sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f(f'fk_{table}_institution_id')),
        sa.PrimaryKeyConstraint('id', name=op.f(f'pk_{table}')),
        sa.UniqueConstraint('institution_id', 'id', name=op.f(f'uq_{table}_institution_id_id')),
    ]


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column])


def _rows(connection: sa.Connection, statement: Any, table: sa.TableClause) -> Iterator[Any]:
    """Rows by the id of this table, some hundred at a time: texts are long and there may be many."""
    last = 0
    while rows := connection.execute(statement.where(table.c.id > last).order_by(table.c.id).limit(BATCH)).mappings().all():
        yield from rows
        last = rows[-1]['id']


def _continue_ids(connection: sa.Connection, *tables: str) -> None:
    """Rows were written with their ids, which PostgreSQL's counters do not notice."""
    if connection.dialect.name == 'postgresql':
        for table in tables:
            connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)"))


def _rename_job(before: str, after: str) -> None:
    op.execute(f"UPDATE job SET name = '{after}', unique_key = replace(unique_key, '{before}', '{after}') WHERE name = '{before}'")
