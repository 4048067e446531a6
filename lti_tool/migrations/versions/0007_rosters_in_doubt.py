"""rosters in doubt

Revision ID: 0007
Revises: 0006
"""

from alembic import op
import sqlalchemy as sa
import lti_tool.support.db


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ends_in_roster_at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table('roster_sync', schema=None) as batch_op:
        batch_op.add_column(sa.Column('unread', sa.Integer(), nullable=False, server_default='0'))
        batch_op.drop_column('learners_seen')

    with op.batch_alter_table('roster_sync', schema=None) as batch_op:
        batch_op.alter_column('unread', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('roster_sync', schema=None) as batch_op:
        batch_op.add_column(sa.Column('learners_seen', sa.Integer(), nullable=False, server_default='0'))
        batch_op.drop_column('unread')

    with op.batch_alter_table('roster_sync', schema=None) as batch_op:
        batch_op.alter_column('learners_seen', server_default=None)

    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.drop_column('ends_in_roster_at')
