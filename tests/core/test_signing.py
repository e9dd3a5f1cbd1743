"""Signatures of webhooks, by the published vector and by openssl."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.signing import TOLERANCE, signed, verified

SECRET = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector() -> None:
    """The vector that the libraries of Standard Webhooks test with; openssl computes the same."""
    assert signed(ID, AT + 0.9, BODY, SECRET) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


@given(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.floats(0, 1e10), st.binary(), st.binary(min_size=24))
def test_what_is_signed_is_verified(webhook_id: str, at: float, body: bytes, secret: bytes) -> None:
    """Whatever is signed is believed, with the same secret, and with no other body or secret."""
    headers = signed(webhook_id, at, body, secret)
    assert verified(headers, body, secret, now=at)
    assert not verified(headers, body + b" ", secret, now=at)
    assert not verified(headers, body, secret + b"x", now=at)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "١٢"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": SIGNATURE.removeprefix("v1,")},
        {"webhook-signature": SIGNATURE.replace("v1,", "v1a,")},
        {"webhook-signature": "v1,ü"},
    ],
)
def test_what_was_changed_is_refused(changed: dict[str, str]) -> None:
    """Id, time and signature belong together, and what is no time or no signature convinces nobody."""
    assert not verified({**signed(ID, AT, BODY, SECRET), **changed}, BODY, SECRET, now=AT)


def test_nothing_is_no_signature() -> None:
    """A request without the fields is refused."""
    assert not verified({}, BODY, SECRET, now=0.0)


def test_one_of_several_signatures_is_enough() -> None:
    """While secrets are exchanged, there is a signature by either."""
    headers = signed(ID, AT, BODY, SECRET)
    both = {**headers, "webhook-signature": f"v1,AAAA {SIGNATURE} v1a,BBBB"}
    assert verified(both, BODY, SECRET, now=AT)


@pytest.mark.parametrize(("off", "believed"), [(TOLERANCE, True), (-TOLERANCE, True), (301.0, False), (-301.0, False)])
def test_old_messages_are_refused(off: float, believed: bool) -> None:
    """A message that is sent again later, or comes from the future, is refused after five minutes."""
    assert verified(signed(ID, AT, BODY, SECRET), BODY, SECRET, now=AT + off) is believed


def test_an_id_cannot_pass_for_another_and_a_time() -> None:
    """The parts are joined by full stops, so an id may not have one."""
    with pytest.raises(ValueError, match="full stop"):
        signed("msg_1.1614265330", AT, BODY, SECRET)
