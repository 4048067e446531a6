"""groups of a course on its platform, and notices of copied courses

Revision ID: 0030
Revises: 0029
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ('groups_url', 'group_sets_url'):
        op.add_column('course', sa.Column(column, sa.Text(), nullable=True))
    op.add_column('course', sa.Column('group_set', sa.String(length=255), nullable=True))
    op.add_column('deployment', sa.Column('notices_url', sa.Text(), nullable=True))
    op.add_column('deployment', sa.Column('notices_asked_at', UtcDateTime(timezone=True), nullable=True))
    op.create_table('course_group',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('lti_id', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=True),
    sa.Column('set_id', sa.String(length=255), nullable=False),
    sa.Column('set_name', sa.String(length=255), nullable=True),
    sa.Column('is_hidden', sa.Boolean(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'course_id'], ['course.institution_id', 'course.id'], name=op.f('fk_course_group_institution_id_course_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_course_group_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_course_group')),
    sa.UniqueConstraint('course_id', 'lti_id', name=op.f('uq_course_group_course_id_lti_id')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_course_group_institution_id_id')),
    )
    op.create_index(op.f('ix_course_group_institution_id'), 'course_group', ['institution_id'])
    op.create_table('group_enrollment',
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'group_id'], ['course_group.institution_id', 'course_group.id'], name=op.f('fk_group_enrollment_institution_id_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_group_enrollment_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_group_enrollment_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_group_enrollment')),
    sa.UniqueConstraint('group_id', 'member_id', name=op.f('uq_group_enrollment_group_id_member_id')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_group_enrollment_institution_id_id')),
    )
    for column in ('institution_id', 'member_id'):
        op.create_index(op.f(f'ix_group_enrollment_{column}'), 'group_enrollment', [column])
    op.create_table('course_copy',
    sa.Column('deployment_id', sa.Integer(), nullable=False),
    sa.Column('context_id', sa.String(length=255), nullable=False),
    sa.Column('origin_id', sa.Integer(), nullable=False),
    sa.Column('copied_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'deployment_id'], ['deployment.institution_id', 'deployment.id'], name=op.f('fk_course_copy_institution_id_deployment_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'origin_id'], ['course.institution_id', 'course.id'], name=op.f('fk_course_copy_institution_id_origin_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_course_copy_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_course_copy')),
    sa.UniqueConstraint('deployment_id', 'context_id', 'origin_id', name=op.f('uq_course_copy_deployment_id_context_id_origin_id')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_course_copy_institution_id_id')),
    )
    for column in ('institution_id', 'origin_id'):
        op.create_index(op.f(f'ix_course_copy_{column}'), 'course_copy', [column])
    op.create_table('seen_notice',
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['registration_id'], ['registration.id'], name=op.f('fk_seen_notice_registration_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('registration_id', 'key_hash', name=op.f('pk_seen_notice')),
    )
    op.create_index(op.f('ix_seen_notice_at'), 'seen_notice', ['at'])


def downgrade() -> None:
    for table_name in ('seen_notice', 'course_copy', 'group_enrollment', 'course_group'):
        op.drop_table(table_name)
    for table_name, columns in (
        ('deployment', ('notices_url', 'notices_asked_at')),
        ('course', ('groups_url', 'group_sets_url', 'group_set')),
    ):
        with op.batch_alter_table(table_name) as table:
            for column in columns:
                table.drop_column(column)
