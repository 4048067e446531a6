"""surveys before and after an activity

Revision ID: 0027
Revises: 0026
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('activity', sa.Column('survey', sa.JSON(none_as_null=True), nullable=True))
    op.create_table('survey_answer',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('moment', sa.String(length=8), nullable=False),
    sa.Column('item', sa.String(length=255), nullable=False),
    sa.Column('value', sa.Integer(), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("moment IN ('before', 'after')", name=op.f('ck_survey_answer_moment')),
    sa.CheckConstraint('value BETWEEN 1 AND 5', name=op.f('ck_survey_answer_value')),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_survey_answer_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_survey_answer_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_survey_answer_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_survey_answer')),
    sa.UniqueConstraint('activity_id', 'member_id', 'moment', 'item', name=op.f('uq_survey_answer_activity_id_member_id_moment_item')),
    )
    for column in ('institution_id', 'member_id'):
        op.create_index(op.f(f'ix_survey_answer_{column}'), 'survey_answer', [column])


def downgrade() -> None:
    if op.get_bind().execute(sa.text('SELECT count(*) FROM survey_answer')).scalar_one():
        raise RuntimeError('answers of surveys have no place in the version before: delete them first')
    op.drop_table('survey_answer')
    with op.batch_alter_table('activity') as table:
        table.drop_column('survey')
