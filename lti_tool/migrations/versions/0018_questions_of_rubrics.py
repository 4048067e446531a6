"""questions of rubrics beside levels, whom and when a criterion is asked about, and which version came before

Revision ID: 0018
Revises: 0017
"""

from alembic import op
import sqlalchemy as sa


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('rubric', schema=None) as batch_op:
        batch_op.add_column(sa.Column('replaces_id', sa.Integer(), nullable=True))
    with op.batch_alter_table('criterion', schema=None) as batch_op:
        batch_op.add_column(sa.Column('question', sa.String(length=16), nullable=False, server_default='levels'))
        batch_op.add_column(sa.Column('options', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('weight', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('comment', sa.String(length=16), nullable=False, server_default='none'))
        batch_op.add_column(sa.Column('seat', sa.String(length=32), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('rounds', sa.JSON(), nullable=False, server_default='[]'))
    with op.batch_alter_table('criterion', schema=None) as batch_op:
        for column, kind in (('question', sa.String(16)), ('weight', sa.Integer()), ('comment', sa.String(16)), ('seat', sa.String(32)), ('rounds', sa.JSON())):
            batch_op.alter_column(column, existing_type=kind, server_default=None)
        batch_op.create_check_constraint(op.f('ck_criterion_question'), "question IN ('levels', 'scale', 'choice', 'choices', 'short', 'long', 'share', 'ranking')")
        batch_op.create_check_constraint(op.f('ck_criterion_comment'), "comment IN ('none', 'optional', 'required')")
        batch_op.create_check_constraint(op.f('ck_criterion_weight'), 'weight >= 0')


def downgrade() -> None:
    # The version before knows levels only: it would show such criteria empty, and lose what was answered.
    others = op.get_bind().execute(sa.text("SELECT DISTINCT rubric_id FROM criterion WHERE question <> 'levels' OR comment <> 'none' OR seat <> '' ORDER BY rubric_id")).scalars().all()
    if others:
        raise RuntimeError(f'rubrics {others} have questions that the version before cannot ask: change them first')
    with op.batch_alter_table('criterion', schema=None) as batch_op:
        for name in ('question', 'comment', 'weight'):
            batch_op.drop_constraint(op.f(f'ck_criterion_{name}'), type_='check')
        for column in ('rounds', 'seat', 'comment', 'weight', 'options', 'question'):
            batch_op.drop_column(column)
    with op.batch_alter_table('rubric', schema=None) as batch_op:
        batch_op.drop_column('replaces_id')
