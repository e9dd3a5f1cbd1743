"""Who may come in: tokens, browsers that are signed in, and links that are good once.

What is kept is in the store, as hashes, and is read again every few seconds, so that what is revoked on one gateway is
over on all. In between this memory is what counts: who is signed in never waits for the store, nobody is locked out
because it is away, and the control socket, which needs none of it, always works.
"""

import asyncio
import re
from collections.abc import Callable
from hashlib import sha256
from secrets import compare_digest, token_hex, token_urlsafe
from time import time
from typing import TYPE_CHECKING, NamedTuple

from gateway.access.refusals import Refusal, unknown
from gateway.core.access import GIVEN, Principal, Role, Session, Token
from gateway.errors import CommandError, StoreUnavailable
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.store.repository import Store

LOOK = 2.0
"""Seconds between looks at what other gateways have changed."""
USED = 60.0
"""Seconds after which the store is told that a session is still used."""
LONGEST = 366 * 86_400.0
"""Seconds for which a token may be good."""
MOST_SESSIONS = 1_000
_TOKEN = re.compile(r"banyan_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SPOKEN = "Send `Authorization: Bearer banyan_...`; `banyan token create` makes one."


class Times(NamedTuple):
    """How long a browser stays signed in: without a request, and at all (seconds)."""

    idle: float = 30 * 60.0
    absolute: float = 12 * 3_600.0


class Link(NamedTuple):
    """A link that signs somebody in, once, until `until`. `name` "" asks whoever opens it."""

    name: str
    role: Role
    until: float


class SignedIn(NamedTuple):
    """What a browser is given for its cookie, and the session behind it."""

    cookie: str
    session: Session


def hashed(secret: str) -> str:
    """What is kept of a secret. It was drawn, not thought of: one round of SHA-256 is enough."""
    return sha256(secret.encode()).hexdigest()


class Keyring:
    """Tokens, sessions and links of one gateway, and of the others on its store."""

    def __init__(self, store: "Callable[[], Store | None]", times: Callable[[], Times] = Times) -> None:
        self._store = store
        self._times = times
        self._tokens: dict[str, Token] = {}
        self._sessions: dict[str, Session] = {}
        self._told: dict[str, float] = {}  # the sessions that the store knows, and when it was told last of their use
        self._ended: set[str] = set()  # those that it may still have
        self._links: dict[str, Link] = {}
        self._changes = 0
        self._looking = asyncio.Lock()
        self._written: object = None
        self.looked = asyncio.Event()

    async def run(self) -> None:
        """Look, for as long as this runs."""
        while True:
            try:
                await self.look()
            except StoreUnavailable:  # the keeper tells of it; what is known goes on counting
                pass
            except Exception:  # noqa: BLE001 - a defect here must not end the gateway
                log().exception("keyring_failed")
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Tell what was done here, and take up what other gateways have changed. Raises StoreUnavailable."""
        store = self._store()
        if store is None:
            return
        written = store.written()
        told = self._sessions.keys() <= self._told.keys() and not self._ended
        if written is not None and written == self._written and told and self.looked.is_set():
            return  # nobody has written to it since: it has nothing new to say
        async with self._looking:
            await self._look(store)
        self._written = written

    async def _look(self, store: "Store") -> None:
        for session in [*self._sessions.values()]:
            await self._tell(store, session)
        changes = -1
        while changes != self._changes:  # what was begun or ended here meanwhile may not be in what was read
            changes = self._changes
            tokens, sessions = await store.tokens(), await store.sessions(time())
        self._tokens = {token.id: token for token in tokens}
        ours = {key: each for key, each in self._sessions.items() if key not in self._told}
        self._sessions = {each.id: self._fresher(each) for each in sessions if each.id not in self._ended} | ours
        self._told = {each.id: self._told.get(each.id, each.seen) for each in sessions}
        self._ended &= self._told.keys()
        self.looked.set()
        for session_id in [*self._ended]:
            await store.end_session(session_id, time())

    def _fresher(self, stored: Session) -> Session:
        known = self._sessions.get(stored.id)
        return stored if known is None or known.seen < stored.seen else known

    async def _tell(self, store: "Store", session: Session) -> None:
        """Have the store know of a session: who is signed in stays so when the gateway is started anew."""
        told = self._told.get(session.id)
        if told is None:
            await store.add_session(session)
        elif session.seen - told >= USED:
            await store.use_session(session.id, session.seen)
        else:
            return
        if session.id in self._sessions:
            self._told[session.id] = session.seen
            self._changes += 1

    def _opened(self) -> "Store":
        store = self._store()
        if store is None:
            raise CommandError("The store has not been opened yet, and tokens are kept there. See `banyan status`.")
        return store

    # -------------------------------------------------------------------------------------------- tokens

    @property
    def tokens(self) -> list[Token]:
        """All of them, the latest first."""
        return sorted(self._tokens.values(), key=lambda token: -token.made)

    @property
    def is_new(self) -> bool:
        """Whether nobody was ever given a token or signed in here."""
        return self.looked.is_set() and not self._tokens and not self._sessions

    async def create(self, name: str, role: str, lasts: float, by: str) -> tuple[Token, str]:
        """Make a token; it, and its text, which is told this once. Raises CommandError, StoreUnavailable."""
        if not name.strip():
            raise CommandError("Say whose token it is: `name` is what the audit will have.")
        if not 0 < lasts <= LONGEST:
            raise CommandError("A token is good for a year at most: `--expires 90d`.")
        now, token_id, secret = time(), token_hex(6), token_urlsafe(32)
        token = Token(token_id, hashed(secret), name.strip(), given(role), by, now, now + lasts)
        await self._opened().add_token(token)
        self._tokens[token_id] = token
        self._changes += 1
        return token, f"banyan_{token_id}_{secret}"

    async def revoke(self, token_id: str) -> Token:
        """End a token, and every session that was begun with it. Raises CommandError, StoreUnavailable."""
        now = time()
        if not await self._opened().end_token(token_id, now):
            raise CommandError(f"There is no token {token_id!r} that could be revoked. `banyan token list` shows them.")
        self._changes += 1
        for session in [each for each in self._sessions.values() if each.token == token_id]:
            self._forget(session.id)
        if token_id not in self._tokens:  # another gateway has made it a moment ago
            await self.look()
        token = self._tokens[token_id] = self._tokens[token_id]._replace(ended=now)
        return token

    def bearer(self, text: str, now: float) -> Principal:
        """Whose token this is. Raises Refusal."""
        token = self._token(text)
        if problem := token.problem(now):
            raise unknown(f"{problem} {_SPOKEN}")
        return Principal(token.name, token.role, "token", token.id, proof=token.id)

    def _token(self, text: str) -> Token:
        found = _TOKEN.fullmatch(text)
        token = self._tokens.get(found[1]) if found else None
        if found is None or token is None or not compare_digest(token.secret, hashed(found[2])):
            if not self.looked.is_set():
                raise Refusal(503, "It is not known yet who may come in: the store cannot be had. Use the commands.")
            raise unknown(f"This token is not known here. {_SPOKEN}")
        return token

    # -------------------------------------------------------------------------------------------- links

    def link(self, role: str, lasts: float, name: str = "") -> str:
        """The code of a link that signs in once. Raises CommandError."""
        now = time()
        self._links = {key: link for key, link in self._links.items() if link.until > now}
        code = token_urlsafe(24)
        self._links[hashed(code)] = Link(name.strip(), given(role), now + lasts)
        return code

    def peek(self, code: str) -> Link:
        """What a link is good for; it stays good. Raises Refusal."""
        link = self._links.get(hashed(code))
        if link is None or link.until <= time():
            raise Refusal(403, "This link was used, or its time is over. `banyan link` makes another.")
        return link

    # -------------------------------------------------------------------------------------------- sessions

    async def by_link(self, code: str, name: str) -> SignedIn:
        """Sign in by a link, which is used up by that. Raises Refusal."""
        link = self.peek(code)
        who = link.name or (f"{name.strip()[:80]} (by link)" if name.strip() else "")  # nobody has vouched for it
        if not who:
            raise Refusal(400, "Say who you are: the audit will have your name.")
        del self._links[hashed(code)]
        return await self.begin(who, link.role)

    async def by_token(self, text: str) -> SignedIn:
        """Sign a browser in with a token. Raises Refusal."""
        who = self.bearer(text, time())
        return await self.begin(who.name, who.role, who.id, self._tokens[who.id].expires)

    async def begin(self, name: str, role: Role, token: str = "", until: float = LONGEST * 100) -> SignedIn:
        """Sign somebody in who has proved who they are."""
        now, cookie = time(), token_urlsafe(32)
        ends = min(until, now + self._times().absolute)
        session = Session(hashed(cookie), name[:100], role, token_urlsafe(24), token, now, now, ends)
        if len(self._sessions) >= MOST_SESSIONS:
            self._forget(min(self._sessions.values(), key=lambda each: each.seen).id)
        self._sessions[session.id] = session
        self._changes += 1
        store = self._store()
        if store is not None:
            try:
                await self._tell(store, session)
            except StoreUnavailable as error:
                log().warning("session_not_stored", why=str(error))
        return SignedIn(cookie, session)

    async def by_cookie(self, cookie: str, *, active: bool) -> Principal | None:
        """Who is signed in with this cookie; None for nobody. What a page asks by itself is not `active` use."""
        session = self._sessions.get(hashed(cookie))
        now = time()
        if session is None or session.is_over(now, self._times().idle) or not self._vouched(session, now):
            return None
        if active:
            self._sessions[session.id] = session._replace(seen=now)
        return Principal(session.name, session.role, "session", session.id, session.csrf, session.token)

    def _vouched(self, session: Session, now: float) -> bool:
        """Whether the token that a session was begun with is still good, wherever it was revoked."""
        token = self._tokens.get(session.token)
        return not session.token or (token is not None and not token.problem(now))

    async def sign_out(self, session_id: str) -> None:
        """End a session. Where the store cannot be had, it is ended there as soon as it can."""
        self._forget(session_id)
        store = self._store()
        if store is not None:
            try:
                await store.end_session(session_id, time())
            except StoreUnavailable as error:
                log().warning("session_not_ended_in_store", why=str(error))

    def _forget(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        self._ended.add(session_id)
        self._changes += 1


def given(role: str) -> Role:
    """A role that can be given away. Raises CommandError."""
    for each in GIVEN:
        if role == each:
            return each
    raise CommandError(f"{role!r} is no role: {', '.join(GIVEN)}.")
