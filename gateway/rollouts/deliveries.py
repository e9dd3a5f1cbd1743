"""Deliveries of webhooks: what remembers them, what an answer means, and when to try again (Standard Webhooks 1.0.0).

The memory is a protocol, because the store belongs to another room; the rest are plain decisions.
"""

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol

from gateway.core.events import Event

HOUR = 3_600.0
DELAYS = (5.0, 300.0, 1_800.0, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds between attempts ("Deliverability and reliability"): ten of them, the last after a little over three days."""
JITTER = 0.2
"""A wait is longer by up to this part, so that what failed together does not come again together."""
LONGEST_WAIT = 24 * HOUR
"""A Retry-After field is obeyed up to this."""
GONE = 410


class Delivery(NamedTuple):
    """An event on its way to one receiver: `attempts` were made so far, the next is due at `due` (Unix seconds)."""

    event: Event
    attempts: int = 0
    due: float = 0.0


class Deliveries(Protocol):
    """What remembers deliveries beyond this process. An event that is handed over is written there already.

    Every method may raise a BanyanError: delivering goes on, and what could not be noted is delivered again some day.
    """

    async def pending(self, url: str) -> Sequence[Delivery]:
        """What is to be delivered to `url` and nobody else delivers, in the order of the events.

        It is asked for again and again, so it need not be all at once.
        """
        ...

    async def delivered(self, event_id: str, url: str) -> None:
        """The receiver has it."""
        ...

    async def failed(self, event_id: str, url: str, attempts: int, next_try: float | None, why: str) -> None:
        """So many attempts failed; the next is due at `next_try` (Unix seconds), None when it is given up."""
        ...


# ------------------------------------------------------------------------------------------------ decisions


class Attempt(NamedTuple):
    """What came of one attempt.

    `status` is the answer's (0 for none), `why` it failed ("" when it did not), `retry_after` for how many seconds at
    least the receiver asks to be left alone.
    """

    status: int
    why: str = ""
    retry_after: float = 0.0


def judged(status: int, retry_after: str, now: float) -> Attempt:
    """What an answer means ("Delivery success and failure"): 2xx is success, and nothing else is."""
    if 200 <= status <= 299:
        return Attempt(status)
    return Attempt(status, f"the receiver answered {status}", seconds_asked(retry_after, now))


def seconds_asked(retry_after: str, now: float) -> float:
    """What a Retry-After field asks for, in seconds from `now` (RFC 9110, section 10.2.3); 0 if it cannot be read."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    moment = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


def seconds_to_wait(attempts: int, retry_after: float, draw: float) -> float:
    """Seconds until the next attempt after so many failed ones; `draw` is a number from 0 to 1.

    Retry-After only ever makes it longer: a receiver that asks for one second each time would use up all attempts.
    """
    planned = DELAYS[min(attempts, len(DELAYS)) - 1]
    return max(planned * (1 + JITTER * draw), min(retry_after, LONGEST_WAIT))
