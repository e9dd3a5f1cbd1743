import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt

from gateway.access.tokens import UnknownKey, verified
from gateway.core.identity import ALGORITHMS, Unfit
from tests.support.provider import RSA, segment

KEY = RSA["one"].as_dict(private=False)
SIGNED = jwt.encode({"alg": "RS256", "kid": "one"}, {"sub": "u"}, RSA["one"])
UNNAMED = jwt.encode({"alg": "RS256"}, {"sub": "u"}, RSA["one"])
ANOTHER = RSA["two"].as_dict(private=False)


def test_a_good_token() -> None:
    """It says what was signed."""
    assert verified(SIGNED, [ANOTHER, KEY], ALGORITHMS) == {"sub": "u"}


def test_a_token_that_names_no_key() -> None:
    """Is checked by the only one of its kind; where there are several it must name one."""
    assert verified(UNNAMED, [KEY, {"kty": "EC", "crv": "P-256"}, ANOTHER | {"use": "enc"}], ALGORITHMS) == {"sub": "u"}
    with pytest.raises(Unfit, match="which of the provider's keys"):
        verified(UNNAMED, [KEY, ANOTHER], ALGORITHMS)


@pytest.mark.parametrize(
    "key",
    [
        KEY | {"kid": "two"},
        KEY | {"kty": "oct", "k": "x"},
        KEY | {"use": "enc"},
        KEY | {"alg": "PS256"},
        KEY | {"n": "AQAB"},
        KEY | {"n": None},
    ],
)
def test_keys_that_are_not_meant(key: dict[str, object]) -> None:
    """Of another name, kind or use, or too weak: there is no such key."""
    with pytest.raises(UnknownKey):
        verified(SIGNED, [key], ALGORITHMS)


@pytest.mark.parametrize("key", [KEY | {"e": 5}, {each: KEY[each] for each in ("kty", "kid", "n")}])
def test_keys_that_cannot_be_read(key: dict[str, object]) -> None:
    """Are said to be so."""
    with pytest.raises(Unfit, match="cannot be read"):
        verified(SIGNED, [key], ALGORITHMS)


def test_claims_must_be_an_object() -> None:
    """A signature alone says nothing."""
    from joserfc.jws import serialize_compact

    signed = serialize_compact({"alg": "RS256", "kid": "one"}, b"[]", RSA["one"])
    with pytest.raises(Unfit, match="says nothing"):
        verified(signed, [KEY], ALGORITHMS)


@given(
    st.text()
    | st.tuples(st.binary(max_size=60), st.binary(max_size=60)).map(lambda two: f"{segment(two[0])}.{two[1]!r}.x")
)
def test_whatever_comes_is_refused(token: str) -> None:
    """In words; nothing that is no token gets through or breaks this."""
    with pytest.raises((Unfit, UnknownKey)):
        verified(token, [KEY], ALGORITHMS)


def test_deep_nests_are_refused() -> None:
    """A header that no reader can follow."""
    with pytest.raises(Unfit):
        verified(f"{segment(b'[' * 5_000)}.x.x", [KEY], ALGORITHMS)
