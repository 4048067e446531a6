"""feedback without names, by setting of an activity

Revision ID: 0022
Revises: 0021
"""

from alembic import op
import sqlalchemy as sa


revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.add_column(sa.Column('anonymous_feedback', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.alter_column('anonymous_feedback', existing_type=sa.Boolean(), server_default=None)
    with op.batch_alter_table('entry', schema=None) as batch_op:
        batch_op.add_column(sa.Column('alias', sa.Integer(), nullable=True))
        batch_op.create_unique_constraint(op.f('uq_entry_recipient_id_alias'), ['recipient_id', 'alias'])
        batch_op.create_check_constraint(op.f('ck_entry_alias_is_no_id'), 'alias IS NULL OR (recipient_id IS NOT NULL AND alias >= 1073741824)')


def downgrade() -> None:
    # The version before shows every name.
    promised = op.get_bind().execute(sa.text('SELECT DISTINCT activity_id FROM entry WHERE alias IS NOT NULL ORDER BY activity_id')).scalars().all()
    if promised:
        raise RuntimeError(f'the version before would name who gave anonymous feedback in activities {promised}')
    with op.batch_alter_table('entry', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_entry_alias_is_no_id'), type_='check')
        batch_op.drop_constraint(op.f('uq_entry_recipient_id_alias'), type_='unique')
        batch_op.drop_column('alias')
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.drop_column('anonymous_feedback')
