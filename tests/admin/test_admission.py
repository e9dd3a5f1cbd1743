"""At the door: whoever may not come in learns what to do, and nobody's browser is made to do what they did not want."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar, FormData, TCPConnector, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.access import keyring as keys
from gateway.access.keyring import Keyring, SignedIn
from gateway.access.refusals import Refusal
from gateway.admin import admission
from gateway.admin.admission import (
    ATTEMPTS,
    COOKIE,
    CSRF,
    CSRF_FIELD,
    KEYRING,
    LIVE,
    NEEDED,
    OF_THE_OWNER,
    OWNER,
    TRIES,
    TRUSTED,
    WITHIN,
    Attempts,
    admitted,
    principal,
    remote,
)
from gateway.admin.guards import LOOPBACK_ONLY, guarded
from gateway.core.access import Role, Token
from gateway.core.forwarding import networks_of
from tests.admin.fakes import problem

TABLE = {
    ("GET", "/free"): None,
    ("GET", "/whence"): None,
    ("GET", "/view"): Role.VIEWER,
    ("POST", "/act/{name}"): Role.OPERATOR,
}
WRONG = {"Authorization": f"Bearer banyan_{'0' * 12}_{'x' * 43}"}
NOT_OURS = "This did not come from a page of this session. Load the page again, and send it from there."


class Clock:
    """What time it is, here and for sessions."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(keys, "time", clock)
    monkeypatch.setattr(admission, "time", clock)
    return clock


@pytest.fixture
def keyring(clock: Clock) -> Keyring:
    keyring = Keyring(lambda: None)
    keyring.looked.set()
    return keyring


def door(keyring: Keyring, clock: Clock, *, owner: bool = False, trusted: tuple[str, ...] = ()) -> web.Application:
    """A small admin room behind the real door: each address tells who asks, and what they sent."""

    async def told(request: web.Request) -> web.Response:
        who = principal(request)
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        return web.json_response({"name": who.name, "role": who.role, "via": who.via, "form": form})

    async def whence(request: web.Request) -> web.Response:
        return web.Response(text=remote(request))

    async def free(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application(middlewares=[guarded, admitted])
    app[KEYRING], app[ATTEMPTS], app[NEEDED] = keyring, Attempts(clock), TABLE
    app[OF_THE_OWNER], app[LOOPBACK_ONLY] = owner, False
    app[TRUSTED] = lambda: networks_of(trusted)
    app.router.add_get("/free", free)
    app.router.add_get("/view", told)
    app.router.add_get("/whence", whence)
    app.router.add_post("/act/{name}", told)
    app.router.add_get("/forgotten", told)
    app.router.add_post("/free", told)
    return app


async def visiting(app: web.Application) -> AsyncIterator[Any]:
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:
        yield client


@pytest.fixture
async def client(keyring: Keyring, clock: Clock) -> AsyncIterator[Any]:
    async for client in visiting(door(keyring, clock)):
        yield client


@pytest.fixture
async def signed(keyring: Keyring) -> SignedIn:
    """A browser in which an operator is signed in."""
    return await keyring.begin("Olu", Role.OPERATOR)


def cookie(signed: SignedIn, **more: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={signed.cookie}", **more}


async def token(keyring: Keyring, role: Role) -> dict[str, str]:
    """Of somebody with this role."""
    made = Token("0123456789ab", keys.hashed("y" * 43), "Ann", role, "root", 1.0, 1e12)
    keyring._tokens[made.id] = made
    return {"Authorization": f"Bearer banyan_{made.id}_{'y' * 43}"}


# ------------------------------------------------------------------------------------------------ who may


async def test_what_is_free_is_free(client: Any) -> None:
    """A probe needs no token, and a wrong one is no reason to fail it."""
    for headers in ({}, WRONG, {"Authorization": "Basic x"}, {"Cookie": f"{COOKIE}=x"}):
        for method in ("GET", "HEAD"):
            assert (await client.request(method, "/free", headers=headers)).status == 200


async def test_who_does_not_say_who_they_are_is_told_how(client: Any) -> None:
    """401, with the scheme that is taken."""
    for headers in ({}, {"Cookie": f"{COOKIE}=x"}, {"Cookie": f"{COOKIE}="}):
        for method in ("GET", "HEAD"):
            answer = await client.request(method, "/view", headers=headers)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "banyan token create" in await problem(await client.get("/view"), 401)
    assert "nothing else is taken" in await problem(
        await client.get("/view", headers={"Authorization": "Basic YTpi"}), 401
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_token_is_shown_in_any_spelling_of_its_scheme(client: Any, keyring: Keyring, scheme: str) -> None:
    """RFC 9110, section 11.1."""
    headers = await token(keyring, Role.VIEWER)
    shown = headers["Authorization"].replace("Bearer", scheme)
    answer = await client.get("/view", headers={"Authorization": shown})
    assert await answer.json() == {"name": "Ann", "role": "viewer", "via": "token", "form": {}}


async def test_a_role_that_is_too_low_is_named(client: Any, keyring: Keyring) -> None:
    """With the one that is needed; nothing is done."""
    answer = await client.post("/act/list", headers=await token(keyring, Role.VIEWER))
    assert await problem(answer, 403) == "This needs the role operator; Ann is a viewer."
    assert (await client.post("/act/list", headers=await token(keyring, Role.OPERATOR))).status == 200
    assert (await client.post("/act/list", headers=await token(keyring, Role.APPROVER))).status == 200


async def sent(client: Any, line: str) -> int:
    """The status of an answer to exactly this request line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    return int(status)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("POST /act/list", 401),
        ("POST /act/%6cist", 401),
        ("POST /%61ct/list", 401),
        ("POST /act/..%2ffree", 401),
        ("POST /act/list?x=/free", 401),
        ("POST /act/list;x", 401),
        ("POST http://localhost/act/list", 401),
        ("POST http://free/act/list#/free", 401),
        ("HEAD /view", 401),
        ("GET /view?", 401),
        ("GET /free?x=/view", 200),
        ("GET /view/", 404),
        ("GET //view", 404),
        ("GET /VIEW", 404),
        ("GET /view%00", 404),
        ("GET /free/../view", 404),
        ("GET /view/../free", 404),
        ("POST /act", 404),
        ("POST /act/a/b", 404),
        ("POST /view", 405),
        ("GET /act/list", 405),
        ("DELETE /act/list", 405),
        ("OPTIONS /act/list", 405),
    ],
)
async def test_the_address_is_what_the_table_says_and_not_what_was_sent(client: Any, line: str, status: int) -> None:
    """Spellings of an address need the same role, or are none."""
    assert await sent(client, line) == status


async def test_what_stands_in_no_table_is_not_served(client: Any, keyring: Keyring) -> None:
    """An address that somebody has added and forgotten to name a role for is closed, and not open to everybody."""
    for headers in ({}, await token(keyring, Role.APPROVER)):
        assert (await client.get("/forgotten", headers=headers)).status == 404
        assert (await client.post("/free", headers=headers)).status == 404


async def test_the_owner_needs_nothing(keyring: Keyring, clock: Clock) -> None:
    """Who may open the control socket is who they are, whatever they send."""
    async for client in visiting(door(keyring, clock, owner=True)):
        for headers in ({}, WRONG, {"Cookie": f"{COOKIE}=x", "Sec-Fetch-Site": "cross-site"}):
            answer = await client.post("/act/list", headers=headers)
            assert await answer.json() == {"name": OWNER.name, "role": "owner", "via": "socket", "form": {}}


async def test_a_token_counts_for_more_than_a_cookie(client: Any, keyring: Keyring, signed: SignedIn) -> None:
    """Who shows one asks with it: a wrong one is not made good by a cookie."""
    headers = cookie(signed) | await token(keyring, Role.VIEWER)
    assert (await (await client.get("/view", headers=headers)).json())["name"] == "Ann"
    assert (await client.get("/view", headers=cookie(signed) | WRONG)).status == 401


# ------------------------------------------------------------------------------------------------ a browser's session


async def test_a_page_acts_with_its_own_token(client: Any, signed: SignedIn) -> None:
    """In a field of its head, as scripts send it, or in the form, which the page itself can read afterwards."""
    csrf = signed.session.csrf
    answers = [
        await client.post("/act/list", headers=cookie(signed, **{CSRF: csrf}), json={}),
        await client.post("/act/list", headers=cookie(signed), data={CSRF_FIELD: csrf, "reason": "500s"}),
        await client.post("/act/list", headers=cookie(signed), data=multipart(csrf)),
    ]
    assert [(answer.status, (await answer.json())["form"].get("reason")) for answer in answers] == [
        (200, None),
        (200, "500s"),
        (200, "500s"),
    ]


def multipart(csrf: str) -> FormData:
    form = FormData(default_to_multipart=True)
    form.add_field(CSRF_FIELD, csrf)
    form.add_field("reason", "500s")
    return form


async def test_a_page_of_somebody_else_cannot_act(client: Any, keyring: Keyring, signed: SignedIn) -> None:
    """It has the cookie sent along, and does not know the token; another session's is no better."""
    other = await keyring.begin("Eve", Role.OPERATOR)
    csrf = signed.session.csrf
    for headers, data in (
        ({}, None),
        ({CSRF: ""}, None),
        ({CSRF: other.session.csrf}, None),
        ({CSRF: csrf[:-1]}, None),
        ({CSRF: f"{csrf}é"}, None),
        ({}, {"reason": "x"}),
        ({}, {CSRF_FIELD: ""}),
        ({}, {CSRF_FIELD: other.session.csrf}),
        ({CSRF: "x"}, {CSRF_FIELD: csrf}),
        ({"Content-Type": "text/plain"}, f"{CSRF_FIELD}={csrf}"),
        ({"Content-Type": "application/json"}, f'{{"{CSRF_FIELD}": "{csrf}"}}'),
    ):
        answer = await client.post("/act/list", headers=cookie(signed, **headers), data=data)
        assert await problem(answer, 403) == NOT_OURS, (headers, data)


async def test_a_file_in_the_place_of_the_token_is_no_token(client: Any, signed: SignedIn) -> None:
    """A form may hold anything."""
    form = FormData(default_to_multipart=True)
    form.add_field(CSRF_FIELD, signed.session.csrf.encode(), filename="csrf", content_type="text/plain")
    assert await problem(await client.post("/act/list", headers=cookie(signed), data=form), 403) == NOT_OURS


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), (None, 200), ("same-site", 403), ("cross-site", 403), ("", 403), ("x", 403)],
)
async def test_where_a_browser_says_that_it_comes_from_counts(
    client: Any, signed: SignedIn, site: str | None, status: int
) -> None:
    """Fetch Metadata: another site's page is refused though it knew the token; old browsers say nothing."""
    fields = {CSRF: signed.session.csrf} | ({} if site is None else {"Sec-Fetch-Site": site})
    assert (await client.post("/act/list", headers=cookie(signed, **fields))).status == status


async def test_to_look_needs_no_token_of_the_page(client: Any, signed: SignedIn) -> None:
    """Nothing is changed by it; a link from elsewhere leads to the page."""
    for headers in (cookie(signed), cookie(signed, **{"Sec-Fetch-Site": "cross-site"})):
        assert (await client.get("/view", headers=headers)).status == 200


async def test_whoever_shows_a_token_needs_none_of_a_page(client: Any, keyring: Keyring) -> None:
    """No page can make a browser send that."""
    headers = await token(keyring, Role.OPERATOR) | {"Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/act/list", headers=headers)).status == 200


async def test_a_page_that_is_left_open_keeps_nobody_signed_in(client: Any, clock: Clock, signed: SignedIn) -> None:
    """It asks by itself every few seconds, and is told until the session is over."""
    idle = keys.Times().idle
    for _ in range(3):
        clock.now += idle / 3 - 1
        assert (await client.get("/view", headers=cookie(signed, **{LIVE: "1"}))).status == 200
    clock.now += 3
    assert (await client.get("/view", headers=cookie(signed, **{LIVE: "1"}))).status == 401
    assert (await client.get("/view", headers=cookie(signed))).status == 401


async def test_whoever_does_something_stays_signed_in(client: Any, clock: Clock, signed: SignedIn) -> None:
    """For as long as that was not long ago."""
    idle = keys.Times().idle
    for _ in range(5):
        clock.now += idle - 1
        assert (await client.get("/view", headers=cookie(signed))).status == 200
    clock.now += idle
    assert (await client.get("/view", headers=cookie(signed))).status == 401


# ------------------------------------------------------------------------------------------------ attempts


async def test_whoever_guesses_has_to_wait(client: Any, keyring: Keyring, clock: Clock) -> None:
    """429 with how long, until the first of the wrong ones is a minute ago; a right token from there never does, since
    behind a proxy all come from one address."""
    right = await token(keyring, Role.VIEWER)
    for _ in range(TRIES):
        assert (await client.get("/view", headers=WRONG)).status == 401
        clock.now += 1
    answer = await client.get("/view", headers=WRONG)
    assert (answer.headers["Retry-After"], await problem(answer, 429)) == (
        "50",
        "Too many attempts. Try again in 50 seconds.",
    )
    assert (await client.get("/view", headers=right)).status == 200
    clock.now += WITHIN - TRIES - 0.5
    answer = await client.get("/view", headers=WRONG)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    clock.now += 0.5
    assert (await client.get("/view", headers=WRONG)).status == 401
    assert (await client.get("/view", headers=WRONG)).status == 429


async def test_others_are_let_in_meanwhile(keyring: Keyring, clock: Clock) -> None:
    """From another address, in browsers, and on addresses that need nobody."""
    right, signed = await token(keyring, Role.VIEWER), await keyring.begin("Olu", Role.OPERATOR)
    async with TestServer(door(keyring, clock)) as server:
        for address, status in (("127.0.0.1", 429), ("127.0.0.2", 401)):
            connector = TCPConnector(local_addr=(address, 0))
            async with ClientSession(server.make_url("/"), connector=connector, cookie_jar=DummyCookieJar()) as session:
                for _ in range(TRIES if status == 429 else 0):
                    assert (await session.get("/view", headers=WRONG)).status == 401
                assert (await session.get("/view", headers=WRONG)).status == status
                assert (await session.get("/view", headers=right)).status == 200
                assert (await session.get("/view", headers=cookie(signed))).status == 200
                assert (await session.get("/free", headers=WRONG)).status == 200


async def test_a_proxy_that_is_trusted_tells_from_where_somebody_comes(keyring: Keyring, clock: Clock) -> None:
    """For the audit; and who guesses behind it makes nobody else wait. What others say of themselves counts nothing."""

    async def comes(client: Any, *values: str) -> str:
        headers = CIMultiDict([("X-Forwarded-For", value) for value in values])
        return str(await (await client.get("/whence", headers=headers)).text())

    async for client in visiting(door(keyring, clock, trusted=("127.0.0.0/8", "10.0.0.0/8"))):
        assert await comes(client) == "127.0.0.1"
        assert await comes(client, "203.0.113.9, 192.0.2.7") == "192.0.2.7"
        assert await comes(client, "203.0.113.9, 192.0.2.7", "2001:db8::7,10.0.0.3") == "2001:db8::7"
        assert await comes(client, "192.0.2.7, \x85\xff") == "127.0.0.1"
        for _ in range(TRIES):
            assert (await client.get("/view", headers=WRONG | {"X-Forwarded-For": "192.0.2.7"})).status == 401
        for address, status in (("192.0.2.7", 429), ("9.9.9.9, 192.0.2.7", 429), ("192.0.2.8", 401)):
            assert (await client.get("/view", headers=WRONG | {"X-Forwarded-For": address})).status == status
    async for client in visiting(door(keyring, clock, trusted=("10.0.0.0/8",))):
        assert await comes(client, "192.0.2.7") == "127.0.0.1"


async def test_a_right_token_is_no_attempt(client: Any, keyring: Keyring) -> None:
    """Scripts may ask as often as they like, also for what they may not; nor is it one while nobody is known."""
    right = await token(keyring, Role.VIEWER)
    for _ in range(2 * TRIES):
        assert (await client.get("/view", headers=right)).status == 200
        assert (await client.post("/act/list", headers=right)).status == 403
    keyring.looked.clear()
    for _ in range(2 * TRIES):
        assert (await client.get("/view", headers=WRONG)).status == 503
    keyring.looked.set()
    assert (await client.get("/view", headers=WRONG)).status == 401


def refused(attempts: Attempts, address: str) -> bool:
    try:
        attempts.check(address)
    except Refusal as refusal:
        return refusal.status == 429
    return False


@given(st.lists(st.tuples(st.floats(0, WITHIN), st.sampled_from("ab")), max_size=120))
def test_never_more_than_so_many_within_a_minute(tried: list[tuple[float, str]]) -> None:
    """However they are spread; each address by itself, and nobody waits who has not tried as often."""
    clock = Clock()
    attempts, failed = Attempts(clock), dict[str, list[float]](a=[], b=[])
    for passed, address in tried:
        clock.now += passed
        recent = [at for at in failed[address] if at > clock.now - WITHIN]
        assert refused(attempts, address) == (len(recent) >= TRIES)
        if len(recent) < TRIES:
            attempts.failed(address)
            failed[address].append(clock.now)


def test_addresses_do_not_become_more_and_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has millions of them fills no memory; the latest are known."""
    monkeypatch.setattr(admission, "MOST_ADDRESSES", 3)
    attempts = Attempts(Clock())
    for address in "abcd":
        for _ in range(TRIES):
            attempts.failed(address)
    assert [refused(attempts, address) for address in "abcd"] == [False, True, True, True]
    assert len(attempts._failed) == 3
