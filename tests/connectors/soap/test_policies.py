"""What a binding's policy asks for."""

import pytest
from lxml import etree

from connectors.soap.policies import asks_for_mtom

OLD = "http://schemas.xmlsoap.org/ws/2004/09/policy"
NEW = "http://www.w3.org/ns/ws-policy"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
MTOM = (
    '<o:OptimizedMimeSerialization xmlns:o="http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization"/>'
)
LATER = '<o:MTOM xmlns:o="http://www.w3.org/2007/08/soap12-mtom-policy"/>'


def asks(inside: str, beside: str = "", space: str = OLD) -> bool:
    text = f'<d xmlns:p="{space}" xmlns:u="{UTILITY}">{beside}<binding><!-- b --><o/>{inside}</binding></d>'
    return asks_for_mtom(etree.fromstring(text).find("binding"))


@pytest.mark.parametrize("space", [OLD, NEW])
@pytest.mark.parametrize("what", [MTOM, LATER])
def test_a_policy_inside_the_binding(space: str, what: str) -> None:
    """However deep the assertion stands in it, in either version."""
    assert asks(f"<p:Policy><p:ExactlyOne><p:All>{what}</p:All></p:ExactlyOne></p:Policy>", space=space)
    assert not asks("<p:Policy/>", space=space)


@pytest.mark.parametrize("name", ["u:Id", "xml:id"])
def test_a_policy_that_is_referred_to(name: str) -> None:
    """By its id in the same document; one for another binding means nothing."""
    policy = f'<p:Policy {name}="mtom">{MTOM}</p:Policy>'
    assert asks('<p:PolicyReference URI="#mtom"/>', policy)
    assert not asks('<p:PolicyReference URI="#other"/>', policy)
    assert not asks("<p:PolicyReference/>", policy)
    assert not asks("<p:Other/>", policy)


def test_an_option_is_not_asked_for() -> None:
    """The service takes both then."""
    optional = MTOM.replace("/>", ' p:Optional="true"/>')
    assert not asks(f"<p:Policy>{optional}</p:Policy>")
