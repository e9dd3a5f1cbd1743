"""What a session is in messages, and which cookies belong to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.codec import Codec
from connectors.soap.plan import Field, Message, Schema
from connectors.soap.security import LogOn, Session
from connectors.soap.sessions import MOST_COOKIES, Held, InMessages, fitted, joined_cookies
from gateway.errors import AnswerInvalid
from tests.connectors.soap.samples import ASK, GET_BALANCE, RPC, SCHEMA, TEXT, complex_type

LOG_ON = LogOn(GET_BALANCE, {"AccountNo": "R1"}, "Amount")
SESSION = Session(LOG_ON, {"Session.Key": "token", "Other": "token"}, {"AccountNo": "token", "Sure": "token"})


def inside(**how: Any) -> InMessages:
    return InMessages(Session(LOG_ON, **how), GET_BALANCE, Codec(SCHEMA))


def test_an_operation_gets_what_it_has_room_for() -> None:
    """Headers that it declares, and members of its message; an RPC message's members are its parts."""
    ours = fitted(SESSION, GET_BALANCE, SCHEMA)
    assert (ours.header, ours.body) == ({"Session.Key": "token"}, {"AccountNo": "token"})
    rpc = fitted(SESSION._replace(body={"account": "token", "AccountNo": "token"}), *over(RPC))
    assert (rpc.header, rpc.body) == (None, {"account": "token"})


@pytest.mark.parametrize("field", [ASK._replace(type=TEXT), ASK._replace(type=0)])
def test_a_message_without_members_has_no_room(field: Field) -> None:
    """Plain text, or an element that is always empty."""
    schema = Schema((complex_type()._replace(content=None),), SCHEMA.prefixes)
    assert fitted(SESSION, GET_BALANCE._replace(input=Message((field,))), schema).body is None


def over(message: Message) -> tuple[Any, Schema]:
    return GET_BALANCE._replace(input=message), SCHEMA


def test_a_token_stands_in_headers_and_in_the_message() -> None:
    """Whatever a client gave in its place is replaced; what is no object is left to the schema."""
    session = inside(header={"Session.Key": "token"}, body={"AccountNo": "token"})
    value, blocks = session.held({"AccountNo": "mine", "AsAt": "2026-11-22"}, "T&1")
    assert value == {"AccountNo": "T&1", "AsAt": "2026-11-22"}
    assert blocks == "<n0:Session><n0:Key>T&amp;1</n0:Key></n0:Session>"
    assert session.held(["x"], "t")[0] == ["x"]
    assert inside().held({"a": 1}, "t") == ({"a": 1}, "")


@pytest.mark.parametrize(("header", "token"), [({"Session.Key": "token"}, ["a"]), ({"Session.Key": "abs(token)"}, "a")])
def test_a_token_that_does_not_fit_is_no_fault_of_the_client(header: dict[str, str], token: Any) -> None:
    """It is an error of the backend, and the call has not been sent."""
    with pytest.raises(AnswerInvalid, match="a token that does not fit") as caught:
        inside(header=header).held({}, token)
    assert caught.value.request_sent is False


def test_what_ends_a_session() -> None:
    """A fault by any of its names, or a result that an expression recognises."""
    session = inside(renew_on=("InvalidToken",), renew_when="Errors.Code == 'SESSION'")
    assert (session.ended_by(("Client", "InvalidToken")), session.ended_by(("Client",))) == (True, False)
    assert (session.ended_in({"Errors": {"Code": "SESSION"}}), session.ended_in({})) == (True, False)
    assert (inside().ended_by(("Client",)), inside().ended_in({})) == (False, False)


def test_cookies_go_along_by_name_and_value() -> None:
    """In the order in which they came; those that answers set later take the place of their namesakes."""
    set_first = [(b"Set-Cookie", b"a=1; Path=/; HttpOnly"), (b"X", b"b=2"), (b"set-cookie", b'c="x=y"')]
    held = Held("t", 9.0, joined_cookies({}, set_first))
    assert (held.token, held.until, held.lines) == ("t", 9.0, b'Cookie: a=1; c="x=y"\r\n')
    held.note([(b"Set-Cookie", b"a=2"), (b"Set-Cookie", b"d=")])
    assert held.lines == b'Cookie: a=2; c="x=y"; d=\r\n'
    assert Held(None, 0.0, {}).lines == b""


@given(st.lists(st.binary(max_size=20)))
def test_any_cookie_leaves_one_line(values: list[bytes]) -> None:
    """What has no name is none; of many the latest are kept."""
    values = [value.replace(b"\r", b"").replace(b"\n", b"") for value in values]
    cookies = joined_cookies({}, [(b"Set-Cookie", value) for value in values])
    assert all(cookies)
    assert Held(None, 0.0, cookies).lines.count(b"\r\n") == (1 if cookies else 0)


def test_cookies_are_bounded() -> None:
    """A service that invents a name with every answer fills nothing."""
    cookies = joined_cookies({}, [(b"Set-Cookie", b"n%d=1" % number) for number in range(MOST_COOKIES + 5)])
    assert next(iter(cookies)) == b"n5"
    assert len(cookies) == MOST_COOKIES
