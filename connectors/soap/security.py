"""How the gateway proves to a SOAP backend who it is.

Sources: RFC 7617 (Basic); OASIS WS-Security 1.1 and its UsernameToken profile. Time and chance are arguments.
"""

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from connectors.soap.xmltext import escape

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_OASIS}wssecurity-secext-1.0.xsd"
WSU = f"{_OASIS}wssecurity-utility-1.0.xsd"
SECURITY = f"{{{WSSE}}}Security"
_TOKEN = f"{_OASIS}username-token-profile-1.0"
_BASE64 = f"{_OASIS}soap-message-security-1.0#Base64Binary"
NONCE = 16
"""Bytes of chance in a token (section 3.1 of the profile leaves it open; a UUID has as many)."""


class Basic(NamedTuple):
    """A name and a password in the Authorization field."""

    username: str
    password: str


class UsernameToken(NamedTuple):
    """A WS-Security header with a name and a password, as text or as a digest.

    `lifetime` is how many seconds the message is valid for, which a Timestamp says; None sends no Timestamp.
    """

    username: str
    password: str
    digest: bool = False
    lifetime: int | None = 300


class HeaderValues(NamedTuple):
    """Values for headers that the WSDL declares: (the header's key, its JSON)."""

    values: tuple[tuple[str, Any], ...]


Auth = Basic | UsernameToken | HeaderValues


def authorization(basic: Basic) -> bytes:
    """The value of the Authorization field (RFC 7617, in UTF-8)."""
    return b"Basic " + b64encode(f"{basic.username}:{basic.password}".encode())


def security_block(token: UsernameToken, now: float, nonce: bytes) -> str:
    """The header block of a token: `now` in Unix seconds, `nonce` random bytes that never come again."""
    created = _moment(now)
    secret = _digest(token, created, nonce) if token.digest else escape(token.password)
    kind = "PasswordDigest" if token.digest else "PasswordText"
    return (
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" soap:mustUnderstand="1">'
        f"{_timestamp(now, token.lifetime)}<wsse:UsernameToken><wsse:Username>{escape(token.username)}</wsse:Username>"
        f'<wsse:Password Type="{_TOKEN}#{kind}">{secret}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{_BASE64}">{b64encode(nonce).decode()}</wsse:Nonce>'
        f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
    )


def _digest(token: UsernameToken, created: str, nonce: bytes) -> str:
    """Base64(SHA-1(nonce + created + password)), as section 3.1 of the profile fixes it."""
    return b64encode(hashlib.sha1(nonce + created.encode() + token.password.encode()).digest()).decode()


def _timestamp(now: float, lifetime: int | None) -> str:
    if lifetime is None:
        return ""
    expires = _moment(now + lifetime)
    return (
        f"<wsu:Timestamp><wsu:Created>{_moment(now)}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>"
    )


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(seconds * 1_000))
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
