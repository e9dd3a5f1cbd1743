"""Clients that write: each has keys of its own, and makes one write of a key after the other, each once.

What a client was told decides what may have become of a write: `made` (2xx), `queued` (202), or `failed` (anything
else, or nothing).
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from benchmarks.ledgers import Write

PATIENCE = 20.0
"""Seconds that a client waits for an answer."""
PAUSE = 0.2
"""Seconds until a client comes again to which nobody listened."""


class Writers:
    """Write for as long as the `with` block runs: `rate` a second in all, on a thread of their own.

    `told` is what clients were told of each write; `statuses` counts it.
    """

    def __init__(self, ports: Sequence[int], places: Sequence[str], keys: int, rate: float) -> None:
        self._ports = ports
        self._paths = [f"/{place}/{key}" for place in places for key in range(keys)]
        self._every = len(self._paths) / rate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._stop = asyncio.Event()
        self.told: dict[Write, int] = {}
        self.statuses: Counter[int] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        timeout = ClientTimeout(total=PATIENCE)
        async with ClientSession(timeout=timeout, connector=TCPConnector(limit=0)) as session:
            await asyncio.gather(*(self._write(session, at, path) for at, path in enumerate(self._paths)))

    async def _write(self, session: ClientSession, at: int, path: str) -> None:
        """One key, through one gateway after the other."""
        number = 0
        await asyncio.sleep(self._every * at / len(self._paths))
        while not self._stop.is_set():
            port = self._ports[(at + number) % len(self._ports)]
            self.told[path, number] = 0
            status = await self._ask(session, f"http://127.0.0.1:{port}{path}?ref={number}", b"%d" % number)
            self.told[path, number] = status
            self.statuses[status] += 1
            number += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._every if status else max(self._every, PAUSE))

    async def _ask(self, session: ClientSession, url: str, body: bytes) -> int:
        """The status of the answer; 0 where there was none."""
        try:
            async with session.post(url, data=body, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (ClientError, OSError, TimeoutError):
            return 0
