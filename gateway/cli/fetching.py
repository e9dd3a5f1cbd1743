"""Fetching a WSDL and everything it imports into a pinned copy, because an operator asked for it.

Plain HTTP and HTTPS, bounded in number, size and time. Each document gets a local name, and the places that name it are
rewritten, so the copy refers to nothing outside its folder. Nothing is written before everything has come.
"""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import aiohttp
from lxml import etree

from connectors.soap import catalogue
from gateway.errors import CommandError

MOST_DOCUMENTS = 300
MOST_BYTES = 32 * 2**20
MOST_REDIRECTS = 5
PATIENCE = 30.0
"""Seconds for one document."""
AT_ALL = 300.0
"""Seconds for all of them."""

_WSDL, _XSD = "http://schemas.xmlsoap.org/wsdl/", "http://www.w3.org/2001/XMLSchema"
NAMING = {
    f"{{{_WSDL}}}import": "location",
    f"{{{_XSD}}}import": "schemaLocation",
    f"{{{_XSD}}}include": "schemaLocation",
    f"{{{_XSD}}}redefine": "schemaLocation",
}
"""Which elements name another document, and in which attribute."""


class Fetched(NamedTuple):
    """A document that came: the address it came from in the end, and its tree."""

    address: str
    root: etree._Element


class Copy(NamedTuple):
    """Documents by their local names, and which of them is the WSDL asked for."""

    main: str
    documents: dict[str, bytes]


def fetch(address: str) -> Copy:
    """The WSDL at an address and all it names, to be kept side by side. Raises CommandError."""
    return asyncio.run(_fetch(address))


def is_address(text: str) -> bool:
    return urlsplit(text).scheme in ("http", "https")


async def _fetch(address: str) -> Copy:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
        try:
            async with asyncio.timeout(AT_ALL):
                return await _Fetching(session).all(address)
        except TimeoutError as error:
            raise CommandError(f"{address} and what it imports did not come within {AT_ALL:g} seconds.") from error


class _Fetching:
    """One WSDL on its way here."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._names: dict[str, str] = {}
        self._fetched: dict[str, Fetched] = {}
        self._room = MOST_BYTES

    async def all(self, address: str) -> Copy:
        """Documents are fetched in the order in which they are named; each once."""
        waiting = [self._wanted(address, "wsdl")]
        while waiting:
            wanted = waiting.pop(0)
            if wanted in self._fetched:
                continue
            found = self._fetched[wanted] = await self._document(wanted)
            waiting += self._renamed(found)
        documents = {self._names[each]: _bytes(found.root) for each, found in self._fetched.items()}
        return Copy(self._names[urldefrag(address)[0]], documents)

    def _wanted(self, address: str, suffix: str) -> str:
        """An address without its fragment, given a local name when it is first met."""
        address = urldefrag(address)[0]
        if address not in self._names:
            if len(self._names) == MOST_DOCUMENTS:
                raise CommandError(f"{address} and its like are too many: a WSDL may be {MOST_DOCUMENTS} documents.")
            taken = {name.lower() for name in self._names.values()}
            self._names[address] = next(name for name in local_names(address, suffix) if name.lower() not in taken)
        return address

    def _renamed(self, found: Fetched) -> Iterator[str]:
        """The documents that this one names, by their addresses; from now on it names them by their local names."""
        for node in found.root.iter(*NAMING):
            attribute = NAMING[node.tag]
            location = (node.get(attribute) or "").strip()
            if not location or is_well_known(location, node.get("namespace")):
                continue
            address = urljoin(found.address, location)
            if not is_address(address):
                raise CommandError(f"{found.address} names {location}, which is no http or https address.")
            wanted = self._wanted(address, "wsdl" if attribute == "location" else "xsd")
            node.set(attribute, self._names[wanted])
            yield wanted

    async def _document(self, address: str) -> Fetched:
        try:
            for _ in range(MOST_REDIRECTS):
                async with self._session.get(address, allow_redirects=False) as answer:
                    if answer.status not in (301, 302, 303, 307, 308):
                        return Fetched(address, parsed(address, await self._content(address, answer)))
                    address = urljoin(address, answer.headers.get("Location", ""))
                    if not is_address(address):
                        raise CommandError(f"{address} is no http or https address, and a redirect leads there.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise CommandError(f"{address} cannot be fetched: {str(error) or type(error).__name__}.") from error
        raise CommandError(f"{address} redirects more than {MOST_REDIRECTS} times.")

    async def _content(self, address: str, answer: aiohttp.ClientResponse) -> bytes:
        if answer.status != 200:
            raise CommandError(f"{address} answered {answer.status} {answer.reason}; is the address right?")
        pieces = []
        async for piece in answer.content.iter_chunked(65_536):
            self._room -= len(piece)
            if self._room < 0:
                raise CommandError(
                    f"{address} is too much: a WSDL may be {MOST_BYTES // 2**20} MiB with all it imports."
                )
            pieces.append(piece)
        return b"".join(pieces)


def is_well_known(location: str, namespace: str | None) -> bool:
    """Whether a document need not be fetched, because the gateway has it."""
    return is_address(location) and (
        catalogue.find(location) is not None or (namespace is not None and catalogue.find(namespace) is not None)
    )


def parsed(address: str, data: bytes) -> etree._Element:
    """The root of a document that came. Raises CommandError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise CommandError(f"{address} is not XML ({error.msg}); is the address right?") from error
    if root.getroottree().docinfo.doctype:
        raise CommandError(f"{address} has a DOCTYPE, which no WSDL or schema needs; it was not taken.")
    return root


def _bytes(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")) + b"\n"


def local_names(address: str, suffix: str) -> Iterator[str]:
    """Names for a document, the best first: `Rents.wsdl`; `Rents.xsd0.xsd` for `/Rents.asmx?xsd=xsd0`."""
    parts = urlsplit(address)
    stem = PurePosixPath(unquote(parts.path)).name
    stem = re.sub(r"\.(wsdl|xsd|asmx|svc|php|jws)$", "", stem, flags=re.IGNORECASE)
    query = "" if parts.query.lower() in ("", "wsdl", "singlewsdl") else "." + parts.query.rpartition("=")[2]
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{stem}{query}").strip("-")[:80] or "service"
    yield f"{base}.{suffix}"
    for number in range(2, MOST_DOCUMENTS + 2):
        yield f"{base}-{number}.{suffix}"


def keep(copy: Copy, folder: Path) -> Path:
    """Write a copy into a folder of its own; the path of the WSDL. What is there already is never overwritten."""
    try:
        folder.mkdir(parents=True)
        for name, data in copy.documents.items():
            (folder / name).write_bytes(data)
    except FileExistsError as error:
        raise CommandError(
            f"{folder} is there already; remove it to fetch anew, or choose another --backend."
        ) from error
    except OSError as error:
        raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
    return folder / copy.main
