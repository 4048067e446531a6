"""`lti-tool plan` as a person types it who has nothing but a file: no settings, no database."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lti_tool.cli import main
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Violation

INSTANCES = Path(__file__).parents[1] / "unit" / "pairing" / "instances"
Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Type a command without any of our settings in the environment; it must end with this status."""

    def typed(*words: object, status: int = 0) -> Result:
        nothing = dict.fromkeys((name for name in os.environ if name.startswith("LTI_TOOL_")), None)
        result = CliRunner().invoke(main, ["plan", *map(str, words)], env=nothing)
        assert result.exit_code == status, f"{result.output}{result.exception!r}"
        return result

    return typed


def write(folder: Path, **instance: Any) -> Path:
    file = folder / "instance.json"
    file.write_text(json.dumps(instance))
    return file


def test_an_instance_is_planned_and_summed_up_in_two_lines(run: Run, tmp_path: Path) -> None:
    said = run(INSTANCES / "company.json", "--out", tmp_path / "result.json").stdout.splitlines()

    result = json.loads((tmp_path / "result.json").read_text())
    assert len(result["rounds"]) == 4
    assert len(said) == 2
    assert said[0] == "11 people, 4 rounds, 0 without a partner"
    assert said[1].endswith("points, turns as coach and as coachee differ by at most 1")
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]


def test_a_repair_and_reviews_are_answered_too(run: Run, tmp_path: Path) -> None:
    run(INSTANCES / "repair.json", "--out", tmp_path / "result.json")
    assert len(json.loads((tmp_path / "result.json").read_text())["rounds"][0]["groups"]) == 4

    said = run(INSTANCES / "review.json", "--out", tmp_path / "result.json").stdout

    assert said.splitlines()[0] == "8 people, 2 reviews each, 16 in all"
    assert len(json.loads((tmp_path / "result.json").read_text())["reviews"]) == 16


def test_the_seed_of_the_command_takes_the_place_of_the_instance_s(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, seed=1, rounds=2, people=[{"id": one} for one in range(20)])

    def planned(*words: object) -> str:
        run(file, "--out", tmp_path / "result.json", *words)
        return (tmp_path / "result.json").read_text()

    assert planned() == planned("--seed", 1)
    assert planned() != planned("--seed", 2)


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for hashes in ("1", "2"):
        out = tmp_path / f"{hashes}.json"
        words = [sys.executable, "-m", "lti_tool.cli", "plan", str(INSTANCES / "company.json"), "--out", str(out)]
        subprocess.run(
            words, check=True, capture_output=True, env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": hashes}
        )
        written.append(out.read_bytes())
    assert written[0] == written[1]


def test_a_flawed_instance_is_named_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, people=[{"id": "a"}, {"id": []}], rounds=0, constraints=[{"type": "x"}])

    said = run(file, "--out", tmp_path / "result.json", status=1).output

    assert "people[1].id: the id of a person is needed" in said
    assert "rounds: Input should be greater than or equal to 1" in said
    assert "constraints[0]: Input tag 'x' found using 'type' does not match" in said
    assert not (tmp_path / "result.json").exists()


def test_of_very_many_mistakes_the_first_are_named(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, people=[{}] * 30, rounds=1)

    assert "and 10 more" in run(file, "--out", tmp_path / "result.json", status=1).output


@pytest.mark.parametrize(("content", "says"), [(b"{", "is not JSON"), (b"\xff\xfe{", "is not UTF-8")])
def test_what_is_no_json_is_refused(run: Run, tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "instance.json").write_bytes(content)

    assert says in run(tmp_path / "instance.json", "--out", tmp_path / "result.json", status=1).output


def test_a_lock_that_a_constraint_forbids_is_named_with_both_paths(run: Run, tmp_path: Path) -> None:
    people = [{"id": one} for one in ("ann", "bo", "cy", "di")]
    exclude = {"type": "exclude", "pairs": [["ann", "bo"]]}
    locked = [{"round": 1, "members": ["ann", "bo"]}]

    file = write(tmp_path, people=people, rounds=1, constraints=[exclude], locked=locked)
    said = run(file, "--out", tmp_path / "result.json", status=1).output

    assert "locked[0]: 'ann' and 'bo' cannot be together in round 1 under constraints[0] (exclude)" in said
    assert not (tmp_path / "result.json").exists()


def test_one_person_one_round_and_one_couple_are_said_as_one(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, people=[{"id": 1}], rounds=1)
    said = run(file, "--out", tmp_path / "result.json").stdout
    assert said.startswith("1 person, 1 round, 1 without a partner\n0 repeats, 0 points, ")

    file = write(tmp_path, kind="review", people=[{"id": 1}, {"id": 2}], reviews_per_person=1)
    said = run(file, "--out", tmp_path / "result.json").stdout
    assert said == "2 people, 1 review each, 2 in all\n0 people with fewer, 1 couple with reviews of each other\n"


def test_who_has_too_few_reviews_is_a_note(run: Run, tmp_path: Path) -> None:
    apart = {"type": "exclude", "pairs": [["c", "a"], ["c", "b"]]}
    file = write(
        tmp_path, kind="review", people=[{"id": one} for one in "abc"], constraints=[apart], reviews_per_person=1
    )

    said = run(file, "--out", tmp_path / "result.json")

    assert said.stderr == ("Note: reviews: 'c' does 0 and gets 0 of 1. The constraints leave them no partner at all.\n")
    assert "1 person with fewer" in said.stdout


def test_notes_do_not_get_into_the_summary(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, people=[{"id": "a", "nickname": "x"}, {"id": "b"}], rounds=1)

    said = run(file, "--out", tmp_path / "result.json")

    assert said.stderr == "Note: people[0].nickname: is not a field of the format, so it is not read\n"
    assert len(said.stdout.splitlines()) == 2


def test_an_old_result_stays_when_the_new_one_does_not_pass_the_check(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "verify", lambda *_: [Violation(Breach.TWICE, 1, (1,))])
    (tmp_path / "result.json").write_text("old")

    said = run(INSTANCES / "company.json", "--out", tmp_path / "result.json", status=1).output

    assert "did not pass our own check" in said
    assert (tmp_path / "result.json").read_text() == "old"


def test_a_place_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    said = run(INSTANCES / "company.json", "--out", tmp_path / "nowhere" / "result.json", status=1).output

    assert "cannot be written: No such file or directory" in said


def test_a_result_is_a_plain_file_like_any_other(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")

    run(INSTANCES / "company.json", "--out", tmp_path / "result.json")

    modes = {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_file_that_is_not_there_is_a_mistake_of_typing(run: Run, tmp_path: Path) -> None:
    no_file = run(tmp_path / "none.json", "--out", tmp_path / "result.json", status=2)
    no_result = run(INSTANCES / "company.json", status=2)

    assert "none.json' does not exist" in no_file.stderr
    assert "Missing option '--out'" in no_result.stderr


def test_half_a_character_is_refused_in_words_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, rounds=1, people=[{"id": "a\ud800"}, {"id": "b"}])

    said = run(file, "--out", tmp_path / "result.json", status=1).stderr

    assert "surrogates not allowed" in said
    assert not (tmp_path / "result.json").exists()
