"""Load by wrk, from one thread, over kept connections: as much as the other side takes, or clients that think.

wrk waits for each answer before it asks again. At full load it says what a request costs, and nothing about latency;
with clients that think before each request, for a while that is drawn, it says how long answers take as well.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import CannotMeasure, needed, tail
from benchmarks.proc import on_core

_SCRIPT = r"""
local made, at, think = {}, 0, 0
function init(arguments)
  think = tonumber(arguments[2])
  math.randomseed(os.time())
  if think > 0 then
    delay = function() return -math.log(1 - math.random()) * think end
  end
  local file = assert(io.open(arguments[1], "rb"))
  for text in file:read("*a"):gmatch("[^%z]+") do made[#made + 1] = text end
  file:close()
end
function request()
  at = at % #made + 1
  return made[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"p50_us":%d,' ..
    '"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), e.status, e.connect, e.read, e.write, e.timeout))
end
"""


class Wrk(NamedTuple):
    """One run: requests answered, seconds it took, what failed, by kind, and the median latency in microseconds."""

    requests: int
    seconds: float
    failures: dict[str, int]
    p50_us: float


def run_wrk(
    port: int,
    requests: Path,
    seconds: float,
    *,
    connections: int = 64,
    think_ms: float = 0.0,
    core: int | None = None,
    folder: Path,
) -> Wrk:
    """Load a port with the requests of a file, in turn. Raises CannotMeasure.

    `think_ms` is how long a client thinks before a request, on average: an exponential time, in whole milliseconds.
    """
    program = needed("wrk")
    script = folder / "wrk.lua"
    script.write_text(_SCRIPT)
    whole = max(1, round(seconds))
    command = [program, "-t1", f"-c{connections}", f"-d{whole}s", "--timeout", "10s", "-s", str(script)]
    command += [f"http://127.0.0.1:{port}/", "--", str(requests), str(think_ms)]
    output = folder / "wrk.out"
    with output.open("wb") as file, on_core(core):
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=whole + 30, check=False)
    found = re.search(r"^RESULT (.*)$", output.read_text(errors="replace"), re.MULTILINE)
    if found is None:
        raise CannotMeasure(f"wrk gave no result{tail(output)}")
    result = json.loads(found[1])
    failures = {kind: result[kind] for kind in ("status", "connect", "read", "write", "timeout") if result[kind]}
    return Wrk(result["requests"], result["microseconds"] / 1e6, failures, result["p50_us"])
