"""scenarios of role-plays

Revision ID: 0013
Revises: 0010
"""

from alembic import op
import sqlalchemy as sa


revision = '0013'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scenario', sa.JSON(), nullable=True))


def downgrade() -> None:
    written = op.get_bind().execute(sa.text('SELECT id FROM activity WHERE scenario IS NOT NULL')).scalars().all()
    if written:
        # No text is lost: the version before has no place for it.
        raise RuntimeError(f'activities {written} have a scenario: copy it and clear it first')
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.drop_column('scenario')
