"""Full load by wrk: as many requests as the other side takes, from one thread, over kept connections.

wrk waits for each answer before it asks again, so it says what a request costs, and nothing about latency.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import CannotMeasure, needed, tail
from benchmarks.proc import on_core

_SCRIPT = r"""
local made, at = {}, 0
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for text in file:read("*a"):gmatch("[^%z]+") do made[#made + 1] = text end
  file:close()
end
function request()
  at = at % #made + 1
  return made[at]
end
function done(summary)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, e.status, e.connect, e.read, e.write, e.timeout))
end
"""


class Wrk(NamedTuple):
    """One run: requests answered, seconds it took, and what failed, by kind."""

    requests: int
    seconds: float
    failures: dict[str, int]


def run_wrk(
    port: int, requests: Path, seconds: float, *, connections: int = 64, core: int | None = None, folder: Path
) -> Wrk:
    """Load a port with the requests of a file, in turn. Raises CannotMeasure."""
    program = needed("wrk")
    script = folder / "wrk.lua"
    script.write_text(_SCRIPT)
    whole = max(1, round(seconds))
    command = [program, "-t1", f"-c{connections}", f"-d{whole}s", "--timeout", "10s", "-s", str(script)]
    command += [f"http://127.0.0.1:{port}/", "--", str(requests)]
    output = folder / "wrk.out"
    with output.open("wb") as file, on_core(core):
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=whole + 30, check=False)
    found = re.search(r"^RESULT (.*)$", output.read_text(errors="replace"), re.MULTILINE)
    if found is None:
        raise CannotMeasure(f"wrk gave no result{tail(output)}")
    result = json.loads(found[1])
    failures = {kind: result[kind] for kind in ("status", "connect", "read", "write", "timeout") if result[kind]}
    return Wrk(result["requests"], result["microseconds"] / 1e6, failures)
