"""Pages of the course library: what it holds, how something is offered, agreed to and taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.service import activity_at
from lti_tool.errors import N_, NotAllowed
from lti_tool.feedback.errors import PreviewOnly
from lti_tool.goals import service as goals
from lti_tool.goals.errors import GoalsClosed, NotForStaff
from lti_tool.practices import service, wording
from lti_tool.practices.errors import PracticeRefused
from lti_tool.practices.rules import LONGEST_TEXT, Draft, Flaw
from lti_tool.practices.service import PracticeView, Reader
from lti_tool.web.access import Here, on_visit
from lti_tool.web.pages import unsent_store

pages = Blueprint("practices", __name__)

NAMES: Final[dict[str, str]] = {
    "practice_title": N_("Title"),
    "practice_text": N_("What others can use"),
    "hidden_why": N_("Why you hide it"),
}
"""What pages call a field whose text could not be taken."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Where an offer begins: what it is taken from, and the group that can be asked."""

    win_id: int
    resource_id: int
    entry_id: int
    source: service.Source | None
    group_id: int | None
    """The group that must be asked, or the one that the member may say it comes from."""

    @property
    def is_from_group(self) -> bool:
        """Whether it comes from a group, whatever the form says."""
        return self.source is not None and self.source.group_id is not None

    @property
    def between(self) -> frozenset[int]:
        """The two whose feedback it comes from, where it comes from feedback."""
        return self.source.between if self.source is not None else frozenset()


@pages.get("/practices")
@on_visit(may="take part")
def show(here: Here) -> ResponseReturnValue:
    """The course library: what concerns the reader, what the course shares, and what comes from other courses."""
    return render_template(
        "practices/library.html",
        library=service.library_of(here.session, _reader(here)),
        can_offer=not here.is_staff and _why_no_offer(here) is None,
        kinds=wording.KINDS,
        stages=wording.STAGES,
        most=service.MOST,
        said=request.args.get("said"),
    )


@pages.get("/practices/new")
@on_visit(may="take part")
def new(here: Here) -> ResponseReturnValue:
    """The form of an offer, filled in from something of the learner's own where the address names it."""
    offer = _offer(here)
    source = offer.source
    typed = {
        "practice_kind": source.kind if source is not None else "",
        "practice_title": source.title if source is not None else "",
        "practice_text": source.text[:LONGEST_TEXT] if source is not None else "",
        "practice_from": "group",
    }
    return _form(here, typed, offer=offer)


@pages.post("/practices/new")
@on_visit(may="take part")
def send(here: Here) -> ResponseReturnValue:
    """Show what others will see; from there, offer it."""
    if here.is_preview:
        raise PreviewOnly
    offer = _offer(here)
    group_id = offer.group_id if offer.is_from_group or request.form.get("practice_from") == "group" else None
    try:
        draft = _draft()
    except PracticeRefused as refused:
        return _form(here, request.form, offer=offer, flaws=refused.flaws), 422
    reader = _reader(here)
    match request.form.get("do"):
        case "send":
            practice = service.offer(here.session, reader, draft, group_id, between=offer.between, now=here.now)
            return redirect(url_for(".show_practice", practice_id=practice.id, said="offered"), code=303)
        case "back":
            return _form(here, request.form, offer=offer)
    members = [reader.member_id]
    if group_id is not None:
        members = service.members_of_group(here.session, group_id, reader.member_id)
    others = len(offer.between or members) - 1
    return _preview(here, draft, members, others, is_from_group=group_id is not None, offer=offer)


@pages.get("/practices/<int:practice_id>")
@on_visit(may="take part")
def show_practice(here: Here, practice_id: int) -> ResponseReturnValue:
    """One practice, with what its reader may do: agree and take back, change it, hide it, share it further."""
    return _practice(here, service.read_practice(here.session, _reader(here), practice_id))


@pages.get("/practices/<int:practice_id>/edit")
@on_visit(may="take part")
def edit(here: Here, practice_id: int) -> ResponseReturnValue:
    """The form of a practice of one's own."""
    view = _own(here, practice_id)
    practice = view.practice
    kept = {"practice_kind": practice.kind, "practice_title": practice.title, "practice_text": practice.text}
    return _form(here, {**kept, "version": practice.version}, view=view)


@pages.post("/practices/<int:practice_id>/edit")
@on_visit(may="take part")
def reword(here: Here, practice_id: int) -> ResponseReturnValue:
    """Show what others will see; from there, save it and ask everybody again."""
    if here.is_preview:
        raise PreviewOnly
    view = _own(here, practice_id)
    try:
        draft = _draft()
    except PracticeRefused as refused:
        return _form(here, request.form, view=view, flaws=refused.flaws), 422
    match request.form.get("do"):
        case "send":
            seen = _number("version")
            service.reword(here.session, _reader(here), practice_id, draft, seen_version=seen, now=here.now)
            return redirect(url_for(".show_practice", practice_id=practice_id, said="reworded"), code=303)
        case "back":
            return _form(here, request.form, view=view)
    members = service.members_asked(here.session, view.practice)
    return _preview(here, draft, members, len(members) - 1, is_from_group=view.practice.is_from_group, view=view)


@pages.post("/practices/<int:practice_id>/consent")
@on_visit(may="take part")
def answer(here: Here, practice_id: int) -> ResponseReturnValue:
    """Agree that others read it, say no or take that back, or delete it. Also once the course is over."""
    if here.is_preview:
        raise PreviewOnly
    reader = _reader(here)
    match request.form.get("do"):
        case "agree":
            service.agree(here.session, reader, practice_id, seen_version=_number("version"), now=here.now)
            said = "agreed"
        case "take_back":
            service.take_back(here.session, reader, practice_id, now=here.now)
            said = "taken_back"
        case "delete":
            service.remove(here.session, reader, practice_id, seen_version=_number("version"))
            return redirect(url_for(".show", said="deleted"), code=303)
        case pressed:
            raise NotAllowed("practice", pressed)
    return redirect(url_for(".show_practice", practice_id=practice_id, said=said), code=303)


@pages.post("/practices/<int:practice_id>/hide")
@on_visit(may="hide a practice")
def hide(here: Here, practice_id: int) -> ResponseReturnValue:
    """Hide a practice from the course with a word why, or show it again."""
    reader = _reader(here)
    if request.form.get("do") == "show":
        service.show_again(here.session, reader, practice_id)
        return redirect(url_for(".show_practice", practice_id=practice_id, said="shown"), code=303)
    try:
        service.hide(here.session, reader, practice_id, request.form.get("hidden_why", ""), now=here.now)
    except PracticeRefused as refused:
        view = service.read_practice(here.session, reader, practice_id)
        return _practice(here, view, flaws=refused.flaws, typed=request.form.get("hidden_why", "")), 422
    return redirect(url_for(".show_practice", practice_id=practice_id, said="hidden"), code=303)


@pages.post("/practices/<int:practice_id>/institution")
@on_visit(may="take a practice over")
def bring(here: Here, practice_id: int) -> ResponseReturnValue:
    """Take a practice over into the institution's library, or out of it."""
    reader = _reader(here)
    if request.form.get("do") == "keep":
        service.keep_in_course(here.session, reader, practice_id)
        said = "kept_here"
    else:
        seen = _number("version")
        service.bring_to_institution(here.session, reader, practice_id, seen_version=seen, now=here.now)
        said = "brought"
    return redirect(url_for(".show_practice", practice_id=practice_id, said=said), code=303)


def _reader(here: Here) -> Reader:
    if here.member_id is None:
        raise NotAllowed("practices", here.visit.key)
    return Reader(here.member_id, here.course_id, here.is_staff)


def _place(here: Here) -> goals.Place:
    activity = activity_at(here.session, here.placement_id)
    return goals.place_of(here.session, activity, _reader(here).member_id, now=here.now)


def _why_no_offer(here: Here) -> Exception | None:
    """What keeps the member from offering something; None where nothing does, and in a preview."""
    place = _place(here)
    if place.is_closed:
        return GoalsClosed(place.activity.id)
    return None if place.takes_part or here.is_preview else NotForStaff(place.member.id)


def _offer(here: Here) -> Offer:
    """What a new offer is taken from. Raises GoalsClosed, NotForStaff, NobodyToAsk."""
    if (why := _why_no_offer(here)) is not None:
        raise why
    reader, win_id, resource_id, entry_id = _reader(here), _number("win"), _number("resource"), _number("entry")
    source = service.source_of(
        here.session, reader, win_id=win_id, resource_id=resource_id, entry_id=entry_id, now=here.now
    )
    if source is None or source.group_id is None:
        return Offer(win_id, resource_id, entry_id, source, _place(here).group_id)
    # Whoever cannot ask is told so before they write.
    service.members_of_group(here.session, source.group_id, reader.member_id, source.between)
    return Offer(win_id, resource_id, entry_id, source, source.group_id)


def _own(here: Here, practice_id: int) -> PracticeView:
    view = service.read_practice(here.session, _reader(here), practice_id)
    if not view.is_mine:
        raise NotAllowed("reword", practice_id)
    if (why := _why_no_offer(here)) is not None:
        raise why
    return view


def _draft() -> Draft:
    sent = (request.form.get(f"practice_{name}", "") for name in ("kind", "title", "text"))
    return service.draft_of(*sent)


def _number(name: str) -> int:
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _form(
    here: Here,
    typed: Mapping[str, Any],
    *,
    offer: Offer | None = None,
    view: PracticeView | None = None,
    flaws: tuple[Any, ...] = (),
) -> str:
    return render_template(
        "practices/form.html",
        typed=typed,
        offer=offer,
        view=view,
        problems=_problems(flaws),
        kinds=wording.KINDS,
        is_typed=request.method == "POST",
        store=_store(here, view),
    )


def _preview(
    here: Here,
    draft: Draft,
    members: list[int],
    others: int,
    *,
    is_from_group: bool,
    offer: Offer | None = None,
    view: PracticeView | None = None,
) -> str:
    return render_template(
        "practices/preview.html",
        draft=draft,
        is_from_group=is_from_group,
        others=others,
        mentioned=service.names_mentioned(here.session, draft, members),
        offer=offer,
        view=view,
        version=_number("version"),
        kinds=wording.KINDS,
        store=_store(here, view),
    )


def _practice(here: Here, view: PracticeView, *, flaws: tuple[Any, ...] = (), typed: str = "") -> str:
    return render_template(
        "practices/show.html",
        view=view,
        can_change=view.is_mine and _why_no_offer(here) is None,
        problems=_problems(flaws),
        typed=typed or view.practice.hidden_why,
        kinds=wording.KINDS,
        stages=wording.STAGES,
        stores=[_store(here, None), _store(here, view)] if view.is_mine else [],
        said=request.args.get("said"),
    )


def _problems(flaws: tuple[Any, ...]) -> list[tuple[str, str]]:
    """The field and the sentence of each flaw."""
    return [(wording.FIELD_OF[flaw], gettext(wording.FLAWS[flaw])) for flaw in flaws if isinstance(flaw, Flaw)]


def _store(here: Here, view: PracticeView | None) -> dict[str, str]:
    """Where the browser keeps text of this form that was not saved."""
    return unsent_store(here, f"practice:{here.course_id}:{view.practice.id if view is not None else 'new'}")
