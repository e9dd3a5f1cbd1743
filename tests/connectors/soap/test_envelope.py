import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.envelope import NAMESPACES, Frame, Version, not_understood, opened
from connectors.soap.plan import ArrayOf, Complex, Schema
from connectors.soap.xmltext import XmlRefused, escape, parse
from tests.connectors.soap.samples import SCHEMA, SPACE, TEXT

V11, V12 = NAMESPACES["1.1"], NAMESPACES["1.2"]
PLAIN = SCHEMA._replace(types=SCHEMA.types[:5])
"""The sample without its array."""


def envelope(content: str, space: str = V11) -> bytes:
    return f'<e:Envelope xmlns:e="{space}">{content}</e:Envelope>'.encode()


# ------------------------------------------------------------------------------------------------ built


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_an_envelope_declares_every_prefix(version: Version) -> None:
    """What stands inside may use the schema's prefixes and the usual ones, and declares none itself."""
    xml = Frame(version, PLAIN).around("<n0:a xsi:nil='true' t='xsd:int'/>", "<n0:b/>")
    assert xml.decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<soap:Envelope xmlns:soap="{NAMESPACES[version]}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:n0="{SPACE}">'
        "<soap:Header><n0:b/></soap:Header><soap:Body><n0:a xsi:nil='true' t='xsd:int'/></soap:Body></soap:Envelope>"
    )


def test_without_headers_there_is_no_header() -> None:
    """An empty Header element is legal, and some servers stumble over it."""
    assert b"Header" not in Frame("1.1", SCHEMA).around("<n0:a/>")


def test_the_encodings_prefix_is_there_when_it_is_needed() -> None:
    """Encoded messages use it, and so do literal ones with a type of SOAP-encoded arrays."""
    arrays = Schema((Complex(None, array=ArrayOf(TEXT, "{urn:a}T")),))
    frames = Frame("1.1", PLAIN, encoded=True), Frame("1.1", arrays), Frame("1.1", PLAIN)
    assert [b"xmlns:soapenc=" in frame.around("") for frame in frames] == [True, True, False]


def test_the_xml_namespace_is_never_declared() -> None:
    """Schemas use `xml:lang`; to bind another prefix to its namespace is an error of XML."""
    schema = Schema((), (("http://www.w3.org/XML/1998/namespace", "n0"), ("urn:a&b", "n1")))
    xml = Frame("1.2", schema).around('<n1:a xml:lang="en"/>')
    assert b"n0" not in xml
    assert parse(xml, names=True)[0][0].tag == "{urn:a&b}a"


# ------------------------------------------------------------------------------------------------ opened


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_was_built_can_be_opened(version: Version, names: bool) -> None:
    """An envelope of either version is opened with either parser: its version, headers, Body, and no fault."""
    found = opened(Frame(version, SCHEMA).around("<n0:a/><n0:b/>", "<n0:h/>"), names=names)
    assert found.version == version
    assert [each.tag for each in found.headers] == [f"{{{SPACE}}}h"]
    assert [each.tag for each in found.body] == [f"{{{SPACE}}}a", f"{{{SPACE}}}b"]
    assert found.fault is None


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_any_text_survives_an_envelope(text: str) -> None:
    """Text comes out as it went in."""
    found = opened(Frame("1.1", SCHEMA).around(f"<a>{escape(text)}</a>"), names=False)
    assert (found.body[0].text or "") == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<Envelope><Body/></Envelope>", "is not a SOAP envelope"),
        (envelope("<e:Body/>", "urn:other"), "is not a SOAP envelope"),
        (b'<e:Body xmlns:e="%b"/>' % V11.encode(), "is not a SOAP envelope"),
        (b"<html><body>Sorry</body></html>", "is not a SOAP envelope"),
        (envelope(""), "has no Body"),
        (envelope("<Body/>"), "has no Body"),
        (envelope(f'<s:Body xmlns:s="{V12}"/>'), "has no Body"),
        (envelope("<e:Body/><e:Body/>"), "has more than one Body"),
        (envelope("<e:Header/><e:Header/><e:Body/>"), "has more than one Header"),
        (b"", "not well-formed"),
        (b"Service unavailable", "not well-formed"),
        (b"<!DOCTYPE e><e/>", "must not have a DOCTYPE"),
    ],
)
@pytest.mark.parametrize("names", [True, False])
def test_what_is_no_envelope_is_refused(data: bytes, reason: str, names: bool) -> None:
    """A clear reason is given for everything that is not one envelope with one Body."""
    with pytest.raises(XmlRefused, match=reason):
        opened(data, names=names)


def test_two_prefixes_for_the_envelope_are_the_same() -> None:
    """Names are what counts, however they are spelt."""
    found = opened(envelope(f'<s:Body xmlns:s="{V11}"><a/></s:Body>'), names=False)
    assert [each.tag for each in found.body] == ["a"]


@pytest.mark.parametrize(
    ("content", "space", "is_fault"),
    [
        ("<e:Fault/>", V11, True),
        ("<e:Fault/>", V12, True),
        (f'<o:Fault xmlns:o="{V11}"/>', V12, True),
        ("<Fault/>", V11, False),
        ("<a/><e:Fault/>", V11, False),
        ("", V11, False),
    ],
)
def test_a_fault_is_known_by_its_name(content: str, space: str, is_fault: bool) -> None:
    """It is the first element of the Body, in the namespace of either version."""
    assert (opened(envelope(f"<e:Body>{content}</e:Body>", space), names=False).fault is not None) is is_fault


# ------------------------------------------------------------------------------------------------ headers


@pytest.mark.parametrize(
    ("space", "attributes", "expected"),
    [
        (V11, 'e:mustUnderstand="1"', ("h",)),
        (V11, 'e:mustUnderstand="0"', ()),
        (V11, "", ()),
        (V11, 'mustUnderstand="1"', ()),
        (V12, 'e:mustUnderstand=" true "', ("h",)),
        (V12, 'e:mustUnderstand="false"', ()),
        (V11, 'e:mustUnderstand="1" e:actor="http://schemas.xmlsoap.org/soap/actor/next"', ("h",)),
        (V11, 'e:mustUnderstand="1" e:actor="urn:someone-else"', ()),
        (V12, f'e:mustUnderstand="1" e:role="{V12}/role/ultimateReceiver"', ("h",)),
        (V12, f'e:mustUnderstand="1" e:role="{V12}/role/none"', ()),
    ],
)
def test_headers_that_insist_are_told(space: str, attributes: str, expected: tuple[str, ...]) -> None:
    """A header for us that must be understood is told, unless it is known; those for others are not ours."""
    found = opened(envelope(f'<e:Header><h xmlns="urn:h" {attributes}/></e:Header><e:Body/>', space), names=False)
    assert not_understood(found, frozenset()) == expected
    assert not_understood(found, frozenset({"{urn:h}h"})) == ()
