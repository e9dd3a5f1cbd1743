"""A request is sent once more where that can do no harm, not at once, and not more often than a backend can bear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.policies import RetryPolicy
from gateway.core.retrying import Budget, Failure, failure_of, pause, seconds_of
from gateway.errors import (
    AnswerInvalid,
    AnswerTimeout,
    AnswerTruncated,
    BackendError,
    ConnectFailed,
    NotAcquired,
    NotAdmitted,
    NotLoggedOn,
    StaleConnection,
)

POLICY = RetryPolicy(attempts=3, on=("connect", "reset", "503"), backoff=0.1)
UNSENT, RESET, BUSY = Failure("connect", False), Failure("reset", True), Failure("503", True)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ConnectFailed("x"), UNSENT),
        (NotAcquired("x"), UNSENT),
        (StaleConnection("x"), RESET),
        (AnswerInvalid("x"), RESET),
        (AnswerTimeout("x"), Failure("timeout", True)),
        (NotAdmitted("queue_full", "x", 1.0), None),
        (NotLoggedOn("x"), None),
        (AnswerTruncated("x"), None),
    ],
)
def test_what_errors_mean_for_trying_again(error: BackendError, failure: Failure | None) -> None:
    """What is refused, or broken off, or not logged on, is not mended by asking again."""
    assert failure_of(error) == failure


def test_what_was_not_sent_may_always_go_again() -> None:
    """Whatever it would do."""
    assert pause(POLICY, 1, UNSENT, repeatable=False, draw=0.5) == 0.05
    assert pause(POLICY, 1, RESET, repeatable=False, draw=0.5) is None
    assert pause(POLICY, 1, RESET, repeatable=True, draw=0.5) == 0.05


def test_only_what_is_named_is_tried_again() -> None:
    """And only so often in all."""
    assert pause(POLICY, 1, Failure("500", True), repeatable=True, draw=1.0) is None
    assert pause(POLICY, 2, BUSY, repeatable=True, draw=1.0) == 0.2
    assert pause(POLICY, 3, BUSY, repeatable=True, draw=1.0) is None


def test_a_backend_that_asks_for_time_gets_it() -> None:
    """Within reason: a client does not wait for a minute."""
    assert pause(POLICY, 1, BUSY._replace(after=2.0), repeatable=True, draw=0.5) == 2.0
    assert pause(POLICY, 1, BUSY._replace(after=0.01), repeatable=True, draw=0.5) == 0.05
    assert pause(POLICY, 1, BUSY._replace(after=60.0), repeatable=True, draw=0.5) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"3", 3.0), (b" 120 ", 120.0), (b"", 0.0), (b"Fri, 31 Dec 1999 23:59:59 GMT", 0.0), (b"-1", 0.0)],
)
def test_retry_after(value: bytes, seconds: float) -> None:
    """In seconds; dates and nonsense say nothing."""
    assert seconds_of(value) == seconds


@given(st.lists(st.booleans(), max_size=300))
def test_retries_are_a_part_of_the_requests(failed: list[bool]) -> None:
    """In an outage, too."""
    budget, requests, retries = Budget(0.2), 0, 0
    for each in failed:
        budget.earn()
        requests += 1
        retries += each and budget.spend()
    assert retries <= 0.2 * requests + 1e-6


def test_quiet_times_save_up_a_few() -> None:
    """Not as many as would hurt."""
    budget = Budget(0.2)
    for _ in range(1_000):
        budget.earn()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
