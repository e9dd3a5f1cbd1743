"""SOAP outside, JSON behind: an old client is answered from a REST backend and does not notice.

A request is decoded by its operation's plan and held to its schema; the target's path, query and body are filled from
it; the backend's JSON is mapped and written as the operation's reply, in the envelope version that the client sent.
"""

from dataclasses import replace
from os import urandom
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from connectors.base import Answer, Call, Send
from connectors.mapping import Expression, Mapped, MappingFailed
from connectors.soap.answers import answer
from connectors.soap.attachments import Drawn, filled, packed
from connectors.soap.codec import Codec
from connectors.soap.envelope import NAMESPACES, Version
from connectors.soap.facing import CONTENT_TYPES, Facing, Refused, answered, facing
from connectors.soap.headers import Chance
from connectors.soap.incoming import BadRequest, bad_request, document, read_whole, request_id
from connectors.soap.marks import CHANCE, Marks
from connectors.soap.packages import Package, comes_in_parts, joined, opened, takes_xop
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid
from connectors.soap.target import FacadeTarget
from connectors.soap.words import JSON
from connectors.soap.workshop import Recipe, coded
from connectors.soap.xmltext import XmlRefused
from connectors.soap.xop import Found, Sent, content_type, root_fields
from gateway.core.forwarding import field_lines
from gateway.core.headers import Fields
from gateway.core.model import Outcome, Placeholder
from gateway.core.paths import problem_of
from gateway.core.planning import PathProblem, Plan, edited, target_path
from gateway.core.problems import SOAP_11, SOAP_12, soap_fault
from gateway.errors import AnswerInvalid
from gateway.wire.body import EMPTY, Body, too_large
from gateway.wire.pool import Outgoing

BODYLESS = frozenset({b"GET", b"HEAD", b"DELETE"})
_NOT_PASSED = frozenset({b"soapaction", b"accept", b"accept-encoding", b"mime-version", b"digest"})
"""Fields about the client's envelope; so are all `Content-` fields."""
_NO_QUERY = "`request` must be an object of plain values: they become the query"


class Came(NamedTuple):
    """What came with a message: the package, and which attachments the message refers to."""

    package: Package
    found: Found


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
        try:
            version, value, came = await self._asked(call)
            envelope = NAMESPACES[version]
            sent = await self._sent(call, value, came)
        except Refused as refused:
            envelope = NAMESPACES[refused.version] if refused.version is not None else envelope
            fault = soap_fault(envelope, refused.reason, ours, must_understand=refused.must_understand)
            return answered(fault, Outcome.REFUSED, "no")
        except (XmlRefused, MappingFailed, BadRequest) as error:
            return answered(soap_fault(envelope, _reason_of(error), ours), Outcome.REFUSED, "no")
        head, body = await send(sent)
        data = await read_whole(body, self._decode)
        if data is None:
            raise AnswerInvalid(f"{call.plan.name}: the answer is larger than {self._decode} bytes")
        if 300 <= head.status < 400:
            raise AnswerInvalid(f"{call.plan.name}: HTTP {head.status} is no answer to an operation")
        if head.status >= 400:
            return self._facing.refusal(envelope, head.status, data, ours)
        try:
            return await self._reply(call, version, data)
        except (Invalid, MappingFailed, orjson.JSONDecodeError) as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error

    async def _asked(self, call: Call) -> tuple[Version, JSON, Came | None]:
        """The message that came: its version, its value, and the attachments that it came with."""
        if comes_in_parts(call.request.fields):
            package = await opened(call.request.fields, call.body, self._decode, bad_request)
            chance, root = self._chance(CHANCE), package.root
            version, value, numbers = await coded(self._facing, self._recipe, root, "request_with", root, chance)
            return version, value, Came(package, Found(Marks(chance), numbers))
        data = await read_whole(call.body, self._decode)
        if data is None:
            raise too_large(self._decode)
        return (*await coded(self._facing, self._recipe, data, "request", data), None)

    async def _reply(self, call: Call, version: Version, data: bytes) -> Answer:
        """The reply, with parts beside it for a client that takes them. Raises what the coding of it raises."""
        xop = takes_xop(call.request.fields)
        if not xop and not self._facing.packs:
            content = await coded(self._facing, self._recipe, data, "reply", version, data)
            return _told(content, CONTENT_TYPES[version])
        chance = self._chance(CHANCE)
        sent: Sent = await coded(self._facing, self._recipe, data, "reply_with", version, data, chance, xop)
        if not sent.pieces:
            return _told(sent.envelope, CONTENT_TYPES[version])
        boundary = chance.hex()
        content = packed(boundary, root_fields(version, boundary, "", xop=xop), sent.envelope, sent.pieces)
        return _told(content, content_type(version, boundary, "", xop=xop))

    # -------------------------------------------------------------------------------------------- the request

    async def _sent(self, call: Call, value: JSON, came: Came | None) -> Outgoing:
        """What the backend is sent. Raises Refused, MappingFailed, BadRequest."""
        plan, request = call.plan, call.request
        given = document(call.request, call.route, value)
        content = value if self._request is None else self._request(given)
        filled = replace(plan, as_received=False, target=plan.target._replace(path=self._filled(plan, given)))
        target = target_path(filled, call.route, request)
        if isinstance(target, PathProblem):
            raise Refused(target.detail)
        target = target.removesuffix(request.query)  # it speaks to the SOAP service: `?wsdl`, a session's id
        method = plan.method or b"POST"
        if method in BODYLESS and self._request is not None:
            target += _query(content)
        data, body = (b"", EMPTY) if method in BODYLESS else await _body(content, came)
        head = _head(plan, method, target, call, len(data) if body is EMPTY else -1)
        resend = body is EMPTY and request.method in call.route.idempotent  # by the route, not by the backend's method
        return Outgoing(head + data, body, plan.timeouts, body is not EMPTY, method == b"HEAD", resend)

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


async def _body(content: JSON, came: Came | None) -> tuple[bytes, Body]:
    """The JSON that is sent: all of it, or a body that is made while attachments still come."""
    if came is None:
        return _json(content), EMPTY
    package, found = came
    holed = found.marks.cut(_json(content))
    pieces = filled(holed, found.wanted, package.parts, bad_request)
    if package.small or not holed.holes:
        return await joined(pieces), EMPTY
    return b"", Drawn(pieces)


def _told(content: bytes, kind: bytes) -> Answer:
    if not content:
        return answer(202, (), b"", Outcome.OK, "yes")
    return answer(200, ((b"Content-Type", kind),), content, Outcome.OK, "yes")


def _reason_of(error: Exception) -> str:
    return error.detail if isinstance(error, BadRequest) else str(error)


def _version_of(fields: Fields) -> str:
    """The envelope to answer in when the request's own cannot be read."""
    content_type = next((value for name, value in fields if name.lower() == b"content-type"), b"")
    return SOAP_12 if b"application/soap+xml" in content_type.lower() else SOAP_11


def _head(plan: Plan, method: bytes, target: bytes, call: Call, length: int) -> bytes:
    """The head of the REST request: the client's fields but for those about its envelope."""
    request = call.request
    host = plan.host if plan.host is not None else request.host or plan.backend.authority
    passed = [(name, value) for name, value in request.fields if not _is_about_the_envelope(name.lower())]
    fields = [*passed, (b"Accept", b"application/json")]
    if length:
        framing = (b"Content-Length", b"%d" % length) if length > 0 else (b"Transfer-Encoding", b"chunked")
        fields += [(b"Content-Type", b"application/json"), framing]
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
