"""A backend that fails is left alone for a while, and what it answers then decides whether it is left alone longer."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.breaker import REFUSED, TRANSITIONS, Breaker, Signal, State
from gateway.core.policies import BreakerPolicy

POLICY = BreakerPolicy(open_after=3, share=0.5, window=10.0, retry_after=5.0)


def call(breaker: Breaker, failed: bool, now: float) -> bool:
    """One call from beginning to end; whether it was admitted."""
    given = breaker.admit(now)
    if given == REFUSED:
        return False
    breaker.ended(given, failed, now)
    return True


def state(breaker: Breaker) -> State:
    """Its state, which mypy must not think it knows."""
    return breaker.state


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    for _ in range(3):
        call(breaker, True, at)
    assert state(breaker) == State.OPEN
    return breaker


def test_a_backend_that_works_is_asked() -> None:
    """Whatever is asked of it is let through."""
    breaker = Breaker(POLICY)
    assert all(call(breaker, False, float(now)) for now in range(100))
    assert (state(breaker), breaker.opened) == (State.CLOSED, 0)


def test_it_opens_after_so_many_failures() -> None:
    """Not one earlier; from then on nothing is let through until it has rested."""
    breaker = Breaker(POLICY)
    call(breaker, True, 0.0)
    call(breaker, True, 1.0)
    assert state(breaker) == State.CLOSED
    call(breaker, True, 2.0)
    assert (state(breaker), breaker.opened) == (State.OPEN, 1)
    assert not call(breaker, False, 6.9)
    assert breaker.refused_for(3.0) == 4.0
    assert breaker.refused_for(9.0) == 0.0


def test_failures_must_be_a_share_of_the_calls() -> None:
    """Three failures among many good answers are no reason to turn everyone away."""
    breaker = Breaker(POLICY)
    for _ in range(4):
        call(breaker, False, 0.0)
    for _ in range(3):
        call(breaker, True, 0.0)
    assert state(breaker) == State.CLOSED
    call(breaker, True, 0.0)
    assert state(breaker) == State.OPEN


def test_what_has_left_the_window_counts_no_more() -> None:
    """Two failures now and one long ago are two."""
    breaker = Breaker(POLICY)
    call(breaker, True, 0.0)
    call(breaker, True, 10.5)
    call(breaker, True, 10.9)
    assert state(breaker) == State.CLOSED
    call(breaker, True, 11.0)
    assert state(breaker) == State.OPEN


def test_one_call_tries_it() -> None:
    """While that is under way no other is let through; a good answer closes the breaker."""
    breaker = opened()
    given = breaker.admit(5.0)
    assert given != REFUSED
    assert state(breaker) == State.HALF_OPEN
    assert breaker.admit(5.0) == REFUSED
    breaker.ended(given, False, 5.1)
    assert state(breaker) == State.CLOSED
    assert call(breaker, False, 5.2)


def test_a_failed_try_opens_it_again() -> None:
    """For as long as the first time."""
    breaker = opened()
    assert call(breaker, True, 6.0)
    assert (state(breaker), breaker.opened) == (State.OPEN, 2)
    assert not call(breaker, False, 10.9)
    assert call(breaker, False, 11.0)


def test_a_try_that_says_nothing_lets_another_try() -> None:
    """As when its client left, or when there was no slot for it."""
    breaker = opened()
    breaker.forgotten(breaker.admit(5.0))
    assert call(breaker, False, 5.0)
    assert state(breaker) == State.CLOSED


def test_what_began_before_says_nothing_of_now() -> None:
    """Calls that were under way when it opened end without effect, well or badly."""
    breaker = Breaker(POLICY)
    early = breaker.admit(0.0)
    for _ in range(3):
        call(breaker, True, 0.0)
    breaker.ended(early, False, 1.0)
    assert state(breaker) == State.OPEN
    given = breaker.admit(5.0)
    breaker.ended(early, True, 5.0)
    breaker.forgotten(early)
    assert state(breaker) == State.HALF_OPEN
    breaker.ended(given, False, 5.0)
    assert state(breaker) == State.CLOSED


def test_after_it_closed_the_count_begins_anew() -> None:
    """The failures that opened it do not open it once more."""
    breaker = opened()
    call(breaker, False, 5.0)
    call(breaker, True, 5.0)
    call(breaker, True, 5.0)
    assert state(breaker) == State.CLOSED


def test_the_table_names_every_way_out() -> None:
    """Each state can be left, and only by what can happen in it."""
    assert {state for state, _ in TRANSITIONS} == set(State)
    assert {signal for _, signal in TRANSITIONS} == set(Signal)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 4.0)), max_size=200))
def test_it_is_never_open_for_good(calls: list[tuple[bool, float]]) -> None:
    """Whatever happened: once it has rested a call is let through, and one good answer closes it."""
    breaker, now = Breaker(POLICY), 0.0
    for failed, seconds in calls:
        now += seconds
        call(breaker, failed, now)
    now += POLICY.retry_after
    assert call(breaker, False, now)
    assert state(breaker) == State.CLOSED
