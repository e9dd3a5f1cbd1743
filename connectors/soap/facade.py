"""SOAP outside, JSON behind: an old client is answered from a REST backend and does not notice.

A request is decoded by its operation's plan and held to its schema; the target's path, query and body are filled from
it; the backend's JSON is mapped and written as the operation's reply, in the envelope version that the client sent.
"""

from dataclasses import replace
from os import urandom
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from connectors.base import Answer, Call, Send
from connectors.mapping import Expression, Mapped, MappingFailed
from connectors.soap.addressing import ID, Related
from connectors.soap.answers import answer
from connectors.soap.codec import Codec
from connectors.soap.envelope import NAMESPACES
from connectors.soap.facing import CONTENT_TYPES, Facing, Refused, facing
from connectors.soap.headers import Chance
from connectors.soap.incoming import document, read_whole, request_id
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid
from connectors.soap.target import FacadeTarget
from connectors.soap.words import JSON
from connectors.soap.workshop import Recipe, coded
from connectors.soap.xmltext import XmlRefused
from gateway.core.forwarding import field_lines
from gateway.core.headers import Fields
from gateway.core.model import Outcome, Placeholder
from gateway.core.paths import problem_of
from gateway.core.planning import PathProblem, Plan, edited, target_path
from gateway.core.problems import SOAP_11, SOAP_12
from gateway.errors import AnswerInvalid
from gateway.wire.body import EMPTY, too_large
from gateway.wire.pool import Outgoing

BODYLESS = frozenset({b"GET", b"HEAD", b"DELETE"})
_NOT_PASSED = frozenset({b"soapaction", b"accept", b"accept-encoding", b"mime-version", b"digest"})
"""Fields about the client's envelope; so are all `Content-` fields."""
_NO_QUERY = "`request` must be an object of plain values: they become the query"


class FacadeConnector:
    """Answers SOAP clients from JSON backends. One serves one routing table."""

    def __init__(self, chance: Chance = urandom) -> None:
        self._chance = chance
        self._codecs: dict[int, tuple[Schema, Codec]] = {}

    async def prepare(self, plan: Plan) -> "FacadeCaller":
        """Compile the plan's operation and mappings. Raises MappingInvalid."""
        schema: Schema = plan.target.call.schema
        found = self._codecs.setdefault(id(schema), (schema, Codec(schema)))
        return FacadeCaller(plan, found[1], self._chance)


class FacadeCaller:
    """Answers one operation."""

    def __init__(self, plan: Plan, codec: Codec, chance: Chance) -> None:
        target: FacadeTarget = plan.target.call
        self._decode = target.decode
        self._chance = chance
        self._facing = Facing(target, codec)
        self._recipe = Recipe(facing, target, codec.schema)
        self._request = None if target.request is None else Mapped(target.request)
        self._places = {
            part: Expression(_as_expression(part.name.decode()))
            for part in plan.target.path or ()
            if isinstance(part, Placeholder) and part.source == "body"
        }

    async def call(self, call: Call, send: Send) -> Answer:
        """Raises ClientError for a request that is too large, BackendError when the backend fails."""
        ours, envelope = request_id(call.lines), _version_of(call.request.fields)
        related: Related | None = None
        data = await read_whole(call.body, self._decode)
        if data is None:
            raise too_large(self._decode)
        try:
            version, value, related = await coded(self._facing, self._recipe, data, "request", data, self._chance(ID))
            envelope = NAMESPACES[version]
            sent = self._sent(call, value)
        except Refused as refused:
            envelope = NAMESPACES[refused.version] if refused.version is not None else envelope
            refused.related = refused.related or related
            return self._facing.refused(envelope, refused, ours)
        except (XmlRefused, MappingFailed) as error:
            return self._facing.refused(envelope, Refused(str(error), related=related), ours)
        head, body = await send(sent)
        data = await read_whole(body, self._decode)
        if data is None:
            raise AnswerInvalid(f"{call.plan.name}: the answer is larger than {self._decode} bytes")
        if 300 <= head.status < 400:
            raise AnswerInvalid(f"{call.plan.name}: HTTP {head.status} is no answer to an operation")
        if head.status >= 400:
            return self._facing.refusal(envelope, head.status, data, ours, related)
        try:
            content = await coded(self._facing, self._recipe, data, "reply", version, data, related)
        except (Invalid, MappingFailed, orjson.JSONDecodeError) as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error
        if not content:
            return answer(202, (), b"", Outcome.OK, "yes")
        return answer(200, ((b"Content-Type", CONTENT_TYPES[version]),), content, Outcome.OK, "yes")

    # -------------------------------------------------------------------------------------------- the request

    def _sent(self, call: Call, value: JSON) -> Outgoing:
        """What the backend is sent. Raises Refused, MappingFailed."""
        plan, request = call.plan, call.request
        given = document(call.request, call.route, value)
        content = value if self._request is None else self._request(given)
        filled = replace(plan, as_received=False, target=plan.target._replace(path=self._filled(plan, given)))
        target = target_path(filled, call.route, request)
        if isinstance(target, PathProblem):
            raise Refused(target.detail)
        target = target.removesuffix(request.query)  # it speaks to the SOAP service: `?wsdl`, a session's id
        method = plan.method or b"POST"
        data = b"" if method in BODYLESS else _json(content)
        if method in BODYLESS and self._request is not None:
            target += _query(content)
        head = _head(plan, method, target, call, len(data))
        resend = request.method in call.route.idempotent  # by the route, not by what the backend is called with
        return Outgoing(head + data, EMPTY, plan.timeouts, False, method == b"HEAD", resend)

    def _filled(self, plan: Plan, given: dict[str, Any]) -> tuple[bytes | Placeholder, ...]:
        """The target's path, its places for values of the body filled. Raises Refused."""
        return tuple(
            self._value(part, given) if isinstance(part, Placeholder) and part in self._places else part
            for part in plan.target.path or (b"/",)
        )

    def _value(self, place: Placeholder, given: dict[str, Any]) -> bytes:
        """The text for a place, encoded as one segment. Raises Refused."""
        value, name = self._places[place](given), place.name.decode()
        if value is None or isinstance(value, bool | list | dict):
            raise Refused(f"The request has no {name}.")
        segment = quote(str(value), safe="").encode()
        if not segment or problem_of(b"/" + segment):
            raise Refused(f"The {name} cannot be part of a path.")
        return segment


# ------------------------------------------------------------------------------------------------ small things


def _as_expression(way: str) -> str:
    """`Account.No` as an expression over what a request brings."""
    return "body." + ".".join(f'"{step}"' for step in way.split("."))


def _version_of(fields: Fields) -> str:
    """The envelope to answer in when the request's own cannot be read."""
    content_type = next((value for name, value in fields if name.lower() == b"content-type"), b"")
    return SOAP_12 if content_type.lower().lstrip().startswith(b"application/soap+xml") else SOAP_11


def _head(plan: Plan, method: bytes, target: bytes, call: Call, length: int) -> bytes:
    """The head of the REST request: the client's fields but for those about its envelope."""
    request = call.request
    host = plan.host if plan.host is not None else request.host or plan.backend.authority
    passed = [(name, value) for name, value in request.fields if not _is_about_the_envelope(name.lower())]
    fields = [*passed, (b"Accept", b"application/json")]
    if length:
        fields += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % length)]
    lines = field_lines(edited(fields, plan.target.request))
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b\r\n" % (method, target, host, lines, call.lines)


def _is_about_the_envelope(name: bytes) -> bool:
    return name in _NOT_PASSED or name.startswith(b"content-")


def _json(content: JSON) -> bytes:
    """Raises Refused for what is nested deeper than JSON is written."""
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError as error:
        raise Refused(f"The request cannot be sent as JSON: {error}.") from error


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
