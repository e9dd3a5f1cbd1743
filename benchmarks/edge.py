"""Hostile and awkward requests against a real gateway: runs a probe, a program that is origin and client at once.

    python -m benchmarks.edge --probe PATH [options of the probe]

The probe is given `--proxy HOST:PORT` and `--origin-port PORT`; the gateway passes every path below /edge/ to that
port. Its output and its exit code are what this ends with. Where there is no probe, this says so, and fails only in CI.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Crew, free_port, parser, run

ROUTES = """\
version: 1
gateway: {{access_log: {{to: "off"}}, drain_timeout: 5s}}
backends:
  origin: {{url: "http://127.0.0.1:{port}", host: public}}
routes:
  - {{name: edge, match: ANY /edge/**, legacy: origin, path: raw}}
"""
LONGEST = 300.0


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "edge")
    made.add_argument("--probe", type=Path, required=True, metavar="PATH", help="the probe, a Python program")
    options, rest = made.parse_known_args(arguments)
    if not options.probe.exists():
        in_ci = os.environ.get("CI") == "true"
        print(
            f"There is no probe at {options.probe}, so no hostile request was sent. Say where it is with --probe PATH."
        )
        return 1 if in_ci else 0
    if options.out:
        rest += ["--json", str(options.out)]
    with Crew() as crew:
        origin = free_port()
        gateway = crew.gateway(ROUTES.format(port=origin))
        command = [sys.executable, str(options.probe), "--proxy", f"127.0.0.1:{gateway.port}"]
        probe = subprocess.run([*command, "--origin-port", str(origin), *rest], timeout=LONGEST, check=False)
        return probe.returncode


if __name__ == "__main__":
    run(main)
