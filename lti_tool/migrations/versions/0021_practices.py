"""practices of the course library, and who agreed to share them

Revision ID: 0021
Revises: 0020
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

MOMENT = UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table('practice',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('is_from_group', sa.Boolean(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('offered_at', MOMENT, nullable=False),
    sa.Column('worded_at', MOMENT, nullable=False),
    sa.Column('hidden_at', MOMENT, nullable=True),
    sa.Column('hidden_why', sa.Text(), nullable=False),
    sa.Column('in_institution_at', MOMENT, nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('practice', 'example', 'resource')", name=op.f('ck_practice_kind')),
    sa.CheckConstraint("(hidden_at IS NULL) = (hidden_why = '')", name=op.f('ck_practice_hidden_with_reason')),
    sa.ForeignKeyConstraint(['institution_id', 'course_id'], ['course.institution_id', 'course.id'], name=op.f('fk_practice_institution_id_course_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'owner_id'], ['member.institution_id', 'member.id'], name=op.f('fk_practice_institution_id_owner_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_practice_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practice')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_practice_institution_id_id')),
    )
    for column in ('course_id', 'institution_id', 'owner_id'):
        op.create_index(op.f(f'ix_practice_{column}'), 'practice', [column])
    op.create_table('practice_consent',
    sa.Column('practice_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('agreed_at', MOMENT, nullable=True),
    sa.Column('declined_at', MOMENT, nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('agreed_at IS NULL OR declined_at IS NULL', name=op.f('ck_practice_consent_one_answer')),
    sa.ForeignKeyConstraint(['institution_id', 'practice_id'], ['practice.institution_id', 'practice.id'], name=op.f('fk_practice_consent_institution_id_practice_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_practice_consent_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_practice_consent_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_practice_consent')),
    sa.UniqueConstraint('practice_id', 'member_id', name=op.f('uq_practice_consent_practice_id_member_id')),
    )
    for column in ('institution_id', 'member_id'):
        op.create_index(op.f(f'ix_practice_consent_{column}'), 'practice_consent', [column])


def downgrade() -> None:
    if op.get_bind().execute(sa.text('SELECT count(*) FROM practice')).scalar_one():
        raise RuntimeError('practices of the course library have no place in the version before: delete them first')
    op.drop_table('practice_consent')
    op.drop_table('practice')
