"""Packed messages: unpacked within bounds, or refused."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Call
from connectors.soap.packed import inflated, message_of
from gateway.core.model import LEGACY
from gateway.errors import ClientError
from gateway.wire.body import whole
from tests.support.values import plan_of, request, route

TEXT = b"<GetBalance/>" * 100


async def message(data: bytes, most: int, *lines: str) -> bytes:
    made = plan_of(route("POST /rents"))
    asked = request("POST /rents", f"Content-Length: {len(data)}", *lines)
    return await message_of(Call(asked, made, made.plans[LEGACY], b"", whole(data)), most)


@pytest.mark.parametrize("coding", ["gzip", "GZIP ", "x-gzip"])
async def test_a_packed_message_is_unpacked(coding: str) -> None:
    """However the client spells it."""
    assert await message(gzip.compress(TEXT), len(TEXT), f"Content-Encoding: {coding}") == TEXT


@pytest.mark.parametrize("lines", [(), ("Content-Encoding: identity",), ("content-encoding:",)])
async def test_any_other_stays_as_it_is(lines: tuple[str, ...]) -> None:
    """Also one that begins like gzip: only the field says what it is."""
    packed = gzip.compress(TEXT)
    assert await message(packed, 10_000, *lines) == packed


@pytest.mark.parametrize("lines", [("Content-Encoding: br",), ("Content-Encoding: gzip", "Content-Encoding: gzip")])
async def test_other_codings_are_refused(lines: tuple[str, ...]) -> None:
    """415 says what is taken."""
    with pytest.raises(ClientError, match=r"415: .*send it as it is, or gzip"):
        await message(b"x", 10_000, *lines)


async def test_both_sizes_are_bounded() -> None:
    """What comes, and what it becomes."""
    with pytest.raises(ClientError, match="413"):
        await message(TEXT, len(TEXT) - 1)
    with pytest.raises(ClientError, match="413"):
        await message(gzip.compress(TEXT), len(TEXT) - 1, "Content-Encoding: gzip")


async def test_what_is_no_gzip_is_refused() -> None:
    """Plain text, and what is cut off or followed by something else."""
    for data in (TEXT, gzip.compress(TEXT)[:-9], gzip.compress(TEXT) + b"more"):
        with pytest.raises(ClientError, match="400: The message says that it is packed with gzip"):
            await message(data, 10_000, "Content-Encoding: gzip")


@given(st.binary(max_size=2_000), st.integers(0, 2_000))
def test_no_more_than_the_bound_is_unpacked(data: bytes, most: int) -> None:
    """All of it, or nothing."""
    assert inflated(gzip.compress(data), most) == (data if len(data) <= most else None)


def test_pieces_count_together() -> None:
    """gzip may come in several members; nothing at all is nothing."""
    twice = gzip.compress(TEXT) * 2
    assert inflated(twice, 2 * len(TEXT)) == TEXT * 2
    assert inflated(twice, 2 * len(TEXT) - 1) is None
    assert inflated(gzip.compress(b"") + gzip.compress(TEXT), len(TEXT)) == TEXT
    assert inflated(b"", 0) == b""
