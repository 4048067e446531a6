"""Background work on grades: read, call, record. No transaction is open while we wait for the LMS."""

from datetime import timedelta

from lti_tool.grades.handlers.columns import find_column, points_changed
from lti_tool.grades.handlers.courses import check_course
from lti_tool.grades.handlers.scores import push, wake
from lti_tool.grades.models import PUSH
from lti_tool.grades.service.columns import FIND_COLUMN
from lti_tool.grades.service.scores import POINTS_CHANGED
from lti_tool.jobs.queue import Handler
from lti_tool.roster.service import CHECK_COURSE

WAKE = "grades.wake"
HANDLERS: dict[str, Handler] = {
    PUSH: push,
    FIND_COLUMN: find_column,
    CHECK_COURSE: check_course,
    POINTS_CHANGED: points_changed,
    WAKE: wake,
}
PERIODIC: dict[str, timedelta] = {WAKE: timedelta(minutes=10)}
