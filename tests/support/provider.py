"""An OpenID provider on loopback, honest unless told otherwise: what it says of itself, its keys, and ID tokens."""

import asyncio
import base64
import json
from collections.abc import Callable
from hashlib import sha256
from time import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

CLIENT, SECRET = "banyan", "s3cret of the client"
Claims = dict[str, Any]
RSA = {kid: RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("one", "two", "stranger")}
"""Making them takes long: they are made once."""


class OpenIdProvider:
    """Signs in whoever comes. `claims` are theirs; `spoil` changes an ID token's, `sign` how it is signed."""

    def __init__(self) -> None:
        self.claims: Claims = {"sub": "u-1", "name": "Ada Lovelace", "groups": ["staff"]}
        self.spoil: Callable[[Claims], object] = lambda claims: None
        self.sign: Callable[[Claims], str] = self.signed
        self.alg, self.kid = "RS256", "one"
        self.keys: list[Key] = [RSA["one"]]
        self.says: Claims = {}
        self.answers: Claims = {}
        self.token_status, self.token_body = 200, ""
        self.hangs = False
        self.asked: list[str] = []
        self.forms: list[Claims] = []
        self._codes: dict[str, Claims] = {}
        app = web.Application(middlewares=[self._seen])
        app.router.add_get("/realm/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_post("/token", self._token)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def issuer(self) -> str:
        return f"{self.url}/realm"

    @web.middleware
    async def _seen(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.hangs:
            await asyncio.sleep(60)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _discovery(self, request: web.Request) -> web.Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize?tenant=1",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA", "HS256", "none"],
            **self.says,
        }
        return web.json_response({key: value for key, value in document.items() if value is not None})

    async def _jwks(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.keys]})

    def authorize(self, where: str) -> str:
        """Somebody signs in where the gateway has sent them; the address that their browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
        assert where.startswith(f"{self.url}/authorize?tenant=1&"), where
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code {len(self._codes)}"
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"], **self.answers}
        return f"{asked['redirect_uri']}?{urlencode({k: v for k, v in answer.items() if v is not None})}"

    async def _token(self, request: web.Request) -> web.Response:
        if self.token_status != 200:
            return web.Response(status=self.token_status, text=self.token_body)
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append({**form, "authorization": request.headers.get("Authorization", "")})
        asked = self._codes.pop(form["code"], None)
        if asked is None or form["redirect_uri"] != asked["redirect_uri"] or not self._is_client(request, form):
            return web.json_response({"error": "invalid_grant"}, status=400)
        digest = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        assert digest == asked["code_challenge"]
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": time(), "exp": time() + 300, "nonce": asked["nonce"]}
        claims |= self.claims
        self.spoil(claims)
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)})

    def _is_client(self, request: web.Request, form: Claims) -> bool:
        if "client_secret" in form:
            return (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        return pair == f"{CLIENT}:{SECRET.replace(' ', '+')}"

    def signed(self, claims: Claims) -> str:
        """As `alg` and `kid` say."""
        key = next(each for each in [*RSA.values(), *self.keys] if each.as_dict().get("kid") == self.kid)
        return jwt.encode({"alg": self.alg, "kid": self.kid}, claims, key, [self.alg])


def key_of(alg: str) -> Key:
    """A key for an algorithm, named after it."""
    if alg in ("EdDSA", "Ed25519"):
        return OKPKey.generate_key("Ed25519", {"kid": alg})
    return ECKey.generate_key("P-256", {"kid": alg}) if alg == "ES256" else RSAKey.generate_key(2048, {"kid": alg})


def segment(value: bytes | Claims) -> str:
    """A part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
