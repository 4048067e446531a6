"""the language that a person chose, and that of an activity's texts

Revision ID: 0031
Revises: 0027
"""

from alembic import op
import sqlalchemy as sa


revision = '0031'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('person', sa.Column('language', sa.String(length=16), nullable=True))
    op.add_column('activity', sa.Column('language', sa.String(length=16), server_default='en', nullable=False))
    with op.batch_alter_table('activity') as activity:
        activity.alter_column('language', existing_type=sa.String(length=16), existing_nullable=False, server_default=None)
