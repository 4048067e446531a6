"""What an activity may be: its kind, settings, dates and life, where copies come from, and templates to begin with."""

from lti_tool.activities.kinds import KINDS, Kind, kind_for, kind_of
from lti_tool.activities.kinds.examples import EXAMPLES
from lti_tool.activities.kinds.form import Audience, Craft, Field, FieldKind, Form
from lti_tool.activities.kinds.kind import AgendaPart, Between, Block, CountedBy, MethodStep, Opens, Step, To
from lti_tool.activities.rules.copies import Relative, history, likely_sources
from lti_tool.activities.rules.dates import END_OF_DAY, deadline, local_parts, opening, usable_zone
from lti_tool.activities.rules.facilitating import SeatRefusal, guided_usually, is_guided, prompts_shown, why_no_seat
from lti_tool.activities.rules.life import ActivityState, NotReady, Transition, state_after, why_not_ready
from lti_tool.activities.rules.owed import Seating, owed, seat_at
from lti_tool.activities.rules.reflecting import ReflectionDays
from lti_tool.activities.rules.scenario import Scenario, scenario_of
from lti_tool.activities.rules.settings import (
    DRAFTS_KEPT,
    LONGEST_TITLE,
    MOST_ROUNDS,
    OFFERED_KEPT,
    ActivitySettings,
    Completion,
    Flaw,
    Release,
    RoundDates,
    ScoreMode,
    SettingsProblem,
    begun_with,
    check,
    copy_of,
)

__all__ = [
    "DRAFTS_KEPT",
    "END_OF_DAY",
    "EXAMPLES",
    "KINDS",
    "LONGEST_TITLE",
    "MOST_ROUNDS",
    "OFFERED_KEPT",
    "ActivitySettings",
    "ActivityState",
    "AgendaPart",
    "Audience",
    "Between",
    "Block",
    "Completion",
    "CountedBy",
    "Craft",
    "Field",
    "FieldKind",
    "Flaw",
    "Form",
    "Kind",
    "MethodStep",
    "NotReady",
    "Opens",
    "ReflectionDays",
    "Relative",
    "Release",
    "RoundDates",
    "Scenario",
    "ScoreMode",
    "SeatRefusal",
    "Seating",
    "SettingsProblem",
    "Step",
    "To",
    "Transition",
    "begun_with",
    "check",
    "copy_of",
    "deadline",
    "guided_usually",
    "history",
    "is_guided",
    "kind_for",
    "kind_of",
    "likely_sources",
    "local_parts",
    "opening",
    "owed",
    "prompts_shown",
    "scenario_of",
    "seat_at",
    "state_after",
    "usable_zone",
    "why_no_seat",
    "why_not_ready",
]
