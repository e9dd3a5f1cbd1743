"""Content codings are undone, and no body becomes larger than the bound."""

import gzip
import zlib
from functools import partial

import pytest

from gateway.core.comparing.codings import MOST, Unreadable, undone

packed = partial(gzip.compress, mtime=0)
"""The same at any time: tests are named by it."""
TEXT = b"balance " * 100
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(TEXT) + RAW.flush()


@pytest.mark.parametrize(
    ("body", "codings"),
    [
        (TEXT, b""),
        (TEXT, b"identity"),
        (packed(TEXT), b"gzip"),
        (packed(TEXT), b"X-GZIP"),
        (packed(TEXT[:99]) + packed(TEXT[99:]), b"gzip"),
        (zlib.compress(TEXT), b"deflate"),
        (RAW_DEFLATE, b"deflate"),
        (packed(zlib.compress(TEXT)), b"deflate, gzip"),
    ],
)
def test_codings_are_undone_from_the_last_to_the_first(body: bytes, codings: bytes) -> None:
    """gzip of several members, and deflate with or without its head, as servers send it."""
    assert undone(body, codings) == TEXT


@pytest.mark.parametrize(
    ("body", "codings", "reason"),
    [
        (b"x", b"br", "has a content coding that is not undone here: br"),
        (b"x", b"ada@example.org", "has a content coding that is not undone here"),
        (b"plain", b"gzip", "has a content coding that is broken"),
        (packed(TEXT)[:-9], b"gzip", "has a content coding that breaks off"),
        (b"\x78", b"deflate", "has a content coding that breaks off"),
        (
            packed(bytes(MOST + 1)),
            b"gzip",
            "has more than 4,194,304 bytes when its content coding is undone",
        ),
    ],
)
def test_what_cannot_be_undone_says_why(body: bytes, codings: bytes, reason: str) -> None:
    """Unknown, broken, cut short, and too large: kilobytes may stand for gigabytes. No words but ours are in it."""
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        undone(body, codings)


def test_the_bound_itself_is_allowed() -> None:
    """Exactly so many bytes are still read, in one member or in two."""
    assert len(undone(packed(bytes(MOST)), b"gzip")) == MOST
    assert len(undone(packed(bytes(MOST - 1)) + packed(b"x"), b"gzip")) == MOST
