"""How the gateway bears much of everything: routes, requests, bytes, idle connections; and how soon it is there.

    python -m benchmarks.scale [--only idle,help]

Each section starts what it measures afresh. `cost` and `growth` need wrk.
"""

import os
import subprocess
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from time import monotonic, sleep

from benchmarks import estate, memory
from benchmarks.common import ROOT, CannotMeasure, Crew, Gateway, get, parser, run
from benchmarks.proc import LOAD_CORE, PROXY_CORE, cpu_seconds
from benchmarks.report import Finding, finish, ratio, say
from benchmarks.wrk import run_wrk
from gateway.config.check import load
from gateway.core.matching import compiled

FEW = 10
Section = Callable[[Crew, Namespace], list[Finding]]


# ------------------------------------------------------------------------------------------------ many routes


def cost(crew: Crew, options: Namespace) -> list[Finding]:
    """CPU per request with many routes over that with few, in paired rounds."""
    legacy, new = crew.origin("legacy", LOAD_CORE), crew.origin("new", LOAD_CORE)
    costs: dict[int, list[float]] = {FEW: [], options.routes: []}
    gateways = {n: crew.gateway(estate.routes_yaml(n, legacy, new), f"routes-{n}", PROXY_CORE) for n in costs}
    files = {n: estate.write_requests(crew.folder / f"requests-{n}", estate.requests(n)) for n in costs}
    for number in range(options.rounds):
        for count in list(costs) if number % 2 else reversed(list(costs)):
            gateway, file = gateways[count], files[count]
            run_wrk(gateway.port, file, 1, core=LOAD_CORE, folder=crew.folder)
            before = cpu_seconds(gateway.pids())
            result = run_wrk(gateway.port, file, options.seconds, core=LOAD_CORE, folder=crew.folder)
            if result.failures or not result.requests:
                raise CannotMeasure(f"with {count} routes requests failed: {result.failures}")
            costs[count].append((cpu_seconds(gateway.pids()) - before) / result.requests * 1e6)
    beside = ratio(costs[options.routes], costs[FEW])
    if beside is None:
        raise CannotMeasure("the runs were too short to use any CPU; raise --seconds")
    return [
        Finding(f"CPU per request, {options.routes:,} / {FEW} routes", beside.median, "times", 1.1, note=str(beside)),
    ]


def loading(crew: Crew, options: Namespace) -> list[Finding]:
    """Reading, checking and compiling many routes, once, in a process that has done nothing else."""
    path = crew.folder / "many.yaml"
    path.write_text(estate.routes_yaml(options.routes, 1, 2))
    began = monotonic()
    loaded = load(path, os.environ)
    compiled(loaded.estate)
    return [Finding(f"loading {options.routes:,} routes", monotonic() - began, "s", 3.0)]


# ------------------------------------------------------------------------------------------------ being there


def start(crew: Crew, options: Namespace) -> list[Finding]:
    """From the start of the process to the first answer, with 1,000 routes: the median of a few starts."""
    port = crew.origin("legacy")
    times = sorted(_first_answer(Gateway(crew.folder / f"start-{n}"), port) for n in range(options.starts))
    note = f"{times[0]:.2f} to {times[-1]:.2f} in {len(times)} starts"
    return [Finding("first answer with 1,000 routes", times[len(times) // 2], "s", 1.5, note=note)]


def _first_answer(gateway: Gateway, origin: int) -> float:
    gateway.config.write_text(estate.routes_yaml(1_000, origin, origin))
    began = monotonic()
    gateway.start()
    try:
        while True:
            with suppress(OSError, HTTPException):
                if get(gateway.port, estate.path_of(0)).status == 200:
                    return monotonic() - began
            if monotonic() - began > 30:
                raise CannotMeasure("the gateway gave no answer within 30 s")
            sleep(0.005)
    finally:
        gateway.end()


def help_text(_: Crew, options: Namespace) -> list[Finding]:
    """`banyan --help`, best of some: a person waits for it, and for every word the shell completes."""
    installed = Path(sys.executable).with_name("banyan")
    command = [str(installed)] if installed.exists() else [sys.executable, "-m", "gateway"]
    times = []
    for _each in range(options.helps):
        began = monotonic()
        done = subprocess.run([*command, "--help"], capture_output=True, cwd=ROOT, timeout=30, check=False)
        times.append(monotonic() - began)
        if done.returncode or b"Usage" not in done.stdout:
            raise CannotMeasure(f"banyan --help does not work: {done.stderr.decode()[-300:]}")
    return [Finding("banyan --help", min(times), "s", 0.25, note=f"best of {len(times)}")]


SECTIONS: dict[str, Section] = {
    "help": help_text,
    "load": loading,
    "start": start,
    "idle": memory.idle,
    "bodies": memory.bodies,
    "growth": memory.growth,
    "cost": cost,
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    found: list[Finding] = []
    problems: list[str] = []
    for name in options.only:
        say(f"{name} ...")
        try:
            with Crew() as crew:
                found += SECTIONS[name](crew, options)
        except CannotMeasure as error:
            problems.append(f"{name}: {error}")
    return finish("scale", found, problems, settings=vars(options), out=options.out)


def _sections(text: str) -> list[str]:
    wanted = text.split(",")
    if unknown := [name for name in wanted if name not in SECTIONS]:
        raise ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return wanted


def _options(arguments: Sequence[str] | None) -> Namespace:
    made = parser(__doc__, "scale")
    sections = ", ".join(SECTIONS)
    made.add_argument("--only", type=_sections, default=list(SECTIONS), metavar="NAMES", help=f"of {sections}")
    made.add_argument("--routes", type=int, default=10_000, help="what many routes are (default 10000)")
    made.add_argument("--rounds", type=int, default=7, help="of cost (default 7)")
    made.add_argument("--seconds", type=float, default=2, help="how long each round of cost loads (default 2)")
    made.add_argument("--requests", type=int, default=1_000_000, help="of growth (default 1000000)")
    made.add_argument("--bytes", type=int, default=10**9, help="of each body (default 1000000000)")
    made.add_argument("--connections", type=int, default=5_000, help="of idle (default 5000)")
    made.add_argument("--starts", type=int, default=5, help="of start (default 5)")
    made.add_argument("--helps", type=int, default=10, help="of help (default 10)")
    return made.parse_args(arguments)


if __name__ == "__main__":
    run(main)
