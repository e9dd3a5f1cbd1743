"""Addresses as people write them: of backends and networks, of the gateway itself, of databases and webhooks.

Each reader takes whatever the file held and gives the core's value, or raises Unreadable with what to write instead.
"""

import re
from ipaddress import ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.config.problems import Unreadable
from gateway.config.words import host_name, text_of
from gateway.core.identity import is_secure

_VISIBLE = re.compile(r"[!-~]+")
_WEBHOOK = re.compile(r"https?://[!-.0-?A-~]+(?:/[!-~]*)?")
_DATABASE = re.compile(r"postgresql://[!-~]+")


class Address(NamedTuple):
    """Where a backend listens, from its `url`."""

    host: str
    port: int
    secure: bool = False
    unix: str | None = None
    base: bytes = b""
    authority: bytes = b"localhost"


def network(value: object) -> str:
    try:
        return str(ip_network(text_of(value)))
    except ValueError as error:
        raise Unreadable("{written} is not a network; write 10.0.0.0/8, 2001:db8::/32 or one address") from error


def address(value: object) -> Address:
    """A backend's `url`: http, https, or unix and a socket's path."""
    text = text_of(value)
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path or len(path.encode()) > 107:
            raise Unreadable("{written} needs the path of a socket, 107 bytes at most; write unix:/run/housing.sock")
        return Address("localhost", 0, unix=path)
    scheme, host, port, path = _url_parts(text, "http://host:8080, https://host or unix:/run/housing.sock")
    secure = scheme == "https"
    usual = 443 if secure else 80
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port in (None, usual) else f"{shown}:{port}"
    return Address(host, port or usual, secure, base=path.rstrip("/").encode(), authority=authority.encode())


def public_url(value: object) -> str:
    """The address front ends use: scheme and authority only."""
    text = text_of(value)
    if _url_parts(text, "https://api.example.org")[3] not in ("", "/"):
        raise Unreadable("{written} has a path; write only scheme and host, such as https://api.example.org")
    return text.rstrip("/")


def link(value: object) -> str:
    """An absolute address to send to people: it goes into a header, so it is plain visible ASCII."""
    text = text_of(value)
    if not re.fullmatch(r"https?://[^/<>\"\\]+[^<>\"\\]*", text) or not _VISIBLE.fullmatch(text):
        raise Unreadable("{written} is not an address; write https://... (spaces and the like percent-encoded)")
    return text


def _url_parts(text: str, example: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path of a URL that has nothing else."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unreadable("{written} is not a URL; write " + example) from error
    if parts.scheme not in ("http", "https") or not host or port == 0 or not _VISIBLE.fullmatch(text):
        raise Unreadable("{written} is not a URL that can be used here; write " + example)
    if "@" in parts.netloc:
        raise Unreadable("a URL holds no user and password here; leave them out")
    if "?" in text or "#" in text:
        raise Unreadable("{written} has a query or fragment; leave it out")
    if ":" not in host:
        host_name(host)
    if "\\" in parts.path or any(part in (".", "..") for part in parts.path.replace("%2e", ".").split("/")):
        raise Unreadable("{written} has a dot segment or a backslash in its path; write the path plainly")
    return parts.scheme, host, port, parts.path


def webhook_url(value: object) -> str:
    """Where events are sent. Such an address may be a secret itself, so no message repeats it."""
    text = text_of(value).strip()
    if not _WEBHOOK.fullmatch(text):
        raise Unreadable("must be an address without user and password, such as https://hooks.example.org/banyan")
    return text


def collector(value: object) -> str:
    """The base address of an OpenTelemetry collector. Some have keys in their addresses, so no message repeats it."""
    text = text_of(value).strip()
    try:
        path = _url_parts(text, "")[3]
    except Unreadable as error:
        raise Unreadable("must be an address without user, password and query: http://collector:4318") from error
    if path.rstrip("/").endswith(("/v1/traces", "/v1/metrics")):
        raise Unreadable("must end before /v1/traces and /v1/metrics, which are put behind it")
    return text.rstrip("/")


def issuer(value: object) -> str:
    """An OpenID provider. Its address is compared exactly, so it is kept as it was written."""
    text = text_of(value)
    _url_parts(text, "https://login.example.org/realm")
    if text.endswith("/.well-known/openid-configuration"):
        raise Unreadable("{written} must end before /.well-known, as the provider's `issuer` does")
    if not is_secure(text):
        raise Unreadable("{written} must be https: whoever stands in the way could sign in as anybody")
    return text


def database(value: object) -> str:
    """The URL of a PostgreSQL database. It may hold a password, so no message repeats it."""
    text = text_of(value).strip()
    if not _DATABASE.fullmatch(text):
        raise Unreadable("must be a PostgreSQL database: postgresql://user:password@host/name")
    return text
