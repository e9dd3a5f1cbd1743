"""Several hundred tenants, each with a cookie and one kept-alive connection, asking at a steady pace.

The client is small and written here for one reason: it sends a request once and never again, so that a request the
gateway drops is counted as dropped. Library clients repeat a GET in silence.
"""

import asyncio
import time
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

import httptools

from gateway.core.model import NEW
from gateway.demo import calls, council
from gateway.demo.calls import Call
from gateway.demo.loyalty import Loyalty
from gateway.demo.tally import RETIRED, Seen, Tally

PATIENCE = 10.0
"""Seconds that a tenant waits for an answer."""


class Address(NamedTuple):
    """Where the gateway listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Reply:
    """One answer, collected by the parser. Names of fields are lower case."""

    def __init__(self) -> None:
        self.status = 0
        self.fields: dict[str, str] = {}
        self.body = bytearray()
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True


class Connection:
    """One client's connection, opened when it is needed. A request is sent once, whatever happens."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, message: bytes) -> Reply:
        """Send a request and read its answer; OSError when the connection or the answer breaks."""
        reader, writer = await self._open()
        reply = Reply()
        parser = httptools.HttpResponseParser(reply)
        try:
            writer.write(message)
            while not reply.complete:
                parser.feed_data(await _some(reader))
        except httptools.HttpParserError as error:
            raise ConnectionAbortedError(f"the answer is not HTTP: {error}") from error
        finally:
            if not reply.complete:
                self.close()
        reply.status = parser.get_status_code()
        if "close" in reply.fields.get("connection", "").lower():
            self.close()
        return reply

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection at hand, unless the gateway has closed it while it was idle."""
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._address.host, self._address.port)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Traffic:
    """All tenants together: `rate` requests a second in all."""

    def __init__(self, address: Address, tally: Tally, loyalty: Loyalty, *, clients: int, rate: float) -> None:
        self._address = address
        self._tally = tally
        self._loyalty = loyalty
        self._clients = clients
        self._pause = clients / rate

    async def flow(self, stop: asyncio.Event) -> None:
        """Until told to stop; requests under way are finished."""
        async with asyncio.TaskGroup() as tenants:
            for number in range(self._clients):
                tenants.create_task(self._live(number, stop))

    async def _live(self, number: int, stop: asyncio.Event) -> None:
        chance = Random(number)
        home = council.tenancy(council.tenancy_id(number))
        assert home is not None, f"tenant {number} has no home"
        connection = Connection(self._address)
        pause = self._pause * chance.random()
        while not await _stopped(stop, pause):
            seen = await ask(connection, self._address, home.id, calls.draw(home, chance))
            self._tally.note(seen)
            self._loyalty.note(seen)
            pause = self._pause * (0.5 + chance.random())
        connection.close()


async def ask(connection: Connection, address: Address, tenancy: str, call: Call) -> Seen:
    """Make one call and judge what comes of it; it never raises for what the gateway does."""
    start = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            reply = await connection.exchange(call.message(str(address), tenancy))
    except TimeoutError:
        found = Judged(call.route, "", f"{call.method} {call.path}: no answer within {PATIENCE:g} s")
    except OSError as error:
        found = Judged(call.route, "", f"{call.method} {call.path}: {error}")
    else:
        found = judge(call, reply, str(address))
    return Seen(time.time(), tenancy, found.route, found.side, time.perf_counter() - start, found.failure, found.off)


class Judged(NamedTuple):
    """What a reply is worth: its route and side, its failure ("" for a right answer), and whether a balance is off."""

    route: str
    side: str
    failure: str
    off: bool = False


def judge(call: Call, reply: Reply, authority: str) -> Judged:
    """A reply, held to what was asked. A balance that is off is the new side's known fault; the old one has none."""
    side, _, route = (part.strip() for part in f"{reply.fields.get('x-banyan-served-by', '')};;".split(";")[:3])
    if reply.status == calls.GONE:
        return Judged(route or call.route, RETIRED, "")
    said, location = reply.fields.get("x-demo-side", side), urlsplit(reply.fields.get("location", "")).netloc
    failure, off = "", call.amount not in reply.body
    if reply.status != call.status:
        failure = f"answered {reply.status} instead of {call.status}"
    elif call.proof not in reply.body:
        failure = "the answer is not the one that was asked for"
    elif side and said != side:
        failure = f"the gateway says {side}, but {said} answered"
    elif location and location != authority:
        failure = f"the answer leads to {location}, behind the gateway"
    elif off and side != NEW:
        failure = f"the balance is not {call.amount.decode()}"
    return Judged(route or call.route, side, failure and f"{call.method} {call.path}: {failure}", off and not failure)


async def _some(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(65_536)
    if not data:
        raise ConnectionResetError("the connection closed before the answer was whole")
    return data


async def _stopped(stop: asyncio.Event, pause: float) -> bool:
    """Wait for a pause; True when it is time to stop."""
    try:
        async with asyncio.timeout(pause):
            await stop.wait()
    except TimeoutError:
        return False
    return True
