"""who may open a link, and what a column is worth

Revision ID: 0009
Revises: 0008
"""

from alembic import op
import sqlalchemy as sa
import lti_tool.support.db


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

STATES = "'unknown', 'linked', 'none', 'readonly', 'deleted'"


def upgrade() -> None:
    op.create_table('locked_out',
    sa.Column('placement_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('found_at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_locked_out_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'placement_id'], ['placement.institution_id', 'placement.id'], name=op.f('fk_locked_out_institution_id_placement_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_locked_out_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_locked_out')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_locked_out_institution_id_id')),
    sa.UniqueConstraint('placement_id', 'member_id', name=op.f('uq_locked_out_placement_id_member_id'))
    )
    with op.batch_alter_table('locked_out', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_locked_out_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_locked_out_member_id'), ['member_id'], unique=False)

    with op.batch_alter_table('placement', schema=None) as batch_op:
        batch_op.add_column(sa.Column('opens_for_nobody', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('placement', schema=None) as batch_op:
        # Old rows needed the default; new ones say it themselves.
        batch_op.alter_column('opens_for_nobody', server_default=None)
    with op.batch_alter_table('line_item', schema=None) as batch_op:
        batch_op.add_column(sa.Column('maximum', sa.Double(), nullable=True))
        batch_op.drop_constraint(op.f('ck_line_item_state'), type_='check')
        batch_op.create_check_constraint(op.f('ck_line_item_state'), f"state IN ({STATES}, 'declined')")


def downgrade() -> None:
    op.execute("UPDATE line_item SET state = 'none' WHERE state = 'declined'")
    with op.batch_alter_table('line_item', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_line_item_state'), type_='check')
        batch_op.create_check_constraint(op.f('ck_line_item_state'), f"state IN ({STATES})")
        batch_op.drop_column('maximum')
    with op.batch_alter_table('placement', schema=None) as batch_op:
        batch_op.drop_column('opens_for_nobody')
    with op.batch_alter_table('locked_out', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_locked_out_member_id'))
        batch_op.drop_index(batch_op.f('ix_locked_out_institution_id'))

    op.drop_table('locked_out')
