"""going on without a partner, what happens between meetings, and words that are taken back

Revision ID: 0020
Revises: 0019
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

MOMENT = UtcDateTime(timezone=True)
TAKEN_BACK = ('check_in', 'win', 'remark')


def upgrade() -> None:
    op.add_column('nudge', sa.Column('alone_at', MOMENT, nullable=True))
    op.add_column('nudge', sa.Column('change_asked_at', MOMENT, nullable=True))
    for table in TAKEN_BACK:
        op.add_column(table, sa.Column('removed_at', MOMENT, nullable=True))
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.add_column(sa.Column('finds_partners', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('reflection_days', sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table('activity', schema=None) as batch_op:
        # Old rows needed the default; new ones say it themselves.
        batch_op.alter_column('finds_partners', server_default=None)
    op.create_table('occasion',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('stamps', sa.JSON(), nullable=False),
    sa.Column('kept_aside', sa.JSON(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('saved_at', MOMENT, nullable=False),
    sa.Column('brought_to', sa.Integer(), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_occasion_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'author_id'], ['member.institution_id', 'member.id'], name=op.f('fk_occasion_institution_id_author_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_occasion_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_occasion')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_occasion_institution_id_id')),
    )
    op.create_index(op.f('ix_occasion_institution_id'), 'occasion', ['institution_id'])
    op.create_index(op.f('ix_occasion_activity_id'), 'occasion', ['activity_id'])
    op.create_index(op.f('ix_occasion_author_id'), 'occasion', ['author_id'])


def downgrade() -> None:
    if op.get_bind().execute(sa.text('SELECT count(*) FROM occasion')).scalar_one():
        raise RuntimeError('what members wrote between meetings has no place in the version before')
    op.drop_table('occasion')
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.drop_column('reflection_days')
        batch_op.drop_column('finds_partners')
    for table in TAKEN_BACK:
        # Its author took it back, and the version before would show it again.
        op.execute(f'DELETE FROM {table} WHERE removed_at IS NOT NULL')
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('removed_at')
    with op.batch_alter_table('nudge', schema=None) as batch_op:
        batch_op.drop_column('change_asked_at')
        batch_op.drop_column('alone_at')
