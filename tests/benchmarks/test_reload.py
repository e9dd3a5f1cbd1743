"""Reloads under load."""

from pathlib import Path

import pytest

from benchmarks import reload
from benchmarks.reload import BROKEN, good_yaml
from gateway.config.changes import reason_to_hold
from gateway.config.check import load
from gateway.errors import ConfigError
from tests.benchmarks.smoke import measured

HELD = {"cut_off", "most_routes_gone"}


def test_no_request_fails_and_no_broken_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise itself, in a small run, which does not wait for the figures of stalls."""
    monkeypatch.setattr(reload, "STATS_EVERY", 0.1)
    found = measured(reload.main, "--quick", out=tmp_path / "out.json")
    zero = {name: value for name, value in found.items() if "failed" in name or "would serve" in name}
    assert (found["good files taken"], found["broken files taken"]) == (4, 0)
    assert zero == dict.fromkeys(zero, 0)
    assert found["requests"] >= 1_000


@pytest.mark.parametrize("number", range(12))
def test_good_files_are_good(number: int, tmp_path: Path) -> None:
    """Each follows on the one before it, and none is held."""
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    before.write_text(good_yaml(number, 6, 1, 2))
    after.write_text(good_yaml(number + 1, 6, 1, 2))
    assert reason_to_hold(load(before, {}), load(after, {})) is None


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_broken(kind: str, tmp_path: Path) -> None:
    """Each is refused for its own problem, or is valid and must be held."""
    path = tmp_path / "routes.yaml"
    path.write_text(good_yaml(1, 6, 1, 2))
    whole = load(path, {})
    broken = BROKEN[kind](path.read_text()).encode()
    if kind in HELD:
        assert reason_to_hold(whole, load(path, {}, {path: broken})) is not None
        return
    with pytest.raises(ConfigError):
        load(path, {}, {path: broken})
