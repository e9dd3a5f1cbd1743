"""The message of a SOAP client, unpacked: old .NET and PHP clients send theirs with gzip.

A few bytes may unpack to very many, so both are bounded; and it is done in a thread, where zlib lets others run.
"""

import asyncio
import zlib

from connectors.base import Call
from connectors.soap.incoming import read_whole
from gateway.errors import ClientError
from gateway.wire.body import too_large

_GZIP = frozenset({b"gzip", b"x-gzip"})
_WBITS = 31
"""A window of any size, and a gzip header (zlib's inflateInit2)."""


async def message_of(call: Call, most: int) -> bytes:
    """The whole message, as it was before it was packed. Raises ClientError: 400, 413, 415."""
    data = await read_whole(call.body, most)
    if data is None:
        raise too_large(most)
    fields = [value.strip().lower() for name, value in call.request.fields if name.lower() == b"content-encoding"]
    codings = [each for each in fields if each not in (b"", b"identity")]
    if not codings:
        return data
    if len(codings) > 1 or codings[0] not in _GZIP:
        raise ClientError(415, "The message is packed in a way that is not understood here; send it as it is, or gzip.")
    found = await asyncio.to_thread(inflated, data, most)
    if found is None:
        raise too_large(most)
    return found


def inflated(data: bytes, most: int) -> bytes | None:
    """What was packed with gzip, in one piece or several; None when that is more than `most` bytes.

    Raises ClientError for what is no gzip, or is cut off.
    """
    pieces: list[bytes] = []
    size = 0
    while data:
        unpacking = zlib.decompressobj(wbits=_WBITS)
        try:
            piece = unpacking.decompress(data, most - size + 1)
        except zlib.error as error:
            raise _broken() from error
        size += len(piece)
        if size > most:
            return None
        if not unpacking.eof:
            raise _broken()
        pieces.append(piece)
        data = unpacking.unused_data
    return b"".join(pieces)


def _broken() -> ClientError:
    return ClientError(400, "The message says that it is packed with gzip, and is not, or is cut off.")
