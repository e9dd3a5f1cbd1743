"""What wildcards let in, and what they ask of it."""

import pytest

from connectors.soap.plan import AnyAttribute, Wild
from connectors.soap.wildcards import NOT_DECLARED, admission, lets_in
from connectors.soap.words import JSON
from connectors.soap.xmltext import XSD, XSI
from tests.support.soap import Typed, of, one, sequence


@pytest.mark.parametrize(
    ("namespaces", "target", "allowed"),
    [
        (("##any",), "urn:t", ["a", "{urn:t}a", "{urn:u}a"]),
        (("##other",), "urn:t", ["{urn:u}a"]),
        (("##other",), "", ["{urn:t}a", "{urn:u}a"]),
        (("##local",), "urn:t", ["a"]),
        (("",), "urn:t", ["a"]),
        (("##targetNamespace",), "urn:t", ["{urn:t}a"]),
        (("urn:u", "##local"), "urn:t", ["a", "{urn:u}a"]),
        ((), "urn:t", []),
    ],
)
def test_wildcards_let_in_some_namespaces(namespaces: tuple[str, ...], target: str, allowed: list[str]) -> None:
    """As the schema says: any, other than its own, none, its own, or those that are listed."""
    admits = admission((Wild(namespaces, target=target),))
    assert [name for name in ("a", "{urn:t}a", "{urn:u}a") if admits(name)] == allowed


def test_one_of_several_wildcards_is_enough() -> None:
    """An element may stand where any of them lets it in."""
    admits = admission((Wild(("urn:a",)), Wild(("urn:b",))))
    assert [admits(name) for name in ("{urn:a}x", "{urn:b}x", "{urn:c}x")] == [True, True, False]


@pytest.mark.parametrize(("namespaces", "allowed"), [(("##other",), ["{urn:u}a"]), (("", "urn:t"), ["a", "{urn:t}a"])])
def test_wildcards_for_attributes(namespaces: tuple[str, ...], allowed: list[str]) -> None:
    """They name namespaces as those for elements do."""
    wild = AnyAttribute(namespaces, "urn:t")
    assert [name for name in ("a", "{urn:t}a", "{urn:u}a") if lets_in(wild, name)] == allowed


DECLARED = """<xs:element name="known" type="xs:string"/>
<xs:attribute name="unit" type="xs:int"/><xs:attribute name="name" type="xs:QName"/>"""


def with_any(process: str, namespaces: str = "##any") -> Typed:
    """The codec of an element that holds one element of any name."""
    return of(sequence(f'<xs:any namespace="{namespaces}" processContents="{process}"/>'), more=DECLARED)


KNOWN = '<t:known xmlns:t="urn:t">x</t:known>'
UNKNOWN = '<q:other xmlns:q="urn:q"/>'
TYPED = f'<q:other xmlns:q="urn:q" xmlns:xsi="{XSI}" xmlns:xsd="{XSD}" xsi:type="xsd:string">x</q:other>'
SAID = f"has the element other, {NOT_DECLARED}"


@pytest.mark.parametrize(
    ("process", "xml", "said"),
    [
        ("strict", KNOWN, []),
        ("strict", UNKNOWN, [SAID]),
        ("strict", TYPED, []),
        ("lax", UNKNOWN, []),
        ("skip", UNKNOWN, []),
    ],
)
def test_elements(process: str, xml: str, said: list[str]) -> None:
    """A strict wildcard asks for a declared element, or one that tells its type; what came is kept all the same."""
    codec = with_any(process)
    assert codec.flaws(f"<t:root>{xml}</t:root>") == ({"$any": [xml]}, [("", each) for each in said])
    assert codec.problems({"$any": [xml]}) == [("/$any/0", each) for each in said]


def test_another_wildcard_may_not_ask() -> None:
    """Where one of several wildcards lets an element in without a question, it may stand."""
    codec = of(
        sequence(
            '<xs:any processContents="strict" namespace="urn:q urn:r" minOccurs="0"/>',
            one("x"),
            '<xs:any namespace="urn:q" minOccurs="0" processContents="lax"/>',
        )
    )
    xml = "<t:root><t:x>a</t:x>%s</t:root>"
    assert codec.flaws(xml % UNKNOWN)[1] == []
    assert [reason for _, reason in codec.flaws(xml % UNKNOWN.replace("urn:q", "urn:r"))[1]] == [SAID]


@pytest.mark.parametrize(
    ("process", "key", "text", "said"),
    [
        ("strict", "@{urn:t}unit", "5", None),
        ("strict", "@{urn:t}unit", "five", "is not a whole number"),
        ("strict", "@{urn:t}name", "t:a", None),
        ("strict", "@{urn:t}other", "5", f"is the attribute other, {NOT_DECLARED}"),
        ("lax", "@{urn:t}unit", "five", "is not a whole number"),
        ("lax", "@{urn:t}other", "5", None),
        ("skip", "@{urn:t}unit", "five", None),
    ],
)
def test_attributes(process: str, key: str, text: str, said: str | None) -> None:
    """A declared one fits its type, unless that is skipped; a strict wildcard lets in no other. All are texts."""
    codec = of("", f'<xs:anyAttribute processContents="{process}"/>', DECLARED)
    reasons = [] if said is None else [(f"/{key}", said)]
    value, flaws = codec.flaws(f'<t:root t:{key[8:]}="{text}"/>')
    assert (value, flaws) == ({key: text}, reasons)
    assert codec.problems({key: text}) == reasons


@pytest.mark.parametrize(
    ("namespaces", "key", "allowed"),
    [
        ("##other", "@{urn:u}a", True),
        ("##other", "@{urn:t}a", False),
        ("##other", "@a", False),
        ("##local", "@a", True),
        ("urn:u", "@{urn:u}a", True),
        ("urn:u", "@{urn:q}a", False),
    ],
)
def test_namespaces_of_attributes(namespaces: str, key: str, allowed: bool) -> None:
    """An attribute of a namespace that is not let in is none of the type's, in either direction."""
    codec = of("", f'<xs:anyAttribute namespace="{namespaces}" processContents="lax"/>')
    value: JSON = {key: "x"}
    xml = of("", '<xs:anyAttribute processContents="lax"/>').xml(value)
    if allowed:
        assert codec.same(value) == xml
    else:
        unknown = "has the attribute a, which the schema does not know here"
        assert codec.problems(value) == [(f"/{key}", "is of a namespace that the schema does not allow here")]
        assert codec.flaws(xml) == ({}, [("", unknown)])
