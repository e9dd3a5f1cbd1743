"""Envelopes that refer to parts beside them, read and written."""

from typing import Any

import pytest
from lxml import etree

from connectors.soap.attachments import OCTETS, Piece, Wanted
from connectors.soap.marks import CHANCE, SWA_REF, Attached, Marks
from connectors.soap.multipart import MOST_PARTS
from connectors.soap.plan import Attribute, Complex, Field, Group, Message, Schema, Simple
from connectors.soap.problems import Invalid
from connectors.soap.xmltext import XmlRefused
from connectors.soap.xop import (
    XOP,
    Found,
    Sent,
    content_type,
    included,
    inlined,
    refers,
    resolved,
    root_fields,
    sent,
    with_declared,
    without_declared,
)
from gateway.errors import ClientError

DRAWN = bytes(range(CHANCE))
MARKS = Marks(DRAWN)
INCLUDE = f'<x:Include xmlns:x="{XOP}" href="%s"/>'
REF = Simple("verbatim", "anyURI", name=SWA_REF)
STRING = Simple("string", "string")


def found() -> Found:
    return Found(MARKS, {})


# ------------------------------------------------------------------------------------------------ what came


def test_marks_take_the_place_of_includes() -> None:
    """Each part has one, wherever it is included; white space around an Include means nothing."""
    xml = f"<a><b>{INCLUDE % 'cid:x'}</b><c> {INCLUDE % ' cid:y '}\n</c><d><e>{INCLUDE % 'cid:x'}</e></d></a>"
    root, here = etree.fromstring(xml), found()
    included(root, here)
    assert [each.text for each in (root[0], root[1], root[2][0])] == [MARKS.mark(0), MARKS.mark(1), MARKS.mark(0)]
    assert [len(each) for each in root] == [0, 0, 1]
    assert here.wanted == {0: Wanted("x"), 1: Wanted("y")}


@pytest.mark.parametrize("href", ["", "http://x/y", "file:///etc/hostname"])
def test_only_parts_are_included(href: str) -> None:
    """Nothing is ever fetched."""
    with pytest.raises(XmlRefused, match="no part"):
        included(etree.fromstring(f"<a>{INCLUDE % href}</a>"), found())


def test_elements_of_encoded_messages_refer_to_parts_themselves() -> None:
    """As the first stacks with attachments wrote them; in other messages such an attribute is what the schema says."""
    xml = '<a><b href="cid:x"/><c href="#d"/></a>'
    root, here = etree.fromstring(xml), found()
    included(root, here)
    assert (root[0].text, here.wanted) == (None, {})
    included(root, here, encoded=True)
    assert (root[0].text, dict(root[0].attrib), root[1].get("href")) == (MARKS.mark(0), {}, "#d")


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"a": 1}, {"a": 1}), (None, {"$value": None}), (5, {"$value": 5}), ([1], {"$value": [1]})],
)
def test_declared_parts_are_members(value: Any, expected: dict[str, Any]) -> None:
    """Beside those of the message, which may be no object."""
    here = found()
    message = Message((), attachments=("p", "q"))
    assert with_declared(value, message, here) == {**expected, "p": MARKS.mark(0), "q": MARKS.mark(1)}
    assert here.wanted == {0: Wanted("p", declared=True), 1: Wanted("q", declared=True)}
    assert with_declared(value, Message(()), here) == value


def test_references_become_marks() -> None:
    """What was read as one; a string that only looks so stays, and all of them do without a package."""
    here = found()
    assert resolved({"a": [Attached("cid:x", is_name=True)], "b": "cid:y", "c": {"d": None}}, here) == {
        "a": [MARKS.mark(0)],
        "b": "cid:y",
        "c": {"d": None},
    }
    assert here.wanted == {0: Wanted("x")}
    alone = resolved(Attached("cid:x", is_name=True), None)
    assert (alone, type(alone)) == ("cid:x", str)


def _message(*fields: Field) -> Message:
    return Message(fields)


@pytest.mark.parametrize(
    ("types", "message", "expected"),
    [
        ((), _message(Field("a", "a", REF)), True),
        ((Complex(None, content=Group("sequence", (Field("b", "b", REF),))),), _message(Field("a", "a", 0)), True),
        ((Complex(None, attributes=(Attribute("b", "@b", REF),)),), _message(Field("a", "a", 0)), True),
        ((Complex(None, text=REF),), _message(Field("a", "a", 0)), True),
        ((Complex(None, text=STRING),), _message(Field("a", "a", STRING)), False),
    ],
)
def test_a_schema_tells_whether_there_are_references(
    types: tuple[Complex, ...], message: Message, expected: bool
) -> None:
    """In parts, elements, attributes, and text beside these."""
    assert refers(Schema(types), message) is expected


# ------------------------------------------------------------------------------------------------ what is sent


def attached(*texts: str) -> list[Attached]:
    return [Attached(text, MARKS.mark(number), is_name=text.startswith("cid:")) for number, text in enumerate(texts)]


def test_marks_become_includes() -> None:
    """What is here becomes a piece, what was named is wanted; what the message does not have is neither."""
    text = f"<a><b>{MARKS.mark(0)}</b><c>{MARKS.mark(1)}</c></a>"
    made = sent(text, DRAWN, attached("aGk=", "cid:x", "cid:y"), {}, xop=True)
    ids = [MARKS.content_id(number) for number in range(2)]
    assert [each[0].get("href") for each in etree.fromstring(made.envelope)] == [f"cid:{each}" for each in ids]
    assert made._replace(envelope=b"") == Sent(
        b"", (Piece(ids[0], b"hi"),), {1: Wanted("x")}, dict(enumerate(ids)), DRAWN
    )


def test_a_part_has_the_type_that_its_element_gives() -> None:
    """Where that is a plain one (xmlmime:contentType)."""
    text = f'<a x:contentType="image/png" b="c">{MARKS.mark(0)}</a><a contentType="?">{MARKS.mark(1)}</a>'
    made = sent(text, DRAWN, attached("aGk=", "aGk="), {}, xop=True)
    assert [piece.type for piece in made.pieces] == ["image/png", OCTETS]


def test_without_xop_base64_stays_inside() -> None:
    """In one spelling; what is still to come leaves its mark, to be replaced once it has."""
    text = f"<a>{MARKS.mark(0)}</a><b>{MARKS.mark(1)}</b>"
    made = sent(text, DRAWN, attached("aG\nk=", "cid:x"), {}, xop=False)
    assert made.envelope == f"<a>aGk=</a><b>{MARKS.mark(1)}</b>".encode()
    assert (made.pieces, made.wanted, made.inside) == ((), {1: Wanted("x")}, frozenset({1}))
    assert inlined(made, {1: b"aGk="}, 30) == b"<a>aGk=</a><b>aGk=</b>"
    reference = f"<a>cid:{MARKS.content_id(0)}</a><b>{MARKS.mark(1)}</b>"
    both = inlined(made._replace(envelope=reference.encode()), {0: b"?", 1: b"aGk="}, 100)
    assert both == f"<a>cid:{MARKS.content_id(0)}</a><b>aGk=</b>".encode()


def test_what_is_inlined_is_bounded() -> None:
    """However little was sent: it may be mentioned many times."""
    made = sent(f"<a>{MARKS.mark(0)}</a>" * 10, DRAWN, attached("cid:x"), {}, xop=False)
    assert inlined(made, {0: b"aGk="}, 110) == b"<a>aGk=</a>" * 10
    with pytest.raises(ClientError, match="413"):
        inlined(made, {0: b"aGk="}, 109)


def test_more_references_than_parts_are_refused() -> None:
    """No package can have them."""
    xml = "".join(f"<b>{INCLUDE % f'cid:{number}'}</b>" for number in range(MOST_PARTS))
    included(etree.fromstring(f"<a>{xml}</a>"), found())
    with pytest.raises(XmlRefused, match="more than 1000"):
        included(etree.fromstring(f"<a>{xml}<b>{INCLUDE % 'cid:x'}</b></a>"), found())


def test_references_are_parts_with_or_without_xop() -> None:
    """The codec has written them as such."""
    text = f"<a>cid:{MARKS.content_id(0)}</a>"
    made = sent(text, DRAWN, attached("aGk="), {}, xop=False)
    assert (made.envelope, made.pieces, made.inside) == (
        text.encode(),
        (Piece(MARKS.content_id(0), b"hi"),),
        frozenset(),
    )


def test_declared_parts_tell_their_names() -> None:
    """In their ids (WS-I Attachments Profile 1.0, section 3.8)."""
    made = sent("<a/>", DRAWN, [], {"a b": "aGk=", "c": attached("cid:x")[0]}, xop=False)
    assert made.pieces == (Piece(f"a%20b={MARKS.content_id(0)}", b"hi"),)
    assert (made.wanted, made.ids[1]) == ({1: Wanted("x")}, f"c={MARKS.content_id(1)}")
    with pytest.raises(Invalid, match="base64"):
        sent("<a/>", DRAWN, [], {"a": "?"}, xop=False)


PLAIN = Message((Field("a", "a", STRING),), attachments=("p",))
OBJECT = PLAIN._replace(parts=(Field("a", "a", 0),))


@pytest.mark.parametrize(
    ("message", "value", "expected"),
    [
        (OBJECT, {"a": 1, "p": "x"}, ({"a": 1}, {"p": "x"})),
        (OBJECT, {"$value": 5, "p": "x"}, ({"$value": 5}, {"p": "x"})),
        (PLAIN, {"$value": 5, "p": "x"}, (5, {"p": "x"})),
        (PLAIN._replace(wrapper="w"), {"p": "x"}, ({}, {"p": "x"})),
    ],
)
def test_declared_parts_are_taken_out(message: Message, value: Any, expected: Any) -> None:
    """The rest is the message's own value."""
    assert without_declared(value, message) == expected
    assert without_declared(value, message._replace(attachments=())) == (value, {})


@pytest.mark.parametrize(
    ("value", "pointer", "reason"),
    [(5, "", "must be an object"), ({}, "/p", "is missing"), ({"p": 5}, "/p", "must be a string")],
)
def test_declared_parts_must_be_there(value: Any, pointer: str, reason: str) -> None:
    """Each problem has its place."""
    with pytest.raises(Invalid) as invalid:
        without_declared(value, PLAIN)
    assert [(each.pointer, each.reason) for each in invalid.value.problems] == [(pointer, reason)]


@pytest.mark.parametrize(
    ("version", "xop", "outer", "root"),
    [
        (
            "1.1",
            True,
            b'multipart/related; type="application/xop+xml"; start-info="text/xml"; start="<b@banyan>"; boundary="b"',
            'application/xop+xml; charset=utf-8; type="text/xml"',
        ),
        (
            "1.2",
            True,
            (
                b'multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; '
                b'start="<b@banyan>"; boundary="b"; action="urn:x"'
            ),
            'application/xop+xml; charset=utf-8; type="application/soap+xml"; action="urn:x"',
        ),
        (
            "1.1",
            False,
            b'multipart/related; type="text/xml"; start="<b@banyan>"; boundary="b"',
            "text/xml; charset=utf-8",
        ),
        (
            "1.2",
            False,
            b'multipart/related; type="application/soap+xml"; start="<b@banyan>"; boundary="b"; action="urn:x"',
            'application/soap+xml; charset=utf-8; action="urn:x"',
        ),
    ],
)
def test_content_types_of_each_version(version: Any, xop: bool, outer: bytes, root: str) -> None:
    """MTOM 1.0, its binding to SOAP 1.1, and SOAP with Attachments."""
    assert content_type(version, "b", "urn:x", xop=xop) == outer
    fields = dict(root_fields(version, "b", "urn:x", xop=xop))
    assert fields == {"Content-Type": root, "Content-Transfer-Encoding": "8bit", "Content-ID": "<b@banyan>"}
    assert b"action" not in content_type(version, "b", "", xop=xop)
