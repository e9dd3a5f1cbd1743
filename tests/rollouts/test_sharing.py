"""A gateway renews its part of what backends can bear, and tells that it uses less only once that is so."""

import asyncio
from time import monotonic
from typing import Any, cast

import pytest

from gateway.core.sharing import LASTS, NOTHING, Wanted
from gateway.errors import StoreUnavailable
from gateway.rollouts import sharing
from gateway.rollouts.sharing import Sharing
from tests.support.serving import until


class Store:
    """A store that says what it is told to; `told` is what it heard."""

    def __init__(self) -> None:
        self.says: list[Wanted | StoreUnavailable] = []
        self.told: list[Any] = []

    async def renew_share(self, replica: str, parts: int, lasts: float) -> Wanted:
        self.told.append((replica, parts, lasts))
        found = self.says.pop(0)
        if isinstance(found, StoreUnavailable):
            raise found
        return found

    async def leave_share(self, replica: str) -> None:
        self.told.append(replica)
        if self.says:
            raise cast(StoreUnavailable, self.says[0])


class User:
    """Whoever uses the part: `does` tells whether it uses no more than it should."""

    def __init__(self) -> None:
        self.shares: list[int] = []
        self.until: float | None = None
        self.does = True

    def share(self, count: int, until: float | None) -> None:
        self.shares.append(count)
        self.until = until

    def uses(self) -> bool:
        return self.does


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def users() -> tuple[User, User]:
    return User(), User()


def made(store: Store | None, users: tuple[User, ...]) -> Sharing:
    return Sharing("a1", lambda: cast(Any, store), users)


async def renewed(one: Sharing, store: Store, *says: Wanted | StoreUnavailable) -> None:
    for each in says:
        store.says.append(each)
        await one._renew(cast(Any, store))


async def test_alone_it_uses_all_for_good(users: tuple[User, User]) -> None:
    """There is nothing to renew."""
    one = made(None, users)
    one.alone()
    assert (one.count, [each.shares for each in users], users[0].until) == (1, [[1], [1]], None)


async def test_its_part_is_used_for_as_long_as_it_was_given(store: Store, users: tuple[User, User]) -> None:
    """A little less, since clocks differ."""
    one = made(store, users)
    await renewed(one, store, Wanted(1, 1))
    assert store.told == [("a1", NOTHING, LASTS)]
    assert users[0].shares == users[1].shares == [1]
    assert users[0].until is not None
    assert 0 < monotonic() + LASTS - users[0].until < 10


async def test_who_waits_uses_nothing(store: Store, users: tuple[User, User]) -> None:
    """Until the others have made room."""
    one = made(store, users)
    await renewed(one, store, Wanted(NOTHING, 2), Wanted(2, 2))
    assert users[0].shares == [NOTHING, 2]
    assert [each[1] for each in store.told] == [NOTHING, NOTHING]


async def test_less_is_told_once_it_is_so(store: Store, users: tuple[User, User]) -> None:
    """Both the clients' requests and the copies have to have come down."""
    one = made(store, users)
    await renewed(one, store, Wanted(1, 1), Wanted(1, 2))
    users[1].does = False
    await renewed(one, store, Wanted(1, 2))
    users[1].does = True
    await renewed(one, store, Wanted(2, 2))
    assert [each[1] for each in store.told] == [NOTHING, 1, 1, 2]
    assert users[0].shares == [1, 2, 2, 2]


async def test_a_store_that_is_away_changes_nothing(store: Store, users: tuple[User, User]) -> None:
    """Until the part has come to its end: then this gateway knows of none."""
    one = made(store, users)
    await renewed(one, store, Wanted(2, 2), StoreUnavailable("gone"))
    assert (one.count, users[0].shares) == (2, [2])
    one._until = 0.0
    await renewed(one, store, StoreUnavailable("gone"))
    assert (one.count, one.parts) == (NOTHING, NOTHING)
    await renewed(one, store, Wanted(3, 3))
    assert (one.count, store.told[-1][1]) == (3, NOTHING)


async def test_who_leaves_says_so(store: Store, users: tuple[User, User]) -> None:
    """The others may use its part at once; a store that does not hear it forgets it in time."""
    one = made(store, users)
    await one.close()
    store.says.append(StoreUnavailable("gone"))
    await one.close()
    await made(None, users).close()
    assert store.told == ["a1", "a1"]


async def test_it_is_renewed_again_and_again(
    store: Store, users: tuple[User, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beginning as soon as the store is open."""
    monkeypatch.setattr(sharing, "EVERY", 0.01)
    monkeypatch.setattr(sharing, "SOON", 0.01)
    opened: list[Store] = []
    one = Sharing("a1", lambda: cast(Any, opened[0] if opened else None), users)
    task = asyncio.create_task(one.run())
    await asyncio.sleep(0.03)
    store.says += [Wanted(1, 1)] * 1_000
    opened.append(store)
    await until(lambda: len(store.told) >= 3)
    task.cancel()
    assert users[0].shares[:3] == [1, 1, 1]
