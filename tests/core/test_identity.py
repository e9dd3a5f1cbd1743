from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.access import GIVEN, RANKS, Role
from gateway.core.administering import Administration, Oidc
from gateway.core.identity import (
    LEEWAY,
    Person,
    Unfit,
    Wanted,
    is_secure,
    name_of,
    person_of,
    problem_of,
    provider_of,
    role_of,
)

ISSUER = "https://login.example.org/realm"
ROLES = ((Role.VIEWER, ("staff", "all")), (Role.OPERATOR, ("ops",)), (Role.APPROVER, ("leads",)))
OIDC = Oidc(ISSUER, "banyan", "s3cret", ROLES)
WANTED = Wanted(ISSUER, "banyan", "n")
NOW = 1_000_000.0
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": "banyan", "exp": NOW + 300, "iat": NOW, "nonce": "n", "sub": "u"}
ABOUT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://login.example.org/a",
    "token_endpoint": "https://login.example.org/t",
    "jwks_uri": "https://login.example.org/k",
}
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(["staff", "all", "ops", "leads", "tennis", "STAFF", "staff ", "", "sta"])


# ------------------------------------------------------------------------------------------------ roles


@given(json | st.lists(words) | words)
def test_no_role_without_a_match(value: Any) -> None:
    """Whatever the claim holds: a role is had by one of its values, and is the highest of those."""
    role = role_of({"groups": value}, OIDC)
    values = value if isinstance(value, list) else [value]
    given_by = [role for role, names in ROLES if any(name in values for name in names)]
    assert role == (max(given_by, key=RANKS.__getitem__) if given_by else None)


@given(st.dictionaries(st.text(), json).filter(lambda claims: "groups" not in claims))
def test_no_role_without_the_claim(claims: dict[str, Any]) -> None:
    """Whatever else there is."""
    assert role_of(claims, OIDC) is None


@given(json)
def test_nobody_becomes_the_owner(value: Any) -> None:
    """That role is not given away."""
    assert role_of({"groups": value}, OIDC) in (*GIVEN, None)


@pytest.mark.parametrize(
    ("path", "claims", "role"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["ops"]}}, Role.OPERATOR),
        ("realm_access.roles", {"realm_access": ["ops"]}, None),
        ("realm_access.roles", {"realm_access": {}}, None),
        ("https://example.org/groups", {"https://example.org/groups": "leads"}, Role.APPROVER),
        ("a.b", {"a.b": ["staff"], "a": {"b": ["leads"]}}, Role.VIEWER),
    ],
)
def test_where_roles_stand(path: str, claims: dict[str, Any], role: Role | None) -> None:
    """By a claim's whole name, or a path into it."""
    assert role_of(claims, OIDC._replace(roles_claim=path)) == role


def test_who_somebody_is() -> None:
    """Their name, what they are known by for ever, and their role."""
    assert person_of(CLAIMS | {"name": "Ada", "groups": ["all"]}, OIDC) == Person("Ada", "u", Role.VIEWER)
    with pytest.raises(Unfit, match="nothing in your `groups`"):
        person_of(CLAIMS | {"groups": []}, OIDC)
    with pytest.raises(Unfit, match="does not tell your `groups`"):
        person_of(CLAIMS, OIDC)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Ada  Lovelace\n", "email": "a@b"}, "Ada Lovelace"),
        ({"name": "A\u202eda\x00"}, "A da"),
        ({"name": "\ud800", "email": "a@b"}, "a@b"),
        ({"name": ["x"], "preferred_username": "ada"}, "ada"),
        ({"name": "x" * 200}, "x" * 100),
        ({"sub": "u"}, "u"),
        ({}, "somebody"),
    ],
)
def test_what_somebody_is_called(claims: dict[str, Any], name: str) -> None:
    """One line that can be shown, of the first that there is."""
    assert name_of(claims, OIDC) == name


def test_names_from_elsewhere() -> None:
    """Where the file says so."""
    assert name_of({"name": "x", "upn": "ada"}, OIDC._replace(name_claim="upn")) == "ada"


# ------------------------------------------------------------------------------------------------ ID tokens


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": ["banyan"]},
        {"aud": ["banyan", "x"], "azp": "banyan"},
        {"exp": NOW - LEEWAY + 1},
        {"iat": NOW + LEEWAY, "nbf": NOW + LEEWAY},
    ],
)
def test_good_tokens(claims: dict[str, Any]) -> None:
    """Clocks may differ a little; there may be several audiences, where it was made for us."""
    assert problem_of(CLAIMS | claims, WANTED, NOW) == ""


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"iss": ISSUER + "/"}, "(iss)"),
        ({"aud": []}, "(aud)"),
        ({"aud": "banyan2"}, "(aud)"),
        ({"aud": ["banyan", "x"]}, "(azp)"),
        ({"azp": "x"}, "(azp)"),
        ({"azp": None}, "(azp)"),
        ({"exp": NOW - LEEWAY}, "(exp)"),
        ({"exp": str(NOW + 300)}, "(exp)"),
        ({"exp": True}, "(exp)"),
        ({"exp": float("nan")}, "(exp)"),
        ({"exp": float("inf")}, "(exp)"),
        ({"exp": 10**400}, "(exp)"),
        ({"iat": NOW + LEEWAY + 1}, "(iat)"),
        ({"iat": None}, "(iat)"),
        ({"nbf": NOW + LEEWAY + 1}, "(iat)"),
        ({"nbf": "x"}, "(iat)"),
        ({"nonce": "m"}, "(nonce)"),
        ({"nonce": None}, "(nonce)"),
        ({"nonce": "\ud800"}, "(nonce)"),
        ({"sub": ""}, "(sub)"),
        ({"sub": 5}, "(sub)"),
        ({"sub": "x" * 256}, "(sub)"),
    ],
)
def test_tokens_for_something_else(claims: dict[str, Any], word: str) -> None:
    """Each claim must be there, be of its kind, and be about this sign-in."""
    assert word in problem_of(CLAIMS | claims, WANTED, NOW)


@given(st.sampled_from(["iss", "aud", "exp", "iat", "nonce", "sub"]))
def test_nothing_may_be_missing(name: str) -> None:
    """Of what must be there."""
    assert f"({name})" in problem_of({key: each for key, each in CLAIMS.items() if key != name}, WANTED, NOW)


@given(st.sampled_from(["iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub"]), json)
def test_any_value_is_judged(name: str, value: Any) -> None:
    """Nothing that a provider says makes this fail in another way than by saying so."""
    assert isinstance(problem_of(CLAIMS | {name: value}, WANTED, NOW), str)


# ------------------------------------------------------------------------------------------------ providers


def test_what_a_provider_says_of_itself() -> None:
    """With what goes without saying."""
    provider = provider_of(ABOUT, ISSUER)
    assert provider == (ISSUER, *list(ABOUT.values())[1:], ("RS256",), False, False, "")
    told = {
        "id_token_signing_alg_values_supported": ["none", "EdDSA", "HS256", "RS256", 5],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
        "end_session_endpoint": "https://login.example.org/out",
    }
    assert provider_of(ABOUT | told, ISSUER)[4:] == (("RS256", "EdDSA"), True, True, "https://login.example.org/out")
    assert provider_of(ABOUT | {"end_session_endpoint": "javascript:alert(1)"}, ISSUER).end == ""


@pytest.mark.parametrize(
    ("says", "word"),
    [
        ({"issuer": ISSUER + "/"}, "issuer"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"token_endpoint": "https://x/#y"}, "token_endpoint"),
        ({"jwks_uri": 5}, "jwks_uri"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none", "RS1"]}, "signs ID tokens"),
        ({"token_endpoint_auth_methods_supported": []}, "client_secret_basic"),
    ],
)
def test_providers_that_do_not_do(says: dict[str, Any], word: str) -> None:
    """Each must be who it is said to be, be asked in private, and sign with public keys."""
    with pytest.raises(Unfit, match=word):
        provider_of(ABOUT | says, ISSUER)


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://login.example.org", True),
        ("http://127.0.0.1:8080/realm", True),
        ("http://[::1]/", True),
        ("http://localhost", True),
        ("http://login.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("https://", False),
        ("https://u:p@login.example.org", False),
        ("https://[::1", False),
        ("https://login.example.org/ x", False),
        ("https://login.example.org/\r\nX: y", False),
        ("ftp://login.example.org", False),
        ("", False),
    ],
)
def test_ways_on_which_nobody_listens(url: str, secure: bool) -> None:
    """https, or none beyond this machine."""
    assert is_secure(url) is secure


def test_cookies_are_secure_where_browsers_come_by_https() -> None:
    """By the address that the file names."""
    assert Administration(url="https://banyan.example.org").secure
    assert not Administration(url="http://127.0.0.1:8081").secure
    assert not Administration().secure
