"""Fetching a WSDL: everything it names, within bounds, into a copy that refers to nothing else."""

import asyncio
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web

from connectors.soap.wsdl import load
from gateway.cli import fetching
from gateway.cli.fetching import Copy, fetch, is_address, is_well_known, keep, local_names
from gateway.errors import CommandError
from tests.cli.serving import served
from tests.support.library import library

XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{0}">{1}</xs:schema>'
ENVELOPE = (
    '<s:import namespace="http://www.w3.org/2003/05/soap-envelope" schemaLocation="http://www.w3.org/2003/05/x"/>'
)


class Moved(NamedTuple):
    """A document that is somewhere else."""

    to: str


Documents = dict[str, str | Moved]


class Site:
    """Documents by path; what is not there is 404. `asked` lists the paths asked for, in order."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        match self.documents.get(request.path_qs):
            case Moved(to):
                return web.Response(status=302, headers={"Location": to})
            case None:
                return web.Response(status=404)
            case text:
                return web.Response(text=text)


async def too_late(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(1)
    return web.Response()


def fetched(documents: Documents, start: str = "/a.wsdl") -> Copy:
    site = Site(documents)
    with served(site.answer) as address:
        return fetch(address + start)


def refused(documents: Documents, start: str = "/a.wsdl") -> str:
    """What is said of a WSDL that cannot be fetched."""
    with pytest.raises(CommandError) as caught:
        fetched(documents, start)
    return str(caught.value)


def test_everything_that_is_named_is_fetched_once(tmp_path: Path) -> None:
    """Imports, includes, and what those name in turn, even in circles; the copy can be loaded with no network."""
    documents: Documents = {
        "/ws/Library.asmx?wsdl": library(
            imports='<s:import namespace="urn:other" schemaLocation="Library.asmx?xsd=xsd0#here"/>' + ENVELOPE
        ),
        "/ws/Library.asmx?xsd=xsd0": XSD.format("urn:other", '<xs:include schemaLocation="../more/b.xsd"/><!-- x -->'),
        "/more/b.xsd": XSD.format(
            "urn:other", '<xs:include schemaLocation="/ws/Library.asmx?xsd=xsd0"/><xs:import namespace="urn:none"/>'
        ),
    }
    site = Site(documents)
    with served(site.answer) as address:
        copy = fetch(f"{address}/ws/Library.asmx?wsdl")
    assert site.asked == list(documents)
    assert list(copy.documents) == ["Library.wsdl", "Library-xsd0.xsd", "b.xsd"]
    assert copy.main == "Library.wsdl"
    assert b'schemaLocation="Library-xsd0.xsd"' in copy.documents["Library.wsdl"]
    assert b'schemaLocation="http://www.w3.org/2003/05/x"' in copy.documents["Library.wsdl"]
    assert b'schemaLocation="Library-xsd0.xsd"' in copy.documents["b.xsd"]
    assert len(load(keep(copy, tmp_path / "wsdl" / "lib")).bound) == 4


def test_a_redirect_is_followed() -> None:
    """And what the document names is seen from where it came from."""
    copy = fetched(
        {
            "/a.wsdl": Moved("/deep/b.wsdl"),
            "/deep/b.wsdl": library(imports='<s:include schemaLocation="c.xsd"/>'),
            "/deep/c.xsd": XSD.format("urn:library", ""),
        }
    )
    assert list(copy.documents) == ["a.wsdl", "c.xsd"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "answered 404 Not Found; is the address right?"),
        ("<html>", "is not XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "has a DOCTYPE"),
        (Moved("/a.wsdl"), "redirects more than 5 times."),
        (Moved("file:///etc/passwd"), "is no http or https address"),
        (library(imports='<s:include schemaLocation="file:///etc/passwd"/>'), "which is no http or https address"),
        (library(imports='<s:include schemaLocation="none.xsd"/>'), "/none.xsd answered 404"),
    ],
)
def test_what_cannot_be_fetched_is_said(answer: str | Moved | None, words: str) -> None:
    """In a sentence that names the document."""
    assert words in refused({"/a.wsdl": answer} if answer is not None else {})


def test_nobody_there() -> None:
    """A server that does not answer is named."""
    with served(Site({}).answer) as address:
        pass
    with pytest.raises(CommandError, match="cannot be fetched"):
        fetch(f"{address}/a.wsdl")


def test_documents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In number, in size and in time."""
    many = library(imports='<s:include schemaLocation="b.xsd"/><s:include schemaLocation="c.xsd"/>')
    monkeypatch.setattr(fetching, "MOST_DOCUMENTS", 2)
    assert "may be 2 documents" in refused({"/a.wsdl": many, "/b.xsd": XSD.format("urn:library", "")})
    monkeypatch.setattr(fetching, "MOST_BYTES", 1_000)
    assert "is too much" in refused({"/a.wsdl": many})
    monkeypatch.setattr(fetching, "AT_ALL", 0.2)
    with served(too_late) as address, pytest.raises(CommandError, match=r"did not come within 0\.2 seconds"):
        fetch(address)


def test_a_copy_is_never_overwritten(tmp_path: Path) -> None:
    """And a folder that cannot be made is named."""
    copy = Copy("a.wsdl", {"a.wsdl": b"<a/>"})
    assert keep(copy, tmp_path / "x" / "y").read_bytes() == b"<a/>"
    with pytest.raises(CommandError, match="is there already"):
        keep(copy, tmp_path / "x" / "y")
    with pytest.raises(CommandError, match="cannot be written: Not a directory"):
        keep(copy, tmp_path / "x" / "y" / "a.wsdl" / "z")


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("http://h/Rents.asmx?wsdl", ["Rents.wsdl", "Rents-2.wsdl"]),
        ("http://h/a/rents.WSDL", ["rents.wsdl"]),
        ("http://h/S.svc?xsd=xsd0", ["S-xsd0.wsdl"]),
        ("http://h/", ["service.wsdl"]),
        ("http://h/../%2e%2e/%2Fetc", ["etc.wsdl"]),
    ],
)
def test_names_are_plain(address: str, names: list[str]) -> None:
    """A local name is made of letters and digits, whatever the address."""
    assert list(islice(local_names(address, "wsdl"), len(names))) == names


def test_names_are_unique() -> None:
    """Documents of the same name in different places do not meet."""
    copy = fetched(
        {
            "/a.wsdl": library(imports='<s:include schemaLocation="A.xsd"/><s:include schemaLocation="x/a.xsd"/>'),
            "/A.xsd": XSD.format("urn:library", ""),
            "/x/a.xsd": XSD.format("urn:library", ""),
        }
    )
    assert list(copy.documents) == ["a.wsdl", "A.xsd", "a-2.xsd"]


def test_what_the_gateway_has_is_not_fetched() -> None:
    """Well-known schemas are known by their namespace, or by where they are published."""
    assert is_well_known("http://www.w3.org/x.xsd", "http://www.w3.org/2003/05/soap-envelope")
    assert is_well_known("http://www.w3.org/2001/xml.xsd", None)
    assert not is_well_known("http://www.w3.org/x.xsd", None)
    assert not is_well_known("envelope.xsd", "http://www.w3.org/2003/05/soap-envelope")
    assert (is_address("https://h/x"), is_address("rents.wsdl"), is_address("C:/x")) == (True, False, False)
