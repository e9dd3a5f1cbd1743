"""SOAP outside, JSON behind: an old client is answered from a REST backend and does not notice.

A request is decoded by its operation's plan and held to its schema; the target's path, query and body are filled from
it; the backend's JSON is mapped and written as the operation's reply, in the envelope version that the client sent.
"""

import asyncio
from dataclasses import replace
from os import urandom

import orjson

from connectors.base import Answer, Call, Kept, Send
from connectors.mapping import MappingFailed
from connectors.soap.addressing import ID, Related
from connectors.soap.answers import answer
from connectors.soap.codec import Codec
from connectors.soap.envelope import NAMESPACES
from connectors.soap.facing import CONTENT_TYPES, Facing, Refused, facing
from connectors.soap.filling import Filled
from connectors.soap.headers import Chance
from connectors.soap.incoming import document, read_whole, request_id
from connectors.soap.packed import message_of
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid
from connectors.soap.target import FacadeTarget
from connectors.soap.workshop import Recipe, coded
from connectors.soap.xmltext import XmlRefused
from gateway.core.forwarding import field_lines
from gateway.core.headers import Fields
from gateway.core.model import Outcome, Placeholder
from gateway.core.planning import PathProblem, Plan, edited, target_path
from gateway.core.problems import SOAP_11, SOAP_12
from gateway.errors import AnswerInvalid
from gateway.wire.body import EMPTY
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

    async def prepare(self, plan: Plan, kept: Kept | None = None) -> "FacadeCaller":
        """Compile the plan's operation and mappings; in a thread, for a large schema. Raises MappingInvalid."""
        schema: Schema = plan.target.call.schema
        found = self._codecs.setdefault(id(schema), (schema, Codec(schema)))
        return await asyncio.to_thread(FacadeCaller, plan, found[1], self._chance)


class FacadeCaller:
    """Answers one operation."""

    def __init__(self, plan: Plan, codec: Codec, chance: Chance) -> None:
        target: FacadeTarget = plan.target.call
        parts = [part for part in plan.target.path or () if isinstance(part, Placeholder) and part.source == "body"]
        places = tuple(part.name.decode() for part in parts)
        target = target._replace(places=places, in_query=(plan.method or b"POST") in BODYLESS)
        self._decode = target.decode
        self._chance = chance
        self._facing = Facing(target, codec)
        self._recipe = Recipe(facing, target, codec.schema)
        self._reads_request = target.request is not None

    async def call(self, call: Call, send: Send) -> Answer:
        """Raises ClientError for a request that is too large, BackendError when the backend fails."""
        ours, envelope = request_id(call.lines), version_of(call.request.fields)
        related: Related | None = None
        data = await message_of(call, self._decode)
        given = document(call.request, call.route, None) if self._reads_request else {}
        try:
            asked = await coded(self._facing, self._recipe, data, "asked", data, given, self._chance(ID))
            version, filled, related = asked
            envelope = NAMESPACES[version]
            sent = self._sent(call, filled)
        except Refused as refused:
            envelope = NAMESPACES[refused.version] if refused.version is not None else envelope
            refused.related = refused.related or related
            return self._facing.refused(envelope, refused, ours)
        except XmlRefused as error:
            return self._facing.refused(envelope, Refused(str(error)), ours)
        head, body = await send(sent)
        reply = await read_whole(body, self._decode)
        if reply is None:
            raise AnswerInvalid(f"{call.plan.name}: the answer is larger than {self._decode} bytes")
        if 300 <= head.status < 400:
            raise AnswerInvalid(f"{call.plan.name}: HTTP {head.status} is no answer to an operation")
        if head.status >= 400:
            how = envelope, head.status, reply, ours, related
            refusal: Answer = await coded(self._facing, self._recipe, reply, "refusal", *how)
            return refusal
        try:
            content = await coded(self._facing, self._recipe, reply, "reply", version, reply, related)
        except (Invalid, MappingFailed, orjson.JSONDecodeError) as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error
        if not content:
            return answer(202, (), b"", Outcome.OK, "yes")
        return answer(200, ((b"Content-Type", CONTENT_TYPES[version]),), content, Outcome.OK, "yes")

    # -------------------------------------------------------------------------------------------- the request

    def _sent(self, call: Call, filled: Filled) -> Outgoing:
        """What the backend is sent. Raises Refused."""
        plan, request = call.plan, call.request
        segments = iter(filled.segments)
        path = tuple(next(segments) if _is_of_the_body(part) else part for part in plan.target.path or (b"/",))
        ready = replace(plan, as_received=False, target=plan.target._replace(path=path))
        target = target_path(ready, call.route, request)
        if isinstance(target, PathProblem):
            raise Refused(target.detail)
        target = target.removesuffix(request.query)  # it speaks to the SOAP service: `?wsdl`, a session's id
        method = plan.method or b"POST"
        head = _head(plan, method, target + filled.query, call, len(filled.body))
        resend = request.method in call.route.idempotent  # by the route, not by what the backend is called with
        return Outgoing(head + filled.body, EMPTY, plan.timeouts, False, method == b"HEAD", resend)


# ------------------------------------------------------------------------------------------------ small things


def _is_of_the_body(part: bytes | Placeholder) -> bool:
    return isinstance(part, Placeholder) and part.source == "body"


def version_of(fields: Fields) -> str:
    """The envelope to answer in when the request's own cannot be read."""
    content_type = next((value for name, value in fields if name.lower() == b"content-type"), b"")
    return SOAP_12 if content_type.lower().lstrip().startswith(b"application/soap+xml") else SOAP_11


def _head(plan: Plan, method: bytes, target: bytes, call: Call, length: int) -> bytes:
    """The head of the REST request: the client's fields but for those about its envelope."""
    request = call.request
    host = plan.host if plan.host is not None else request.host or plan.backend.authority
    passed = [(name, value) for name, value in request.fields if not is_about_the_envelope(name.lower())]
    fields = [*passed, (b"Accept", b"application/json")]
    if length:
        fields += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % length)]
    lines = field_lines(edited(fields, plan.target.request))
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b\r\n" % (method, target, host, lines, call.lines)


def is_about_the_envelope(name: bytes) -> bool:
    return name in _NOT_PASSED or name.startswith(b"content-")
