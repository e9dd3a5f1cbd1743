"""What data asks for is stored, many at once, and answered when it is committed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from gateway.core.writing import Ending, Receipt, Signal, State
from gateway.errors import StoreUnavailable
from gateway.store.repository import Store
from gateway.writes import clerk
from gateway.writes.clerk import Clerk
from tests.store.owing import intent
from tests.support.serving import until


class Office:
    """A clerk at work; `told` are its answers, `due` how often there was something to deliver."""

    def __init__(self, store: Callable[[], Store | None], *alive: str) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.due = 0
        self.clerk = Clerk("r", store, lambda: alive, self._is_due)

    def _is_due(self) -> None:
        self.due += 1

    def ask(self, session: str, *asked: Any) -> None:
        self.clerk.take(session, list(enumerate(asked, 1)), lambda *answer: self.told.append(answer))


@asynccontextmanager
async def working(office: Office) -> AsyncIterator[Office]:
    tasks = [asyncio.create_task(work) for work in (office.clerk.run(), office.clerk.look_after())]
    yield office
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Broken:
    """A store that is away until it is mended."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.away = True

    async def store_writes(self, *given: Any) -> Any:
        if self.away:
            raise StoreUnavailable("gone")
        return await self.store.store_writes(*given)

    async def orphaned_writes(self, *given: Any) -> int:
        raise StoreUnavailable("gone")

    async def settled(self, seconds: float) -> None:
        self.settled_for = seconds


async def test_answers_come_when_it_is_stored(store: Store) -> None:
    """All of a batch with one answer; what ended is told as such; and what may be delivered is."""
    async with working(Office(lambda: store, "s")) as office:
        office.ask("s", intent("a"), intent("b"), Receipt("a"))
        await until(lambda: len(office.told) == 1)
        assert office.told == [("stored", [(1, ("go",)), (2, ("busy",)), (3, ("none",))], [])]
        await until(lambda: office.due == 1)  # it has looked for what was left over
        due = office.due
        office.ask("s", Ending("a", Signal.TOOK))
        await until(lambda: len(office.told) == 2)
        assert office.told[1] == ("stored", [(1, ("done",))], ["a"])
        assert office.due == due + 1
        office.ask("s", intent("c", "2", queue="now"))
        await until(lambda: office.due == due + 2)


async def test_writes_are_with_the_process_that_asked(store: Store) -> None:
    """Each process has transactions of its own: so it is known whose they are when it dies."""
    async with working(Office(lambda: store, "s")) as office:
        office.ask("s", intent("a"))
        office.ask("t", intent("b", "2"))
        await until(lambda: len(office.told) == 2)
        office.clerk.look()
        await until(lambda: office.due >= 2)
    standings = {each.id: each.state for _, each in await store.list_writes(list(State))}
    assert standings == {"a": State.PENDING, "b": State.UNRESOLVED}


async def test_large_batches_are_stored_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a transaction without end."""
    monkeypatch.setattr(clerk, "MOST", 2)
    async with working(Office(lambda: store)) as office:
        office.ask("s", *(intent(str(at), str(at)) for at in range(5)))
        await until(lambda: len(office.told) == 3)
        assert [len(answers) for _, answers, _ in office.told] == [2, 2, 1]


async def test_what_the_record_has_moved_from_is_not_stored(store: Store) -> None:
    """A data process that has not heard of it yet has to ask again."""
    office = Office(lambda: store, "s")
    office.clerk = Clerk("r", lambda: store, lambda: ("s",), office._is_due, {"a": "new"}.get)
    async with working(office):
        office.ask("s", intent("a"), intent("b", record="new"), intent("c", "3", route="z"))
        await until(lambda: len(office.told) == 2)
    assert office.told == [("stored", [(1, ("moved",))], []), ("stored", [(2, ("go",)), (3, ("go",))], [])]


async def test_what_nobody_waits_for_is_not_stored(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client was told that it was not; what came of a write is stored however late."""
    monkeypatch.setattr(clerk, "PATIENCE", -1.0)
    async with working(Office(lambda: store, "s")) as office:
        office.ask("s", intent("a"), Ending("b", Signal.TOOK))
        await until(lambda: len(office.told) == 2)
    late = ("failed", "it could not be stored in time")
    assert office.told == [("stored", [(1, late)], []), ("stored", [(2, ("done",))], ["b"])]
    assert await store.find_write("a") is None


async def test_without_a_store_nothing_is_promised(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is told, nothing is taken for done, and all goes on when it is back."""
    monkeypatch.setattr(clerk, "OPENING", 0.05)
    broken = Broken(store)
    found: list[Store | None] = [None]
    async with working(Office(lambda: found[0])) as office:
        office.ask("s", intent("a"))
        await until(lambda: len(office.told) == 1)
        assert office.told[0] == ("stored", [(1, ("failed", "the store has not been opened"))], [])
        found[0] = cast(Store, broken)
        office.ask("s", Ending("a", Signal.TOOK))
        await until(lambda: len(office.told) == 2)
        assert office.told[1] == ("stored", [(1, ("failed", "the store is away"))], [])
        assert (office.clerk.failing, broken.settled_for) == ("gone", clerk.SETTLING)
        broken.away = False
        office.ask("s", intent("a"))
        await until(lambda: len(office.told) == 3)
        assert office.told[2] == ("stored", [(1, ("go",))], [])
        assert office.clerk.failing == ""
