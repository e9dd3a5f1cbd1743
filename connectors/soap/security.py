"""How the gateway proves to a SOAP backend who it is.

Sources: RFC 7617 (Basic); OASIS WS-Security 1.1 and its UsernameToken profile. Time and chance are arguments.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from connectors.soap.plan import Operation
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


class LogOn(NamedTuple):
    """How a session begins: an operation, its JSON, and the proof that goes with that one call.

    `token` is an expression over its result (None: the cookies that it sets are the session); after `lasts` seconds a
    new session is begun unasked (0: only when the service says so).
    """

    operation: Operation
    request: Any
    token: str | None = None
    lasts: float = 0.0
    auth: tuple[Auth, ...] = ()

    def is_same(self, other: "LogOn") -> bool:
        """Whether both begin one and the same session. Other routes may have numbered the operation's types anew."""
        ours, theirs = self.operation, other.operation
        return (ours.name, ours.address, *self[1:]) == (theirs.name, theirs.address, *other[1:])


class Session(NamedTuple):
    """A session, and what becomes of its token.

    `header` and `body` are mappings of `{token}`: to headers that the operation declares, and to members of its
    message. `renew_on` are faults by name, by their detail's element or code, `renew_when` an expression over any
    result: they say that the session is over.
    """

    log_on: LogOn
    header: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    renew_on: tuple[str, ...] = ()
    renew_when: str | None = None


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
