"""What the handler serves from: the routing table, its callers, and the pools that outlive it.

A new table is built beside the old one, a few routes at a time, and takes its place in one assignment. A pool whose
backend is unchanged is carried over with its connections and sessions, whatever is known of its messages by now; one
that changed or went is emptied as its answers end.
"""

import asyncio
from collections.abc import Iterable
from importlib import import_module
from typing import NamedTuple

from connectors.base import Caller, Connector
from connectors.http import HttpConnector
from gateway.core.forwarding import networks_of
from gateway.core.matching import RoutingTable
from gateway.core.model import Backend, Gateway, Route
from gateway.core.planning import Plan, planned
from gateway.core.tracing import identify
from gateway.wire.clock import Clock
from gateway.wire.guard import Guard
from gateway.wire.guarded import GuardedPool
from gateway.wire.pool import Pool
from gateway.wire.several import GuardedSeveralPool, SeveralPool


class Ready(NamedTuple):
    """One side of a route, ready to be called: it hangs on the route itself, because each look elsewhere costs."""

    plan: Plan
    caller: Caller
    pool: Pool
    copy_plan: Plan | None


class Live:
    """One routing table with everything that is needed to serve from it."""

    def __init__(self, revision: int, digest: str, gateway: Gateway, pools: dict[str, Pool]) -> None:
        self.table = RoutingTable(revision, digest)
        self.gateway = gateway
        self.guards = tuple(pool.guard for pool in pools.values() if pool.guard is not None)
        self.trusted = networks_of(gateway.trusted_proxies)
        self.pools = pools
        self.identify = identify(gateway.otlp)


CONNECTORS = {
    "SoapTarget": ("connectors.soap.client", "SoapConnector"),
    "FacadeTarget": ("connectors.soap.facade", "FacadeConnector"),
    "BridgeTarget": ("connectors.soap.bridge", "BridgeConnector"),
}
"""Where the connector for a target's `call` is found, by the kind of value that describes it."""


class LiveBuilder:
    """Builds a `Live` in small steps, so that traffic goes on in between."""

    def __init__(
        self,
        revision: int,
        digest: str,
        gateway: Gateway,
        backends: Iterable[Backend],
        old: Live | None,
        clock: Clock,
        *,
        copies: bool = False,
    ) -> None:
        """`copies` tells that these are for copies, which have a part of each backend's bounds."""
        self._backends = {backend.name: backend for backend in backends}
        self._old = old
        pools = {}
        self._guards: list[tuple[Guard, Backend]] = []
        for name, backend in self._backends.items():
            kept, wanted = old.pools.get(name) if old is not None else None, _for_pool(backend, copies)
            pools[name] = kept if kept is not None and kept.backend == wanted else self._pool(wanted, clock, kept)
        self.live = Live(revision, digest, gateway, pools)
        self._http, self._envelopes = HttpConnector(), HttpConnector(envelopes=True)
        self._others: dict[str, Connector] = {}

    def _pool(self, backend: Backend, clock: Clock, old: Pool | None) -> Pool:
        """A new pool. What stands before the backend outlives the old one, with what is under way."""
        several = bool(backend.others) or backend.health is not None
        if backend.protect is None and backend.retry is None and backend.maintenance is None:
            return SeveralPool(backend, clock) if several else Pool(backend, clock)
        guard = old.guard if old is not None else None
        if guard is None:
            guard = Guard(backend.name, backend.protect, backend.retry, clock, backend.maintenance)
        self._guards.append((guard, backend))
        kind = GuardedSeveralPool if several else GuardedPool
        return kind(backend, clock, guard)

    async def add(self, routes: Iterable[Route]) -> None:
        """Compile some routes and prepare their callers."""
        live = self.live
        for route in routes:
            compiled = planned(route, self._backends, live.gateway)
            live.table.add(compiled)
            for side, plan in compiled.plans.items():
                if plan.target.call is not None:
                    connector = await self._connector_for(plan)
                else:
                    connector = self._http if route.match.soap is None else self._envelopes
                pool = live.pools[plan.name]
                caller = await connector.prepare(plan, pool.kept)
                copy_plan = plan.within(compiled.shadow) if compiled.shadow is not None else None
                compiled.ready[side] = Ready(plan, caller, pool, copy_plan)

    async def _connector_for(self, plan: Plan) -> Connector:
        """What speaks SOAP for a plan; imported in a thread when a table first needs it, for it takes a moment."""
        kind = type(plan.target.call).__name__
        if kind not in self._others:
            module, name = CONNECTORS[kind]
            self._others[kind] = getattr(await asyncio.to_thread(import_module, module), name)()
        return self._others[kind]

    def retire_old(self) -> None:
        """The new table serves: the pools that only the old one had finish what they are doing."""
        for pool in self.live.pools.values():
            if self._old is None or self._old.pools.get(pool.backend.name) is not pool:
                pool.start()
        for guard, backend in self._guards:
            guard.follow(backend.protect, backend.retry, backend.maintenance)
        if self._old is not None:
            for name, pool in self._old.pools.items():
                if self.live.pools.get(name) is not pool:
                    pool.retire()


def _for_pool(backend: Backend, copies: bool) -> Backend:
    """A backend as its pool needs it: whatever its messages are like, the connections stay. What protects it is that
    part which is for copies, or for clients; a copy is never sent twice."""
    protect = backend.protect
    if protect is not None:
        protect = protect.for_copies() if copies else protect.for_clients()
    retry = None if copies else backend.retry
    health = None if copies else backend.health
    return backend._replace(types=None, published=None, protect=protect, retry=retry, health=health)
