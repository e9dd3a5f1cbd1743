"""Bytes both ways after an upgrade (RFC 9110, section 7.8): no parsing, only backpressure and a common end."""

import asyncio


class TunnelEnd:
    """One end of a tunnel: what arrives at `own` goes out at `other`."""

    __slots__ = ("_closed", "_ended", "_moved", "_other", "_own", "twin")

    def __init__(self, own: asyncio.Transport, other: asyncio.Transport) -> None:
        self._own = own
        self._other = other
        self._moved = 0
        self._closed = False
        self._ended = False
        self.twin: TunnelEnd | None = None

    @property
    def moved(self) -> int:
        """Bytes that came in at this end."""
        return self._moved

    def forward(self, data: bytes) -> None:
        if data and not self._closed:
            self._moved += len(data)
            self._other.write(data)

    def end(self) -> bool:
        """The own peer closed its half: so does the other side. True keeps the own transport open for the way back.

        Once both have, nobody would close the two connections but us.
        """
        self._ended = True
        if self._closed or not self._other.can_write_eof() or (self.twin is not None and self.twin._ended):
            self.close()
            return False
        self._other.write_eof()
        return True

    def close(self) -> None:
        """The own connection is over; what was already taken is still delivered."""
        if not self._closed:
            self._closed = True
            self._other.close()

    def pause_other(self) -> None:
        """The own peer reads too slowly: stop reading at the other end."""
        if not self._other.is_closing():
            self._other.pause_reading()

    def resume_other(self) -> None:
        if not self._other.is_closing():
            self._other.resume_reading()


def tunnel(client: asyncio.Transport, backend: asyncio.Transport) -> tuple[TunnelEnd, TunnelEnd]:
    """Both ends of a new tunnel: the client's, the backend's."""
    near, far = TunnelEnd(client, backend), TunnelEnd(backend, client)
    near.twin, far.twin = far, near
    return near, far
