"""The parts of a body that arrives: asked for one after the other, and held only where that is said."""

import asyncio

import pytest

from connectors.soap.multipart import Head
from connectors.soap.parts import LONGEST_EPILOGUE, OUT_OF_ORDER, SLICE, Parts
from gateway.errors import AnswerTruncated
from gateway.wire.body import Body
from tests.connectors.soap.drips import Dripping, Refusal, in_pieces

MESSAGE = (
    b"--cut\r\nContent-ID: <a>\r\n\r\nfirst\r\n--cut\r\nContent-ID: <b>\r\n\r\nsecond"
    b"\r\n--cut\r\nContent-ID: <c>\r\n\r\n\r\n--cut--\r\n"
)


def parts_of(body: Body, room: int = 100, boundary: str = "cut") -> Parts:
    return Parts(body, boundary, room, Refusal)


async def read(parts: Parts) -> list[tuple[str, bytes]]:
    """What is left: ids and contents."""
    found = []
    while (head := await parts.next()) is not None:
        data = b""
        while piece := await parts.piece():
            data += piece
        found.append((head.id, data))
    return found


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_parts_come_in_their_order(size: int) -> None:
    """However the body comes; behind the last there is nothing."""
    parts = parts_of(in_pieces(MESSAGE, size))
    assert await read(parts) == [("a", b"first"), ("b", b"second"), ("c", b"")]
    assert await parts.next() is None
    assert await parts.piece() == b""


async def test_a_part_may_be_left_unread() -> None:
    """What is left of it is passed over."""
    parts = parts_of(in_pieces(MESSAGE, 3))
    assert [head.id for head in [await parts.next(), await parts.next()] if head is not None] == ["a", "b"]
    assert await parts.whole(100) == b"second"


async def test_nothing_is_read_before_it_is_asked_for() -> None:
    """The body is taken piece by piece, as the parts are."""
    body = in_pieces(MESSAGE, 20)
    parts = parts_of(body)
    await parts.next()
    assert body.asked < 4


async def test_others_are_let_in_while_much_is_read() -> None:
    """However much has come at once, no more than a slice is looked through without a pause."""
    parts = parts_of(Dripping(b"--cut\r\n\r\n" + b"\n--cutx" * 40_000 + b"\r\n--cut--"))
    await parts.next()
    turns: list[int] = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    sizes = []
    while piece := await parts.piece():
        sizes.append(len(piece))
    assert (sum(sizes), max(sizes) <= SLICE + 100, turns) == (280_000, True, [1])


async def test_what_comes_before_the_root_comes_after_it() -> None:
    """It is held, and given back in its order."""
    parts = parts_of(in_pieces(MESSAGE, 9))
    head = await parts.root(lambda each: each.id == "c")
    assert (head.id, await parts.whole(10)) == ("c", b"")
    assert await read(parts) == [("a", b"first"), ("b", b"second")]


async def test_a_held_part_may_be_left_unread() -> None:
    """Like any other."""
    parts = parts_of(in_pieces(MESSAGE, 9))
    await parts.root(lambda each: each.id == "c")
    await parts.next()
    assert await read(parts) == [("b", b"second")]


async def test_a_message_without_its_root_is_refused() -> None:
    """There is nothing to go by."""
    with pytest.raises(Refusal, match="no part that is its root"):
        await parts_of(in_pieces(MESSAGE, 9)).root(lambda _: False)


async def test_what_is_held_is_bounded_in_total() -> None:
    """Each part that is held takes of the same room."""
    parts = parts_of(in_pieces(MESSAGE, 9), room=10)
    await parts.next()
    assert (await parts.hold(), parts.room) == (b"first", 5)
    await parts.next()
    with pytest.raises(Refusal, match=OUT_OF_ORDER):
        await parts.hold()


async def test_a_part_may_be_too_large() -> None:
    """Then there is no whole of it."""
    parts = parts_of(in_pieces(MESSAGE, 9))
    await parts.next()
    assert await parts.whole(4) is None


@pytest.mark.parametrize(
    ("coding", "coded", "expected"),
    [
        ("binary", b"\0\r\n", b"\0\r\n"),
        ("7bit", b"a", b"a"),
        ("8bit", b"\xff", b"\xff"),
        ("BASE64", b"aGVs\r\nbG8gd29y\r\nbGQ=\r\n", b"hello world"),
        ("base64", b"", b""),
        ("quoted-printable", b"caf=C3=A9 =\r\nau lait\r\nend", "café au lait\r\nend".encode()),
    ],
)
@pytest.mark.parametrize("size", [1, 1_000])
async def test_coding_for_transport_is_undone(coding: str, coded: bytes, expected: bytes, size: int) -> None:
    """Whatever pieces it comes in."""
    fields = f"--cut\r\nContent-Transfer-Encoding: {coding}\r\n\r\n".encode()
    parts = parts_of(in_pieces(fields + coded + b"\r\n--cut--", size))
    await parts.next()
    assert await parts.whole(100) == expected


@pytest.mark.parametrize(
    ("coding", "coded"),
    [("base64", b"a*=="), ("base64", b"aGk"), ("quoted-printable", b"x" * 70_000), ("x-gzip", b"a")],
)
async def test_what_is_not_coded_as_it_says_is_refused(coding: str, coded: bytes) -> None:
    """So is a coding that nobody knows."""
    fields = f"--cut\r\nContent-Transfer-Encoding: {coding}\r\n\r\n".encode()
    parts = parts_of(Dripping(fields + coded + b"\r\n--cut--"))
    with pytest.raises(Refusal, match="cod"):
        await read(parts)


@pytest.mark.parametrize("boundary", ["", "other"])
async def test_what_is_no_multipart_is_refused(boundary: str) -> None:
    """In words for its author."""
    with pytest.raises(Refusal):
        await parts_of(in_pieces(MESSAGE, 50), boundary=boundary).next()


async def test_hostile_heads_are_refused() -> None:
    """They are bounded by the reader."""
    with pytest.raises(Refusal, match="too long"):
        await parts_of(Dripping(b"--cut\r\nA: ", b"x" * 20_000)).next()


async def test_the_body_is_read_to_its_end() -> None:
    """Whatever little stands behind the last part, so that the connection can be used again; much is refused."""
    body = Dripping(MESSAGE, b"bye", b"bye")
    await read(parts_of(body))
    assert await body.next() == b""
    with pytest.raises(Refusal, match="goes on"):
        await read(parts_of(Dripping(MESSAGE, b"x" * LONGEST_EPILOGUE, b"x")))


async def test_a_body_that_breaks_off_says_so() -> None:
    """Its own error is what is raised."""
    with pytest.raises(AnswerTruncated):
        await read(parts_of(Dripping(MESSAGE[:20], AnswerTruncated("gone"))))


def test_heads_tell_files_from_fields() -> None:
    """A form's file has a name of its own."""
    assert Head({"content-disposition": b'form-data; name="a"; filename="b"'}).is_file
    assert not Head({"content-disposition": b'form-data; name="a"'}).is_file
