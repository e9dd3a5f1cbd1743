"""Captures as control has them: masked, bounded, and over when nobody listens."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from gateway.errors import CommandError
from gateway.rollouts import capturing
from gateway.rollouts.capturing import Batch, Captures, Wanted
from tests.support.recorded import passed


class Data:
    """The data process: remembers its orders, and hands over what `passes` at each order to capture."""

    def __init__(self) -> None:
        self.orders: list[tuple[Any, ...]] = []
        self.passes: list[list[Any]] = []
        self.routes = {"a", "b"}
        self.captures = Captures(self.order, lambda name: name in self.routes)

    def order(self, *message: Any) -> bool:
        self.orders.append(message)
        if message[0] == "capture" and self.passes:
            taken = self.passes.pop(0)
            asyncio.get_running_loop().call_soon(self.captures.captured, message[1], taken, {})
        return True


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Data:
    monkeypatch.setattr(capturing, "RENEWED", 0.02)
    return Data()


async def every(batches: AsyncIterator[Batch]) -> list[Batch]:
    async with asyncio.timeout(5):
        return [batch async for batch in batches]


def urls(batches: list[Batch]) -> list[str]:
    return [entry["request"]["url"] for batch in batches for entry in batch.har["log"]["entries"]]


async def test_a_capture_brings_what_was_wanted(data: Data) -> None:
    """No more, though more was under way; then the data process is told that it is over."""
    data.passes = [[passed(b"/1")], [passed(b"/2"), passed(b"/3")]]
    batches = await every(data.captures.run(Wanted("a", 2)))
    assert urls(batches) == ["http://api.example/1", "http://api.example/2"]
    assert (batches[-1].captured, batches[-1].ended) == (2, "enough")
    number = data.orders[0][1]
    assert data.orders == [
        ("capture", number, "a", 2, False),
        ("capture", number, "a", 1, False),
        ("capture_ends", number),
    ]


async def test_what_looks_like_somebody_is_masked(data: Data) -> None:
    """Credentials are left out; addresses, fields and bodies that tell of a person are masked."""
    fields = ((b"Authorization", b"Bearer s3cret"), (b"Cookie", b"session=s3cret"), (b"X-Tenant", b"s3cret"))
    target, body = b"/a?of=ada@example.org&ni=AB123456C", b"AB 12 34 56 C"
    data.passes = [[passed(target, fields=fields, body=body, method=b"POST")]]
    batches = await every(data.captures.run(Wanted("a", 1, every=True, bodies=True)))
    assert urls(batches) == ["http://api.example/a?of=***&ni=***"]
    written = json.dumps([batch.har for batch in batches])
    assert [word for word in ("s3cret", "ada", "123456", "12 34") if word in written] == []
    assert data.orders[0][4] is True


async def test_a_capture_ends_with_its_time(data: Data) -> None:
    """And tells what it could not take meanwhile."""
    running = data.captures.run(Wanted("a", 5, 0.1))
    await anext(running)
    data.captures.captured(data.orders[0][1], [passed()], {"no_room": 2})
    last = (await every(running))[-1]
    assert (last.captured, last.dropped, last.ended) == (1, {"no_room": 2}, "time")


async def test_a_capture_ends_with_its_route(data: Data) -> None:
    """What a reload takes out of the file does not pass any more."""
    running = data.captures.run(Wanted("a"))
    await anext(running)
    data.routes = {"b"}
    assert (await every(running))[-1].ended == "route_gone"


async def test_a_capture_ends_with_whoever_wanted_it(data: Data) -> None:
    """The data process is told at once; what it still hands over goes nowhere, and the route is free again."""
    async with aclosing(data.captures.run(Wanted("a"))) as running:
        await anext(running)
    number = data.orders[0][1]
    assert data.orders[-1] == ("capture_ends", number)
    data.captures.captured(number, [passed()], {})
    data.passes = [[passed()]]
    assert len(urls(await every(data.captures.run(Wanted("a", 1))))) == 1


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Wanted("x"), "no route 'x'"),
        (Wanted("b"), "already"),
        (Wanted("a", 0), "1 to 100000 requests"),
        (Wanted("a", 100_001), "1 to 100000 requests"),
        (Wanted("a", 1, 0.0), "more than no time"),
    ],
)
async def test_what_cannot_be_captured_is_refused(data: Data, wanted: Wanted, why: str) -> None:
    """Before anything is ordered."""
    async with aclosing(data.captures.run(Wanted("b"))) as running:
        await anext(running)
        with pytest.raises(CommandError, match=why):
            await anext(data.captures.run(wanted))
        assert len(data.orders) == 1
