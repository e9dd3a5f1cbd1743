"""What clients notice when processes end."""

from pathlib import Path

from benchmarks import faults
from tests.benchmarks.smoke import measured


def test_only_a_killed_data_process_loses_requests(tmp_path: Path) -> None:
    """One short round of each fault: nothing is lost to SIGTERM, nor to the death of control."""
    sizes = ("--rounds", "1", "--seconds", "0.3", "--rate", "200", "--connections", "16")
    found = measured(faults.main, *sizes, out=tmp_path / "out.json")
    lost = {name: found[name] for name in ("SIGTERM: requests failed", "SIGKILL control: requests failed")}
    assert lost == dict.fromkeys(lost, 0)
    assert found["SIGKILL data: connections refused"] == 0
    assert found["SIGKILL data: until served again, longest"] is not None
