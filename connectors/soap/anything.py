"""Values of no declared type (`xs:anyType`): what `xsi:type` says they are.

In JSON such a value is plain where its own type says enough: a string, a boolean, a number. Any other type is told:
`{"$type": "xs:date", "$value": "2026-11-22"}`. Elements inside stay XML: `{"$xml": "..."}`. Attributes stand beside.
"""

from connectors.soap.attributes import is_beside, is_reference, others_writer
from connectors.soap.plan import Facets, Kind, Simple
from connectors.soap.problems import UNKNOWN_MEMBER, At, object_to
from connectors.soap.simple import Unfit, decoder, encoder
from connectors.soap.values import NAME, name_reader, name_writer, named_type
from connectors.soap.words import JSON, NIL, TRUE, TYPE, TYPE_WORD, VALUE, XML, any_key
from connectors.soap.xmltext import (
    XSD,
    Add,
    Element,
    XmlRefused,
    escape,
    inner_xml,
    local,
    namespace,
    quoted,
    safe_content,
)

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        ["string", "normalizedString", "token", "language", "Name", "NCName", "NMTOKEN", "ID", "IDREF"], "string"
    ),
    "ENTITY": "string",
    **dict.fromkeys(["QName", "NOTATION"], "qname"),
    "boolean": "boolean",
    **dict.fromkeys(
        ["byte", "short", "int", "long", "integer", "unsignedByte", "unsignedShort", "unsignedInt"], "integer"
    ),
    **dict.fromkeys(["unsignedLong", "positiveInteger", "negativeInteger"], "integer"),
    **dict.fromkeys(["nonNegativeInteger", "nonPositiveInteger"], "integer"),
    "decimal": "decimal",
    **dict.fromkeys(["float", "double"], "float"),
    "dateTime": "dateTime",
    "base64Binary": "base64",
    "hexBinary": "hex",
    **dict.fromkeys(
        ["date", "time", "duration", "anyURI", "gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay"], "verbatim"
    ),
}


def builtin(base: str) -> Simple | None:
    """A built-in simple type by its local name."""
    kind = _KINDS.get(base)
    if kind is None:
        return None
    space = {"string": "preserve", "normalizedString": "replace"}.get(base, "collapse")
    return Simple(kind, base, Facets(white_space=space), name=f"{{{XSD}}}{base}")  # type: ignore[arg-type]


def decode_anything(element: Element, at: At | None) -> JSON:
    """The value of an element of no declared type."""
    others = ((name, text) for name, text in element.items() if not is_beside(name) and not is_reference(name))
    out: dict[str, JSON] = {any_key(name): text for name, text in others}
    if element.get(NIL) in TRUE:
        return {**out, VALUE: None} if out else None
    name = element.get(TYPE)
    full = named_type(element, name) if name is not None else f"{{{XSD}}}string"
    simple = builtin(local(full)) if namespace(full) == XSD else None
    if len(element):
        return {**({} if name is None else {TYPE_WORD: _word(full, simple)}), **out, XML: inner_xml(element)}
    value = _decoded(element, simple, at) if simple is not None else element.text or ""
    if value is None or (simple is not None and base_of(value) == simple.base):
        return {**out, VALUE: value} if out else value
    return {TYPE_WORD: _word(full, simple), **out, VALUE: value}


def _decoded(element: Element, simple: Simple, at: At | None) -> JSON:
    """The value of a text; null for no text at all where it would have to be something."""
    text = element.text or ""
    try:
        return name_reader(simple)(element, text) if simple.kind == "qname" else decoder(simple)(text)
    except Unfit as unfit:
        if not text:
            return None
        object_to(at, str(unfit))
        return text


def _word(name: str, simple: Simple | None) -> str:
    """What a type is called by `$type`: xs:date, or {namespace}local."""
    return f"xs:{simple.base}" if simple is not None else name


def base_of(value: JSON) -> str:
    """The built-in type that a plain JSON value is written as."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "int" if -(2**31) <= value < 2**31 else "long" if -(2**63) <= value < 2**63 else "integer"
        case float():
            return "double"
        case _:
            return "string"


def anything_attributes(value: JSON, add: Add, at: At | None) -> None:
    """Write the rest of the start tag, and the content, of an element of no declared type."""
    given = value if isinstance(value, dict) else {VALUE: value}
    word, plain = given.get(TYPE_WORD), given.get(VALUE)
    if (XML in given) == (VALUE in given) or isinstance(plain, dict | list) or not isinstance(word, str | None):
        object_to(at, "must be a plain value, or an object with $value or $xml, with $type or without")
        return
    beside = _other_attributes(given, add, at)
    used = 1 + (TYPE_WORD in given) + beside
    if used != len(given):
        for key in given:
            if key not in (XML, VALUE, TYPE_WORD) and not key.startswith("@"):
                object_to(at and at[key], UNKNOWN_MEMBER)
    try:
        if XML in given:
            add(f"{_type_mark(word or '')}>{safe_content(given[XML])}")
        else:
            is_text = isinstance(plain, str) and beside  # a string would have no attributes
            _write_plain(word or ("" if is_text else f"xs:{base_of(plain)}"), plain, add)
    except (Unfit, XmlRefused) as refused:
        object_to(at and (at[XML if XML in given else VALUE] if given is value else at), str(refused))


def _write_plain(word: str, value: JSON, add: Add) -> None:
    """A value that has a type of its own; that of a type which is not built in has to be text."""
    simple = builtin(word.removeprefix("xs:")) if word.startswith("xs:") else None
    if value is None:
        add(f'{_type_mark(word)} xsi:nil="true">')
    elif simple is not None and simple.kind == "qname":
        text, declaration = name_writer(simple, {})(value)
        add(f"{declaration}{_type_mark(word)}>{text}")
    else:
        add(f"{_type_mark(word)}>{escape(encoder(simple or _TEXT)(value))}")


def _type_mark(word: str) -> str:
    """The xsi:type for a `$type`. Raises Unfit."""
    if not word:
        return ""
    if word.startswith("xs:"):
        if builtin(word.removeprefix("xs:")) is None:
            raise Unfit(f"is of the type {word}, which there is not")
        return f' xsi:type="xsd:{word.removeprefix("xs:")}"'
    text, declaration = name_writer(NAME, {}, "t")(word)
    return f"{declaration} xsi:type={quoted(text)}"


_TEXT = Simple("string", "string", Facets(white_space="preserve"))
_other_attributes = others_writer({})
