"""What becomes of traffic and ramps while the store fails."""

from pathlib import Path

from benchmarks import store_faults
from tests.benchmarks.smoke import measured


def test_a_locked_store_holds_up_promotions_alone(tmp_path: Path) -> None:
    """A short lock: nothing fails or is promoted, the bad side is left, and the store has all of it afterwards."""
    sizes = ("--faults", "locked", "--rate", "100", "--seconds", "1", "--apart", "1")
    found = measured(store_faults.main, *sizes, out=tmp_path / "out.json")
    expected = {
        "requests failed": 0,
        "promoted meanwhile": 0,
        "banyan_store_up meanwhile": 0,
        "rolled back in the store afterwards": 1,
        "requests missing in the store afterwards": 0,
    }
    assert {name: found[f"locked: {name}"] for name in expected} == expected
