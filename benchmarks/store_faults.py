"""What becomes of traffic and ramps while the store hangs, is stopped, is locked, or has no room.

    python -m benchmarks.store_faults [--faults hangs,stops,locked,full]

One ramp takes a step whenever it may, with every request copied; half of another route's traffic is on a side that
turns bad while the store is away. Nothing may fail, nothing may be promoted meanwhile, the bad side is left at once;
afterwards the store is had again by itself, and has what was counted and decided without it.
"""

import asyncio
import sqlite3
import subprocess
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from time import sleep, time
from typing import NamedTuple

from benchmarks.common import CannotMeasure, Crew, Gateway, get, needed, parser, run, tail
from benchmarks.load import Client, Load
from benchmarks.postgres import Postgres
from benchmarks.ramps import CLIMB, Journey, found, routes_yaml, steady_requests, wait_for
from benchmarks.report import Finding, finish, say
from benchmarks.rolling_back import APART, AT_MOST, Way, went_back
from benchmarks.turning import Sides
from gateway.core.positions import State
from gateway.rollouts.keeper import FLUSH
from gateway.store.addresses import FILE
from gateway.store.repository import Store

CLIMBING = Journey("climbing", CLIMB, "1s", "100%")
TURNING = Journey("turning")
ALARM, RECOVERY = 10.0, 8.0
"""Seconds, at most. A store that hangs has five to answer before it is given up."""
GRACE = 0.2
"""Seconds after the beginning of a fault in which a step may still be told that was taken before it."""
SETTLE = FLUSH + 3.0
"""Seconds until the store has what was counted last."""
ROOM = 24
"""MiB of the small disk."""


class NoDisk(CannotMeasure):
    """There can be no small disk here."""


# ------------------------------------------------------------------------------------------------ the faults


@contextmanager
def hangs(server: Postgres) -> Iterator[None]:
    """Every process of PostgreSQL stands still."""
    server.hang()
    try:
        yield
    finally:
        server.go_on()


@contextmanager
def stops(server: Postgres) -> Iterator[None]:
    """PostgreSQL is shut down."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Another process holds SQLite's file."""
    connection = sqlite3.connect(data / FILE, isolation_level=None, timeout=10)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def full(data: Path) -> Iterator[None]:
    """Another file takes all the room there is."""
    filler = data / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4_096))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def small_disk() -> Iterator[Path]:
    """A disk with little room. Raises NoDisk where this user may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="banyan-disk-"))
    command = [needed("mount"), "-t", "tmpfs", "-o", f"size={ROOM}m,mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        folder.rmdir()
        raise NoDisk(f"a disk that is full needs a small tmpfs, and that needs root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([needed("umount"), str(folder)], check=True)
        folder.rmdir()


OF_A_SERVER: Mapping[str, Callable[[Postgres], AbstractContextManager[None]]] = {"hangs": hangs, "stops": stops}
OF_A_FILE: Mapping[str, Callable[[Path], AbstractContextManager[None]]] = {"locked": locked, "full": full}


# ------------------------------------------------------------------------------------------------ one fault


class Outcome(NamedTuple):
    """What came of one fault, in requests and in seconds.

    `alarm` counts from its beginning, `recovered` and `stepped` (the ramp goes on) from its end, `back` from the answer
    that decided; `up` is what the metric said meanwhile, `lost` what is not in the store afterwards, `state` what the
    store says of the ramp that went back.
    """

    promoted: int
    alarm: float
    up: float
    back: float
    recovered: float
    stepped: float
    asked: int = 0
    failed: int = 0
    lost: int = 0
    state: str = ""


def measured(name: str, options: Namespace) -> Outcome:
    """One gateway, whose store fails under load for as long as is wanted."""
    with ExitStack() as stack:
        sides = stack.enter_context(Sides())
        server = stack.enter_context(Postgres()) if name in OF_A_SERVER else None
        disk = stack.enter_context(small_disk()) if name == "full" else None
        crew = stack.enter_context(Crew())
        url = server.database() if server is not None else ""
        data = disk / "data" if disk is not None else None
        gateway = crew.gateway(routes_yaml(sides, [CLIMBING, TURNING]), store=url, data=data)
        fault = OF_A_SERVER[name](server) if server is not None else OF_A_FILE[name](gateway.data)
        requests = [each for pair in zip(*map(steady_requests, (CLIMBING, TURNING)), strict=True) for each in pair]
        with Load(Client(gateway.port, requests, rate=options.rate, connections=32)) as load:
            wait_for([gateway], "ramp_promoted", CLIMBING.name, times=3)
            wait_for([gateway], "ramp_promoted", TURNING.name)
            outcome = under(fault, sides, gateway, options.seconds, options.apart)
        asked = len(load.tally.good) + load.tally.failed
        sleep(SETTLE)
        state, kept = asyncio.run(stored(url, gateway.data))
    return outcome._replace(asked=asked, failed=load.tally.failed, lost=asked - kept, state=state)


def under(fault: AbstractContextManager[None], sides: Sides, gateway: Gateway, seconds: float, apart: float) -> Outcome:
    """What happens while there is a fault, and until the ramp goes on after it."""
    began = time()
    with fault:
        told = wait_for([gateway], "store_unavailable", since=began)
        up = store_up(gateway)
        back = went_back(sides, [gateway], TURNING, Way(how="fails", quick=2, apart=apart))
        sleep(max(0.0, began + seconds - time()))
        promoted = len(found([gateway], "ramp_promoted", CLIMBING.name, began + GRACE))
        ended = time()
    recovered = wait_for([gateway], "store_recovered", since=ended)
    stepped = wait_for([gateway], "ramp_promoted", CLIMBING.name, since=ended)
    if store_up(gateway) != 1:
        raise CannotMeasure(f"the store is back, and the metric does not say so{tail(gateway.log)}")
    return Outcome(promoted, told.at - began, up, back, recovered.at - ended, stepped.at - ended)


def store_up(gateway: Gateway) -> float:
    """What the metric says of the store."""
    lines = get(gateway.admin, "/metrics").body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("banyan_store_up "))


async def stored(url: str, data: Path) -> tuple[str, int]:
    """The state of the ramp that went back, and how many requests of the load were counted, as the store has them."""
    store = await Store.open(url or None, data, upgrade=False)
    try:
        states = {each.journey: each.document["state"] for each in await store.positions()}
        traffic = await store.traffic(0, time() + 60)
    finally:
        await store.close()
    places = (CLIMBING.steady, TURNING.steady)
    return states[TURNING.name], sum(each.requests for each in traffic if each.route in places and each.role == "live")


# ------------------------------------------------------------------------------------------------ what it comes to


def findings_of(name: str, outcome: Outcome) -> list[Finding]:
    known = float(outcome.state == State.ROLLED_BACK)
    return [
        Finding(f"{name}: requests failed", outcome.failed, at_most=0, note=f"of {outcome.asked:,}"),
        Finding(f"{name}: promoted meanwhile", outcome.promoted, at_most=0),
        Finding(f"{name}: until the alarm", outcome.alarm, "s", ALARM),
        Finding(f"{name}: banyan_store_up meanwhile", outcome.up, at_most=0),
        Finding(f"{name}: rolling back meanwhile", outcome.back, "s", AT_MOST),
        Finding(f"{name}: until the store was had again", outcome.recovered, "s", RECOVERY),
        Finding(f"{name}: until the ramp went on", outcome.stepped, "s"),
        Finding(f"{name}: rolled back in the store afterwards", known, at_least=1, note=outcome.state),
        Finding(f"{name}: requests missing in the store afterwards", outcome.lost, at_most=0),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    every = [*OF_A_SERVER, *OF_A_FILE]
    made = parser(__doc__, "store_faults")
    made.add_argument("--faults", type=lambda text: text.split(","), default=every, help=", ".join(every))
    made.add_argument("--rate", type=float, default=300, help="requests per second (default 300)")
    made.add_argument("--seconds", type=float, default=20, help="that a fault lasts at least (default 20)")
    made.add_argument("--apart", type=float, default=APART, help="seconds between answers that may decide (default 3)")
    options = made.parse_args(arguments)
    findings: list[Finding] = []
    for name in options.faults:
        try:
            findings += findings_of(name, measured(name, options))
        except NoDisk as error:
            say(f"{name}: left out; {error}")
        else:
            say(f"{name}: done")
    return finish("the store fails", findings, [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
