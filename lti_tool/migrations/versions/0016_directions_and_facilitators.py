"""to whom feedback goes, in which rounds staff may facilitate, and who did

Revision ID: 0016
Revises: 0015
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

MOMENT = UtcDateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table('activity') as batch_op:
        batch_op.add_column(sa.Column('feedback_to', sa.String(length=16), nullable=True))
        # Learners of present activities were told that no staff are in their meetings.
        batch_op.add_column(sa.Column('guided_rounds', sa.Integer(), nullable=False, server_default='0'))
        batch_op.create_check_constraint(op.f('ck_activity_feedback_to'), "feedback_to IN ('partners', 'next', 'seat')")
        batch_op.create_check_constraint(op.f('ck_activity_guided_rounds'), 'guided_rounds >= 0')
    with op.batch_alter_table('activity') as batch_op:
        batch_op.alter_column('guided_rounds', server_default=None)
    op.create_table('facilitation',
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('taken_at', MOMENT, nullable=False),
    sa.Column('left_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'group_id'], ['group_.institution_id', 'group_.id'], name=op.f('fk_facilitation_institution_id_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_facilitation_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_facilitation_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_facilitation')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_facilitation_institution_id_id'))
    )
    op.create_index(op.f('ix_facilitation_institution_id'), 'facilitation', ['institution_id'])
    op.create_index(op.f('ix_facilitation_group_id'), 'facilitation', ['group_id'])
    op.create_index(op.f('ix_facilitation_member_id'), 'facilitation', ['member_id'])
    op.create_index('uq_facilitation_one_at_a_time', 'facilitation', ['group_id'], unique=True, sqlite_where=sa.text('left_at IS NULL'), postgresql_where=sa.text('left_at IS NULL'))


def downgrade() -> None:
    # What was written to the next one round a ring, or one way, stays: the version before reads it as it does any.
    # That staff had a seat is also in the institution's record, which stays.
    op.drop_table('facilitation')
    with op.batch_alter_table('activity') as batch_op:
        batch_op.drop_constraint(op.f('ck_activity_guided_rounds'), type_='check')
        batch_op.drop_constraint(op.f('ck_activity_feedback_to'), type_='check')
        batch_op.drop_column('guided_rounds')
        batch_op.drop_column('feedback_to')
