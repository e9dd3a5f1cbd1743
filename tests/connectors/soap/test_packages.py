"""Packages are opened at their root, and made for those who prefer them."""

import pytest

from connectors.soap.packages import SMALL, Package, comes_in_parts, opened, prefers_parts, takes_xop
from gateway.wire.body import Body, whole
from tests.connectors.soap.drips import Dripping, Refusal

FORM = b"multipart/form-data; boundary=cut"


def field(name: str, content: bytes, file: str = "") -> bytes:
    named = f'; filename="{file}"' if file else ""
    return f'\r\n--cut\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content


def part(name: str, content: bytes) -> bytes:
    return f"\r\n--cut\r\nContent-ID: <{name}>\r\n\r\n".encode() + content


END = b"\r\n--cut--"


async def root_of(kind: bytes, data: bytes, most: int = 100) -> Package:
    return await opened([(b"Host", b"x"), (b"content-TYPE", kind)], whole(data), most, Refusal)


@pytest.mark.parametrize(
    ("start", "expected"),
    [(b"", b"first"), (b'; start="<b>"', b"second"), (b"; start=b", b"second")],
)
async def test_the_root_is_the_start_or_the_first(start: bytes, expected: bytes) -> None:
    """As RFC 2387 has it; the brackets of the id may be missing."""
    data = part("a", b"first") + part("b", b"second") + END
    assert (await root_of(b"multipart/related; boundary=cut" + start, data)).root == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (field("first", b"1") + field("json", b"2"), b"1"),
        (field("scan", b"1", "a.png") + field("json", b"2"), b"2"),
        (field("scan", b"1", "a.png") + field("json", b"2", "a.json"), b"2"),
    ],
)
async def test_the_root_of_a_form(data: bytes, expected: bytes) -> None:
    """The first field that is no file, or the one that is called json."""
    assert (await root_of(FORM, data + END)).root == expected


async def test_a_root_is_bounded() -> None:
    """By what is decoded; the parts behind it are not."""
    package = await root_of(FORM, field("json", b"1" * 100) + field("scan", b"2" * 1_000, "a") + END)
    assert (len(package.root), package.small) == (100, True)
    with pytest.raises(Refusal, match="larger than 99 bytes"):
        await root_of(FORM, field("json", b"1" * 100) + END, 99)


async def test_a_package_must_not_be_packed_itself() -> None:
    """Nobody says how large it would become."""
    with pytest.raises(Refusal, match="Content-Encoding"):
        await opened([(b"Content-Type", FORM), (b"Content-Encoding", b"GZIP")], whole(b""), 100, Refusal)


async def test_a_start_that_is_not_there() -> None:
    """There is nothing to go by then."""
    with pytest.raises(Refusal, match="root"):
        await root_of(b"multipart/related; boundary=cut; start=x", part("a", b"1") + END)


@pytest.mark.parametrize(("size", "small"), [(SMALL, True), (SMALL + 1, False)])
async def test_small_is_the_whole_of_it(size: int, small: bool) -> None:
    """Not only what has come so far."""
    data = field("json", b"1") + END
    body: Body = Dripping(data, b" " * (size - len(data)))
    assert (await opened([(b"Content-Type", FORM)], body, 100, Refusal)).small is small


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        (b"", False),
        (b"*/*", False),
        (b"multipart/*", False),
        (b"application/json", False),
        (b"multipart/related", True),
        (b"Multipart/Mixed; q=0.8, application/json;q=0.5", True),
        (b"multipart/related, application/json", True),
        (b"application/json, multipart/related", False),
        (b"multipart/related;q=0.5, application/json", False),
        (b"*/*, multipart/related", True),
        (b"*/*, multipart/related;q=0.9", False),
        (b"multipart/related;q=0", False),
        (b'multipart/related; type="a"; q=0.4, text/html; q=0.3', True),
        (b";;,,q=", False),
    ],
)
def test_who_prefers_a_package(accept: bytes, preferred: bool) -> None:
    """Who names it, before JSON or with more weight."""
    assert prefers_parts(accept) is preferred


@pytest.mark.parametrize(
    ("kind", "accept", "takes"),
    [
        (b"text/xml", b"", False),
        (b'multipart/related; type="application/xop+xml"', b"", True),
        (b'multipart/related; type="text/xml"', b"", False),
        (b"text/xml", b"text/xml, Application/XOP+XML", True),
    ],
)
def test_who_takes_xop(kind: bytes, accept: bytes, takes: bool) -> None:
    """Who has sent it, or says so."""
    assert takes_xop([(b"Content-Type", kind), (b"Accept", accept)]) is takes


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (b"Multipart/Related; a=b", True),
        (FORM, True),
        (b"multipart/mixed", True),
        (b"multipart/x", False),
        (b"", False),
    ],
)
def test_what_comes_in_parts(kind: bytes, expected: bool) -> None:
    """Known by its content type."""
    assert comes_in_parts([(b"Content-Type", kind)]) is expected
