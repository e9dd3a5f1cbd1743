"""Stores what data asks for, and answers once it is committed.

What comes while a transaction is under way goes into the next one, all at once: many writes share one sync of the disk.
"""

import asyncio
from collections.abc import Callable, Container, Iterable
from time import monotonic, time
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.core.writing import Asked, Ending, Intent, Receipt, Signal
from gateway.errors import StoreUnavailable
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

MOST, MOST_BYTES = 200, 8 * 2**20
"""Orders, and bytes of bodies, of one transaction."""
PATIENCE = 5.0
"""Seconds after which an intent is not stored any more: data has given it up then, or is about to."""
SETTLING = 30.0
OPENING = 4.0
"""Seconds that the store may take to be opened."""
LOOK = 30.0
"""Seconds between looks for writes whose process is gone."""
Answer = tuple[Any, ...]
Reply = Callable[..., object]


class Order(NamedTuple):
    """One thing to be stored: asked under `number` by the process `session`, which `reply` reaches."""

    session: str
    number: int
    asked: Intent | Ending | Receipt
    reply: Reply
    come: float


class Clerk:
    """Stores for every data process. `alive` names the processes that writes may be with; `due` is called when there is
    something to deliver; `record` tells which side has a route's writes now (None: that is not known)."""

    def __init__(
        self,
        replica: str,
        store: "Callable[[], Store | None]",
        alive: Callable[[], Iterable[str]],
        due: Callable[[], None],
        record: Callable[[str], str | None] = lambda route: None,
    ) -> None:
        self._record = record
        self._replica = replica
        self._store = store
        self._alive = alive
        self._due = due
        self._orders: list[Order] = []
        self._storing: list[Order] = []
        self._come = asyncio.Event()
        self._looking = asyncio.Event()
        self.failing = ""
        self.held: frozenset[str] = frozenset()

    def take(self, session: str, batch: list[Asked], reply: Reply) -> None:
        """A data process asks for something to be stored. Intents of routes that are held come again a little later."""
        now = monotonic()
        for number, asked in batch:
            if isinstance(asked, Intent) and asked.route in self.held:
                reply("stored", [(number, ("busy",))], [])
            elif isinstance(asked, Intent) and self._record(asked.route) not in (None, asked.record):
                reply("stored", [(number, ("moved",))], [])
            else:
                self._orders.append(Order(session, number, asked, reply, now))
        self._come.set()

    def is_storing(self, routes: Container[str]) -> bool:
        """Whether writes of these routes are being stored, or are about to be: nobody can count them yet."""
        asked = (each.asked for each in (*self._storing, *self._orders))
        return any(isinstance(each, Intent) and each.route in routes for each in asked)

    def look(self) -> None:
        """A process has died: look now for what was with it."""
        self._looking.set()

    async def run(self) -> None:
        """Store, for as long as this runs."""
        while True:
            await self._come.wait()
            self._come.clear()
            while self._orders:
                if orders := self._in_time(self._next()):
                    self._storing = orders
                    await self._transact(orders)
                    self._storing = []

    def _next(self) -> list[Order]:
        """The orders of the next transaction: those of one process, as many as there are, within bounds."""
        session, size, some = self._orders[0].session, 0, 0
        for order in self._orders:
            size += len(order.asked.kept.body) if isinstance(order.asked, Intent) else 0
            if some and (some >= MOST or size > MOST_BYTES or order.session != session):
                break
            some += 1
        orders, self._orders = self._orders[:some], self._orders[some:]
        return orders

    def _in_time(self, orders: list[Order]) -> list[Order]:
        """Those for which somebody still waits: who has given up has told its client that nothing was done."""
        oldest = monotonic() - PATIENCE
        in_time = []
        for each in orders:
            if each.come >= oldest or isinstance(each.asked, Ending):
                in_time.append(each)
            else:
                each.reply("stored", [(each.number, ("failed", "it could not be stored in time"))], [])
        return in_time

    async def _transact(self, orders: list[Order]) -> None:
        store, session = await self._opened(), orders[0].session
        if store is None:
            self._reply(orders, [("failed", "the store has not been opened")] * len(orders), [])
            return
        try:
            answers = await store.store_writes([each.asked for each in orders], f"{self._replica} {session}", time())
        except StoreUnavailable as error:
            if not self.failing:
                log().error("writes_not_stored", why=str(error))
            self.failing = str(error)
            await store.settled(SETTLING)  # what was given up may still be committed: nothing may come before it
            self._reply(orders, [("failed", "the store is away")] * len(orders), [])
            return
        if self.failing:
            log().info("writes_stored_again")
            self.failing = ""
        ended = [each.asked for each in orders if isinstance(each.asked, Ending)]
        self._reply(orders, answers, [each.id for each in ended])
        if any(each.signal is Signal.TOOK for each in ended) or any(each[0] == "queued" for each in answers):
            self._due()

    async def _opened(self) -> "Store | None":
        """The store; one that is being opened is waited for, as long as those who ask are patient."""
        until = monotonic() + OPENING
        while (store := self._store()) is None and monotonic() < until:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)
        return store

    def _reply(self, orders: list[Order], answers: list[Answer], done: list[str]) -> None:
        told = [(order.number, answer) for order, answer in zip(orders, answers, strict=True)]
        orders[0].reply("stored", told, done)

    # ---------------------------------------------------------------------------------------- what nobody is with

    async def look_after(self) -> None:
        """Find writes whose process is gone, for as long as this runs."""
        while True:
            store = self._store()
            if store is not None:
                await self._look(store)
            try:
                await asyncio.wait_for(self._looking.wait(), LOOK if store is not None else 0.2)
            except TimeoutError:
                continue
            self._looking.clear()

    async def _look(self, store: "Store") -> None:
        now = time()
        alive = [f"{self._replica} {session}" for session in self._alive()]
        try:
            unresolved = await store.orphaned_writes(alive, self._replica, now)
        except StoreUnavailable as error:
            log().warning("writes_not_looked_after", why=str(error))
            return
        if unresolved:
            log().warning("writes_unresolved", count=unresolved, see="banyan outbox")
        self._due()
