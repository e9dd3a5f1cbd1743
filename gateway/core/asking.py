"""A request as a person writes it for `explain`: a method, an address, a few headers, perhaps a body.

It becomes what a client would send; nothing is judged here, so that what a client may not send can be explained too.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from string import punctuation
from typing import NamedTuple
from urllib.parse import quote

from gateway.errors import CommandError

Fields = tuple[tuple[bytes, bytes], ...]


class Asked(NamedTuple):
    """The request to explain: its head as received, the beginning of its body, and the address it comes from."""

    method: bytes
    target: bytes
    fields: Fields
    body: bytes = b""
    address: bytes = b"127.0.0.1"


def asked(
    method: str, url: str, headers: Iterable[str] = (), body: bytes = b"", address: str = "127.0.0.1", size: int = 0
) -> Asked:
    """The request that a client would send for this. `size` is the whole body's, where `body` is only its beginning.

    Raises CommandError for what is no request at all.
    """
    host, target = _split(url)
    fields = [_field(text) for text in headers]
    names = {name.lower() for name, _ in fields}
    if b"host" not in names:
        fields.insert(0, (b"Host", host))
    if body and names.isdisjoint({b"content-length", b"transfer-encoding"}):
        fields.append((b"Content-Length", b"%d" % max(size, len(body))))
    if body.lstrip().startswith(b"<") and b"content-type" not in names:
        fields.append((b"Content-Type", b"text/xml; charset=utf-8"))
    return Asked(method.encode(), target, tuple(fields), body, _address(address))


def _split(url: str) -> tuple[bytes, bytes]:
    """Host and target of an address; spaces and letters beyond ASCII are encoded, as browsers do."""
    scheme, mark, rest = url.partition("://")
    host, target = "localhost", url
    if mark and scheme.lower() in ("http", "https"):
        cut = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
        host, target = rest[:cut], rest[cut:]
        target = target if target.startswith("/") else f"/{target}"
    target = target.partition("#")[0]
    if not url.isprintable() or not host or not (target.startswith("/") or target == "*"):
        raise CommandError(
            f"{url!r} is not an address. Write a path, /housing/repairs, or http://host/housing/repairs."
        )
    return host.encode(), quote(target, safe=punctuation).encode()


def _field(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not colon or not name or name != name.strip() or not text.isprintable():
        raise CommandError(f"{text!r} is not a header. Write it as 'Name: value'.")
    return name.encode(), value.strip().encode()


def _address(text: str) -> bytes:
    try:
        return str(ip_address(text)).encode()
    except ValueError as error:
        raise CommandError(f"{text!r} is not an IP address. Write one such as 192.0.2.7 or 2001:db8::7.") from error
