"""The files of a WSDL: each is read once, from below one folder, and from nowhere else.

A WSDL names other files, and a name may be anything: an address in the internet, `/etc/passwd`, `../..`. Nothing here
opens a socket; a file is opened only when it really lies below the root (links followed first); a document with a DTD
is refused; how many are read, and how large they may be, is bounded. What is wrong is said without quoting a file.
"""

import re
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from lxml import etree

from connectors.soap import catalogue, prefixes
from gateway.errors import BanyanError

SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"
MOST_DOCUMENTS = 500
MOST_BYTES = 64 * 1024 * 1024
START = 64 * 1024

OLD_SCHEMA = re.compile(rb"(?<=http://www\.w3\.org/)(?:1999|2000/10)(?=/XMLSchema[\"'])")
ADDRESS = re.compile(r"(?!classpath:)[A-Za-z][A-Za-z0-9+.-]+:")
PROLOG = re.compile(rb"(?>\xef\xbb\xbf|\xff\xfe|\xfe\xff)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


class WsdlError(BanyanError):
    """A WSDL cannot be used. One sentence says what is wrong and where, and what to do about it."""


class Document(NamedTuple):
    """An XML file: its name below the root or in the catalogue, where it lies (unless in the catalogue), its tree."""

    name: str
    path: Path | None
    root: etree._Element


def at(document: Document, node: etree._Element) -> str:
    """Where a node stands, as people write it: `rents.wsdl:12`."""
    return f"{document.name}:{node.sourceline}"


class Library:
    """The documents below `root`, and those of the catalogue. `kept` are the bytes of the former, by name."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.kept: dict[str, bytes] = {}
        self.warnings: list[str] = []
        self._open: dict[str, Document] = {}
        self._size = 0

    def open(self, path: Path) -> Document:
        """The file at `path`, which `find` or a person gave."""
        real = self._inside(path)
        if real is None:
            raise WsdlError(f"{path.name} lies outside the folder that may be read; name a higher folder as the root.")
        name = real.relative_to(self.root).as_posix()
        if name not in self._open:
            self._open[name] = Document(name, real, self._parsed(name, self._bytes(name, real)))
        return self._open[name]

    def well_known(self, key: str) -> Document | None:
        """The document that the catalogue has for a namespace or an address."""
        entry = catalogue.find(key)
        if entry is None:
            return None
        name = f"catalogue:{entry.name}"
        if name not in self._open:
            self._open[name] = Document(name, None, self._parsed(name, entry.read_bytes()))
        return self._open[name]

    def find(self, asking: Document, location: str) -> Path | None:
        """The file that `location` means to the document that names it; None where there is no such file to be read.

        It is looked for in the document's own folder, then in the higher ones up to the root: some name their files
        from there.
        """
        if asking.path is None or ADDRESS.match(location):
            return None
        name = location.removeprefix("classpath:")
        folders = [each for each in asking.path.parents if each.is_relative_to(self.root)]
        for spelling in dict.fromkeys((name, unquote(name), unquote(name).replace("\\", "/"))):
            for folder in folders:
                path = self._inside(folder / spelling.lstrip("/"))
                if path is not None and path.is_file():
                    return path
        return None

    def missing(self, asking: Document, node: etree._Element, location: str) -> WsdlError:
        """The error about a file that is needed, and that `find` did not find."""
        place = at(asking, node)
        if location.startswith(("http://", "https://")):
            return WsdlError(
                f"{place} needs {location}, and nothing is fetched while a WSDL is loaded; "
                f"fetch it, with what it imports, by `banyan import wsdl {location}`."
            )
        inside = asking.path is None or self._inside(asking.path.parent / location) is not None
        if location.startswith(("/", "file:")) or not inside:
            return WsdlError(
                f"{place} names {location}, which lies outside the folder that may be read; "
                "copy the file into the WSDL's folder and name it from there, or name a higher folder as the root."
            )
        return WsdlError(f"{place} needs {location}, which is not there; put the file there, or correct the name.")

    def beside(self, document: Document, namespace: str) -> Path | None:
        """The file in the folder of a document that is the schema of a namespace."""
        if document.path is not None:
            for path in sorted(document.path.parent.glob("*.xsd"))[:MOST_DOCUMENTS]:
                real = self._inside(path)
                if real is not None and namespace_of(real) == namespace:
                    return real
        return None

    def _inside(self, path: Path) -> Path | None:
        """The real file that a path leads to, where it is below the root."""
        try:
            real = path.resolve()
            real.is_file()  # a name may be too long even to be asked for
        except OSError:
            return None
        return real if real.is_relative_to(self.root) else None

    def _bytes(self, name: str, path: Path) -> bytes:
        if not path.is_file():
            raise WsdlError(f"{name} is not a file; name a WSDL.")
        try:
            size = path.stat().st_size
            if len(self._open) >= MOST_DOCUMENTS or self._size + size > MOST_BYTES:
                raise WsdlError(
                    f"{name} is too much: a WSDL and what it imports may be {MOST_DOCUMENTS} files and "
                    f"{MOST_BYTES // 1024 // 1024} MB; name a smaller WSDL."
                )
            data = path.read_bytes()
        except OSError as error:
            raise WsdlError(f"{name} cannot be read: {error.strerror}.") from error
        self._size += len(data)
        self.kept[name] = data
        return data

    def _parsed(self, name: str, data: bytes) -> etree._Element:
        old = OLD_SCHEMA.search(data)
        if old:
            line = data.count(b"\n", 0, old.start()) + 1
            self.warnings.append(f"{name}:{line}: a draft of XML Schema ({old[0].decode()}) is taken as that of 2001")
            data = OLD_SCHEMA.sub(b"2001", data)
        if PROLOG.match(data.replace(b"\0", b"")):
            raise WsdlError(f"{name} has a DTD (<!DOCTYPE), which is refused; take it out of the file.")
        root = self._root(name, data)
        if root.getroottree().docinfo.doctype:
            raise WsdlError(f"{name} has a DTD (<!DOCTYPE), which is refused; take it out of the file.")
        return root

    def _root(self, name: str, data: bytes, *, again: bool = False) -> etree._Element:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
        try:
            return etree.fromstring(data, parser)
        except etree.XMLSyntaxError as error:
            more = prefixes.declared(data, prefixes.IN_WSDLS) if error.code == UNBOUND and not again else None
            if more is None or not more.prefixes:
                raise WsdlError(f"{name} is not well-formed XML: {reason(error)}.") from error
            line = error.lineno
        root = self._root(name, more.data, again=True)
        for prefix in more.prefixes:
            self.warnings.append(f"{name}:{line}: the prefix {prefix} is not declared; its usual meaning is taken")
        return root


def namespace_of(path: Path) -> str | None:
    """The target namespace of a file that may be a schema; None where it is none."""
    try:
        with path.open("rb") as file:
            start = BytesIO(file.read(START))
        _, root = next(iter(etree.iterparse(start, events=("start",), resolve_entities=False, no_network=True)))
    except (OSError, etree.XMLSyntaxError):
        return None
    return root.get("targetNamespace", "") if root.tag == SCHEMA else None


def reason(error: etree.XMLSyntaxError) -> str:
    """What the parser found, without the text it found it in."""
    line, column = error.position
    name = etree.ErrorTypes._getName(error.code, "error").removeprefix("ERR_")
    what = PLAIN.get(name, name.replace("_", " ").lower())
    return f"{what} (line {line}, column {column})"


UNBOUND = etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE
PLAIN = {
    "DOCUMENT_EMPTY": "there is no XML",
    "NS_ERR_UNDEFINED_NAMESPACE": "a prefix is used that nothing declares",
    "RESERVED_XML_NAME": "an XML declaration stands elsewhere than at the very start",
    "NAME_REQUIRED": "there is no name after a < or an &",
    "TAG_NAME_MISMATCH": "an end tag does not match its start tag",
    "DOCUMENT_END": "there is more after the end of the root",
    "TAG_NOT_FINISHED": "the file ends within an element",
}
"""What the parser finds most, in words."""
