"""certificates for completion, and the key with which an institution signs credentials

Revision ID: 0025
Revises: 0024
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

MOMENT = UtcDateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table('activity') as batch_op:
        batch_op.add_column(sa.Column('certificate', sa.JSON(none_as_null=True), nullable=True))
    op.create_table('certificate',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('title', sa.String(length=255), nullable=False),
    sa.Column('issuer', sa.String(length=255), nullable=False),
    sa.Column('hours', sa.JSON(), nullable=False),
    sa.Column('locale', sa.String(length=16), nullable=False),
    sa.Column('issued_at', MOMENT, nullable=False),
    sa.Column('published_at', MOMENT, nullable=True),
    sa.Column('taken_back_at', MOMENT, nullable=True),
    sa.Column('withdrawn_at', MOMENT, nullable=True),
    sa.Column('withdrawn_why', sa.Text(), nullable=False),
    sa.Column('withdrawn_by_id', sa.Integer(), nullable=True),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('pdf', sa.LargeBinary(), nullable=True),
    sa.Column('pdf_state', sa.String(length=16), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('published_at IS NULL OR taken_back_at IS NULL', name=op.f('ck_certificate_published_or_taken_back')),
    sa.CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why = '')", name=op.f('ck_certificate_withdrawn_with_reason')),
    sa.CheckConstraint("pdf_state <> 'ready' OR pdf IS NOT NULL", name=op.f('ck_certificate_ready_with_pdf')),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_certificate_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_certificate_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_certificate_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_certificate_institution_id_id')),
    sa.UniqueConstraint('activity_id', 'member_id', name=op.f('uq_certificate_activity_id_member_id')),
    sa.UniqueConstraint('key', name=op.f('uq_certificate_key')),
    )
    for column in ('institution_id', 'member_id'):
        op.create_index(op.f(f'ix_certificate_{column}'), 'certificate', [column])
    op.create_table('credential_key',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(length=32), nullable=False),
    sa.Column('kid', sa.String(length=64), nullable=False),
    sa.Column('private_key', sa.Text(), nullable=False),
    sa.Column('public_key', sa.JSON(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_credential_key_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_credential_key')),
    sa.UniqueConstraint('institution_id', 'number', name=op.f('uq_credential_key_institution_id_number')),
    sa.UniqueConstraint('address', name=op.f('uq_credential_key_address')),
    )
    op.create_index(op.f('ix_credential_key_institution_id'), 'credential_key', ['institution_id'])


def downgrade() -> None:
    if op.get_bind().execute(sa.text('SELECT count(*) FROM certificate')).scalar_one():
        raise RuntimeError('certificates have no place in the version before, and their addresses would end: delete them first')
    op.drop_table('credential_key')
    op.drop_table('certificate')
    with op.batch_alter_table('activity') as batch_op:
        batch_op.drop_column('certificate')
