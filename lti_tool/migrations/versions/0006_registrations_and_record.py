"""who registered, who may frame, and what the record can be searched by

Revision ID: 0006
Revises: 0005
"""

from alembic import op
import sqlalchemy as sa


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('registration', schema=None) as batch_op:
        batch_op.add_column(sa.Column('administrator_code_hash', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('frame_origins', sa.JSON(), nullable=False, server_default='[]'))
    with op.batch_alter_table('registration', schema=None) as batch_op:
        # Old rows needed the default; new ones say it themselves.
        batch_op.alter_column('frame_origins', server_default=None)
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('registration_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('follow_up_hash', sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_invitation_follow_up_hash'), ['follow_up_hash'])
        batch_op.create_foreign_key(batch_op.f('fk_invitation_registration_id'), 'registration', ['registration_id'], ['id'], ondelete='SET NULL')
    with op.batch_alter_table('launch_state', schema=None) as batch_op:
        batch_op.add_column(sa.Column('framed_by', sa.String(length=255), nullable=True))
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.add_column(sa.Column('course_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('person_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_audit_entry_course_id'), ['course_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entry_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_entry_person_id'))
        batch_op.drop_index(batch_op.f('ix_audit_entry_course_id'))
        batch_op.drop_column('person_id')
        batch_op.drop_column('course_id')
    with op.batch_alter_table('launch_state', schema=None) as batch_op:
        batch_op.drop_column('framed_by')
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_invitation_registration_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_invitation_follow_up_hash'), type_='unique')
        batch_op.drop_column('follow_up_hash')
        batch_op.drop_column('registration_id')
    with op.batch_alter_table('registration', schema=None) as batch_op:
        batch_op.drop_column('frame_origins')
        batch_op.drop_column('administrator_code_hash')
