"""Elements to values: the mapping rules as they are read, and what is flagged on the way."""

import time

import pytest

from connectors.soap.codec import Codec
from connectors.soap.decoding import Decoders
from connectors.soap.plan import Field, Message
from connectors.soap.words import JSON
from connectors.soap.xmltext import XmlRefused, parse
from tests.support.soap import MANY, MAYBE, SEVERAL, Typed, choice, of, one, sequence, typed

NODE = """<xs:complexType name="Node"><xs:sequence><xs:element name="n" type="t:Node" minOccurs="0"/></xs:sequence>
</xs:complexType>"""
SHAPES = """
<xs:complexType name="Shape" abstract="true"><xs:sequence>
<xs:element name="id" type="xs:int" minOccurs="0"/></xs:sequence></xs:complexType>
<xs:complexType name="Circle"><xs:complexContent><xs:extension base="t:Shape"><xs:sequence>
<xs:element name="r" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="Ring"><xs:complexContent><xs:extension base="t:Circle"><xs:sequence>
<xs:element name="hole" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>"""
ANY = '<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>'


def test_members_are_typed_by_the_schema() -> None:
    """Whatever the text looks like, its declared type decides."""
    codec = of(sequence(one("a", "xs:int"), one("b"), one("c", "xs:decimal"), one("d", "xs:boolean")))
    value = codec.json("<t:root><t:a>1</t:a><t:b>1</t:b><t:c>1</t:c><t:d>1</t:d></t:root>")
    assert value == {"a": 1, "b": "1", "c": "1", "d": True}


def test_arrays_are_always_arrays() -> None:
    """None is [], one is an array of one; by the element itself or by a group around it."""
    codec = of(sequence(one("a", "xs:int", MANY), sequence(one("b"), occurs=MANY)))
    assert codec.json("<t:root/>") == {"a": [], "b": []}
    assert codec.json("<t:root><t:a>1</t:a><t:b>x</t:b></t:root>") == {"a": [1], "b": ["x"]}
    assert codec.json("<t:root><t:a>1</t:a><t:a>2</t:a></t:root>") == {"a": [1, 2], "b": []}


@pytest.mark.parametrize(
    ("type", "xml", "value"),
    [
        ("xs:string", "<t:v/>", ""),
        ("xs:string", "<t:v></t:v>", ""),
        ("xs:int", "<t:v/>", None),
        ("xs:QName", "<t:v/>", None),
        ("xs:NMTOKENS", "<t:v/>", None),
        ("t:List", "<t:v/>", []),
        ("t:Either", "<t:v/>", ""),
        ("t:Numbers", "<t:v/>", None),
        ("xs:string", '<t:v xsi:nil="true"/>', None),
        ("xs:int", '<t:v xsi:nil="1"/>', None),
        ("t:Line", '<t:v xsi:nil="true"/>', None),
        ("t:Line", '<t:v xsi:nil="true" id="5"/>', {"@id": 5, "$value": None}),
        ("t:Line", "<t:v/>", {"a": []}),
        ("t:Priced", "<t:v/>", {"$value": None}),
        ("t:Priced", '<t:v unit="kg"/>', {"@unit": "kg", "$value": None}),
        ("t:Priced", '<t:v unit="kg">1.50</t:v>', {"@unit": "kg", "$value": "1.50"}),
        ("t:Priced", '<t:v xsi:nil="true"/>', None),
        ("t:Priced", '<t:v xsi:nil="true" unit="kg"/>', {"@unit": "kg", "$value": None}),
    ],
)
def test_nil_and_empty_elements(type: str, xml: str, value: JSON) -> None:
    """Nil is null; empty is "" of a string, [] of a list, and null of what cannot be empty."""
    codec = of(
        sequence(one("v", type, 'nillable="true"')),
        more="""<xs:simpleType name="List"><xs:list itemType="xs:int"/></xs:simpleType>
        <xs:simpleType name="Either"><xs:union memberTypes="xs:int xs:string"/></xs:simpleType>
        <xs:simpleType name="Numbers"><xs:union memberTypes="xs:int xs:boolean"/></xs:simpleType>
        <xs:complexType name="Line"><xs:sequence>
        <xs:element name="a" type="xs:int" minOccurs="0" maxOccurs="9"/></xs:sequence>
        <xs:attribute name="id" type="xs:int"/></xs:complexType>
        <xs:complexType name="Priced"><xs:simpleContent><xs:extension base="xs:decimal">
        <xs:attribute name="unit" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>""",
    )
    assert codec.json(f"<t:root>{xml}</t:root>") == {"v": value}


def test_an_empty_string_that_its_type_refuses_is_flagged() -> None:
    """A code is not "" unless the schema says so."""
    codec = of(
        sequence(one("v", "t:Code")),
        more="""<xs:simpleType name="Code"><xs:restriction base="xs:string"><xs:enumeration value="A"/></xs:restriction>
        </xs:simpleType>""",
    )
    assert codec.flaws("<t:root><t:v/></t:root>") == ({"v": ""}, [("/v", "is not one of A")])


def test_fixed_elements() -> None:
    """Another value is flagged; an empty element means the fixed value."""
    codec = of(sequence(one("v", "xs:int", 'fixed="7"')))
    assert codec.json("<t:root><t:v/></t:root>") == {"v": 7}
    assert codec.json("<t:root><t:v>07</t:v></t:root>") == {"v": 7}
    assert codec.flaws("<t:root><t:v>8</t:v></t:root>") == ({"v": "8"}, [("/v", "must be 7")])


def test_what_is_wrong_is_decoded_as_far_as_it_goes() -> None:
    """Every problem is listed with its place, and the rest is there."""
    codec = of(sequence(one("a", "xs:int"), one("b", "xs:int", SEVERAL), one("c", "xs:int", MAYBE)))
    value, problems = codec.flaws("<t:root><t:b>x</t:b><t:b>2</t:b><t:c><t:d/></t:c><t:e/></t:root>")
    assert value == {"b": ["x", 2], "c": ""}
    assert problems == [
        ("/b/0", "is not a whole number"),
        ("/c", "has elements where a plain value belongs"),
        ("", "has the element e, which the schema does not know here"),
        ("/a", "is missing"),
    ]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("<t:root>text<t:a>1</t:a></t:root>", "has text where elements belong"),
        ("<t:root><t:a>1</t:a><t:b>1</t:b></t:root>", "has elements in an order that the schema does not allow"),
        ("<t:root><a>1</a></t:root>", "has the element a, which the schema does not know here"),
    ],
)
def test_strange_content_is_flagged(xml: str, reason: str) -> None:
    """Text between elements, the wrong order, the wrong namespace."""
    codec = of(sequence(one("b", "xs:int", MAYBE), one("a", "xs:int", MAYBE)))
    assert ("", reason) in codec.flaws(xml)[1]


def test_indented_messages_are_fine() -> None:
    """White space between elements means nothing."""
    assert of(sequence(one("a", "xs:int"))).json("<t:root>\n  <t:a>1</t:a>\n</t:root>") == {"a": 1}


def test_types_without_content() -> None:
    """An empty type is an object, and has nothing inside."""
    codec = of("")
    assert codec.json("<t:root> </t:root>") == {}
    for inside in ("text", "<t:a/>"):
        assert codec.flaws(f"<t:root>{inside}</t:root>") == ({}, [("", "has content where none belongs")])


def test_a_choice_has_the_members_that_came() -> None:
    """The branches are optional properties; elements of two of them contradict each other."""
    codec = of(choice(one("a", "xs:int"), sequence(one("b"), one("c", "xs:string", MAYBE))))
    assert codec.json("<t:root><t:b>x</t:b></t:root>") == {"b": "x"}
    assert codec.flaws("<t:root><t:a>1</t:a><t:b>x</t:b></t:root>")[1] == [
        ("/b", "excludes a: only one of them may come")
    ]


def test_a_repeated_choice_is_a_list_in_order() -> None:
    """`$items` holds one object for each element."""
    codec = of(choice(one("a", "xs:int"), one("b"), occurs=MANY))
    assert codec.json("<t:root><t:b>x</t:b><t:a>1</t:a><t:b/></t:root>") == {
        "$items": [{"b": "x"}, {"a": 1}, {"b": ""}]
    }
    assert codec.json("<t:root/>") == {"$items": []}
    assert codec.flaws("<t:root><t:a>x</t:a></t:root>")[1] == [("/$items/0/a", "is not a whole number")]


def test_wildcards_keep_xml() -> None:
    """Elements the schema does not name stay XML that stands by itself: in `$any`, or in `$items` if order counts."""
    codec = of(sequence(one("a", "xs:int"), ANY))
    assert codec.json('<t:root><t:a>1</t:a><u:x y="1">z</u:x></t:root>') == {
        "a": 1,
        "$any": ['<u:x xmlns:u="urn:u" y="1">z</u:x>'],
    }
    listed = of(choice(one("a", "xs:int"), ANY, occurs=MANY))
    assert listed.json("<t:root><u:x/><t:a>1</t:a></t:root>") == {
        "$items": [{"$any": '<u:x xmlns:u="urn:u"/>'}, {"a": 1}]
    }


def test_wildcards_let_in_what_they_say() -> None:
    """An element of the schema's own namespace is not "other"."""
    codec = of(sequence(one("a", "xs:int"), ANY))
    reason = "has the element x, which the schema does not know here"
    assert codec.flaws("<t:root><t:a>1</t:a><t:x/></t:root>") == ({"a": 1}, [("", reason)])


def test_mixed_content_is_xml() -> None:
    """Text and elements as they came, with attributes beside."""
    codec = typed(
        """<xs:element name="root"><xs:complexType mixed="true"><xs:sequence><xs:any minOccurs="0"/></xs:sequence>
        <xs:attribute name="a" type="xs:int"/></xs:complexType></xs:element>"""
    )
    assert codec.json('<t:root a="1">x &amp; <b>y</b></t:root>') == {"@a": 1, "$xml": "x &amp; <b>y</b>"}


def test_derived_types_say_which_they_are() -> None:
    """xsi:type becomes `$type`; an abstract type needs one, and only those that derive from it may stand there."""
    codec = typed(f'{SHAPES}<xs:element name="root" type="t:Shape"/>')
    assert codec.json('<t:root xsi:type="t:Circle"><t:r>1</t:r></t:root>') == {"$type": "Circle", "r": 1}
    assert codec.json('<t:root xsi:type="t:Ring"><t:r>1</t:r><t:hole>2</t:hole></t:root>')["$type"] == "Ring"
    for type, reason in (
        ("", "needs an xsi:type: its own type is abstract"),
        ('xsi:type="t:Shape"', "has the xsi:type Shape, which cannot stand here"),
        ('xsi:type="u:Square"', "has the xsi:type Square, which cannot stand here"),
        ('xsi:type="nobody:Circle"', "has the xsi:type Circle, which cannot stand here"),
    ):
        assert codec.flaws(f"<t:root {type}><t:id>1</t:id></t:root>") == ({"id": 1}, [("", reason)])


def test_a_type_may_name_itself() -> None:
    """xsi:type with the declared type says nothing new."""
    codec = typed(f'{SHAPES}<xs:element name="root" type="t:Circle"/>')
    assert codec.json('<t:root xsi:type="t:Circle"><t:r>1</t:r></t:root>') == {"r": 1}


def test_types_may_contain_themselves() -> None:
    """Recursion in the schema is recursion in the value."""
    codec = typed(f'{NODE}<xs:element name="root" type="t:Node"/>')
    assert codec.json("<t:root><t:n><t:n/></t:n></t:root>") == {"n": {"n": {}}}


def test_names_in_values() -> None:
    """A QName is resolved by the prefixes around it, in elements and beside attributes."""
    codec = of(
        sequence(one("v", "xs:QName", MANY), one("w", "t:Named", MANY)),
        more="""<xs:complexType name="Named"><xs:simpleContent><xs:extension base="xs:QName">
        <xs:attribute name="a" type="xs:int"/></xs:extension></xs:simpleContent></xs:complexType>""",
    )
    assert codec.json("<t:root><t:v>u:a</t:v><t:v>b</t:v><t:w>t:c</t:w></t:root>") == {
        "v": ["{urn:u}a", "b"],
        "w": [{"$value": "{urn:t}c"}],
    }
    assert codec.flaws("<t:root><t:v>nobody:a</t:v><t:v>b<t:x/></t:v></t:root>") == (
        {"v": ["nobody:a", "b"], "w": []},
        [("/v/0", "has a prefix that is not declared"), ("/v/1", "has elements where a plain value belongs")],
    )


def test_encoded_arrays() -> None:
    """The items of a SOAP array, whatever they are called; nil ones are null."""
    codec = arrays()
    xml = '<t:root soapenc:arrayType="t:Node[3]"><item/><any><t:n/></any><item xsi:nil="true"/></t:root>'
    assert codec.json(xml) == [{}, {"n": {}}, None]


def arrays() -> Typed:
    return typed(
        f"""<xs:import namespace="http://schemas.xmlsoap.org/soap/encoding/"/>{NODE}
        <xs:complexType name="Nodes"><xs:complexContent>
        <xs:restriction base="soapenc:Array" xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/">
        <xs:attribute ref="soapenc:arrayType" xmlns:w="http://schemas.xmlsoap.org/wsdl/" w:arrayType="t:Node[]"/>
        </xs:restriction></xs:complexContent></xs:complexType><xs:element name="root" type="t:Nodes"/>""",
        encoded=True,
    )


def test_elements_nested_too_deeply_are_refused_in_words() -> None:
    """Within the parser's bound a recursive type is read, or said to be nested too deeply; nothing breaks."""
    codec = typed(f'{NODE}<xs:element name="root" type="t:Node"/>')

    def read(depth: int) -> JSON:
        text = "<n>" * depth + "</n>" * depth
        body = parse(f'<E><root xmlns="urn:t">{text}</root></E>'.encode(), names=False)
        return Codec(codec.schema).decode(Message((codec.field,)), body)

    assert read(2) == ({"n": {"n": {}}}, ())
    assert read(100)[1] == ()
    with pytest.raises(XmlRefused, match="nested more than"):
        read(2_000)


def test_a_long_array_takes_time_in_proportion() -> None:
    """A hundred thousand items are read in about ten times the time of ten thousand."""
    codec = of(sequence(one("a", "xs:int", MANY), sequence(one("b", "xs:int", MAYBE), one("c"), occurs=MANY)))
    decode = Decoders(codec.schema).field(codec.field)

    def seconds(count: int) -> float:
        body = b"<a>1</a>" * count + b"<b>2</b><c/>" * count
        root = parse(b'<root xmlns="urn:t">' + body + b"</root>", names=False)
        start = time.process_time()
        assert len(decode(root, None)["$items"]) == 2 * count
        return time.process_time() - start

    assert seconds(100_000) < 40 * max(seconds(10_000), 0.01)


def test_long_chains_of_types_are_no_burden() -> None:
    """A schema of a thousand types inside one another is compiled without running out of stack."""
    types = "".join(
        f'<xs:complexType name="T{n}">{sequence(one("e", f"t:T{n + 1}", MAYBE))}</xs:complexType>' for n in range(1_000)
    )
    codec = typed(f'{types}<xs:complexType name="T1000"/><xs:element name="root" type="t:T0"/>')
    assert len(codec.schema.types) == 1_001
    assert codec.same({"e": {"e": {}}})


def test_a_field_without_a_schema_of_its_own() -> None:
    """A simple or untyped part of an RPC message is decoded alike."""
    codec = of("")
    field = Field("a", "a", codec.compiler.type_named("{http://www.w3.org/2001/XMLSchema}int"))
    assert Decoders(codec.schema).field(field)(parse(b"<a>1</a>", names=False), None) == 1
