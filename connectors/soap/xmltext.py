"""XML as bytes and text: parsed within bounds, and written.

Two parsers make the same kind of tree. ElementTree's forgets prefixes, and large trees of it are read faster; lxml's
remembers them, which matters where values hold prefixes (`xsi:type`, QNames) or XML is passed on as it came (`xs:any`,
mixed content).
"""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree
from xml.parsers.expat import errors

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
DEEPEST = 200
"""Deeper than any message that means well."""
MOST_ATTRIBUTES = 512
_LONG_TAG = len(' a=""') * MOST_ATTRIBUTES
SMALL = 1_500
"""Below this lxml is the faster one even where nobody asks for names."""
_USUAL = tuple(b'<?xml version="1.0" encoding="%b"?>' % name for name in (b"utf-8", b"UTF-8"))
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


class PrefixUndeclared(XmlRefused):
    """XML that would be well-formed but for a prefix that nothing declares."""


def parse(data: bytes, *, names: bool) -> Element:
    """The root of a document. `names` asks for a tree that knows its prefixes. Raises XmlRefused."""
    data = _utf_8(data)
    if _has_doctype(data):
        raise XmlRefused("A SOAP message must not have a DOCTYPE.")
    try:
        root = _named(data) if names or len(data) < SMALL else ElementTree.fromstring(data)
    except (ElementTree.ParseError, etree.XMLSyntaxError, ValueError) as error:
        if getattr(error, "code", None) == _LIBXML_DEPTH:
            raise XmlRefused(TOO_DEEP) from error
        if getattr(error, "code", None) in _UNDECLARED:
            raise PrefixUndeclared(f"The message uses a prefix that it does not declare: {_place(error)}.") from error
        raise XmlRefused(f"The message is not well-formed XML: {_place(error)}.") from error
    _check_bounds(root, data, names=isinstance(root, etree._Element))
    return root


def _has_doctype(data: bytes) -> bool:
    start = _PROLOG.match(data)
    return start is not None and data.startswith(b"<!", start.end())


_LIBXML_DEPTH = etree.ErrorTypes.ERR_RESOURCE_LIMIT
_UNDECLARED = frozenset({etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE, errors.codes[errors.XML_ERROR_UNBOUND_PREFIX]})
"""What either parser calls it."""
TOO_DEEP = f"The message's elements are nested more than {DEEPEST} deep."


def _utf_8(data: bytes) -> bytes:
    """UTF-16 as UTF-8; any encoding beyond those every parser knows is refused.

    What is refused here could hide a DOCTYPE from those who look for the bytes.
    """
    if data.startswith(_USUAL):
        return data
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


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )


_SHARED = _parser()
"""For small messages only: threads wait for one another at a parser, and a large one would keep the others long."""


def _named(data: bytes) -> Element:
    return etree.fromstring(data, _SHARED if len(data) < SMALL else _parser())


def _place(error: Exception) -> str:
    line, column = getattr(error, "position", (0, 0))
    return f"line {line}, column {column}"


def _check_bounds(root: Element, data: bytes, *, names: bool) -> None:
    """The bytes tell at once whether most messages are within bounds: they are too short, or have no long tag."""
    if data.count(b"<") > 2 * DEEPEST and (_too_deep(root) if names else _is_too_deep(root)):
        raise XmlRefused(TOO_DEEP)
    if _has_long_tag(data) and (_too_many(root) if names else any(_has_too_many(each) for each in root.iter())):
        raise XmlRefused(f"An element of the message has more than {MOST_ATTRIBUTES} attributes.")


def _is_too_deep(root: Element) -> bool:
    """Whether elements of ElementTree's tree have children where none may have any."""
    level = [root]
    for _ in range(DEEPEST - 1):
        level = [child for each in level for child in each if len(child)]
        if not level:
            return False
    return True


def _has_too_many(element: Element) -> bool:
    return len(element.keys()) > MOST_ATTRIBUTES


def _has_long_tag(data: bytes) -> bool:
    """Whether a tag may be so long that it has too many attributes. It looks at one place in thousands of bytes."""
    at = data.find(b"<")
    while 0 <= at < len(data) - _LONG_TAG:
        following = data.rfind(b"<", at + 1, at + _LONG_TAG)
        if following < 0:
            return True
        at = following
    return False


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
    return str(etree.tostring(copy, encoding="unicode"))


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
