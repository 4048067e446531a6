"""The web application: extensions, pages, error pages, headers."""

from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

from flask import Blueprint, Flask
from flask_bootstrap import Bootstrap5
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from lti_tool import __version__
from lti_tool.activities import service as activities
from lti_tool.attributes import service as attributes
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.pairing import service as pairing
from lti_tool.support.kit import Kit
from lti_tool.support.languages import TRANSLATIONS, templates
from lti_tool.web import error_pages, headers, i18n, incoming, pages
from lti_tool.web.database import connect_database
from lti_tool.web.downloads import downloads
from lti_tool.web.visits import Visit
from lti_tool.wiring import Services
from lti_tool.workspace import courses, language
from lti_tool.workspace.listening import Listening

PROTOCOL_PAGES = (
    "registration.pages",
    "launch.pages",
    "workspace.first_administrator",
    "meetings.pages.feed",
    "certificates.pages.public",
    "reminders.pages.letters",
    "hints.pages",
)
VISIT_PAGES = (
    "workspace.home",
    "workspace.facilitating",
    "workspace.meeting",
    "workspace.between",
    "workspace.growth",
    "workspace.kept",
    "workspace.own_work",
    "workspace.questionnaire",
    "workspace.setup",
    "workspace.saved_templates",
    "workspace.programmes",
    "workspace.administration",
    "workspace.institution",
    "workspace.people",
    "workspace.record",
    "workspace.courses",
    "attributes.pages",
    "pairing.pages.plan",
    "pairing.pages.changes",
    "pairing.pages.rules_form",
    "meetings.pages.times",
    "meetings.pages.calendar",
    "feedback.pages",
    "goals.pages",
    "craft.pages",
    "surveys.pages",
    "reports.pages",
    "practices.pages",
    "progress.pages",
    "certificates.pages.own",
    "certificates.pages.staff",
    "reminders.pages.shown",
    "workspace.acts",
    "workspace.language",
    "quality.pages",
    "evidence.pages",
    "grades.pages",
)
STATIC = Path(__file__).parent / "static"
MOST_FORM_BYTES = 2 * 1024 * 1024


def create_app(services: Services, *, translations: Path = TRANSLATIONS) -> Flask:
    """The Flask app that serves these collaborators, in English and the languages of the catalogs in a folder."""
    app = Flask("lti_tool", template_folder=str(templates()), static_folder=str(STATIC))
    settings = services.kit.settings
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_FORM_BYTES,
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=int(timedelta(days=365).total_seconds()),
        BABEL_TRANSLATION_DIRECTORIES=str(translations),
    )
    app.extensions["tandem"] = services.kit
    app.extensions["tandem.after_launch"] = _after_launch
    app.extensions["tandem.field_names"] = {}
    app.extensions["tandem.placed_on"] = courses.placed_on
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask's own documented way
    incoming.install(app)
    engine = connect_database(app, settings.sqlalchemy_url)

    def now() -> datetime:
        # Asked each time, since tests lend the app another clock.
        kit: Kit = app.extensions["tandem"]
        return kit.clock.now()

    listening = Listening(app.wsgi_app, engine, now)
    app.extensions["tandem.listening"] = listening
    app.wsgi_app = listening  # type: ignore[method-assign]  # Flask's own documented way
    Bootstrap5(app)
    i18n.install(app)
    headers.install(app)
    pages.install(app)
    language.install(app)
    app.register_blueprint(downloads)
    _register_features(app)
    error_pages.install(app, services.words)
    app.url_defaults(_stamp_static_files)
    app.add_url_rule("/health", "health", lambda: ("ok\n", {"Content-Type": "text/plain"}))
    return app


def _after_launch(session: Session, visit: Visit, context: LaunchContext, now: datetime) -> None:
    """Let later features act on a launch, in its transaction."""
    activities.after_launch(session, visit, context, now)
    attributes.after_launch(session, visit, context, now)
    pairing.after_launch(session, visit, context, now)
    pairing.place_at_launch(session, visit, now=now)


def _register_features(app: Flask) -> None:
    """Register the pages of every feature. Pages of a visit live under its address."""
    for name in PROTOCOL_PAGES:
        app.register_blueprint(_blueprint(name))
    for name in VISIT_PAGES:
        app.register_blueprint(_blueprint(name), url_prefix="/v/<visit>")
        app.extensions["tandem.field_names"] |= getattr(import_module(f"lti_tool.{name}"), "NAMES", {})


def _blueprint(name: str) -> Blueprint:
    """The blueprint that a module calls `pages`."""
    blueprint: Blueprint = import_module(f"lti_tool.{name}").pages
    return blueprint


def _stamp_static_files(endpoint: str, values: dict[str, object]) -> None:
    """Let browsers keep scripts and styles for a year, and fetch them again when they changed."""
    if endpoint == "static" and "v" not in values:
        file = STATIC / str(values["filename"])
        values["v"] = f"{file.stat().st_mtime_ns:x}" if file.is_file() else __version__
    elif endpoint == "bootstrap.static" and "v" not in values:
        values["v"] = Bootstrap5.bootstrap_version
