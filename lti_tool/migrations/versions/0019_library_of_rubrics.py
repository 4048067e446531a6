"""rubrics that designers save, and the share of a score that points may have

Revision ID: 0019
Revises: 0018
"""

from alembic import op
import sqlalchemy as sa


revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('rubric', schema=None) as batch_op:
        batch_op.add_column(sa.Column('saved_template_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('saved_template_version', sa.Integer(), nullable=True))
    with op.batch_alter_table('saved_template', schema=None) as batch_op:
        batch_op.add_column(sa.Column('holds', sa.String(length=16), nullable=False, server_default='activity'))
    with op.batch_alter_table('saved_template', schema=None) as batch_op:
        batch_op.alter_column('holds', existing_type=sa.String(16), server_default=None)
        batch_op.create_check_constraint(op.f('ck_saved_template_holds'), "holds IN ('activity', 'rubric')")
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.add_column(sa.Column('points_share', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.alter_column('points_share', existing_type=sa.Integer(), server_default=None)
        batch_op.create_check_constraint(op.f('ck_activity_points_share'), 'points_share BETWEEN 0 AND 100')


def downgrade() -> None:
    _refuse_to_lose('saved rubrics', "SELECT id FROM saved_template WHERE holds = 'rubric' ORDER BY id")
    _refuse_to_lose('shares of points in the scores of activities', 'SELECT id FROM activity WHERE points_share > 0 ORDER BY id')
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_activity_points_share'), type_='check')
        batch_op.drop_column('points_share')
    with op.batch_alter_table('saved_template', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_saved_template_holds'), type_='check')
        batch_op.drop_column('holds')
    with op.batch_alter_table('rubric', schema=None) as batch_op:
        batch_op.drop_column('saved_template_version')
        batch_op.drop_column('saved_template_id')


def _refuse_to_lose(what: str, query: str) -> None:
    """The version before has no place for it, so it has to go first."""
    ids = op.get_bind().execute(sa.text(query)).scalars().all()
    if ids:
        raise RuntimeError(f'{what} {ids} would be lost: keep them elsewhere and remove them first')
