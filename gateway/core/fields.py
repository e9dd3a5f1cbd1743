"""Header fields in their two forms: pairs of name and value, and the lines that stand in a head.

What crosses the gateway is kept as lines: most heads are only sent on, and whoever wants to look into one takes it
apart. Names have no colon and values no line break (RFC 9110, sections 5.1 and 5.5; the parser sees to both), so that
either form can be made of the other.
"""

import re
from collections.abc import Callable, Iterable, Sequence

Fields = Sequence[tuple[bytes, bytes]]
Finder = Callable[[bytes], list[tuple[bytes, bytes]]]


def field_lines(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Fields as they stand in a head, each line ended."""
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def fields_of(lines: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The fields that stand in these lines, in order."""
    parts = (line.partition(b": ") for line in lines.split(b"\r\n")[:-1])
    return tuple([(name, value) for name, _, value in parts])


def finder(names: Iterable[bytes]) -> Finder:
    """What finds the fields of these names in lines, in any spelling, without taking all of them apart."""
    wanted = b"|".join(re.escape(name) for name in sorted(names))
    return re.compile(b"^(%b): (.*)\r\n" % wanted, re.IGNORECASE | re.MULTILINE).findall


def names_and_values(fields: Iterable[tuple[bytes, bytes]]) -> tuple[list[bytes], list[bytes]]:
    """The names of fields, and their values."""
    pairs = list(fields)
    return [name for name, _ in pairs], [value for _, value in pairs]
