"""Active health checks: each address of a backend is asked for one path now and then, whether it is well.

A check has a connection of its own and takes no slot: it has to get through when everything else is full.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress

from gateway.core.model import Backend
from gateway.core.policies import Health
from gateway.wire.clock import NEVER, Clock
from gateway.wire.endpoints import Endpoint
from gateway.wire.pool import client_context

MOST = 16_384
"""Bytes of an answer that are looked at."""


class Checks:
    """Checks some addresses, from `start` to `stop`."""

    def __init__(self, backend: Backend, health: Health, addresses: Sequence[Endpoint], clock: Clock) -> None:
        self._backend = backend
        self._health = health
        self._addresses = addresses
        self._clock = clock
        self._tls = client_context(backend)
        self._tasks: set[asyncio.Task[None]] = set()
        self._bad = dict.fromkeys((each.name for each in addresses), 0)
        self.deadline = NEVER

    def start(self) -> None:
        self._clock.watch(self)
        self.expire()

    def stop(self) -> None:
        self._clock.forget(self)
        self.deadline = NEVER
        for task in self._tasks:
            task.cancel()

    def expire(self) -> None:
        """It is time again. An address that still owes an answer is asked when that is over."""
        self.deadline = self._clock.after(self._health.every)
        if self._tasks:
            return
        for endpoint in self._addresses:
            task = asyncio.get_running_loop().create_task(self._check(endpoint))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _check(self, endpoint: Endpoint) -> None:
        well = False
        with suppress(OSError, ssl.SSLError, TimeoutError, ValueError, EOFError):
            async with asyncio.timeout(self._health.timeout):
                well = await self._ask(endpoint)
        self._bad[endpoint.name] = 0 if well else self._bad[endpoint.name] + 1
        if well:
            endpoint.unwell = False
        elif self._bad[endpoint.name] >= self._health.after:
            endpoint.unwell = True

    async def _ask(self, endpoint: Endpoint) -> bool:
        """Whether the answer is a 2xx or a 3xx."""
        backend = self._backend
        name = (backend.tls.name or endpoint.backend.host) if backend.tls else None
        if backend.unix is not None:
            reader, writer = await asyncio.open_unix_connection(backend.unix, limit=MOST)
        else:
            reader, writer = await asyncio.open_connection(
                endpoint.backend.host, endpoint.backend.port, ssl=self._tls, server_hostname=name, limit=MOST
            )
        try:
            host = backend.authority
            writer.write(
                b"GET %b HTTP/1.1\r\nHost: %b\r\nUser-Agent: banyan-health\r\nConnection: close\r\n\r\n"
                % (backend.base + self._health.path, host)
            )
            line = await reader.readline()
            status = line.split(b" ", 2)[1] if line.startswith(b"HTTP/1.") and line.count(b" ") else b""
            return len(status) == 3 and status[:1] in (b"2", b"3")
        finally:
            writer.transport.abort()
