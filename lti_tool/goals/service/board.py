"""What a member sees: goals with their lines, actions, wins and the shelf, in a constant number of queries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from typing import Any, Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Round
from lti_tool.goals import rules
from lti_tool.goals.errors import NotYourGroup
from lti_tool.goals.models import Action, CheckIn, Goal, GoalShare, GoalVersion, Remark, Resource, Win
from lti_tool.goals.rules import ActionState, GoalState, Line
from lti_tool.goals.service.goals import goal_is_seen_by, shown_goal, wording_of
from lti_tool.goals.service.places import Place, names_of, own_groups, partners_by_group
from lti_tool.goals.service.shelf import resource_is_seen_by
from lti_tool.launch.models import Member
from lti_tool.pairing.models import Seat, published_seats

MOST: Final = 50
"""So many wins and resources are listed, the newest ones."""
MOST_ACTIONS: Final = 200
"""So many actions are listed: all that are open first."""


@dataclass(frozen=True, slots=True)
class GoalView:
    """A goal with its line."""

    goal: Goal
    is_mine: bool
    owner: str | None
    line: Line | None
    last: CheckIn | None

    @property
    def is_open(self) -> bool:
        return self.goal.state == GoalState.OPEN


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action, whose it is, and whether it comes from an earlier round."""

    action: Action
    is_mine: bool
    owner: str | None
    is_from_before: bool


@dataclass(frozen=True, slots=True)
class RemarkView:
    """A line beside something, and by whom."""

    remark: Remark
    is_mine: bool
    author: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """A win or a resource with what was written beside it."""

    row: Any
    is_mine: bool
    author: str | None
    remarks: tuple[RemarkView, ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """What a group has before it when it meets; plain data for any page."""

    goals: tuple[GoalView, ...] = ()
    actions: tuple[ActionView, ...] = ()
    """Open ones, those from earlier rounds first."""
    wins: tuple[Post, ...] = ()
    resources: tuple[Post, ...] = ()


@dataclass(frozen=True, slots=True)
class Board(Together):
    """Everything of a course that a member sees."""

    ended: tuple[ActionView, ...] = ()
    """Actions that are done or dropped, the newest first."""

    @property
    def mine(self) -> list[GoalView]:
        """The member's own goals, open ones first."""
        return [goal for goal in self.goals if goal.is_mine]

    @property
    def shown(self) -> list[GoalView]:
        """Goals that others show."""
        return [goal for goal in self.goals if not goal.is_mine]

    @property
    def own_actions(self) -> list[ActionView]:
        return [action for action in self.actions if action.is_mine]

    @property
    def partners_actions(self) -> list[ActionView]:
        return [action for action in self.actions if not action.is_mine]


@dataclass(frozen=True, slots=True)
class GoalPage:
    """One goal with everything beside it."""

    view: GoalView
    check_ins: tuple[CheckIn, ...]
    """Oldest first."""
    remarks: tuple[RemarkView, ...]
    versions: tuple[GoalVersion, ...]
    """The words that it had before, newest first."""
    hints: Mapping[str, rules.Hint]
    shown_to: Mapping[int, Mapping[int, str | None]] = field(default_factory=dict)
    """For its owner: by a group, the names of people who see it together."""
    not_shown_to: Mapping[int, Mapping[int, str | None]] = field(default_factory=dict)
    """For its owner: by a group of theirs, the names of people who do not."""


def board_of(session: Session, place: Place, *, zone: tzinfo) -> Board:
    """Everything of the course that this member sees; dates of lines are days of this time zone."""
    member_id, in_course = place.member.id, Goal.course_id == place.course_id
    groups = set(session.scalars(own_groups(member_id)))
    actions = _actions(
        session,
        or_(Action.owner_id == member_id, Action.group_id.in_(groups)),
        Action.course_id == place.course_id,
    )
    seen = or_(Win.author_id == member_id, Win.group_id.in_(groups))
    wins = _newest_posts(session, Win, and_(Win.removed_at.is_(None), seen), place.course_id)
    resources = _newest_posts(session, Resource, resource_is_seen_by(member_id), place.course_id)
    goals = _goals(session, and_(in_course, goal_is_seen_by(member_id)))
    return _assemble(
        session,
        place.course_id,
        member_id,
        round_id=place.round_id,
        zone=zone,
        goals=goals,
        actions=actions,
        wins=wins,
        resources=resources,
    )


def for_group(session: Session, group_id: int, member_id: int, *, zone: tzinfo = UTC) -> Together:
    """What this group of the member's has before it: open goals and actions of its people, its wins and resources.

    The member's own goals and actions are all there; of the others those that this member sees, because they were
    shown to or written in a group that both are in. Raises NotYourGroup.
    """
    rows = session.execute(published_seats(Seat.member_id, Round.id).where(Seat.group_id == group_id)).all()
    members = {seated for seated, _ in rows}
    if member_id not in members:
        raise NotYourGroup(group_id, member_id)
    course_id = session.scalars(select(Member.course_id).where(Member.id == member_id)).one()
    groups = set(session.scalars(own_groups(member_id)))
    goals = _goals(
        session,
        and_(
            Goal.course_id == course_id,
            Goal.state == GoalState.OPEN,
            Goal.owner_id.in_(members),
            goal_is_seen_by(member_id),
        ),
    )
    actions = _actions(
        session,
        Action.owner_id.in_(members),
        Action.state == ActionState.OPEN,
        Action.course_id == course_id,
        or_(Action.owner_id == member_id, Action.group_id.in_(groups)),
    )
    wins = _newest_posts(session, Win, and_(Win.removed_at.is_(None), Win.group_id == group_id), course_id)
    resources = _newest_posts(session, Resource, Resource.group_id == group_id, course_id)
    board = _assemble(
        session,
        course_id,
        member_id,
        round_id=rows[0][1],
        zone=zone,
        goals=goals,
        actions=actions,
        wins=wins,
        resources=resources,
    )
    return Together(board.goals, board.actions, board.wins, board.resources)


def own_board(session: Session, course_id: int, member_id: int, *, zone: tzinfo) -> Board:
    """A member's own goals and actions, for their first page; three queries."""
    goals = _goals(session, and_(Goal.course_id == course_id, Goal.owner_id == member_id))
    actions = _actions(session, Action.course_id == course_id, Action.owner_id == member_id)
    return _assemble(session, course_id, member_id, round_id=None, zone=zone, goals=goals, actions=actions)


def goal_page(session: Session, place: Place, goal_id: int, *, zone: tzinfo, today: date) -> GoalPage:
    """One goal that this member sees. Raises NotShown."""
    goal = shown_goal(session, goal_id, place)
    is_mine = goal.owner_id == place.member.id
    check_ins = _check_ins(session, [goal.id]).get(goal.id, [])
    remarks = session.scalars(
        select(Remark).where(Remark.goal_id == goal.id, Remark.removed_at.is_(None)).order_by(Remark.at, Remark.id)
    ).all()
    versions = session.scalars(
        select(GoalVersion).where(GoalVersion.goal_id == goal.id).order_by(GoalVersion.id.desc())
    ).all()
    names = names_of(session, place.course_id, {goal.owner_id, *(remark.author_id for remark in remarks)})
    sees = set(session.scalars(select(GoalShare.group_id).where(GoalShare.goal_id == goal.id))) if is_mine else set()
    groups = partners_by_group(session, place.course_id, place.member.id) if is_mine else {}
    # The same people may be together in several rounds: one line, and shown once is shown.
    lines: dict[frozenset[int], int] = {}
    for group, people in groups.items():
        if group in sees or frozenset(people) not in lines:
            lines[frozenset(people)] = group
    return GoalPage(
        _goal_view(goal, place.member.id, names, check_ins, zone),
        tuple(check_ins),
        tuple(_remark_view(remark, place.member.id, names) for remark in remarks),
        tuple(versions),
        rules.hints_of(wording_of(goal), today) if goal.state == GoalState.OPEN else {},
        {group: groups[group] for group in lines.values() if group in sees},
        {group: groups[group] for group in lines.values() if group not in sees},
    )


def _goals(session: Session, condition: Any) -> list[Goal]:
    return list(
        session.scalars(
            select(Goal).where(condition).order_by(Goal.state != GoalState.OPEN, Goal.created_at.desc(), Goal.id.desc())
        )
    )


def _check_ins(session: Session, goal_ids: Collection[int]) -> dict[int, list[CheckIn]]:
    told: dict[int, list[CheckIn]] = {}
    if goal_ids:
        rows = (
            select(CheckIn)
            .where(CheckIn.goal_id.in_(goal_ids), CheckIn.removed_at.is_(None))
            .order_by(CheckIn.at, CheckIn.id)
        )
        for check_in in session.scalars(rows):
            told.setdefault(check_in.goal_id, []).append(check_in)
    return told


def _actions(session: Session, *conditions: Any) -> list[Action]:
    newest = Action.state != ActionState.OPEN, Action.changed_at.desc(), Action.id.desc()
    return list(session.scalars(select(Action).where(*conditions).order_by(*newest).limit(MOST_ACTIONS)))


def _assemble(
    session: Session,
    course_id: int,
    member_id: int,
    *,
    round_id: int | None,
    zone: tzinfo,
    goals: list[Goal],
    actions: list[Action],
    wins: Collection[Win] = (),
    resources: Collection[Resource] = (),
) -> Board:
    remarks = _remarks(session, wins, resources)
    owners = {*(goal.owner_id for goal in goals), *(action.owner_id for action in actions)}
    authors = {row.author_id for rows in (wins, resources, remarks) for row in rows}
    names = names_of(session, course_id, (owners | authors) - {member_id})
    told = _check_ins(session, [goal.id for goal in goals])
    beside: dict[tuple[str, int | None], list[RemarkView]] = {}
    for remark in remarks:
        place = ("win", remark.win_id) if remark.win_id is not None else ("resource", remark.resource_id)
        beside.setdefault(place, []).append(_remark_view(remark, member_id, names))

    def posts(what: str, rows: Iterable[Any]) -> tuple[Post, ...]:
        return tuple(
            Post(row, row.author_id == member_id, names.get(row.author_id), tuple(beside.get((what, row.id), ())))
            for row in rows
        )

    views = [
        ActionView(action, action.owner_id == member_id, names.get(action.owner_id), action.round_id != round_id)
        for action in actions
    ]
    return Board(
        tuple(_goal_view(goal, member_id, names, told.get(goal.id, []), zone) for goal in goals),
        tuple(sorted((view for view in views if view.action.state == ActionState.OPEN), key=_turn)),
        posts("win", wins),
        posts("resource", resources),
        tuple(sorted((view for view in views if view.action.state != ActionState.OPEN), key=_newest)),
    )


def _turn(view: ActionView) -> tuple[bool, date, int]:
    return not view.is_from_before, view.action.due_on or date.max, view.action.id


def _newest(view: ActionView) -> tuple[float, int]:
    return -view.action.changed_at.timestamp(), view.action.id


def _newest_posts(session: Session, model: Any, condition: Any, course_id: int) -> list[Any]:
    rows = select(model).where(model.course_id == course_id, condition).order_by(model.at.desc(), model.id.desc())
    return list(session.scalars(rows.limit(MOST)))


def _remarks(session: Session, wins: Collection[Win], resources: Collection[Resource]) -> list[Remark]:
    if not wins and not resources:
        return []
    beside = or_(
        Remark.win_id.in_([win.id for win in wins]), Remark.resource_id.in_([resource.id for resource in resources])
    )
    return list(
        session.scalars(select(Remark).where(beside, Remark.removed_at.is_(None)).order_by(Remark.at, Remark.id))
    )


def _remark_view(remark: Remark, member_id: int, names: Mapping[int, str | None]) -> RemarkView:
    return RemarkView(remark, remark.author_id == member_id, names.get(remark.author_id))


def _goal_view(
    goal: Goal, member_id: int, names: Mapping[int, str | None], check_ins: list[CheckIn], zone: tzinfo
) -> GoalView:
    values = [
        (check_in.at.astimezone(zone).date(), check_in.value) for check_in in check_ins if check_in.value is not None
    ]
    line = rules.line_of(goal.start, goal.target, goal.created_at.astimezone(zone).date(), goal.target_on, values)
    last = check_ins[-1] if check_ins else None
    return GoalView(goal, goal.owner_id == member_id, names.get(goal.owner_id), line, last)
