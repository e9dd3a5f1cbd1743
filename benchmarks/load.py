"""A client that asks at a constant rate over kept connections, and counts every request that fails, by kind.

    python -m benchmarks.load --port 8080 --requests FILE --rate 2000 --seconds 5

Requests are due at fixed instants, however slow the answers are, and a latency runs from the instant the request was
due: a stall counts against everything it delays. Nothing is asked twice. Rate 0 asks whenever a connection is free.
"""

import asyncio
import errno
import gc
import json
import selectors
import sys
from argparse import Namespace
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Self

from benchmarks.common import CannotMeasure, parser, run
from benchmarks.estate import read_requests
from benchmarks.line import Line
from benchmarks.proc import on_core
from benchmarks.tally import Tally, at

ANSWER_TIMEOUT = 10.0
CONNECT_AGAIN = 0.02


class Client:
    """The schedule, the connections, and the requests that wait for one."""

    def __init__(
        self, port: int, requests: Sequence[bytes], *, rate: float, connections: int = 64, total: int | None = None
    ) -> None:
        self._port = port
        self._requests = requests
        self._rate = rate
        self._count = connections
        self._total = total
        self._asked = 0
        self._free: list[Line] = []
        self._lines: set[Line] = set()
        self._waiting: deque[float] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._nth = 0
        self._begun = self._over = False
        self._began = 0.0
        self._ended: asyncio.Event
        self.tally = Tally()

    async def run(self) -> Tally:
        """Ask until `total` requests are over, or `stop` is called and those under way are."""
        self._ended = asyncio.Event()
        await asyncio.gather(*(self._open() for _ in range(self._count)))
        loop = asyncio.get_running_loop()
        watching = loop.create_task(self._watch())
        self._began, self._begun = monotonic(), True
        if self._rate:
            self._tick()
        else:
            self._fill()
        await self._ended.wait()
        watching.cancel()
        for task in self._opening:
            task.cancel()
        for line in list(self._lines):
            line.transport.abort()
        self.tally.unsent = len(self._waiting)
        return self.tally

    def stop(self) -> None:
        """Ask nothing more. To be called in the loop's thread."""
        self._over = True
        self._settle()

    # -------------------------------------------------------------------------------------------- asking

    def _tick(self) -> None:
        """Ask all that is due by now, then sleep until the next is."""
        now = monotonic()
        while not self._all_asked():
            due = self._began + self._asked / self._rate
            if due > now:
                asyncio.get_running_loop().call_at(due, self._tick)
                return
            self.tally.late.append(now - due)
            self._asked += 1
            self._waiting.append(due)
            self._serve_waiting()

    def _fill(self) -> None:
        """Give every free connection something to ask."""
        while self._free and not self._all_asked():
            self._asked += 1
            self._waiting.append(monotonic())
            self._serve_waiting()

    def _all_asked(self) -> bool:
        return self._over or (self._total is not None and self._asked >= self._total)

    def _serve_waiting(self) -> None:
        while self._waiting and self._free:
            request = self._requests[self._nth % len(self._requests)]
            self._nth += 1
            self._free.pop().ask(request, self._waiting.popleft())

    # -------------------------------------------------------------------------------------------- what lines tell

    def free(self, line: Line) -> None:
        """A connection has nothing under way."""
        self._free.append(line)
        self._serve_waiting()
        if not self._rate and self._begun:
            self._fill()
        self._settle()

    def opened(self, line: Line) -> None:
        self._lines.add(line)
        self.free(line)

    def gone(self, line: Line) -> None:
        """A connection is closed; another takes its place."""
        self._lines.discard(line)
        if line in self._free:
            self._free.remove(line)
        if not self._ended.is_set() and not self._over:
            task = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        self._settle()

    def _settle(self) -> None:
        """The end has come when nothing is to be asked and nothing is under way."""
        waited_for = not self._over and (self._waiting or not self._all_asked())
        if not waited_for and not any(line.busy for line in self._lines):
            self._ended.set()

    async def _open(self) -> None:
        """Connect, and try again while nobody listens."""
        loop = asyncio.get_running_loop()
        while not self._over:
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT):
                    await loop.create_connection(lambda: Line(self), "127.0.0.1", self._port)
            except ConnectionRefusedError:
                self.tally.refused.append(monotonic())
            except OSError as error:  # TimeoutError is one
                name = errno.errorcode.get(error.errno or 0, "timeout").lower()
                self.tally.failures[f"connect_{name}"] += 1
            else:
                return
            await asyncio.sleep(CONNECT_AGAIN)

    async def _watch(self) -> None:
        """Give up on what is not answered in time."""
        while True:
            await asyncio.sleep(0.5)
            for line in list(self._lines):
                if line.busy and monotonic() - line.sent > ANSWER_TIMEOUT:
                    line.fail("timeout")
                    line.transport.abort()


# ------------------------------------------------------------------------------------------------ ways to run it


def new_loop() -> asyncio.AbstractEventLoop:
    """select() sleeps as long as it is told to; epoll rounds up to a millisecond. It takes fewer than 1,000 files."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def ask(client: Client) -> Tally:
    """Run a client to its end, here."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(client.run())


class Load:
    """A client on a thread of its own, for as long as the `with` block runs; `tally` is whole after it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._loop: asyncio.AbstractEventLoop
        self._thread = ThreadPoolExecutor(1)
        self._result: Future[Tally]
        self.tally = client.tally

    def __enter__(self) -> Self:
        self._loop = new_loop()
        self._result = self._thread.submit(self._loop.run_until_complete, self._client.run())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._client.stop)
        try:
            self._result.result(3 * ANSWER_TIMEOUT)
        finally:
            self._thread.shutdown()
            self._loop.close()


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    total = int(options.rate * options.seconds)
    if total < 1:
        raise CannotMeasure("give a --rate and --seconds that make at least one request")
    client = Client(
        options.port,
        read_requests(options.requests),
        rate=options.rate,
        connections=options.connections,
        total=total,
    )
    gc.disable()
    with on_core(options.core):
        tally = ask(client)
    latency = sorted(each.answered - each.due for each in tally.good)
    late = sorted(tally.late)
    document = {
        "asked": total,
        "good": len(tally.good),
        "failures": dict(tally.failures),
        "p50_us": at(latency, 0.5) * 1e6,
        "p99_us": at(latency, 0.99) * 1e6,
        "late_p50_us": at(late, 0.5) * 1e6,
        "late_p99_us": at(late, 0.99) * 1e6,
    }
    json.dump(document, sys.stdout)
    return 0


def _options(arguments: Sequence[str] | None) -> Namespace:
    made = parser(__doc__, "load")
    made.add_argument("--port", type=int, required=True)
    made.add_argument("--requests", type=Path, required=True, metavar="FILE", help="whole requests, a NUL between each")
    made.add_argument("--rate", type=float, default=2_000, help="requests per second")
    made.add_argument("--seconds", type=float, default=5)
    made.add_argument("--connections", type=int, default=64)
    made.add_argument("--core", type=int, help="stay on this core")
    return made.parse_args(arguments)


if __name__ == "__main__":
    run(main)
