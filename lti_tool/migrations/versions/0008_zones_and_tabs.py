"""time zones of browsers and institutions, logins in a tab of their own

Revision ID: 0008
Revises: 0007
"""

from alembic import op
import sqlalchemy as sa


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_zone', sa.String(length=64), nullable=True))
    with op.batch_alter_table('launch_state', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_zone', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('is_own_tab', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('launch_state', schema=None) as batch_op:
        # Logins under way needed the default; new ones say it themselves.
        batch_op.alter_column('is_own_tab', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('launch_state', schema=None) as batch_op:
        batch_op.drop_column('is_own_tab')
        batch_op.drop_column('time_zone')
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.drop_column('time_zone')
