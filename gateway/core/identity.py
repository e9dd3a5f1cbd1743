"""What an OpenID provider says, judged: of itself (OpenID Connect Discovery 1.0), and of somebody who signed in there
(OpenID Connect Core 1.0, section 3.1.3.7).

A problem is told in a sentence for whoever wants to sign in. It never repeats what the provider said: that may be about
somebody else.
"""

from collections.abc import Mapping
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any, NamedTuple, TypeGuard
from urllib.parse import urlsplit

from gateway.core.access import RANKS, Role
from gateway.core.administering import Oidc

Document = Mapping[str, Any]

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""What an ID token may be signed with: public keys only, so that nobody who can check one could have made it."""
LEEWAY = 60.0
"""Seconds by which the provider's clock may differ from ours."""
LATEST = 1e12
"""What no honest time (Unix seconds) comes near: beyond it numbers stop being comparable."""
LONGEST_NAME = 100


class Provider(NamedTuple):
    """What a provider says of itself.

    `algorithms` are those of ALGORITHMS that it signs with; `posts` tells that it wants the client's secret in the form
    and not in a header; `tells_issuer` that its answers name it (RFC 9207); `end` is where one signs out there, "" for
    nowhere.
    """

    issuer: str
    authorize: str
    token: str
    keys: str
    algorithms: tuple[str, ...]
    posts: bool
    tells_issuer: bool
    end: str


class Wanted(NamedTuple):
    """What an ID token must say to be the answer to one sign-in."""

    issuer: str
    client_id: str
    nonce: str


class Person(NamedTuple):
    """Somebody as the provider knows them: `subject` is theirs for ever there, the name is for people."""

    name: str
    subject: str
    role: Role


class Unfit(ValueError):
    """A provider's own description, or what it says of somebody, cannot be used. The message is for people."""


def is_loopback(host: str) -> bool:
    """Whether a host is reached on this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_secure(url: str) -> bool:
    """Whether nobody can listen on the way to an address: https, or this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc
    return plain and host != "" and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def provider_of(document: Document, issuer: str) -> Provider:
    """A discovery document (Discovery, section 3), which must be of exactly this issuer (section 4.3). Raises Unfit."""
    if document.get("issuer") != issuer:
        raise Unfit("what it says of itself names another `issuer` than routes.yaml does")
    authorize, token, keys = (
        _endpoint(document, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    )
    signs = _texts(document.get("id_token_signing_alg_values_supported", ["RS256"]))
    algorithms = tuple(each for each in ALGORITHMS if each in signs)
    if not algorithms:
        raise Unfit(f"it signs ID tokens with none of {', '.join(ALGORITHMS)}")
    ways = _texts(document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]))
    if ways.isdisjoint({"client_secret_basic", "client_secret_post"}):
        raise Unfit("it takes the client's secret neither by client_secret_basic nor by client_secret_post")
    posts = "client_secret_basic" not in ways
    tells = document.get("authorization_response_iss_parameter_supported") is True
    end = document.get("end_session_endpoint")
    end = end if isinstance(end, str) and is_secure(end) else ""
    return Provider(issuer, authorize, token, keys, algorithms, posts, tells, end)


def _endpoint(document: Document, name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not is_secure(url) or "#" in url:
        raise Unfit(f"its `{name}` is missing, or no https address")
    return url


def _texts(value: object) -> frozenset[str]:
    """The texts of a list, or the one text."""
    return frozenset(each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def problem_of(claims: Document, wanted: Wanted, now: float) -> str:
    """Why a token whose signature is good says nothing about this sign-in; "" where it does (Core, section 3.1.3.7)."""
    audience = _texts(claims.get("aud"))
    nonce, subject = claims.get("nonce"), claims.get("sub")
    expires, issued, begins = (claims.get(name) for name in ("exp", "iat", "nbf"))
    if claims.get("iss") != wanted.issuer:
        return "the ID token is another provider's (iss)"
    if wanted.client_id not in audience:
        return "the ID token is for another client (aud)"
    if claims.get("azp", wanted.client_id) != wanted.client_id or (len(audience) > 1 and "azp" not in claims):
        return "the ID token was made for another client (azp)"
    if not _is_time(expires) or now >= expires + LEEWAY:
        return "the ID token has expired (exp)"
    if not _is_time(issued) or issued > now + LEEWAY or ("nbf" in claims and not _has_come(begins, now)):
        return "the ID token is from the future (iat): one of the clocks is wrong"
    if not isinstance(nonce, str) or not compare_digest(nonce.encode("utf-8", "replace"), wanted.nonce.encode()):
        return "the ID token belongs to another sign-in (nonce)"
    return "" if isinstance(subject, str) and 0 < len(subject) <= 255 else "the ID token does not say whose it is (sub)"


def _is_time(value: object) -> TypeGuard[float]:
    """Whether a claim is a time; what JSON's readers take for numbers besides (true, NaN, 1e999) is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LATEST


def _has_come(begins: Any, now: float) -> bool:
    return _is_time(begins) and begins <= now + LEEWAY


def person_of(claims: Document, oidc: Oidc) -> Person:
    """Somebody with the highest role that their claims give. Raises Unfit where they give none."""
    role = role_of(claims, oidc)
    if role is not None:
        return Person(name_of(claims, oidc), claims["sub"], role)
    if found(claims, oidc.roles_claim) is None:
        raise Unfit(
            f"You have signed in, but your organisation does not tell your `{oidc.roles_claim}`, by which roles are "
            "given here. Whoever looks after the provider can have it put into ID tokens."
        )
    raise Unfit(
        f"You have signed in, but nothing in your `{oidc.roles_claim}` gives you a role here. "
        "Ask whoever looks after this gateway, or sign in with a token."
    )


def role_of(claims: Document, oidc: Oidc) -> Role | None:
    """The highest role of those that a value of the claim gives; None where none does."""
    values = _texts(found(claims, oidc.roles_claim))
    fitting = [role for role, names in oidc.roles if not values.isdisjoint(names)]
    return max(fitting, key=RANKS.__getitem__, default=None)


def found(claims: Document, path: str) -> object:
    """A claim by its name, which may hold dots (https://example.org/groups), or by a path: `realm_access.roles`."""
    if path in claims:
        return claims[path]
    value: object = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def name_of(claims: Document, oidc: Oidc) -> str:
    """What somebody is called, in one line that can be shown; who they are is what `sub` says."""
    for path in (oidc.name_claim or "name", "preferred_username", "email", "sub"):
        value = found(claims, path)
        shown = in_one_line(value) if isinstance(value, str) else ""
        if shown:
            return shown[:LONGEST_NAME]
    return "somebody"


def in_one_line(text: str) -> str:
    """A text without what cannot be shown, and without what only looks like nothing."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
