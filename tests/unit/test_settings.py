from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from lti_tool.settings import PREFIX, Settings, SettingsError, example, variable
from lti_tool.support.crypto import KeyRing

KEY = "QQ7Jp0Tt3IyPpLt3Zt0Zl3R3m9rqZ0mWw1VZ4cQxY8E="
PRODUCTION = {"LTI_TOOL_BASE_URL": "https://tandem.example.org", "LTI_TOOL_SECRET_KEYS": KEY}
DEVELOPMENT = {"LTI_TOOL_DEVELOPMENT": "1"}


def mistakes_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as failure:
        Settings.from_env(environ)
    return failure.value.mistakes


def test_an_address_and_a_key_are_enough_for_production():
    settings = Settings.from_env(PRODUCTION)

    assert settings.base_url == "https://tandem.example.org"
    assert settings.secret_keys == (KEY,)
    assert not settings.development
    assert settings.log_format == "json"
    assert settings.reachable_private_hosts == ()
    assert settings.trusted_proxies == 0


def test_development_needs_nothing_more_than_its_switch():
    settings = Settings.from_env(DEVELOPMENT)

    assert settings.base_url == "http://localhost:8000"
    assert settings.database_url == "sqlite:///tandem.db"
    assert settings.worker == "embedded"
    assert settings.log_format == "text"


def test_what_is_written_wins_over_the_default_of_development():
    assert Settings.from_env({**DEVELOPMENT, "LTI_TOOL_LOG_FORMAT": "json"}).log_format == "json"


def test_production_refuses_to_start_on_nothing():
    assert [mistake.split()[0] for mistake in mistakes_of({})] == ["LTI_TOOL_BASE_URL", "LTI_TOOL_SECRET_KEYS"]


def test_all_mistakes_are_told_together():
    found = mistakes_of(
        {
            "LTI_TOOL_BASE_URL": "ftp://x",
            "LTI_TOOL_DATABASE_URL": "mysql://root:hunter2@db/x",
            "LTI_TOOL_SECRET_KEYS": f"{KEY},short",
            "LTI_TOOL_WORKER": "both",
            "LTI_TOOL_WORKER_THREADS": "0",
            "LTI_TOOL_VISIT_IDLE": "5 minutes",
            "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": "localhost",
            "LTI_TOOL_TRUSTED_PROXIES": "-1",
            "LTI_TOOL_LOG_LEVEL": "loud",
            "LTI_TOOL_SECRET_KEY": KEY,
        }
    )

    assert len(found) == 10
    assert "LTI_TOOL_SECRET_KEY is not a setting; did you mean LTI_TOOL_SECRET_KEYS?" in found
    assert "hunter2" not in "".join(found)
    assert KEY not in "".join(found)


def test_an_unknown_name_far_from_all_others_is_a_mistake_too():
    assert mistakes_of({**PRODUCTION, "LTI_TOOL_XYZZY": "1"}) == ["LTI_TOOL_XYZZY is not a setting."]


def test_names_of_others_are_left_alone():
    assert Settings.from_env({**PRODUCTION, "PATH": "/bin", "TANDEM_X": "1"}) == Settings.from_env(PRODUCTION)


def test_an_empty_value_counts_as_not_set():
    assert Settings.from_env({**PRODUCTION, "LTI_TOOL_WORKER": " "}).worker == "embedded"


@pytest.mark.parametrize("url", ["http://tandem.example.org", "http://localhost:8000"])
def test_production_is_https(url):
    assert len(mistakes_of({**PRODUCTION, "LTI_TOOL_BASE_URL": url})) == 1


@pytest.mark.parametrize("url", ["http://tandem.example.org", "https://10.0.0.1", "http://localhost.example.org"])
def test_development_is_refused_anywhere_but_on_this_machine(url):
    assert mistakes_of({**DEVELOPMENT, "LTI_TOOL_BASE_URL": url})[0].startswith("LTI_TOOL_DEVELOPMENT=1")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://127.8.9.1", "http://[::1]:8000", "https://localhost"])
def test_development_takes_every_loopback_address(url):
    assert Settings.from_env({**DEVELOPMENT, "LTI_TOOL_BASE_URL": url}).base_url == url


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://tandem.example.org/", "https://tandem.example.org"),
        ("https://Tandem.Example.org:443", "https://tandem.example.org"),
        ("https://tandem.example.org:8443", "https://tandem.example.org:8443"),
    ],
)
def test_one_address_has_one_form(written, read):
    assert Settings.from_env({**PRODUCTION, "LTI_TOOL_BASE_URL": written}).base_url == read


@pytest.mark.parametrize(
    "url", ["https://x.org/tandem", "https://x.org?a=b", "https://me@x.org", "x.org", "https://x:y"]
)
def test_a_base_url_is_an_origin(url):
    assert len(mistakes_of({**PRODUCTION, "LTI_TOOL_BASE_URL": url})) == 1


def test_a_generated_key_is_taken_and_several_keep_their_order():
    newer = KeyRing.generate_key()

    assert Settings.from_env({**PRODUCTION, "LTI_TOOL_SECRET_KEYS": f"{newer}, {KEY}"}).secret_keys == (newer, KEY)


def test_private_hosts_are_pairs_of_host_and_port():
    written = "localhost:8081, LMS.internal.:443,[::1]:90"

    assert Settings.from_env({**PRODUCTION, "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": written}).reachable_private_hosts == (
        ("localhost", 8081),
        ("lms.internal", 443),
        ("::1", 90),
    )


@pytest.mark.parametrize("written", ["host:0", "host:65536", ":80", "::1:80", "http://host:80", "me@host:80", "host:x"])
def test_what_is_no_host_and_port_is_a_mistake(written):
    assert len(mistakes_of({**PRODUCTION, "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": written})) == 1


def test_lengths_of_time_have_units():
    settings = Settings.from_env({**PRODUCTION, "LTI_TOOL_VISIT_IDLE": "90m", "LTI_TOOL_VISIT_ABSOLUTE": "2d"})

    assert settings.visit_idle == timedelta(minutes=90)
    assert settings.visit_absolute == timedelta(days=2)


def test_a_visit_that_idles_longer_than_it_lasts_is_a_mistake():
    assert len(mistakes_of({**PRODUCTION, "LTI_TOOL_VISIT_IDLE": "3d"})) == 1


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg(scheme):
    settings = Settings.from_env({**PRODUCTION, "LTI_TOOL_DATABASE_URL": f"{scheme}://me:pw@db/tandem?sslmode=require"})

    assert settings.sqlalchemy_url == "postgresql+psycopg://me:pw@db/tandem?sslmode=require"
    assert settings.database_file is None
    assert "pw" not in repr(settings)


def test_a_sqlite_file_is_meant_from_where_the_tool_was_started(monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({**PRODUCTION, "LTI_TOOL_DATABASE_URL": "sqlite:///var/t.db?timeout=5"})

    assert settings.database_file == tmp_path / "var" / "t.db"
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/var/t.db?timeout=5"


def test_an_absolute_sqlite_file_stays_where_it_is():
    settings = Settings.from_env({**PRODUCTION, "LTI_TOOL_DATABASE_URL": "sqlite:////srv/t.db"})

    assert settings.database_file == Path("/srv/t.db")
    assert settings.sqlalchemy_url == "sqlite:////srv/t.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_has_no_file(url):
    settings = Settings.from_env({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": url})

    assert settings.database_file is None
    assert settings.sqlalchemy_url == url


def test_a_sqlite_path_with_two_slashes_is_explained():
    assert "three slashes" in mistakes_of({**PRODUCTION, "LTI_TOOL_DATABASE_URL": "sqlite://tandem.db"})[0]


def test_development_on_postgresql_needs_a_key_since_there_is_no_file_to_keep_one_beside():
    assert len(mistakes_of({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": "postgresql://db/tandem"})) == 1


def test_celery_needs_a_broker():
    assert mistakes_of({**PRODUCTION, "LTI_TOOL_JOBS": "celery"}) == [
        "LTI_TOOL_BROKER_URL is required with LTI_TOOL_JOBS=celery."
    ]


@pytest.mark.parametrize("url", ["sqs://", "redis:hunter2", "http://hunter2@broker.example.org", "amqp://"])
def test_what_is_no_broker_is_a_mistake_that_quotes_nothing(url):
    [mistake] = mistakes_of({**PRODUCTION, "LTI_TOOL_JOBS": "celery", "LTI_TOOL_BROKER_URL": url})
    assert mistake.startswith("LTI_TOOL_BROKER_URL must start with redis://")
    assert "hunter2" not in mistake


def test_the_password_of_a_broker_is_not_printed():
    broker = "rediss://:hunter2@broker.example.org:6379/0"
    settings = Settings.from_env({**PRODUCTION, "LTI_TOOL_JOBS": "celery", "LTI_TOOL_BROKER_URL": broker})
    assert settings.broker_url == broker
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(("threads", "most"), [("1", 1), ("4", 2), ("9", 4)])
def test_half_of_the_threads_may_call_one_platform(threads, most):
    assert Settings.from_env({**PRODUCTION, "LTI_TOOL_WORKER_THREADS": threads}).most_per_platform == most


def test_secrets_are_not_printed():
    assert KEY not in repr(Settings.from_env(PRODUCTION))


def test_every_setting_says_in_a_sentence_what_it_is_for():
    for a_field in fields(Settings):
        assert a_field.metadata["says"].endswith("."), a_field.name


def test_the_example_is_the_one_that_the_settings_write():
    assert (Path(__file__).parents[2] / "config" / "example.env").read_text(encoding="utf-8") == example()


def test_the_example_read_as_it_stands_gives_the_defaults():
    lines = [line.removeprefix("#") for line in example().splitlines() if line.startswith(f"#{PREFIX}")]
    written = dict(line.split("=", 1) for line in lines)

    assert list(written) == [variable(a_field) for a_field in fields(Settings)]
    assert Settings.from_env({**written, **PRODUCTION}) == Settings.from_env(PRODUCTION)
