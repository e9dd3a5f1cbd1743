"""What a JSON backend is asked, made of a decoded message: values for its path, a query, a body.

All of it is made where the message is decoded, so that of a large one the data loop sees nothing but bytes.
"""

from typing import NamedTuple
from urllib.parse import quote, urlencode

import orjson

from connectors.mapping import Expression, Mapped, MappingFailed
from connectors.soap.target import FacadeTarget
from connectors.soap.words import JSON
from gateway.core.paths import problem_of

_NO_QUERY = "`request` must be an object of plain values: they become the query"


class Filled(NamedTuple):
    """What is asked: a segment for each place in the path, a query (with its `?`, or empty), and a body."""

    segments: tuple[bytes, ...]
    query: bytes
    body: bytes


class Filling:
    """Fills one target's requests."""

    def __init__(self, target: FacadeTarget) -> None:
        """Raises MappingInvalid."""
        self._request = None if target.request is None else Mapped(target.request)
        self._places = [(name, Expression(_as_expression(name))) for name in target.places]
        self._in_query = target.in_query

    def __call__(self, document: JSON) -> Filled:
        """What a document, `{path, query, header, soap_header, body}`, asks. Raises MappingFailed."""
        content = document["body"] if self._request is None else self._request(document)
        segments = tuple(_segment(name, place(document)) for name, place in self._places)
        if not self._in_query:
            return Filled(segments, b"", as_json(content))
        return Filled(segments, b"" if self._request is None else _query(content), b"")


def _as_expression(way: str) -> str:
    """`Account.No` as an expression over what a request brings."""
    return "body." + ".".join(f'"{step}"' for step in way.split("."))


def _segment(name: str, value: JSON) -> bytes:
    """The text for a place, encoded as one segment. Raises MappingFailed."""
    if value is None or isinstance(value, bool | list | dict):
        raise MappingFailed(f"The request has no {name}.")
    segment = quote(str(value), safe="").encode()
    if not segment or problem_of(b"/" + segment):
        raise MappingFailed(f"The {name} cannot be part of a path.")
    return segment


def as_json(content: JSON) -> bytes:
    """Raises MappingFailed for what is nested deeper than JSON is written."""
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError as error:
        raise MappingFailed(f"The request cannot be sent as JSON: {error}.") from error


def _query(content: JSON) -> bytes:
    """A query string out of an object; arrays give their name several times, null nothing. Raises MappingFailed."""
    if not isinstance(content, dict):
        raise MappingFailed(_NO_QUERY)
    values = [
        (name, each) for name, value in content.items() for each in (value if isinstance(value, list) else [value])
    ]
    if any(isinstance(value, dict | list) for _, value in values):
        raise MappingFailed(_NO_QUERY)
    query = urlencode([(name, _plain(value)) for name, value in values if value is not None])
    return b"?" + query.encode() if query else b""


def _plain(value: JSON) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
