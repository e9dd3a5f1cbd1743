"""Values to XML: the mapping rules as they are written, and everything that is refused with its place."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.codec import Codec
from connectors.soap.plan import Message
from connectors.soap.problems import Invalid
from connectors.soap.words import JSON
from tests.connectors.soap.test_decoding import ANY, NODE, SHAPES, arrays
from tests.support.soap import MANY, MAYBE, SEVERAL, choice, of, one, sequence, typed

LINE = """<xs:complexType name="Line"><xs:sequence><xs:element name="a" type="xs:int" minOccurs="0"/></xs:sequence>
<xs:attribute name="id" type="xs:int" use="required"/></xs:complexType>"""
PRICED = """<xs:complexType name="Priced"><xs:simpleContent><xs:extension base="xs:decimal">
<xs:attribute name="unit" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>"""
NIL = 'nillable="true"'


def test_the_schema_gives_the_order() -> None:
    """However a JSON object is ordered, elements come in the schema's order."""
    codec = of(sequence(one("b"), one("a"), one("c", "xs:int", MAYBE)))
    assert codec.same({"c": 1, "a": "x", "b": "<&>"}) == (
        "<n0:root><n0:b>&lt;&amp;&gt;</n0:b><n0:a>x</n0:a><n0:c>1</n0:c></n0:root>"
    )


def test_local_elements_may_have_no_namespace() -> None:
    """As the schema's form says."""
    codec = typed(
        f'<xs:element name="root"><xs:complexType>{sequence(one("a"))}</xs:complexType></xs:element>', qualified=False
    )
    assert codec.same({"a": "x"}) == "<n0:root><a>x</a></n0:root>"


def test_empty_arrays_are_written_as_nothing() -> None:
    """And read as []; a missing array is one, too."""
    codec = of(sequence(one("a", "xs:int", MANY)))
    assert codec.same({"a": []}) == codec.xml({}) == "<n0:root></n0:root>"


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (None, [("", "must not be null")]),
        ([], [("", "must be an object")]),
        ("x", [("", "must be an object")]),
        ({}, [("/a", "is missing")]),
        ({"a": None}, [("/a", "must not be null")]),
        ({"a": 1, "b": 2}, [("/b", "must be an array")]),
        ({"a": 1, "b": ["x", 2, None]}, [("/b/0", "is not a whole number"), ("/b/2", "must not be null")]),
        ({"a": 1, "z": 1, "@y": 2}, [("/z", "is not in the schema"), ("/@y", "is not in the schema")]),
        ({"a": 1, "$type": "Other"}, [("/$type", "is not in the schema")]),
        ({"a": 1, "c": 5}, [("/c", "must be an object")]),
        ({"a": 1, "c": {"$value": "1", "x": 1}}, [("/c/x", "is not in the schema")]),
        ({"a": 1, "c": {}}, [("/c/$value", "is missing")]),
        ({"a": 1, "c": {"$value": None}}, [("/c/$value", "must not be null")]),
        ({"a": 1, "c": {"$value": "x"}}, [("/c/$value", "is not a decimal number")]),
        ({"a": 1, "d": "\x00"}, [("/d", "has a character that XML cannot carry")]),
    ],
)
def test_every_problem_is_listed(value: JSON, problems: list[tuple[str, str]]) -> None:
    """Each with the pointer to the member it is about."""
    content = sequence(
        one("a", "xs:int"), one("b", "xs:int", MANY), one("c", "t:Priced", MAYBE), one("d", "xs:string", MAYBE)
    )
    assert of(content, more=PRICED).problems(value) == problems


def test_the_types_own_name_may_be_given() -> None:
    """`$type` with the declared type says nothing new."""
    codec = typed(f'{LINE}<xs:element name="root" type="t:Line"/>')
    assert codec.problems({"@id": 1, "$type": "Line"}) == []
    assert codec.problems({"@id": 1, "$type": 5}) == [("/$type", "is not in the schema")]


@pytest.mark.parametrize(
    ("member", "value", "xml"),
    [
        ("s", None, '<n0:s xsi:nil="true"/>'),
        ("s", "", "<n0:s></n0:s>"),
        ("q", None, '<n0:q xsi:nil="true"/>'),
        ("l", {"@id": 5, "$value": None}, '<n0:l xsi:nil="true" id="5"/>'),
        ("l", {"@id": 5}, '<n0:l id="5"></n0:l>'),
        ("p", None, '<n0:p xsi:nil="true"/>'),
        ("p", {"@unit": "kg", "$value": None}, '<n0:p xsi:nil="true" unit="kg"/>'),
        ("p", {"$value": "1.5"}, "<n0:p>1.5</n0:p>"),
        ("n", None, '<n0:n xsi:nil="true"/>'),
        ("n", {}, "<n0:n></n0:n>"),
    ],
)
def test_null_is_nil(member: str, value: JSON, xml: str) -> None:
    """Where the element is nillable; beside attributes it is a `$value` that is null."""
    kinds = {"s": "xs:string", "q": "xs:QName", "l": "t:Line", "p": "t:Priced", "n": "t:Node"}
    codec = of(
        sequence(*(one(name, kind, f"{NIL} {MAYBE}") for name, kind in kinds.items())), more=LINE + PRICED + NODE
    )
    assert codec.same({member: value}) == f"<n0:root>{xml}</n0:root>"


def test_nil_has_its_attributes_all_the_same() -> None:
    """Null has none, so it cannot stand for an element that needs some; and nil has nothing else."""
    codec = of(sequence(one("l", "t:Line", NIL)), more=LINE)
    assert codec.problems({"l": None}) == [("/l/@id", "is missing")]
    assert codec.problems({"l": {"@id": 1, "$value": None, "a": 1}}) == [("/l/a", "is not in the schema")]


def test_fixed_elements() -> None:
    """Only the fixed value is sent."""
    codec = of(sequence(one("v", "xs:int", 'fixed="7"')))
    assert codec.same({"v": 7}) == "<n0:root><n0:v>7</n0:v></n0:root>"
    assert codec.problems({"v": 8}) == [("/v", "must be 7")]


# ------------------------------------------------------------------------------------------------ choices and lists


def test_a_choice_is_written_by_what_is_there() -> None:
    """One branch, whole; nested choices are choices."""
    codec = of(
        choice(one("a", "xs:int"), choice(one("b"), sequence(one("c"), one("d"))), sequence(one("e", "xs:int", MAYBE)))
    )
    for value in ({"a": 1}, {"b": "x"}, {"d": "x", "c": "y"}, {"e": 1}, {}):
        codec.same(value)
    assert codec.problems({"c": "x"}) == [("/d", "is missing")]
    assert codec.problems({"a": 1, "b": "x"}) == [("/b", "excludes a: only one of them may come")]


def test_branches_may_share_elements() -> None:
    """In an order that suits both, they are one member; otherwise all becomes `$items`."""
    codec = of(choice(sequence(one("a"), one("c")), sequence(one("b"), one("c"))))
    codec.same({"c": "x", "a": "y"})
    codec.same({"c": "x", "b": "y"})
    other = of(choice(sequence(one("x"), one("a"), one("b")), sequence(one("b"), one("a"))))
    other.same({"$items": [{"b": "1"}, {"a": "2"}]})
    other.same({"$items": [{"x": "0"}, {"a": "1"}, {"b": "2"}]})
    wrong = "has elements in an order that the schema does not allow"
    assert other.problems({"$items": [{"a": "1"}, {"b": "2"}]}) == [("", wrong)]


def test_all_is_written_in_any_order_that_the_schema_has() -> None:
    """Members of xs:all, optional ones too."""
    codec = of(f"<xs:all>{one('a', 'xs:int', MAYBE)}{one('b')}</xs:all>")
    codec.same({"b": "x"})
    codec.same({"b": "x", "a": 1})
    assert codec.json("<t:root><t:b>x</t:b><t:a>1</t:a></t:root>") == {"a": 1, "b": "x"}
    assert codec.problems({"a": 1}) == [("/b", "is missing")]


def test_a_repeated_choice_is_written_in_the_lists_order() -> None:
    """`$items` as they come."""
    codec = of(sequence(one("x"), choice(one("a", "xs:int"), one("b"), ANY, occurs=SEVERAL)))
    codec.same({"x": "", "$items": [{"b": "1"}, {"a": 2}, {"$any": '<q xmlns="urn:q"/>'}, {"b": "3"}]})
    assert codec.problems({"x": "", "$items": [{"a": "x"}, {"c": 1}, 5, {"$any": "<"}, {}]}) == [
        ("/$items/0/a", "is not a whole number"),
        ("/$items/1", "must be an object with one member: a, b, $any"),
        ("/$items/2", "must be an object with one member: a, b, $any"),
        ("/$items/3/$any", "is not well-formed XML that stands by itself"),
        ("/$items/4", "must be an object with one member: a, b, $any"),
    ]
    assert codec.problems({"x": "", "$items": {}}) == [("/$items", "must be an array")]
    assert codec.problems({"$items": []}) == [("/x", "is missing")]


def test_a_list_without_wildcard_has_no_any() -> None:
    """Only elements that the schema names."""
    codec = of(choice(one("a", "xs:int"), one("b"), occurs=SEVERAL))
    assert codec.problems({"$items": [{"$any": "<q/>"}]}) == [("/$items/0", "must be an object with one member: a, b")]


def test_arrays_that_take_turns() -> None:
    """Members of a repeated sequence are arrays of the same length."""
    codec = of(sequence(one("k"), one("v", "xs:int"), occurs=MANY))
    assert codec.same({"k": ["a", "b"], "v": [1, 2]}) == (
        "<n0:root><n0:k>a</n0:k><n0:v>1</n0:v><n0:k>b</n0:k><n0:v>2</n0:v></n0:root>"
    )
    assert codec.xml({}) == "<n0:root></n0:root>"
    assert codec.problems({"k": ["a"], "v": []}) == [("/v", "must be as long as k")]
    assert codec.problems({"k": ["a"]}) == [("/v", "must be as long as k")]
    assert codec.problems({"k": "a", "v": []}) == [("/k", "must be an array")]
    assert codec.problems({"k": ["a"], "v": ["x"]}) == [("/v/0", "is not a whole number")]


# ------------------------------------------------------------------------------------------------ any, mixed, names


def test_wildcards_write_elements() -> None:
    """Each a string of XML, of a namespace that the schema allows, and none that has a member of its own."""
    codec = of(sequence(one("a", "xs:int"), ANY))
    codec.same({"a": 1, "$any": ['<q xmlns="urn:q">1</q>', '<p:q xmlns:p="urn:p"/>']})
    assert codec.problems(
        {"a": 1, "$any": ["<q/>", '<q xmlns="urn:t"/>', '<a xmlns="urn:t">1</a>', "</n0:root>", 5]}
    ) == [
        ("/$any/0", "is of a namespace that the schema does not allow here"),
        ("/$any/1", "is of a namespace that the schema does not allow here"),
        ("/$any/2", "holds a, which has a member of its own"),
        ("/$any/3", "is not well-formed XML that stands by itself"),
        ("/$any/4", "must be a string of XML"),
    ]
    assert codec.problems({"a": 1, "$any": "<q/>"}) == [("/$any", "must be an array of XML elements")]


def test_mixed_content_is_written_anew() -> None:
    """What is not well-formed by itself is refused; nothing at all is no problem."""
    codec = typed(
        """<xs:element name="root"><xs:complexType mixed="true"><xs:sequence>
        <xs:any minOccurs="0" processContents="lax"/></xs:sequence></xs:complexType></xs:element>"""
    )
    codec.same({"$xml": "a &amp; <b>c</b>"})
    assert codec.xml({}) == "<n0:root></n0:root>"
    assert codec.problems({"$xml": "</n0:root><n0:root>"}) == [
        ("/$xml", "is not well-formed XML that stands by itself")
    ]
    assert codec.problems({"$xml": 1, "a": 1}) == [("/$xml", "must be a string of XML"), ("/a", "is not in the schema")]


def test_names_bring_their_prefixes() -> None:
    """Those of the schema are declared already; any other is declared where it is needed."""
    named = """<xs:complexType name="Named"><xs:simpleContent><xs:extension base="xs:QName">
        <xs:attribute name="a" type="xs:int"/></xs:extension></xs:simpleContent></xs:complexType>"""
    codec = of(sequence(one("v", "xs:QName", MANY), one("w", "t:Named", MAYBE)), more=named)
    assert codec.same({"v": ["{urn:t}a", "{urn:z}b", "c"], "w": {"@a": 1, "$value": "{urn:z}d"}}) == (
        '<n0:root><n0:v>n0:a</n0:v><n0:v xmlns:q="urn:z">q:b</n0:v><n0:v>c</n0:v>'
        '<n0:w a="1" xmlns:q="urn:z">q:d</n0:w></n0:root>'
    )
    assert codec.problems({"v": ["x:a", None], "w": {"$value": "x:a"}}) == [
        ("/v/0", "is not a name without colon"),
        ("/v/1", "must not be null"),
        ("/w/$value", "is not a name without colon"),
    ]


def test_elements_of_the_same_name_are_told_apart() -> None:
    """Where local names clash, the namespace is in the key."""
    codec = typed(
        f"""{one("a", "xs:int")}<xs:element name="root"><xs:complexType><xs:sequence>
        <xs:element ref="t:a"/><xs:element ref="u:a"/><xs:element ref="u:b"/></xs:sequence></xs:complexType>
        </xs:element>""",
        other=one("a") + one("b"),
    )
    codec.same({"{urn:t}a": 1, "{urn:u}a": "x", "b": "y"})


# ------------------------------------------------------------------------------------------------ derived, encoded


def test_derived_types_are_named() -> None:
    """`$type` becomes xsi:type, from one level below or two; an abstract type needs one."""
    codec = typed(f'{SHAPES}<xs:element name="root" type="t:Shape"/>')
    assert codec.same({"$type": "Circle", "id": 1, "r": 2}) == (
        '<n0:root xsi:type="n0:Circle"><n0:id>1</n0:id><n0:r>2</n0:r></n0:root>'
    )
    codec.same({"$type": "Ring", "r": 2, "hole": 1})
    assert codec.problems({"id": 1}) == [("/$type", "is missing: it must be one of Circle, Ring")]
    assert codec.problems({"$type": "Shape"})[0] == ("/$type", "is not one of Circle, Ring")
    assert codec.problems({"$type": ["Circle"]})[0] == ("/$type", "is not one of Circle, Ring")
    assert codec.problems({"$type": "Circle", "hole": 1}) == [("/r", "is missing"), ("/hole", "is not in the schema")]
    assert codec.problems(5)[-1] == ("", "must be an object")


def test_derived_types_may_be_left_to_the_declared_one() -> None:
    """Where it is not abstract, no `$type` and its own mean the same."""
    codec = typed(f'{SHAPES}<xs:element name="root" type="t:Circle"/>')
    assert codec.same({"r": 1}) == codec.xml({"r": 1, "$type": "Circle"}) == "<n0:root><n0:r>1</n0:r></n0:root>"
    assert codec.problems({"r": 1, "$type": "Shape"}) == [("/$type", "is not one of Ring")]


def test_derived_types_of_one_name_are_told_apart() -> None:
    """Where local names clash, the namespace is in the word."""
    extension = """<xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base"/></xs:complexContent>
        </xs:complexType>"""
    codec = typed(
        f'<xs:complexType name="Base"/>{extension}<xs:element name="root" type="t:Base"/>',
        other=f'<xs:import namespace="urn:t"/>{extension}',
    )
    for word in ("{urn:t}More", "{urn:u}More"):
        assert codec.json(codec.xml({"$type": word})) == {"$type": word}


def test_encoded_messages_tell_every_type() -> None:
    """xsi:type on every element, once, and any element may be nil."""
    parts = (one("a", "t:Code"), one("s", "t:Shape"), one("l", "xs:NMTOKENS"), one("q", "xs:QName"))
    codec = typed(
        f"""{SHAPES}<xs:simpleType name="Code"><xs:restriction base="xs:token"/></xs:simpleType>
        <xs:complexType name="Root">{sequence(*parts)}</xs:complexType>
        <xs:element name="root" type="t:Root"/>""",
        encoded=True,
    )
    value = {"a": "x", "s": {"$type": "Circle", "r": 1}, "l": ["y"], "q": "{urn:z}n"}
    assert codec.json(codec.xml(value)) == value
    assert codec.xml(value) == (
        '<n0:root xsi:type="n0:Root"><n0:a xsi:type="xsd:token">x</n0:a>'
        '<n0:s xsi:type="n0:Circle"><n0:r xsi:type="xsd:int">1</n0:r></n0:s><n0:l>y</n0:l>'
        '<n0:q xsi:type="xsd:QName" xmlns:q="urn:z">q:n</n0:q></n0:root>'
    )
    assert 'xsi:nil="true"' in codec.xml({"a": None, "s": None, "l": ["y"], "q": None})


def test_encoded_arrays_tell_what_they_are_of() -> None:
    """arrayType has the type of the items and their number."""
    codec = arrays()
    value: JSON = [{}, {"n": {}}, None]
    assert codec.json(codec.xml(value)) == value
    assert codec.xml(value) == (
        '<n0:root xsi:type="soapenc:Array" soapenc:arrayType="n0:Node[3]"><item xsi:type="n0:Node"></item>'
        '<item xsi:type="n0:Node"><n0:n xsi:type="n0:Node"></n0:n></item><item xsi:nil="true"/></n0:root>'
    )
    assert codec.problems({}) == [("", "must be an array")]
    assert codec.problems([{"x": 1}]) == [("/0/x", "is not in the schema")]


# ------------------------------------------------------------------------------------------------ depth and size


def test_a_value_nested_too_deeply_is_a_problem_like_others() -> None:
    """Two thousand levels of a recursive type are refused, in words."""
    codec = typed(f'{NODE}<xs:element name="root" type="t:Node"/>')
    value: JSON = {}
    for _ in range(2_000):
        value = {"n": value}
    with pytest.raises(Invalid, match="nested too deeply"):
        Codec(codec.schema).encode(Message((codec.field,)), value)


def test_a_long_array_takes_time_in_proportion() -> None:
    """A hundred thousand items are written in about ten times the time of ten thousand."""
    codec = of(sequence(one("a", "xs:int", MANY), choice(one("b", "xs:int"), one("c"), occurs=MANY)))

    def seconds(count: int) -> float:
        start = time.process_time()
        codec.xml({"a": [1] * count, "$items": [{"b": 1}, {"c": "x"}] * count})
        return time.process_time() - start

    assert seconds(100_000) < 40 * max(seconds(10_000), 0.01)


@given(st.lists(st.text('ab<&> \n\r\t"]é', max_size=5), max_size=3), st.none() | st.integers(-(2**31), 2**31 - 1))
def test_values_come_back(texts: list[str], number: int | None) -> None:
    """Any texts and numbers go to XML and back unchanged."""
    codec = of(sequence(one("t", "xs:string", MANY), one("n", "xs:int", NIL)))
    codec.same({"t": texts, "n": number})
