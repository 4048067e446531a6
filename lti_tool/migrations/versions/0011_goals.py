"""goals, actions, wins and the shelf

They live in a course, so an action that is open comes back in the next round and the next activity.

Revision ID: 0011
Revises: 0010
"""

from typing import Any

from alembic import op
import sqlalchemy as sa
from lti_tool.support.db import UtcDateTime


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

MOMENT = UtcDateTime(timezone=True)
TABLES = ('goal', 'action', 'win', 'resource', 'goal_version', 'goal_share', 'check_in', 'look_back', 'remark')


def upgrade() -> None:
    op.create_table('goal',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('worded_at', MOMENT, nullable=False),
    sa.Column('ended_at', MOMENT, nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    *_wording(),
    sa.CheckConstraint("state IN ('open', 'reached', 'dropped')", name=op.f('ck_goal_state')),
    *_references('goal', course_id='course', owner_id='member', round_id='round'),
    )
    _index('goal', 'course_id', 'institution_id', 'owner_id', 'round_id')
    op.create_table('goal_version',
    sa.Column('goal_id', sa.Integer(), nullable=False),
    sa.Column('worded_at', MOMENT, nullable=False),
    *_wording(),
    *_references('goal_version', goal_id='goal'),
    )
    _index('goal_version', 'goal_id', 'institution_id')
    op.create_table('goal_share',
    sa.Column('goal_id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    *_references('goal_share', goal_id='goal', group_id='group_'),
    sa.UniqueConstraint('goal_id', 'group_id', name=op.f('uq_goal_share_goal_id_group_id')),
    )
    _index('goal_share', 'institution_id', 'institution_id_group_id')
    op.create_table('check_in',
    sa.Column('goal_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('value', sa.Double(), nullable=True),
    sa.Column('how', sa.Text(), nullable=False),
    sa.Column('support', sa.Text(), nullable=False),
    *_references('check_in', goal_id='goal', round_id='round'),
    )
    _index('check_in', 'goal_id', 'institution_id', 'round_id')
    op.create_table('action',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('sign', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('changed_at', MOMENT, nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name=op.f('ck_action_state')),
    *_references('action', course_id='course', owner_id='member', round_id='round', group_id='group_'),
    )
    _index('action', 'course_id', 'institution_id', 'institution_id_group_id', 'owner_id', 'round_id')
    op.create_table('look_back',
    sa.Column('action_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('became', sa.String(length=16), nullable=False),
    sa.Column('due_on_before', sa.Date(), nullable=True),
    sa.CheckConstraint("became IN ('done', 'moved', 'dropped')", name=op.f('ck_look_back_became')),
    *_references('look_back', action_id='action', round_id='round'),
    )
    _index('look_back', 'action_id', 'institution_id', 'round_id')
    op.create_table('win',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    *_references('win', course_id='course', author_id='member', round_id='round', group_id='group_'),
    )
    _index('win', 'author_id', 'course_id', 'institution_id', 'institution_id_group_id', 'round_id')
    op.create_table('resource',
    sa.Column('course_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=True),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.Column('is_for_course', sa.Boolean(), nullable=False),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('use', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    *_references('resource', course_id='course', author_id='member', round_id='round', group_id='group_'),
    )
    _index('resource', 'author_id', 'course_id', 'institution_id', 'institution_id_group_id', 'round_id')
    op.create_table('remark',
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('goal_id', sa.Integer(), nullable=True),
    sa.Column('win_id', sa.Integer(), nullable=True),
    sa.Column('resource_id', sa.Integer(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.CheckConstraint('CASE WHEN goal_id IS NULL THEN 0 ELSE 1 END + CASE WHEN win_id IS NULL THEN 0 ELSE 1 END + CASE WHEN resource_id IS NULL THEN 0 ELSE 1 END = 1', name=op.f('ck_remark_beside_one_thing')),
    *_references('remark', author_id='member', goal_id='goal', win_id='win', resource_id='resource'),
    )
    _index('remark', 'author_id', 'goal_id', 'institution_id', 'resource_id', 'win_id')


def downgrade() -> None:
    connection = op.get_bind()
    for table in TABLES:
        # No text is lost: the version before has no place for it, so it has to go first.
        if connection.execute(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)).first() is not None:
            raise RuntimeError(f'there is a {table}, which has no place in the version before: export and delete it first')
    for table in reversed(TABLES):
        op.drop_table(table)


def _wording() -> list[sa.Column[Any]]:
    """What a goal says, now or before."""
    return [
        sa.Column('area', sa.String(length=16), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ('area_words', 'words', 'measure')),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ('start', 'target')),
        sa.Column('target_on', sa.Date(), nullable=True),
    ]


def _references(table: str, **columns: str) -> list[Any]:
    """The keys that every table of an institution has, and references that do not leave it."""
    return [
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('institution_id', sa.Integer(), nullable=False),
        *(sa.ForeignKeyConstraint(['institution_id', column], [f'{other}.institution_id', f'{other}.id'], name=op.f(f'fk_{table}_institution_id_{column}'), ondelete='CASCADE') for column, other in columns.items()),
        sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f(f'fk_{table}_institution_id')),
        sa.PrimaryKeyConstraint('id', name=op.f(f'pk_{table}')),
        sa.UniqueConstraint('institution_id', 'id', name=op.f(f'uq_{table}_institution_id_id')),
    ]


def _index(table: str, *names: str) -> None:
    for name in names:
        columns = ['institution_id', 'group_id'] if name == 'institution_id_group_id' else [name]
        op.create_index(op.f(f'ix_{table}_{name}'), table, columns)
