"""Asking an OpenID provider: what it is, its keys, and for the ID token that a code stands for.

Its answers are waited for briefly, read up to a bound, and never followed elsewhere. What it says of itself and its
keys are kept for a while; and neither a provider in trouble nor a stranger with made-up keys makes us ask again and
again.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar

from gateway.core.administering import Oidc
from gateway.core.identity import Provider, Unfit, provider_of
from gateway.errors import BanyanError

Document = dict[str, Any]

TIMEOUT = 5.0
LARGEST = 512 * 1024
"""Bytes of one answer."""
KEPT = 3_600.0
"""Seconds for which what a provider says of itself, and its keys, are good."""
AGAIN = 10.0
"""Seconds before it is asked once more for what it could not tell, or for keys that it did not have."""
_ERRORS = ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type")
"""RFC 6749, section 5.2: words that may be shown."""
_WELL_KNOWN = "/.well-known/openid-configuration"


class Unreachable(BanyanError):
    """The provider did not answer as it should. The message says how, and may be shown; `status` is what it answered, 0
    for nothing."""

    def __init__(self, why: str, status: int = 0) -> None:
        self.status = status
        super().__init__(why)


class _Kept(NamedTuple):
    """What was read, and when; or, while it could not be, why."""

    document: Document | None
    why: str
    at: float


class Remote:
    """One provider, as it was last seen."""

    def __init__(self, issuer: str, clock: Callable[[], float] = monotonic) -> None:
        self.issuer = issuer
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._turn = asyncio.Lock()

    async def about(self) -> Provider:
        """What it says of itself. Raises Unreachable, Unfit."""
        return provider_of(await self._document(self.issuer.rstrip("/") + _WELL_KNOWN, KEPT), self.issuer)

    def known(self) -> Provider | None:
        """What it has said of itself before; asks nobody."""
        kept = self._kept.get(self.issuer.rstrip("/") + _WELL_KNOWN)
        try:
            return None if kept is None or kept.document is None else provider_of(kept.document, self.issuer)
        except Unfit:
            return None

    async def keys(self, provider: Provider, *, fresh: bool = False) -> Sequence[Mapping[str, Any]]:
        """Its keys (RFC 7517, section 5); `fresh` where those we have do not do. Raises Unreachable, Unfit."""
        keys = (await self._document(provider.keys, AGAIN if fresh else KEPT)).get("keys")
        if not isinstance(keys, list):
            raise Unfit("its keys cannot be read")
        return [each for each in keys if isinstance(each, dict)]

    async def _document(self, url: str, lasts: float) -> Document:
        """What is kept of an address, or read from it where that is older than `lasts`. One asks at a time."""
        async with self._turn:
            kept = self._kept.get(url)
            if kept is None or self._clock() - kept.at >= (lasts if kept.document is not None else AGAIN):
                kept = self._kept[url] = await self._read(url)
        if kept.document is None:
            raise Unreachable(kept.why)
        return kept.document

    async def _read(self, url: str) -> _Kept:
        try:
            return _Kept(await _asked("GET", url, {}), "", self._clock())
        except Unreachable as error:
            return _Kept(None, str(error), self._clock())

    async def exchange(self, provider: Provider, oidc: Oidc, form: Mapping[str, str]) -> str:
        """The ID token for a code (RFC 6749, section 4.1.3). Raises Unreachable, Unfit."""
        sent, headers = {"grant_type": "authorization_code", **form}, dict[str, str]()
        if provider.posts:
            sent |= {"client_id": oidc.client_id, "client_secret": oidc.client_secret}
        else:
            headers["Authorization"] = _basic(oidc)
        try:
            token = (await _asked("POST", provider.token, headers, sent)).get("id_token")
        except Unreachable as error:
            if 400 <= error.status < 500:  # it is well, and does not want what it was shown
                raise Unfit(f"when it was shown its own code {error}") from error
            raise
        if not isinstance(token, str):
            raise Unfit("it sent no ID token")
        return token


def _basic(oidc: Oidc) -> str:
    """A client's name and secret, each encoded as in a form before they are joined (RFC 6749, section 2.3.1)."""
    pair = f"{quote_plus(oidc.client_id)}:{quote_plus(oidc.client_secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


async def _asked(method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> Document:
    """The JSON object that an address answers with. Raises Unreachable; its message has nothing that was sent."""
    fields = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
    timeout = ClientTimeout(total=TIMEOUT)
    try:
        async with (
            ClientSession(timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False) as session,
            session.request(method, url, headers=fields, data=form, allow_redirects=False) as answer,
        ):
            body = await _bounded(answer)
            status = answer.status
    except TimeoutError as error:
        raise Unreachable(f"it did not answer within {TIMEOUT:g} seconds") from error
    except (ClientError, OSError, ValueError) as error:
        raise Unreachable("it cannot be reached, or does not speak HTTP") from error
    document = _object(body)
    if status != 200:
        word = (document or {}).get("error")
        raise Unreachable(f"it answered {status}" + (f" ({word})" if word in _ERRORS else ""), status)
    if document is None:
        raise Unreachable("its answer is no JSON object")
    return document


def _object(body: bytes) -> Document | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def _bounded(answer: ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > LARGEST:
            raise Unreachable("its answer is too long")
    return bytes(body)
