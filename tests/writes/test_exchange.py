"""All pairs of the store are known here, soon after they were made anywhere."""

import asyncio

import pytest

from gateway.core.crosswalk import Found, Pair
from gateway.core.model import LEGACY, NEW
from gateway.core.writing import Ending, Made, Signal
from gateway.errors import StoreUnavailable
from gateway.store.repository import Store
from gateway.writes import exchange as module
from gateway.writes.exchange import Exchange
from tests.store.owing import intent
from tests.support.serving import until


async def made(store: Store, number: int) -> None:
    """Legacy has made something."""
    ending = Ending(str(number), Signal.TOOK, "", Made("t", LEGACY, str(number)))
    await store.store_writes([intent(str(number), str(number)), ending], "r s", 100)


async def test_pairs_are_known_as_they_come(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """All before a table serves, more than fit in one reading among them; and later ones when they come."""
    monkeypatch.setattr(module, "SOME", 2)
    monkeypatch.setattr(module, "AGAIN", 1)
    monkeypatch.setattr(module, "LOOK", 0.01)
    told: list[Pair] = []
    exchange = Exchange(lambda: store, told.extend)
    for number in range(7):
        await made(store, number)
    running = asyncio.create_task(exchange.run())
    await asyncio.sleep(0.05)
    assert (len(exchange.pairs), exchange.pairs.complete) == (0, False)
    await exchange.follow(wanted=True)
    assert (len(exchange.pairs), exchange.pairs.complete) == (7, True)
    await made(store, 7)
    await until(lambda: exchange.pairs.find("t", "7", NEW) == Found(LEGACY, "7"))
    assert [each.legacy for each in told] == [str(number) for number in range(8)]
    await exchange.follow(wanted=False)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_comes_late_is_found(store: Store) -> None:
    """A number is given before its transaction is seen: earlier ones are looked at again."""
    exchange = Exchange(lambda: store, lambda pairs: None)
    await made(store, 1)
    assert await exchange.look()
    exchange._last += 500
    await made(store, 2)
    assert await exchange.look()
    assert exchange.pairs.find("t", "2", LEGACY) == Found(LEGACY, "2")


async def test_without_a_store_nobody_can_tell(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table does not wait for ever; what names something is refused then, and it is said that it is so."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    found: list[Store | None] = [None]
    exchange = Exchange(lambda: found[0], lambda pairs: None)
    running = asyncio.create_task(exchange.run())
    await exchange.follow(wanted=True)
    assert exchange.pairs.complete is False

    async def gone(*_: int) -> list[tuple[int, Pair]]:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "pairs", gone)
        found[0] = store
        assert await exchange.look() is False
    await until(lambda: exchange.pairs.complete)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
