"""No write is lost, whatever is killed and whoever fails."""

from pathlib import Path

from benchmarks import writes
from tests.benchmarks.smoke import measured

SIZES = ("--kills", "2", "--keys", "4", "--rate", "60", "--spell", "0.5", "--drain", "20")


def test_no_write_is_lost(tmp_path: Path) -> None:
    """Processes are killed on both databases, and each side fails in every way."""
    found = measured(writes.main, *SIZES, "--ways", "kills,moods", out=tmp_path / "out.json")
    for name in ("killed, SQLite", "killed, PostgreSQL", "moods"):
        assert found[f"{name}: writes"] > 0
        for what in ("acknowledged and lost", "on one side alone, and not listed", "out of order", "under two keys"):
            assert found[f"{name}: {what}"] == 0
