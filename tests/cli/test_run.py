"""`banyan run` reads its options and hands over."""

from pathlib import Path
from typing import Any

import pytest

from gateway.processes.options import RunOptions
from gateway.processes.supervisor import Address
from tests.cli.conftest import Banyan


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[RunOptions]:
    """What the gateway would be started with."""
    given: list[RunOptions] = []

    def instead(options: RunOptions) -> int:
        given.append(options)
        return 0

    monkeypatch.setattr("gateway.app.run_control", instead)
    return given


def test_the_defaults_are_for_one_machine(banyan: Banyan, given: list[RunOptions]) -> None:
    """Without options the gateway serves routes.yaml on loopback."""
    assert banyan("run").code == 0
    expected = RunOptions(
        Path("routes.yaml"), Address("127.0.0.1", 8080), Address("127.0.0.1", 8081), Path(".banyan"), "info"
    )
    assert given == [expected]


def test_a_flag_beats_its_variable(banyan: Banyan, given: list[RunOptions], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option has a variable; the flag wins."""
    variables = {"CONFIG": "a.yaml", "LISTEN": ":80", "ADMIN": "[::1]:81", "DATA": "d", "LOG_LEVEL": "debug"}
    for name, value in variables.items():
        monkeypatch.setenv(f"BANYAN_{name}", value)
    banyan("run", "--listen", "0.0.0.0:8080")
    assert given == [RunOptions(Path("a.yaml"), Address("0.0.0.0", 8080), Address("::1", 81), Path("d"), "debug")]


@pytest.mark.parametrize("option", ["--listen", "--admin"])
def test_a_wrong_address_is_a_usage_error(banyan: Banyan, given: list[RunOptions], option: str) -> None:
    """An address that is none is refused with an example, and nothing is started."""
    ran = banyan("run", option, "nowhere")
    assert (ran.code, option in ran.err, "127.0.0.1:8080" in ran.err) == (2, True, True)
    assert given == []


def test_a_wrong_level_is_a_usage_error(banyan: Banyan, given: list[Any]) -> None:
    """The levels that there are are listed."""
    ran = banyan("run", "--log-level", "loud")
    assert (ran.code, "warning" in ran.err, given) == (2, True, [])
