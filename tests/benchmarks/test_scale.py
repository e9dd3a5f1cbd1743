"""How much of everything the gateway bears."""

from pathlib import Path

import pytest

from benchmarks import memory, scale
from benchmarks.scale import SECTIONS
from tests.benchmarks.smoke import measured, needs_wrk


@pytest.fixture(autouse=True)
def no_time_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of a small run are of no use anyway."""
    monkeypatch.setattr(memory, "SETTLE", 0.1)


SMALL = ("--routes", "60", "--bytes", "3000000", "--connections", "20", "--starts", "1", "--helps", "1")
LOAD = ("--rounds", "1", "--seconds", "1", "--requests", "1500", "--routes", "60")


def test_it_measures_without_wrk_what_needs_none(tmp_path: Path) -> None:
    """Help, loading, the first answer, idle connections, large bodies."""
    found = measured(scale.main, "--only", "help,load,start,idle,bodies", *SMALL, out=tmp_path / "out.json")
    assert list(found) == [
        "banyan --help",
        "loading 60 routes",
        "first answer with 1,000 routes",
        "each of 20 idle connections",
        "idle connections that were closed",
        "0.003 GB down: memory at its peak",
        "0.003 GB up: memory at its peak",
    ]
    assert found["idle connections that were closed"] == 0


@needs_wrk
def test_it_measures_cost_and_growth_under_full_load(tmp_path: Path) -> None:
    """CPU with many routes over that with few, and memory after many requests."""
    found = measured(scale.main, "--only", "cost,growth", *LOAD, out=tmp_path / "out.json")
    assert found["CPU per request, 60 / 10 routes"] > 0
    assert found["memory of the tree, 1,000 routes"] > found["memory of the data process, 1,000 routes"] > 1


def test_an_unknown_section_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        scale.main(["--only", "help,luck"])
    assert "luck" in capsys.readouterr().err
    assert set(SECTIONS) >= {"help", "load", "start", "idle", "bodies", "growth", "cost"}
