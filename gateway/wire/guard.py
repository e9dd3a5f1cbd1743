"""What stands before a fragile backend: so many requests under way, so many a second, and a bounded queue for the rest.

A `Gate` counts what is under way at the backend, whatever table or pool it came from: a slot is taken before anything
is sent, and is free when the backend has ended, not when we stop waiting. Those who wait do so by priority, and in turn
by route, so that a route that asks much takes no other's place.
"""

import asyncio
from collections import deque
from time import monotonic, time

from gateway.core.breaker import Breaker
from gateway.core.maintenance import MINUTE, closed_until
from gateway.core.planning import PlannedRoute
from gateway.core.policies import Maintenance, Protect, RetryPolicy
from gateway.core.retrying import Budget
from gateway.errors import NotAdmitted
from gateway.wire.clock import NEVER, Clock
from gateway.wire.driver import Signal


class Waiter:
    """A request that waits to be admitted. `answer` is what came of it: True, or why it may not."""

    __slots__ = ("_gate", "answer", "deadline", "priority", "route", "signal")

    def __init__(self, gate: "Gate", route: str, priority: int) -> None:
        self._gate = gate
        self.route = route
        self.priority = priority
        self.answer: bool | Exception = False
        self.signal = Signal()
        self.deadline = NEVER

    def expire(self) -> None:
        self.give_up(self._gate.too_late())

    def give_up(self, why: Exception) -> None:
        """Wait no longer, if nothing has come of it yet."""
        if self.answer is False:
            self._gate.leave(self)
            self.answer = why
            self.signal.wake()


class Turn:
    """A call's turn at a protected backend: `route` is what it waits by, `slot` what was taken for it until a
    connection has it, `waiter` its place in the queue, and `waited` the seconds that it spent there."""

    __slots__ = ("route", "slot", "waited", "waiter")

    def __init__(self, route: PlannedRoute) -> None:
        self.route = route
        self.slot: Gate | None = None
        self.waiter: Waiter | None = None
        self.waited = 0.0

    def give_back(self) -> None:
        """Nothing was sent with the slot, if there is one still."""
        slot, self.slot = self.slot, None
        if slot is not None:
            slot.free()


class Line:
    """Those who wait: the highest priority first, and of one priority a request of each route in turn."""

    def __init__(self) -> None:
        self._turns: dict[int, dict[str, deque[Waiter]]] = {}
        self.length = 0

    def add(self, waiter: Waiter) -> None:
        self._turns.setdefault(waiter.priority, {}).setdefault(waiter.route, deque()).append(waiter)
        self.length += 1

    def remove(self, waiter: Waiter) -> None:
        self._turns[waiter.priority][waiter.route].remove(waiter)
        self._removed(waiter)

    def next(self) -> Waiter:
        """Whose turn it is: taken out."""
        turns = self._turns[max(self._turns)]
        route, waiting = next(iter(turns.items()))
        waiter = waiting.popleft()
        turns[route] = turns.pop(route)  # its next one comes after those of the others
        self._removed(waiter)
        return waiter

    def last(self) -> Waiter:
        """Who has the least claim to wait: of the lowest priority the latest, of the route with the most."""
        turns = self._turns[min(self._turns)]
        return max(turns.values(), key=len)[-1]

    def _removed(self, waiter: Waiter) -> None:
        self.length -= 1
        turns = self._turns[waiter.priority]
        if not turns[waiter.route]:
            del turns[waiter.route]
            if not turns:
                del self._turns[waiter.priority]


class Gate:
    """The bounds of one backend. `under_way` counts the slots that are taken."""

    def __init__(self, name: str, protect: Protect, clock: Clock) -> None:
        self.name = name
        self.under_way = 0
        self._clock = clock
        self._line = Line()
        self._tokens = float(protect.burst)
        self._rate = 0.0
        self._burst = 0
        self._filled = monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self.follow(protect)

    def follow(self, protect: Protect, parts: int = 1) -> None:
        """Go by other settings, and use one of so many parts of the bounds (0: none); what is under way counts on."""
        self.protect = protect
        self._bound = float("inf") if not protect.max_concurrent else protect.max_concurrent // parts if parts else 0
        self._rate = protect.rate / parts if parts else 0.0
        self._burst = protect.burst // parts if parts else 0
        self._tokens = min(self._tokens, float(self._burst))
        if self._line.length:
            self._let_in()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._line.length

    @property
    def bounds(self) -> tuple[float, float]:
        """The most requests that may be under way, and that may wait (infinite: there is no bound)."""
        return self._bound, self.protect.queue if self.protect.bounded else float("inf")

    @property
    def fits(self) -> bool:
        """Whether no more is under way than may be."""
        return self.under_way <= self._bound

    # -------------------------------------------------------------------------------------------- coming in

    def enter(self) -> bool:
        """Take a slot if there is one now, and nobody waits."""
        if self.under_way >= self._bound or self._line.length:
            return False
        if self.protect.rate:
            if self._token() < 1.0:
                return False
            self._tokens -= 1.0
        self.under_way += 1
        return True

    def line_up(self, route: str, priority: int) -> Waiter:
        """Take a place in the queue. Raises NotAdmitted when it is full of those who come first."""
        line = self._line
        if line.length >= self.protect.queue:
            if not line.length or (last := line.last()).priority >= priority:
                raise NotAdmitted("queue_full", f"{self.name}: {line.length} requests wait already", self._soon())
            last.give_up(NotAdmitted("queue_full", f"{self.name}: it gave way to one that matters more", self._soon()))
        waiter = Waiter(self, route, priority)
        line.add(waiter)
        waiter.deadline = self._clock.after(self.protect.wait)
        self._clock.watch(waiter)
        self._wait_for_token()
        return waiter

    def too_late(self) -> NotAdmitted:
        """Why one that has waited as long as it may is not admitted."""
        return NotAdmitted("queue_timeout", f"{self.name}: no room within {self.protect.wait:g} s", self._soon())

    def leave(self, waiter: Waiter) -> None:
        """A waiter waits no longer."""
        self._line.remove(waiter)
        self._clock.forget(waiter)

    def free(self) -> None:
        """A slot is free again: the backend has ended."""
        self.under_way -= 1
        if self._line.length:
            self._let_in()

    # -------------------------------------------------------------------------------------------- room

    def _has_room(self) -> bool:
        if self.under_way >= self._bound:
            return False
        return not self.protect.rate or self._token() >= 1.0

    def _let_in(self) -> None:
        """Admit those whose turn it is, as far as there is room. They go on in the loop's next turn, not inside
        whatever made room: that may be a parser's callback."""
        while self._line.length and self._has_room():
            waiter = self._line.next()
            self._clock.forget(waiter)
            waiter.answer = True
            self.under_way += 1
            self._tokens -= 1.0 if self.protect.rate else 0.0
            asyncio.get_running_loop().call_soon(waiter.signal.wake)
        self._wait_for_token()

    def _token(self) -> float:
        """The tokens that are there by now."""
        now = monotonic()
        tokens = self._tokens + (now - self._filled) * self._rate
        self._tokens = tokens if tokens < self._burst else float(self._burst)
        self._filled = now
        return self._tokens

    def _wait_for_token(self) -> None:
        """Look again when the next token is there, if that is what those in the queue wait for."""
        rate = self._rate if self._burst else 0.0
        if not rate or self._timer is not None or not self._line.length or self.under_way >= self._bound:
            return
        missing = max(1.0 - self._token(), 0.0) / rate
        self._timer = asyncio.get_running_loop().call_later(missing, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._let_in()

    def _soon(self) -> float:
        """Seconds after which it may be worth asking again: as long as the queue takes at the rate, at least one."""
        rate = self._rate
        return max(1.0, self._line.length / rate if rate else self.protect.wait)


class Guard:
    """All that stands before one backend. It outlives tables and pools: what is under way counts on, and what is known
    of the backend stays known."""

    def __init__(
        self,
        name: str,
        protect: Protect | None,
        retry: RetryPolicy | None,
        clock: Clock,
        maintenance: Maintenance | None = None,
    ) -> None:
        self.clock = clock
        self.maintenance: Maintenance | None = None
        self._closed_until: float | None = None
        self._looks_again = 0.0
        self.gate = Gate(name, protect or Protect(), clock)
        self.breaker: Breaker | None = None
        self.retry: RetryPolicy | None = None
        self.budget = Budget(0.0)
        self.retries = 0
        self.parts = 1
        self.follow(protect, retry, maintenance)

    @property
    def told(self) -> tuple[int, int, str, int, float]:
        """Requests under way and waiting, the breaker's state ("" without one), how often one was sent again, and until
        when the backend is closed (Unix seconds; 0: it is open)."""
        state = self.breaker.state if self.breaker is not None else ""
        return self.gate.under_way, self.gate.waiting, state, self.retries, self.closed_until(time()) or 0.0

    def closed_until(self, now: float) -> float | None:
        """When the maintenance that is on ends (Unix seconds); None while the backend is open. It is looked at once a
        minute: windows begin and end with one."""
        if self.maintenance is None:
            return None
        if not self._looks_again - MINUTE <= now < self._looks_again:  # a clock may also be set back
            self._closed_until = closed_until(self.maintenance, now)
            self._looks_again = now // MINUTE * MINUTE + MINUTE
        return self._closed_until

    def follow(
        self, protect: Protect | None, retry: RetryPolicy | None, maintenance: Maintenance | None = None
    ) -> None:
        """Go by other settings from now on."""
        if maintenance != self.maintenance:
            self.maintenance, self._looks_again = maintenance, 0.0
        protect = protect or Protect()
        self.gate.follow(protect, self.parts)
        if retry != self.retry:
            self.retry, self.budget = retry, Budget(retry.budget if retry is not None else 0.0)
        policy = protect.breaker
        if policy is None:
            self.breaker = None
        elif self.breaker is None or self.breaker.policy != policy:
            self.breaker = Breaker(policy)

    def divide(self, parts: int) -> None:
        """Use one of so many parts of the bounds: other gateways use the others (0: use none)."""
        if parts != self.parts:
            self.parts = parts
            self.gate.follow(self.gate.protect, parts)
