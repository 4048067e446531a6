"""what is wanted of groups

Revision ID: 0003
Revises: 0002
"""

from alembic import op
import sqlalchemy as sa
import lti_tool.support.db


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('exclusion',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('one_id', sa.Integer(), nullable=False),
    sa.Column('other_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('said_by_id', sa.Integer(), nullable=True),
    sa.Column('said_at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('never', 'rather_not')", name=op.f('ck_exclusion_kind')),
    sa.CheckConstraint('one_id < other_id', name=op.f('ck_exclusion_order')),
    sa.ForeignKeyConstraint(['institution_id', 'course_id'], ['course.institution_id', 'course.id'], name=op.f('fk_exclusion_institution_id_course_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'one_id'], ['member.institution_id', 'member.id'], name=op.f('fk_exclusion_institution_id_one_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'other_id'], ['member.institution_id', 'member.id'], name=op.f('fk_exclusion_institution_id_other_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_exclusion_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exclusion')),
    sa.UniqueConstraint('course_id', 'one_id', 'other_id', name=op.f('uq_exclusion_course_id_one_id_other_id')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_exclusion_institution_id_id'))
    )
    with op.batch_alter_table('exclusion', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_exclusion_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_exclusion_other_id'), ['other_id'], unique=False)

    op.create_table('drafting',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('seed', sa.Integer(), nullable=False),
    sa.Column('improve', sa.Boolean(), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=True),
    sa.Column('asked_at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('refusal', sa.String(length=64), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_drafting_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_drafting_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drafting')),
    sa.UniqueConstraint('activity_id', name=op.f('uq_drafting_activity_id')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_drafting_institution_id_id'))
    )
    with op.batch_alter_table('drafting', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_drafting_institution_id'), ['institution_id'], unique=False)

    op.create_table('pairing_preferences',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('rules', sa.JSON(), nullable=False),
    sa.Column('wishes', sa.JSON(), nullable=False),
    sa.Column('not_again', sa.Boolean(), nullable=False),
    sa.Column('should_not_holds', sa.Boolean(), nullable=False),
    sa.Column('history_counts', sa.Boolean(), nullable=False),
    sa.Column('changed_by_id', sa.Integer(), nullable=True),
    sa.Column('changed_at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('pairs', 'trios', 'circles', 'rings')", name=op.f('ck_pairing_preferences_kind')),
    sa.CheckConstraint('size BETWEEN 2 AND 6', name=op.f('ck_pairing_preferences_size')),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_pairing_preferences_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_pairing_preferences_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pairing_preferences')),
    sa.UniqueConstraint('activity_id', name=op.f('uq_pairing_preferences_activity_id')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_pairing_preferences_institution_id_id'))
    )
    with op.batch_alter_table('pairing_preferences', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pairing_preferences_institution_id'), ['institution_id'], unique=False)

    op.create_table('absence',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('said_by_id', sa.Integer(), nullable=True),
    sa.Column('said_at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_absence_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'round_id'], ['round.institution_id', 'round.id'], name=op.f('fk_absence_institution_id_round_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_absence_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_absence')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_absence_institution_id_id')),
    sa.UniqueConstraint('round_id', 'member_id', name=op.f('uq_absence_round_id_member_id'))
    )
    with op.batch_alter_table('absence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_absence_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_absence_member_id'), ['member_id'], unique=False)

    op.create_table('move',
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.String(length=32), nullable=False),
    sa.Column('at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_move_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'plan_id'], ['plan.institution_id', 'plan.id'], name=op.f('fk_move_institution_id_plan_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'round_id'], ['round.institution_id', 'round.id'], name=op.f('fk_move_institution_id_round_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_move_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_move')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_move_institution_id_id')),
    sa.UniqueConstraint('plan_id', 'round_id', 'member_id', name=op.f('uq_move_plan_id_round_id_member_id'))
    )
    with op.batch_alter_table('move', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_move_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_move_member_id'), ['member_id'], unique=False)

    op.create_table('pin',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('said_by_id', sa.Integer(), nullable=True),
    sa.Column('said_at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_pin_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'round_id'], ['round.institution_id', 'round.id'], name=op.f('fk_pin_institution_id_round_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_pin_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pin')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_pin_institution_id_id'))
    )
    with op.batch_alter_table('pin', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pin_activity_id'), ['activity_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_pin_institution_id'), ['institution_id'], unique=False)

    op.create_table('pinned_member',
    sa.Column('pin_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'member_id'], ['member.institution_id', 'member.id'], name=op.f('fk_pinned_member_institution_id_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'pin_id'], ['pin.institution_id', 'pin.id'], name=op.f('fk_pinned_member_institution_id_pin_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_pinned_member_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pinned_member')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_pinned_member_institution_id_id')),
    sa.UniqueConstraint('pin_id', 'member_id', name=op.f('uq_pinned_member_pin_id_member_id'))
    )
    with op.batch_alter_table('pinned_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pinned_member_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_pinned_member_member_id'), ['member_id'], unique=False)

    with op.batch_alter_table('plan', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=16), nullable=False, server_default='pairs'))
        batch_op.add_column(sa.Column('size', sa.Integer(), nullable=False, server_default='2'))
        batch_op.add_column(sa.Column('effort', sa.String(length=16), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('unpaired', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('proofs', sa.JSON(), nullable=False, server_default='[]'))
    with op.batch_alter_table('plan', schema=None) as batch_op:
        # Old rows needed the defaults; new ones say it themselves.
        for column in ('kind', 'size', 'effort', 'unpaired', 'proofs'):
            batch_op.alter_column(column, server_default=None)
        batch_op.drop_constraint(op.f('ck_plan_state'), type_='check')
        batch_op.create_check_constraint(op.f('ck_plan_state'), "state IN ('draft', 'published', 'previous')")
        batch_op.create_check_constraint(op.f('ck_plan_kind'), "kind IN ('pairs', 'trios', 'circles', 'rings')")
        batch_op.create_index('uq_plan_one_previous', ['activity_id'], unique=True, sqlite_where=sa.text("state = 'previous'"), postgresql_where=sa.text("state = 'previous'"))
    with op.batch_alter_table('seat', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_seat_group_id'))
        batch_op.create_index('ix_seat_institution_id_group_id', ['institution_id', 'group_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('seat', schema=None) as batch_op:
        batch_op.drop_index('ix_seat_institution_id_group_id')
        batch_op.create_index(batch_op.f('ix_seat_group_id'), ['group_id'], unique=False)

    with op.batch_alter_table('plan', schema=None) as batch_op:
        batch_op.drop_index('uq_plan_one_previous', sqlite_where=sa.text("state = 'previous'"), postgresql_where=sa.text("state = 'previous'"))
    op.execute("DELETE FROM plan WHERE state = 'previous'")
    with op.batch_alter_table('plan', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_plan_kind'), type_='check')
        batch_op.drop_constraint(op.f('ck_plan_state'), type_='check')
        batch_op.create_check_constraint(op.f('ck_plan_state'), "state IN ('draft', 'published')")
        batch_op.drop_column('proofs')
        batch_op.drop_column('unpaired')
        batch_op.drop_column('effort')
        batch_op.drop_column('size')
        batch_op.drop_column('kind')

    with op.batch_alter_table('pinned_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pinned_member_member_id'))
        batch_op.drop_index(batch_op.f('ix_pinned_member_institution_id'))

    op.drop_table('pinned_member')
    with op.batch_alter_table('pin', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pin_institution_id'))
        batch_op.drop_index(batch_op.f('ix_pin_activity_id'))

    op.drop_table('pin')
    with op.batch_alter_table('move', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_move_member_id'))
        batch_op.drop_index(batch_op.f('ix_move_institution_id'))

    op.drop_table('move')
    with op.batch_alter_table('absence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_absence_member_id'))
        batch_op.drop_index(batch_op.f('ix_absence_institution_id'))

    op.drop_table('absence')
    with op.batch_alter_table('pairing_preferences', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pairing_preferences_institution_id'))

    op.drop_table('pairing_preferences')
    with op.batch_alter_table('drafting', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_drafting_institution_id'))

    op.drop_table('drafting')
    with op.batch_alter_table('exclusion', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_exclusion_other_id'))
        batch_op.drop_index(batch_op.f('ix_exclusion_institution_id'))

    op.drop_table('exclusion')
