"""Attributes, both ways: named ones, any others, and that no key of JSON becomes more than an attribute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.words import JSON
from connectors.soap.xmltext import XML_NAMESPACE, XSI
from tests.support.soap import of, typed

ATTRIBUTES = """
<xs:attribute name="id" type="xs:int" use="required"/><xs:attribute name="when" type="xs:date"/>
<xs:attribute name="version" fixed="1.0" type="xs:decimal"/><xs:attribute name="gone" use="prohibited"/>"""
OPEN = '<xs:attribute name="id" type="xs:int"/><xs:anyAttribute processContents="lax"/>'


def test_attributes_are_members_with_an_at() -> None:
    """Each is typed like an element; absent ones are left out."""
    codec = of("", ATTRIBUTES)
    assert codec.same({"@id": 7, "@when": "2024-02-29"}) == '<n0:root id="7" when="2024-02-29"></n0:root>'
    assert codec.same({"@id": 7}) == '<n0:root id="7"></n0:root>'


def test_required_attributes_are_missed() -> None:
    """In requests and in replies."""
    codec = of("", ATTRIBUTES)
    assert codec.problems({}) == [("/@id", "is missing")]
    assert codec.flaws("<t:root/>") == ({}, [("/@id", "is missing")])


def test_wrong_values_are_told_where_they_are() -> None:
    """A request lists them; a reply is read as far as it goes, the text standing for the value."""
    codec = of("", ATTRIBUTES)
    assert codec.problems({"@id": "x", "@when": 1}) == [
        ("/@id", "is not a whole number"),
        ("/@when", "must be a string, not a number"),
    ]
    assert codec.flaws('<t:root id="x"/>') == ({"@id": "x"}, [("/@id", "is not a whole number")])


def test_a_fixed_value_is_the_only_one() -> None:
    """Another value than the schema's is a problem; another spelling is none."""
    codec = of("", ATTRIBUTES)
    codec.same({"@id": 1, "@version": "1.0"})
    assert codec.problems({"@id": 1, "@version": 1}) == []
    assert codec.problems({"@id": 1, "@version": "2"}) == [("/@version", "must be 1.0")]
    assert codec.flaws('<t:root id="1" version="2"/>') == ({"@id": 1, "@version": "2"}, [("/@version", "must be 1.0")])


def test_unknown_attributes_are_objected_to() -> None:
    """A request may not have them; those of a reply are dropped, and it is flagged."""
    codec = of("", ATTRIBUTES)
    assert codec.problems({"@id": 1, "@other": "x"}) == [("/@other", "is not in the schema")]
    reason = "has the attribute other, which the schema does not know here"
    assert codec.flaws('<t:root id="1" other="x"/>') == ({"@id": 1}, [("", reason)])
    assert of("").flaws('<t:root other="x"/>') == ({}, [("", reason)])


def test_attributes_of_the_protocol_are_nobodys_business() -> None:
    """xsi:type, encodingStyle, ids and references may stand anywhere."""
    xml = '<t:root xsi:type="t:x" soapenc:root="1" id="a" href="#a" xsi:schemaLocation="a b"/>'
    assert of("").json(xml) == {}


def test_attributes_of_the_same_name_are_told_apart() -> None:
    """Where local names clash, the namespace is in the key; both are written with their prefixes."""
    other = '<xs:attribute name="unit" type="xs:string"/>'
    codec = typed(
        """<xs:attribute name="unit" type="xs:int"/><xs:element name="root"><xs:complexType>
        <xs:attribute ref="t:unit"/><xs:attribute ref="u:unit"/><xs:attribute name="only" type="xs:int"/>
        </xs:complexType></xs:element>""",
        other=other,
    )
    codec.same({"@{urn:t}unit": 1, "@{urn:u}unit": "kg", "@only": 2})


def test_xml_lang_needs_no_prefix_of_its_own() -> None:
    """The prefix `xml` is never declared."""
    codec = typed(
        f"""<xs:import namespace="{XML_NAMESPACE}"/><xs:element name="root"><xs:complexType>
        <xs:attribute ref="xml:lang"/></xs:complexType></xs:element>"""
    )
    assert codec.xml({"@lang": "en-GB"}) == '<n0:root xml:lang="en-GB"></n0:root>'
    assert codec.json('<t:root xml:lang="cy"/>') == {"@lang": "cy"}
    assert XML_NAMESPACE not in dict(codec.schema.prefixes)


def test_names_in_attributes_are_resolved() -> None:
    """A QName is {namespace}local in JSON, and brings its prefix if the message has none for it."""
    codec = of("", '<xs:attribute name="a" type="xs:QName"/><xs:attribute name="b" type="xs:QName"/>')
    assert codec.json('<t:root a="u:x" b="y"/>') == {"@a": "{urn:u}x", "@b": "y"}
    xml = codec.same({"@a": "{urn:u}x", "@b": "{urn:w}y"})
    assert xml == '<n0:root a="q0:x" xmlns:q0="urn:u" b="q1:y" xmlns:q1="urn:w"></n0:root>'
    assert codec.flaws('<t:root a="nobody:x"/>') == ({"@a": "nobody:x"}, [("/@a", "has a prefix that is not declared")])


# ------------------------------------------------------------------------------------------------ any others


@pytest.mark.parametrize(
    ("key", "xml"),
    [
        ("@plain", ' plain="é &lt;&quot;"'),
        ("@data-x.y", ' data-x.y="é &lt;&quot;"'),
        ("@{urn:x}far", ' xmlns:a1="urn:x" a1:far="é &lt;&quot;"'),
        (f"@{{{XML_NAMESPACE}}}note", ' xml:note="é &lt;&quot;"'),
    ],
)
def test_any_attribute_may_be_allowed(key: str, xml: str) -> None:
    """An attribute the schema does not name is text, and comes back under the same key."""
    codec = of("", OPEN)
    value: JSON = {"@id": 1, key: 'é <"'}
    assert codec.xml(value) == f'<n0:root id="1"{xml}></n0:root>'
    assert codec.json(codec.xml(value)) == value


@pytest.mark.parametrize(
    "key",
    [
        "@xmlns",
        "@{urn:x}xmlns",
        "@{http://www.w3.org/2000/xmlns/}q",
        f"@{{{XSI}}}type",
        f"@{{{XSI}}}nil",
        "@{}id",
        "@{}x",
        "@a b",
        "@a\n",
        "@",
        "@{urn:x}",
        "@{urn:x",
        "@a:b",
        '@a="1" b',
        "@\x00",
        "@{\x00}a",
        "@{urn:\ud800}a",
        "@1",
    ],
)
def test_no_key_is_more_than_an_attribute(key: str) -> None:
    """Declarations, the protocol's own attributes, second spellings and what is no name: nothing of it is written."""
    assert [each.pointer for each in of("", OPEN).problems({key: "x"})] == ["/" + key.replace("/", "~1")]


def test_an_id_is_an_attribute_like_others_where_any_are_allowed() -> None:
    """It is only nobody's business where the schema does not let it in."""
    assert of("", '<xs:anyAttribute processContents="lax"/>').same({"@id": "a"}) == '<n0:root id="a"></n0:root>'


@pytest.mark.parametrize("value", [1, None, ["x"], "\x00", "\ud800"])
def test_other_attributes_are_text(value: JSON) -> None:
    """There is no type to say what else they could be."""
    assert [each.pointer for each in of("", OPEN).problems({"@x": value})] == ["/@x"]


@given(st.dictionaries(st.text(max_size=8).map("@{}".format), st.text(max_size=5), max_size=3))
def test_anything_at_all_as_attributes(value: dict[str, str]) -> None:
    """Whatever keys and texts come, they are refused or come back unchanged."""
    codec = of("", '<xs:anyAttribute processContents="lax"/>')
    if not codec.problems(value):
        assert codec.json(codec.xml(value)) == value
