"""A body hands on what came, in order, holds little, and never calls a part the whole."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ClientError, ClientGone
from gateway.wire.body import EMPTY, Body
from gateway.wire.body import whole as whole_body


class Source:
    """Remembers when it was asked to stop and to go on."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pause_body(self) -> None:
        self.told.append("pause")

    def resume_body(self) -> None:
        self.told.append("resume")


def whole(*pieces: bytes) -> Body:
    body = Body(None)
    for piece in pieces:
        body.feed(piece)
    body.finish()
    return body


async def drained(body: Body) -> bytes:
    return b"".join([piece async for piece in body.stream()])


@given(st.lists(st.binary(min_size=1, max_size=50)))
def test_what_comes_out_is_what_came_in(pieces: list[bytes]) -> None:
    """However it is cut into pieces, a body is the same bytes."""
    body = whole(*pieces)
    assert body.received == sum(map(len, pieces))
    assert asyncio.run(drained(body)) == b"".join(pieces)


async def test_a_taker_waits_for_what_is_not_there_yet() -> None:
    """`next` returns once something has come, and empty at the end."""
    body = Body(None)
    waiting = asyncio.get_running_loop().create_task(_driven(body.next()))
    await asyncio.sleep(0)
    body.feed(b"late")
    body.notify()
    assert await waiting == b"late"
    body.finish()
    assert await body.next() == b""


async def _driven(awaitable: object) -> object:
    """Await what yields signals, as a connection's driver does: ask again whenever it waits."""
    coroutine = awaitable.__await__()  # type: ignore[attr-defined]
    while True:
        try:
            next(coroutine)
        except StopIteration as end:
            return end.value
        await asyncio.sleep(0)


def test_a_full_body_stops_its_source_until_it_is_emptied() -> None:
    """Above the mark the source is paused, once; taking what is there resumes it."""
    source = Source()
    body = Body(source, mark=10)
    body.feed(b"x" * 11)
    body.feed(b"y" * 11)
    assert source.told == ["pause"]
    assert body.take() == b"x" * 11 + b"y" * 11
    assert source.told == ["pause", "resume"]


async def test_a_failure_comes_after_what_had_come() -> None:
    """A body that breaks off gives what it has, and then the reason; it never just ends."""
    body = Body(None)
    body.feed(b"half")
    body.fail(ClientGone())
    assert await body.next() == b"half"
    with pytest.raises(ClientGone):
        await body.next()
    assert not body.ended


async def test_a_bound_that_is_broken_already_fails_at_once() -> None:
    """What had come before the bound was known counts too."""
    body = Body(None)
    body.feed(b"123456")
    body.bound(5)
    with pytest.raises(ClientError):
        await body.next()


async def test_a_whole_body_does_not_fail_any_more() -> None:
    """What breaks after the end does not matter to it."""
    body = whole(b"all")
    body.fail(ClientGone())
    assert await drained(body) == b"all"


async def test_a_body_over_its_limit_is_not_handed_on() -> None:
    """The bound is counted as bytes come, and says 413."""
    body = Body(None)
    body.bound(5)
    body.feed(b"12345")
    assert await body.next() == b"12345"
    body.feed(b"6")
    with pytest.raises(ClientError) as caught:
        await body.next()
    assert caught.value.status == 413


async def test_peeking_takes_nothing() -> None:
    """The beginning can be read before anything is decided; all of it is still there."""
    body = whole(b"ab", b"cd", b"ef")
    assert await body.peek(3) == b"abc"
    assert await body.peek(100) == b"abcdef"
    assert not body.sent
    assert await drained(body) == b"abcdef"


async def test_peeking_at_a_broken_body_fails() -> None:
    """What will never come is not waited for."""
    body = Body(None)
    body.feed(b"a")
    body.fail(ClientGone())
    with pytest.raises(ClientGone):
        await body.peek(2)


async def test_a_captured_body_can_be_replayed() -> None:
    """Taken once, captured bytes come again from the first."""
    body = whole(b"once", b" more")
    assert await body.capture(9) == b"once more"
    for first, second in pairwise([await _replayed(body) for _ in range(3)]):
        assert first == second == b"once more"


async def _replayed(body: Body) -> bytes:
    data = await drained(body)
    assert body.sent
    body.replay()
    assert not body.sent
    return data


async def test_a_body_over_the_bound_is_not_captured() -> None:
    """It streams on instead, whole."""
    body = whole(b"x" * 11)
    assert await body.capture(10) is None
    with pytest.raises(ValueError, match="captured"):
        body.replay()
    assert await drained(body) == b"x" * 11


async def test_an_empty_body_is_captured_as_nothing() -> None:
    """Nothing can be sent twice, too."""
    body = whole()
    assert await body.capture(10) == b""
    body.replay()
    assert await drained(body) == b""


def test_what_is_discarded_is_not_waited_for() -> None:
    """The source goes on to its end, and nothing is kept."""
    source = Source()
    body = Body(source, mark=10)
    body.feed(b"x" * 11)
    body.discard()
    assert source.told == ["pause", "resume"]
    assert body.take() == b""


def test_no_body_is_a_body_that_has_ended() -> None:
    """One value stands for every message without one."""
    assert (EMPTY.ended, EMPTY.sent, EMPTY.take(), EMPTY.received) == (True, False, b"", 0)


async def test_what_passes_is_kept_for_afterwards() -> None:
    """All of it, however it was taken, once its end has come; the taker notices nothing."""
    body = Body(None)
    body.keep(6)
    for piece in (b"ab", b"c", b"def"):
        body.feed(piece)
        assert body.take() == piece
        assert body.kept is None
    body.finish()
    assert body.kept == b"abcdef"


@pytest.mark.parametrize("size", [0, 5])
async def test_more_than_was_asked_for_is_not_kept(size: int) -> None:
    """Not a part of it either."""
    body = Body(None)
    body.keep(size)
    for piece in (b"abc", b"def"):
        body.feed(piece)
        body.take()
    body.finish()
    assert body.kept is None


async def test_a_body_that_was_not_taken_whole_is_not_kept() -> None:
    """What was thrown away before its end says nothing about what came."""
    body = Body(None)
    body.keep(100)
    body.feed(b"abc")
    body.take()
    body.feed(b"def")
    body.discard()
    body.finish()
    assert body.kept is None


async def test_a_body_that_is_here_already() -> None:
    """It has ended, and is taken at once; without a byte it is the one that is empty for everybody."""
    body = whole_body(b"abc")
    assert (body.ended, body.received, body.take(), whole_body(b"")) == (True, 3, b"abc", EMPTY)
    EMPTY.keep(10)
    assert EMPTY.kept == b""


def test_the_end_lets_a_paused_source_go_on() -> None:
    """What comes next on its connection is another message, and nobody else would ever ask for that."""
    source = Source()
    body = Body(source, 4)
    body.feed(b"too much")
    assert source.told == ["pause"]
    body.finish()
    assert source.told == ["pause", "resume"]
    assert body.take() == b"too much"
    assert source.told == ["pause", "resume"]
