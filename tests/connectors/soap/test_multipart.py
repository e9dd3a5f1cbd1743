"""The parts of a message are found however its bytes were cut, and nothing hostile is held for long."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.multipart import (
    END,
    LONGEST_HEAD,
    MOST_PARTS,
    Head,
    MultipartRefused,
    Reader,
    begun,
    ended,
    media_type,
)

Part = tuple[dict[str, bytes], bytes]


def parts_of(pieces: list[bytes], boundary: str = "cut") -> list[Part]:
    """Every part's fields and data."""
    reader = Reader(boundary)
    found: list[Part] = []
    whole = True
    for event in [event for piece in pieces for event in reader.feed(piece)]:
        if isinstance(event, Head):
            assert whole
            found.append((event.fields, b""))
            whole = False
        elif event is END:
            whole = True
        else:
            assert isinstance(event, bytes)
            assert event
            found[-1] = (found[-1][0], found[-1][1] + event)
    reader.finish()
    assert whole
    return found


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


LIKE_BOUNDARIES = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b"--cut",
        b"\r\n--cu",
        b"\r\n--cutter",
        b"--",
        b"\n--cut x",
        b"\r\n--cut" + b" " * 70,
        b"\0",
    ]
)
DATA = st.lists(LIKE_BOUNDARIES | st.binary(max_size=20), max_size=8).map(b"".join)


def is_harmless(data: bytes) -> bool:
    """Data that holds no boundary by itself, nor the beginning of one that the boundary behind it would complete."""
    first = re.search(rb"\n--cut(?:--|[ \t]{0,64}\r?\n)", b"\n" + data + b"\r\n--cut--")
    return first is not None and first.start() == len(data) + 2


@given(st.lists(DATA.filter(is_harmless), max_size=5), st.lists(st.integers(0, 10_000), max_size=8), st.binary())
def test_how_the_bytes_are_cut_means_nothing(contents: list[bytes], places: list[int], epilogue: bytes) -> None:
    """What was written is read, byte for byte, in whatever pieces it comes, also with things like boundaries inside."""
    written = [begun("cut", [("Content-ID", f"<{number}>")]) + data for number, data in enumerate(contents)]
    message = b"".join(written) + ended("cut") + epilogue
    expected = [({"content-id": b"<%d>" % number}, data) for number, data in enumerate(contents)]
    assert parts_of(cut_at(message, places)) == expected
    assert parts_of([message[at : at + 1] for at in range(len(message))]) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"--cut\r\n\r\na\r\n--cut--", [({}, b"a")]),
        (b"read me\r\n--cut \t\r\nA: b\r\n\r\na\r\n--cut--more", [({"a": b"b"}, b"a")]),
        (b"--cut\nA: b\n\na\n--cut\n\n\n--cut--\n", [({"a": b"b"}, b"a"), ({}, b"")]),
        (b"--cut\r\nA: b\r\n\r\n--cut--", [({"a": b"b"}, b"")]),
        (b"--cut\r\n\r\n\r\r\n--cut--", [({}, b"\r")]),
        (b"--cut\r\nA:  b\r\n\tc \r\na: d\r\nodd line\r\n\r\n\r\n--cut--", [({"a": b"b c"}, b"")]),
        (b"--cut--", []),
    ],
)
def test_what_a_message_may_look_like(message: bytes, expected: list[Part]) -> None:
    """A preamble, padding, bare line feeds, parts without fields or data, folded fields, the first of several."""
    assert parts_of([message]) == expected


@pytest.mark.parametrize(
    "message", [b"", b"--cut\r\n\r\nabc", b"--cut\r\nA: b", b"no boundary", b"--cut\r\n\r\n\r\n--cut"]
)
def test_a_message_without_its_end_is_refused(message: bytes) -> None:
    """It was cut off, whatever of it has come."""
    with pytest.raises(MultipartRefused, match="ends before"):
        parts_of([message])


def test_lines_like_boundaries_hide_no_boundary() -> None:
    """However many there are, and however close they stand before it."""
    data = b"\n--cutx" * 50 + b"\n--cut-\n--cut \t.\n--cut\r"
    for size in (1, 5, 1_000):
        message = b"--cut\r\n\r\n" + data + b"\r\n--cut--"
        assert parts_of([message[at : at + size] for at in range(0, len(message), size)]) == [({}, data)]


@pytest.mark.parametrize("boundary", ["", "x" * 71])
def test_a_boundary_has_1_to_70_characters(boundary: str) -> None:
    """Others are none (RFC 2046, section 5.1.1)."""
    with pytest.raises(MultipartRefused, match="boundary"):
        Reader(boundary)


def test_endless_heads_are_refused() -> None:
    """A head that does not end is given up, and one that is too long when it does."""
    for head in (b"A: " + b"x" * LONGEST_HEAD, b"A: b\r\n" * 5_000 + b"\r\n"):
        with pytest.raises(MultipartRefused, match="too long"):
            Reader("cut").feed(b"--cut\r\n" + head)


def test_too_many_parts_are_refused() -> None:
    """A thousand are enough."""
    assert len(parts_of([b"--cut\r\n\r\n\r\n" * MOST_PARTS + b"--cut--"])) == MOST_PARTS
    with pytest.raises(MultipartRefused, match="1000 parts"):
        Reader("cut").feed(b"--cut\r\n\r\n\r\n" * (MOST_PARTS + 1))


@given(st.binary(max_size=3_000), st.integers(1, 400))
def test_little_is_held(data: bytes, size: int) -> None:
    """Whatever comes, no more of a part's data is kept back than may begin a boundary."""
    reader = Reader("cut")
    reader.feed(b"--cut\r\n\r\n")
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    assert len(reader._buffer) <= 80


@pytest.mark.parametrize(
    ("value", "name", "parameters"),
    [
        (b"Text/XML", "text/xml", {}),
        (b'multipart/related; Boundary="a;b\\"c" ; start="<x@y>";type=text/xml', "multipart/related", None),
        (b"form-data; name=a; name=b", "form-data", {"name": "a"}),
        (b'x; a=""; b', "x", {"a": ""}),
        (b"", "", {}),
    ],
)
def test_media_types_and_their_parameters(value: bytes, name: str, parameters: dict[str, str] | None) -> None:
    """Quoted or not, names in any case, the first of several alike."""
    expected = {"boundary": 'a;b"c', "start": "<x@y>", "type": "text/xml"} if parameters is None else parameters
    assert media_type(value) == (name, expected)


def test_what_a_head_tells() -> None:
    """Its id without brackets, where it says it is, what it is called, and how it is coded."""
    head = Head({"content-id": b" <a@b> ", "content-location": b"http://x/y", "content-transfer-encoding": b"Base64 "})
    assert (head.id, head.location, head.name, head.encoding) == ("a@b", "http://x/y", "", "base64")
    assert Head({"content-disposition": b'form-data; name="photo"'}).name == "photo"
    assert Head({"content-type": b"image/png; name=photo"}).name == "photo"
    assert (Head({}).id, Head({}).encoding) == ("", "binary")
