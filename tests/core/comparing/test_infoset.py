"""XML is what its infoset says, however it is written."""

from typing import Any

import pytest

from gateway.core.comparing.codings import Unreadable
from gateway.core.comparing.infoset import DEEPEST, NotXml, read_xml

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
XSI = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'


def read(text: str, charset: str = "") -> Any:
    return read_xml(text.encode(), charset)


@pytest.mark.parametrize(
    "text",
    [
        '<r xmlns="urn:r" a="1" b="2"><x>5</x><y/></r>',
        '<p:r xmlns:p="urn:r" b="2" a="1"><p:x>5</p:x><p:y></p:y></p:r>',
        '<?xml version="1.0"?><r xmlns="urn:r"\n a="1" b=\'2\'>\n <x><![CDATA[5]]></x><!--so--><?go?>\n<y>\n</y></r>',
    ],
)
def test_how_it_is_written_means_nothing(text: str) -> None:
    """Prefixes, the order of attributes, space between elements, CDATA and comments are not told apart."""
    spaces = dict.fromkeys("rxy", "urn:r")
    assert read(text) == {"r": {"@a": "1", "@b": "2", "x": "5", "y": ""}, "#namespaces": spaces}
    assert list(read(text)["r"]) == ["@a", "@b", "x", "y"]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("<r>text</r>", "text"),
        ("<r> text </r>", " text "),
        ("<r/>", ""),
        ('<r a="1">text</r>', {"@a": "1", "#text": "text"}),
        ("<r><x>1</x><x>2</x><x/></r>", {"x": ["1", "2", ""]}),
        ("<r><x>1</x><y/><x>2</x></r>", {"x": ["1", "2"], "y": "", "#order": "x y x"}),
        ("<r>one <b>two</b> three</r>", {"#mixed": ["one ", {"b": "two"}, " three"]}),
        (f'<r {XSI} i:nil="true" a="1"/>', None),
        (f'<r {XSI} i:nil="0" i:schemaLocation="urn:x x.xsd">1</r>', "1"),
        (f'<r {XSI} xmlns:p="urn:p" i:type="p:Line">1</r>', {"@type": "{urn:p}Line", "#text": "1"}),
        (f'<r {XSI} xmlns:q="urn:p" i:type="q:Line">1</r>', {"@type": "{urn:p}Line", "#text": "1"}),
        (f'<r {XSI} i:type="Line">1</r>', {"@type": "Line", "#text": "1"}),
        ('<r xml:lang="cy" xmlns:p="urn:p" p:a="1"/>', {"@lang": "cy", "@{urn:p}a": "1"}),
    ],
)
def test_content_becomes_values(text: str, content: Any) -> None:
    """Texts, members, lists of what stands side by side, and null for nil."""
    assert read(text) == {"r": content}


def test_namespaces_stand_at_the_top() -> None:
    """So that a text is a text, whatever namespace its element is in, and none is lost."""
    text = '<r><x xmlns="urn:x"><y>1</y></x><y>2</y></r>'
    assert read(text) == {"r": {"x": {"y": "1"}, "y": "2"}, "#namespaces": {"x": "urn:x", "y": " urn:x"}}


def test_prefixes_end_with_their_element() -> None:
    """A prefix is resolved by the declarations around it, the innermost first."""
    text = f'<r {XSI} xmlns:p="urn:1"><x xmlns:p="urn:2" i:type="p:T"/><y i:type="p:T"/><z xmlns="" i:type="T"/></r>'
    assert read(text) == {"r": {"x": {"@type": "{urn:2}T"}, "y": {"@type": "{urn:1}T"}, "z": {"@type": "T"}}}


@pytest.mark.parametrize("space", [SOAP_11, SOAP_12])
def test_an_envelope_is_its_body(space: str) -> None:
    """Headers and the Body's own attributes are left out; pointers begin below the message's element."""
    text = '<s:Envelope xmlns:s="{}"><s:Header><x/></s:Header><s:Body id="1">{}</s:Body></s:Envelope>'

    def body(content: str) -> Any:
        return read(text.format(space, content))

    assert body('<r xmlns="urn:r"><Amount>5</Amount></r>') == (
        {"#element": "r", "Amount": "5", "#namespaces": {"r": "urn:r", "Amount": "urn:r"}},
        False,
    )
    assert body("<r>5</r>").body == {"#element": "r", "#text": "5"}
    assert body("<r/>").body == {"#element": "r"}
    assert body("<a>1</a><b/>").body == {"a": "1", "b": ""}
    assert body("").body == {}
    assert read(f'<s:Envelope xmlns:s="{space}"/>').body == {}
    assert read(f'<s:Envelope xmlns:s="{space}"><s:Body/></s:Envelope>').body == {}


def test_only_soaps_own_envelope_is_one() -> None:
    """An element of that name in another namespace is plain XML."""
    assert read('<Envelope xmlns="urn:post"><Body/></Envelope>')["Envelope"] == {"Body": ""}
    assert read(f'<Letter xmlns="{SOAP_11}"/>')["Letter"] == ""


def test_codes_of_faults_lose_their_prefix() -> None:
    """`s:Server` and `soap:Server` are one code, in both versions."""
    fault = '<{0}:Envelope xmlns:{0}="{1}"><{0}:Body><{0}:Fault>{2}</{0}:Fault></{0}:Body></{0}:Envelope>'
    for space, code in (
        (SOAP_11, "<faultcode>{0}:Server</faultcode>"),
        (SOAP_12, "<{0}:Code><{0}:Value>{0}:Server</{0}:Value></{0}:Code>"),
    ):
        text, other = (fault.format(prefix, space, code.format(prefix)) for prefix in ("s", "soap"))
        assert read(text) == read(other)
        assert read(text).fault
        assert f"{{{space}}}Server" in str(read(text).body)
    assert read("<r><Value>a:b</Value></r>") == {"r": {"Value": "a:b"}}


@pytest.mark.parametrize("text", ["", "<r>", "<r></s>", "<p:r/>", "plain", "<r>&nbsp;</r>"])
def test_what_is_not_well_formed_is_not_xml(text: str) -> None:
    """Whoever asked may take it for something else."""
    with pytest.raises(NotXml):
        read(text)


def test_the_content_types_charset_comes_first() -> None:
    """As RFC 7303 (section 3.2) says; one that nobody knows makes it no XML."""
    assert read_xml("<r>ë</r>".encode("latin-1"), "iso-8859-1") == {"r": "ë"}
    assert read_xml('<?xml version="1.0" encoding="windows-1252"?><r>€</r>'.encode("cp1252"), "") == {"r": "€"}
    with pytest.raises(NotXml):
        read_xml(b"<r/>", "klingon")


def test_a_doctype_is_refused() -> None:
    """Entities could stand for gigabytes, or for files."""
    with pytest.raises(Unreadable, match=r"^has a DOCTYPE$"):
        read('<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>')


def test_depth_is_bounded() -> None:
    """200 levels are read; one more is refused, and so are ten thousand."""
    assert read("<r>" * DEEPEST + "</r>" * DEEPEST)["r"]
    for depth in (DEEPEST + 1, 10_000):
        with pytest.raises(Unreadable, match=r"^has elements nested more than 200 deep$"):
            read("<r>" * depth + "</r>" * depth)
