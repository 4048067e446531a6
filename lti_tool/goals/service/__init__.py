"""What pages and later features may call.

`places` says where a member works now, `board` what they see, `figures` counts without reading a word; goals, actions,
wins and shelf are written in the modules of these names.
"""

from lti_tool.goals.service.actions import look_back, take_up, write_action
from lti_tool.goals.service.board import Board, GoalPage, Together, board_of, for_group, goal_page, own_board
from lti_tool.goals.service.exports import erase_texts_of, texts_of
from lti_tool.goals.service.figures import (
    Done,
    Figures,
    done_in,
    figures_of,
    last_round_in_use,
    learners_by_name,
    totals_of,
)
from lti_tool.goals.service.goals import (
    ask,
    bring_along,
    check_in,
    end_goal,
    goals_elsewhere,
    hide,
    set_goal,
    sharpen,
    show,
)
from lti_tool.goals.service.growth import TO_TRY, Became, adopt_point, became
from lti_tool.goals.service.places import Place, place_of
from lti_tool.goals.service.shelf import put_on_shelf, remark_on_resource, tell_outcome
from lti_tool.goals.service.taking_back import take_back
from lti_tool.goals.service.wins import answer_win, log_win

__all__ = [
    "TO_TRY",
    "Became",
    "Board",
    "Done",
    "Figures",
    "GoalPage",
    "Place",
    "Together",
    "adopt_point",
    "answer_win",
    "ask",
    "became",
    "board_of",
    "bring_along",
    "check_in",
    "done_in",
    "end_goal",
    "erase_texts_of",
    "figures_of",
    "for_group",
    "goal_page",
    "goals_elsewhere",
    "hide",
    "last_round_in_use",
    "learners_by_name",
    "log_win",
    "look_back",
    "own_board",
    "place_of",
    "put_on_shelf",
    "remark_on_resource",
    "set_goal",
    "sharpen",
    "show",
    "take_back",
    "take_up",
    "tell_outcome",
    "texts_of",
    "totals_of",
    "write_action",
]
