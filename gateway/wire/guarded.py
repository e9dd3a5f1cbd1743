"""The pool of a backend that is protected: nothing is sent without a slot, which is free once the backend has ended.

What we stop waiting for goes on at the backend. So an answer that is given up is not cut: its connection lingers until
the answer has come to its end, or for as long as the backend's protection says. A request that is not all sent yet is
cut, since the backend cannot act on it as it is.
"""

from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

from gateway.core.model import Backend, Timeouts
from gateway.errors import BackendError
from gateway.wire.body import Body
from gateway.wire.client import ANSWER_MARK, Abandoned, BackendConnection, Carried
from gateway.wire.clock import Clock
from gateway.wire.guard import Gate, Guard, Turn
from gateway.wire.pool import Judged, Parcel, Pool
from gateway.wire.tunnel import TunnelEnd


class GuardedPool(Pool):
    """All connections to one backend that is protected."""

    guard: Guard

    def __init__(self, backend: Backend, clock: Clock, guard: Guard) -> None:
        super().__init__(backend, clock)
        self.guard = guard

    def send(self, carried: Carried, parcel: Parcel) -> Coroutine[Any, Any, Judged]:
        """Send a request as soon as there is a slot for it. Raises NotAdmitted when there is none in time."""
        turn, gate = carried.turn, self.guard.gate
        assert turn is not None, "whoever sends to a protected backend waits for a turn"
        if turn.slot is None:
            if not gate.enter():
                return self._send_later(carried, parcel, turn)
            turn.slot = gate
        return super().send(carried, parcel)

    async def _send_later(self, carried: Carried, parcel: Parcel, turn: Turn) -> Judged:
        began = monotonic()
        waiter = turn.waiter = self.guard.gate.line_up(turn.route.name, turn.route.route.priority)
        while waiter.answer is False:
            await waiter.signal
        turn.waiter = None
        turn.waited += monotonic() - began
        if waiter.answer is not True:
            raise waiter.answer
        turn.slot = self.guard.gate
        return await super().send(carried, parcel)

    def _made(self) -> BackendConnection:
        return GuardedConnection(self._clock, self._lost, self.guard.gate)

    def release(self, connection: BackendConnection) -> None:
        assert isinstance(connection, GuardedConnection), "this pool makes no others"
        if connection.lingers:
            self.let_go(connection)
        else:
            super().release(connection)
            if connection._slot is not None:  # the parser does not see every end
                connection.free()

    def reserve(self, connection: BackendConnection) -> bool:
        assert isinstance(connection, GuardedConnection), "this pool makes no others"
        if connection.lingers:
            self.release(connection)
            return False
        kept = super().reserve(connection)
        connection.free()
        return kept


class GuardedConnection(BackendConnection):
    """A connection that holds a slot from its request to the end of the answer. `lingers` says that nobody waits for
    that any more, and that the backend has not ended yet."""

    __slots__ = ("_gate", "_slot", "lingers")

    def __init__(self, clock: Clock, on_lost: Callable[[BackendConnection], None], gate: Gate) -> None:
        super().__init__(clock, on_lost)
        self._gate = gate
        self._slot: Gate | None = None
        self.lingers = False

    def begin(self, carried: Carried, timeouts: Timeouts, head_only: bool, upgrade: bool) -> None:
        BackendConnection.begin(self, carried, timeouts, head_only, upgrade)
        turn = carried.turn
        if turn is not None:
            self._slot, turn.slot = turn.slot, None

    def free(self) -> None:
        """The backend has ended: its slot is free."""
        slot = self._slot
        if slot is not None:
            self._slot = None
            slot.free()

    # -------------------------------------------------------------------------------------------- how it ends

    def on_message_complete(self) -> None:
        interim = self._informational
        BackendConnection.on_message_complete(self)
        if interim or self._uploading:
            return
        slot = self._slot
        if slot is not None:
            self._slot = None
            slot.free()
        if self.lingers:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        carried = self._carried
        if carried is not None and carried.turn is not None and self.head is None and not self._began:
            self._slot, carried.turn.slot = None, self._slot  # it may be sent once more
        self.free()
        super().connection_lost(error)

    def become_tunnel(self, end: TunnelEnd) -> None:
        super().become_tunnel(end)
        self.free()

    # -------------------------------------------------------------------------------------------- giving up

    def abort(self, error: Exception) -> None:
        """Whoever waits gets `error`; the backend is left to end what it does, if it has the whole request and can bear
        only so many at once."""
        if not self._gate.protect.max_concurrent or self._slot is None or self._uploading or self.lost:
            super().abort(error)
            return
        self.lingers = True
        self._fail(error if isinstance(error, BackendError) else Abandoned(error))
        self._linger()

    def _linger(self) -> None:
        """Wait for the end of the answer, for nobody. Whoever waited has taken its error by now."""
        self.error = None
        self._carried = None
        self._body = Body(self, ANSWER_MARK)
        self._total = self.deadline = self._clock.after(self._gate.protect.abandon_after)
        self.transport.resume_reading()

    def pause_body(self) -> None:
        if self.lingers:  # it pours on, and nobody wants any of it
            self.transport.abort()
        else:
            super().pause_body()

    def expire(self) -> None:
        if not self.lingers:
            super().expire()
        elif self._clock.now < self._total:
            self.deadline = self._total  # it may be idle for as long as it likes
        else:
            self.transport.abort()
