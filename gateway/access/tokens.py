"""ID tokens: whether one was signed by the provider (RFC 7515, RFC 7519). What it says is judged in the core.

The key and the way it is used are never the token's choice: only public-key algorithms that both sides named before,
and only a key of the provider's that is meant for that.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry, deserialize_compact, extract_compact

from gateway.core.identity import Unfit
from gateway.errors import BanyanError

Jwk = Mapping[str, Any]
KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
"""The kind of key (`kty`) that each algorithm uses (RFC 7518, section 3.1; RFC 8037; RFC 9864)."""
CURVES = {"EC": "P-256", "OKP": "Ed25519"}
LEAST_BITS = 2_048
"""RFC 7518, section 3.3."""
_ERRORS = (JoseError, ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError)
"""What a token or key of any content may make the library raise."""


class UnknownKey(BanyanError):
    """None of the provider's keys is the one that the token names."""


class _Registry(JWSRegistry):
    """Only these algorithms, by names that were compared before; more fields than the library knows do no harm."""

    max_header_length = 8_192

    def __init__(self, algorithms: Sequence[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        """Without the library's warning of EdDSA, which providers go on using (RFC 9864 has a new name for it)."""
        return self.algorithms[name] if name in (self.allowed or ()) else super().get_alg(name)


def verified(token: str, keys: Sequence[Jwk], algorithms: Sequence[str]) -> dict[str, Any]:
    """The claims of a token that one of the keys has signed. Raises Unfit; UnknownKey where that key is not there."""
    registry = _Registry(algorithms)
    header = _header(token, registry)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in KINDS:
        raise Unfit("the ID token is signed in a way that is not taken")
    key = _key_of(keys, algorithm, header.get("kid"))
    try:
        payload = deserialize_compact(token, key, registry=registry).payload
        claims = json.loads(payload or b"")
    except _ERRORS as error:
        raise Unfit("the ID token's signature is not the provider's") from error
    if not isinstance(claims, dict):
        raise Unfit("the ID token says nothing")
    return claims


def _header(token: str, registry: JWSRegistry) -> Mapping[str, Any]:
    try:
        return extract_compact(token.encode(), registry=registry).headers()
    except _ERRORS as error:
        raise Unfit("what it calls an ID token is none") from error


def _key_of(keys: Sequence[Jwk], algorithm: str, kid: object) -> Any:
    """The key that a token names; one without a name is checked by the only key of its kind (Core, section 10.1)."""
    fitting = [each for each in keys if _fits(each, algorithm) and (kid is None or each.get("kid") == kid)]
    if not fitting:
        raise UnknownKey
    if len(fitting) > 1:
        raise Unfit("the ID token does not say which of the provider's keys has signed it (kid)")
    try:
        return import_key(dict(fitting[0]))
    except _ERRORS as error:
        raise Unfit("the provider's key cannot be read") from error


def _fits(key: Jwk, algorithm: str) -> bool:
    """Whether a key is of the right kind, is meant for signatures, and is strong enough."""
    kind = KINDS[algorithm]
    if key.get("kty") != kind or key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    if kind == "RSA":
        modulus = key.get("n")
        return isinstance(modulus, str) and len(modulus) * 6 >= LEAST_BITS
    return bool(key.get("crv") == CURVES[kind])
