"""texts of refused forms, notes to partners, people whom the roster lacks

Revision ID: 0004
Revises: 0003
"""

from alembic import op
import sqlalchemy as sa
import lti_tool.support.db


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('kept_text',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('course_id', sa.Integer(), nullable=True),
    sa.Column('texts', sa.JSON(), nullable=False),
    sa.Column('at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'course_id'], ['course.institution_id', 'course.id'], name=op.f('fk_kept_text_institution_id_course_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'person_id'], ['person.institution_id', 'person.id'], name=op.f('fk_kept_text_institution_id_person_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_kept_text_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kept_text'))
    )
    with op.batch_alter_table('kept_text', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kept_text_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_kept_text_course_id'), ['course_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_kept_text_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_kept_text_person_id'), ['person_id'], unique=False)

    op.create_table('partner_note',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('recipient_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', lti_tool.support.db.UtcDateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('author_id <> recipient_id', name=op.f('ck_partner_note_not_to_oneself')),
    sa.ForeignKeyConstraint(['institution_id', 'author_id'], ['member.institution_id', 'member.id'], name=op.f('fk_partner_note_institution_id_author_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'recipient_id'], ['member.institution_id', 'member.id'], name=op.f('fk_partner_note_institution_id_recipient_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'round_id'], ['round.institution_id', 'round.id'], name=op.f('fk_partner_note_institution_id_round_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_partner_note_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_partner_note')),
    sa.UniqueConstraint('round_id', 'author_id', 'recipient_id', name=op.f('uq_partner_note_round_id_author_id_recipient_id'))
    )
    with op.batch_alter_table('partner_note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_partner_note_author_id'), ['author_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_partner_note_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_partner_note_recipient_id'), ['recipient_id'], unique=False)

    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_taken_in', sa.Boolean(), nullable=True))
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.add_column(sa.Column('shows_addresses', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('institution', schema=None) as batch_op:
        # Old rows needed the default; new ones say it themselves.
        batch_op.alter_column('shows_addresses', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.drop_column('shows_addresses')
    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.drop_column('is_taken_in')

    with op.batch_alter_table('partner_note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_partner_note_recipient_id'))
        batch_op.drop_index(batch_op.f('ix_partner_note_institution_id'))
        batch_op.drop_index(batch_op.f('ix_partner_note_author_id'))

    op.drop_table('partner_note')
    with op.batch_alter_table('kept_text', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kept_text_person_id'))
        batch_op.drop_index(batch_op.f('ix_kept_text_institution_id'))
        batch_op.drop_index(batch_op.f('ix_kept_text_course_id'))
        batch_op.drop_index(batch_op.f('ix_kept_text_at'))

    op.drop_table('kept_text')
