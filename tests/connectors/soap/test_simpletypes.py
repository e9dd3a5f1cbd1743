"""Simple types of a schema: what kind of value, and everything that restricts it."""

import pytest

from connectors.soap.plan import Facets, Simple
from connectors.soap.xmltext import XSD
from tests.support.soap import of, one, sequence


def simple(definition: str, more: str = "") -> Simple:
    """The plan of a simple type written here."""
    named = f'<xs:simpleType name="S">{definition}</xs:simpleType>' if definition.startswith("<") else ""
    codec = of(sequence(one("v", "t:S" if named else definition)), more=named + more)
    content = codec.schema.types[0].content
    assert content is not None
    found = content.parts[0].type  # type: ignore[union-attr]
    assert isinstance(found, Simple)
    return found


def restriction(base: str, *facets: str) -> str:
    inside = "".join(f'<xs:{name} value="{value}"/>' for name, value in (each.split("=", 1) for each in facets))
    return f'<xs:restriction base="{base}">{inside}</xs:restriction>'


@pytest.mark.parametrize(
    ("type", "kind", "base"),
    [
        ("xs:string", "string", "string"),
        ("xs:token", "string", "token"),
        ("xs:unsignedByte", "integer", "unsignedByte"),
        ("xs:decimal", "decimal", "decimal"),
        ("xs:double", "float", "double"),
        ("xs:dateTime", "dateTime", "dateTime"),
        ("xs:gDay", "verbatim", "gDay"),
        ("xs:base64Binary", "base64", "base64Binary"),
        ("xs:hexBinary", "hex", "hexBinary"),
        ("xs:QName", "qname", "QName"),
        ("xs:ID", "string", "ID"),
    ],
)
def test_built_in_types(type: str, kind: str, base: str) -> None:
    """Each has its kind; a built-in type has no facets of its own here."""
    found = simple(type)
    assert (found.kind, found.base, found.name) == (kind, base, f"{{{XSD}}}{base}")
    assert found.facets._replace(white_space="collapse") == Facets()


@pytest.mark.parametrize(
    ("base", "facet", "facets"),
    [
        ("xs:string", "length=3", Facets("preserve", length=3)),
        ("xs:string", "minLength=3", Facets("preserve", min_length=3)),
        ("xs:string", "maxLength=3", Facets("preserve", max_length=3)),
        ("xs:string", "enumeration=a", Facets("preserve", enumeration=("a",))),
        ("xs:string", "whiteSpace=collapse", Facets("collapse")),
        ("xs:token", "enumeration= a ", Facets("collapse", enumeration=(" a ",))),
        ("xs:decimal", "totalDigits=5", Facets(total_digits=5)),
        ("xs:decimal", "fractionDigits=2", Facets(fraction_digits=2)),
        ("xs:decimal", "minInclusive=1.0", Facets(min_inclusive="1.0")),
        ("xs:decimal", "maxInclusive=1.0", Facets(max_inclusive="1.0")),
        ("xs:decimal", "minExclusive=1.0", Facets(min_exclusive="1.0")),
        ("xs:decimal", "maxExclusive=1.0", Facets(max_exclusive="1.0")),
    ],
)
def test_facets_are_kept_as_they_are_spelled(base: str, facet: str, facets: Facets) -> None:
    """Every facet, and the white space of the base."""
    assert simple(restriction(base, facet)).facets == facets


def test_patterns_of_all_levels_count() -> None:
    """A pattern of the base holds as well; those of one level are alternatives."""
    base = f'<xs:simpleType name="B">{restriction("xs:string", "pattern=[a-z]+")}</xs:simpleType>'
    found = simple(restriction("t:B", "pattern=a.*", "pattern=b.*"), base)
    assert [len(choices) for choices in found.facets.patterns] == [2, 1]


def test_the_nearest_level_counts() -> None:
    """A restriction of a restriction is what the innermost says."""
    base = f'<xs:simpleType name="B">{restriction("xs:int", "minInclusive=1", "maxInclusive=9")}</xs:simpleType>'
    found = simple(restriction("t:B", "maxInclusive=5"), base)
    assert (found.facets.min_inclusive, found.facets.max_inclusive, found.name) == ("1", "5", "{urn:t}S")


def test_lists() -> None:
    """A list is of its items; a restriction of it restricts the list."""
    base = '<xs:simpleType name="L"><xs:list itemType="xs:int"/></xs:simpleType>'
    found = simple(restriction("t:L", "maxLength=2"), base)
    assert found.kind == "list"
    assert found.item is not None
    assert (found.item.kind, found.facets) == ("integer", Facets(max_length=2))


@pytest.mark.parametrize(
    ("type", "item"), [("xs:NMTOKENS", "NMTOKEN"), ("xs:IDREFS", "IDREF"), ("xs:ENTITIES", "ENTITY")]
)
def test_built_in_lists(type: str, item: str) -> None:
    """Lists of at least one; restricted or not."""
    for found in (simple(type), simple(restriction(type, "maxLength=2"))):
        assert found.item is not None
        assert (found.kind, found.item.base, found.facets.min_length) == ("list", item, 1)


def test_unions() -> None:
    """A union is of its members, in their order."""
    found = simple('<xs:union memberTypes="xs:int xs:date"/>')
    assert (found.kind, [member.base for member in found.members]) == ("union", ["int", "date"])


def test_list_and_union_values() -> None:
    """Arrays between white space; the first member that fits."""
    types = """<xs:simpleType name="L"><xs:list itemType="xs:int"/></xs:simpleType>
        <xs:simpleType name="U"><xs:union memberTypes="xs:int xs:date"/></xs:simpleType>"""
    codec = of(sequence(one("l", "t:L"), one("u", "t:U")), '<xs:attribute name="n" type="xs:NMTOKENS"/>', types)
    codec.same({"l": [], "u": 1})
    codec.same({"l": [1, 2], "u": "2024-02-29", "@n": ["a", "b"]})


def test_names_are_enumerated_by_their_meaning() -> None:
    """QNames of an enumeration are resolved where the schema says them; other facets of their text mean nothing."""
    found = simple(restriction("xs:QName", "enumeration=t:a", "enumeration=xs:b", "pattern=.*"))
    assert found.facets == Facets(enumeration=("{urn:t}a", f"{{{XSD}}}b"))


def test_attributes_of_any_simple_type_are_text() -> None:
    """What says nothing about itself is taken as it is."""
    assert (
        of("", '<xs:attribute name="a" type="xs:anySimpleType"/>').same({"@a": " x "}) == '<n0:root a=" x "></n0:root>'
    )
