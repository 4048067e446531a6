"""closing reports on paper

Revision ID: 0028
Revises: 0027
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('closing_report',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('pdf', sa.LargeBinary(), nullable=True),
    sa.Column('pdf_state', sa.String(length=16), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("pdf_state <> 'ready' OR pdf IS NOT NULL", name=op.f('ck_closing_report_ready_with_pdf')),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_closing_report_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_closing_report_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closing_report')),
    sa.UniqueConstraint('activity_id', name=op.f('uq_closing_report_activity_id')),
    )
    op.create_index(op.f('ix_closing_report_institution_id'), 'closing_report', ['institution_id'])


def downgrade() -> None:
    # A report can be made again at any time.
    op.drop_table('closing_report')
