"""Random digits for the ids of requests."""

from collections.abc import Iterator
from os import urandom
from struct import Struct

AT_ONCE = 64
_IDS = Struct("32s16s")
"""The hexadecimal digits of a trace's id and of a span's."""


class Digits:
    """Gives what the ids of one request are made of. The system is asked for many at once: asking costs the most."""

    def __init__(self) -> None:
        self._drawn: Iterator[tuple[bytes, bytes]] = iter(())

    def draw(self) -> tuple[bytes, bytes]:
        """32 and 16 random hexadecimal digits."""
        for drawn in self._drawn:
            return drawn
        self._drawn = _IDS.iter_unpack(urandom(AT_ONCE * _IDS.size // 2).hex().encode())
        return next(self._drawn)


fresh_digits = Digits().draw
