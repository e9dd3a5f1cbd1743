"""How much is owed is known at once, and never a guess."""

import asyncio
from typing import Any, cast

import pytest

from gateway.core.writing import Ending, Signal
from gateway.errors import StoreUnavailable
from gateway.store.repository import Store
from gateway.writes import owing as module
from gateway.writes.owing import Owing
from tests.store.owing import intent
from tests.support.serving import until


class Away:
    """A store that cannot be had."""

    async def count_writes(self, states: Any) -> Any:
        raise StoreUnavailable("It is away.")


async def test_what_is_owed_is_known(store: Store) -> None:
    """By route, kind and state, with when the oldest came; what is done is not owed any more."""
    owing = Owing(lambda: store)
    assert owing.counts is None
    await store.store_writes([intent("a"), intent("b", "2", at=50.0)], "r s", 100)
    await store.store_writes([Ending("b", Signal.TOOK)], "r s", 101)
    await owing.look(store)
    assert owing.counts == {("a", "copy", "pending"): (1, 100.0), ("a", "copy", "ready"): (1, 50.0)}


async def test_while_the_store_is_away_nothing_is_known(store: Store) -> None:
    """The latest numbers would pass for true ones."""
    owing = Owing(lambda: store)
    await owing.look(store)
    assert owing.counts == {}
    await owing.look(cast(Store, Away()))
    assert owing.counts is None


async def test_the_store_is_asked_again_and_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is open, and from then on."""
    monkeypatch.setattr(module, "LOOK", 0.01)
    monkeypatch.setattr(module, "SOON", 0.01)
    opened: list[Store] = []
    owing = Owing(lambda: opened[0] if opened else None)
    task = asyncio.create_task(owing.run())
    await asyncio.sleep(0.03)
    opened.append(store)
    await until(lambda: owing.counts == {})
    await store.store_writes([intent("a")], "r s", 100)
    await until(lambda: owing.counts == {("a", "copy", "pending"): (1, 100.0)})
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
