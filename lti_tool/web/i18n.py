"""The language of a page, and dates as people say them."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.support import Translations
from flask import Flask, current_app, g, request
from flask_babel import Babel, Domain, get_locale
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from lti_tool.support.languages import (
    FAMILY,
    SOURCE_LANGUAGE,
    first_offered,
    into,
    isolated,
    languages,
    moment_in_words,
    translations,
    written,
)
from lti_tool.support.zones import read_zone
from lti_tool.web.access import current_here, kit
from lti_tool.web.visits import Visit

UTC: Final = ZoneInfo("UTC")


def choose_language() -> str:
    """The language of the launch, else of the browser, else English."""
    return first_offered((g.get("locale"), *request.accept_languages.values()), _folder())


def _folder() -> str:
    return str(current_app.config["BABEL_TRANSLATION_DIRECTORIES"])


def offered() -> tuple[str, ...]:
    """The languages that pages can be read in."""
    return languages(_folder())


def into_language(language: str | None, *, source: str | None = None) -> Callable[[str], str]:
    """What puts a text of ours into a language, by default from English into that of this page; see `into`."""
    return into(language or page_language(), _folder(), source=source or SOURCE_LANGUAGE)


def page_language() -> str:
    """The language of this page, as catalogs are named."""
    return str(get_locale() or SOURCE_LANGUAGE)


def in_a_list(parts: Iterable[str]) -> str:
    """These names in a sentence, as the language lists them: "Ada, Ben, and Cem", "Ada, Ben och Cem"."""
    return format_list(list(parts), locale=page_language())


class Catalogs(Domain):  # type: ignore[misc]  # flask-babel has no types
    """The texts of the language of this request, from the catalogs that are offered."""

    def get_translations(self) -> Translations:
        return translations(_folder(), page_language())


def zone_of(visit: Visit | None, *fallbacks: str | None) -> ZoneInfo:
    """The zone in which dates are shown: the person's own, else the first of `fallbacks` that can be read, else UTC.

    A visit knows it from the launch, the browser, or the institution's page.
    """
    names = (visit.time_zone if visit is not None else None, *fallbacks)
    return next((zone for zone in (read_zone(name or "") for name in names) if zone is not None), UTC)


def zone_of_reader(*fallbacks: str | None) -> ZoneInfo:
    """The zone in which whoever looks at this page sees its dates; see `zone_of`."""
    here = current_here()
    return zone_of(here.visit if here is not None else None, *fallbacks)


def in_words(moment: datetime, zone: ZoneInfo, pattern: str = "EEE d MMM, HH:mm") -> str:
    """A moment as clocks in this zone show it. UTC says so, since hardly anybody's clock shows it."""
    return moment_in_words(moment, zone, str(get_locale() or "en"), pattern)


def reader_locale() -> str:
    """The language of the launch, else of the browser, whether or not pages can be read in it: spreadsheets can."""
    for wanted in (g.get("locale"), *request.accept_languages.values()):
        try:
            return str(Locale.parse(str(wanted).replace("-", "_")))
        except (UnknownLocaleError, ValueError):
            continue
    return SOURCE_LANGUAGE


def reader_language() -> str:
    """The language part of `reader_locale`, with one name for Norwegian."""
    language = reader_locale().partition("_")[0]
    return FAMILY.get(language, language)


def show_moment(moment: datetime, zone: ZoneInfo, now: datetime) -> Markup:
    """A date with its weekday and how far away it is: "Thu 5 Nov, 23:59 (in 2 days)"."""
    locale = str(get_locale() or "en")
    distance = moment - now
    # Nine days are not "1 week" and four weeks are not "1 month": a larger unit only from two of them on.
    threshold = 2 if abs(distance) > timedelta(days=2) else 0.85
    relative = format_timedelta(distance, threshold=threshold, add_direction=True, locale=locale)
    exact = format_datetime(moment.astimezone(zone), "full", locale=locale)
    text = in_words(moment, zone)
    # On paper nobody knows from when "in 2 days" counts.
    return Markup('<time datetime="{}" title="{}">{}<span class="not-on-paper"> ({})</span></time>').format(
        moment.isoformat(), exact, text, relative
    )


def _in_language(language: str | None) -> Markup:
    """The attribute that marks a part of a page which is written in another language than the page."""
    is_other = language is not None and language != page_language()
    return Markup(' lang="{}"').format(language) if is_other else Markup()


def _isolating(translate: Any) -> Any:
    """A translation function that keeps the direction of what is filled in."""

    @pass_context
    def sentence(context: Context, *words: Any, **variables: Any) -> Any:
        filled_in = {name: isolated(value) for name, value in variables.items()}
        return context.call(translate, *words, **filled_in)

    return sentence


def install(app: Flask) -> None:
    """Give templates their language, translations that keep directions, and filters for moments, days and numbers."""
    Babel(app, locale_selector=choose_language).domain_instance = Catalogs()
    for name in ("gettext", "ngettext", "pgettext", "npgettext"):
        app.jinja_env.globals[name] = _isolating(app.jinja_env.globals[name])
    app.jinja_env.filters["isolated"] = isolated
    app.jinja_env.filters["listed"] = in_a_list

    @app.template_filter("when")
    def when(moment: datetime | None, zone: str | None = None) -> Markup | str:
        if moment is None:
            return ""
        return show_moment(moment, zone_of_reader(zone), kit().clock.now())

    @app.template_filter("day")
    def day(day: date | None) -> str:
        """A day without a time: "Wed 2 Dec 2026"."""
        return written(datetime.combine(day, time()), page_language(), "EEE d MMM y") if day is not None else ""

    @app.template_test("past")
    def past(day: date | None) -> bool:
        """Whether a day is over where the reader is."""
        return day is not None and day < kit().clock.now().astimezone(zone_of_reader()).date()

    @app.template_filter("number")
    def number(value: float) -> str:
        return str(format_decimal(value, "#,##0.######", locale=str(get_locale() or "en")))

    app.jinja_env.globals["in_language"] = _in_language
    app.jinja_env.globals["page_language"] = lambda: str(get_locale() or "en").replace("_", "-")
