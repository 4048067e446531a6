"""the language that a person chose, and that of an activity's texts

Revision ID: 0031
Revises: 0030
"""

from alembic import op
import sqlalchemy as sa


revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('person', sa.Column('language', sa.String(length=16), nullable=True))
    op.add_column('activity', sa.Column('language', sa.String(length=16), nullable=True))


def downgrade() -> None:
    for table in ('activity', 'person'):
        with op.batch_alter_table(table) as batch:
            batch.drop_column('language')
