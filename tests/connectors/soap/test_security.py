from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.security import WSSE, WSU, Basic, LogOn, UsernameToken, authorization, security_block
from connectors.soap.xmltext import Element, parse
from tests.connectors.soap.samples import GET_BALANCE

NOW = 1_790_000_000.0625
NONCE = bytes(range(16))


def block(token: UsernameToken) -> Element:
    """A token's header block, read again."""
    return parse(f'<x xmlns:soap="urn:soap">{security_block(token, NOW, NONCE)}</x>'.encode(), names=False)[0]


def text(element: Element, *path: str) -> str | None:
    found = element.find("/".join(path))
    return None if found is None else found.text


def test_basic_is_name_and_password() -> None:
    """The example of RFC 7617, section 2; and one beyond ASCII, in UTF-8."""
    assert authorization(Basic("Aladdin", "open sesame")) == b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert b64decode(authorization(Basic("test", "123£"))[6:]) == "test:123£".encode()


def test_a_token_in_text() -> None:
    """Name and password stand in the header as they are, with a nonce, the time, and how long it is good for."""
    found = block(UsernameToken("gate<way", "a&b"))
    token = f"{{{WSSE}}}UsernameToken"
    assert found.tag == f"{{{WSSE}}}Security"
    assert found.get("{urn:soap}mustUnderstand") == "1"
    assert text(found, token, f"{{{WSSE}}}Username") == "gate<way"
    assert text(found, token, f"{{{WSSE}}}Password") == "a&b"
    assert found.find(f"{token}/{{{WSSE}}}Password").get("Type").endswith("username-token-profile-1.0#PasswordText")
    assert b64decode(text(found, token, f"{{{WSSE}}}Nonce") or "") == NONCE
    assert text(found, token, f"{{{WSU}}}Created") == "2026-09-21T14:13:20.062Z"
    assert text(found, f"{{{WSU}}}Timestamp", f"{{{WSU}}}Created") == "2026-09-21T14:13:20.062Z"
    assert text(found, f"{{{WSU}}}Timestamp", f"{{{WSU}}}Expires") == "2026-09-21T14:18:20.062Z"


def test_a_digest_hides_the_password() -> None:
    """The digest is that of nonce, time and password; computed beforehand for this test with `openssl dgst -sha1`."""
    found = block(UsernameToken("gateway", "secret", digest=True))
    password = found.find(f"{{{WSSE}}}UsernameToken/{{{WSSE}}}Password")
    assert password.text == "TPy7Slm3XvOoJH4LmwdVYfR8B9Y="
    assert password.get("Type").endswith("#PasswordDigest")


def test_a_token_without_a_lifetime_has_no_timestamp() -> None:
    """Some servers refuse a Timestamp."""
    assert block(UsernameToken("gateway", "secret", lifetime=None)).find(f"{{{WSU}}}Timestamp") is None


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff"), min_size=1))
def test_any_password_can_be_sent(password: str) -> None:
    """Passwords may have any characters that XML can hold."""
    found = block(UsernameToken("gateway", password))
    assert text(found, f"{{{WSSE}}}UsernameToken", f"{{{WSSE}}}Password") == password


def test_a_log_on_is_the_same_whatever_its_types_are_called() -> None:
    """A reload numbers them anew. What makes a difference is the operation, where it is, what it takes and gives."""
    log_on = LogOn(GET_BALANCE, {"user": "u"}, "Token", 60.0, (Basic("a", "b"),))
    assert log_on.is_same(log_on._replace(operation=GET_BALANCE._replace(faults=())))
    others = (
        {"operation": GET_BALANCE._replace(name="Other")},
        {"operation": GET_BALANCE._replace(address="http://elsewhere")},
        {"request": {"user": "v"}},
        {"token": None},
        {"lasts": 0.0},
        {"auth": ()},
    )
    assert not any(log_on.is_same(log_on._replace(**each)) for each in others)
