"""The codec beside zeep; in a process of its own, because it changes how garbage is collected."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.common import ROOT


def test_it_compares_both_directions_at_several_sizes(tmp_path: Path) -> None:
    """Every figure is there, with both parsers, and each is some times faster than zeep."""
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "benchmarks.soap", "--rounds", "1", "--profile", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    findings = json.loads(out.read_text())["findings"]
    names = [each["name"] for each in findings[3:6]]
    assert [name.partition(",")[0] for name in names] == ["1 kB"] * 3
    assert [name.rpartition(", ")[2] for name in names] == ["read (plain)", "read (names)", "written (plain)"]
    assert len(findings) == 12
    assert all(each["value"] > 1 for each in findings)
    assert "decoding.py" in done.stdout
