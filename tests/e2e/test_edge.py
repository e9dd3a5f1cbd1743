"""The edge pack: 275 requests that tell a sound intermediary from a leaky one (run from the checkout's neighbour)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.ports import free_port
from tests.support.gateway import Gateway

PROBE = Path(__file__).parents[2].parent / "shared" / "edge" / "edge_probe.py"


@pytest.mark.skipif(not PROBE.exists(), reason="the edge pack is not beside this checkout; CI has it")
def test_all_of_the_edge_pack_passes(tmp_path: Path) -> None:
    """275 of 275: nothing smuggled, nothing leaked, nothing left unanswered."""
    origin_port = free_port()
    routes = f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  edge: {{url: "http://127.0.0.1:{origin_port}"}}
routes:
  - {{name: edge, match: ANY /edge/**, legacy: edge}}
"""
    results = tmp_path / "results.json"
    with Gateway(tmp_path, routes) as gateway:
        where = ["--proxy", f"127.0.0.1:{gateway.port}", "--origin-port", str(origin_port), "--json", str(results)]
        done = subprocess.run([sys.executable, str(PROBE), *where], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "275" in done.stdout
    assert json.loads(results.read_text())
