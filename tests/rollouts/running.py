"""Rollouts that run in this process: a real store in a folder (or none), a file that can change, no data process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from time import time

from gateway.config.check import load
from gateway.core.captured import CapturedAnswer, CapturedRequest, Sample
from gateway.core.events import Event
from gateway.core.model import Estate
from gateway.core.policies import Standing
from gateway.errors import StoreUnavailable
from gateway.rollouts.deliveries import Delivery
from gateway.rollouts.desk import Desk
from gateway.rollouts.room import Rollouts
from gateway.rollouts.webhooks import Webhooks
from gateway.store.repository import Store
from gateway.telemetry.metrics import Traffic

ROUTES = """\
version: 1
backends: {office: {url: "http://127.0.0.1:9001"}, repairs: {url: "http://127.0.0.1:9002"}}
routes:
  - {name: rest, match: ANY /**, legacy: office}
  - {name: gone, match: GET /gone, legacy: office, serve: retired}
  - {name: list, match: ANY /repairs, legacy: office, new: repairs, serve: new}
  - {name: lines, match: GET /lines, legacy: office, new: repairs, serve: ramp, shadow: 100%, journey: rents}
  - name: balance
    match: GET /balance
    legacy: office
    new: repairs
    serve: ramp
    shadow: 100%
    journey: rents
    compare: {show: [/at]}
"""


class Unstored:
    """Deliveries where there is no store: what waits is in memory as it is, and ends with the process."""

    async def pending(self, url: str) -> Sequence[Delivery]:
        return ()

    async def delivered(self, event_id: str, url: str) -> None:
        """There is nobody to tell."""

    async def failed(self, event_id: str, url: str, attempts: int, next_try: float | None, why: str) -> None:
        """There is nobody to tell."""


class Sent(Webhooks):
    """Webhooks that only note what they are to send."""

    def __init__(self) -> None:
        super().__init__(Unstored())
        self.events: list[Event] = []

    def send(self, event: Event) -> None:
        self.events.append(event)


class Running:
    """Rollouts, and the desk before them, with a store in the folder `store` (None: their own) while `stored`.

    `holds` is what the data process would say; `applied` what it was told.
    """

    def __init__(self, folder: Path, *, stored: bool = True, store: Path | None = None) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.store = store or folder
        self.holds = True
        self.applied: Mapping[str, Standing] = {}
        self.stored = stored
        self.rollouts = Rollouts(
            folder,
            self._opened,
            Traffic(),
            self._apply,
            lambda *question: False,
            self._replay,
            lambda *order: False,
        )
        self.owed = 0
        self.still_now: list[str] = []
        self.released: list[tuple[Iterable[str], Mapping[str, Standing]]] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.desk = Desk(self.rollouts, self._stands, self)

    async def _opened(self) -> Store:
        if not self.stored:
            raise StoreUnavailable("The store is away.")
        return await Store.open(None, self.store, upgrade=True)

    async def _replay(self, route: str, recorded: CapturedRequest, source: str) -> None:
        raise AssertionError("nothing is replayed")

    @contextmanager
    def still(self, routes: Iterable[str]) -> Iterator[None]:
        self.still_now += routes
        try:
            yield
            self.released.append((routes, self.applied))
        finally:
            self.still_now.clear()

    async def drained(self, routes: Iterable[str]) -> int:
        assert self.still_now == [*routes]
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.owed < 0:
            raise StoreUnavailable("It is away.")
        return self.owed

    async def _stands(self) -> bool:
        return self.holds

    def _apply(self, standings: Mapping[str, Standing]) -> None:
        self.applied = standings

    def estate(self, text: str = ROUTES) -> Estate:
        """What a file says."""
        path = self.folder / "routes.yaml"
        path.write_text(text)
        return load(path, {}).estate


@asynccontextmanager
async def running(
    folder: Path, *, stored: bool = True, store: Path | None = None, text: str = ROUTES
) -> AsyncIterator[Running]:
    """Rollouts of a file with a ramp `rents`, which has begun if there is a store."""
    found = Running(folder, stored=stored, store=store)
    await found.rollouts.start(found.estate(text))
    try:
        if stored:
            await until(lambda: "rents" in found.rollouts.standings.positions)
        yield found
    finally:
        await found.rollouts.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so, within a few seconds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nothing here tells when it is so
            await asyncio.sleep(0.01)


_numbers = count(1)


def sample(
    legacy: bytes, new: bytes, second: bytes | None = None, path: bytes = b"/balance", status: int = 200
) -> Sample:
    """A read of `balance`, answered with these documents; `second` is legacy's answer when it was asked again."""
    json = ((b"Content-Type", b"application/json"),)
    again = None if second is None else CapturedAnswer(200, json, second)
    control, candidate = CapturedAnswer(200, json, legacy), CapturedAnswer(status, json, new)
    return Sample(time(), "balance", "legacy", path, next(_numbers), control, candidate, second=again)
