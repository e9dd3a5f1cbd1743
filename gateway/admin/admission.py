"""At the door of the admin room: who asks, whether they may, and whether it was they who wanted it.

Each address names the role that it needs, in one table, and nothing is served that is not in it. A browser's session
goes with every request that any page makes it send; so what changes something must also carry the session's own token,
and must not come from another site (Fetch Metadata, `Sec-Fetch-Site`).
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from time import monotonic, time
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.access.keyring import Keyring
from gateway.access.refusals import Refusal, unknown
from gateway.core.access import Principal, Role
from gateway.core.forwarding import Network, is_trusted, told_address

COOKIE = "banyan_session"
CSRF, CSRF_FIELD = "X-CSRF-Token", "csrf"
LIVE = "X-Banyan-Live"
"""What a page asks by itself, with nobody at the keys, says so: it keeps nobody signed in."""
OWNER = Principal("owner", Role.OWNER, "socket")
TRIES, WITHIN = 10, 60.0
"""How often a wrong token or link may be shown from one address, and in how many seconds."""
MOST_ADDRESSES = 10_000

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
PRINCIPAL: web.RequestKey[Principal | None] = web.RequestKey("principal")
NEEDED: web.AppKey[Mapping[tuple[str, str], Role | None]] = web.AppKey("needed")
"""The role that each method and address needs; None for none."""
KEYRING: web.AppKey[Keyring] = web.AppKey("keyring")
TRUSTED: web.AppKey[Callable[[], tuple[Network, ...]]] = web.AppKey("trusted")
"""Proxies that tell from where somebody comes."""
OF_THE_OWNER: web.AppKey[bool] = web.AppKey("of_the_owner", bool)


class Attempts:
    """Wrong tokens and links, by the address that they came from: after TRIES of them it has to wait."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}

    def check(self, address: str) -> None:
        """Raises Refusal where too many were wrong."""
        failed = self._fresh(address)
        if len(failed) >= TRIES:
            wait = max(1, round(failed[0] + WITHIN - self._clock()))
            raise Refusal(429, f"Too many attempts. Try again in {wait} seconds.", {"Retry-After": str(wait)})

    def failed(self, address: str) -> None:
        """One more was wrong."""
        if address not in self._failed and len(self._failed) >= MOST_ADDRESSES:
            self._failed.pop(next(iter(self._failed)))
        self._failed.setdefault(address, deque(maxlen=TRIES)).append(self._clock())

    def _fresh(self, address: str) -> deque[float]:
        failed = self._failed.get(address, deque())
        while failed and failed[0] <= self._clock() - WITHIN:
            failed.popleft()
        return failed


ATTEMPTS: web.AppKey[Attempts] = web.AppKey("attempts")


class Needs(NamedTuple):
    """What an address needs; `known` whether there is such an address."""

    role: Role | None
    known: bool


@web.middleware
async def admitted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through who may. Raises Refusal for all others."""
    request[PRINCIPAL] = None
    needs = _needs(request)
    request[PRINCIPAL] = who = await identified(request, needed=needs.known and needs.role is not None)
    if needs.known and needs.role is not None:
        if who is None:
            raise unknown("Sign in first. Send `Authorization: Bearer banyan_...`; `banyan token create` makes one.")
        if not who.role.allows(needs.role):
            raise Refusal(403, f"This needs the role {needs.role}; {who.name} is {_a(who.role)} {who.role}.")
    if who is not None and who.via == "session" and request.method not in ("GET", "HEAD"):
        await _wanted(request, who)
    return await handler(request)


def principal(request: web.Request) -> Principal:
    """Who asks, where the address needs somebody."""
    who = request[PRINCIPAL]
    if who is None:
        raise unknown("Sign in first.")
    return who


def _needs(request: web.Request) -> Needs:
    """By the address as it was written into the table, never by what was sent. What is served and stands in no table is
    an oversight, and is not served. Raises Refusal."""
    resource = request.match_info.route.resource
    if resource is None:
        return Needs(None, False)
    key = ("GET" if request.method == "HEAD" else request.method, resource.canonical)
    table = request.config_dict[NEEDED]
    if key not in table:
        raise Refusal(404, "There is nothing here.")
    return Needs(table[key], True)


async def identified(request: web.Request, *, needed: bool, active: bool = True) -> Principal | None:
    """Who asks; None where nobody says. Raises Refusal for a token that is not good, where somebody is `needed`.

    What is not `active` keeps nobody signed in.
    """
    if request.config_dict[OF_THE_OWNER]:
        return OWNER
    keyring = request.config_dict[KEYRING]
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return _bearer(request, keyring, scheme, text.strip()) if needed else None
    cookie = request.cookies.get(COOKIE)
    return None if not cookie else await keyring.by_cookie(cookie, active=active and LIVE not in request.headers)


def _bearer(request: web.Request, keyring: Keyring, scheme: str, text: str) -> Principal:
    if scheme.lower() != "bearer":
        raise unknown("Send `Authorization: Bearer banyan_...`; nothing else is taken.")
    try:
        return keyring.bearer(text, time())
    except Refusal as refusal:
        if refusal.status == 401:  # a good one is never told to wait: behind a proxy all come from one address
            attempts, address = request.config_dict[ATTEMPTS], remote(request)
            attempts.check(address)
            attempts.failed(address)
        raise


async def _wanted(request: web.Request, who: Principal) -> None:
    """Raises Refusal where it was not a page of ours that sent this."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    shown = request.headers.get(CSRF)
    if shown is None and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        field = (await request.post()).get(CSRF_FIELD)
        shown = field if isinstance(field, str) else None
    if site not in ("same-origin", "none") or not compare_digest((shown or "").encode(), who.csrf.encode()):
        raise Refusal(
            403, "This did not come from a page of this session. Load the page again, and send it from there."
        )


def remote(request: web.Request) -> str:
    """The address that asks, as far as proxies that are trusted tell it; "" on the control socket."""
    peer = (request.remote or "").encode()
    trusted = request.config_dict[TRUSTED]()
    if not is_trusted(peer, trusted):
        return peer.decode()
    named = [value.encode("utf-8", "replace") for value in request.headers.getall("X-Forwarded-For", ())]
    return told_address(peer, named, trusted).decode()


def _a(role: Role) -> str:
    return "an" if role in (Role.OPERATOR, Role.APPROVER, Role.OWNER) else "a"
