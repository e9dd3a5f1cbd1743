"""Addresses die and come back: what fails is only what could not be sent twice, and is counted."""

from pathlib import Path

from benchmarks import addresses
from tests.benchmarks.smoke import measured


def test_only_what_could_not_be_sent_twice_fails(tmp_path: Path) -> None:
    """Reads and idempotent writes do not; each failure of others is told by the gateway."""
    found = measured(addresses.main, "--deaths", "2", out=tmp_path / "out.json")
    assert found["deaths"] == 2
    assert found["read: failed"] == 0
    assert found["put: failed"] == 0
    assert found["post: failed, and not counted by the gateway"] == 0
