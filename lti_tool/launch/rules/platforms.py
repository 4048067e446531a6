"""Differences between learning platforms that matter for launches, rosters and grades, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Platform:
    """One product. The defaults are what the specifications ask for."""

    family: str
    shares_client_ids: bool = False
    """Several customers share one client id; only the deployment tells them apart."""
    roster_page: int | None = 100
    """Members per page; None if the platform decides."""
    filters_roster_by_link: bool = False
    """Asked for one link (`rlid`), the roster lists only those who may open it."""
    escapes_roster_names: bool = False
    """Names are HTML-escaped in the roster, and raw in launches."""
    timestamp_step: timedelta = timedelta(milliseconds=1)
    """Scores closer together than this are refused as not newer."""
    asks_for_readonly_scope: bool = False
    """The read scope must be asked for although the full one includes it."""
    score_extensions: Mapping[str, Mapping[str, object]] | None = None
    """Added to each score, by claim."""
    asks_about_grades: bool = False
    """The platform asks whether a new link is graded, so a link without a column is meant to have none."""
    filters_results: bool = True
    """Results may be asked for one person; where not, all are read."""
    says_locked_with: int | None = None
    """The status of the answer to a score if a teacher locked the grade, for platforms that do not say so in words."""


ORDINARY: Final = Platform("")
"""A platform that we know nothing particular about."""

PLATFORMS: Final[Mapping[str, Platform]] = {
    platform.family: platform
    for platform in (
        # Each page costs Moodle a full load of the course, and with a limit its next link forgets the role filter.
        Platform(
            "moodle",
            roster_page=1000,
            filters_roster_by_link=True,
            escapes_roster_names=True,
            timestamp_step=timedelta(seconds=1),
            asks_for_readonly_scope=True,
            asks_about_grades=True,
            says_locked_with=500,
        ),
        # At most 50 a page, whatever is asked for. Without the extension each score makes a new submission.
        Platform(
            "canvas",
            shares_client_ids=True,
            roster_page=50,
            filters_roster_by_link=True,
            score_extensions={
                "https://canvas.instructure.com/lti/submission": {
                    "new_submission": False,
                    "prioritize_non_tool_grade": True,
                }
            },
        ),
        # Results filtered by person come without their comments.
        Platform("BlackboardLearn", shares_client_ids=True, roster_page=1000, filters_results=False),
        Platform("desire2learn"),
        Platform("sakai"),
        Platform("schoology"),
    )
}


def platform_of(family: str | None) -> Platform:
    """The row of a `product_family_code`; an ordinary platform where it is unknown."""
    return PLATFORMS.get(family or "", ORDINARY)
