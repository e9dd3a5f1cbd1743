"""Attachments are put where they belong while they come, and only what comes too early is held."""

from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.attachments import (
    Drawn,
    Finder,
    Piece,
    Wanted,
    begin,
    filled,
    gathered,
    packed,
    passed_on,
    referred,
)
from connectors.soap.marks import Holed
from connectors.soap.multipart import Head, ended
from connectors.soap.parts import Parts
from gateway.errors import ClientError
from tests.connectors.soap.drips import Dripping, Refusal, all_of, in_pieces

BOTH = {0: Wanted("a"), 1: Wanted("b")}
ROOT = (("Content-Type", "application/json"),)


def package(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(packed("cut", ROOT, b"{}", [Piece(name, data) for name, data in parts]))


async def behind_root(data: bytes, size: int = 1_000, room: int = 1_000) -> Parts:
    """The parts of a package, behind the first."""
    parts = Parts(in_pieces(data, size), "cut", room, Refusal)
    await parts.next()
    return parts


async def text(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


# ------------------------------------------------------------------------------------------------ into one text


@given(
    st.lists(st.binary(max_size=40), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=6),
    st.permutations(range(4)),
    st.integers(1, 60),
)
async def test_every_hole_is_filled(contents: list[bytes], places: list[int], order: list[int], size: int) -> None:
    """In whatever order the parts come, and however often they are mentioned, or never."""
    holes = tuple(place % len(contents) for place in places)
    holed = Holed(tuple(b"<%d>" % number for number in range(len(holes) + 1)), holes)
    wanted = {number: Wanted(str(number)) for number in range(len(contents))}
    data = package(*((str(number), contents[number]) for number in order if number < len(contents)))
    expected = holed.joined({number: b64encode(each) for number, each in enumerate(contents)})
    assert await text(filled(holed, wanted, await behind_root(data, size), Refusal)) == expected


async def test_what_comes_in_order_is_passed_on_at_once() -> None:
    """The first bytes are there before the last are asked for, and no room is taken."""
    data = package(("a", b"first" * 10), ("b", b"second" * 10))
    parts = await behind_root(data, 100, room=0)
    pieces = filled(Holed((b"x", b"y", b"z"), (0, 1)), BOTH, parts, Refusal)
    assert await anext(pieces) == b"x"
    assert (await anext(pieces)).startswith(b64encode(b"firstfirst")[:8])
    rest = await text(pieces)
    assert rest.endswith(b"y" + b64encode(b"second" * 10) + b"z")


async def test_what_comes_too_early_is_held_within_bounds() -> None:
    """Beyond the room there is for it, the message is refused."""
    holed = Holed((b"", b",", b""), (1, 0))
    data = package(("a", b"12345"), ("b", b"67"))
    assert await text(filled(holed, BOTH, await behind_root(data, room=8), Refusal)) == b"Njc=,MTIzNDU="
    with pytest.raises(Refusal, match="another order"):
        await text(filled(holed, BOTH, await behind_root(data, room=7), Refusal))


async def test_a_part_that_is_missing_breaks_the_message() -> None:
    """Its name is told."""
    with pytest.raises(Refusal, match="no part b"):
        await text(filled(Holed((b"", b""), (1,)), BOTH, await behind_root(package(("a", b"1"))), Refusal))


async def test_a_message_cut_short_is_not_whole() -> None:
    """Also where everything that is wanted has come."""
    data = package(("a", b"1"), ("c", b"2"))[:-12]
    with pytest.raises(Refusal, match="ends before"):
        await text(filled(Holed((b"", b""), (0,)), BOTH, await behind_root(data), Refusal))


# ------------------------------------------------------------------------------------------------ beside one text


async def test_parts_are_passed_on_as_they_come() -> None:
    """Each with the id that the message knows it by; what nobody wants is left out."""
    data = package(("b", b"2"), ("x", b"?"), ("a", b"1"))
    start = begin("new", ROOT, b"{}", (Piece("here", b"0"),))
    sent = await text(passed_on(start, "new", BOTH, {0: "A", 1: "B"}, await behind_root(data), Refusal))
    assert sent == b"".join(packed("new", ROOT, b"{}", [Piece("here", b"0"), Piece("B", b"2"), Piece("A", b"1")]))


@pytest.mark.parametrize(
    ("given", "expected"), [(b"image/png", "image/png"), (b"a\x01b", None), (b"caf\xe9", None), (b"", None)]
)
async def test_a_part_keeps_its_type_where_that_is_plain(given: bytes, expected: str | None) -> None:
    """Anything else could be more than a type."""
    data = begin("cut", ROOT, b"{}", ()) + b"\r\n--cut\r\nContent-ID: <a>\r\nContent-Type: " + given + b"\r\n\r\n1"
    sent = await text(passed_on(b"", "new", {0: BOTH[0]}, {0: "A"}, await behind_root(data + ended("cut")), Refusal))
    assert b"Content-Type: %b\r\n" % (expected or "application/octet-stream").encode() in sent


async def test_a_package_lacking_a_part_does_not_end() -> None:
    """So nobody takes it for the whole."""
    pieces = passed_on(b"start", "new", BOTH, {0: "A", 1: "B"}, await behind_root(package(("a", b"1"))), Refusal)
    with pytest.raises(Refusal, match="no part b"):
        await text(pieces)


async def test_parts_may_be_gathered() -> None:
    """With their types, in the form in which they are needed, and within a bound in total."""
    data = package(("b", b"22"), ("x", b"?" * 99), ("a", b"1"))
    octets = "application/octet-stream"
    assert await gathered(BOTH, {1}, await behind_root(data), 5, Refusal) == {0: (b"1", octets), 1: (b"MjI=", octets)}
    with pytest.raises(ClientError, match="413"):
        await gathered(BOTH, {1}, await behind_root(data), 4, Refusal)
    with pytest.raises(Refusal, match="no part c"):
        await gathered({0: Wanted("c")}, (), await behind_root(data), 3, Refusal)


# ------------------------------------------------------------------------------------------------ which part is which


@pytest.mark.parametrize(
    ("wanted", "fields", "expected"),
    [
        (referred("cid:a@b"), {"content-id": b"<a@b>"}, 7),
        (referred(" cid:a%40b "), {"content-id": b"<a@b>"}, 7),
        (referred("cid:a"), {"content-disposition": b"form-data; name=a"}, 7),
        (referred("http://x/y"), {"content-location": b"http://x/y"}, 7),
        (referred("cid:a"), {"content-id": b"<b>"}, None),
        (referred("cid:"), {}, None),
        (Wanted("a b", declared=True), {"content-id": b"<a%20b=1@x>"}, 7),
        (Wanted("a", declared=True), {"content-type": b"image/png; name=a"}, 7),
    ],
)
def test_parts_are_known_by_their_names(wanted: Wanted, fields: dict[str, bytes], expected: int | None) -> None:
    """Their ids, names, or locations; those that are declared have ids of their own kind."""
    assert Finder({7: wanted}, Refusal).number_of(Head(fields)) == expected


def test_declared_parts_without_names_go_by_their_order() -> None:
    """Those with names first; each is found once."""
    declared = {number: Wanted(name, declared=True) for number, name in enumerate("abd")}
    finder = Finder({**declared, 3: Wanted("c")}, Refusal)
    heads = [Head({"content-id": each}) for each in (b"<b=1@x>", b"<c>", b"<who>", b"<b=1@x>", b"<c>")]
    assert [finder.number_of(head) for head in heads] == [1, 3, 0, 2, None]
    finder.finish({0, 1, 2, 3})


async def test_a_part_that_is_left_out_is_not_taken_for_another() -> None:
    """What the mapping dropped is still known by its name, so that the order of the others is right."""
    wanted = {0: Wanted("a"), 1: Wanted("p", declared=True)}
    data = package(("a", b"1"), ("who", b"2"))
    assert await text(filled(Holed((b"", b""), (1,)), wanted, await behind_root(data), Refusal)) == b"Mg=="
    for each in (data, package(("who", b"2"))):
        pieces = passed_on(b"", "new", wanted, {1: "P"}, await behind_root(each), Refusal)
        assert (await text(pieces)).endswith(b"<P>\r\n\r\n2\r\n--new--\r\n")


async def test_little_does_not_become_very_much() -> None:
    """What is mentioned again and again takes of the room each time."""
    holed = Holed((b"",) * 5, (0,) * 4)
    data = package(("a", b"123"))
    assert await text(filled(holed, {0: Wanted("a")}, await behind_root(data, room=16), Refusal)) == b"MTIz" * 4
    with pytest.raises(Refusal, match="another order"):
        await text(filled(holed, {0: Wanted("a")}, await behind_root(data, room=15), Refusal))


async def test_a_drawn_body_is_made_while_it_is_taken() -> None:
    """Nothing is made before it is asked for, empty pieces are none, and its end is known once it is reached."""
    made: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"", b"bc"):
            made.append(piece)
            yield piece

    body = Drawn(pieces())
    assert (made, body.ended, body.take(), body.sent) == ([], False, b"", False)
    assert (await body.next(), made, body.sent) == (b"a", [b"a"], True)
    assert await all_of(body) == b"bc"
    assert (body.ended, body.received) == (True, 3)


async def test_what_breaks_the_source_breaks_the_body() -> None:
    """With the error of the source."""
    parts = Parts(Dripping(package(("a", b"1"))[:60], Refusal("gone")), "cut", 0, Refusal)
    await parts.next()
    with pytest.raises(Refusal, match="gone"):
        await all_of(Drawn(filled(Holed((b"", b""), (0,)), BOTH, parts, Refusal)))
