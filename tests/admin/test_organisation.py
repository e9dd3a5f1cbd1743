"""Signing in at the organisation's provider, over HTTP: the whole way, and every way that must lead nowhere."""

import hmac
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from http.cookies import SimpleCookie
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.access import flows, provider
from gateway.admin.admission import COOKIE, TRIES
from gateway.admin.api import admin_app
from gateway.admin.estate import estate_document
from gateway.store.repository import Store
from tests.admin.fakes import ROUTES, FakeSteering, written
from tests.support.provider import CLIENT, RSA, SECRET, Claims, OpenIdProvider, key_of, segment

OIDC = """\
gateway:
  admin:
    oidc:
      issuer: {issuer}
      client_id: {client}
      client_secret: "{secret}"
      roles: {{viewer: [staff], operator: [ops], approver: [leads]}}
"""


@pytest.fixture
async def idp() -> AsyncIterator[OpenIdProvider]:
    idp = OpenIdProvider()
    await idp.server.start_server()
    yield idp
    await idp.server.close()


def configured(issuer: str, more: str = "") -> str:
    return ROUTES + OIDC.format(issuer=issuer, client=CLIENT, secret=SECRET) + more


@pytest.fixture
async def steering(tmp_path: Path, idp: OpenIdProvider) -> AsyncIterator[FakeSteering]:
    steering = FakeSteering(written(tmp_path, configured(idp.issuer)))
    steering.store = await Store.open(None, tmp_path, upgrade=True)
    await steering.keyring.look()
    yield steering
    await steering.store.close()


@pytest.fixture
async def server(steering: FakeSteering) -> AsyncIterator[TestServer]:
    server = TestServer(admin_app(steering))
    await server.start_server()
    steering.admin_url = f"http://127.0.0.1:{server.port}"
    yield server
    await server.close()


class Browser:
    """A browser that follows nothing by itself, and minds where cookies belong."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def get(self, where: str) -> Any:
        parts = urlsplit(where)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return await self.client.get(path, allow_redirects=False, headers={"Accept": "text/html"})

    async def begin(self, to: str = "/routes") -> str:
        answer = await self.get(f"/sign-in/oidc?next={to}")
        assert answer.status == 303, await answer.text()
        return str(answer.headers["Location"])

    async def is_in(self) -> str:
        answer = await self.client.get("/api/v1/me")
        document = await answer.json()
        return f"{document['name']}, {document['role']}" if answer.status == 200 else ""


@pytest.fixture
async def browser(server: TestServer) -> AsyncIterator[Browser]:
    async with TestClient(server) as client:
        yield Browser(client)


@pytest.fixture
async def other(server: TestServer) -> AsyncIterator[Browser]:
    async with TestClient(server) as client:
        yield Browser(client)


async def refused(browser: Browser, answer: Any, *words: str) -> None:
    """A page that says why, with the token form on it; nobody is signed in."""
    text = await answer.text()
    assert answer.status in (400, 403, 503), answer.status
    for word in words:
        assert word in text, text
    assert 'name="token"' in text
    assert COOKIE not in answer.cookies
    assert await browser.is_in() == ""


# ------------------------------------------------------------------------------------------------ the whole way


async def test_somebody_signs_in_with_their_organisation(
    browser: Browser, idp: OpenIdProvider, steering: FakeSteering
) -> None:
    """From the button to the page that they wanted, with the highest of their roles; and it is written down."""
    page = await (await browser.get("/sign-in?next=/backends")).text()
    assert "Sign in with your organisation" in page
    assert f"{steering.admin_url}/sign-in/oidc?next=%2Fbackends" in page
    idp.claims["groups"] = ["staff", "ops", "tennis"]
    where = await browser.begin("/backends")
    answer = await browser.get(idp.authorize(where))
    assert (answer.status, answer.headers["Location"]) == (303, "/backends")
    assert await browser.is_in() == "Ada Lovelace, operator"
    act = (await steering.auditor.latest(1))["acts"][0]
    assert (act["action"], act["who"], act["role"], act["via"]) == ("sign_in", "Ada Lovelace", "operator", "session")
    assert act["after"] == {"by": "oidc", "issuer": idp.issuer, "sub": "u-1"}
    audit = await browser.get("/audit")
    assert audit.status == 200
    assert "by oidc, u-1" in await audit.text()


async def test_what_is_sent_to_the_provider(browser: Browser, idp: OpenIdProvider) -> None:
    """The secret goes to the token's address only; what is drawn is drawn anew; cookies are for this way alone."""
    first = await browser.get("/sign-in/oidc")
    second = await browser.begin()
    asked = [parse_qs(urlsplit(each).query) for each in (first.headers["Location"], second)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name][0]) >= 43
    assert "s3cret" not in second
    (cookie,) = SimpleCookie(first.headers["Set-Cookie"]).values()
    assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == ("/sign-in/oidc", "Lax", "600")
    assert cookie["httponly"]
    assert asked[0]["state"][0] not in first.headers["Set-Cookie"]
    await browser.get(idp.authorize(first.headers["Location"]))  # two tabs do not disturb one another
    assert await browser.is_in() == "Ada Lovelace, viewer"
    assert idp.forms[0]["authorization"].startswith("Basic ")
    assert "client_secret" not in idp.forms[0]


async def test_the_secret_goes_into_the_form_where_the_provider_wants_that(
    browser: Browser, idp: OpenIdProvider
) -> None:
    """client_secret_post, where client_secret_basic is not taken."""
    idp.says = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await browser.get(idp.authorize(await browser.begin()))
    assert await browser.is_in() == "Ada Lovelace, viewer"
    assert idp.forms[0]["client_secret"] == SECRET


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_other_signatures(browser: Browser, idp: OpenIdProvider, alg: str) -> None:
    """What is signed with other kinds of public keys is taken, too."""
    idp.alg, idp.kid, idp.keys = alg, alg, [RSA["one"], key_of(alg)]
    await browser.get(idp.authorize(await browser.begin()))
    assert await browser.is_in() == "Ada Lovelace, viewer"


async def test_keys_are_read_again_when_the_provider_has_new_ones(
    browser: Browser, other: Browser, idp: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; and not again for a while, whatever comes."""
    await browser.get(idp.authorize(await browser.begin()))
    idp.kid, idp.keys = "two", [RSA["two"]]
    await refused(other, await other.get(idp.authorize(await other.begin())), "(kid)")
    assert idp.asked.count("/jwks") == 1  # ten seconds have not passed
    monkeypatch.setattr(provider, "AGAIN", 0.0)
    await other.get(idp.authorize(await other.begin()))
    assert await other.is_in() == "Ada Lovelace, viewer"
    assert idp.asked.count("/jwks") == 2


async def test_signing_out_ends_what_is_here(browser: Browser, idp: OpenIdProvider, steering: FakeSteering) -> None:
    """And tells where the provider's own session is ended."""
    idp.says = {"end_session_endpoint": f"{idp.url}/logout"}
    await browser.get(idp.authorize(await browser.begin()))
    (session,) = steering.keyring._sessions.values()
    answer = await browser.client.post("/sign-out", data={"csrf": session.csrf}, allow_redirects=False)
    assert answer.headers["Location"] == "/sign-in?out"
    assert await browser.is_in() == ""
    assert f"{idp.url}/logout?client_id={CLIENT}" in await (await browser.get("/sign-in?out")).text()


# ------------------------------------------------------------------------------------------------ states


async def test_a_state_is_good_once(browser: Browser, other: Browser, idp: OpenIdProvider) -> None:
    """Nobody comes in by what has been used, from whichever browser."""
    back = idp.authorize(await browser.begin())
    await browser.get(back)
    assert await browser.is_in()
    await refused(other, await other.get(back), "begun in another browser")
    browser.client.session.cookie_jar.clear()
    await refused(browser, await browser.get(back), "begun in another browser")
    assert idp.asked.count("/token") == 1


async def test_a_state_of_another_browser(browser: Browser, other: Browser, idp: OpenIdProvider) -> None:
    """Nobody is signed in as somebody else by a link that they are sent; and it does not harm who began."""
    back = idp.authorize(await other.begin())
    await browser.begin()
    await refused(browser, await browser.get(back), "begun in another browser")
    assert "/token" not in idp.asked
    await other.get(back)
    assert await other.is_in()


@pytest.mark.parametrize("state", ["", "state=x", "state=%ff%fe", "state="])
async def test_a_wrong_state(browser: Browser, idp: OpenIdProvider, state: str) -> None:
    """The provider is not asked."""
    await browser.begin()
    await refused(browser, await browser.get(f"/sign-in/oidc/callback?code=x&{state}"), "Begin again")
    assert "/token" not in idp.asked


async def test_a_state_does_not_last(browser: Browser, idp: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes."""
    monkeypatch.setattr(flows, "LASTS", -1.0)
    await refused(browser, await browser.get(idp.authorize(await browser.begin())), "took too long")


async def test_wrong_ones_are_bounded(browser: Browser, idp: OpenIdProvider) -> None:
    """As wrong tokens are, together with them; but for those of a browser that has begun nothing, which any page can
    have it ask."""
    for _ in range(TRIES):
        await browser.get("/sign-in/oidc/callback?state=x&code=x")
    for _ in range(TRIES):
        back = idp.authorize(await browser.begin())
        assert (await browser.get(f"{back}&iss=http://elsewhere")).status == 403
    assert (await browser.get(idp.authorize(await browser.begin()))).status == 429
    assert (await browser.client.post("/sign-in", data={"token": "x"})).status == 429


async def test_a_changed_configuration_ends_what_was_begun(
    browser: Browser, idp: OpenIdProvider, steering: FakeSteering
) -> None:
    """What was begun by other rules is not ended by new ones; and the address is gone where there are none."""
    back = idp.authorize(await browser.begin())
    steering.config.write_text(configured(idp.issuer).replace("viewer: [staff]", "viewer: [all]"))
    steering.take()
    await refused(browser, await browser.get(back), "configuration has changed")
    steering.config.write_text(ROUTES)
    steering.take()
    assert (await browser.get("/sign-in/oidc")).status == 404
    assert "organisation" not in await (await browser.get("/sign-in")).text()


# ------------------------------------------------------------------------------------------------ ID tokens


def unsigned(claims: Claims) -> str:
    return f"{segment({'alg': 'none'})}.{segment(claims)}."


def by_the_public_key(claims: Claims) -> str:
    """An HMAC with what everybody knows for a secret."""
    signed = f"{segment({'alg': 'HS256', 'kid': 'one'})}.{segment(claims)}"
    pem = RSA["one"].as_pem(private=False)
    return f"{signed}.{segment(hmac.digest(pem, signed.encode(), sha256))}"


def altered(claims: Claims) -> str:
    """Signed by the provider, and then changed."""
    head, _, signature = OpenIdProvider().signed(claims).split(".")
    return f"{head}.{segment(claims | {'groups': ['leads']})}.{signature}"


def with_its_own_key(claims: Claims) -> str:
    """The token brings the key that it is to be checked with."""
    from joserfc import jwt

    header = {"alg": "RS256", "kid": "one", "jwk": RSA["stranger"].as_dict(private=False)}
    return jwt.encode(header, claims, RSA["stranger"])


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        (unsigned, "signed in a way that is not taken"),
        (by_the_public_key, "signed in a way that is not taken"),
        (altered, "signature is not the provider"),
        (with_its_own_key, "signature is not the provider"),
        (lambda claims: "x.y.z", "none"),
        (lambda claims: segment({"alg": ["RS256"]}) + ".e30.x", "signed in a way"),
        (lambda claims: "", "none"),
    ],
)
async def test_forged_tokens(browser: Browser, idp: OpenIdProvider, sign: Callable[[Claims], str], words: str) -> None:
    """Only the provider's own signature counts, in a way that only the provider can make one."""
    idp.sign = sign
    await refused(browser, await browser.get(idp.authorize(await browser.begin())), words)


async def test_an_unknown_key(browser: Browser, idp: OpenIdProvider) -> None:
    """Signed by somebody whose key the provider does not have."""
    idp.kid = "stranger"
    await refused(browser, await browser.get(idp.authorize(await browser.begin())), "(kid)")


async def test_only_what_the_provider_says_it_signs_with(browser: Browser, idp: OpenIdProvider) -> None:
    """A good signature of a kind that it does not name is none."""
    idp.says = {"id_token_signing_alg_values_supported": ["ES256"]}
    await refused(browser, await browser.get(idp.authorize(await browser.begin())), "signed in a way")


@pytest.mark.parametrize(
    ("spoilt", "word"),
    [
        ({"nonce": "x"}, "(nonce)"),
        ({"nonce": None}, "(nonce)"),
        ({"aud": "another"}, "(aud)"),
        ({"aud": ["another"]}, "(aud)"),
        ({"aud": [CLIENT, "another"]}, "(azp)"),
        ({"azp": "another"}, "(azp)"),
        ({"iss": "https://evil.example"}, "(iss)"),
        ({"exp": time() - 3_600}, "(exp)"),
        ({"exp": None}, "(exp)"),
        ({"iat": time() + 3_600}, "(iat)"),
        ({"sub": ""}, "(sub)"),
    ],
)
async def test_tokens_that_are_not_for_this(browser: Browser, idp: OpenIdProvider, spoilt: Claims, word: str) -> None:
    """A good signature under something else than the answer to this sign-in."""
    idp.spoil = lambda claims: claims.update(spoilt)
    await refused(browser, await browser.get(idp.authorize(await browser.begin())), word)


async def test_nobody_without_a_role(browser: Browser, idp: OpenIdProvider) -> None:
    """The page says what is missing, and neither what would do nor what they have."""
    idp.claims["groups"] = ["tennis"]
    answer = await browser.get(idp.authorize(await browser.begin()))
    await refused(browser, answer, "nothing in your <code>groups</code>")
    text = await answer.text()
    assert not any(word in text for word in ("tennis", "leads", "ops", "staff"))
    del idp.claims["groups"]
    await refused(
        browser, await browser.get(idp.authorize(await browser.begin())), "does not tell your <code>groups</code>"
    )


# ------------------------------------------------------------------------------------------------ the provider


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"code": None, "error": "access_denied"}, "(access_denied)"),
        ({"error": "<b>"}, "an error that is not known here"),
        ({"code": None}, "no code"),
        ({"iss": "https://evil.example/realm"}, "another provider has answered"),
        ({"iss": "https://evil.example/realm", "error": "access_denied"}, "another provider has answered"),
    ],
)
async def test_answers_that_lead_nowhere(browser: Browser, idp: OpenIdProvider, answers: Claims, words: str) -> None:
    """An error, or another provider's answer: the code is not shown to anybody."""
    idp.answers = answers
    await refused(browser, await browser.get(idp.authorize(await browser.begin())), words)
    assert "/token" not in idp.asked


async def test_a_provider_that_names_itself_always_does(browser: Browser, idp: OpenIdProvider) -> None:
    """Where it says so, an answer without its name is another's (RFC 9207)."""
    idp.says = {"authorization_response_iss_parameter_supported": True}
    await refused(browser, await browser.get(idp.authorize(await browser.begin())), "another provider has answered")
    idp.answers = {"iss": idp.issuer}
    await browser.get(idp.authorize(await browser.begin()))
    assert await browser.is_in()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, '{"error": "invalid_grant", "error_description": "not told"}', "it answered 400 (invalid_grant)"),
        (401, "<script>", "it answered 401."),
        (500, "", "it answered 500."),
        (302, "", "it answered 302."),
    ],
)
async def test_no_token_for_the_code(browser: Browser, idp: OpenIdProvider, status: int, body: str, words: str) -> None:
    """The page says how the provider answered, and nothing that it wrote."""
    idp.token_status, idp.token_body = status, body
    answer = await browser.get(idp.authorize(await browser.begin()))
    await refused(browser, answer, words)
    assert "not told" not in await answer.text()


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ({"issuer": "https://evil.example"}, "names another <code>issuer</code>"),
        ({"issuer": None}, "names another <code>issuer</code>"),
        ({"token_endpoint": "http://evil.example/token"}, "<code>token_endpoint</code>"),
        ({"jwks_uri": "file:///etc/passwd"}, "<code>jwks_uri</code>"),
        ({"authorization_endpoint": None}, "<code>authorization_endpoint</code>"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs ID tokens with none of"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "neither by client_secret_basic"),
    ],
)
async def test_a_provider_that_does_not_do(browser: Browser, idp: OpenIdProvider, says: Claims, words: str) -> None:
    """Nobody is sent there; the page says what is wrong with it."""
    idp.says = says
    await refused(browser, await browser.get("/sign-in/oidc"), words, "signing in with a token goes on working")


async def test_a_provider_that_is_down(browser: Browser, idp: OpenIdProvider, steering: FakeSteering) -> None:
    """A clear page; it is not asked again at once, and tokens go on working."""
    await idp.server.close()
    for _ in range(TRIES + 1):
        await refused(browser, await browser.get("/sign-in/oidc"), "cannot be reached")
    _, token = await steering.keyring.create("Olu", "operator", 3_600, "the tests")
    await browser.client.post("/sign-in", data={"token": token}, allow_redirects=False)
    assert await browser.is_in() == "Olu, operator"


async def test_a_provider_that_hangs(browser: Browser, idp: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for, and asked once."""
    monkeypatch.setattr(provider, "TIMEOUT", 0.1)
    idp.hangs = True
    await refused(browser, await browser.get("/sign-in/oidc"), "did not answer within")
    await refused(browser, await browser.get("/sign-in/oidc"), "did not answer within")
    assert len(idp.asked) == 1


async def test_an_endless_answer(browser: Browser, idp: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read up to a bound."""
    monkeypatch.setattr(provider, "LARGEST", 100)
    await refused(browser, await browser.get("/sign-in/oidc"), "too long")


# ------------------------------------------------------------------------------------------------ the others


async def test_tokens_and_links_are_written_down(browser: Browser, steering: FakeSteering) -> None:
    """Who came in, and by which of them."""
    token, text = await steering.keyring.create("Olu", "operator", 3_600, "the tests")
    await browser.client.post("/sign-in", data={"token": text}, allow_redirects=False)
    code, (session,) = steering.keyring.link("viewer", 60), steering.keyring._sessions.values()
    assert f'name="csrf" value="{session.csrf}"' in await (await browser.get(f"/sign-in?code={code}")).text()
    form = {"code": code, "name": "Vera", "csrf": session.csrf}
    await browser.client.post("/sign-in", data=form, allow_redirects=False)
    acts = (await steering.auditor.latest(5))["acts"]
    assert [(act["action"], act["who"], act["after"]) for act in acts] == [
        ("sign_in", "Vera (by link)", {"by": "link"}),
        ("sign_in", "Olu", {"by": "token", "token": token.id}),
    ]
    assert text not in str(acts)


async def test_under_another_address(browser: Browser, idp: OpenIdProvider, steering: FakeSteering) -> None:
    """The provider sends browsers where routes.yaml says, cookies go by https only, and the name is answered to."""
    steering.config.write_text(configured(idp.issuer, "    url: https://banyan.example.org\n"))
    steering.take()
    page = await browser.client.get("/sign-in", headers={"Host": "banyan.example.org"})
    assert page.status == 200
    assert "https://banyan.example.org/sign-in/oidc?next" in await page.text()
    assert (await browser.client.get("/sign-in", headers={"Host": "evil.example.org"})).status == 421
    answer = await browser.get("/sign-in/oidc")
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["redirect_uri"] == ["https://banyan.example.org/sign-in/oidc/callback"]
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert cookie["secure"]


def test_the_estate_masks_the_secret(tmp_path: Path) -> None:
    """Whoever may see everything does not see that."""
    steering = FakeSteering(written(tmp_path, configured("https://login.example.org")))
    told = estate_document(steering.loaded.estate)["gateway"]["admin"]["oidc"]
    assert told["client_secret"] == "***"
    assert "s3cret" not in str(estate_document(steering.loaded.estate))
