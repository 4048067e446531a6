"""hints, release by an instructor, and growth points that became a goal or an action

Revision ID: 0017
Revises: 0016
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

BEFORE = "'at_once', 'when_both_gave', 'at_due'"


def upgrade() -> None:
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.add_column(sa.Column('shows_hints', sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.drop_constraint(op.f('ck_activity_release'), type_='check')
        batch_op.create_check_constraint(op.f('ck_activity_release'), f"release IN ({BEFORE}, 'by_instructor')")
    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('hides_hints', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('entry', schema=None) as batch_op:
        batch_op.add_column(sa.Column('counted', sa.JSON(), nullable=True))
    op.create_table('growth_point',
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(length=32), nullable=False),
    sa.Column('goal_id', sa.Integer(), nullable=True),
    sa.Column('action_id', sa.Integer(), nullable=True),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('(goal_id IS NULL) <> (action_id IS NULL)', name=op.f('ck_growth_point_one_thing')),
    sa.ForeignKeyConstraint(['institution_id', 'action_id'], ['action.institution_id', 'action.id'], name=op.f('fk_growth_point_institution_id_action_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'entry_id'], ['entry.institution_id', 'entry.id'], name=op.f('fk_growth_point_institution_id_entry_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'goal_id'], ['goal.institution_id', 'goal.id'], name=op.f('fk_growth_point_institution_id_goal_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_growth_point_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_growth_point')),
    sa.UniqueConstraint('entry_id', 'field', name=op.f('uq_growth_point_entry_id_field')),
    )
    for column in ('action_id', 'goal_id', 'institution_id'):
        op.create_index(op.f(f'ix_growth_point_{column}'), 'growth_point', [column])


def downgrade() -> None:
    waiting = "SELECT id FROM activity WHERE release = 'by_instructor'"
    if ids := op.get_bind().execute(sa.text(waiting)).scalars().all():
        # The version before would show what an instructor holds back.
        raise RuntimeError(f'feedback of activities {ids} is released by an instructor: choose another release first')
    op.drop_table('growth_point')
    with op.batch_alter_table('entry', schema=None) as batch_op:
        batch_op.drop_column('counted')
    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.drop_column('hides_hints')
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_activity_release'), type_='check')
        batch_op.create_check_constraint(op.f('ck_activity_release'), f'release IN ({BEFORE})')
        batch_op.drop_column('shows_hints')
