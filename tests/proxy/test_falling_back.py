"""Where the serving side fails, the other answers: a read, once, and before anything has reached the client."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core import model
from gateway.core.crosswalk import Pair
from gateway.core.model import BUCKETS, LEGACY, NEW, Gateway, Serve, Timeouts
from gateway.core.policies import Crosswalk, Protect, Shadow, Way
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, hang
from tests.support.serving import Serving, until
from tests.support.values import route
from tests.wire.test_guarded import seen

FAILS = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"
LIMIT = 1_000


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@pytest.fixture
def new() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def falling_back(legacy: Origin, new: Origin, **more: Any) -> AsyncIterator[Serving]:
    """New serves, and legacy answers where it fails."""
    settings = {name: more.pop(name) for name in ("protect",) if name in more}
    gateway = Gateway(served_by=False, capture=LIMIT, timeout=Timeouts(response=0.3))
    given = route(more.pop("match", "ANY /**"), serve=Serve.NEW, fallback=True, **more)
    serving = Serving({"office": legacy, "repairs": new}, given, gateway=gateway, **settings)
    await serving.open()
    try:
        yield serving
    finally:
        await serving.close()


def told(serving: Serving) -> list[tuple[str, str, int, str]]:
    return [(each.side, each.role, each.status, each.error) for each in seen(serving)]


async def test_a_side_that_works_answers(legacy: Origin, new: Origin) -> None:
    """A 404 is an answer."""
    new.on("/none", b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")
    async with falling_back(legacy, new) as serving:
        await serving.get("/a", until=b"ok")
        await serving.get("/none", until=b"no")
        assert told(serving) == [("new", "live", 200, ""), ("new", "live", 404, "")]
        assert not legacy.requests


async def test_the_other_side_answers_what_failed(legacy: Origin, new: Origin) -> None:
    """Each is counted for what it did, and the client sees one answer."""
    new.on("/a", FAILS)
    legacy.on("/a", answer(b"well"))
    async with falling_back(legacy, new) as serving:
        await serving.get("/a", until=b"well")
        assert told(serving) == [("new", "live", 500, ""), ("legacy", "fallback", 200, "")]
        assert len({each.request_id for each in serving.seen}) == 1


@pytest.mark.parametrize(("script", "error"), [(Talk.close, "answer_invalid"), (hang, "timeout")])
async def test_no_answer_is_a_failure(legacy: Origin, new: Origin, script: Any, error: str) -> None:
    """However it fails to come."""
    new.on("/a", script)
    async with falling_back(legacy, new) as serving:
        await serving.get("/a", until=b"ok")
        assert told(serving) == [("new", "live", 0, error), ("legacy", "fallback", 200, "")]


async def test_a_backend_that_can_bear_no_more_has_failed(legacy: Origin, new: Origin) -> None:
    """The other side may have room."""
    new.on("/a", hang)
    async with falling_back(legacy, new, protect={"repairs": Protect(max_concurrent=1, abandon_after=0.5)}) as serving:
        await serving.get("/a", until=b"ok")
        await serving.get("/b", until=b"ok")
        assert told(serving)[2:] == [("new", "live", 0, "queue_full"), ("legacy", "fallback", 200, "")]
        guard = serving.live.pools["repairs"].guard
        assert guard is not None
        await until(lambda: guard.gate.under_way == 0)


async def test_where_both_fail_the_second_is_answered_for(legacy: Origin, new: Origin) -> None:
    """And nobody is asked a third time."""
    new.on("/a", FAILS)
    legacy.stop()
    async with falling_back(legacy, new) as serving:
        await serving.get("/a", until=b"502 ")
        assert told(serving) == [("new", "live", 500, ""), ("legacy", "fallback", 502, "connect_failed")]


async def test_each_side_is_asked_by_its_own_identifier(legacy: Origin, new: Origin) -> None:
    """The one that a client has may be the other side's."""
    new.on("/a/N-1", FAILS)
    legacy.on("/a/100", answer(b"well"))
    crosswalk = Crosswalk("a", at=(Way("path", ("id",)),))
    async with falling_back(legacy, new, match="GET /a/{id}", crosswalk=crosswalk) as serving:
        serving.pairs.add([Pair("a", "100", "N-1", LEGACY)])
        for known in (b"100", b"N-1"):
            await serving.get(f"/a/{known.decode()}", until=b"well")
        assert told(serving) == [("new", "live", 500, ""), ("legacy", "fallback", 200, "")] * 2


async def test_what_only_one_side_knows_is_asked_of_nobody_else(legacy: Origin, new: Origin) -> None:
    """By its own name it might be something else there; and no write of it is sent there."""
    crosswalk = Crosswalk("a", at=(Way("path", ("id",)),))
    async with falling_back(legacy, new, match="ANY /a/{id}", crosswalk=crosswalk) as serving:
        serving.pairs.add([Pair("a", None, "N-1", NEW)])
        new.on("/a/N-1", FAILS)
        await serving.get("/a/N-1", until=b"no")
        serving.pairs.add([Pair("a", "7", None, LEGACY)])
        await serving.get("/a/7", until=b"ok")
        await serving.ask(b"PUT /a/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", b"is not there yet")
        assert [each.target for each in legacy.requests] == ["/a/7"]
        assert [each.target for each in new.requests] == ["/a/N-1"]


async def test_writes_never_fall_back(legacy: Origin, new: Origin) -> None:
    """They go to the record, whatever becomes of them."""
    new.on("/a", FAILS)
    async with falling_back(legacy, new) as serving:
        await serving.ask(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"no")
        assert told(serving) == [("new", "live", 500, "")]
        assert not legacy.requests


async def test_a_body_goes_to_the_other_side_whole(legacy: Origin, new: Origin) -> None:
    """It is held for that, up to a bound; beyond it there is one side."""
    new.on("/a", FAILS)
    async with falling_back(legacy, new, safe=True) as serving:
        await serving.ask(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", b"ok")
        assert [each.body for each in legacy.seen("/a")] == [b"hello"]
        await serving.ask(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1_001, b"no")
        assert len(legacy.seen("/a")) == 1


async def test_a_body_that_waits_to_be_asked_for_is(legacy: Origin, new: Origin) -> None:
    """The gateway holds it before anything is sent, so it says itself that it wants it."""
    new.on("/a", FAILS)
    async with falling_back(legacy, new, safe=True) as serving:
        await serving.ask(
            b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", b"100 Continue\r\n\r\n"
        )
        await serving.ask(b"hello", b"ok")
        assert [each.body for each in legacy.seen("/a")] == [b"hello"]


async def test_what_has_begun_is_not_begun_again(legacy: Origin, new: Origin) -> None:
    """An answer that breaks off is cut: a part of it is out."""

    def talk(talk: Talk) -> None:
        talk.body()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        talk.close()

    new.on("/a", talk)
    async with falling_back(legacy, new) as serving:
        await serving.get("/a", until=b"half")
        await until(lambda: bool(seen(serving)))
        assert told(serving) == [("new", "live", 200, "answer_truncated")]
        assert not legacy.requests


async def test_a_tester_gets_the_side_asked_for(legacy: Origin, new: Origin) -> None:
    """Also when it fails: that is what testers want to see."""
    new.on("/a", FAILS)
    async with falling_back(legacy, new, tester=model.Tester(b"x-banyan-serve", b"secret")) as serving:
        await serving.get("/a", "X-Banyan-Serve: new secret", until=b"no")
        assert told(serving) == [("new", "tester", 500, "")]


async def test_a_client_that_left_is_answered_by_nobody(legacy: Origin, new: Origin) -> None:
    """The other side is not asked for it."""
    new.on("/a", hang)
    async with falling_back(legacy, new) as serving:
        serving._writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: new.busy == 1)
        serving._writer.transport.abort()
        await until(lambda: bool(seen(serving)))
        await asyncio.sleep(0.1)
        assert told(serving) == [("new", "live", 0, "client_gone")]
        assert not legacy.requests


async def test_what_fell_back_is_not_compared(legacy: Origin, new: Origin) -> None:
    """The side that would be asked for a copy has just been asked; it counts as skipped."""
    new.on("/a", FAILS)
    async with falling_back(legacy, new, shadow=Shadow(BUCKETS)) as serving:
        await serving.get("/a", until=b"ok")
        await serving.compared()
        assert serving.skipped == {("ANY /**", "fallback"): 1}
        assert not serving.samples
        assert serving.live.table.routes["ANY /**"].ready[NEW].plan.side == NEW
