"""SOAP outside, JSON behind: an old client is answered from a REST backend and does not notice.

A request is decoded by its operation's plan and held to its schema; the target's path, query and body are filled from
it; the backend's JSON is mapped and written as the operation's reply, in the envelope version that the client sent.
"""

import asyncio
from dataclasses import replace
from os import urandom
from typing import NamedTuple

import orjson

from connectors.base import Answer, Call, Kept, Send
from connectors.mapping import MappingFailed
from connectors.soap.addressing import ID, Related
from connectors.soap.answers import answer
from connectors.soap.attachments import Drawn, filled
from connectors.soap.codec import Codec
from connectors.soap.envelope import NAMESPACES, Version
from connectors.soap.facing import CONTENT_TYPES, Asked, Facing, Refused, facing, packaged
from connectors.soap.filling import Filled
from connectors.soap.headers import Chance
from connectors.soap.incoming import BadRequest, bad_request, document, read_whole, request_id
from connectors.soap.marks import CHANCE, Marks
from connectors.soap.packages import Package, comes_in_parts, joined, opened, takes_xop
from connectors.soap.packed import message_of
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid
from connectors.soap.target import FacadeTarget
from connectors.soap.workshop import LARGE, Recipe, coded
from connectors.soap.xmltext import XmlRefused
from connectors.soap.xop import Found, Sent
from gateway.core.fields import Fields, field_lines
from gateway.core.model import Outcome, Placeholder
from gateway.core.planning import PathProblem, Plan, edited, target_path
from gateway.core.problems import SOAP_11, SOAP_12
from gateway.errors import AnswerInvalid
from gateway.wire.body import EMPTY, Body
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
        try:
            (version, asked, related), came = await self._asked(call)
            envelope = NAMESPACES[version]
            sent = await self._sent(call, asked, came)
        except Refused as refused:
            envelope = NAMESPACES[refused.version] if refused.version is not None else envelope
            refused.related = refused.related or related
            return self._facing.refused(envelope, refused, ours)
        except (XmlRefused, BadRequest) as error:
            return self._facing.refused(envelope, Refused(_reason_of(error), related=related), ours)
        if len(sent.head) > LARGE:
            await asyncio.sleep(0)  # joining megabytes takes milliseconds, and so does sending them
        head, body, *_ = await send(sent)
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
            return await self._reply(call, version, reply, related)
        except (Invalid, MappingFailed, orjson.JSONDecodeError) as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error

    async def _asked(self, call: Call) -> tuple[Asked, Came | None]:
        """What the message that came asks, and the attachments that it came with."""
        given = document(call.request, call.route, None) if self._reads_request else {}
        if comes_in_parts(call.request.fields):
            package = await opened(call.request.fields, call.body, self._decode, bad_request)
            chance, root = self._chance(CHANCE), package.root
            asked, numbers = await coded(self._facing, self._recipe, root, "asked_with", root, given, chance)
            return asked, Came(package, Found(Marks(chance), numbers))
        data = await message_of(call, self._decode)
        return await coded(self._facing, self._recipe, data, "asked", data, given, self._chance(ID)), None

    async def _reply(self, call: Call, version: Version, data: bytes, related: Related | None) -> Answer:
        """The reply, with parts beside it for a client that takes them. Raises what the coding of it raises."""
        xop = takes_xop(call.request.fields)
        if not xop and not self._facing.packs:
            content = await coded(self._facing, self._recipe, data, "reply", version, data, related)
            return _told(content, CONTENT_TYPES[version])
        chance = self._chance(CHANCE)
        sent: Sent = await coded(self._facing, self._recipe, data, "reply_with", version, data, related, chance, xop)
        return _told(*packaged(sent, version, chance.hex(), xop=xop))

    # -------------------------------------------------------------------------------------------- the request

    async def _sent(self, call: Call, asked: Filled, came: Came | None) -> Outgoing:
        """What the backend is sent. Raises Refused, BadRequest."""
        plan, request = call.plan, call.request
        segments = iter(asked.segments)
        path = tuple(next(segments) if _is_of_the_body(part) else part for part in plan.target.path or (b"/",))
        ready = replace(plan, as_received=False, target=plan.target._replace(path=path))
        target = target_path(ready, call.route, request)
        if isinstance(target, PathProblem):
            raise Refused(target.detail)
        target = target.removesuffix(request.query)  # it speaks to the SOAP service: `?wsdl`, a session's id
        method = plan.method or b"POST"
        data, body = (b"", EMPTY) if method in BODYLESS else await _body(asked.body, came)
        head = _head(plan, method, target + asked.query, call, len(data) if body is EMPTY else -1)
        resend = body is EMPTY and request.method in call.route.idempotent  # by the route, not by the backend's method
        return Outgoing(head + data, body, plan.timeouts, body is not EMPTY, method == b"HEAD", resend)


# ------------------------------------------------------------------------------------------------ small things


def _is_of_the_body(part: bytes | Placeholder) -> bool:
    return isinstance(part, Placeholder) and part.source == "body"


async def _body(content: bytes, came: Came | None) -> tuple[bytes, Body]:
    """The JSON that is sent: all of it, or a body that is made while attachments still come."""
    if came is None:
        return content, EMPTY
    package, found = came
    holed = found.marks.cut(content)
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


def version_of(fields: Fields) -> str:
    """The envelope to answer in when the request's own cannot be read."""
    content_type = next((value for name, value in fields if name.lower() == b"content-type"), b"")
    return SOAP_12 if b"application/soap+xml" in content_type.lower() else SOAP_11


def _head(plan: Plan, method: bytes, target: bytes, call: Call, length: int) -> bytes:
    """The head of the REST request: the client's fields but for those about its envelope."""
    request = call.request
    host = plan.host if plan.host is not None else request.host or plan.backend.authority
    passed = [(name, value) for name, value in request.fields if not is_about_the_envelope(name.lower())]
    fields = [*passed, (b"Accept", b"application/json")]
    if length:
        framing = (b"Content-Length", b"%d" % length) if length > 0 else (b"Transfer-Encoding", b"chunked")
        fields += [(b"Content-Type", b"application/json"), framing]
    lines = field_lines(edited(fields, plan.target.request))
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b\r\n" % (method, target, host, lines, call.lines)


def is_about_the_envelope(name: bytes) -> bool:
    return name in _NOT_PASSED or name.startswith(b"content-")
