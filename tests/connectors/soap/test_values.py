"""Simple values where more than text matters: qualified names and fixed values."""

import pytest

from connectors.soap.plan import Facets, Simple
from connectors.soap.simple import Unfit
from connectors.soap.values import NAME, coded, name_reader, name_writer, named_type
from connectors.soap.words import JSON
from connectors.soap.xmltext import XML_NAMESPACE, Element, parse

DECIMAL = Simple("decimal", "decimal")


def element(declared: str = 'xmlns:p="urn:p"') -> Element:
    return parse(f"<a {declared}/>".encode(), names=True)


@pytest.mark.parametrize(
    ("declared", "text", "name"),
    [
        ('xmlns:p="urn:p"', "p:a", "{urn:p}a"),
        ('xmlns:p="urn:p"', "\n p:a ", "{urn:p}a"),
        ('xmlns="urn:d"', "a", "{urn:d}a"),
        ("", "a", "a"),
        ("", "xml:lang", f"{{{XML_NAMESPACE}}}lang"),
    ],
)
def test_a_name_is_what_its_prefix_says(declared: str, text: str, name: str) -> None:
    """Prefixes are resolved where they are declared; without one the default namespace counts."""
    assert name_reader(NAME)(element(declared), text) == name


@pytest.mark.parametrize(
    ("text", "reason"), [("q:a", "prefix that is not declared"), ("a:b:c", "qualified name"), ("", "name")]
)
def test_what_is_no_name_is_refused(text: str, reason: str) -> None:
    """An undeclared prefix means nothing."""
    with pytest.raises(Unfit, match=reason):
        name_reader(NAME)(element(), text)


def test_a_name_is_written_with_a_declared_prefix() -> None:
    """The message's own where it has one, otherwise one it brings along."""
    write = name_writer(NAME, {"urn:p": "n3"})
    assert write("{urn:p}a") == ("n3:a", "")
    assert write("{urn:q}a") == ("q:a", ' xmlns:q="urn:q"')
    assert write('{urn:"}a') == ("q:a", ' xmlns:q="urn:&quot;"')
    assert write("a") == ("a", "")


@pytest.mark.parametrize("value", [None, 1, "", "p:a", "{urn:p}", "{urn:p}a b", "{urn:\x00}a", "{urn:p"])
def test_only_names_are_written(value: JSON) -> None:
    """In JSON there are no prefixes."""
    with pytest.raises(Unfit):
        name_writer(NAME, {})(value)


def test_an_enumeration_of_names_is_of_their_meaning() -> None:
    """However it is spelled, the name counts."""
    simple = NAME._replace(facets=Facets(enumeration=("{urn:p}a", "b")))
    assert name_reader(simple)(element('xmlns:z="urn:p"'), "z:a") == "{urn:p}a"
    assert name_writer(simple, {})("b") == ("b", "")
    for refuse in (lambda: name_reader(simple)(element(), "p:b"), lambda: name_writer(simple, {})("{urn:p}b")):
        with pytest.raises(Unfit, match=r"is not one of \{urn:p\}a, b"):
            refuse()


def test_the_name_of_a_type() -> None:
    """xsi:type is a name like others, but one that leads nowhere is only not found."""
    assert named_type(element(), " p:a ") == "{urn:p}a"
    assert named_type(element('xmlns="urn:d"'), "a") == "{urn:d}a"
    assert named_type(element(), "q:a") == "a"


def test_a_fixed_value() -> None:
    """Its value counts and not its spelling; nothing at all stands for it."""
    codec = coded(DECIMAL, "1.0")
    assert [codec.decode(text) for text in ("1.0", "1.0 ", "")] == ["1.0", "1.0", "1.0"]
    assert codec.encode("1.0") == "1.0"
    with pytest.raises(Unfit, match=r"must be 1\.0"):
        codec.decode("2")
    with pytest.raises(Unfit, match=r"must be 1\.0"):
        codec.encode("2")


def test_a_fixed_value_that_its_type_refuses_fixes_nothing() -> None:
    """A schema that contradicts itself is taken by its type."""
    assert coded(DECIMAL, "one").decode("2") == "2"
