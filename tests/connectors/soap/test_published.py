"""WSDLs cut for publishing: what is replaced, and that nothing else is."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors.soap.published import Spot, meant, published, spots
from connectors.soap.wsdl import WsdlError, load
from gateway.core.published import Hole, Page, content
from tests.connectors.soap.wsdls import SCHEMA, SERVICE, definitions, put, schema, wsdl

ORIGIN, PATH = b"https://api.example", b"/Rents.asmx"
ADDRESS = ORIGIN + PATH
CORPUS = Path(__file__).parents[3].parent / "shared" / "wsdl"
SOAP, SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/"


def served(text: str | bytes, name: str = "rents.wsdl", **others: str) -> bytes:
    """A file as it is served, among others (`a_xsd` is a.xsd)."""
    documents = {name: text if isinstance(text, bytes) else text.encode()}
    documents |= {key.replace("_", "."): each.encode() for key, each in others.items()}
    found = published(name, documents)
    assert found is not None
    return content(dict(found.pages)[name], ORIGIN, PATH)


# ------------------------------------------------------------------------------------------------ addresses


def test_only_the_address_is_replaced() -> None:
    """Whatever else is in the file stays, byte for byte."""
    text = "<?xml version='1.0'?>\r\n<!-- é <s:address location='x'/> -->\n" + wsdl()
    assert served(text) == text.encode().replace(b"http://rents.test/soap", ADDRESS)


@pytest.mark.parametrize(
    "tag",
    [
        "<s:address location='http://rents.test/soap'/>",
        '<s:address\n x=" location=\'no\'" t:location="stays" location = "http://r.test?a=1&amp;b=2" ></s:address>',
        '<s12:address location="http://rents.test/soap"/>',
        '<address xmlns="http://schemas.xmlsoap.org/wsdl/soap/" location="REPLACE_ME"/>',
        '<s:address location=""/>',
    ],
)
def test_tags_are_read_as_they_are_written(tag: str) -> None:
    """Quotes, spaces, other attributes and prefixes are all as XML lets them be."""
    text = wsdl(service=SERVICE.replace('<s:address location="http://rents.test/soap"/>', tag))
    value = re.search(r"""[^:]location ?= ?["']([^"']*)["'] ?/?>""", tag)
    assert value is not None
    start, end = (text.index(tag) + at for at in value.span(1))
    assert served(text) == text[:start].encode() + ADDRESS + text[end:].encode()


def test_an_address_that_is_missing_stays_so() -> None:
    """Nothing is invented."""
    text = wsdl(service=SERVICE.replace(' location="http://rents.test/soap"', ""))
    assert served(text) == text.encode()


def test_an_endpoint_reference_of_a_port_is_replaced() -> None:
    """Of both versions of WS-Addressing, in a port only."""
    for space in ("http://www.w3.org/2005/08/addressing", "http://schemas.xmlsoap.org/ws/2004/08/addressing"):
        a, b = f'<a:EndpointReference xmlns:a="{space}"><a:Address>', "</a:Address></a:EndpointReference>"
        inside = f"{a} http://rents.test/é {b}{a}{b}<a:Address xmlns:a='{space}'>http://stays.test</a:Address>"
        text = wsdl(service=SERVICE.replace("</w:port>", f"{inside}</w:port>{a}http://stays.test/{b}"))
        expected = text.replace("http://rents.test/soap", ADDRESS.decode()).replace(
            " http://rents.test/é ", ADDRESS.decode()
        )
        assert served(text) == expected.encode()
        empty = text.replace(f"{a}{b}", f"{a}{b}".replace("<a:Address></a:Address>", "<a:Address/>"))
        assert served(empty).count(ADDRESS) == 2


def test_of_an_http_address_only_the_origin_is_replaced() -> None:
    """What the binding adds to it still fits; a path alone tells no host."""
    http = '<h:address xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" location="{}"/>'
    for value, expected in (("HTTP://Rents.test:8080/a?b", "https://api.example/a?b"), ("/a", "/a")):
        text = wsdl(service=SERVICE.replace("</w:service>", http.format(value) + "</w:service>"))
        assert http.format(expected).encode() in served(text)


def test_an_origin_may_be_written_with_references() -> None:
    """Then all of the value is replaced: nothing of it may remain."""
    http = '<h:address xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" location="&#104;ttp://rents.test/a"/>'
    text = served(wsdl(service=SERVICE.replace("</w:service>", http + "</w:service>")))
    assert b'location="https://api.example"' in text


# ------------------------------------------------------------------------------------------------ other files

IMPORT = '<xs:import namespace="urn:other" schemaLocation="{}"/>'


def importing(location: str) -> str:
    return wsdl(SCHEMA.replace("<xs:element", IMPORT.format(location) + "<xs:element", 1))


@pytest.mark.parametrize("location", ["a.xsd", "./a.xsd", "sub/../a.xsd", " a.xsd ", "/a.xsd", "classpath:a.xsd"])
def test_files_are_named_where_they_are_served(location: str) -> None:
    """By an address that every client can resolve."""
    text = served(importing(location), a_xsd=schema("", "urn:other"))
    assert b'schemaLocation="%b?xsd=a.xsd"' % ADDRESS in text


def test_definitions_are_named_too() -> None:
    """With the word for them."""
    text = served(wsdl(imports='<w:import namespace="urn:x" location="b.wsdl"/>'), b_wsdl=definitions())
    assert b'location="%b?wsdl=b.wsdl"' % ADDRESS in text


@pytest.mark.parametrize("location", ["xml.xsd", "../schemas/any.xsd", "/none.xsd"])
def test_a_well_known_schema_is_served_where_it_is_missed(location: str) -> None:
    """It is named as if it lay beside the WSDL, and the catalogue has it."""
    space = "http://www.w3.org/XML/1998/namespace"
    text = importing(location).replace('namespace="urn:other"', f'namespace="{space}"')
    found = published("rents.wsdl", {"rents.wsdl": text.encode()})
    assert found is not None
    pages = dict(found.pages)
    assert b'schemaLocation="%b?xsd=catalogue%%3Axml.xsd"' % ADDRESS in content(pages["rents.wsdl"], ORIGIN, PATH)
    assert space.encode() in content(pages["catalogue:xml.xsd"], ORIGIN, PATH)


@pytest.mark.parametrize("location", ["none.xsd", "", "http://www.w3.org/2001/xml.xsd", "urn:a.xsd"])
def test_what_is_not_served_is_left_as_it_is(location: str) -> None:
    """A well-known schema is where it always was."""
    assert f'schemaLocation="{location}"'.encode() in served(importing(location), a_xsd=schema(""))


@pytest.mark.parametrize("origin", ["http://RENTS.test", "https://rents.test:8443", "http://me:secret@rents.test"])
def test_a_schema_at_the_service_s_own_host_does_not_tell_it(origin: str) -> None:
    """Its origin is replaced, like that of an address."""
    assert b'schemaLocation="https://api.example/a?xsd=1"' in served(importing(f"{origin}/a?xsd=1"))


@pytest.mark.parametrize("host", ["[2001:db8::7]", "[oops", "", "{host}"])
def test_any_host_may_stand_in_an_address(host: str) -> None:
    """Even one that somebody has yet to fill in."""
    text = wsdl(service=SERVICE.replace("rents.test", host), imports=f"<w:import location='http://{host}:81/b'/>")
    assert served(text).count(b"https://api.example") == 2


@pytest.mark.parametrize(
    ("asking", "location", "expected"),
    [
        ("a/b.wsdl", "c.xsd", "a/c.xsd"),
        ("a/b.wsdl", "../d.xsd", "d.xsd"),
        ("a/b.wsdl", "d.xsd", "d.xsd"),
        ("a/b.wsdl", "e%20f.xsd", "e f.xsd"),
        ("b.wsdl", "a\\c.xsd", "a/c.xsd"),
        ("b.wsdl", "../../d.xsd", None),
        ("b.wsdl", "", None),
    ],
)
def test_a_location_means_a_file(asking: str, location: str, expected: str | None) -> None:
    """As the loader finds it: from the file's own folder, then from higher ones."""
    assert meant(asking, location, frozenset({"a/c.xsd", "d.xsd", "e f.xsd"})) == expected


# ------------------------------------------------------------------------------------------------ encodings


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "us-ascii"])
def test_usual_encodings_stay(encoding: str) -> None:
    """The bytes are served as they are, and the answer says which encoding they have."""
    letter = "é" if encoding != "us-ascii" else "e"
    text = f'<?xml version="1.0" encoding="{encoding.upper()}"?>\n<!-- {letter} -->{wsdl()}'
    found = published("rents.wsdl", {"rents.wsdl": text.encode(encoding)})
    assert found is not None
    page = found.pages[0][1]
    assert page.charset == encoding
    assert content(page, ORIGIN, PATH) == text.replace("http://rents.test/soap", ADDRESS.decode()).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "windows-1252"])
def test_other_encodings_become_utf_8(encoding: str) -> None:
    """Their tags cannot be cut byte for byte, so they are written anew, and say so."""
    declared = encoding[:6] if encoding.startswith("utf") else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<!-- é -->{wsdl()}'
    expected = text.replace(declared, "utf-8").replace("http://rents.test/soap", ADDRESS.decode())
    found = published("rents.wsdl", {"rents.wsdl": text.encode(encoding)})
    assert found is not None
    assert found.pages[0][1].charset == "utf-8"
    assert content(found.pages[0][1], ORIGIN, PATH).decode().lstrip("\ufeff") == expected


def test_utf_16_need_not_be_declared() -> None:
    """Its bytes tell."""
    assert served(wsdl().encode("utf-16")).lstrip(b"\xef\xbb\xbf").startswith(b"<w:definitions")


@pytest.mark.parametrize("start", ['encoding="no-such"', 'encoding="utf-8"'])
def test_what_cannot_be_read_is_not_served(start: str) -> None:
    """A WSDL in an encoding that nobody knows, or that it does not have; another file is left out alone."""
    broken = f'<?xml version="1.0" {start}?><a>'.encode() + b"\xff</a>"
    assert published("rents.wsdl", {"rents.wsdl": broken}) is None
    found = published("rents.wsdl", {"rents.wsdl": wsdl().encode(), "a.xsd": broken})
    assert found is not None
    assert [name for name, _ in found.pages] == ["rents.wsdl"]
    assert spots(b"<a>") is None


# ------------------------------------------------------------------------------------------------ properties


@given(st.text(), st.text())
def test_nothing_but_the_address_changes(before: str, after: str) -> None:
    """Whatever comments and values surround it."""
    comment = etree.tostring(etree.Element("x", a="".join(c for c in before if c.isprintable())))
    other = "".join(c for c in after if c.isprintable() and c not in "<&>-")
    text = wsdl(imports=f"<w:documentation>{comment.decode()}{other}</w:documentation>")
    assert served(text) == text.encode().replace(b"http://rents.test/soap", ADDRESS)


def test_a_digest_is_that_of_the_file() -> None:
    """So that a client's copy is known to be the same, and only then."""
    pages = [dict(published("a", {"a": each.encode()}).pages)["a"] for each in (wsdl(), wsdl(), wsdl() + "\n")]  # type: ignore[union-attr]
    assert pages[0].digest == pages[1].digest != pages[2].digest


def test_a_loaded_wsdl_knows_how_it_is_published(tmp_path: Path) -> None:
    """It is cut once, with everything that it imports."""
    put(tmp_path, schema("", "urn:other"), "a.xsd")
    loaded = load(put(tmp_path, importing("a.xsd")))
    assert loaded.published is loaded.published
    assert loaded.published is not None
    assert (loaded.published.main, [name for name, _ in loaded.published.pages]) == (
        "rents.wsdl",
        ["rents.wsdl", "a.xsd"],
    )


def test_places_are_those_of_the_bytes() -> None:
    """Letters of several bytes before them count."""
    data = f'<é><address xmlns="{SOAP}" location="a"/></é>'.encode()
    at = data.index(b'"a"') + 1
    assert spots(data) == [Spot("address", at, at + 1, "a")]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of WSDLs is not part of the project")
def test_a_corpus_is_served_as_it_is() -> None:
    """Of every tenth public WSDL: what lies between the holes is the file's, and no address of a service is left."""
    entries = [json.loads(line) for line in (CORPUS / "INDEX.jsonl").read_text().splitlines()]
    files = [CORPUS / "open" / each["file"] for each in entries][::10]
    assert sum(is_served_as_it_is(file) for file in files if file.is_file()) > 30


def is_served_as_it_is(file: Path) -> bool:
    try:
        loaded = load(file)
    except WsdlError:
        return False
    assert loaded.published is not None
    for name, page in loaded.published.pages:
        data = loaded.documents.get(name, b"")
        if not data:  # of the catalogue
            continue
        pattern = b".*?".join(re.escape(each) for each in literal(page))
        assert page.charset == "utf-8" or re.fullmatch(pattern, data, re.DOTALL)
        root = etree.fromstring(content(page, ORIGIN, PATH))
        addresses = {each.get("location") for each in root.iter(f"{{{SOAP}}}address", f"{{{SOAP12}}}address")}
        assert addresses <= {ADDRESS.decode(), None}
    return True


def literal(page: Page) -> list[bytes]:
    """What stands between the holes: each hole is surrounded."""
    assert [isinstance(each, Hole) for each in page.pieces] == [at % 2 == 1 for at in range(len(page.pieces))]
    return [each for each in page.pieces if isinstance(each, bytes)]
