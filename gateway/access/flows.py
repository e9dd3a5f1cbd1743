"""Sign-ins at the provider that are under way: what was drawn for each, kept here and nowhere else, and good once.

Each is bound to the browser that began it by a cookie, so that nobody can have somebody else's browser end a sign-in of
theirs (RFC 6749, section 10.12).
"""

from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic
from typing import NamedTuple

from gateway.access.keyring import hashed
from gateway.access.refusals import Refusal
from gateway.core.administering import Oidc

LASTS = 600.0
"""Seconds that somebody may take to sign in at the provider."""
MOST = 1_000


class Flow(NamedTuple):
    """One sign-in that is under way. `oidc` is what routes.yaml said when it began, `redirect` where the provider sends
    the browser back, `next` where that goes on then; `browser` the hash of its cookie, `address` where it came from."""

    oidc: Oidc
    redirect: str
    next: str
    browser: str
    address: str
    nonce: str
    verifier: str
    until: float


class Begun(NamedTuple):
    """What goes to the provider by way of the browser, and the cookie that stays there."""

    state: str
    cookie: str
    flow: Flow


class Flows:
    """All that are under way; there are never more than MOST of them."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._flows: dict[str, Flow] = {}

    def begin(self, oidc: Oidc, redirect: str, to: str, address: str) -> Begun:
        """Somebody begins to sign in."""
        now = self._clock()
        self._flows = {key: flow for key, flow in self._flows.items() if flow.until > now}
        if len(self._flows) >= MOST:
            self._make_room()
        state, cookie = token_urlsafe(32), token_urlsafe(32)
        flow = Flow(oidc, redirect, to, hashed(cookie), address, token_urlsafe(32), token_urlsafe(48), now + LASTS)
        self._flows[hashed(state)] = flow
        return Begun(state, cookie, flow)

    def _make_room(self) -> None:
        """The address that has begun most loses its oldest: whoever floods this drowns their own."""
        busiest = Counter(flow.address for flow in self._flows.values()).most_common(1)[0][0]
        del self._flows[next(key for key, flow in self._flows.items() if flow.address == busiest)]

    def end(self, state: str, cookie: str) -> Flow:
        """The sign-in that a browser comes back from; it is used up by that. Raises Refusal."""
        key = hashed(state)
        flow = self._flows.get(key)
        if flow is None or flow.until <= self._clock() or not compare_digest(flow.browser, hashed(cookie)):
            raise Refusal(400, "This sign-in was ended, took too long, or was begun in another browser. Begin again.")
        del self._flows[key]
        return flow


def challenge(verifier: str) -> str:
    """What the provider is told of a verifier before it is shown it: S256 (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
