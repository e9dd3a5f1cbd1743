"""What may be read, and what is refused."""

import os
from pathlib import Path

import pytest
from lxml import etree

from connectors.soap import documents
from connectors.soap.documents import Library, WsdlError, at
from tests.connectors.soap.wsdls import put

NODE = etree.fromstring("<a/>")


def refusal(library: Library, asking: Path, location: str) -> str:
    """What is said about a location that is not found."""
    document = library.open(asking)
    assert library.find(document, location) is None
    return str(library.missing(document, document.root, location))


def test_is_read_once(tmp_path: Path) -> None:
    """A document is read once, known by its name below the root, and its bytes are kept."""
    library = Library(tmp_path)
    path = put(tmp_path, "<a/>", "x/a.wsdl")
    first = library.open(path)
    path.unlink()
    assert library.open(path) is first
    assert first.name == "x/a.wsdl"
    assert library.kept == {"x/a.wsdl": b"<a/>"}
    assert at(first, first.root) == "x/a.wsdl:1"


def test_well_known_is_not_kept(tmp_path: Path) -> None:
    """A document of the catalogue is no file of the WSDL."""
    library = Library(tmp_path)
    found = library.well_known("http://www.w3.org/2005/05/xmlmime")
    assert found is not None
    assert (found.name, found.path, library.kept) == ("catalogue:xmlmime.xsd", None, {})
    assert library.well_known("http://www.w3.org/2005/05/xmlmime") is found
    assert library.well_known("urn:nobody") is None
    assert library.find(found, "a.xsd") is None
    assert library.beside(found, "urn:nobody") is None


@pytest.mark.parametrize(
    "location",
    ["b c.xsd", "b%20c.xsd", "../folder/b c.xsd", "folder/b c.xsd", "classpath:folder/b c.xsd", "/folder/b%20c.xsd"],
)
def test_is_found(location: str, tmp_path: Path) -> None:
    """A file is found beside the one that names it, escaped or not, and from any higher folder up to the root."""
    library = Library(tmp_path)
    asking = library.open(put(tmp_path, "<a/>", "folder/a.wsdl"))
    wanted = put(tmp_path, "<b/>", "folder/b c.xsd")
    assert library.find(asking, location) == wanted


def test_backslashes(tmp_path: Path) -> None:
    """A name written with backslashes is found."""
    library = Library(tmp_path)
    asking = library.open(put(tmp_path, "<a/>", "a.wsdl"))
    assert library.find(asking, "x\\b.xsd") is None
    wanted = put(tmp_path, "<b/>", "x/b.xsd")
    assert library.find(asking, "x\\b.xsd") == wanted


@pytest.mark.parametrize("location", ["/etc/passwd", "file:///etc/passwd", "../secret.xsd", "link.xsd", "x" * 5000])
def test_outside(location: str, tmp_path: Path) -> None:
    """Nothing outside the root is read, however it is named, and nothing of it is told."""
    put(tmp_path, "SECRET", "secret.xsd")
    asking = put(tmp_path, "<a/>", "root/a.wsdl")
    os.symlink(tmp_path / "secret.xsd", tmp_path / "root/link.xsd")
    library = Library(tmp_path / "root")
    said = refusal(library, asking, location)
    assert said == (
        f"a.wsdl:1 names {location}, which lies outside the folder that may be read; "
        "copy the file into the WSDL's folder and name it from there, or name a higher folder as the root."
    )
    assert "SECRET" not in str(library.kept)


def test_opened_outside(tmp_path: Path) -> None:
    """A WSDL outside the root is refused as well."""
    path = put(tmp_path, "<a/>", "a.wsdl")
    with pytest.raises(WsdlError, match=r"^a\.wsdl lies outside the folder that may be read; name a higher folder"):
        Library(tmp_path / "root").open(path)


def test_internet(tmp_path: Path) -> None:
    """An address is not fetched: one is told how to."""
    said = refusal(Library(tmp_path), put(tmp_path, "<a/>"), "http://rents.test/a.xsd")
    assert said == (
        "rents.wsdl:1 needs http://rents.test/a.xsd, and nothing is fetched while a WSDL is loaded; "
        "fetch it, with what it imports, by `banyan import wsdl http://rents.test/a.xsd`."
    )


def test_not_there(tmp_path: Path) -> None:
    """A file that is not there is named, with the line that names it."""
    said = refusal(Library(tmp_path), put(tmp_path, "\n<a/>"), "b.xsd")
    assert said == "rents.wsdl:2 needs b.xsd, which is not there; put the file there, or correct the name."


def test_catalogue_lacks(tmp_path: Path) -> None:
    """A document of the catalogue that names a file says so like any other."""
    library = Library(tmp_path)
    asking = library.well_known("http://www.w3.org/2005/05/xmlmime")
    assert asking is not None
    assert str(library.missing(asking, NODE, "b.xsd")).startswith("catalogue:xmlmime.xsd:1 needs b.xsd")


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<?xml version='1.0'?><!-- a --> <!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='UTF-7'?>+ADw-!DOCTYPE a [+ADw-!ENTITY x 'y'+AD4-]+AD4-<a/>",
    ],
)
def test_dtd(text: str | bytes, tmp_path: Path) -> None:
    """A DTD is refused, in any encoding."""
    with pytest.raises(WsdlError, match=r"^rents\.wsdl has a DTD \(<!DOCTYPE\), which is refused"):
        Library(tmp_path).open(put(tmp_path, text))


def test_dtd_in_a_comment(tmp_path: Path) -> None:
    """A comment about DTDs is a comment."""
    assert Library(tmp_path).open(put(tmp_path, "<!-- <!DOCTYPE a> --><a/>")).root.tag == "a"


def test_long_prologue(tmp_path: Path) -> None:
    """A prologue of many comments takes no longer for that."""
    text = "<?xml version='1.0'?>" + "<!-- a -->\n<?b c?>\n" * 20_000 + "<a/>"
    assert Library(tmp_path).open(put(tmp_path, text)).root.tag == "a"


def test_not_xml(tmp_path: Path) -> None:
    """What is not XML is told by place and kind, without a word of its content."""
    with pytest.raises(WsdlError) as caught:
        Library(tmp_path).open(put(tmp_path, "SECRET"))
    assert str(caught.value) == "rents.wsdl is not well-formed XML: there is no XML (line 1, column 1)."


def test_other_defects_of_xml(tmp_path: Path) -> None:
    """What the parser finds seldom is told in its own words; what it finds often, in plain ones."""
    with pytest.raises(WsdlError, match=r"^rents\.wsdl is not well-formed XML: attribute redefined \(line 1, "):
        Library(tmp_path).open(put(tmp_path, "<a b='' b=''/>"))
    with pytest.raises(WsdlError, match=r": a prefix is used that nothing declares \(line 2, column \d+\)\.$"):
        Library(tmp_path).open(put(tmp_path, "<a>\n<odd:b/></a>", "other.wsdl"))


def test_usual_prefixes(tmp_path: Path) -> None:
    """A prefix that everybody knows means what it usually means where nothing declares it, and that is told."""
    library = Library(tmp_path)
    root = library.open(put(tmp_path, "<a>\n<xs:b/><soap12:c/></a>")).root
    assert [each.tag for each in root] == [
        "{http://www.w3.org/2001/XMLSchema}b",
        "{http://schemas.xmlsoap.org/wsdl/soap12/}c",
    ]
    assert library.warnings == [
        "rents.wsdl:2: the prefix xs is not declared; its usual meaning is taken",
        "rents.wsdl:2: the prefix soap12 is not declared; its usual meaning is taken",
    ]
    with pytest.raises(WsdlError, match=r"a prefix is used that nothing declares \(line 2"):
        library.open(put(tmp_path, "<a>\n<xs:b/><odd:c/></a>", "other.wsdl"))


def test_not_a_file(tmp_path: Path) -> None:
    """A folder is no WSDL, nor is what is not there."""
    with pytest.raises(WsdlError, match=r"^\. is not a file"):
        Library(tmp_path).open(tmp_path)


def test_not_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is named, with the system's reason."""

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = put(tmp_path, "<a/>")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(WsdlError, match=r"^rents\.wsdl cannot be read: Permission denied\.$"):
        Library(tmp_path).open(path)


def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are bounded in number and in size."""
    library = Library(tmp_path)
    monkeypatch.setattr(documents, "MOST_DOCUMENTS", 1)
    library.open(put(tmp_path, "<a/>", "a.xsd"))
    with pytest.raises(WsdlError, match=r"^b\.xsd is too much"):
        library.open(put(tmp_path, "<a/>", "b.xsd"))
    monkeypatch.setattr(documents, "MOST_BYTES", 3)
    with pytest.raises(WsdlError, match=r"^a\.xsd is too much"):
        Library(tmp_path).open(tmp_path / "a.xsd")


def test_draft(tmp_path: Path) -> None:
    """A schema of a draft of XML Schema is read as one of the Recommendation, and that is told."""
    library = Library(tmp_path)
    path = put(tmp_path, '<a>\n<schema xmlns="http://www.w3.org/2000/10/XMLSchema"/></a>')
    assert library.open(path).root[0].tag == documents.SCHEMA
    assert library.warnings == ["rents.wsdl:2: a draft of XML Schema (2000/10) is taken as that of 2001"]


def test_beside(tmp_path: Path) -> None:
    """The schema of a namespace is found in the folder: a schema that is in the root, and well-formed at its start."""
    root = tmp_path / "root"
    asking = Library(root).open(put(root, "<a/>"))
    put(root, "no XML", "a.xsd")
    put(root, '<a targetNamespace="urn:b"/>', "b.xsd")
    put(tmp_path, '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:b"/>', "c.xsd")
    os.symlink(tmp_path / "c.xsd", root / "c.xsd")
    assert Library(root).beside(asking, "urn:b") is None
    wanted = put(root, '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:b"/>', "d.xsd")
    assert Library(root).beside(asking, "urn:b") == wanted
