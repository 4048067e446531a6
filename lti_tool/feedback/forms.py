"""What a form sends, and what is wrong with it in a sentence."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from flask_babel import gettext, ngettext

from lti_tool.activities.rules import KINDS, Form
from lti_tool.errors import N_
from lti_tool.feedback import rules

OLDEST_MOMENT: Final = timedelta(hours=24)
"""A note's moment further back than this is a device whose clock is wrong."""

NAMES: Final[dict[str, str]] = {
    **{
        field.key: field.name
        for kind in KINDS.values()
        for step in kind.steps
        if step.form is not None
        for field in step.form.texts
    },
    rules.NOTE_DRAFT: N_("New note"),
    rules.NOTE: N_("Note"),
    rules.ADDITION_DRAFT: N_("What you want to add"),
    "partner_note": N_("Note to your partner"),
}
"""What pages call a field whose text could not be taken."""


def versions_seen(sent: Mapping[str, str]) -> dict[str, int]:
    """Versions that the page had seen: `base.<field>` where the script keeps them by field, else one `base` for all."""
    whole = sent.get("base", "")
    seen = dict.fromkeys(sent, int(whole) if whole.isdecimal() and len(whole) < 10 else 0)
    for name, version in sent.items():
        if name.startswith("base.") and version.isdecimal() and len(version) < 10:
            seen[name.removeprefix("base.")] = int(version)
    return seen


def texts_begun_with(sent: Mapping[str, str]) -> dict[str, str]:
    """The texts that the page changed, where its script sends them: `was.<field>`."""
    return {name.removeprefix("was."): rules.clean(text) for name, text in sent.items() if name.startswith("was.")}


def moment_of_note(sent: Mapping[str, str], *, now: datetime) -> datetime:
    """When a note was begun, as its device says; now where it says nothing or cannot be right."""
    try:
        at = datetime.fromisoformat(sent.get("note_at", ""))
    except ValueError:
        return now
    return now if at.tzinfo is None or now - at > OLDEST_MOMENT else at


def sentence(problem: rules.Problem, form: Form, criteria: Mapping[int, str]) -> str:
    """What to do about a field. `criteria` names those of the rubric."""
    if problem.flaw is rules.Flaw.FEW_NOTES:
        return str(ngettext("Add %(num)d more note", "Add %(num)d more notes", problem.lacking))
    if problem.criterion_id is not None:
        return str(gettext("Choose a level for “%(criterion)s”", criterion=criteria.get(problem.criterion_id, "")))
    named = (one for one in form.fields if one.key == problem.field)
    field = next(named, form.notes or form.fields[0])
    if problem.flaw is rules.Flaw.MISSING and field.missing:
        return str(gettext(field.missing))
    said = {
        rules.Flaw.MISSING: gettext("Fill in “%(field)s”"),
        rules.Flaw.TOO_LONG: gettext("%(field)s: shorten it to %(limit)d characters"),
        rules.Flaw.NO_NUMBER: gettext("%(field)s: a whole number from %(lowest)d to %(highest)d"),
    }.get(problem.flaw, gettext("%(field)s: choose one of the answers"))
    values = {"limit": field.longest, "lowest": field.lowest, "highest": field.highest}
    return str(said) % {"field": gettext(NAMES.get(problem.field, field.name)), **values}
