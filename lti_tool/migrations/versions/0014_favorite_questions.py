"""open questions that members keep

Revision ID: 0014
Revises: 0013
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('favorite_question',
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('question', sa.String(length=255), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_favorite_question_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_favorite_question_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_favorite_question')),
    sa.UniqueConstraint('member_id', 'question', name=op.f('uq_favorite_question_member_id_question')),
    )
    op.create_index(op.f('ix_favorite_question_institution_id'), 'favorite_question', ['institution_id'])


def downgrade() -> None:
    # A mark that a member sets again by one tap: nothing that anybody wrote is lost.
    op.drop_table('favorite_question')
