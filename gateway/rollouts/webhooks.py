"""Events on their way to other systems (Standard Webhooks 1.0.0), never in the way of what they tell of.

Handing over an event only starts a delivery. Each delivery keeps its own schedule, so that an event a receiver cannot
digest does not hold up a later, more urgent one; and a receiver gets one request at a time, first attempts in the order
of the events. What the store keeps is delivered at least once, restarts included: receivers go by the id.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from itertools import chain
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from gateway import __version__
from gateway.core.events import TYPES, Event, Kind, message
from gateway.core.policies import Webhook
from gateway.core.signing import signed
from gateway.errors import BanyanError
from gateway.rollouts.deliveries import DELAYS, GONE, Attempt, Deliveries, Delivery, judged, seconds_to_wait
from gateway.telemetry.logging import log

TIMEOUT = 15.0
"""Seconds that one attempt may take, all in all."""
WAITING = 1_000
"""How many deliveries may wait for one receiver."""
LOOK = 30.0
"""Seconds between looks at what is due in the store."""


def shown(url: str) -> str:
    """A receiver as logs may name it: paths, queries and user information of such addresses are often secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


# ------------------------------------------------------------------------------------------------ deliveries


class Shell(NamedTuple):
    """What deliveries need from the world outside: a session, a memory, a clock, chance (0 to 1) and patience."""

    session: ClientSession
    deliveries: Deliveries
    now: Callable[[], float]
    chance: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


async def post(shell: Shell, hook: Webhook, event: Event) -> Attempt:
    """One attempt. The reasons are our own words: those of errors may quote the address, and with it its secrets."""
    body = message(event)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"banyan/{__version__}",
        **signed(event.id, shell.now(), body, hook.secret),
    }
    try:
        async with shell.session.post(hook.url, data=body, headers=headers, allow_redirects=False) as answer:
            return judged(answer.status, answer.headers.get("Retry-After", ""), shell.now())
    except TimeoutError:
        return Attempt(0, f"the receiver did not answer within {TIMEOUT:g} s")
    except ClientConnectorError as error:
        return Attempt(0, f"no connection: {error.strerror or type(error).__name__}")
    except (ClientError, OSError, ValueError) as error:
        return Attempt(0, f"the request failed: {type(error).__name__}")


class Waiting(NamedTuple):
    """A delivery as it stands, and the task that carries it out."""

    delivery: Delivery
    task: asyncio.Task[None]


class Receiver:
    """One configured webhook and what waits for it. `hook` may be exchanged for one of the same url at any time.

    `counts` says how many events were delivered and given up, and how many tries failed in between."""

    def __init__(self, hook: Webhook, shell: Shell) -> None:
        self.hook = hook
        self.gone = False
        self.dropped = 0
        self.name = shown(hook.url)
        self.counts = Counter(dict.fromkeys(("delivered", "failed", "given_up"), 0))
        self._shell = shell
        self._turn = asyncio.Lock()
        self._waiting: dict[str, Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = log().bind(receiver=self.name)
        self._spawn(self._look())

    def take(self, delivery: Delivery) -> None:
        """Start a delivery, unless it is under way. When too many wait, the oldest is given up."""
        event_id = delivery.event.id
        if event_id in self._waiting:
            return
        if self.gone:
            self._spawn(self._given_up(delivery, "the receiver is gone"))
            return
        if len(self._waiting) >= WAITING:
            self.dropped += 1
            self._drop(next(iter(self._waiting)), f"more than {WAITING} events wait for the receiver")
        self._waiting[event_id] = Waiting(delivery, self._spawn(self._deliver(delivery)))

    @property
    def waiting(self) -> int:
        """How many events wait."""
        return len(self._waiting)

    def stop(self) -> set[asyncio.Task[None]]:
        """Stop delivering; returns what is about to end. The store knows what was still to be done."""
        for task in self._tasks:
            task.cancel()
        return self._tasks

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Have something done beside everything else. The loop alone would not keep a task alive."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _look(self) -> None:
        """Take up what is due in the store, again and again: an earlier process left it, or another one that died."""
        while not self.gone:
            try:
                for delivery in await self._shell.deliveries.pending(self.hook.url):
                    self.take(delivery)
            except BanyanError as error:
                self._log.warning("webhooks_not_loaded", why=str(error), next_try=LOOK)
            await self._shell.sleep(LOOK)

    async def _deliver(self, delivery: Delivery) -> None:
        """One delivery, from its first attempt to its last."""
        event, made = delivery.event, delivery.attempts
        if delivery.due > self._shell.now():
            await self._shell.sleep(delivery.due - self._shell.now())
        patience = AsyncRetrying(
            sleep=self._shell.sleep,
            retry=retry_if_result(lambda attempt: attempt.why != "" and attempt.status != GONE),
            stop=lambda state: made + state.attempt_number > len(DELAYS),
            wait=lambda state: seconds_to_wait(
                made + state.attempt_number, _attempt(state).retry_after, self._shell.chance()
            ),
            before_sleep=partial(self._failed, delivery),
            retry_error_callback=_attempt,
        )
        last: Attempt = await patience(self._post, event)
        del self._waiting[event.id]
        ended = delivery._replace(attempts=made + patience.statistics["attempt_number"])
        if last.why:
            if last.status == GONE:
                self._end()
            await self._given_up(ended, last.why)
            return
        self.counts["delivered"] += 1
        self._log.debug("webhook_delivered", **_named(ended))
        await self._noted(self._shell.deliveries.delivered(event.id, self.hook.url))

    async def _post(self, event: Event) -> Attempt:
        """An attempt in its turn; the lock lets those who wait pass in the order they came."""
        async with self._turn:
            return await post(self._shell, self.hook, event)

    async def _failed(self, delivery: Delivery, state: RetryCallState) -> None:
        """An attempt failed, and there will be another."""
        event, why = delivery.event, _attempt(state).why
        due = self._shell.now() + state.upcoming_sleep
        failed = delivery._replace(attempts=delivery.attempts + state.attempt_number, due=due)
        self._waiting[event.id] = self._waiting[event.id]._replace(delivery=failed)
        self.counts["failed"] += 1
        self._log.warning("webhook_failed", **_named(failed), why=why, next_try=round(state.upcoming_sleep, 1))
        await self._noted(self._shell.deliveries.failed(event.id, self.hook.url, failed.attempts, due, why))

    async def _given_up(self, delivery: Delivery, why: str) -> None:
        """There will be no further attempt."""
        self.counts["given_up"] += 1
        self._log.error("webhook_given_up", **_named(delivery), why=why)
        event_id, attempts = delivery.event.id, delivery.attempts
        await self._noted(self._shell.deliveries.failed(event_id, self.hook.url, attempts, None, why))

    def _drop(self, event_id: str, why: str) -> None:
        waiting = self._waiting.pop(event_id)
        waiting.task.cancel()
        self._spawn(self._given_up(waiting.delivery, why))

    def _end(self) -> None:
        """410 Gone: nothing more is sent here until the configuration is read again."""
        self.gone = True
        self._log.warning("webhook_ended", why="the receiver answered 410; a reload begins anew")
        for event_id in list(self._waiting):
            self._drop(event_id, "the receiver is gone")

    async def _noted(self, noting: Awaitable[None]) -> None:
        try:
            await noting
        except BanyanError as error:
            self._log.warning("webhook_not_noted", why=str(error))


def _attempt(state: RetryCallState) -> Attempt:
    assert state.outcome is not None
    attempt: Attempt = state.outcome.result()
    return attempt


def _named(delivery: Delivery) -> dict[str, object]:
    event, attempts, _ = delivery
    return {"event_id": event.id, "type": TYPES[event.kind], "attempts": attempts}


# ------------------------------------------------------------------------------------------------ all of them


class Webhooks:
    """Sends events to the webhooks that are configured. To be made on the loop that it works on, and closed."""

    def __init__(
        self,
        deliveries: Deliveries,
        *,
        now: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        session = ClientSession(
            connector=TCPConnector(force_close=True),  # a kept connection would be stale by the next event
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=TIMEOUT),
            auto_decompress=False,
        )
        self._shell = Shell(session, deliveries, now, chance, sleep)
        self._receivers: dict[str, Receiver] = {}

    @property
    def dropped(self) -> int:
        """How many deliveries were given up because too many waited."""
        return sum(receiver.dropped for receiver in self._receivers.values())

    def counts(self) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
        """What came of deliveries, by receiver and outcome, and how many events wait for each. Receivers of one host
        are one here: their paths are secrets."""
        came: Counter[tuple[str, str]] = Counter()
        waiting: Counter[str] = Counter()
        for receiver in self._receivers.values():
            came.update({(receiver.name, outcome): count for outcome, count in receiver.counts.items()})
            waiting.update({receiver.name: receiver.waiting})
        return dict(came), dict(waiting)

    def use(self, hooks: Iterable[Webhook]) -> None:
        """Go by this configuration from now on: what waits for a receiver that stays goes on waiting."""
        before, self._receivers = self._receivers, {}
        for hook in {hook.url: hook for hook in hooks}.values():
            receiver = before.pop(hook.url, None)
            if receiver is None or receiver.gone:
                receiver = Receiver(hook, self._shell)
            receiver.hook = hook
            self._receivers[hook.url] = receiver
        for receiver in before.values():
            receiver.stop()

    def urls(self, kind: Kind) -> tuple[str, ...]:
        """Where an event of this kind is sent: one delivery each, to be stored with the event."""
        hooks = (receiver.hook for receiver in self._receivers.values())
        return tuple(hook.url for hook in hooks if not hook.events or kind in hook.events)

    def send(self, event: Event) -> None:
        """Hand over an event. Returns at once; what becomes of it is logged."""
        for url in self.urls(event.kind):
            self._receivers[url].take(Delivery(event))

    async def close(self) -> None:
        """Stop delivering, and wait until that is so."""
        ending = chain.from_iterable(receiver.stop() for receiver in self._receivers.values())
        await asyncio.gather(*ending, return_exceptions=True)
        await self._shell.session.close()
