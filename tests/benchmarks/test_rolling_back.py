"""How long the bad side goes on being asked."""

from pathlib import Path

from benchmarks import rolling_back
from tests.benchmarks.smoke import measured


def test_the_bad_side_is_left(tmp_path: Path) -> None:
    """One round on SQLite: the ramp goes back by itself, the load leaves the bad side, and no request fails."""
    sizes = ("--rounds", "1", "--rate", "100", "--ways", "SQLite", "--apart", "1")
    found = measured(rolling_back.main, *sizes, out=tmp_path / "out.json")
    assert found["SQLite: requests failed"] == 0
    assert found["SQLite: until the last request"] is not None
