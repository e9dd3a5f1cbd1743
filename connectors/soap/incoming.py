"""What a request brings: its JSON, and the document that a mapping is applied to."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from connectors.base import Call
from gateway.core.model import Request
from gateway.core.paths import query_pairs
from gateway.core.planning import PlannedRoute, path_values
from gateway.errors import ClientError
from gateway.wire.body import Body, too_large

_IS_JSON = re.compile(rb"\s*(?:application|text)/(?:[a-z0-9!#$&^_.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"^X-Request-ID: ([^\r]*)", re.MULTILINE)


async def read_whole(body: Body, most: int) -> bytes | None:
    """All of a body; None when that is more than `most` bytes. Raises what the body failed with."""
    pieces, size = [], 0
    while piece := await body.next():
        size += len(piece)
        if size > most:
            return None
        pieces.append(piece)
    return b"".join(pieces)


async def json_body(call: Call, most: int) -> bytes:
    """A request's JSON, empty where it has no body. Raises ClientError: 413, 415."""
    request = call.request
    if not request.length:
        return b""
    if request.length > most:
        raise too_large(most)
    fields = {name.lower(): value for name, value in request.fields}
    if not _IS_JSON.fullmatch(fields.get(b"content-type", b"application/json")):
        raise ClientError(415, "The request body must be JSON: send it as application/json.", close=True)
    if fields.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise ClientError(415, "The request body must be sent without a Content-Encoding.", close=True)
    data = await read_whole(call.body, most)
    if data is None:
        raise too_large(most)
    return data


class BadRequest(ClientError):
    """A request whose body is not what it says it is."""


def bad_request(reason: str) -> BadRequest:
    return BadRequest(400, reason, close=True)


def document(request: Request, route: PlannedRoute, body: Any) -> dict[str, Any]:
    """What a request's mapping is applied to: `{path, query, header, body}`.

    Names of headers are in lower case. A query parameter that is given several times is an array. Raises ClientError.
    """
    values = path_values(request.path, route.places, route.ends_in_rest)
    path = zip(route.param_names, map(unquote_to_bytes, values), strict=True)
    headers: dict[str, str] = {}
    for name, value in request.fields:
        key, given = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {given}" if key in headers else given
    query: dict[str, list[str]] = {}
    for name, value in query_pairs(request.query):
        query.setdefault(_text(name), []).append(_text(value))
    return {
        "path": {_text(name) or "rest": _text(value) for name, value in path},
        "query": {name: each[0] if len(each) == 1 else each for name, each in query.items()},
        "header": headers,
        "body": body,
    }


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ClientError(400, "The path or the query is not UTF-8.") from error


def request_id(lines: bytes) -> str:
    """The request's id, which stands in the gateway's own fields."""
    found = _REQUEST_ID.search(lines)
    return found[1].decode("latin-1") if found is not None else "-"
