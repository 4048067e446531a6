"""reports of harm; feedback can be corrected until it is read, and added to afterwards

Revision ID: 0015
Revises: 0014
"""

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('activity') as batch:
        batch.add_column(sa.Column('assistants_moderate', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('entry') as batch:
        batch.add_column(sa.Column('read_at', UtcDateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column('withheld_at', UtcDateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column('additions', sa.JSON(), nullable=False, server_default='[]'))
    # What was released may have been read, and its author was told that it stays.
    op.execute('UPDATE entry SET read_at = released_at WHERE released_at IS NOT NULL')
    with op.batch_alter_table('activity') as batch:
        batch.alter_column('assistants_moderate', server_default=None)
    with op.batch_alter_table('entry') as batch:
        batch.alter_column('additions', server_default=None)
    op.create_table('report',
    sa.Column('activity_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=True),
    sa.Column('reporter_id', sa.Integer(), nullable=False),
    sa.Column('reported_id', sa.Integer(), nullable=False),
    sa.Column('concern', sa.String(length=16), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('original', sa.JSON(), nullable=False),
    sa.Column('hidden', sa.JSON(), nullable=False),
    sa.Column('opened_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('decided_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('author_told_at', UtcDateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('reporter_id <> reported_id', name=op.f('ck_report_not_oneself')),
    sa.CheckConstraint("(outcome = 'open') = (decided_at IS NULL)", name=op.f('ck_report_decided')),
    sa.CheckConstraint("entry_id IS NOT NULL OR outcome IN ('open', 'taken_back', 'talked')", name=op.f('ck_report_about_text')),
    sa.ForeignKeyConstraint(['institution_id', 'activity_id'], ['activity.institution_id', 'activity.id'], name=op.f('fk_report_institution_id_activity_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'round_id'], ['round.institution_id', 'round.id'], name=op.f('fk_report_institution_id_round_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'entry_id'], ['entry.institution_id', 'entry.id'], name=op.f('fk_report_institution_id_entry_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'reporter_id'], ['member.institution_id', 'member.id'], name=op.f('fk_report_institution_id_reporter_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'reported_id'], ['member.institution_id', 'member.id'], name=op.f('fk_report_institution_id_reported_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_report_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report')),
    sa.UniqueConstraint('institution_id', 'id', name=op.f('uq_report_institution_id_id')),
    )
    for column in ('activity_id', 'entry_id', 'institution_id', 'reported_id', 'reporter_id'):
        op.create_index(op.f(f'ix_report_{column}'), 'report', [column])
    is_open = sa.text("outcome = 'open'")
    op.create_index('uq_report_open', 'report', ['entry_id'], unique=True, sqlite_where=is_open, postgresql_where=is_open)
    op.create_table('report_event',
    sa.Column('report_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('act', sa.String(length=16), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id', 'report_id'], ['report.institution_id', 'report.id'], name=op.f('fk_report_event_institution_id_report_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id', 'person_id'], ['person.institution_id', 'person.id'], name=op.f('fk_report_event_institution_id_person_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_report_event_institution_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_event')),
    )
    for column in ('institution_id', 'person_id', 'report_id'):
        op.create_index(op.f(f'ix_report_event_{column}'), 'report_event', [column])


def downgrade() -> None:
    _refuse_to_lose('reports', 'SELECT id FROM report')
    _refuse_to_lose('additions to feedback', "SELECT id FROM entry WHERE CAST(additions AS TEXT) <> '[]'")
    op.drop_table('report_event')
    op.drop_table('report')
    with op.batch_alter_table('entry') as batch:
        batch.drop_column('additions')
        batch.drop_column('withheld_at')
        batch.drop_column('read_at')
    with op.batch_alter_table('activity') as batch:
        batch.drop_column('assistants_moderate')


def _refuse_to_lose(what: str, query: str) -> None:
    """No text is lost and none that was set aside is shown: the version before has no place for it."""
    ids = op.get_bind().execute(sa.text(query)).scalars().all()
    if ids:
        raise RuntimeError(f'{what} of {ids} would be lost: keep their texts elsewhere and delete them first')
