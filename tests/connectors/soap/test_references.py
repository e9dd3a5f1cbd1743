import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors.soap.references import resolve
from connectors.soap.xmltext import Element, XmlRefused, parse


def body(content: str) -> Element:
    return parse(f'<Body xmlns:x="urn:x">{content}</Body>'.encode(), names=True)


def resolved(content: str) -> str:
    """The first element of a Body, references resolved."""
    root = body(content)
    resolve(root)
    return str(etree.tostring(root[0], encoding="unicode", with_tail=False))


def test_a_message_without_references_stays_as_it_is() -> None:
    """Nothing is touched where nothing has an id; a link to elsewhere is no reference of this kind."""
    assert resolved('<a href="#1"/>') == '<a xmlns:x="urn:x" href="#1"/>'


def test_what_is_referred_to_takes_the_references_place() -> None:
    """It keeps its own attributes and loses its id; the name is that of the place."""
    assert resolved('<a><b href="#1"/></a><multiRef id="1" kind="x:T"><c>1</c></multiRef>') == (
        '<a xmlns:x="urn:x"><b kind="x:T"><c>1</c></b></a>'
    )


def test_prefixes_of_what_is_referred_to_stay_known() -> None:
    """A prefix declared on the element elsewhere can still be looked up where it has been put."""
    root = body('<a><b href="#1"/></a><multiRef xmlns:y="urn:y" id="1" kind="y:T"/>')
    resolve(root)
    assert root[0][0].nsmap["y"] == "urn:y"


def test_references_inside_what_is_referred_to_are_followed() -> None:
    """References lead to elements with references."""
    assert resolved('<a href="#1"/><m id="1"><b href="#2"/></m><m id="2">t</m>') == '<a xmlns:x="urn:x"><b>t</b></a>'


@pytest.mark.parametrize(
    "content",
    [
        '<a href="#1"/><m id="1"><b href="#1"/></m>',
        '<a href="#1"/><m id="1"><b href="#2"/></m><m id="2"><c href="#1"/></m>',
    ],
)
def test_circles_are_refused(content: str) -> None:
    """What refers to itself, however far around, has no JSON."""
    with pytest.raises(XmlRefused, match="refers to itself in a circle"):
        resolve(body(content))


@pytest.mark.parametrize("href", ["#2", "1", "cid:part1", "http://example.com/#1", "#"])
def test_references_lead_nowhere_else(href: str) -> None:
    """A reference means an id of this message; nothing is ever fetched."""
    with pytest.raises(XmlRefused, match="refers to something that is not in it"):
        resolve(body(f'<a href="{href}"/><m id="1"/>'))


def test_few_elements_do_not_become_many() -> None:
    """References that double, again and again, are refused before they fill the memory."""
    levels = "".join(f'<m id="{n}"><b href="#{n + 1}"/><b href="#{n + 1}"/></m>' for n in range(40))
    with pytest.raises(XmlRefused, match="too many times"):
        resolve(body(f'<a href="#0"/>{levels}<m id="40">x</m>'))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=40))
def test_any_number_of_references_to_the_same_is_resolved(order: list[int]) -> None:
    """Sharing is free: each reference gets a copy of its own."""
    targets = "".join(f'<m id="{number}">{number}</m>' for number in range(10))
    root = body("<a>" + "".join(f'<i href="#{number}"/>' for number in order) + f"</a>{targets}")
    resolve(root)
    assert [int(each.text) for each in root[0]] == order
