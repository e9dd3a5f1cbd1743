"""XML as bytes and text: parsed within bounds, and written.

Two parsers make the same kind of tree. ElementTree's is twice as fast and forgets prefixes; lxml's remembers them,
which matters where values hold prefixes (`xsi:type`, QNames) or XML is passed on as it came (`xs:any`, mixed content).
"""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
DEEPEST = 200
"""Deeper than any message that means well."""
MOST_ATTRIBUTES = 512
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<\?xml\s(.{0,200}?)\?>", re.DOTALL)
_BEGUN = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<\?xml\s")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1"})
_too_deep = etree.XPath("boolean(" + "/*" * (DEEPEST + 1) + ")")
_too_many = etree.XPath(f"boolean(//*[@*[{MOST_ATTRIBUTES + 1}]])")

Element = Any
"""An element of either tree: `tag`, `text`, `tail`, `get`, `items`, and its children by iteration."""

Add = Callable[[str], None]


class XmlRefused(Exception):
    """XML that is not taken; says why in words for its author."""


def parse(data: bytes, *, names: bool) -> Element:
    """The root of a document. `names` asks for a tree that knows its prefixes. Raises XmlRefused."""
    data = _utf_8(data)
    start = _PROLOG.match(data)
    if start is not None and data.startswith(b"<!", start.end()):
        raise XmlRefused("A SOAP message must not have a DOCTYPE.")
    try:
        root = _named(data) if names else ElementTree.fromstring(data)
    except (ElementTree.ParseError, etree.XMLSyntaxError, ValueError) as error:
        if getattr(error, "code", None) == _LIBXML_DEPTH:
            raise XmlRefused(TOO_DEEP) from error
        raise XmlRefused(f"The message is not well-formed XML: {_place(error)}.") from error
    _check_bounds(root, data, names=names)
    return root


_LIBXML_DEPTH = etree.ErrorTypes.ERR_RESOURCE_LIMIT
TOO_DEEP = f"The message's elements are nested more than {DEEPEST} deep."


def _utf_8(data: bytes) -> bytes:
    """UTF-16 as UTF-8; any encoding beyond those every parser knows is refused.

    What is refused here could hide a DOCTYPE from those who look for the bytes.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise XmlRefused("The message is not valid UTF-16.") from error
        return re.sub(r"^<\?xml\s.*?\?>", "", text.lstrip("\ufeff"), flags=re.DOTALL).encode()
    declaration = _DECLARATION.match(data)
    declared = _ENCODING.search(declaration[1]) if declaration is not None else None
    is_odd = declaration is None and _BEGUN.match(data)
    if is_odd or b"\0" in data[:4] or (declared is not None and declared[1].lower() not in _ENCODINGS):
        raise XmlRefused("The message's character encoding is not understood here; send UTF-8.")
    return data


def _named(data: bytes) -> Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    return etree.fromstring(data, parser)


def _place(error: Exception) -> str:
    line, column = getattr(error, "position", (0, 0))
    return f"line {line}, column {column}"


def _check_bounds(root: Element, data: bytes, *, names: bool) -> None:
    many = data.count(b"=") > MOST_ATTRIBUTES
    if names:
        too_deep, too_many = _too_deep(root), many and _too_many(root)
    else:
        too_deep, too_many = _measured(root, many=many)
    if too_deep:
        raise XmlRefused(TOO_DEEP)
    if too_many:
        raise XmlRefused(f"An element of the message has more than {MOST_ATTRIBUTES} attributes.")


def _measured(root: Element, *, many: bool) -> tuple[bool, bool]:
    """Whether the tree of ElementTree is too deep, and whether an element above that has too many attributes."""
    level, depth = [root], 1
    while level and depth <= DEEPEST:
        if many and any(len(each.keys()) > MOST_ATTRIBUTES for each in level):
            return False, True
        level, depth = [child for each in level if len(each) for child in each], depth + 1
    return bool(level), False


def escape(text: str) -> str:
    """Text as it stands between tags."""
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text


def quoted(text: str) -> str:
    """Text as it stands in an attribute, with its quotes."""
    return f'"{escape(text).translate(_IN_QUOTES)}"'


_IN_QUOTES = {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


def local(name: str) -> str:
    """`{namespace}local` without its namespace."""
    return name.rpartition("}")[2]


def namespace(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def as_text(element: Element) -> str:
    """An element of lxml's tree as XML that stands by itself, declaring the prefixes it uses."""
    copy = etree.fromstring(etree.tostring(element, with_tail=False))
    used = etree.tostring(copy, encoding="unicode", method="text") + " ".join(
        value for each in copy.iter() for value in each.attrib.values()
    )
    etree.cleanup_namespaces(copy, keep_ns_prefixes=[p for p in copy.nsmap if p and f"{p}:" in used])
    return etree.tostring(copy, encoding="unicode")


def inner_xml(element: Element) -> str:
    """Everything between an element's tags, text and elements, as it came."""
    return escape(element.text or "") + "".join(as_text(child) + escape(child.tail or "") for child in element)


def safe_element(text: object) -> Element:
    """The one element that XML out of JSON is. Raises XmlRefused."""
    root = _fragment(text)
    if len(root) != 1 or (root.text or "").strip() or (root[0].tail or "").strip():
        raise XmlRefused("must be one XML element")
    return root[0]


def safe_content(text: object) -> str:
    """XML out of JSON, text and elements, as it may stand between tags. Raises XmlRefused."""
    return inner_xml(_fragment(text))


def _fragment(text: object) -> Element:
    """XML out of JSON inside an element, which it cannot leave: it is parsed and written anew."""
    if not isinstance(text, str):
        raise XmlRefused("must be a string of XML")
    try:
        return parse(f"<x>{text}</x>".encode(), names=True)
    except (XmlRefused, UnicodeEncodeError) as refused:
        raise XmlRefused("is not well-formed XML that stands by itself") from refused


def safe_xml(text: object, *, whole: bool) -> str:
    """Both of the above, until `encoding` and `anything` call them by their names."""
    return as_text(safe_element(text)) if whole else safe_content(text)
