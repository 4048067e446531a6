"""The sample deployments can be read, run only commands that exist, and keep what they promise."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from celery.bin.worker import worker as celery_worker

from lti_tool.cli import main
from lti_tool.jobs.relay import QUEUES
from lti_tool.settings import Settings, variable

CONFIG = Path(__file__).parents[2] / "config"
UNITS = sorted((CONFIG / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((CONFIG / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "tandem"}
KUBERNETES: list[dict[str, Any]] = list(yaml.safe_load_all((CONFIG / "kubernetes.yaml").read_text()))
DOCKERFILE = (CONFIG / "Dockerfile").read_text()
SETTINGS = {variable(each) for each in Settings.__dataclass_fields__.values()}


def pods() -> Iterator[dict[str, Any]]:
    for thing in KUBERNETES:
        if "template" in thing.get("spec", {}):
            yield thing["spec"]["template"]["spec"]


def containers() -> Iterator[dict[str, Any]]:
    for pod in pods():
        yield from pod["containers"]


def commands() -> Iterator[tuple[str, list[str]]]:
    for unit in UNITS:
        [line] = re.findall(r"(?m)^ExecStart=(.*)$", unit.read_text())
        yield unit.name, shlex.split(line)
    for name, service in OURS.items():
        yield f"compose {name}", service["command"]
    for container in containers():
        yield f"kubernetes {container['name']}", container["command"]
    [line] = re.findall(r"(?m)^CMD (.*)$", DOCKERFILE)
    yield "Dockerfile", yaml.safe_load(line)


@pytest.mark.parametrize(("where", "command"), [pytest.param(*each, id=each[0]) for each in commands()])
def test_every_command_exists_with_its_options(where: str, command: list[str]) -> None:
    program, *words = command
    if Path(program).name == "lti-tool":
        name, *words = words
        main.commands[name].make_context(name, words)
        return
    assert (Path(program).name, words[:3]) == ("celery", ["-A", "lti_tool", "worker"])
    known = {option for parameter in celery_worker.params for option in parameter.opts}
    assert {word for word in words[3:] if word.startswith("-")} <= known


@pytest.mark.parametrize("kind", ["compose", "kubernetes"])
def test_every_queue_is_served(kind: str) -> None:
    served = [
        queue
        for where, command in commands()
        if where.startswith(kind) and "-Q" in command
        for queue in command[command.index("-Q") + 1].split(",")
    ]
    assert sorted(served) == sorted(QUEUES)


def test_every_setting_exists() -> None:
    given = [*COMPOSE["x-tandem"]["environment"], *KUBERNETES[0]["data"]]
    assert {name for name in given if name.startswith("LTI_TOOL_")} <= SETTINGS
    assert len(given) > 8


def test_containers_write_nowhere_and_are_not_root() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
    for container in containers():
        security = container["securityContext"]
        assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
    assert re.search(r"(?m)^USER [1-9]\d*:[1-9]\d*$", DOCKERFILE)
    assert re.findall(r"(?m)^FROM (?!python:3\.\d+-slim)", DOCKERFILE) == []


def test_the_image_is_made_of_what_is_there_and_sent() -> None:
    sent = set((CONFIG / "Dockerfile.dockerignore").read_text().split())
    for line in re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", DOCKERFILE):
        for source in line.split():
            assert (CONFIG.parent / source).exists()
            assert f"!{source.split('/')[0]}" in sent


def test_units_run_what_is_installed_as_somebody_without_rights() -> None:
    assert len(UNITS) == 4
    for unit in UNITS:
        lines = unit.read_text().splitlines()
        assert {"User=tandem", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes"} <= set(lines)
        assert [line for line in lines if line and not re.match(r"#|\[\w+\]$|[A-Z]\w+=", line)] == []


def test_a_command_that_does_not_exist_is_seen() -> None:
    with pytest.raises(click.UsageError):
        main.commands["serve"].make_context("serve", ["--bind", "0.0.0.0"])
