"""letters, reminders, what staff did for several people at once, and the zone of a person

Revision ID: 0024
Revises: 0023
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

MOMENT = UtcDateTime(timezone=True)


def in_institution(table: str, *references: tuple[str, str]) -> list[sa.Column[int] | sa.Constraint]:
    return [
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('institution_id', sa.Integer(), nullable=False),
        *(
            sa.ForeignKeyConstraint(['institution_id', column], [f'{to}.institution_id', f'{to}.id'], name=op.f(f'fk_{table}_institution_id_{column}'), ondelete='CASCADE')
            for column, to in references
        ),
        sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f(f'fk_{table}_institution_id')),
        sa.PrimaryKeyConstraint('id', name=op.f(f'pk_{table}')),
    ]


def upgrade() -> None:
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_zone', sa.String(length=64), nullable=True))
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sends_letters', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.add_column(sa.Column('letters_a_week', sa.Integer(), nullable=False, server_default='2'))
        batch_op.create_check_constraint(op.f('ck_activity_letters_a_week'), 'letters_a_week BETWEEN 0 AND 5')
    op.create_table('staff_act',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('what', sa.String(length=16), nullable=False),
    sa.Column('round_number', sa.Integer(), nullable=True),
    sa.Column('due_at', MOMENT, nullable=True),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('undone_at', MOMENT, nullable=True),
    *in_institution('staff_act', ('activity_id', 'activity')),
    sa.CheckConstraint("what IN ('extend', 'excuse', 'take_back', 'remind', 'send', 'release')", name=op.f('ck_staff_act_what')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_staff_act_institution_id_id')),
    )
    op.create_table('letter',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('made_at', MOMENT, nullable=False),
    *in_institution('letter', ('person_id', 'person')),
    sa.CheckConstraint("state IN ('sending', 'sent', 'refused')", name=op.f('ck_letter_state')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_letter_institution_id_id')),
    sa.UniqueConstraint('person_id', 'day', name=op.f('uq_letter_person_id_day')),
    )
    op.create_table('reminder',
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('rule', sa.String(length=16), nullable=False),
    sa.Column('round_number', sa.Integer(), nullable=True),
    sa.Column('mark', sa.String(length=64), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('letter_id', sa.Integer(), nullable=True),
    sa.Column('act_id', sa.Integer(), nullable=True),
    *in_institution('reminder', ('member_id', 'member'), ('activity_id', 'activity'), ('letter_id', 'letter'), ('act_id', 'staff_act')),
    sa.CheckConstraint("rule IN ('staff', 'overdue', 'due_soon', 'waits', 'time', 'feedback', 'partner', 'change')", name=op.f('ck_reminder_rule')),
    sa.CheckConstraint("(rule = 'staff') = (act_id IS NOT NULL)", name=op.f('ck_reminder_of_staff')),
    sa.CheckConstraint("rule = 'staff' OR letter_id IS NOT NULL", name=op.f('ck_reminder_by_letter')),
    )
    op.create_table('mail_preference',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('stopped_at', MOMENT, nullable=True),
    sa.Column('refused_at', MOMENT, nullable=True),
    sa.Column('refused_mark', sa.String(length=64), nullable=True),
    *in_institution('mail_preference', ('person_id', 'person')),
    sa.CheckConstraint('(refused_at IS NULL) = (refused_mark IS NULL)', name=op.f('ck_mail_preference_refused')),
    sa.UniqueConstraint('person_id', name=op.f('uq_mail_preference_person_id')),
    )
    op.create_table('mail_server',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('failing_since', MOMENT, nullable=True),
    sa.Column('tried_at', MOMENT, nullable=True),
    sa.Column('error', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_server')),
    )
    for table, columns in {
        'staff_act': ('activity_id', 'institution_id'),
        'letter': ('institution_id', 'made_at'),
        'reminder': ('act_id', 'activity_id', 'at', 'institution_id', 'letter_id', 'member_id'),
        'mail_preference': ('institution_id',),
    }.items():
        for column in columns:
            op.create_index(op.f(f'ix_{table}_{column}'), table, [column])


def downgrade() -> None:
    stopped = sa.text('SELECT count(*) FROM mail_preference WHERE stopped_at IS NOT NULL')
    if op.get_bind().execute(stopped).scalar_one():
        # Somebody who comes up to this version again must not get letters that they had stopped.
        raise RuntimeError('people have stopped letters, and the version before cannot keep that')
    for table in ('reminder', 'letter', 'staff_act', 'mail_preference', 'mail_server'):
        op.drop_table(table)
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_activity_letters_a_week'), type_='check')
        batch_op.drop_column('letters_a_week')
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.drop_column('sends_letters')
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_column('time_zone')
