"""programmes: activities of a course in an order, and certificates and closing reports for all of one

Revision ID: 0029
Revises: 0028
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('programme',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=255), nullable=False),
    sa.Column('gives_certificate', sa.Boolean(), nullable=False),
    sa.Column('is_offered', sa.Boolean(), nullable=False),
    sa.Column('free_weeks', sa.String(length=500), nullable=False),
    sa.Column('skipped_weeks', sa.JSON(), nullable=False),
    sa.Column('copied_from_id', sa.Integer(), nullable=True),
    sa.Column('before', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('changed_by_id', sa.Integer(), nullable=True),
    sa.Column('changed_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'course_id'], ['course.institution_id', 'course.id'], name=op.f('fk_programme_institution_id_course_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_programme_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_programme_institution_id_id')),
    )
    for column in ('course_id', 'institution_id'):
        op.create_index(op.f(f'ix_programme_{column}'), 'programme', [column])
    op.create_table('programme_step',
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('counts', sa.Boolean(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('position >= 1', name=op.f('ck_programme_step_position')),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_programme_step_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'programme_id'], ['programme.institution_id', 'programme.id'], name=op.f('fk_programme_step_institution_id_programme_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_programme_step_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme_step')),
    sa.UniqueConstraint('activity_id', name=op.f('uq_programme_step_activity_id')),
    sa.UniqueConstraint('programme_id', 'position', name=op.f('uq_programme_step_programme_id_position')),
    )
    op.create_index(op.f('ix_programme_step_institution_id'), 'programme_step', ['institution_id'])
    with op.batch_alter_table('certificate') as table:
        table.add_column(sa.Column('programme_id', sa.Integer(), nullable=True))
        table.alter_column('activity_id', existing_type=sa.Integer(), nullable=True)
        table.create_check_constraint(op.f('ck_certificate_for_one'), '(activity_id IS NULL) <> (programme_id IS NULL)')
        table.create_foreign_key(op.f('fk_certificate_institution_id_programme_id'), 'programme', ['institution_id', 'programme_id'], ['institution_id', 'id'], ondelete='CASCADE')
        table.create_unique_constraint(op.f('uq_certificate_programme_id_member_id'), ['programme_id', 'member_id'])
    with op.batch_alter_table('closing_report') as table:
        table.add_column(sa.Column('programme_id', sa.Integer(), nullable=True))
        table.alter_column('activity_id', existing_type=sa.Integer(), nullable=True)
        table.create_check_constraint(op.f('ck_closing_report_for_one'), '(activity_id IS NULL) <> (programme_id IS NULL)')
        table.create_foreign_key(op.f('fk_closing_report_institution_id_programme_id'), 'programme', ['institution_id', 'programme_id'], ['institution_id', 'id'], ondelete='CASCADE')
        table.create_unique_constraint(op.f('uq_closing_report_programme_id'), ['programme_id'])


def downgrade() -> None:
    if op.get_bind().execute(sa.text('SELECT count(*) FROM certificate WHERE programme_id IS NOT NULL')).scalar_one():
        raise RuntimeError('certificates of programmes have no place in the version before, and their addresses would end: delete them first')
    if op.get_bind().execute(sa.text('SELECT count(*) FROM programme_step')).scalar_one():
        raise RuntimeError('programmes have no place in the version before: dissolve them first')
    # A report can be made again at any time.
    op.execute('DELETE FROM closing_report WHERE programme_id IS NOT NULL')
    with op.batch_alter_table('closing_report') as table:
        table.drop_constraint(op.f('uq_closing_report_programme_id'), type_='unique')
        table.drop_constraint(op.f('fk_closing_report_institution_id_programme_id'), type_='foreignkey')
        table.drop_constraint(op.f('ck_closing_report_for_one'), type_='check')
        table.alter_column('activity_id', existing_type=sa.Integer(), nullable=False)
        table.drop_column('programme_id')
    with op.batch_alter_table('certificate') as table:
        table.drop_constraint(op.f('uq_certificate_programme_id_member_id'), type_='unique')
        table.drop_constraint(op.f('fk_certificate_institution_id_programme_id'), type_='foreignkey')
        table.drop_constraint(op.f('ck_certificate_for_one'), type_='check')
        table.alter_column('activity_id', existing_type=sa.Integer(), nullable=False)
        table.drop_column('programme_id')
    op.drop_table('programme_step')
    op.drop_table('programme')
