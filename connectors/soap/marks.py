"""Marks: what stands in a message in the place of an attachment while the message is coded.

A mark is a word that nobody can have guessed, and that base64, XML and JSON all take as it is. So the codec needs to
know next to nothing about attachments: the message is cut at its marks afterwards, and each hole filled with what it
stood for, as it comes. In JSON that is given, a string that may become an attachment is `Attached`: an ordinary string
to everyone but the functions that write base64, which write its mark.
"""

import re
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from connectors.soap.fitting import JSON, WITHOUT_SPACE, Codec, Unfit

LONGEST = 1_024 * 4 // 3
"""Characters of base64 beyond which it travels as an attachment where it may: 1 KiB of what it stands for."""
CHANCE = 16
"""Bytes of chance in a mark."""
CID = "cid:"
SWA_REF = "{http://ws-i.org/profiles/basic/1.1/xsd}swaRef"
"""The type of references to attachments (WS-I Attachments Profile 1.0, section 4.4)."""
_OF = "@banyan"
_DIGITS = 8


class Attached(str):
    """A string that becomes an attachment where a base64 value belongs.

    `mark` stands for it in the message. One that `is_name` names a part (`cid:photo`); another is base64 itself.
    """

    mark: str
    is_name: bool

    def __new__(cls, text: str, mark: str = "", *, is_name: bool = False) -> "Attached":
        made = super().__new__(cls, text)
        made.mark, made.is_name = mark, is_name
        return made


class Marks:
    """The marks of one message, drawn from its `chance`. What they stand for is numbered."""

    def __init__(self, chance: bytes) -> None:
        self._prefix = chance.hex()
        self.pattern = f"{self._prefix}([0-9a-f]{{{_DIGITS}}})"

    def mark(self, number: int) -> str:
        """Of digits that are base64, canonical, and hexadecimal too."""
        return f"{self._prefix}{number:0{_DIGITS}x}"

    def content_id(self, number: int) -> str:
        """The Content-ID of a part of our own."""
        return self.mark(number) + _OF

    def used(self, text: str) -> list[int]:
        """The numbers of the marks in a text, each once, in their order."""
        return list(dict.fromkeys(int(each, 16) for each in re.findall(self.pattern, text)))

    def cut(self, data: bytes) -> "Holed":
        """A message as it is between its marks."""
        first, *others = data.split(self._prefix.encode())  # far quicker than an expression, of messages of megabytes
        return Holed((first, *(each[_DIGITS:] for each in others)), tuple(int(each[:_DIGITS], 16) for each in others))

    def between_tags(self, text: str, put: Callable[[int], str]) -> str:
        """XML with something else in the place of the marks that are all of an element's content."""
        return re.sub(f"(?<=>){self.pattern}(?=<)", lambda it: put(int(it[1], 16)), text)


class Holed(NamedTuple):
    """A message cut at its marks: texts, and between each two of them the number of what belongs there."""

    texts: tuple[bytes, ...]
    holes: tuple[int, ...]

    def joined(self, put: Mapping[int, bytes]) -> bytes:
        """The message with something in each hole."""
        pairs = zip(self.texts, self.holes, strict=False)
        return b"".join(piece for text, hole in pairs for piece in (text, put[hole])) + self.texts[-1]


# ------------------------------------------------------------------------------------------------ JSON that is given


def marked(given: JSON, marks: Marks, longest: float, *, names: bool) -> tuple[JSON, list[Attached]]:
    """JSON in which strings of more than `longest` characters are `Attached`; and these, by their numbers.

    So are those that name parts, if there may be `names`. The JSON itself is changed.
    """
    found: list[Attached] = []
    named: dict[str, Attached] = {}
    whole = [given]
    waiting: list[Any] = [whole]
    while waiting:
        within = waiting.pop()
        for key, each in within.items() if isinstance(within, dict) else enumerate(within):
            if isinstance(each, dict | list):
                waiting.append(each)
                continue
            if not isinstance(each, str):
                continue
            is_name = names and each.startswith(CID)
            if not is_name and len(each) <= longest:
                continue
            value = named.get(unquote(each)) if is_name else None
            if value is None:
                value = Attached(each, marks.mark(len(found)), is_name=is_name)
                found.append(value)
                if is_name:
                    named[unquote(each)] = value
            within[key] = value
    return whole[0], found


def octets(text: str) -> bytes:
    """What base64 stands for. Raises Unfit."""
    try:
        return a2b_base64(text.translate(WITHOUT_SPACE), strict_mode=True)
    except ValueError as error:
        raise Unfit("is not base64") from error


def attachable(encode: Callable[[JSON], str]) -> Callable[[JSON], str]:
    """The function that writes base64, or a mark in its place."""

    def text_of(value: JSON) -> str:
        if not isinstance(value, Attached) or not value.mark:
            return encode(value)
        if not value.is_name:
            encode(value)
        return value.mark

    return text_of


def reference(plain: Codec) -> Codec:
    """Both directions of references to attachments (swaRef): one that was read is known as such."""

    def decode(text: str) -> JSON:
        value = plain.decode(text)
        return Attached(value, is_name=True) if isinstance(value, str) and value.startswith(CID) else value

    def encode(value: JSON) -> str:
        if not isinstance(value, Attached) or not value.mark:
            return plain.encode(value)
        if not value.is_name:
            octets(value)
        return f"{CID}{value.mark}{_OF}"

    return Codec(decode, encode)
