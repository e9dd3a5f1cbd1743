"""JSON to SOAP and back: a request becomes a call of one operation, and its reply the JSON of the route's contract.

Everything about the operation is made once, when the table is built. A request that does not fit is refused before
anything is sent, with every problem listed; a reply that cannot be used is an error of the backend.
"""

import asyncio
from dataclasses import replace
from os import urandom
from time import time
from urllib.parse import quote, urlsplit

import orjson

from connectors.base import Answer, Call, Kept, Send
from connectors.mapping import MappingFailed
from connectors.soap import faults
from connectors.soap.answers import problem_answer
from connectors.soap.codec import Codec
from connectors.soap.coding import AnswerUnusable, Coding, coding
from connectors.soap.headers import Chance, Clock
from connectors.soap.incoming import document, json_body, read_whole, request_id
from connectors.soap.logons import InSession, flight_of
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid
from connectors.soap.security import NONCE, Basic, authorization
from connectors.soap.sessions import Held
from connectors.soap.target import SoapTarget
from connectors.soap.workshop import Recipe, coded
from connectors.soap.xmltext import XmlRefused
from gateway.core.forwarding import field_lines
from gateway.core.model import Outcome
from gateway.core.planning import Plan, edited
from gateway.errors import AnswerInvalid
from gateway.wire.body import EMPTY
from gateway.wire.pool import Outgoing

DOES_NOT_FIT = "The request does not fit what the service behind this address takes."
_UNUSABLE = (AnswerUnusable, XmlRefused, Invalid, MappingFailed, orjson.JSONEncodeError)


class SoapConnector:
    """Calls SOAP backends. One serves one routing table: what was compiled for a schema is shared while it lasts."""

    def __init__(self, clock: Clock = time, chance: Chance = urandom) -> None:
        self._clock = clock
        self._chance = chance
        self._codecs: dict[int, tuple[Schema, Codec]] = {}

    async def prepare(self, plan: Plan, kept: Kept | None = None) -> "SoapCaller":
        """Compile the plan's operation and mappings; in a thread, because a large schema takes a moment.

        Raises MappingInvalid, and Invalid for headers that the operation does not have or that do not fit.
        """
        schema: Schema = plan.backend.types
        found = self._codecs.get(id(schema))
        if found is None:
            found = self._codecs[id(schema)] = (schema, Codec(schema))
        caller = await asyncio.to_thread(SoapCaller, plan, found[1], self._clock, self._chance)
        session = plan.target.call.session
        if session is not None:
            log_on = SoapTarget(session.log_on.operation, auth=session.log_on.auth, to=plan.target.call.to)
            ours = replace(plan, target=plan.target._replace(call=log_on))
            first = await asyncio.to_thread(SoapCaller, ours, found[1], self._clock, self._chance)
            caller.session = InSession(flight_of(session, kept), ours, first.exchange)
        return caller


class SoapCaller:
    """Calls one operation; in a `session`, where its backend wants one."""

    def __init__(self, plan: Plan, codec: Codec, clock: Clock, chance: Chance) -> None:
        target: SoapTarget = plan.target.call
        self._decode = target.decode
        self._coding = Coding(target, codec)
        self._recipe = Recipe(coding, target, codec.schema)
        self.session: InSession | None = None
        self._clock = clock
        self._chance = chance
        self._line = b"POST %b HTTP/1.1\r\nHost: " % _path(plan, target)
        self._fields = _fields(plan, target)

    async def call(self, call: Call, send: Send) -> Answer:
        """Raises ClientError for a request that cannot be read, BackendError when the backend fails."""
        given = await json_body(call, self._decode)
        if self.session is not None:
            return await self.session.call(call, given, send, self.exchange)
        return await self.exchange(call, given, send)

    async def exchange(self, call: Call, given: bytes, send: Send, held: Held | None = None) -> Answer:
        """Send what a request's JSON makes, and read the reply. Raises SessionOver, beside what `call` does."""
        ours = request_id(call.lines)
        asked = {**document(call.request, call.route, None), **call.given} if self._coding.reads_request else {}
        now, nonce, token = self._clock(), self._chance(NONCE), None if held is None else held.token
        try:
            message = await coded(self._coding, self._recipe, given, "message", given, asked, now, nonce, token)
        except Invalid as invalid:
            members = {"problems": faults.listed(invalid.problems)}
            return problem_answer(422, DOES_NOT_FIT, ours, Outcome.REFUSED, "no", members)
        cookies = b"" if held is None else held.lines
        head, body = await send(self._outgoing(call, message, cookies))
        data = await read_whole(body, self._decode)
        if data is None:
            raise AnswerInvalid(f"{call.plan.name}: the reply is larger than {self._decode} bytes")
        try:
            answer: Answer = await coded(self._coding, self._recipe, data, "answer", head.status, data, ours, nonce)
        except _UNUSABLE as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error
        return answer

    def _outgoing(self, call: Call, message: bytes, cookies: bytes) -> Outgoing:
        """Head and envelope in one piece, so that they can go again when a kept connection turns out stale."""
        plan, request = call.plan, call.request
        host = plan.host if plan.host is not None else request.host or plan.backend.authority
        length = b"Content-Length: %d\r\n" % len(message)
        fields = self._fields + length + call.lines + cookies
        whole = b"".join((self._line, host, b"\r\n", fields, b"\r\n", message))
        return Outgoing(whole, EMPTY, plan.timeouts, False, False, request.method in call.route.idempotent)


# ------------------------------------------------------------------------------------------------ once per table


def _fields(plan: Plan, target: SoapTarget) -> bytes:
    """The fields that are the same for every call. None of the client's own crosses: the message is ours."""
    operation = target.operation
    named = operation.action or ""
    if operation.version == "1.2" and operation.addressing.namespace:
        named = operation.addressing.input  # the two must agree (WS-Addressing 1.0, SOAP Binding, section 3)
    action = quote(named, safe="!#$%&'()*+,/:;=?@[]~").encode()
    if operation.version == "1.1":
        fields = [(b"Content-Type", b"text/xml; charset=utf-8"), (b"SOAPAction", b'"%b"' % action)]
    else:
        parameter = b'; action="%b"' % action if action else b""
        fields = [(b"Content-Type", b"application/soap+xml; charset=utf-8" + parameter)]
    fields += [(b"Accept", b"text/xml, application/soap+xml"), (b"Accept-Encoding", b"identity")]
    fields += [(b"Authorization", authorization(each)) for each in target.auth if isinstance(each, Basic)]
    return field_lines(edited(fields, plan.target.request))


def _path(plan: Plan, target: SoapTarget) -> bytes:
    """Where the service is: the backend's own path, or the one in the WSDL's address."""
    if plan.backend.base:
        return plan.backend.base
    address = urlsplit(target.operation.address)
    path = address.path if address.path.startswith("/") else "/"
    return quote(f"{path}?{address.query}" if address.query else path, safe="!$%&'()*+,/:;=?@~").encode()
