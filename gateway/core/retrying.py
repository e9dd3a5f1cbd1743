"""When a request is sent once more, and after how long.

Only what cannot do harm twice: a request of which nothing was sent, or one that does no more when it comes twice. And
only as often as a backend that fails can bear: retries are paid for out of a budget that requests fill, so that an
outage is not met with three times the load.
"""

from typing import NamedTuple

from gateway.core.policies import RetryPolicy
from gateway.errors import (
    AnswerInvalid,
    AnswerTimeout,
    BackendError,
    ConnectFailed,
    NotAcquired,
    NotAdmitted,
    StaleConnection,
)

PATIENCE = 5.0
"""Seconds that a Retry-After may ask for: a client does not wait longer for a gateway to try again."""
SAVED = 10.0
"""Retries that quiet times may save up."""


class Failure(NamedTuple):
    """What a try came to: `kind` is connect, reset, timeout or a status; `sent` tells whether the backend may have got
    the request; `after` is how many seconds it asked to be left alone."""

    kind: str
    sent: bool
    after: float = 0.0


def failure_of(error: BackendError) -> Failure | None:
    """What an error means for trying again; None where that makes no sense."""
    match error:
        case NotAdmitted():
            return None
        case ConnectFailed() | NotAcquired():
            return Failure("connect", False)
        case StaleConnection() | AnswerInvalid():
            return Failure("reset", True)
        case AnswerTimeout():
            return Failure("timeout", True)
    return None


def pause(policy: RetryPolicy, tries: int, failure: Failure, *, repeatable: bool, draw: float) -> float | None:
    """Seconds until the request is sent once more, after so many tries; None when it is not.

    `repeatable` tells that it does no more when it comes twice; `draw` is a number from 0 to 1: clients that failed
    together must not come back together (full jitter: M. Brooker, "Exponential backoff and jitter", 2015).
    """
    if tries >= policy.attempts or failure.kind not in policy.on or (failure.sent and not repeatable):
        return None
    if failure.after > PATIENCE:
        return None
    return max(failure.after, draw * policy.backoff * 2.0 ** (tries - 1))


def seconds_of(value: bytes) -> float:
    """What a Retry-After asks for in seconds; 0 where it says nothing or names a date (RFC 9110, section 10.2.3)."""
    text = value.strip()
    return float(text) if text.isdigit() and len(text) < 10 else 0.0


class Budget:
    """How many retries there may be: each request earns a part of one, and a few may be saved up."""

    def __init__(self, part: float) -> None:
        self._part = part
        self._saved = 0.0

    def earn(self) -> None:
        """A request came."""
        self._saved = min(SAVED, self._saved + self._part)

    def spend(self) -> bool:
        """Whether there may be a retry; it counts as made."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
