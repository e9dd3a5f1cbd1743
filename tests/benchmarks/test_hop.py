"""The comparison with other proxies."""

from pathlib import Path

import pytest

from benchmarks import hop
from benchmarks.common import CannotMeasure
from tests.benchmarks.smoke import measured, needs_nginx_and_wrk


@needs_nginx_and_wrk
def test_it_compares_cpu_at_a_rate_and_at_full_load(tmp_path: Path) -> None:
    """One short round gives a ratio for each, and no sample is invalid."""
    sizes = ("--rounds", "1", "--rate", "300", "--rate-seconds", "0.5", "--seconds", "1", "--routes", "40")
    found = measured(hop.main, *sizes, "--peers", "nginx", out=tmp_path / "out.json")
    assert "CPU / nginx at full load, median" in found
    assert all(value > 0 for value in found.values())


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without nginx or wrk there is nothing to compare with, and the message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotMeasure, match="is not installed"):
        hop.main([])


def test_an_unknown_peer_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        hop.main(["--peers", "nginx,nobody"])
    assert "nobody" in capsys.readouterr().err
