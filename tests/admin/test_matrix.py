"""Who may do what: every address of the admin port, asked by everybody, and exactly what is documented is done.

The table in docs/operate.md is read, so that the documentation is what is tested.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from gateway.access.keyring import hashed
from gateway.admin.admission import COOKIE, CSRF
from gateway.admin.api import QUESTIONS, admin_app
from gateway.admin.levers import LEVERS
from gateway.core.access import GIVEN, Role
from tests.admin.fakes import FakeSteering

ADDRESSES = {(each.method, each.path): each.role for each in QUESTIONS}
ADDRESSES |= {("POST", each.path): each.role for each in LEVERS.values()}
DONE = {200, 303, 400, 404, 412, 503}
"""What is answered to whoever may: the question may make no sense to a fake, but it was let through."""


class Caller(NamedTuple):
    """Somebody who asks: what they send along, and the role that they have by it, None for none at all."""

    name: str
    headers: dict[str, str]
    role: Role | None
    csrf: bool = True


def documented() -> dict[tuple[str, str], Role | None]:
    """The table of addresses in the documentation."""
    text = (Path(__file__).parents[2] / "docs" / "operate.md").read_text()
    rows = re.findall(r"^\| `(GET|POST) (/[^`]*)` \| (everybody|viewer|operator|approver) \|", text, re.MULTILINE)
    return {(method, path): None if role == "everybody" else Role(role) for method, path, role in rows}


async def callers(steering: FakeSteering) -> list[Caller]:
    """Everybody: nobody, each role by token and by session, and what is no good."""
    keyring = steering.keyring
    found = [Caller("nobody", {}, None)]
    for role in GIVEN:
        token, text = await keyring.create(f"a {role}", role, 3_600, "the tests")
        found.append(Caller(f"{role} by token", {"Authorization": f"Bearer {text}"}, role))
        signed = await keyring.begin(f"a {role}", role)
        cookie = {"Cookie": f"{COOKIE}={signed.cookie}"}
        found.append(Caller(f"{role} by session", {**cookie, CSRF: signed.session.csrf}, role))
        found.append(Caller(f"{role} by session, without the page's token", cookie, role, csrf=False))
        found.append(Caller(f"{role} by session, with another's token", {**cookie, CSRF: "x" * 32}, role, csrf=False))
        other = {**cookie, CSRF: signed.session.csrf, "Sec-Fetch-Site": "cross-site"}
        found.append(Caller(f"{role} by session, from another site", other, role, csrf=False))
    revoked, text = await keyring.create("revoked", "approver", 3_600, "the tests")
    await keyring.revoke(revoked.id)
    found.append(Caller("revoked", {"Authorization": f"Bearer {text}"}, None))
    expired, text = await keyring.create("expired", "approver", 0.001, "the tests")
    found.append(Caller("expired", {"Authorization": f"Bearer {text}"}, None))
    forged = f"banyan_{expired.id}_{'A' * 43}"
    found.append(Caller("forged", {"Authorization": f"Bearer {forged}"}, None))
    found.append(Caller("its hash", {"Authorization": f"Bearer banyan_{token.id}_{token.secret[:43]}"}, None))
    found.append(Caller("no token", {"Authorization": "Bearer x"}, None))
    found.append(Caller("another scheme", {"Authorization": "Basic b3duZXI6b3duZXI="}, None))
    found.append(Caller("a forged cookie", {"Cookie": f"{COOKIE}={hashed('x')}"}, None))
    return found


@pytest.fixture
async def everybody(steering: FakeSteering) -> list[Caller]:
    told = ("id", "kind", "state", "route", "key", "side", "why")
    times = dict.fromkeys(("at", "until", "next_try", "changed"), "2026-11-29T10:00:00+00:00")
    steering.writes.write = dict.fromkeys(told, "x") | times | {"tries": 1}
    return await callers(steering)


@pytest.fixture
async def anybody(steering: FakeSteering, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A client that remembers nothing, and is never told to wait."""
    monkeypatch.setattr("gateway.admin.admission.TRIES", 10_000)
    async with TestClient(TestServer(admin_app(steering)), cookie_jar=CookieJar()) as client:
        yield client


def may(caller: Caller, method: str, needed: Role | None) -> bool:
    """What the documentation says."""
    if needed is not None and (caller.role is None or not caller.role.allows(needed)):
        return False
    return caller.csrf or method == "GET"


def test_every_address_is_documented() -> None:
    """The table names each, with the role that it needs, and no others."""
    assert documented() == ADDRESSES


SIGNING = {("POST", "/sign-in"), ("GET", "/sign-in/oidc/callback"), ("POST", "/sign-out"), ("GET", "/api/v1/live")}
"""Asked in tests of their own: they begin and end sessions, or do not end by themselves."""


@pytest.mark.parametrize(("method", "path"), sorted(ADDRESSES.keys() - SIGNING))
async def test_exactly_the_documented_ones_succeed(
    anybody: Any, everybody: list[Caller], steering: FakeSteering, method: str, path: str
) -> None:
    """Each address, asked by everybody: let through, told to sign in (401), or refused (403); nothing in between."""
    filled = path.format(
        name="list", route="list", id="nothing", number="1", file="banyan.css", action="pause", backend="office"
    )
    for caller in everybody:
        steering.auditor = type(steering.auditor)(steering.config.parent, lambda: None)
        before = [*steering.desk.ordered, *steering.writes.ordered, *steering.flipped, *steering.orders]
        answer = await anybody.request(method, filled, headers=caller.headers, json={}, allow_redirects=False)
        anybody.session.cookie_jar.clear()
        if may(caller, method, documented()[method, path]):
            assert answer.status in DONE, (caller.name, answer.status, await answer.text())
        else:
            signs_in = caller.role is None and not caller.headers.get("Cookie")
            assert answer.status == (401 if caller.role is None else 403), (caller.name, answer.status)
            assert "WWW-Authenticate" in answer.headers or not signs_in
            after = [*steering.desk.ordered, *steering.writes.ordered, *steering.flipped, *steering.orders]
            assert after == before, caller.name
