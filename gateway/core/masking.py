"""What of recorded traffic may be kept: nothing that proves who somebody is, nothing that looks like somebody's.

What is masked is masked whole: a path segment, a value, a body. A part of it left standing would look like something
that can be sent again, and might give the rest away.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from urllib.parse import unquote

from gateway.core.secrecy import MASK, shown

Mask = Callable[[str], str]
"""Replaces what looks like somebody's number, address or name in a text, and leaves any other text as it is."""
Fields = Iterable[tuple[bytes, bytes]]

HARMLESS = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "content-encoding", "content-length"}
    | {"content-type", "etag", "location", "soapaction", "user-agent"}
)
"""The fields whose values are kept, in lower case."""


def masked_fields(fields: Fields, mask: Mask) -> list[tuple[str, str]]:
    """A head's fields: those that may hold a credential are left out, and only harmless ones keep their values."""
    named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
    return [
        (name, masked_value(name.lower(), value, mask))
        for name, value in named
        if not _is_secret(name) and not name.lower().startswith("proxy-")
    ]


def masked_value(name: str, value: str, mask: Mask) -> str:
    """The value of a field by its name in lower case."""
    if name not in HARMLESS:
        return MASK
    return masked_address(value, mask) if name == "location" else masked_text(value, mask)


_ADDRESS = re.compile(r"(?:([a-z][a-z0-9+.-]*:)?//(?:[^/?#]*@)?([^/?#]*))?([^#]*)(#?)", re.IGNORECASE)


def address_parts(address: str) -> tuple[str, str, str, str]:
    """A reference (RFC 3986, section 4.1) in parts, each perhaps empty.

    They are: the scheme with its colon, where an authority follows; the authority without user information; path and
    query; `#` where there is a fragment.
    """
    found = _ADDRESS.match(address)
    assert found is not None  # every part of the expression may be empty
    scheme, authority, target, fragment = found.groups("")
    return scheme, authority, target, fragment


def masked_address(address: str, mask: Mask) -> str:
    """A reference without user information, path and query as in `masked_target`, its fragment masked whole."""
    scheme, authority, target, fragment = address_parts(address)
    origin = f"{scheme}//{authority}" if authority else ""
    return origin + masked_target(target, mask) + (f"#{MASK}" if fragment else "")


def masked_target(target: str, mask: Mask) -> str:
    """Path and query, segment by segment and value by value."""
    path, mark, query = target.partition("?")
    segments = "/".join(masked_text(segment, mask) for segment in path.split("/"))
    return segments + mark + "&".join(_masked_pair(pair, mask) for pair in query.split("&"))


def _masked_pair(pair: str, mask: Mask) -> str:
    name, equals, value = pair.partition("=")
    secret = value != "" and _is_secret(unquote(name))
    return masked_text(name, mask) + equals + (MASK if secret else masked_text(value, mask))


_NAMES = re.compile(r"<([\w:.-]++)|(?<![\w.\[\]-])([\w.\[\]-]++)[\"']?+\s*+[:=]")
"""What names a value in XML, JSON, forms and parameters: tags, and words before `:` or `=`. Possessive, so that a long
word is read once."""


def masked_text(text: str, mask: Mask) -> str:
    """A text, unless something in it has a secret's name or looks like somebody's: then nothing of it."""
    for reading in _readings(text):
        names = {tag or word for tag, word in _NAMES.findall(reading)}
        if mask(reading) != reading or any(map(_is_secret, names)):
            return MASK
    return text


_ESCAPED = re.compile(r"\\u([0-9a-f]{4})", re.IGNORECASE)


def _readings(text: str) -> Iterator[str]:
    """A text as those read it who take it for part of an address, for JSON or for XML: nothing hides behind escapes."""
    yield text
    if "%" in text or "+" in text:
        yield unquote(text)
        yield unquote(unquote(text.replace("+", " ")))
    if "\\u" in text:
        yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    if "&" in text:
        yield unescape(text)


def _is_secret(name: str) -> bool:
    return shown(name, "") == MASK
