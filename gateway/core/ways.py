"""Where in a request or an answer a value stands: `path.account`, `query.date`, `header.x-tenant`, `body.AccountNo`,
`response.tenancy.id`.

A way is a source and names joined by dots, which is the part of JMESPath that needs no library. In JSON names are
members, in XML elements (their local names, below the root; of an envelope, below the operation), in a form fields.
"""

import json
from collections.abc import Sequence
from urllib.parse import unquote
from xml.etree import ElementTree

from gateway.core.model import Request
from gateway.core.paths import query_pairs
from gateway.core.planning import PlannedRoute, path_values
from gateway.core.policies import Way

_ENVELOPES = ("{http://schemas.xmlsoap.org/soap/envelope/}", "{http://www.w3.org/2003/05/soap-envelope}")


def value_of(way: Way, route: PlannedRoute, request: Request, body: bytes) -> str | None:
    """What stands there in a request; None where nothing does."""
    name = way.names[0]
    match way.source:
        case "path":
            values = path_values(request.path, route.places, route.ends_in_rest)
            found = dict(zip(route.param_names, values, strict=True)).get(name.encode())
            return None if found is None else unquote(found.decode("latin-1"), errors="replace")
        case "query":
            pairs = query_pairs(request.query)
            return next((value.decode(errors="replace") for key, value in pairs if key == name.encode()), None)
        case "header":
            wanted = name.lower().encode()
            values_of = (value.decode("latin-1") for key, value in request.fields if key.lower() == wanted)
            return next(values_of, None)
        case "body":
            return value_in(body, field(request.fields, b"content-type"), way.names)
        case "response":  # pragma: no branch - mypy knows that there is no other
            return None


def field(fields: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The first field of a name (in lower case); empty where there is none."""
    return next((value for key, value in fields if key.lower() == name), b"")


def value_in(data: bytes, content_type: bytes, names: Sequence[str]) -> str | None:
    """What stands in a document under these names; None where nothing does, or nothing that is one value."""
    media = content_type.partition(b";")[0].strip().lower()
    if media == b"application/x-www-form-urlencoded":
        pairs = ((key.decode(errors="replace"), value) for key, value in query_pairs(b"?" + data))
        return next((value.decode(errors="replace") for key, value in pairs if key == names[0]), None)
    if media.endswith((b"/xml", b"+xml")):
        return _in_xml(data, names)
    return _in_json(data, names)


def _in_json(data: bytes, names: Sequence[str]) -> str | None:
    """Numbers as they are written: an identifier of many digits is no floating point number."""
    try:
        value = json.loads(data, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    for name in names:
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _in_xml(data: bytes, names: Sequence[str]) -> str | None:
    if b"<!DOCTYPE" in data:
        return None
    try:
        node: ElementTree.Element | None = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return None
    for envelope in _ENVELOPES:
        if node is not None and node.tag == f"{envelope}Envelope":
            body = node.find(f"{envelope}Body")
            node = body[0] if body is not None and len(body) else None
    for name in names:
        node = next((each for each in node if _local(each.tag) == name), None) if node is not None else None
    return None if node is None or len(node) else (node.text or "").strip()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
