"""Shells complete commands, options and route names."""

import os
from pathlib import Path

import pytest

from gateway.cli.options import complete_routes
from tests.cli.conftest import Banyan


@pytest.mark.parametrize(("shell", "says"), [("bash", "complete -o default"), ("zsh", "compdef"), ("fish", "complete")])
def test_each_shell_has_a_script(banyan: Banyan, shell: str, says: str) -> None:
    """The script of each shell is printed, to be sourced."""
    ran = banyan("completion", shell)
    assert (ran.code, says in ran.out, "_BANYAN_COMPLETE" in ran.out) == (0, True, True)


def test_an_unknown_shell_is_a_usage_error(banyan: Banyan) -> None:
    """The shells that are known are listed."""
    ran = banyan("completion", "tcsh")
    assert (ran.code, "fish" in ran.err) == (2, True)


RAMPS = """\
version: 1
backends: {office: {url: "http://127.0.0.1:9001"}}
routes:
  - {name: rent, match: GET /rent, legacy: office, new: office, serve: ramp, shadow: 5%, journey: rents}
  - {name: rest, match: ANY /**, legacy: office}
"""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("banyan ramp r", ["rents", "rent"]),
        ("banyan pause r", ["rents", "rent"]),
        ("banyan shadow re", ["rent", "rest"]),
    ],
)
def test_ramps_are_completed_by_journey_and_by_route(
    banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch, words: str, found: list[str]
) -> None:
    """Where a ramp is wanted, only what ramps is offered, under both of its names."""
    (folder / "routes.yaml").write_text(RAMPS)
    assert completed(banyan, monkeypatch, words) == found


def test_whatever_serves_can_be_rolled_back(banyan: Banyan, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`rollback` takes routes that do not ramp, too."""
    (folder / "routes.yaml").write_text(RAMPS)
    assert completed(banyan, monkeypatch, "banyan rollback r") == ["rents", "rent", "rest"]


def completed(banyan: Banyan, monkeypatch: pytest.MonkeyPatch, words: str) -> list[str]:
    """What a shell would offer."""
    monkeypatch.setitem(os.environ, "_BANYAN_COMPLETE", "complete_bash")
    monkeypatch.setitem(os.environ, "COMP_WORDS", words)
    monkeypatch.setitem(os.environ, "COMP_CWORD", str(len(words.split()) - 1))
    ran = banyan()
    assert ran.code == 0
    return ran.out.split()


@pytest.mark.parametrize(
    ("words", "found"), [("banyan ch", ["check"]), ("banyan flip l", ["list"]), ("banyan check --j", ["--json"])]
)
def test_the_shell_is_answered(banyan: Banyan, monkeypatch: pytest.MonkeyPatch, words: str, found: list[str]) -> None:
    """What could follow is printed: commands, route names of the file, options."""
    assert completed(banyan, monkeypatch, words) == found


def test_a_broken_file_completes_nothing(banyan: Banyan, folder: Path) -> None:
    """While a person types, a broken file is no reason to shout."""
    (folder / "routes.yaml").write_text("nonsense")
    assert complete_routes("l") == []
