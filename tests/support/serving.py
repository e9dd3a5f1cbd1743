"""A handler on real sockets, but within this process, so that what it leaves behind can be seen."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from gateway.core.captured import Passed, Passing, Sample, Seconds, Skipped
from gateway.core.crosswalk import Pairs
from gateway.core.model import Backend, Gateway, Observation, Observed, Route
from gateway.core.policies import Maintenance, Protect, RetryPolicy
from gateway.core.writing import Asked, Ending, Intent, Receipt
from gateway.proxy.durable import Durable
from gateway.proxy.handler import Handler
from gateway.proxy.live import LiveBuilder
from gateway.proxy.pace import Effort, Pace, Strain
from gateway.proxy.recorder import Recorder
from gateway.proxy.shadows import Shadows
from gateway.proxy.watching import Watch
from gateway.wire.clock import Clock
from gateway.wire.server import Server, Settings
from tests.support.origin import Origin


class Serving:
    """A handler that serves routes from one origin for each backend, and a client's connection to it.

    What passes is asked of the other side within this process too. `seen` are the observations, `samples`, `skipped`
    and `seconds` what copies brought, `traced` what those were that are traced; `deaf` refuses what passes. `protect`,
    `retry` and `maintained` are what backends say of these, by name; `settings` are others of all backends.
    """

    def __init__(
        self,
        origins: dict[str, Origin],
        *served: Route,
        gateway: Gateway | None = None,
        protect: Mapping[str, Protect] | None = None,
        retry: Mapping[str, RetryPolicy] | None = None,
        maintained: Mapping[str, Maintenance] | None = None,
        **settings: Any,
    ) -> None:
        self.seen: list[Observation] = []
        self.samples: list[Sample] = []
        self.skipped: Skipped = {}
        self.seconds: Seconds = {}
        self.traced: list[Observation] = []
        self.deaf = False
        self.pairs = Pairs()
        self.asked: list[Intent | Ending | Receipt] = []
        self.stores: Callable[[Intent | Ending | Receipt], tuple[Any, ...] | None] = _stored
        self._origins = origins
        self._served = served
        self._gateway = gateway or Gateway(served_by=False)
        self._protect = protect or {}
        self._retry = retry or {}
        self._maintained = maintained or {}
        self._settings = settings

    async def open(self) -> None:
        gateway, self.clock = self._gateway, Clock()
        backends = [
            Backend(
                name,
                "127.0.0.1",
                origin.port,
                authority=b"127.0.0.1:%d" % origin.port,
                protect=self._protect.get(name),
                retry=self._retry.get(name),
                maintenance=self._maintained.get(name),
                **self._settings,
            )
            for name, origin in self._origins.items()
        ]
        builder = LiveBuilder(1, "d1ge57", gateway, backends, None, self.clock)
        await builder.add(self._served)
        self.live = builder.live
        self.recorder = Recorder(self._take)
        pace = Pace(Strain(Effort().part))
        self.shadows = Shadows(builder.live, self._take_samples, pace, self.pairs, self.traced.append)
        self.watch = Watch(self._take_passed)
        self.watch.has_room(1_000_000)
        settings = Settings(gateway.limits, gateway.timeout, gateway.keep_alive, lambda _: False)
        self.durable = Durable(self._ask_to_store, self.clock)
        self.handler = Handler(builder.live, self.recorder, self.watch, self.durable, self.pairs)
        self.server = Server(self.handler.serve, settings, self.clock)
        loop = asyncio.get_running_loop()
        self.clock.start()
        self._listening = await loop.create_server(self.server.accept, "127.0.0.1", 0)
        self.address = self._listening.sockets[0].getsockname()
        self._reader, self._writer = await asyncio.open_connection(*self.address)

    async def ask(self, head: bytes, answer: bytes) -> None:
        """Send a request, and read until what was to come has come."""
        self._writer.write(head)
        async with asyncio.timeout(10):
            await self._reader.readuntil(answer)

    async def get(self, target: str, *lines: str, until: bytes = b"\r\n\r\n") -> None:
        """Ask for a target, and read until the head of the answer, or whatever else, has come."""
        fields = "".join(f"{line}\r\n" for line in ("Host: api.example", *lines))
        await self.ask(f"GET {target} HTTP/1.1\r\n{fields}\r\n".encode(), until)

    async def compared(self, count: int = 1, within: float = 5.0) -> list[Sample]:
        """The samples, once there are as many (or as much was skipped)."""
        async with asyncio.timeout(within):
            while len(self.samples) + sum(self.skipped.values()) < count:
                await asyncio.sleep(0.01)
                self.watch.tick()
                self.shadows.tick()
        return self.samples

    def origin_of(self, backend: str) -> Origin:
        """The origin behind a backend."""
        return self._origins[backend]

    async def close(self) -> None:
        self._writer.close()
        self._listening.close()
        self.server.abort_all()
        self.watch.stop()
        self.shadows.stop()
        for _ in range(500):  # copies that are under way come to their end
            if not any(pool.open[0] for pool in self.live.pools.values()):
                break
            await asyncio.sleep(0.01)
        for pool in self.live.pools.values():
            pool.retire()
        self.clock.stop()
        with suppress(ConnectionError):  # a test may have had it reset
            await self._writer.wait_closed()
        await self._listening.wait_closed()
        for _ in range(10):  # connections end in turns of the loop of their own
            await asyncio.sleep(0.001)

    def _ask_to_store(self, session: str, batch: list[Asked]) -> bool:
        """What is to be stored is noted in `asked`, and answered by `stores`; without an answer nobody is there."""
        self.asked += [each for _, each in batch]
        answers = [(number, answer) for number, each in batch if (answer := self.stores(each)) is not None]
        if len(answers) < len(batch):
            return False
        told = dict(answers)
        done = [each.id for number, each in batch if isinstance(each, Ending) and told[number] == ("done",)]
        asyncio.get_running_loop().call_soon(self.durable.told, answers, done)
        return True

    def _take(self, batch: list[Observed]) -> bool:
        self.seen += map(Observation._make, batch)
        return True

    def _take_passed(self, requests: list[Passing], skipped: Skipped) -> bool:
        if self.deaf:
            return False
        self._take_samples([], skipped, {})
        self.shadows.take(map(Passed._make, requests))
        return True

    def _take_samples(self, samples: list[Sample], skipped: Skipped, seconds: Seconds) -> None:
        self.samples += samples
        self.seconds |= seconds
        for key, count in skipped.items():
            self.skipped[key] = self.skipped.get(key, 0) + count


def _stored(asked: Intent | Ending | Receipt) -> tuple[Any, ...]:
    """What a store answers with which all is well, and which keeps nothing."""
    if isinstance(asked, Receipt):
        return ("none",)
    if isinstance(asked, Ending):
        return ("done",)
    return ("queued", asked.id) if asked.queue == "now" else ("go",)


async def until(holds: Callable[[], bool], within: float = 5.0) -> None:
    """Wait until something is so, while the loop goes on."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
