"""The settings of an operator, read once from the environment."""

import base64
import binascii
import contextlib
import difflib
import ipaddress
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

PREFIX = "LTI_TOOL_"

T = TypeVar("T")
Tls = Literal["", "starttls", "tls"]
Worker = Literal["embedded", "separate"]
Jobs = Literal["worker", "celery"]
LogFormat = Literal["json", "text"]


class SettingsError(Exception):
    """The environment does not make a usable set of settings. Lists every mistake, and never a secret."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "\n".join(["These settings need attention:", *(f"  {mistake}" for mistake in self.mistakes)])


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed over. Without a host they are printed, for development."""

    host: str = ""
    port: int = 0
    tls: Tls = ""
    name: str = ""
    password: str = field(default="", repr=False)


def setting(
    default: str, says: str, read: Callable[[str], T], *, in_development: str | None = None, hidden: bool = False
) -> T:
    """Declare a setting: its default as an operator would write it, one sentence, and how a text becomes a value.

    A hidden one holds a secret and is left out when the settings are printed.
    """
    metadata = {"default": default, "says": says, "read": read, "in_development": in_development}
    return field(default=read(default), repr=not hidden, metadata=metadata)


def read_text(value: str) -> str:
    return value


def read_yes_or_no(value: str) -> bool:
    try:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[value.lower()]
    except KeyError:
        raise ValueError("must be 1 or 0") from None


def read_number(at_least: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < at_least:
            raise ValueError(f"must be a whole number, {at_least} or more")
        return int(value)

    return read


def read_duration(value: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", value)
    if match is None:
        raise ValueError("must be a length of time such as 90s, 30m, 12h or 7d")
    return timedelta(**{{"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]: int(match[1])})


def read_worker(value: str) -> Worker:
    match value:
        case "embedded" | "separate":
            return value
    raise ValueError("must be embedded or separate")


def read_jobs(value: str) -> Jobs:
    match value:
        case "worker" | "celery":
            return value
    raise ValueError("must be worker or celery")


def read_broker(value: str) -> str:
    # Never repeats the value: it may hold a password.
    if value and (urlsplit(value).scheme not in {"redis", "rediss", "amqp", "amqps"} or not urlsplit(value).hostname):
        raise ValueError("must start with redis://, rediss:// (TLS), amqp:// or amqps:// (TLS) and a host")
    return value


def read_log_format(value: str) -> LogFormat:
    match value:
        case "json" | "text":
            return value
    raise ValueError("must be json or text")


def read_log_level(value: str) -> str:
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def read_origin(value: str) -> str:
    """Read the address under which browsers reach the tool; empty stays empty."""
    if not value:
        return ""
    parts = urlsplit(value)
    port = parts.port  # raises ValueError itself when it is no port
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must start with https:// and a host")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be scheme, host and port only, such as https://tandem.example.org")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_usual_port = port is None or port == {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" if is_usual_port else f"{parts.scheme}://{host}:{port}"


def read_database(value: str) -> str:
    # Never repeats the value: it may hold a password.
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"sqlite", "postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("must start with sqlite:/// or postgresql://")
    if scheme == "sqlite" and rest and not rest.startswith("/"):
        raise ValueError(
            "needs three slashes before a relative path (sqlite:///tandem.db), four before an absolute one"
        )
    return value


def read_secret_keys(value: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in value.split(",") if part.strip())
    for place, key in enumerate(keys, start=1):
        try:
            is_key = len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
        except (binascii.Error, ValueError):
            is_key = False
        if not is_key:
            raise ValueError(f"has no valid Fernet key in place {place} (32 bytes in URL-safe base64)")
    return keys


def read_hosts(value: str) -> tuple[tuple[str, int], ...]:
    return tuple(_host_and_port(part.strip()) for part in value.split(",") if part.strip())


def _host_and_port(value: str) -> tuple[str, int]:
    host, separator, port = value.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not (separator and host and re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536):
        raise ValueError(f"must be host:port, not {value!r}")
    if (":" in host and not is_bracketed) or "/" in host or "@" in host:
        raise ValueError(f"must be host:port (an IPv6 address in brackets), not {value!r}")
    return (host[1:-1] if is_bracketed else host).lower().rstrip("."), int(port)


def read_mail_server(value: str) -> MailServer | None:
    # Never repeats the value: it may hold a password.
    if not value:
        return None
    if value == "console":
        return MailServer()
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be smtp://NAME:PASSWORD@HOST:PORT (STARTTLS), smtps://… (TLS) or console")
    port = parts.port or (465 if parts.scheme == "smtps" else 587)  # raises ValueError itself when it is no port
    tls: Tls = "tls" if parts.scheme == "smtps" else "" if is_loopback(parts.hostname) else "starttls"
    return MailServer(parts.hostname, port, tls, unquote(parts.username or ""), unquote(parts.password or ""))


def read_mail_address(value: str) -> str:
    if value and not re.fullmatch(r"[^@\s<>,;:\"\\]+@[^@\s<>,;:\"\\]+", value):
        raise ValueError("must be one e-mail address, such as tandem@example.org")
    return value


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings. Made once at the start; nothing else reads the environment."""

    base_url: str = setting(
        "",
        "The address under which browsers reach Tandem, without a path; https. Required, except in development.",
        read_origin,
        in_development="http://localhost:8000",
    )
    database_url: str = setting(
        "sqlite:///tandem.db",
        "Where everything is kept: sqlite:///FILE or postgresql://NAME:PASSWORD@HOST/DATABASE.",
        read_database,
        hidden=True,
    )
    secret_keys: tuple[str, ...] = setting(
        "",
        "Comma list of Fernet keys that protect what is stored; the first encrypts, all decrypt. Required, except in "
        "development, where a private file beside the SQLite database holds one.",
        read_secret_keys,
        hidden=True,
    )
    development: bool = setting(
        "0", "1 allows http and a key file. Refused when the base URL is anything but this machine.", read_yes_or_no
    )
    reachable_private_hosts: tuple[tuple[str, int], ...] = setting(
        "",
        "Comma list of host:port on private or loopback addresses that Tandem may call, such as an LMS in the same "
        "network; every other private address is refused.",
        read_hosts,
    )
    worker: Worker = setting(
        "embedded",
        "embedded runs background jobs in threads of the web process; separate leaves them to `lti-tool worker`.",
        read_worker,
    )
    worker_threads: int = setting(
        "4",
        "How many background jobs run at a time in one process. At most half as many call one platform at a time, "
        "counted over all processes.",
        read_number(at_least=1),
    )
    jobs: Jobs = setting(
        "worker",
        "worker: Tandem's own workers run background jobs, see LTI_TOOL_WORKER. celery: `lti-tool relay` hands them to "
        "Celery, and web processes run none.",
        read_jobs,
    )
    broker_url: str = setting(
        "",
        "The message broker of LTI_TOOL_JOBS=celery: redis://:PASSWORD@HOST:6379/0 or "
        "amqp://NAME:PASSWORD@HOST:5672/VHOST; rediss:// and amqps:// with TLS.",
        read_broker,
        hidden=True,
    )
    visit_idle: timedelta = setting("4h", "A visit ends when nothing was done for this long.", read_duration)
    visit_absolute: timedelta = setting(
        "12h", "A visit ends this long after its launch, even if it is in use.", read_duration
    )
    log_format: LogFormat = setting(
        "json",
        "json for machines, text for people (the default in development).",
        read_log_format,
        in_development="text",
    )
    log_level: str = setting("INFO", "The lowest level that is logged: DEBUG, INFO, WARNING or ERROR.", read_log_level)
    trusted_proxies: int = setting(
        "0",
        "How many reverse proxies in front of Tandem set X-Forwarded-*; 0 ignores those headers.",
        read_number(at_least=0),
    )
    contact: str = setting(
        "", "Where people can ask for help: an e-mail or web address, shown on error pages.", read_text
    )
    smtp_url: MailServer | None = setting(
        "",
        "The mail server for reminders: smtp://NAME:PASSWORD@HOST:587 (STARTTLS; on this machine without), "
        "smtps://NAME:PASSWORD@HOST:465 (TLS), or in development console. Empty: Tandem sends no e-mail.",
        read_mail_server,
        hidden=True,
    )
    mail_from: str = setting(
        "", "The address that reminders come from, and to which mail servers return them.", read_mail_address
    )
    audit_retention: timedelta = setting(
        "90d", "How long records of refused and administrative acts are kept.", read_duration
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read all settings; raise one SettingsError that lists every mistake. An empty value counts as not set."""
        given = {name: value.strip() for name, value in environ.items() if name.startswith(PREFIX) and value.strip()}
        known = {variable(a_field): a_field for a_field in fields(cls)}
        mistakes = [_unknown(name, known) for name in sorted(given.keys() - known.keys())]
        values: dict[str, Any] = {}
        is_development = False
        with contextlib.suppress(ValueError):  # told below, with the others
            is_development = read_yes_or_no(given.get("LTI_TOOL_DEVELOPMENT", "0"))
        for name, a_field in known.items():
            written = given.get(name)
            if written is None and is_development:
                written = a_field.metadata["in_development"]
            if written is None:
                continue
            try:
                values[a_field.name] = a_field.metadata["read"](written)
            except ValueError as mistake:
                mistakes.append(f"{name} {mistake}.")
        settings = cls(**values)
        mistakes += [
            mistake for name, mistake in settings._disagreements() if not any(m.startswith(name) for m in mistakes)
        ]
        if mistakes:
            raise SettingsError(mistakes)
        return settings

    @property
    def sqlalchemy_url(self) -> str:
        """The database address as SQLAlchemy takes it: psycopg for PostgreSQL, an absolute path for a SQLite file.

        Absolute, so that the web process, the worker and the command line mean the same file wherever they look from.
        """
        scheme, _, rest = self.database_url.partition("://")
        if scheme != "sqlite":
            return f"postgresql+psycopg://{rest}"
        if self.database_file is None:
            return self.database_url
        _, question_mark, query = rest.partition("?")
        return f"sqlite:///{self.database_file}{question_mark}{query}"

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, absolute; None for PostgreSQL and for a database in memory."""
        scheme, _, rest = self.database_url.partition("://")
        path = rest.partition("?")[0].removeprefix("/")
        if scheme != "sqlite" or path in {"", ":memory:"}:
            return None
        return Path(path).absolute()

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us over TLS, so that cookies may and must be Secure."""
        return self.base_url.startswith("https://")

    @property
    def most_per_platform(self) -> int:
        """How many jobs call one platform at a time, in all processes together."""
        return max(1, self.worker_threads // 2)

    def _disagreements(self) -> list[tuple[str, str]]:
        """Mistakes that concern several settings, as (name of the variable, mistake)."""
        mistakes = []
        if not self.base_url:
            mistakes.append(("LTI_TOOL_BASE_URL", "LTI_TOOL_BASE_URL is required: the https address of this tool."))
        elif self.development and not is_loopback(urlsplit(self.base_url).hostname or ""):
            mistakes.append(
                ("LTI_TOOL_DEVELOPMENT", "LTI_TOOL_DEVELOPMENT=1 is only for a base URL on this machine (localhost).")
            )
        elif not self.development and not self.is_https:
            mistakes.append(
                ("LTI_TOOL_BASE_URL", "LTI_TOOL_BASE_URL must be https (http is for LTI_TOOL_DEVELOPMENT=1).")
            )
        if not self.secret_keys and not self.development:
            mistakes.append(("LTI_TOOL_SECRET_KEYS", "LTI_TOOL_SECRET_KEYS is required: at least one Fernet key."))
        if not self.secret_keys and self.development and not self.database_url.startswith("sqlite"):
            mistakes.append(
                (
                    "LTI_TOOL_SECRET_KEYS",
                    "LTI_TOOL_SECRET_KEYS is required: there is no SQLite file to keep a key beside.",
                )
            )
        if self.smtp_url is not None and not self.smtp_url.host and not self.development:
            mistakes.append(("LTI_TOOL_SMTP_URL", "LTI_TOOL_SMTP_URL=console is only for LTI_TOOL_DEVELOPMENT=1."))
        if self.smtp_url is not None and self.smtp_url.host and not self.mail_from:
            mistakes.append(
                ("LTI_TOOL_MAIL_FROM", "LTI_TOOL_MAIL_FROM is required: the address that reminders come from.")
            )
        if self.jobs == "celery" and not self.broker_url:
            mistakes.append(("LTI_TOOL_BROKER_URL", "LTI_TOOL_BROKER_URL is required with LTI_TOOL_JOBS=celery."))
        if self.visit_idle > self.visit_absolute:
            mistakes.append(
                ("LTI_TOOL_VISIT_IDLE", "LTI_TOOL_VISIT_IDLE must not be longer than LTI_TOOL_VISIT_ABSOLUTE.")
            )
        return mistakes


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine: localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def variable(a_field: Field[Any]) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + a_field.name.upper()


def example() -> str:
    """Return config/example.env: every setting with its sentence and its default, commented out."""
    lines = ["# Every setting of Tandem with its default. Written by `python -m lti_tool.settings`."]
    for a_field in fields(Settings):
        default, in_development = a_field.metadata["default"], a_field.metadata["in_development"]
        lines += ["", f"# {a_field.metadata['says']}"]
        if in_development is not None:
            lines.append(f"# In development: {in_development}")
        lines.append(f"#{variable(a_field)}={default}")
    return "\n".join(lines) + "\n"


def _unknown(name: str, known: Mapping[str, object]) -> str:
    # Without the prefix, which would make every name look like every other.
    similar = difflib.get_close_matches(name.removeprefix(PREFIX), [other.removeprefix(PREFIX) for other in known], n=1)
    return f"{name} is not a setting" + (f"; did you mean {PREFIX}{similar[0]}?" if similar else ".")


if __name__ == "__main__":
    sys.stdout.write(example())
