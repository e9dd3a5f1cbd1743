"""The fields of a message, as people see them."""

from collections.abc import Iterator

from connectors.soap.fields import Node, shape
from connectors.soap.plan import ArrayOf, Complex, Facets, Field, Message, Schema, Simple
from tests.support.soap import Typed

TEXT = Simple("string", "string", Facets())


def told(xsd: str) -> dict[str, str]:
    """The words for each field, by its keys from the outermost inwards."""
    typed = Typed(xsd, "it")
    return dict(lines(shape(Message((typed.field,)), typed.schema), ""))


def lines(node: Node, path: str) -> Iterator[tuple[str, str]]:
    for each in node.children:
        yield f"{path}{each.key}", each.words
        yield from lines(each, f"{path}{each.key}.")


def it(content: str, more: str = "") -> str:
    return f'{more}<xs:element name="it"><xs:complexType>{content}</xs:complexType></xs:element>'


def test_fields_say_what_they_hold() -> None:
    """Types, whether a field may be absent, empty or null, and what it always is."""
    found = told(
        it(
            """<xs:sequence><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:date" minOccurs="0"/>
            <xs:element name="c" type="xs:string" nillable="true"/><xs:element name="d" type="xs:string" fixed="x"/>
            <xs:element name="e" type="xs:string" minOccurs="0" maxOccurs="9"/><xs:element name="f"/></xs:sequence>
            <xs:attribute name="g" type="xs:int" use="required"/><xs:attribute name="h" type="xs:string" fixed="y"/>"""
        )
    )
    assert found == {
        "@g": "whole number",
        "@h": "string, optional, always y",
        "a": "whole number",
        "b": "date, optional",
        "c": "string, may be null",
        "d": "string, always x",
        "e": "array of string, may be empty",
        "f": "any value",
    }


def test_objects_are_told_with_what_is_in_them() -> None:
    """A type within itself is named and not told again."""
    found = told(
        it(
            '<xs:sequence><xs:element name="l" type="t:L" maxOccurs="9"/></xs:sequence>',
            """<xs:complexType name="L"><xs:sequence><xs:element name="x" type="xs:int"/>
            <xs:element name="l" type="t:L" minOccurs="0"/><xs:element name="n" type="t:N" minOccurs="0"/></xs:sequence>
            </xs:complexType><xs:complexType name="N"/>""",
        )
    )
    assert found == {
        "l": "array of objects",
        "l.x": "whole number",
        "l.l": "object (L), optional",
        "l.n": "object (N), optional",
    }


def test_elements_of_a_choice_say_what_they_stand_instead_of() -> None:
    """Each names the other ways; many are not all named."""
    found = told(
        it(
            """<xs:sequence><xs:choice><xs:element name="a"/><xs:sequence><xs:element name="b" type="xs:int"/>
            <xs:element name="c" type="xs:int" minOccurs="0"/></xs:sequence></xs:choice></xs:sequence>"""
        )
    )
    assert found["a"] == "any value, instead of b"
    assert found["c"] == "whole number, instead of a"
    many = "".join(f'<xs:element name="e{n}" type="xs:int"/>' for n in range(6))
    assert told(it(f"<xs:choice>{many}</xs:choice>"))["e0"] == "whole number, instead of e1, e2, e3, e4, ..."


def test_lists_turns_and_wildcards() -> None:
    """`$items` lists what may be in it, repeated sequences are arrays, and wildcards are XML."""
    choice = '<xs:choice maxOccurs="9"><xs:element name="a" type="xs:int"/><xs:any processContents="lax"/></xs:choice>'
    found = told(it(f"<xs:sequence>{choice}</xs:sequence>"))
    assert found == {
        "$items": "array, in order, of objects with one of",
        "$items.a": "whole number",
        "$items.$any": "XML",
    }
    turns = '<xs:element name="k" type="xs:int"/><xs:element name="v" type="xs:int"/>'
    found = told(it(f'<xs:sequence minOccurs="0" maxOccurs="9">{turns}</xs:sequence>'))
    assert found == dict.fromkeys("kv", "array of whole number, may be empty")
    found = told(it('<xs:sequence><xs:element name="a"/><xs:any namespace="##other"/></xs:sequence>'))
    assert found["$any"] == "array of XML"
    ordered = '<xs:choice maxOccurs="9"><xs:element name="a"/><xs:element name="b"/></xs:choice>'
    assert list(told(it(f"<xs:sequence>{ordered}</xs:sequence>"))) == ["$items", "$items.a", "$items.b"]


def test_text_with_attributes_and_mixed_content() -> None:
    """`$value` and `$xml` are fields too."""
    simple = '<xs:simpleContent><xs:extension base="xs:int"><xs:attribute name="u"/></xs:extension></xs:simpleContent>'
    assert told(it(simple))["$value"] == "whole number"
    mixed = '<xs:element name="it"><xs:complexType mixed="true"/></xs:element>'
    assert told(mixed) == {"$xml": "XML"}


def test_derived_types_are_named() -> None:
    """Those that may stand in a type's place stand behind `$type`."""
    found = told(
        it(
            '<xs:sequence><xs:element name="b" type="t:B"/></xs:sequence>',
            """<xs:complexType name="B"/><xs:complexType name="D"><xs:complexContent><xs:extension base="t:B"/>
            </xs:complexContent></xs:complexType>""",
        )
    )
    assert found == {"b": "object, $type D"}


def test_an_encoded_array_is_told_as_a_whole() -> None:
    """Its items are not taken apart."""
    array = Complex("{urn:t}Names", array=ArrayOf(TEXT, "{urn:t}Name"))
    root = shape(Message((Field("it", "it", 0),)), Schema((array,)))
    assert (root.words, root.whole) == ("array of string", True)


def test_an_rpc_message_has_its_parts() -> None:
    """Also one without any."""
    root = shape(Message((Field("a", "a", TEXT),), wrapper="{urn:t}Op"), Schema())
    assert [each.key for each in root.children] == ["a"]
    assert shape(Message(()), Schema()).children == ()


def test_attachments_are_told_beside_what_is_in_the_envelope() -> None:
    """As members of an object, whatever that is."""
    beside = "base64, beside the envelope"
    parts = Message((Field("a", "a", TEXT),), wrapper="{urn:t}Op", attachments=("photo",))
    assert dict(lines(shape(parts, Schema()), ""))["photo"] == beside
    root = shape(parts._replace(wrapper=None), Schema())
    assert [(each.key, each.words) for each in root.children] == [("$value", "string"), ("photo", beside)]
