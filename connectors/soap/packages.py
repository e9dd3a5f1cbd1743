"""Whole packages, opened and made: the root that is coded, and the attachments that only pass.

What is small is put together before anything is sent, so that what is wrong with it can still be said; what is not is
sent on while it comes.
"""

import re
from asyncio import sleep
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from connectors.base import Answer
from connectors.soap.attachments import Drawn, Piece, Wanted, begin, filled, gathered, passed_on
from connectors.soap.marks import CID, Marks
from connectors.soap.multipart import Head, bare_id, media_type
from connectors.soap.parts import Parts, Refuse
from connectors.soap.xop import RELATED, XOP_TYPE, Sent, inlined
from gateway.core.fields import Fields, field_lines
from gateway.wire.body import Body, whole

SMALL = 65_536
"""Bytes of a message up to which it is put together before anything of it is sent on."""
FORM = "multipart/form-data"
MIXED = "multipart/mixed"
_ROOT = "json"
"""The field of a form that holds the JSON, where that is not the first."""
_LONGEST_ACCEPT = 1_000
"""Bytes that are looked into."""
_RANGE = re.compile(r"\s*([^;,\s]+)\s*((?:;[^,]*)?)")
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)


class Package(NamedTuple):
    """A message that came in parts: its root and the parts behind it; and whether all of it is small."""

    root: bytes
    parts: Parts
    small: bool


def field_of(fields: Fields, name: bytes) -> bytes:
    """A field's value by its name in lower case; empty where there is none."""
    return next((value for each, value in fields if each.lower() == name), b"")


def comes_in_parts(fields: Fields) -> bool:
    """Whether a message is a package."""
    return media_type(field_of(fields, b"content-type")).name in (RELATED, FORM, MIXED)


def takes_xop(fields: Fields) -> bool:
    """Whether a client of SOAP has sent MTOM, or says that it would take it."""
    kind = media_type(field_of(fields, b"content-type"))
    accepts = field_of(fields, b"accept").decode("latin-1").lower()
    return (kind.name == RELATED and kind.parameters.get("type", "").lower() == XOP_TYPE) or XOP_TYPE in accepts


async def opened(fields: Fields, body: Body, most: int, refuse: Refuse) -> Package:
    """A package, read as far as its root, which may have `most` bytes.

    Raises what `refuse` makes, and what the body failed with.
    """
    kind = media_type(field_of(fields, b"content-type"))
    if field_of(fields, b"content-encoding").strip().lower() not in (b"", b"identity"):
        raise refuse("A message in parts must come without a Content-Encoding.")
    small = len(await body.peek(SMALL + 1)) <= SMALL
    parts = Parts(body, kind.parameters.get("boundary", ""), most, refuse)
    start = bare_id(kind.parameters.get("start", ""))

    def is_root(head: Head) -> bool:
        if kind.name == FORM:
            return head.name == _ROOT or not head.is_file
        return not start or head.id == start

    await parts.root(is_root)
    root = await parts.whole(most)
    if root is None:
        raise refuse(f"The part that is the message itself is larger than {most} bytes.")
    return Package(root, parts, small)


# ------------------------------------------------------------------------------------------------ answers


async def with_attachments(
    answer: Answer, chance: bytes, wanted: Mapping[int, Wanted], package: Package, accept: bytes, refuse: Refuse
) -> Answer:
    """An answer whose JSON has marks, with what they stand for: in their places, or as parts if that is preferred."""
    marks, fields = Marks(chance), list(answer.head.fields)
    holed = marks.cut(answer.body.take())
    used = holed.holes
    if used:
        fields.append((b"Vary", b"Accept"))
    if not used and not package.small:  # nobody wants what is still to come
        return answer._replace(body=whole(holed.texts[0]))
    if used and prefers_parts(accept):
        boundary = chance.hex()
        ids = {number: marks.content_id(number) for number in used}
        text = holed.joined({number: f"{CID}{each}".encode() for number, each in ids.items()})
        start = begin(boundary, (("Content-Type", "application/json"),), text, ())
        pieces = passed_on(start, boundary, wanted, ids, package.parts, refuse)
        kind = f'{RELATED}; type="application/json"; boundary="{boundary}"'.encode()
        fields = [(name, kind if name == b"Content-Type" else value) for name, value in fields]
    else:
        pieces = filled(holed, wanted, package.parts, refuse)
    if not package.small:
        return answer._replace(head=replace(answer.head, lines=field_lines(fields), length=-1), body=Drawn(pieces))
    data = await joined(pieces)
    return answer._replace(head=replace(answer.head, lines=field_lines(fields), length=len(data)), body=whole(data))


def prefers_parts(accept: bytes) -> bool:
    """Whether an Accept field names a package before JSON; a range such as `*/*` does not name it."""
    ranked: list[tuple[float, int, str]] = []
    for place, (name, parameters) in enumerate(_RANGE.findall(accept[:_LONGEST_ACCEPT].decode("latin-1").lower())):
        quality = _QUALITY.search(parameters)
        ranked.append((-float(quality[1]) if quality else -1.0, 1000 if "*" in name else place, name))
    first = next((name for worth, _, name in sorted(ranked) if worth), "")
    return first in (RELATED, MIXED)


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


# ------------------------------------------------------------------------------------------------ requests


async def with_gathered(sent: Sent, parts: Parts, most: int, refuse: Refuse) -> Sent:
    """A message to be sent with everything that was still to come, `most` bytes: in its places, or as pieces."""
    found = await gathered(sent.wanted, sent.inside, parts, most, refuse)
    contents = {number: data for number, (data, _) in found.items()}
    await sleep(0)  # joining megabytes takes milliseconds: the loop goes round in between
    envelope = inlined(sent, contents, most) if sent.inside else sent.envelope
    await sleep(0)
    pieces = [Piece(sent.ids[number], *each) for number, each in found.items() if number not in sent.inside]
    return Sent(envelope, (*sent.pieces, *pieces), {}, sent.ids)
