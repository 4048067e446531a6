"""scenarios of role-plays, templates that designers save

Revision ID: 0013
Revises: 0010
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scenario', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('saved_template_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('saved_template_version', sa.Integer(), nullable=True))
    op.create_table('saved_template',
    sa.Column('course_id', sa.Integer(), nullable=True),
    sa.Column('title', sa.String(length=255), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('rubric', sa.JSON(), nullable=False),
    sa.Column('preferences', sa.JSON(), nullable=False),
    sa.Column('saved_by_id', sa.Integer(), nullable=True),
    sa.Column('saved_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'course_id'], ['course.institution_id', 'course.id'], name=op.f('fk_saved_template_institution_id_course_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_saved_template_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_template')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_saved_template_institution_id_id')),
    )
    for column in ('course_id', 'institution_id'):
        op.create_index(op.f(f'ix_saved_template_{column}'), 'saved_template', [column])


def downgrade() -> None:
    _refuse_to_lose('scenarios', 'SELECT id FROM activity WHERE scenario IS NOT NULL')
    _refuse_to_lose('saved templates', 'SELECT id FROM saved_template')
    op.drop_table('saved_template')
    with op.batch_alter_table('activity', schema=None) as batch_op:
        batch_op.drop_column('saved_template_version')
        batch_op.drop_column('saved_template_id')
        batch_op.drop_column('scenario')


def _refuse_to_lose(what: str, query: str) -> None:
    """No text is lost: the version before has no place for it, so it has to go first."""
    ids = op.get_bind().execute(sa.text(query)).scalars().all()
    if ids:
        raise RuntimeError(f'{what} of {ids} would be lost: keep their texts elsewhere and delete them first')
