from typing import Any

import pytest

from connectors.mapping import MappingFailed, MappingInvalid
from connectors.soap.addressing import UNDERSTOOD, WSA, call_blocks
from connectors.soap.codec import Codec
from connectors.soap.headers import LONGEST, Headers
from connectors.soap.plan import Addressing, Field, Operation
from connectors.soap.problems import Invalid, Problem
from connectors.soap.security import SECURITY, Auth, HeaderValues, UsernameToken, security_block
from connectors.soap.xmltext import Element, parse
from tests.connectors.soap.samples import ASKING, GET_BALANCE, INT, NEST, REPLYING, SCHEMA, SESSION, SPACE, field, name

CODEC = Codec(SCHEMA)
TOKEN = UsernameToken("u", "p")
KINDS = (SESSION, field("Count", INT), field("Note"))
OPERATION = GET_BALANCE._replace(input=ASKING._replace(headers=KINDS), output=REPLYING._replace(headers=KINDS))


def headers(*auth: Auth, operation: Operation = OPERATION, given: dict[str, Any] | None = None) -> Headers:
    return Headers(operation, auth, given, CODEC)


def written(made: Headers, document: Any = None) -> str:
    return made.blocks(document, lambda: 1.0, bytes)


def blocks(content: str) -> list[Element]:
    return list(parse(f'<h xmlns="{SPACE}">{content}</h>'.encode(), names=True))


# ------------------------------------------------------------------------------------------------ sent


def test_a_call_without_headers_has_none() -> None:
    """Headers that are declared need not be there."""
    assert (written(headers()), headers().from_request) == ("", False)


def test_headers_come_from_the_configuration_and_from_the_request() -> None:
    """Fixed values first, then those out of the request, then the gateway's own proof."""
    made = headers(HeaderValues((("Count", 3),)), TOKEN, given={"Session.Key": 'header."x-session"'})
    xml = written(made, {"header": {"x-session": "<k>"}})
    assert made.from_request
    assert xml == (
        "<n0:Count>3</n0:Count><n0:Session><n0:Key>&lt;k&gt;</n0:Key></n0:Session>"
        + security_block(TOKEN, 1.0, bytes(16))
    )


def test_a_header_without_a_value_is_left_out() -> None:
    """A request that does not bring it sends none."""
    assert written(headers(given={"Session.Key": 'header."x-session"'}), {"header": {}}) == ""


def test_every_problem_of_headers_is_listed() -> None:
    """Each is told with its pointer and the header's name."""
    made = headers(given={"Count": "'a'", "Session": "`{}`", "Note": "'x'"})
    with pytest.raises(Invalid) as caught:
        written(made, {})
    assert caught.value.problems == (
        Problem("", "is not a whole number (header Count)"),
        Problem("/Key", "is missing (header Session)"),
    )


def test_headers_that_are_not_declared_are_refused_at_once() -> None:
    """They are mistakes of the configuration, as is what is no expression, or a fixed value that does not fit."""
    with pytest.raises(Invalid, match="/Other: is not a header of this operation"):
        headers(HeaderValues((("Other", 1),)))
    with pytest.raises(Invalid, match="/Other: is not a header of this operation"):
        headers(given={"Other.Key": "path"})
    with pytest.raises(Invalid, match="must be a whole number"):
        headers(HeaderValues((("Count", True),)))
    with pytest.raises(MappingInvalid):
        headers(given={"Session": "{"})
    with pytest.raises(MappingFailed):
        written(headers(given={"Note": "sum(@)"}), {})


# ------------------------------------------------------------------------------------------------ returned


def test_declared_headers_come_back_as_fields() -> None:
    """Text as it is, anything else as JSON; what no field can hold is percent-encoded; others stay behind."""
    found = blocks("<Note>a; b=é\r\n%</Note><Count>3</Count><Session><Key>k</Key></Session><Other>x</Other>")
    assert headers().fields(found) == (
        (b"Soap-Note", b"a; b=%C3%A9%0A%25"),
        (b"Soap-Count", b"3"),
        (b"Soap-Session", b'{"Key":"k"}'),
    )


def test_a_header_that_cannot_be_a_field_is_none() -> None:
    """One that breaks its schema, is too long, too deep, or has a name that no field may have is left out."""
    odd = (field("Café"), SESSION, field("Count", INT), field("Note"), NEST)
    made = headers(operation=GET_BALANCE._replace(output=REPLYING._replace(headers=odd)))
    deep = blocks("<Nest/>")
    nested = deep[0]
    for _ in range(1_000):
        nested.append(nested.makeelement(name("Part")))
        nested = nested[0]
    found = blocks(f"<Café>a</Café><Session/><Count>many</Count><Note>{'a' * (LONGEST + 1)}</Note>")
    assert made.fields([*found, *deep]) == ()


def test_what_is_declared_is_understood() -> None:
    """A reply may insist on the headers of its message; on Security only when the call had such a header."""
    both = frozenset(each.name for each in KINDS)
    one_way = GET_BALANCE._replace(output=None)
    assert headers().understood - UNDERSTOOD == both
    assert headers(TOKEN).understood - UNDERSTOOD == both | {SECURITY}
    assert headers(operation=one_way).understood == UNDERSTOOD
    assert headers(operation=one_way).fields(blocks("<Note>a</Note>")) == ()


def test_a_header_of_an_rpc_service_may_have_no_namespace() -> None:
    """A header part that names a type stands under its own name."""
    plain = GET_BALANCE._replace(input=ASKING._replace(headers=(Field("Key", "Key", INT),)))
    assert written(headers(HeaderValues((("Key", 1),)), operation=plain)) == "<Key>1</Key>"


def test_a_call_is_addressed_where_its_operation_asks_for_it() -> None:
    """After the headers that the WSDL declares; to the address given, or that of the WSDL."""
    asking = OPERATION._replace(addressing=Addressing("urn:in", namespace=WSA))
    made = Headers(asking, (HeaderValues((("Count", 3),)),), None, CODEC, "http://given.test/")
    assert written(made) == "<n0:Count>3</n0:Count>" + call_blocks(asking.addressing, "http://given.test/", bytes(16))
    assert written(headers(operation=asking)) == call_blocks(asking.addressing, asking.address, bytes(16))
