"""cards of the warm-up that members have done

Revision ID: 0026
Revises: 0021
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0026'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('warm_up_card',
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('card', sa.String(length=32), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_warm_up_card_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_warm_up_card_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_warm_up_card')),
    sa.UniqueConstraint('member_id', 'card', name=op.f('uq_warm_up_card_member_id_card')),
    )
    op.create_index(op.f('ix_warm_up_card_institution_id'), 'warm_up_card', ['institution_id'])


def downgrade() -> None:
    # Which cards somebody has done: nothing that anybody wrote is lost.
    op.drop_table('warm_up_card')
