import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import Frame, opened
from connectors.soap.plan import ANY_TYPE, Attribute, Complex, Field, Group, Message, Schema, Simple, TypeRef, Wild
from connectors.soap.problems import Invalid, Problem
from connectors.soap.words import JSON
from connectors.soap.xmltext import Element, XmlRefused, parse
from tests.connectors.soap import samples
from tests.connectors.soap.samples import (
    ASKING,
    ENCODED,
    INT,
    LINE,
    NEST,
    REPLYING,
    RPC,
    SCHEMA,
    SESSION,
    SPACE,
    TEXT,
    field,
    reply_xml,
)

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"


def body(content: str, *, names: bool = False) -> Element:
    """A Body with this in it."""
    spaces = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="{SPACE}" xmlns:soap="urn:soap"'
    return parse(f"<soap:Body {spaces}>{content}</soap:Body>".encode(), names=names)


def through(message: Message, value: JSON, schema: Schema = SCHEMA) -> JSON:
    """A value after it has been in an envelope."""
    codec = Codec(schema)
    data = Frame("1.1", schema, encoded=message.encoded).around(codec.encode(message, value))
    decoded, problems = codec.decode(message, opened(data, names=needs_names(schema, message)).body)
    assert problems == ()
    return decoded


def refused(message: Message, value: JSON, schema: Schema = SCHEMA) -> tuple[Problem, ...]:
    with pytest.raises(Invalid) as caught:
        Codec(schema).encode(message, value)
    return caught.value.problems


# ------------------------------------------------------------------------------------------------ document


def test_the_wrapper_of_a_document_is_unwrapped() -> None:
    """The JSON of a message with one part is the content of its element, both ways."""
    assert Codec(SCHEMA).encode(ASKING, {"AccountNo": "R1"}) == (
        "<n0:GetBalance><n0:AccountNo>R1</n0:AccountNo></n0:GetBalance>"
    )
    line = {"Code": "A", "Value": "1.5"}
    assert through(REPLYING, {"Amount": "2", "Line": [line]}) == {"Amount": "2", "Line": [line]}


def test_a_message_may_be_a_plain_value() -> None:
    """Where the only element is of a simple type, the JSON is its value."""
    assert through(Message((field("Count", INT),)), 7) == 7


def test_several_parts_are_an_object_of_them() -> None:
    """A document message with several elements, which WS-I forbids and old services have, is an object of its parts."""
    several = Message((field("A"), field("B", INT)))
    assert Codec(SCHEMA).encode(several, {"B": 1, "A": "a"}) == "<n0:A>a</n0:A><n0:B>1</n0:B>"
    assert through(several, {"A": "a", "B": 1}) == {"A": "a", "B": 1}


def test_a_message_without_parts_is_an_empty_object() -> None:
    """An operation that takes nothing has an empty Body."""
    assert Codec(SCHEMA).encode(Message(()), {}) == ""
    assert through(Message(()), {}) == {}


def test_every_problem_of_a_request_is_listed() -> None:
    """Encoding does not stop at the first problem: the caller gets all of them, with their places."""
    assert refused(ASKING, {"AsAt": "today", "Other": 1}) == (
        Problem("/AsAt", "is not a date (2024-02-29)"),
        Problem("/AccountNo", "is missing"),
        Problem("/Other", "is not in the schema"),
    )
    assert refused(ASKING, ["R1"]) == (Problem("", "must be an object"),)


def test_a_reply_that_breaks_its_schema_is_decoded_as_far_as_it_goes() -> None:
    """Lenient decoding gives the value and the problems; strict decoding refuses, with the same problems."""
    codec, problem = Codec(SCHEMA), Problem("/Amount", "is not a decimal number")
    broken = body(reply_xml(amount="a lot"))
    assert codec.decode(REPLYING, broken) == ({"Amount": "a lot", "Line": []}, (problem,))
    with pytest.raises(Invalid) as caught:
        codec.decode(REPLYING, broken, strict=True)
    assert caught.value.problems == (problem,)


def test_a_reply_in_the_wrong_namespace_is_flagged() -> None:
    """Servers forget the namespace of the outermost element; what is in it counts."""
    value, problems = Codec(SCHEMA).decode(
        REPLYING, body(f'<GetBalanceResponse xmlns=""><a:Amount xmlns:a="{SPACE}">1</a:Amount></GetBalanceResponse>')
    )
    assert value == {"Amount": "1", "Line": []}
    assert problems == (Problem("", "has its element GetBalanceResponse in the wrong namespace"),)


def test_more_elements_than_one_are_flagged() -> None:
    """A Body with something beside the declared element breaks its schema, and can be read all the same."""
    value, problems = Codec(SCHEMA).decode(REPLYING, body(reply_xml() + "<More/>"))
    assert (value, problems) == ({"Amount": "12.50", "Line": []}, (Problem("", "has more than one element"),))


@pytest.mark.parametrize(
    ("content", "found"), [("", "is empty"), ("<Welcome/>", "has the element Welcome")], ids=["nothing", "another"]
)
def test_another_message_is_no_reply(content: str, found: str) -> None:
    """What is not the declared element is refused even when decoding is lenient: no guess would be better than none."""
    with pytest.raises(Invalid, match=f"the whole: {found}, where GetBalanceResponse belongs"):
        Codec(SCHEMA).decode(REPLYING, body(content))


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "Amount": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
            "Line": st.lists(
                st.fixed_dictionaries({"Code": st.text("ab<&>\"' é\n", max_size=9), "Value": st.just("1")})
            ),
        }
    )
)
def test_what_goes_in_comes_out(value: dict[str, JSON]) -> None:
    """Any valid value survives the way into an envelope and out of it."""
    assert through(REPLYING, value) == value


def test_nesting_beyond_what_can_be_coded_is_a_problem() -> None:
    """A type that contains itself does not let a small message exhaust the stack."""
    deep: JSON = {"Part": []}
    for _ in range(1_000):
        deep = {"Part": [deep]}
    assert refused(Message((NEST,)), deep) == (Problem("", "is nested too deeply"),)
    xml = body("<Nest/>")
    nested = xml[0]
    for _ in range(1_000):
        nested.append(nested.makeelement(f"{{{SPACE}}}Part", {}))
        nested = nested[0]
    with pytest.raises(Invalid, match="is nested too deeply"):
        Codec(SCHEMA).decode(Message((NEST,)), xml)


# ------------------------------------------------------------------------------------------------ rpc


def test_an_rpc_message_is_an_object_of_its_parts() -> None:
    """Parts have no namespace, and no default one reaches them; the element around them is named by the operation."""
    assert Codec(SCHEMA).encode(RPC, {"account": "R1", "count": 2}) == (
        f'<m:Count xmlns:m="{SPACE}"><account>R1</account><count>2</count></m:Count>'
    )
    assert through(RPC, {"account": "R1", "count": 2}) == {"account": "R1", "count": 2}


def test_an_rpc_wrapper_may_have_no_namespace() -> None:
    """Without a namespace in the binding, the operation's name stands by itself."""
    assert Codec(SCHEMA).encode(Message((), wrapper="Ping"), {}) == "<Ping></Ping>"
    assert through(Message((), wrapper="Ping"), {}) == {}


def test_problems_of_parts_are_listed() -> None:
    """A part that is missing, one that is unknown, and what is no object are told."""
    assert refused(RPC, {"count": 1, "kind": 2}) == (
        Problem("/account", "is missing"),
        Problem("/kind", "is not in the schema"),
    )
    assert refused(RPC, 3) == (Problem("", "must be an object"),)


def test_a_wrapper_may_have_any_name() -> None:
    """The wrapper's name means nothing in a reply, and parts come in any order."""
    value, problems = Codec(SCHEMA).decode(RPC, body('<Result xmlns=""><count>1</count><account>x</account></Result>'))
    assert (value, problems) == ({"account": "x", "count": 1}, ())


def test_parts_that_are_missing_or_unknown_are_flagged() -> None:
    """A reply with other parts than the schema's is decoded as far as it goes."""
    value, problems = Codec(SCHEMA).decode(RPC, body('<Count><kind xmlns="">1</kind><count xmlns="">1</count></Count>'))
    assert value == {"count": 1}
    assert problems == (
        Problem("", "has the element kind, which the schema does not know here"),
        Problem("/account", "is missing"),
    )


def test_an_rpc_reply_without_a_wrapper_is_no_reply() -> None:
    """An empty Body is refused where an operation's answer belongs."""
    with pytest.raises(Invalid, match="is empty, where Count belongs"):
        Codec(SCHEMA).decode(RPC, body(""))


# ------------------------------------------------------------------------------------------------ encoded


def test_an_encoded_message_says_its_types() -> None:
    """Encoded messages name their encoding style, and xsi:type on every element; null is nil."""
    value = {"lines": [{"Code": "A", "Value": "1"}], "note": None}
    xml = Codec(SCHEMA).encode(ENCODED, value)
    assert xml.startswith(f'<m:Add xmlns:m="{SPACE}" soap:encodingStyle="{ENCODING}"><lines xsi:type="soapenc:Array"')
    assert 'xsi:type="xsd:decimal"' in xml
    assert '<note xsi:nil="true"/>' in xml
    assert through(ENCODED, value) == value


def test_references_are_followed_before_decoding() -> None:
    """A part may stand elsewhere in the Body, and so may what is in it."""
    xml = (
        '<Add><lines xmlns="" href="#1"/></Add>'
        '<multiRef xmlns="" id="1"><item href="#2"/><item href="#2"/></multiRef>'
        '<multiRef id="2"><Code>A</Code><Value>1</Value></multiRef>'
    )
    line = {"Code": "A", "Value": "1"}
    assert Codec(SCHEMA).decode(ENCODED, body(xml, names=True)) == ({"lines": [line, line]}, ())


def test_a_reference_that_leads_nowhere_is_refused() -> None:
    """What is referred to must be there."""
    with pytest.raises(XmlRefused, match="refers to something that is not in it"):
        Codec(SCHEMA).decode(ENCODED, body('<Add><lines xmlns="" href="#7"/><x id="1"/></Add>', names=True))


def test_the_only_part_of_an_encoded_message_may_have_any_name() -> None:
    """Some servers make up the name of what they return."""
    one = ENCODED._replace(parts=ENCODED.parts[1:])
    assert Codec(SCHEMA).decode(one, body("<Add><gensym3>hello</gensym3></Add>", names=True)) == ({"note": "hello"}, ())


# ------------------------------------------------------------------------------------------------ elements


def test_an_element_can_be_coded_by_itself() -> None:
    """Headers and details of faults are elements outside any message's parts."""
    codec = Codec(SCHEMA)
    assert codec.encode_element(SESSION, {"Key": "k"}) == "<n0:Session><n0:Key>k</n0:Key></n0:Session>"
    assert codec.decode_element(SESSION, body("<Session><Key>k</Key></Session>")[0]) == ({"Key": "k"}, ())
    assert codec.decode_element(SESSION, body("<Session/>")[0]) == ({}, (Problem("/Key", "is missing"),))


def test_a_message_is_compiled_once() -> None:
    """The functions of a message are made when it is first met."""
    codec = Codec(SCHEMA)
    assert codec.compiled(ASKING) is codec.compiled(ASKING)


# ------------------------------------------------------------------------------------------------ which parser

QNAME = Simple("qname", "QName")


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (TEXT, False),
        (INT, False),
        (QNAME, True),
        (Simple("list", "anySimpleType", item=QNAME), True),
        (Simple("union", "anySimpleType", members=(TEXT, QNAME)), True),
        (Simple("list", "anySimpleType", item=INT), False),
        (ANY_TYPE, True),
        (Complex(None), False),
        (Complex(None, text=TEXT), False),
        (Complex(None, text=QNAME), True),
        (Complex(None, attributes=(Attribute("a", "@a", INT),)), False),
        (Complex(None, attributes=(Attribute("a", "@a", QNAME),)), True),
        (Complex(None, mixed=True), True),
        (Complex(None, abstract=True), True),
        (samples.BASE, True),
        (samples.TYPES[samples.LINES], True),
        (Complex(None, content=Group("sequence", (Wild(),))), True),
        (Complex(None, content=Group("sequence", (Group("choice", (Wild(),)),))), True),
        (Complex(None, content=Group("sequence", (Group("choice", (field("a", LINE), field("b", LINE))),))), False),
        (Complex(None, content=Group("sequence", (field("a", ANY_TYPE),))), True),
    ],
)
def test_names_are_kept_where_values_need_them(type: TypeRef | Complex, expected: bool) -> None:
    """The slower parser is for messages whose values hold prefixes or XML, and for no others."""
    ref = type if not isinstance(type, Complex) else len(SCHEMA.types)
    schema = SCHEMA._replace(types=(*SCHEMA.types, type)) if isinstance(type, Complex) else SCHEMA
    assert needs_names(schema, Message((Field("x", "x", ref),))) is expected


def test_encoded_messages_need_names() -> None:
    """Types are named in the values of encoded messages; a type that contains itself is looked at once."""
    assert needs_names(SCHEMA, ENCODED) is True
    assert needs_names(SCHEMA, Message((NEST,))) is False
