"""What is told of a ramp holds, whatever is killed."""

from pathlib import Path

from benchmarks import killing
from tests.benchmarks.smoke import measured


def test_what_was_told_holds(tmp_path: Path) -> None:
    """Control and data are killed once, of one gateway and of two: no step is undone, and control's death is free."""
    sizes = ("--kills", "2", "--rate", "100", "--delivered", "0")
    found = measured(killing.main, *sizes, out=tmp_path / "out.json")
    for name in ("one gateway", "two gateways"):
        assert found[f"{name}: kills"] == 2
        assert found[f"{name}: undone, repeated or not told"] == 0
        assert found[f"{name}: requests that were moved back to legacy"] == 0
        assert found[f"{name}: requests failed, control killed"] == 0
