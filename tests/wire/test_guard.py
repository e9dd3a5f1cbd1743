"""Before a fragile backend: so many at once, so many a second, and a queue that is bounded and fair."""

import asyncio
from collections.abc import AsyncIterator
from math import inf
from time import monotonic

import pytest

from gateway.core.policies import BreakerPolicy, Protect, RetryPolicy
from gateway.errors import ClientGone, NotAdmitted
from gateway.wire.clock import Clock
from gateway.wire.guard import Gate, Guard, Waiter
from tests.support.serving import until


@pytest.fixture
async def clock() -> AsyncIterator[Clock]:
    found = Clock()
    found.start()
    yield found
    found.stop()


def gate(clock: Clock, most: int = 2, queue: int = 10, wait: float = 5.0, rate: float = 0.0, burst: int = 1) -> Gate:
    return Gate("old", Protect(max_concurrent=most, queue=queue, wait=wait, rate=rate, burst=burst), clock)


async def admitted(waiter: Waiter) -> bool:
    """Whether a waiter is let in, once that is known. Raises why it is not."""
    await until(lambda: waiter.answer is not False)
    if isinstance(waiter.answer, Exception):
        raise waiter.answer
    return True


def let_in(*waiters: Waiter) -> list[bool]:
    return [waiter.answer is True for waiter in waiters]


async def test_no_more_than_so_many_at_once(clock: Clock) -> None:
    """A slot that is freed is taken by who waits, and by nobody else."""
    there = gate(clock)
    assert [there.enter() for _ in range(3)] == [True, True, False]
    waiter = there.line_up("a", 0)
    there.free()
    assert waiter.answer is True
    assert (there.under_way, there.waiting) == (2, 0)
    assert not there.enter()


async def test_nobody_overtakes_those_who_wait(clock: Clock) -> None:
    """Even where there is room by now: it is for them."""
    there = gate(clock, most=1, rate=10.0)
    assert there.enter()
    there.free()
    waiter = there.line_up("a", 0)
    assert not there.enter()
    assert await admitted(waiter)


async def test_routes_wait_in_turn(clock: Clock) -> None:
    """One that asks for much does not make the others wait for all of it."""
    there = gate(clock, most=1)
    there.enter()
    much = [there.line_up("much", 0) for _ in range(3)]
    little = there.line_up("little", 0)
    there.free()
    there.free()
    assert let_in(*much, little) == [True, False, False, True]
    there.free()
    assert let_in(*much, little) == [True, True, False, True]


async def test_what_matters_more_comes_first(clock: Clock) -> None:
    """However late it came."""
    there = gate(clock, most=1)
    there.enter()
    low, normal, high = (there.line_up("a", priority) for priority in (-1, 0, 1))
    there.free()
    assert let_in(low, normal, high) == [False, False, True]
    there.free()
    assert let_in(low, normal, high) == [False, True, True]


async def test_the_queue_is_bounded(clock: Clock) -> None:
    """Who finds it full is refused at once, and told when to come back."""
    there = gate(clock, most=1, queue=1)
    there.enter()
    there.line_up("a", 0)
    with pytest.raises(NotAdmitted) as refused:
        there.line_up("a", 0)
    assert (refused.value.kind, refused.value.status, refused.value.request_sent) == ("queue_full", 503, False)
    assert refused.value.retry_after >= 1


async def test_what_matters_more_takes_a_place_in_a_full_queue(clock: Clock) -> None:
    """That of the latest of the least, from the route that has most."""
    there = gate(clock, most=1, queue=3)
    there.enter()
    first, second, other = there.line_up("much", 0), there.line_up("much", 0), there.line_up("little", 0)
    high = there.line_up("dear", 1)
    assert let_in(first, second, other, high) == [False] * 4
    with pytest.raises(NotAdmitted, match="gave way"):
        await admitted(second)
    there.free()
    assert high.answer is True
    there.line_up("much", -1)
    with pytest.raises(NotAdmitted, match="wait already"):
        there.line_up("much", -1)


async def test_its_bounds_can_be_told(clock: Clock) -> None:
    """Of this gateway's part, as it is now; a queue alone bounds nothing."""
    there = gate(clock, most=10, queue=3)
    assert there.bounds == (10, 3)
    there.follow(there.protect, parts=2)
    assert there.bounds == (5, 3)
    there.follow(Protect(queue=3))
    assert there.bounds == (inf, inf)
    there.follow(Protect(queue=3, rate=5.0))
    assert there.bounds == (inf, 3)


async def test_without_a_queue_nobody_waits(clock: Clock) -> None:
    """There is a slot at once, or none."""
    there = gate(clock, most=1, queue=0)
    there.enter()
    with pytest.raises(NotAdmitted):
        there.line_up("a", 5)


async def test_nobody_waits_for_ever(clock: Clock) -> None:
    """After the longest wait one is refused, and its place is free."""
    there = gate(clock, most=1, wait=0.1)
    there.enter()
    began = monotonic()
    with pytest.raises(NotAdmitted) as refused:
        await admitted(there.line_up("a", 0))
    assert refused.value.kind == "queue_timeout"
    assert 0.1 <= monotonic() - began < 1.0
    assert there.waiting == 0


async def test_who_leaves_gives_up_its_place(clock: Clock) -> None:
    """Once let in there is no place to give up any more."""
    there = gate(clock, most=1)
    there.enter()
    gone, stays = there.line_up("a", 0), there.line_up("a", 0)
    gone.give_up(ClientGone())
    there.free()
    assert stays.answer is True
    with pytest.raises(ClientGone):
        await admitted(gone)
    stays.give_up(ClientGone())
    assert stays.answer is True
    assert there.under_way == 1


async def test_no_more_than_the_rate(clock: Clock) -> None:
    """A burst at once, and then one after the other, whether they wait or not."""
    there = gate(clock, most=0, queue=100, rate=50.0, burst=3)
    assert [there.enter() for _ in range(4)] == [True, True, True, False]
    began = monotonic()
    waiters = [there.line_up("a", 0) for _ in range(10)]
    for each in waiters:
        assert await admitted(each)
    assert 0.17 <= monotonic() - began < 1.0


async def test_a_slot_is_needed_as_well_as_the_rate(clock: Clock) -> None:
    """Nobody is let in for a token alone."""
    there = gate(clock, most=1, rate=1_000.0)
    there.enter()
    waiter = there.line_up("a", 0)
    await asyncio.sleep(0.05)
    assert waiter.answer is False
    there.free()
    assert await admitted(waiter)


async def test_other_settings_count_on(clock: Clock) -> None:
    """What is under way stays so; who waits is let in if there is room now."""
    there = gate(clock, most=1)
    there.enter()
    waiter = there.line_up("a", 0)
    there.follow(Protect(max_concurrent=2, queue=10))
    assert waiter.answer is True
    there.follow(Protect(max_concurrent=1, queue=10))
    there.free()
    assert (there.under_way, there.enter()) == (1, False)


async def test_a_guard_keeps_what_it_knows(clock: Clock) -> None:
    """A breaker whose settings stay as they are stays as it is; with others it begins anew."""
    policy = BreakerPolicy(open_after=1)
    guard = Guard("old", Protect(breaker=policy), None, clock)
    first = guard.breaker
    assert first is not None
    first.ended(first.admit(0.0), True, 0.0)
    assert guard.told == (0, 0, "open", 0, 0)
    guard.follow(Protect(max_concurrent=3, breaker=policy), None)
    assert guard.breaker is first
    guard.follow(Protect(breaker=policy._replace(window=9.0)), None)
    assert guard.told == (0, 0, "closed", 0, 0)
    guard.follow(None, RetryPolicy(budget=1.0))
    assert guard.told == (0, 0, "", 0, 0)
    guard.budget.earn()
    assert guard.budget.spend()
    budget = guard.budget
    guard.follow(None, RetryPolicy(budget=1.0))
    assert guard.budget is budget
