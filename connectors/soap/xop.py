"""XOP and its elder, SOAP with Attachments: envelopes that refer to parts beside them.

A message that came has `xop:Include` where its base64 is to be (XOP 1.0, section 4): a mark is put there, and the codec
reads that. A message to be sent has marks where its base64 was, and gets Includes. Content types are those of MTOM 1.0
(SOAP 1.2), its SOAP 1.1 binding, and SOAP Messages with Attachments.
"""

import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from connectors.soap.attachments import OCTETS, Piece, Wanted, referred
from connectors.soap.content import fields_of
from connectors.soap.envelope import Version
from connectors.soap.fitting import Unfit
from connectors.soap.marks import CID, SWA_REF, Attached, Marks, octets
from connectors.soap.multipart import MOST_PARTS
from connectors.soap.plan import Group, Message, Schema, Simple, TypeRef
from connectors.soap.problems import Invalid, Problem
from connectors.soap.reach import inside_out
from connectors.soap.words import JSON, VALUE
from connectors.soap.xmltext import Element, XmlRefused, quoted
from gateway.wire.body import too_large

XOP = "http://www.w3.org/2004/08/xop/include"
INCLUDE = f"{{{XOP}}}Include"
XOP_TYPE = "application/xop+xml"
RELATED = "multipart/related"
TYPES: dict[Version, str] = {"1.1": "text/xml", "1.2": "application/soap+xml"}
_TYPE_BEFORE = r'<[^<>]*?\bcontentType="([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)"[^<>]*>'

# ------------------------------------------------------------------------------------------------ what came


class Found(NamedTuple):
    """What a message that came refers to: the `numbers` of attachments, which have `marks` in their places."""

    marks: Marks
    numbers: dict[Wanted, int]

    def mark(self, wanted: Wanted) -> str:
        """The mark of an attachment; the same for all that mention it. Raises XmlRefused."""
        number = self.numbers.setdefault(wanted, len(self.numbers))
        if number >= MOST_PARTS:
            raise XmlRefused(f"The message refers to more than {MOST_PARTS} attachments.")
        return self.marks.mark(number)

    @property
    def wanted(self) -> dict[int, Wanted]:
        """The attachments by their numbers."""
        return {number: each for each, number in self.numbers.items()}


def included(root: Element, found: Found, *, encoded: bool = False) -> None:
    """Put marks in the place of Includes, everywhere below an element. Raises XmlRefused.

    In `encoded` messages any element may refer to an attachment (SOAP Messages with Attachments, section 4).
    """
    if encoded:
        for element in root.iter():
            if element.tag != INCLUDE and element.get("href", "").startswith(CID):
                element.text = found.mark(referred(element.attrib.pop("href")))
    for element in [each for each in root.iter() if len(each) == 1 and each[0].tag == INCLUDE]:
        href = element[0].get("href", "").strip()
        if not href.startswith(CID):
            raise XmlRefused("The message includes something that is no part of it.")
        element.remove(element[0])
        element.text = found.mark(referred(href))


def with_declared(value: JSON, message: Message, found: Found) -> JSON:
    """A message's value with the attachments that its binding declares as members. Raises XmlRefused."""
    if not message.attachments:
        return value
    members = value if isinstance(value, dict) else {VALUE: value}
    return {**members, **{name: found.mark(Wanted(name, declared=True)) for name in message.attachments}}


def resolved(value: JSON, found: Found | None) -> JSON:
    """A message's value whose references (swaRef) are marks; by themselves, without a package, they stay as they are.

    The value itself is changed. Raises XmlRefused.
    """
    whole = [value]
    waiting: list[Any] = [whole]
    while waiting:
        within = waiting.pop()
        for key, each in within.items() if isinstance(within, dict) else enumerate(within):
            if isinstance(each, Attached):
                within[key] = each[:] if found is None else found.mark(referred(each))
            elif isinstance(each, dict | list):
                waiting.append(each)
    return whole[0]


def refers(schema: Schema, message: Message) -> bool:
    """Whether there may be references to attachments (swaRef) in a message, as far as its schema goes."""
    roots = [part.type for part in message.parts]
    types: list[TypeRef | None] = [*roots]
    for plan in {place: schema.types[place] for ref in roots for place in inside_out(schema, ref, ())}.values():
        types += (plan.text, *(each.type for each in plan.attributes))
        types += (each.type for each in fields_of(plan.content or Group("sequence", ())))
    return any(isinstance(each, Simple) and each.name == SWA_REF for each in types)


# ------------------------------------------------------------------------------------------------ what is sent


class Sent(NamedTuple):
    """A message to be sent, and what travels beside it: `pieces` that are here, others that are still `wanted`.

    `ids` are the Content-IDs of attachments by their numbers. Those `inside` the envelope have marks there, of this
    `chance`, until they come.
    """

    envelope: bytes
    pieces: tuple[Piece, ...] = ()
    wanted: Mapping[int, Wanted] = {}
    ids: Mapping[int, str] = {}
    chance: bytes = b""
    inside: frozenset[int] = frozenset()


def without_declared(value: JSON, message: Message) -> tuple[JSON, dict[str, JSON]]:
    """A message's value without the attachments that its binding declares; and those. Raises Invalid."""
    names = message.attachments
    if not names:
        return value, {}
    if not isinstance(value, dict):
        raise Invalid([Problem("", "must be an object")])
    problems = [Problem(f"/{name}", "is missing") for name in names if name not in value]
    problems += [Problem(f"/{name}", "must be a string") for name in names if not isinstance(value.get(name, ""), str)]
    if problems:
        raise Invalid(problems)
    inside = {key: each for key, each in value.items() if key not in names}
    beside = {name: value[name] for name in names}
    return (inside[VALUE] if _is_plain(message) and inside.keys() == {VALUE} else inside), beside


def _is_plain(message: Message) -> bool:
    """Whether a message is one value by itself, which is `$value` where attachments stand beside it."""
    return message.wrapper is None and len(message.parts) == 1 and not isinstance(message.parts[0].type, int)


def sent(text: str, chance: bytes, attached: Sequence[Attached], declared: Mapping[str, JSON], *, xop: bool) -> Sent:
    """A message, and what travels beside it: where base64 was marked, if it is `xop`, and what its binding declares.

    Raises Invalid.
    """
    marks = Marks(chance)
    contents: dict[int, str] = {number: attached[number] for number in marks.used(text)}
    ids = {number: marks.content_id(number) for number in contents}
    for name, given in declared.items():
        number = len(attached) + len(ids)
        contents[number], ids[number] = given, f"{quote(name, safe='')}={marks.content_id(number)}"
    wanted = {number: referred(each) for number, each in contents.items() if _is_name(each)}
    types = _types(text, marks)
    inside: set[int] = set()

    def instead(number: int) -> str:
        """What stands in an element in the place of a mark."""
        if xop:
            return f"<xop:Include xmlns:xop={quoted(XOP)} href={quoted(CID + ids[number])}/>"
        inside.add(number)
        return marks.mark(number) if number in wanted else b2a_base64(octets(contents[number]), newline=False).decode()

    text = marks.between_tags(text, instead)
    beside = {number: each for number, each in contents.items() if number not in wanted and number not in inside}
    pieces = tuple(Piece(ids[number], _octets(each), types.get(number, OCTETS)) for number, each in beside.items())
    return Sent(text.encode(), pieces, wanted, ids, chance, frozenset(inside & wanted.keys()))


def inlined(message: Sent, contents: Mapping[int, bytes], most: int) -> bytes:
    """The envelope of a message with base64 in the place of the marks that it has.

    Raises ClientError where that makes more than `most` bytes: the same may be mentioned many times.
    """
    marks = Marks(message.chance)
    texts, holes = marks.cut(message.envelope)
    pieces = [texts[0]]
    for number, behind in zip(holes, texts[1:], strict=True):
        is_reference = not pieces[-1].endswith(b">")
        pieces += (marks.mark(number).encode() if is_reference else contents[number], behind)
    if sum(map(len, pieces)) > most:
        raise too_large(most)
    return b"".join(pieces)


def _is_name(given: str) -> bool:
    return isinstance(given, Attached) and given.is_name


def _octets(given: str) -> bytes:
    try:
        return octets(given)
    except Unfit as unfit:
        raise Invalid([Problem("", f"has an attachment that {unfit}")]) from unfit


def _types(text: str, marks: Marks) -> dict[int, str]:
    """The content types that elements give their marks (xmlmime:contentType), where they are plain ones."""
    return {int(number, 16): kind for kind, number in re.findall(_TYPE_BEFORE + marks.pattern, text)}


def content_type(version: Version, boundary: str, action: str, *, xop: bool) -> bytes:
    """The Content-Type of a package (RFC 2387)."""
    kind = TYPES[version]
    inner = f'type="{XOP_TYPE}"; start-info="{kind}"' if xop else f'type="{kind}"'
    named = f'; action="{action}"' if action and version == "1.2" else ""
    return f'{RELATED}; {inner}; start="<{root_id(boundary)}>"; boundary="{boundary}"{named}'.encode()


def root_fields(version: Version, boundary: str, action: str, *, xop: bool) -> Sequence[tuple[str, str]]:
    """The head of the part that is the envelope."""
    named = f'; action="{action}"' if action and version == "1.2" else ""
    kind = f'{XOP_TYPE}; charset=utf-8; type="{TYPES[version]}"' if xop else f"{TYPES[version]}; charset=utf-8"
    return (
        ("Content-Type", kind + named),
        ("Content-Transfer-Encoding", "8bit"),
        ("Content-ID", f"<{root_id(boundary)}>"),
    )


def root_id(boundary: str) -> str:
    return f"{boundary}@banyan"
