"""the engine has one way to search: no longer look, and no effort, of a plan

Revision ID: 0023
Revises: 0022
"""

from alembic import op
import sqlalchemy as sa


revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('plan') as table:
        table.drop_column('effort')
    with op.batch_alter_table('drafting') as table:
        table.drop_column('improve')


def downgrade() -> None:
    with op.batch_alter_table('plan') as table:
        table.add_column(sa.Column('effort', sa.String(length=16), nullable=False, server_default='normal'))
    with op.batch_alter_table('drafting') as table:
        table.add_column(sa.Column('improve', sa.Boolean(), nullable=False, server_default=sa.false()))
    for table_name, column in (('plan', 'effort'), ('drafting', 'improve')):
        with op.batch_alter_table(table_name) as table:
            table.alter_column(column, server_default=None)
