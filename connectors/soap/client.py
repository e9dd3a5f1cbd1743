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
from connectors.soap.attachments import Drawn, begin, packed, passed_on
from connectors.soap.codec import Codec
from connectors.soap.coding import AnswerUnusable, Coding, coding
from connectors.soap.headers import Chance, Clock
from connectors.soap.incoming import bad_request, document, json_body, read_whole, request_id
from connectors.soap.logons import Given, InSession, flight_of
from connectors.soap.marks import CHANCE
from connectors.soap.packages import comes_in_parts, field_of, opened, with_attachments, with_gathered
from connectors.soap.plan import Operation, Schema
from connectors.soap.problems import Invalid
from connectors.soap.security import NONCE, Basic, authorization
from connectors.soap.sessions import Held
from connectors.soap.target import SoapTarget
from connectors.soap.workshop import LARGE, Recipe, coded
from connectors.soap.xmltext import XmlRefused
from connectors.soap.xop import Sent, content_type, root_fields
from gateway.core.fields import field_lines
from gateway.core.headers import AnswerHead
from gateway.core.model import Outcome
from gateway.core.planning import Plan, edited
from gateway.errors import AnswerInvalid
from gateway.wire.body import EMPTY, Body
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
        self._target = target
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
        if call.request.length and comes_in_parts(call.request.fields):
            package = await opened(call.request.fields, call.body, self._decode, bad_request)
            return await self.ask(call, Given(package.root, package), send)
        return await self.ask(call, Given(await json_body(call, self._decode)), send)

    async def ask(self, call: Call, given: Given, send: Send) -> Answer:
        """The same with a request that has been read."""
        if self.session is not None:
            return await self.session.call(call, given, send, self.exchange)
        return await self.exchange(call, given, send)

    async def exchange(self, call: Call, given: Given, send: Send, held: Held | None = None) -> Answer:
        """Send what a request brings, and read the reply. Raises SessionOver, beside what `call` does."""
        ours, nonce = request_id(call.lines), self._chance(NONCE)
        try:
            outgoing = await self._made(call, given, nonce, held)
        except Invalid as invalid:
            members = {"problems": faults.listed(invalid.problems)}
            return problem_answer(422, DOES_NOT_FIT, ours, Outcome.REFUSED, "no", members)
        if len(outgoing.head) > LARGE:
            await asyncio.sleep(0)  # joining megabytes takes milliseconds, and so does sending them
        head, body, *_ = await send(outgoing)
        try:
            return await self._answered(call, head, body, ours, nonce)
        except _UNUSABLE as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error

    # -------------------------------------------------------------------------------------------- the request

    async def _made(self, call: Call, given: Given, nonce: bytes, held: Held | None) -> Outgoing:
        """What is sent. Raises Invalid for what does not fit, and ClientError."""
        asked = {**document(call.request, call.route, None), **call.given} if self._coding.reads_request else {}
        lines, token = (call.lines, None) if held is None else (call.lines + held.lines, held.token)
        data, package = given
        arguments = (data, asked, self._clock(), nonce, token)
        if package is None and not self._coding.packs:
            message = await coded(self._coding, self._recipe, data, "message", *arguments)
            return self._outgoing(call, lines, self._fields, message)
        chance = self._chance(CHANCE)
        sent: Sent = await coded(self._coding, self._recipe, data, "sent", *arguments, chance, package is not None)
        if package is not None and (sent.inside or package.small or not sent.wanted):
            sent = await with_gathered(sent, package.parts, self._decode, bad_request)
        return self._packed(call, sent, chance.hex(), given, lines)

    def _packed(self, call: Call, sent: Sent, boundary: str, given: Given, lines: bytes) -> Outgoing:
        """A message with what travels beside it: in one piece, or followed by what is still to come."""
        operation, xop = self._target.operation, self._target.mtom
        if not xop and not sent.pieces and not sent.wanted:
            return self._outgoing(call, lines, self._fields, sent.envelope)
        action = _action(operation).decode()
        kind = content_type(operation.version, boundary, action, xop=xop)
        root = root_fields(operation.version, boundary, action, xop=xop)
        fields = _fields(call.plan, self._target, kind)
        if given.package is None or not sent.wanted:
            return self._outgoing(call, lines, fields, *packed(boundary, root, sent.envelope, sent.pieces))
        start = begin(boundary, root, sent.envelope, sent.pieces)
        pieces = passed_on(start, boundary, sent.wanted, sent.ids, given.package.parts, bad_request)
        head = self._head(call, fields + b"Transfer-Encoding: chunked\r\n" + lines)
        return Outgoing(head, Drawn(pieces), call.plan.timeouts, True, False, False)

    def _outgoing(self, call: Call, lines: bytes, fields: bytes, *message: bytes) -> Outgoing:
        """Head and envelope in one piece, so that they can go again when a kept connection turns out stale."""
        length = b"Content-Length: %d\r\n" % sum(map(len, message))
        whole = b"".join((self._head(call, fields + length + lines), *message))
        resend = call.request.method in call.route.idempotent
        return Outgoing(whole, EMPTY, call.plan.timeouts, False, False, resend)

    def _head(self, call: Call, fields: bytes) -> bytes:
        plan = call.plan
        host = plan.host if plan.host is not None else call.request.host or plan.backend.authority
        return b"".join((self._line, host, b"\r\n", fields, b"\r\n"))

    # -------------------------------------------------------------------------------------------- the reply

    async def _answered(self, call: Call, head: AnswerHead, body: Body, ours: str, nonce: bytes) -> Answer:
        """What the reply means. Raises what is unusable about it, SessionOver, and BackendError."""
        if comes_in_parts(head.fields):
            return await self._unpacked(call, head, body, ours, nonce)
        data = await read_whole(body, self._decode)
        if data is None:
            raise AnswerInvalid(f"{call.plan.name}: the reply is larger than {self._decode} bytes")
        answer: Answer = await coded(self._coding, self._recipe, data, "answer", head.status, data, ours, nonce)
        return answer

    async def _unpacked(self, call: Call, head: AnswerHead, body: Body, ours: str, nonce: bytes) -> Answer:
        """What a reply with attachments means; they may still be on their way when it begins."""

        def refuse(reason: str) -> AnswerInvalid:
            return AnswerInvalid(f"{call.plan.name}: {reason}")

        package, chance = await opened(head.fields, body, self._decode, refuse), self._chance(CHANCE)
        arguments = (head.status, package.root, ours, nonce, chance)
        answer, wanted = await coded(self._coding, self._recipe, package.root, "answer_with", *arguments)
        accept = field_of(call.request.fields, b"accept")
        return await with_attachments(answer, chance, wanted, package, accept, refuse)


# ------------------------------------------------------------------------------------------------ once per table


def _fields(plan: Plan, target: SoapTarget, packed: bytes = b"") -> bytes:
    """The fields that are the same for every call, but for the content type of one that is `packed` with attachments.

    None of the client's own crosses: the message is ours.
    """
    action = _action(target.operation)
    if target.operation.version == "1.1":
        fields = [(b"Content-Type", packed or b"text/xml; charset=utf-8"), (b"SOAPAction", b'"%b"' % action)]
    else:
        parameter = b'; action="%b"' % action if action else b""
        fields = [(b"Content-Type", packed or b"application/soap+xml; charset=utf-8" + parameter)]
    accept = b"multipart/related, application/xop+xml, " if target.mtom else b""
    fields += [(b"Accept", accept + b"text/xml, application/soap+xml"), (b"Accept-Encoding", b"identity")]
    fields += [(b"Authorization", authorization(each)) for each in target.auth if isinstance(each, Basic)]
    return field_lines(edited(fields, plan.target.request))


def _action(operation: Operation) -> bytes:
    """The action that a call's fields tell. In SOAP 1.2 it agrees with that in the envelope (WS-Addressing 1.0, SOAP
    Binding, section 3)."""
    addressed = operation.version == "1.2" and operation.addressing.namespace
    named = operation.addressing.input if addressed else operation.action or ""
    return quote(named, safe="!#$%&'()*+,/:;=?@[]~").encode()


def _path(plan: Plan, target: SoapTarget) -> bytes:
    """Where the service is: the backend's own path, or the one in the WSDL's address."""
    if plan.backend.base:
        return plan.backend.base
    address = urlsplit(target.operation.address)
    path = address.path if address.path.startswith("/") else "/"
    return quote(f"{path}?{address.query}" if address.query else path, safe="!$%&'()*+,/:;=?@~").encode()
