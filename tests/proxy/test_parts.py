"""A process uses its part of what backends can bear, for as long as it may."""

from gateway.core.policies import Protect
from gateway.proxy.parts import Parts
from gateway.wire.clock import Clock
from gateway.wire.guard import Guard


def guard(most: int = 20) -> Guard:
    return Guard("old", Protect(max_concurrent=most), None, Clock())


def entered(one: Guard) -> int:
    """How many requests are let in."""
    before = one.gate.under_way
    while one.gate.enter():
        pass
    return one.gate.under_way - before


def test_all_of_it_is_used_where_there_are_no_others() -> None:
    """By default."""
    one = guard()
    assert Parts().apply([one], 0.0)
    assert entered(one) == 20


def test_a_part_of_every_bound_is_used() -> None:
    """Rounded down, so that the parts do not add up to more."""
    one, other = guard(), guard(2)
    parts = Parts()
    parts.use(3, 100.0)
    assert parts.apply([one, other], 0.0)
    assert (entered(one), entered(other)) == (6, 0)


def test_it_is_known_when_no_more_is_used() -> None:
    """What is under way already has to end first."""
    one = guard()
    parts = Parts()
    parts.apply([one], 0.0)
    assert entered(one) == 20
    parts.use(2, 100.0)
    assert not parts.apply([one], 0.0)
    for _ in range(10):
        one.gate.free()
    assert parts.apply([one], 0.0)
    assert entered(one) == 0


def test_after_the_end_nothing_is_used() -> None:
    """Whoever cannot renew does not know what others use by then."""
    one = guard()
    parts = Parts()
    parts.use(2, 100.0)
    assert parts.apply([one], 99.9)
    assert parts.apply([one], 100.0)
    assert entered(one) == 0
    parts.use(1, 200.0)
    parts.apply([one], 101.0)
    assert entered(one) == 20
