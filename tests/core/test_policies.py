"""What a backend can bear is divided between clients and copies, and never adds up to more."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.policies import BreakerPolicy, Protect

BOUNDED = Protect(max_concurrent=20, queue=40, rate=50.0, burst=5, copies=1_000)


def test_copies_have_a_part_of_each_bound() -> None:
    """At least one request of each, and what is left is the clients'."""
    aside, left = BOUNDED.for_copies(), BOUNDED.for_clients()
    assert (aside.max_concurrent, aside.rate, aside.burst, aside.queue) == (2, 5.0, 1, 2)
    assert (left.max_concurrent, left.rate, left.burst, left.queue) == (18, 45.0, 4, 40)


def test_without_copies_all_of_it_is_the_clients() -> None:
    """There is nothing to divide."""
    whole = BOUNDED._replace(copies=0)
    assert whole.for_clients() == whole == whole.for_copies()


def test_what_is_not_bounded_stays_so() -> None:
    """A rate alone bounds nothing that is under way, and a breaker alone nothing at all."""
    rate = Protect(rate=50.0, burst=4, copies=1_000)
    assert (rate.for_copies().max_concurrent, rate.for_clients().max_concurrent) == (0, 0)
    assert (rate.bounded, rate.for_copies().queue) == (True, 1)
    assert not Protect(breaker=BreakerPolicy()).bounded


@given(st.integers(2, 1_000), st.integers(2, 100), st.integers(1, 9_999))
def test_the_parts_are_the_whole(most: int, burst: int, copies: int) -> None:
    """Neither a slot nor a request a second is given twice, and neither part is left without any."""
    protect = Protect(max_concurrent=most, rate=50.0, burst=burst, copies=copies)
    aside, left = protect.for_copies(), protect.for_clients()
    assert aside.max_concurrent + left.max_concurrent == most
    assert abs(aside.rate + left.rate - 50.0) < 1e-9
    assert aside.burst + left.burst == burst
    assert min(aside.max_concurrent, left.max_concurrent, aside.burst, left.burst) >= 1
