"""The hot path without sockets; in a process of its own, because it changes how garbage is collected."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.common import ROOT


def test_it_compares_a_request_with_turns_of_an_empty_loop(tmp_path: Path) -> None:
    """Every request is answered, and costs more than a turn."""
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "benchmarks.hot_path", "--rounds", "2", "--requests", "50", "--routes", "20"]
    done = subprocess.run(
        [*command, "--profile", "--out", str(out)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "turns" in done.stdout
    assert "handler.py" in done.stdout
    assert json.loads(out.read_text())["findings"][0]["value"] > 1
