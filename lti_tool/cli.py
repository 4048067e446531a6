"""The command `lti-tool`. Each command reads its words, calls a service, and says in a line what happened."""

import gc
import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool import __version__
from lti_tool.app import create_app
from lti_tool.certificates import service as certificates
from lti_tool.demo import run as run_demo
from lti_tool.errors import NotFound, ToolError
from lti_tool.jobs.loop import Loop
from lti_tool.jobs.relay import Relay
from lti_tool.jobs.worker import Worker
from lti_tool.launch.models import Person
from lti_tool.pairing import commands
from lti_tool.registration import service
from lti_tool.registration.models import Institution, Registration
from lti_tool.registration.rules.registrations import read_entries
from lti_tool.registration.service import invitations, keys, tokens
from lti_tool.reminders.commands import take_bounce
from lti_tool.settings import Settings, SettingsError, read_duration
from lti_tool.support import log, schema
from lti_tool.support.db import across_institutions
from lti_tool.web import audit
from lti_tool.wiring import Services, build
from lti_tool.workspace import personal_data
from lti_tool.workspace.checkup import Finding, check_everything


class Duration(click.ParamType[timedelta]):
    """A length of time as settings take it: 90s, 30m, 12h, 7d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return read_duration(value)
        except ValueError as mistake:
            self.fail(f"{value!r} {mistake}", param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lti-tool")
def main() -> None:
    """Tandem: peer coaching inside the course. Settings come from LTI_TOOL_... in the environment."""


def _settings(*, is_serving: bool = False) -> Settings:
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as mistakes:
        raise click.ClickException(str(mistakes)) from None
    # A command speaks for itself; only what runs for long tells what it is doing.
    log.set_up(settings.log_format, settings.log_level if is_serving else "WARNING")
    return settings


def _services(*, is_serving: bool = False) -> Services:
    services = build(_settings(is_serving=is_serving))
    if not schema.is_current(services.engine):
        if services.engine.dialect.name != "sqlite":
            raise click.ClickException("The database is not up to date. Run: lti-tool migrate")
        schema.upgrade(services.engine)
    return services


@contextmanager
def _failures_in_words() -> Iterator[None]:
    try:
        yield
    except ToolError as failure:
        raise click.ClickException(str(failure) or type(failure).__name__) from None


# ---- running ---------------------------------------------------------------------------------------------------------


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, configured here instead of by its own command line."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self._settings, self._options = settings, options
        self._worker: Worker | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", self._stop)

    def load(self) -> Flask:
        """Build everything after the fork: connections and threads do not survive one."""
        services = build(self._settings)
        app = create_app(services)
        if self._settings.worker == "embedded" and self._settings.jobs == "worker":
            self._worker = _worker(services)
            self._worker.start()
        # What was loaded by now stays for good. Left to the collector, each of its full runs looks through all of it:
        # measured, half of the time of a page that reads thousands of rows.
        gc.collect()
        gc.freeze()
        return app

    def _stop(self, arbiter: object, process: object) -> None:
        if self._worker is not None:
            self._worker.stop(timedelta(seconds=10))


def _worker(services: Services) -> Worker:
    return Worker(services.kit, services.handlers, services.periodic, threads=services.kit.settings.worker_threads)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Web processes.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1), help="Threads of each web process.")
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the tool, and background jobs too unless LTI_TOOL_WORKER=separate or LTI_TOOL_JOBS=celery.

    Brings an empty or older SQLite database up to date automatically.
    """
    services = _services(is_serving=True)
    with services.kit.open_session() as session:
        keys.ensure_signing_key(session, services.kit.secrets, now=services.kit.clock.now())
    services.engine.dispose()
    shown = f"[{host}]" if ":" in host else host
    _Server(
        services.kit.settings,
        bind=f"{shown}:{port}",
        worker_class="gthread",
        workers=workers,
        threads=threads,
        timeout=120,
        graceful_timeout=30,
        keepalive=5,
        control_socket_disable=True,
        forwarded_allow_ips="*" if services.kit.settings.trusted_proxies else "127.0.0.1",
        proc_name="lti-tool",
    ).run()


@main.command()
@click.option("--until-idle", is_flag=True, help="Run what is due now and stop.")
def worker(until_idle: bool) -> None:
    """Run background jobs. Any number of workers may share a database."""
    engine = _worker(_services(is_serving=True))
    if until_idle:
        click.echo(f"{engine.run_until_idle()} jobs done.")
    else:
        _run_until_stopped(engine)


@main.command()
def relay() -> None:
    """Hand background jobs to Celery (LTI_TOOL_JOBS=celery). Any number of relays may share a database.

    The jobs are run by: celery -A lti_tool worker
    """
    services = _services(is_serving=True)
    celery = _celery(services.kit.settings)
    send = celery.sender(celery.make_app(services.kit.settings))
    _run_until_stopped(Relay(services.kit, send, services.periodic))


def _celery(settings: Settings) -> ModuleType:
    if settings.jobs != "celery":
        raise click.ClickException("Only LTI_TOOL_JOBS=celery has a message broker.")
    try:
        from lti_tool import celery  # noqa: PLC0415 - an extra, which web processes do not need
    except ModuleNotFoundError as missing:
        raise click.ClickException(f"Celery is missing ({missing.name}). Install lti-tool[celery].") from None
    return celery


def _run_until_stopped(loop: Loop) -> None:
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    loop.start()
    stopping.wait()
    loop.stop()


@main.command()
@click.option("--to", default="head", show_default=True, help="A revision. base undoes everything.")
def migrate(to: str) -> None:
    """Bring the database up to date."""
    engine = build(_settings()).engine
    (schema.downgrade if to == "base" or to.startswith("-") else schema.upgrade)(engine, to)
    click.echo("The database is up to date." if schema.is_current(engine) else f"The database is at {to}.")


@main.command()
@click.option("--port", default=8000, show_default=True, help="Port of the tool. If it is taken, a free one is used.")
@click.option(
    "--lms-port", default=8081, show_default=True, help="Port of the LMS. If it is taken, a free one is used."
)
@click.option(
    "--profile",
    default="moodle",
    show_default=True,
    type=click.Choice(["moodle", "canvas", "blackboard", "brightspace"]),
    help="Which LMS it behaves like.",
)
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Folder where its records are kept.")
@click.option(
    "--learners/--no-learners",
    default=True,
    show_default=True,
    help="Whether most learners do their part by themselves once a plan is published.",
)
def demo(port: int, lms_port: int, profile: str, keep: Path | None, learners: bool) -> None:
    """Start Tandem with a small LMS beside it, and print the one address to open."""
    sys.exit(run_demo(tool_port=port, lms_port=lms_port, profile=profile, keep=keep, has_learners=learners))


# ---- registering -----------------------------------------------------------------------------------------------------


@main.command()
@click.option(
    "--institution", "name", help="Whose platform will be registered. Created if no institution has this name."
)
@click.option("--expires", type=Duration(), default="7d", show_default=True, help="How long the link works.")
@click.option("--revoke", metavar="NUMBER|ADDRESS", help="End an invitation instead of making one.")
def invite(name: str | None, expires: timedelta, revoke: str | None) -> None:
    """Print a one-time link with which an administrator registers a platform from inside it."""
    services = _services()
    now = services.kit.clock.now()
    with services.kit.open_session() as session:
        if revoke is not None:
            secret = parse_qs(urlsplit(revoke).query).get("invite", [revoke])[0]
            number = int(revoke) if revoke.isdecimal() else None
            if not invitations.revoke_invitation(session, now=now, invitation_id=number, secret=secret):
                raise click.ClickException("There is no invitation like this that can still be used.")
            click.echo("Revoked.")
            return
        if name is None:
            raise click.UsageError("Whose platform is it? Give --institution NAME.")
        institution = service.institution_named(session, name.strip(), now=now)
        invitation, secret = invitations.invite(session, institution.id, now=now, lifetime=expires)
        number, until = invitation.id, invitation.expires_at
    address = f"{services.kit.settings.base_url}/lti/register?{urlencode({'invite': secret})}"
    click.echo(f"Invitation {number} for {name}, valid for one registration until {_moment(until)}:", err=True)
    click.echo(address)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def register(file: Path) -> None:
    """Make or update registrations from a JSON FILE; running it again changes nothing.

    See config/registration.example.json.
    """
    services = _services()
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))  # some editors begin files with a mark
    except (ValueError, RecursionError) as mistake:
        raise click.ClickException(f"{file} is not JSON: {mistake}") from None
    with _failures_in_words():
        entries = read_entries(document, development=services.kit.settings.development)
        with services.kit.open_session() as session:
            now = services.kit.clock.now()
            keys.ensure_signing_key(session, services.kit.secrets, now=now)
            done = service.register_from_file(session, entries, now=now)
    for registration in done:
        click.echo(
            f"{'Registered' if registration.is_new else 'Updated'} {registration.title} for {registration.institution}."
        )
        if registration.joined:
            click.echo(f"  New deployments: {', '.join(registration.joined)}")


@main.group()
def deployments() -> None:
    """Deployments: places on platforms where the tool was added."""


@deployments.command("list")
def list_deployments() -> None:
    """List registrations with their deployments, and those that wait for approval with their numbers."""
    services = _services()
    with services.kit.open_session() as session:
        for registration in service.registration_states(session):
            state = f"paused ({registration.paused_because})" if registration.paused_at else "active"
            click.echo(
                f"{registration.id}. {registration.title}: {registration.issuer}, "
                f"client {registration.client_id}, {state}"
            )
            for deployment in registration.deployments:
                click.echo(
                    f"  deployment {deployment.lti_id}: last launch {_moment(deployment.last_launch_at)}, "
                    f"roster {_moment(deployment.last_roster_at)}, score {_moment(deployment.last_score_at)}"
                )
            for waiting in registration.parked:
                word = "refused" if waiting.refused_at else "waits for approval"
                named = " ".join(part for part in (waiting.platform_name, waiting.platform_guid) if part)
                click.echo(
                    f"  number {waiting.id}: deployment {waiting.lti_id} {word}, last seen "
                    f"{_moment(waiting.last_seen_at)}{', ' + named if named else ''}"
                )


@deployments.command()
@click.argument("number", type=int)
@click.option("--institution", "name", help="Who owns it. Needed if the platform shares one client among customers.")
def approve(number: int, name: str | None) -> None:
    """Let the parked deployment of this NUMBER launch."""
    services = _services()
    with _failures_in_words(), services.kit.open_session() as session:
        institution_id = _owner(session, number, name)
        joined = service.approve_deployment(
            session, number, institution_id=institution_id, now=services.kit.clock.now(), by_operator=True
        )
        click.echo(f"Deployment {joined.lti_id} may launch now.")


@deployments.command()
@click.argument("number", type=int)
def refuse(number: int) -> None:
    """Keep the parked deployment of this NUMBER out."""
    services = _services()
    with _failures_in_words(), services.kit.open_session() as session:
        service.refuse_deployment(session, number, institution_id=None, now=services.kit.clock.now(), by_operator=True)
    click.echo("Refused. It stays in the list and can be approved later.")


@main.command()
@click.argument("registration", type=int)
def pause(registration: int) -> None:
    """Stop launches from a platform and calls to it; REGISTRATION is its number in `deployments list`."""
    _switch(registration, "Paused.", lambda session, now: tokens.pause(session, registration, "operator", now=now))


@main.command()
@click.argument("registration", type=int)
def resume(registration: int) -> None:
    """Let a paused platform work again; REGISTRATION is its number in `deployments list`."""
    _switch(registration, "Resumed.", lambda session, now: tokens.resume(session, registration, now=now))


def _switch(registration_id: int, says: str, act: Callable[[Session, datetime], None]) -> None:
    services = _services()
    with services.kit.open_session() as session:
        if session.get(Registration, registration_id) is None:
            raise click.ClickException("No registration has this number.")
        act(session, services.kit.clock.now())
    click.echo(says)


def _owner(session: Session, number: int, name: str | None) -> int:
    if name is not None:
        institution_id = session.scalar(select(Institution.id).where(Institution.name == name))
        if institution_id is None:
            raise click.ClickException(f"There is no institution named {name}.")
        return int(institution_id)
    for registration in service.registration_states(session):
        if any(one.id == number for one in registration.parked):
            if registration.institution_id is None:
                raise click.ClickException("This platform serves several institutions. Give --institution NAME.")
            return registration.institution_id
    raise NotFound("no parked deployment has this number")


# ---- pairing ---------------------------------------------------------------------------------------------------------


@main.command("plan")
@click.argument("instance", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the result goes.")
@click.option("--seed", type=click.IntRange(0), help="Use this seed instead of the one in the instance.")
def plan_instance(instance: Path, out: Path, seed: int | None) -> None:
    """Pair the people of a JSON INSTANCE without a course, a database or settings; see docs/pairing-format.md.

    Prints two lines of summary. The same instance and seed give the same result.
    """
    try:
        lines, warnings = commands.plan_file(instance, out, seed=seed)
    except commands.Refused as refusal:
        raise click.ClickException(str(refusal)) from None
    for warning in warnings:
        click.echo(f"Note: {warning}", err=True)
    click.echo("\n".join(lines))


# ---- keys ------------------------------------------------------------------------------------------------------------


@main.command("rotate-keys")
@click.option("--force", is_flag=True, help="Sign with the next key at once. Platforms may refuse it for up to a day.")
def rotate_keys(force: bool) -> None:
    """Take the next step of rotating the signing keys: publish the next key, or a day later sign with it.

    Run it twice, a day apart, or daily. Retired keys stay published for 14 days.
    """
    services = _services()
    with services.kit.open_session() as session:
        step = keys.rotate(session, services.kit.secrets, now=services.kit.clock.now(), force=force)
    if step.published:
        click.echo(f"Published the next key {step.published}.")
    if step.ready_at:
        click.echo(f"It can sign from {_moment(step.ready_at)}. Run this again then.")
    if step.promoted:
        click.echo(f"Signing with {step.promoted} now. The key before it stays published for 14 days.")


@main.command()
def reencrypt() -> None:
    """Encrypt everything stored with the first of LTI_TOOL_SECRET_KEYS, so that the others can be removed."""
    services = _services()
    with _failures_in_words(), services.kit.open_session() as session, across_institutions(session):
        count = service.reencrypt(session, services.kit.secrets)
        count += certificates.reencrypt(session, services.kit.secrets)
    click.echo(f"{count} secrets are encrypted with the first key.")


@main.command()
def bounce() -> None:
    """Read a letter that came back, from standard input. Have your mail server pipe what arrives at LTI_TOOL_MAIL_FROM
    to this command.
    """
    services = _services()
    with _failures_in_words():
        has_learned = take_bounce(services.kit, sys.stdin.buffer.read())
    click.echo("The address gets no more letters." if has_learned else "Nothing to learn from this letter.")


# ---- people ----------------------------------------------------------------------------------------------------------


@main.group()
def person() -> None:
    """One person's data: find, export, erase."""


@person.command()
@click.argument("text")
def find(text: str) -> None:
    """List people whose name, e-mail address or id contains TEXT, with the numbers that other commands take."""
    services = _services()
    for institution_id, name in _institutions(services):
        with services.kit.open_session(institution_id) as session:
            for person in personal_data.find_people(session, text):
                marks = [word for word, is_so in _marks(person) if is_so]
                click.echo(
                    f"{person.id}: {person.name or '(no name)'}, id {person.sub} at {person.platform}, {name}"
                    + (f" ({', '.join(marks)})" if marks else "")
                )


def _marks(person: personal_data.PersonRecord) -> list[tuple[str, bool]]:
    return [("administrator", person.is_administrator), ("erased", person.erased_at is not None)]


@person.command()
@click.argument("number", type=int)
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(number: int, file: Path) -> None:
    """Write everything about the person of this NUMBER into a ZIP FILE that only you can read."""
    services = _services()
    now = services.kit.clock.now()
    with _failures_in_words():
        institution_id = _institution_of(services, number)
        with services.kit.open_session(institution_id) as session:
            everything = personal_data.everything_about(session, number)
            audit.record(
                session, "person exported", now=now, institution_id=institution_id, person_id=number, by="command"
            )
    with create_app(services).test_request_context():
        packed = personal_data.as_zip(everything, now=now)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as archive:
        # The file may have been there before, readable by others.
        os.fchmod(archive.fileno(), 0o600)
        archive.write(packed)
    click.echo(f"Wrote {file}.")


@person.command("erase")
@click.argument("number", type=int)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def erase_person(number: int, yes: bool) -> None:
    """Erase the person of this NUMBER. What they gave to partners stays, without a name. This cannot be undone."""
    services = _services()
    if not yes:
        click.confirm(f"Erase person {number}? This cannot be undone", abort=True)
    with _failures_in_words():
        institution_id = _institution_of(services, number)
        with services.kit.open_session(institution_id) as session:
            reference = personal_data.erase(session, number, now=services.kit.clock.now())
    click.echo(f"Erased. Reference {reference}.")


@main.command("grant-admin")
@click.argument("number", type=int)
def grant_admin(number: int) -> None:
    """Make the person of this NUMBER an administrator of their institution. Find numbers with: person find."""
    services = _services()
    with _failures_in_words():
        institution_id = _institution_of(services, number)
        with services.kit.open_session(institution_id) as session:
            personal_data.grant_administration(session, number, now=services.kit.clock.now())
    click.echo("Granted. It takes effect at the next launch, or at once in the institution's pages.")


def _institutions(services: Services) -> list[tuple[int, str]]:
    with services.kit.open_session() as session:
        return [(one.id, one.name) for one in session.scalars(select(Institution).order_by(Institution.id))]


def _institution_of(services: Services, person_id: int) -> int:
    with services.kit.open_session() as session, across_institutions(session):
        person = session.get(Person, person_id)
        if person is None:
            raise NotFound("no person has this number")
        return person.institution_id


# ---- is all well? ----------------------------------------------------------------------------------------------------


@main.command()
def doctor() -> None:
    """Check settings, database, migrations, keys and each platform, one line each. Exit status 0 means all is well."""
    try:
        services = build(_settings())
    except click.ClickException as mistakes:
        click.echo(f"BAD  settings: {mistakes.message}")
        sys.exit(1)
    all_is_well = True
    findings = check_everything(services.kit, services.engine)
    for finding in itertools.chain(findings, _broker(services.kit.settings)):
        click.echo(f"{'ok  ' if finding.is_good else 'BAD '} {finding.subject}: {finding.says}")
        all_is_well = all_is_well and finding.is_good
    sys.exit(0 if all_is_well else 1)


def _broker(settings: Settings) -> Iterator[Finding]:
    if settings.jobs != "celery":
        return
    try:
        celery = _celery(settings)
        depths = celery.waiting(celery.make_app(settings))
    except click.ClickException as missing:
        yield Finding("broker", False, missing.message)
    except Exception as failure:  # each broker's library has errors of its own
        yield Finding("broker", False, f"cannot be reached ({type(failure).__name__})")
    else:
        waiting = ", ".join(f"{name} {count}" for name, count in depths.items())
        yield Finding("broker", True, f"messages that wait: {waiting}")


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else moment.strftime("%Y-%m-%d %H:%M UTC")


if __name__ == "__main__":
    sys.exit(main())
