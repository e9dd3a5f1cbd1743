"""A tunnel hands bytes on unread, waits for the slower end, and ends when both ends have."""

import asyncio
from typing import cast

import pytest

from gateway.wire.tunnel import TunnelEnd, tunnel


class Line:
    """A transport that notes what it is told."""

    def __init__(self, *, half_close: bool = True) -> None:
        self.told: list[object] = []
        self._half_close = half_close

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def can_write_eof(self) -> bool:
        return self._half_close

    def write_eof(self) -> None:
        self.told.append("eof")

    def close(self) -> None:
        self.told.append("close")

    def is_closing(self) -> bool:
        return "close" in self.told

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")


@pytest.fixture
def lines() -> tuple[Line, Line]:
    return Line(), Line()


def joined(client: Line, backend: Line) -> tuple[TunnelEnd, TunnelEnd]:
    return tunnel(cast(asyncio.Transport, client), cast(asyncio.Transport, backend))


def test_bytes_go_to_the_other_end(lines: tuple[Line, Line]) -> None:
    """What arrives at one end leaves at the other, and is counted."""
    client, backend = lines
    near, far = joined(client, backend)
    near.forward(b"to the backend")
    far.forward(b"to the client")
    near.forward(b"")
    assert (backend.told, client.told) == ([b"to the backend"], [b"to the client"])
    assert (near.moved, far.moved) == (14, 13)


def test_a_half_that_ends_leaves_the_way_back_open(lines: tuple[Line, Line]) -> None:
    """The other side is told; its answer may still come. Once both have ended, both are closed."""
    client, backend = lines
    near, far = joined(client, backend)
    assert near.end()
    assert backend.told == ["eof"]
    far.forward(b"last words")
    assert not far.end()
    assert client.told == [b"last words", "close"]


def test_without_half_closing_the_end_is_the_end() -> None:
    """TLS cannot close one half: then the whole is closed."""
    client, backend = Line(), Line(half_close=False)
    near, _ = joined(client, backend)
    assert not near.end()
    assert backend.told == ["close"]


def test_a_lost_end_closes_the_other_once(lines: tuple[Line, Line]) -> None:
    """What still arrives for it goes nowhere."""
    client, backend = lines
    near, _ = joined(client, backend)
    near.close()
    near.close()
    near.forward(b"too late")
    assert backend.told == ["close"]


def test_the_slower_end_sets_the_pace(lines: tuple[Line, Line]) -> None:
    """When one end is full, nothing is read at the other, unless that is closing already."""
    client, backend = lines
    near, _ = joined(client, backend)
    near.pause_other()
    near.resume_other()
    near.close()
    near.pause_other()
    near.resume_other()
    assert backend.told == ["pause", "resume", "close"]
