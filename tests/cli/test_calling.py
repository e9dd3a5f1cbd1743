"""One call by hand: what it needs, and how it is shown."""

from pathlib import Path
from typing import Any

import pytest

from connectors.soap.logons import flight_of
from connectors.soap.sessions import Held
from gateway.cli.calling import address_of, prepared, readable, secrets_of
from gateway.core.model import Estate
from gateway.errors import CommandError
from tests.config.files import estate
from tests.core.estates import match
from tests.support import waste
from tests.support.library import written

ROUTES = """\
version: 1
backends:
  library: {type: soap, wsdl: library.wsdl, url: "http://127.0.0.1:1/Library.asmx"}
  books: {url: "http://127.0.0.1:2"}
routes:
  - name: borrow
    match: GET /loans/{card}
    legacy: {backend: library, operation: Borrow, request: {Card: path.card}}
  - {name: books, match: GET /books, legacy: books}
  - {name: old, match: "SOAP /old#Borrow", legacy: {backend: library, operation: Borrow}}
"""
LOGGED_ON = """\
version: 1
backends:
  waste:
    type: soap
    wsdl: waste.wsdl
    url: http://127.0.0.1:1
    auth:
      header: {ApiHeader: {Key: k}}
      session: {operation: Authenticate, request: {user: u, password: p}}
routes:
  - {name: days, match: GET /days, legacy: {backend: waste, operation: GetCollections}}
"""


@pytest.fixture
def routes(tmp_path: Path) -> Estate:
    written(tmp_path)
    return estate(tmp_path, ROUTES)


def test_a_call_is_prepared_as_the_gateway_would(routes: Estate) -> None:
    """Its method and path are the route's, its body is JSON unless it says otherwise."""
    plain = prepared(routes, "borrow", "legacy", b"", [("card", "a b")], [("x", "1")], [])
    assert (plain.call.request.method, plain.call.request.target) == (b"GET", b"/loans/a%20b?x=1")
    body = prepared(routes, "borrow", "legacy", b"{}", [("card", "a")], [], ["X-A: b"])
    assert {(b"X-A", b"b"), (b"Content-Type", b"application/json")} <= set(body.call.request.fields)
    typed = prepared(routes, "borrow", "legacy", b"{}", [("card", "a")], [], ["content-type: text/plain"])
    assert (b"Content-Type", b"application/json") not in typed.call.request.fields


@pytest.mark.parametrize(
    ("name", "side", "words"),
    [
        ("none", "legacy", "There is no route none; `banyan routes` lists them."),
        ("borrow", "new", "borrow has no side 'new'; it has legacy."),
        ("books", "legacy", "books calls no operation on its legacy side; `banyan explain` shows what it sends."),
        ("old", "legacy", "old answers SOAP clients on its legacy side; send their envelope to the gateway."),
    ],
)
def test_what_cannot_be_called_is_said(routes: Estate, name: str, side: str, words: str) -> None:
    """With what to do instead."""
    with pytest.raises(CommandError) as caught:
        prepared(routes, name, side, b"", [], [], [])
    assert str(caught.value) == words


def test_a_request_that_the_gateway_would_refuse(routes: Estate) -> None:
    """It is refused here with the same words."""
    with pytest.raises(CommandError, match="would refuse this with 400"):
        prepared(routes, "borrow", "legacy", b"", [("card", "a")], [], ["Host: a b"])


def test_a_path_is_filled() -> None:
    """Every placeholder needs its value, and no other is taken; the rest of a path may be empty."""
    template = match("GET /a/{b}/**")
    assert address_of(template, {"b": "x/y", "rest": "c/d"}, [("q", "é")]) == "/a/x%2Fy/c/d?q=%C3%A9"
    assert address_of(template, {"b": "x"}, []) == "/a/x/"
    with pytest.raises(CommandError, match=r"needs a value for \{b\}: --path b=VALUE"):
        address_of(template, {}, [])
    with pytest.raises(CommandError, match=r"has no \{c\}"):
        address_of(template, {"b": "x", "c": "y"}, [])


def test_what_no_envelope_shows(tmp_path: Path) -> None:
    """What the gateway logs on with, fixed headers, and what a log-on has given; numbers as they are written."""
    waste.written(tmp_path)
    target = estate(tmp_path, LOGGED_ON).routes[0].legacy
    assert target is not None
    kept: dict[str, Any] = {}
    assert secrets_of(target.call, kept) == {"u", "p", "k"}
    flight_of(target.call.session, kept).held = Held({"No": 7, "Ok": True, "None": None}, 0.0, {})
    assert secrets_of(target.call, kept) == {"u", "p", "k", "7"}


def test_answers_are_shown_for_people() -> None:
    """JSON as JSON, text as text, nothing as nothing."""
    assert (readable(b'{"a": 1}'), readable(b"x"), readable(b" ")) == ({"a": 1}, "x", None)
