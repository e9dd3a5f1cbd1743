"""What was answered is given again where it may be, and to nobody else; a backend that fails is stood in for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import time
from typing import Any

import pytest

from gateway.core.caching import Key, kept
from gateway.core.headers import AnswerHead
from gateway.core.model import Gateway, Serve, Timeouts
from gateway.core.policies import CachePolicy, Closed, Maintenance
from gateway.proxy import caching
from gateway.proxy.caching import Cache
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, hang
from tests.support.serving import Serving, until
from tests.support.values import request, route
from tests.wire.test_guarded import seen

TTL = CachePolicy(ttl=60.0, stale_if_error=600.0)
FAILS = answer(b"no", status=500)
SIZE = 1_000 + 9 + 1_024 + 1 + 2
"""Of what `put` keeps: body, fields, what else there is to it, what it depends on, and its key."""


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as found:
        yield found


@asynccontextmanager
async def caching_of(legacy: Origin, policy: CachePolicy = TTL, **more: Any) -> AsyncIterator[Serving]:
    settings = {name: more.pop(name) for name in ("maintained",) if name in more}
    gateway = Gateway(served_by=False, capture=1_000, timeout=Timeouts(response=0.3))
    with Origin() as new:
        given = route("ANY /**", **({"serve": Serve.LEGACY, "cache": policy} | more))
        found = Serving({"office": legacy, "repairs": new}, given, gateway=gateway, **settings)
        await found.open()
        try:
            yield found
        finally:
            await found.close()


def counted(body: bytes = b"made %d", *lines: str, status: int = 200) -> Any:
    """A script that numbers its answers."""
    numbers = iter(range(1, 1_000))

    def script(talk: Talk) -> None:
        talk.body()
        talk.send(answer(body % next(numbers), *lines, status=status))

    return script


async def test_an_answer_is_given_again(legacy: Origin) -> None:
    """With its age, and how it came; it is no evidence of anything."""
    legacy.on("/a", counted())
    async with caching_of(legacy) as found:
        await found.get("/a", until=b"Cache-Status: banyan; fwd=uri-miss; stored\r\n")
        await found.ask(b"", b"made 1")
        await found.get("/a", until=b"Age: 0\r\nCache-Status: banyan; hit; ttl=59\r\n")
        await found.ask(b"", b"made 1")
        await found.ask(b"HEAD /a HTTP/1.1\r\nHost: api.example\r\n\r\n", b"Content-Length: 6\r\n")
        await found.get("/a?x=1", until=b"made 2")
        roles = [(each.role, each.outcome, each.acted, each.status, each.bytes_out) for each in seen(found)]
        assert roles == [
            ("live", "ok", "yes", 200, 6),
            ("cached", "ok", "no", 200, 6),
            ("cached", "ok", "no", 200, 0),
            ("live", "ok", "yes", 200, 6),
        ]
        await until(lambda: len(legacy.requests) == 2)


async def test_two_users_never_share_what_may_be_theirs(legacy: Origin) -> None:
    """Unless the answer is for everyone; where the route tells them apart each has its own."""
    legacy.on("/a", counted())
    legacy.on("/public", counted(b"for all %d", "Cache-Control: public, max-age=60"))
    async with caching_of(legacy) as found:
        for number, user in enumerate(("Authorization: 1", "Authorization: 2", "Cookie: a=1", "Cookie: a=2"), 1):
            await found.get("/a", user, until=b"made %d" % number)
            await found.get("/public", user, until=b"for all 1")
    async with caching_of(legacy, CachePolicy(60, vary=(b"authorization",))) as found:
        for number, user in ((5, "Authorization: 1"), (6, "Authorization: 2"), (5, "Authorization: 1")):
            await found.get("/a", user, until=b"made %d" % number)


async def test_answers_are_kept_by_what_they_depend_on(legacy: Origin) -> None:
    """In each language its own."""
    legacy.on("/a", counted(b"made %d", "Vary: Accept-Language"))
    async with caching_of(legacy) as found:
        for number, language in ((1, "de"), (2, "en"), (1, "de"), (2, "en")):
            await found.get("/a", f"Accept-Language: {language}", until=b"made %d" % number)


async def test_an_answer_that_is_stale_is_asked_after(legacy: Origin) -> None:
    """If it holds it is fresh again; if not there is a new one. What a client has itself stays out of that."""

    def script(talk: Talk) -> None:
        known = talk.request.get("If-None-Match")
        if known == '"1"':
            talk.send(b'HTTP/1.1 304 Same\r\nETag: "1"\r\n\r\n')
        else:
            talk.send(answer(b"made", 'ETag: "1"', "Cache-Control: max-age=0"))

    legacy.on("/a", script)
    async with caching_of(legacy) as found:
        await found.get("/a", until=b"made")
        await found.get("/a", 'If-None-Match: "9"', "Range: bytes=0-1", until=b"fwd=stale; fwd-status=304; stored")
        await found.ask(b"", b"ma")
        await found.get("/a", 'If-None-Match: "1"', until=b"HTTP/1.1 304 Not Modified")
        assert [each.get("If-None-Match") for each in legacy.seen("/a")] == [None, '"1"', '"1"']
        assert [each.get("Range") for each in legacy.seen("/a")] == [None] * 3
        legacy.on("/a", answer(b"new", 'ETag: "2"'))
        await found.get("/a", until=b"fwd=stale; stored")
        await found.ask(b"", b"new")
        await found.get("/a", until=b"hit; ttl=59")
        assert [each.role for each in seen(found)] == ["live", "live", "live", "live", "cached"]


@pytest.mark.parametrize("fails", [FAILS, hang, lambda talk: talk.reset()])
async def test_a_stale_answer_stands_in(legacy: Origin, fails: Any) -> None:
    """The failure counts against its side all the same; without one that may, it is the client's to see."""
    legacy.on("/a", counted(b"made %d", "Cache-Control: max-age=0"))
    async with caching_of(legacy) as found:
        await found.get("/a", until=b"made 1")
        legacy.on("/a", fails)
        await found.get("/a", until=b"detail=stale-if-error")
        await found.ask(b"", b"made 1")
        _, failed, instead = seen(found)
        assert (failed.role, failed.outcome in ("backend_error", "timeout")) == ("live", True)
        assert (instead.role, instead.outcome, instead.status, instead.error) == ("cached", "ok", 200, "")
        await found.get("/other", until=b"ok")
        legacy.on("/other", fails)
        await found.get("/other", "Cache-Control: no-cache", until=b"\r\n\r\n")
        assert seen(found)[-1].status >= 500


async def test_reads_stay_up_during_maintenance(legacy: Origin) -> None:
    """As far as they are kept."""
    legacy.on("/a", answer(b"made", "Cache-Control: max-age=0"))
    async with caching_of(legacy, maintained={"office": Maintenance((Closed(0, 1, ()),))}) as found:
        await found.get("/a", until=b"made")
        [guard] = found.live.guards
        guard.follow(None, None, Maintenance((Closed(0, 1_440),)))
        await found.get("/a", until=b"detail=stale-if-error")
        await found.get("/b", until=b"closed for maintenance")
        await until(lambda: len(legacy.requests) == 1)


async def test_one_asks_for_all(legacy: Origin) -> None:
    """Those who would ask the same meanwhile wait for its answer; if it can be nobody else's, each asks by itself."""
    go = threading.Event()
    script = counted(b"made %d")

    def slow(talk: Talk) -> None:
        go.wait(5)
        script(talk)

    legacy.on("/a", slow)
    async with caching_of(legacy) as found:
        address = found.address
        asking = [asyncio.create_task(_get(address, "/a")) for _ in range(5)]
        await until(lambda: legacy.busy == 1)
        await asyncio.sleep(0.05)
        assert legacy.busy == 1
        go.set()
        assert {each[-6:] for each in await asyncio.gather(*asking)} == {b"made 1"}
        await until(lambda: len(legacy.requests) == 1)
        legacy.on("/own", counted(b"own %d", "Cache-Control: private"))
        asking = [asyncio.create_task(_get(address, "/own")) for _ in range(5)]
        bodies = {each[-5:] for each in await asyncio.gather(*asking)}
        assert len(bodies) == 5


async def _get(address: tuple[str, int], path: str) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n".encode())
    data = await reader.read()
    writer.close()
    return data


async def test_a_write_ends_what_was_kept(legacy: Origin) -> None:
    """Of its address, if it may have been done (RFC 9111, section 4.4)."""
    legacy.on("/a", counted())
    async with caching_of(legacy) as found:
        await found.get("/a", until=b"made 1")
        await found.get("/a?x=1", until=b"made 2")
        await found.ask(b"DELETE /a HTTP/1.1\r\nHost: api.example\r\n\r\n", b"made 3")
        await found.get("/a", until=b"made 4")
        await found.get("/a?x=1", until=b"made 5")
        legacy.on("/a", FAILS)
        await found.ask(b"DELETE /a HTTP/1.1\r\nHost: api.example\r\n\r\n", b"no")
        await found.get("/a", until=b"500")


async def test_what_was_asked_for_before_a_write_is_not_kept(legacy: Origin) -> None:
    """It may tell of what was before."""
    go = threading.Event()
    script = counted()

    def slow(talk: Talk) -> None:
        go.wait(5)
        script(talk)

    def either(talk: Talk) -> None:
        if talk.request.method == "PUT":
            talk.send(answer(b"done"))
        else:
            slow(talk)

    legacy.on("/a", either)
    async with caching_of(legacy) as found:
        asking = asyncio.create_task(_get(found.address, "/a"))
        await until(lambda: legacy.busy == 1)
        await found.ask(b"PUT /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0\r\n\r\n", b"done")
        go.set()
        assert (await asking)[-6:] == b"made 1"
        await found.get("/a", until=b"made 2")
        await found.get("/a", until=b"made 2")


async def test_what_is_too_large_passes(legacy: Origin) -> None:
    """And what breaks off is given to nobody."""
    legacy.on("/large", answer(b"x" * 2_000))

    def cut(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        talk.close()

    legacy.on("/cut", cut)
    async with caching_of(legacy) as found:
        for _ in range(2):
            await found.get("/large", until=b"x" * 2_000)
        await found.get("/cut", until=b"HTTP/1.1 502 Bad Gateway")
        assert found.handler.cache.size == 0


async def test_only_what_is_kept_may_be_wanted(legacy: Origin) -> None:
    """Section 5.2.1.7."""
    async with caching_of(legacy) as found:
        await found.get("/a", "Cache-Control: only-if-cached", until=b"504")
        await found.get("/a", until=b"ok")
        await found.get("/a", "Cache-Control: only-if-cached", until=b"hit")
        await until(lambda: len(legacy.requests) == 1)


async def test_the_other_side_may_answer(legacy: Origin) -> None:
    """What fell back is the other side's, and not kept as this one's."""
    legacy.on("/a", FAILS)
    async with caching_of(legacy, fallback=True) as found:
        await found.get("/a", until=b"ok")
        await found.get("/a", until=b"ok")
        assert [each.role for each in seen(found)] == ["live", "fallback"] * 2
        assert found.handler.cache.size == 0


async def test_where_both_sides_fail_a_kept_answer_stands_in(legacy: Origin) -> None:
    """Each failure counts against its side, and no connection is left over."""
    legacy.on("/a", answer(b"made", "Cache-Control: max-age=0"))
    async with caching_of(legacy, fallback=True) as found:
        await found.get("/a", until=b"made")
        legacy.on("/a", FAILS)
        found.origin_of("repairs").on("/a", hang)
        await found.get("/a", until=b"detail=stale-if-error")
        await found.ask(b"", b"made")
        told = [(each.role, each.side, each.outcome) for each in seen(found)[1:]]
        assert told == [
            ("live", "legacy", "backend_error"),
            ("fallback", "new", "timeout"),
            ("cached", "legacy", "ok"),
        ]
        await until(lambda: found.live.pools["repairs"].open[0] == 0)


# ------------------------------------------------------------------------------------------------ what is kept


def put(cache: Cache, target: str, body: bytes = b"x" * 1_000, *lines: str) -> Key:
    key = Key("r", "legacy", b"", target.encode(), ())
    asks = request(f"GET {target}", *lines)
    head = AnswerHead(200, b"", b"Vary: X\r\n", len(body), False, False)
    stored = kept(TTL, asks, {}, head, body, time())
    assert stored is not None
    cache.put(key, asks, stored, time())
    return key


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not asked for the longest goes first; and so does what is larger than everything."""
    cache = Cache(10_000)
    keys = [put(cache, f"/{number}") for number in range(4)]
    assert cache.size == 4 * SIZE
    assert cache.find(keys[0], request("GET /0"), shows=False) is not None
    put(cache, "/4")
    assert [cache.find(key, request("GET /"), shows=False) is not None for key in keys] == [True, False, True, True]
    cache.resize(4_100)
    assert cache.size == 2 * SIZE
    put(cache, "/5", b"x" * 5_000)
    assert cache.size == 2 * SIZE
    cache.written(b"/3")
    cache.written(b"/none")
    assert cache.size == SIZE
    cache.resize(0)
    assert (cache.size, cache._places) == (0, {})
    monkeypatch.setattr(caching, "VARIANTS", 2)
    cache.resize(100_000)
    for number in range(4):
        key = put(cache, "/v", b"x" * 1_000, f"X: {number}")
    assert cache.size == 2 * (SIZE + 1)
    assert [cache.find(key, request("GET /v", f"X: {number}"), shows=False) is not None for number in range(4)] == [
        False,
        False,
        True,
        True,
    ]


def test_what_could_not_be_kept_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within bounds."""
    monkeypatch.setattr(caching, "MOST_REMEMBERED", 2)
    cache = Cache(1)
    keys = [Key("r", "legacy", b"h", b"/%d" % number, ()) for number in range(3)]
    for key in keys:
        cache.give_up(key, 100.0)
    assert [cache.is_hopeless(key, 101.0) for key in keys] == [False, True, True]
    assert not cache.is_hopeless(keys[2], 105.0)
