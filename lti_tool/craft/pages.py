"""Pages of help, and the warm-up with its cards."""

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.craft import service
from lti_tool.craft.rules import cards, topics
from lti_tool.craft.rules.cards import Card, Option
from lti_tool.craft.rules.checks import LONGEST, SENTENCES, advice_on
from lti_tool.errors import NotFound
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import reader_language
from lti_tool.web.visits import VisitKind

pages = Blueprint("craft", __name__)
EVERYWHERE: Final = frozenset(VisitKind)


@pages.get("/help")
@on_visit(kinds=EVERYWHERE)
def show_topics(here: Here) -> ResponseReturnValue:
    """All topics, and the warm-up."""
    return render_template("craft/topics.html", topics=topics.TOPICS, has_warm_up=here.member_id is not None)


@pages.get("/help/<topic_key>")
@on_visit(kinds=EVERYWHERE)
def show_topic(here: Here, topic_key: str) -> ResponseReturnValue:
    """One topic. Raises NotFound."""
    topic = topics.BY_KEY.get(topic_key)
    if topic is None:
        raise NotFound("help topic", topic_key)
    place = topics.TOPICS.index(topic)
    following = topics.TOPICS[(place + 1) % len(topics.TOPICS)]
    return render_template("craft/topic.html", topic=topic, following=following)


@pages.get("/warm-up")
@on_visit(may="take part")
def warm_up(here: Here) -> ResponseReturnValue:
    """The six cards, and which of them the member has done."""
    done = service.cards_done(here.session, here.member_id or 0)
    following = cards.next_card(done)
    return render_template("craft/warm_up.html", cards=cards.CARDS, done=done, following=following)


@pages.get("/warm-up/<card_key>")
@on_visit(may="take part")
def show_card(here: Here, card_key: str) -> ResponseReturnValue:
    """One card with its exercise."""
    return _card(here, _named(card_key))


@pages.post("/warm-up/<card_key>")
@on_visit(may="take part")
def answer_card(here: Here, card_key: str) -> ResponseReturnValue:
    """Say at once what an answer could gain. A good one, or one that its writer keeps as it is, does the card."""
    card = _named(card_key)
    if request.form.get("do") == "keep":
        service.mark_done(here.session, here.member_id or 0, card.key, now=here.now)
        return redirect(url_for(".warm_up"), code=303)
    if card.check is None:
        typed = request.form.get("option", "")
        chosen = next((option for place, option in enumerate(card.options) if typed == str(place)), None)
        if chosen is not None and chosen.is_right:
            service.mark_done(here.session, here.member_id or 0, card.key, now=here.now)
        return _card(here, card, chosen=chosen, problem="" if chosen else gettext("Choose one of the answers."))
    text = request.form.get("answer", "")[:LONGEST]
    advice = advice_on(card.check, text, reader_language(), here.now.date())
    if advice is None:
        service.mark_done(here.session, here.member_id or 0, card.key, now=here.now)
    return _card(here, card, text=text, problem=gettext(SENTENCES[advice]) if advice else "", is_good=advice is None)


def _named(key: str) -> Card:
    card = cards.BY_KEY.get(key)
    if card is None:
        raise NotFound("warm-up card", key)
    return card


def _card(
    here: Here, card: Card, *, chosen: Option | None = None, text: str = "", problem: str = "", is_good: bool = False
) -> str:
    done = service.cards_done(here.session, here.member_id or 0)
    return render_template(
        "craft/card.html",
        card=card,
        number=cards.CARDS.index(card) + 1,
        count=len(cards.CARDS),
        chosen=chosen,
        text=text,
        longest=LONGEST,
        problem=problem,
        is_done=card.key in done,
        is_right=is_good or (chosen is not None and chosen.is_right),
        following=cards.next_card(done, card.key),
    )
