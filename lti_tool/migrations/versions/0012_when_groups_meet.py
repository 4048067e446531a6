"""when groups meet, who waits for a partner, and private calendars

Revision ID: 0012
Revises: 0010
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

MOMENT = UtcDateTime(timezone=True)
TABLES = ('acceptance', 'meeting_time', 'meeting_group', 'nudge', 'meeting', 'calendar_address')


def upgrade() -> None:
    op.create_table('calendar_address',
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('made_at', MOMENT, nullable=False),
    sa.Column('read_at', MOMENT, nullable=False),
    sa.Column('counts_from', MOMENT, nullable=False),
    sa.Column('reads', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_calendar_address_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_calendar_address_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_address')),
    sa.UniqueConstraint('member_id', name=op.f('uq_calendar_address_member_id')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_calendar_address_token_hash'))
    )
    op.create_index(op.f('ix_calendar_address_institution_id'), 'calendar_address', ['institution_id'])
    op.create_index(op.f('ix_calendar_address_read_at'), 'calendar_address', ['read_at'])

    op.create_table('meeting',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('uid', sa.String(length=32), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('changed_at', MOMENT, nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'round_id'], ['round.institution_id', 'round.id'], name=op.f('fk_meeting_institution_id_round_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_meeting_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meeting')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_meeting_institution_id_id')),
    sa.UniqueConstraint('uid', name=op.f('uq_meeting_uid'))
    )
    op.create_index(op.f('ix_meeting_institution_id'), 'meeting', ['institution_id'])
    op.create_index(op.f('ix_meeting_round_id'), 'meeting', ['round_id'])

    op.create_table('nudge',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('recipient_id', sa.Integer(), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('answered_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('author_id <> recipient_id', name=op.f('ck_nudge_not_to_oneself')),
    sa.ForeignKeyConstraint(['institution_id', 'author_id'], ['member.institution_id', 'member.id'], name=op.f('fk_nudge_institution_id_author_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'recipient_id'], ['member.institution_id', 'member.id'], name=op.f('fk_nudge_institution_id_recipient_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'round_id'], ['round.institution_id', 'round.id'], name=op.f('fk_nudge_institution_id_round_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_nudge_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_nudge')),
    sa.UniqueConstraint('round_id', 'author_id', 'recipient_id', name=op.f('uq_nudge_round_id_author_id_recipient_id'))
    )
    op.create_index(op.f('ix_nudge_author_id'), 'nudge', ['author_id'])
    op.create_index(op.f('ix_nudge_institution_id'), 'nudge', ['institution_id'])
    op.create_index(op.f('ix_nudge_recipient_id'), 'nudge', ['recipient_id'])

    op.create_table('meeting_group',
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'group_id'], ['group_.institution_id', 'group_.id'], name=op.f('fk_meeting_group_institution_id_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'meeting_id'], ['meeting.institution_id', 'meeting.id'], name=op.f('fk_meeting_group_institution_id_meeting_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_meeting_group_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meeting_group')),
    sa.UniqueConstraint('group_id', name=op.f('uq_meeting_group_group_id')),
    sa.UniqueConstraint('meeting_id', name=op.f('uq_meeting_group_meeting_id'))
    )
    op.create_index(op.f('ix_meeting_group_institution_id'), 'meeting_group', ['institution_id'])

    op.create_table('meeting_time',
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=False),
    sa.Column('proposed_at', MOMENT, nullable=False),
    sa.Column('starts_at', MOMENT, nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('rhythm', sa.String(length=16), nullable=True),
    sa.Column('skipped', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('settled_at', MOMENT, nullable=True),
    sa.Column('settled_by_id', sa.Integer(), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("rhythm IN ('weekly', 'fortnightly', 'monthly')", name=op.f('ck_meeting_time_rhythm')),
    sa.CheckConstraint("state IN ('proposed', 'dropped', 'agreed', 'canceled', 'replaced')", name=op.f('ck_meeting_time_state')),
    sa.CheckConstraint('minutes > 0', name=op.f('ck_meeting_time_minutes')),
    sa.ForeignKeyConstraint(['institution_id', 'by_id'], ['member.institution_id', 'member.id'], name=op.f('fk_meeting_time_institution_id_by_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'meeting_id'], ['meeting.institution_id', 'meeting.id'], name=op.f('fk_meeting_time_institution_id_meeting_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_meeting_time_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meeting_time')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_meeting_time_institution_id_id'))
    )
    op.create_index(op.f('ix_meeting_time_by_id'), 'meeting_time', ['by_id'])
    op.create_index(op.f('ix_meeting_time_institution_id'), 'meeting_time', ['institution_id'])
    op.create_index(op.f('ix_meeting_time_meeting_id'), 'meeting_time', ['meeting_id'])
    op.create_index('uq_meeting_time_one_agreed', 'meeting_time', ['meeting_id'], unique=True, sqlite_where=sa.text("state = 'agreed'"), postgresql_where=sa.text("state = 'agreed'"))

    op.create_table('acceptance',
    sa.Column('time_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('ended_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_acceptance_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'time_id'], ['meeting_time.institution_id', 'meeting_time.id'], name=op.f('fk_acceptance_institution_id_time_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_acceptance_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_acceptance')),
    sa.UniqueConstraint('time_id', 'member_id', name=op.f('uq_acceptance_time_id_member_id'))
    )
    op.create_index(op.f('ix_acceptance_institution_id'), 'acceptance', ['institution_id'])
    op.create_index(op.f('ix_acceptance_member_id'), 'acceptance', ['member_id'])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
