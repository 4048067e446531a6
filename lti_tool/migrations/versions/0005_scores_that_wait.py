"""scores that wait, and turns between platforms

Revision ID: 0005
Revises: 0004
"""

from alembic import op
import sqlalchemy as sa
import lti_tool.support.db


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def _moment() -> lti_tool.support.db.UtcDateTime:
    return lti_tool.support.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table('lane',
    sa.Column('lane', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('turn', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('lane', name=op.f('pk_lane'))
    )
    # Jobs that wait already are served as our own work is, once.
    op.execute("INSERT INTO lane (lane, turn, failures) VALUES (0, 0, 0)")
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.add_column(sa.Column('lane', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.alter_column('lane', server_default=None)
        batch_op.create_index('ix_job_lane_state_due_at', ['lane', 'state', 'due_at'], unique=False)

    with op.batch_alter_table('access_token', schema=None) as batch_op:
        batch_op.add_column(sa.Column('denied_because', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('denied_since', _moment(), nullable=True))
        batch_op.add_column(sa.Column('denials', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('asks_again_at', _moment(), nullable=True))
        batch_op.add_column(sa.Column('clock_offset_ms', sa.Integer(), nullable=True))
    with op.batch_alter_table('access_token', schema=None) as batch_op:
        batch_op.alter_column('denials', server_default=None)
    # What a refusal paused goes on: only a person pauses launches. The next call finds out whether we are known again.
    op.execute("UPDATE registration SET paused_at = NULL, paused_because = NULL WHERE paused_because = 'credentials_refused'")

    with op.batch_alter_table('roster_sync', schema=None) as batch_op:
        batch_op.add_column(sa.Column('looks_again_at', _moment(), nullable=True))

    with op.batch_alter_table('score_state', schema=None) as batch_op:
        batch_op.add_column(sa.Column('waits_since', _moment(), nullable=True))
        batch_op.add_column(sa.Column('looks', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('reads_first', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('score_state', schema=None) as batch_op:
        for column in ('looks', 'reads_first'):
            batch_op.alter_column(column, server_default=None)
    # What was final although it may pass is looked at again; `grades.wake` finds these.
    op.execute(
        "UPDATE score_state SET state = 'waiting' WHERE state = 'refused' AND reason IN"
        " ('not allowed', 'not understood', 'not enrolled', 'locked', 'unreachable', 'trouble')"
    )


def downgrade() -> None:
    # Words that the version before does not know.
    new = "('higher there', 'no access', 'credentials', 'clock', 'key set', 'blocked', 'not found')"
    for table in ('score_state', 'score_attempt'):
        op.execute(f"UPDATE {table} SET reason = 'not understood' WHERE reason IN {new}")
    op.execute("UPDATE score_attempt SET outcome = 'refused' WHERE outcome = 'waits'")
    op.execute("UPDATE score_attempt SET outcome = 'delivered', status = 200 WHERE outcome = 'found'")

    with op.batch_alter_table('score_state', schema=None) as batch_op:
        batch_op.drop_column('reads_first')
        batch_op.drop_column('looks')
        batch_op.drop_column('waits_since')

    with op.batch_alter_table('roster_sync', schema=None) as batch_op:
        batch_op.drop_column('looks_again_at')

    with op.batch_alter_table('access_token', schema=None) as batch_op:
        batch_op.drop_column('clock_offset_ms')
        batch_op.drop_column('asks_again_at')
        batch_op.drop_column('denials')
        batch_op.drop_column('denied_since')
        batch_op.drop_column('denied_because')

    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.drop_index('ix_job_lane_state_due_at')
        batch_op.drop_column('lane')

    op.drop_table('lane')
