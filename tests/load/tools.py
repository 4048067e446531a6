"""The three tools of a load run, each as its facts about a platform and a folder make it."""

import os
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Flask, make_response, redirect, request
from flask.typing import ResponseReturnValue
from pylti1p3.contrib.flask import FlaskMessageLaunch, FlaskOIDCLogin, FlaskRequest
from pylti1p3.exception import LtiException
from pylti1p3.launch_data_storage.cache import CacheDataStorage
from pylti1p3.tool_config import ToolConfDict

from lti_tool.app import create_app
from lti_tool.registration.rules.registrations import read_entries
from lti_tool.registration.service import register_from_file
from lti_tool.registration.service.keys import ensure_signing_key
from lti_tool.settings import Settings
from lti_tool.support import log
from lti_tool.support.db import Base
from lti_tool.wiring import build

Facts = dict[str, str]


def null_tool(facts: Facts, base_url: str) -> Flask:
    """Speaks the two requests and believes everything: what Flask and gunicorn cost by themselves."""
    app = Flask("null_tool")

    @app.post("/lti/login")
    def login() -> ResponseReturnValue:
        state = secrets.token_urlsafe(32)
        asked = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": facts["client_id"],
            "redirect_uri": f"{base_url}/lti/launch",
            "state": state,
            "nonce": secrets.token_urlsafe(32),
            "login_hint": request.form["login_hint"],
            "lti_message_hint": request.form["lti_message_hint"],
        }
        answer = redirect(f"{facts['auth_login_url']}?{urlencode(asked)}")
        answer.set_cookie("state", state, httponly=True, secure=True, samesite="None")
        return answer

    @app.post("/lti/launch")
    def launch() -> ResponseReturnValue:
        return f"Welcome. Your token has {len(request.form['id_token'])} characters."

    return app


class Memory:
    """A cache in the memory of one process; the smallest that pylti1p3 takes."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, float]] = {}

    def get(self, key: str) -> Any:
        value, until = self._kept.get(key, (None, 0.0))
        return value if until > time.monotonic() else None

    def set(self, key: str, value: Any, seconds: int | None) -> None:
        self._kept[key] = (value, time.monotonic() + (seconds or 86_400))


class MemoryStorage(CacheDataStorage[Any]):
    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._cache = memory


def minimal_tool(facts: Facts, base_url: str) -> Flask:
    """pylti1p3 as its documentation shows it: its own checks, storage in memory, platform keys kept for two hours."""
    app = Flask("minimal_tool")
    app.secret_key = secrets.token_hex(32)
    memory = Memory()
    config = ToolConfDict(
        {
            facts["issuer"]: {
                "default": True,
                "client_id": facts["client_id"],
                "auth_login_url": facts["auth_login_url"],
                "auth_token_url": facts["auth_token_url"],
                "key_set_url": facts["key_set_url"],
                "key_set": None,
                "private_key_file": None,
                "deployment_ids": [facts["deployment_id"]],
            }
        }
    )

    @app.post("/lti/login")
    def login() -> ResponseReturnValue:
        # Told to be secure, as behind a TLS proxy; over plain http it would leave its session cookie out.
        asked = FlaskRequest(request_is_secure=True)
        answer: ResponseReturnValue = FlaskOIDCLogin(asked, config, launch_data_storage=MemoryStorage(memory)).redirect(
            f"{base_url}/lti/launch"
        )
        return answer

    @app.post("/lti/launch")
    def launch() -> ResponseReturnValue:
        message = FlaskMessageLaunch(
            FlaskRequest(request_is_secure=True), config, launch_data_storage=MemoryStorage(memory)
        )
        message.set_public_key_caching(MemoryStorage(memory), cache_lifetime=7200)
        try:
            claims = message.get_launch_data()
        except LtiException as refusal:
            return make_response(str(refusal), 401)
        return f"Welcome, {claims.get('name')}. This is launch {message.get_launch_id()}."

    return app


def tandem(facts: Facts, base_url: str) -> Flask:
    """The real thing with its usual log; jobs are written down and left to a worker that is not running."""
    services = build(Settings.from_env(os.environ))
    log.set_up(services.kit.settings.log_format, services.kit.settings.log_level)
    return create_app(services)


def prepare_tandem(facts: Facts) -> None:
    """Make the tables and register the platform, as an operator does before the first launch."""
    services = build(Settings.from_env(os.environ))
    create_app(services)  # imports every feature, and with it every table
    Base.metadata.create_all(services.engine)
    deployment = facts["deployment_id"]
    written = {name: value for name, value in facts.items() if name != "deployment_id"} | {
        "title": "Load run",
        "deployment_ids": [deployment],
        "platform_origin": facts["issuer"],
    }
    now = services.kit.clock.now()
    with services.kit.open_session() as session:
        register_from_file(session, read_entries([written], development=True), now=now)
        ensure_signing_key(session, services.kit.secrets, now=now)
    services.engine.dispose()


TOOLS: dict[str, Callable[[Facts, str], Flask]] = {"null": null_tool, "minimal": minimal_tool, "tandem": tandem}
