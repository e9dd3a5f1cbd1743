"""What people type for `explain` becomes what a client would send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.asking import asked
from gateway.errors import CommandError


def test_a_path_is_asked_of_localhost() -> None:
    """A bare path needs no host: it is asked as a client on this machine would."""
    ask = asked("GET", "/housing/repairs?open=1")
    assert (ask.method, ask.target, ask.fields) == (b"GET", b"/housing/repairs?open=1", ((b"Host", b"localhost"),))
    assert (ask.body, ask.address) == (b"", b"127.0.0.1")


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://api.example/x", b"api.example", b"/x"),
        ("HTTPS://api.example:8443/x#top", b"api.example:8443", b"/x"),
        ("http://api.example", b"api.example", b"/"),
        ("http://api.example?q=1", b"api.example", b"/?q=1"),
        ("http://[::1]:80/a b/é", b"[::1]:80", b"/a%20b/%C3%A9"),
        ("/already%20encoded/%c3", b"localhost", b"/already%20encoded/%c3"),
        ("*", b"localhost", b"*"),
        ("/redirect?to=http://other.example/", b"localhost", b"/redirect?to=http://other.example/"),
    ],
)
def test_an_address_is_split_as_browsers_do(url: str, host: bytes, target: bytes) -> None:
    """Host and target are those a browser would send; what is encoded already stays as it is."""
    ask = asked("GET", url)
    assert (dict(ask.fields)[b"Host"], ask.target) == (host, target)


@pytest.mark.parametrize(
    "url", ["housing/repairs", "ftp://host/x", "http:///x", "", "http://", "/new\nline", "/\udcc3"]
)
def test_what_is_no_address_is_explained(url: str) -> None:
    """A person who leaves out the slash is told what to write."""
    with pytest.raises(CommandError, match="Write a path"):
        asked("GET", url)


def test_a_given_host_wins() -> None:
    """A Host header that was typed is the one that is used."""
    assert asked("GET", "http://a.example/", ["host: b.example"]).fields == ((b"host", b"b.example"),)


def test_header_values_are_trimmed() -> None:
    """Spaces around a value do not count, colons inside it do."""
    assert asked("GET", "/", ["X-Time:  12:30 "]).fields[1] == (b"X-Time", b"12:30")


@pytest.mark.parametrize("header", ["no colon", ": x", " Name: x", "Name : x", "A: x\r\nB: y"])
def test_what_is_no_header_is_explained(header: str) -> None:
    """A header that is none is refused with the form to write it in."""
    with pytest.raises(CommandError, match="Name: value"):
        asked("GET", "/", [header])


def test_a_body_has_its_length() -> None:
    """A body is announced with its whole length, though only its beginning may be here."""
    assert (b"Content-Length", b"2") in asked("POST", "/", [], b"{}").fields
    assert (b"Content-Length", b"70000") in asked("POST", "/", [], b"{}", size=70_000).fields
    assert asked("POST", "/", ["Transfer-Encoding: chunked"], b"{}").fields[-1] == (b"Transfer-Encoding", b"chunked")


def test_an_envelope_needs_no_content_type() -> None:
    """XML is taken for a SOAP call unless a content type says otherwise."""
    assert (b"Content-Type", b"text/xml; charset=utf-8") in asked("POST", "/", [], b"  <Envelope/>").fields
    assert asked("POST", "/", ["Content-Type: text/html"], b"<html>").fields[1] == (b"Content-Type", b"text/html")


@pytest.mark.parametrize("address", ["localhost", "10.0.0", ""])
def test_a_client_has_an_ip_address(address: str) -> None:
    """A client is known by its number; a name is refused with an example."""
    assert asked("GET", "/", address="2001:DB8::7").address == b"2001:db8::7"
    with pytest.raises(CommandError, match="not an IP address"):
        asked("GET", "/", address=address)


@given(st.text())
def test_any_path_becomes_ascii(text: str) -> None:
    """Whatever is typed after the slash, the target has nothing in it that the wire could not carry."""
    try:
        target = asked("GET", "/" + text).target
    except CommandError:
        assert not text.isprintable()
        return
    assert all(0x21 <= byte <= 0x7E for byte in target)
