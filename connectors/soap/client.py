"""JSON to SOAP and back: a request becomes a call of one operation, and its reply the JSON of the route's contract.

Everything about the operation is made once, when the table is built. A request that does not fit is refused before
anything is sent, with every problem listed; a reply that cannot be used is an error of the backend.
"""

import asyncio
from os import urandom
from time import time
from urllib.parse import quote, urlsplit

import orjson

from connectors.base import Answer, Call, Send
from connectors.mapping import Expression, Mapped, MappingFailed, is_true
from connectors.soap import faults
from connectors.soap.answers import Fields, answer, problem_answer
from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import Frame, Opened, not_understood, opened
from connectors.soap.headers import Chance, Clock, Headers
from connectors.soap.incoming import document, json_body, read_whole, request_id
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid, Problem
from connectors.soap.security import Basic, authorization
from connectors.soap.target import SoapTarget
from connectors.soap.words import JSON
from connectors.soap.xmltext import XmlRefused
from gateway.core.forwarding import field_lines
from gateway.core.headers import AnswerHead
from gateway.core.model import Outcome
from gateway.core.planning import Plan, edited
from gateway.errors import AnswerInvalid, ClientError
from gateway.wire.body import EMPTY
from gateway.wire.pool import Outgoing

JSON_TYPE = ((b"Content-Type", b"application/json"),)
AN_ERROR = "The service behind this address answered with an error."
DOES_NOT_FIT = "The request does not fit what the service behind this address takes."
_NO_LOGON = frozenset({401, 403, 407})


class AnswerUnusable(Exception):
    """A reply that is no answer to the operation; why is for the log."""


_UNUSABLE = (AnswerUnusable, XmlRefused, Invalid, MappingFailed, orjson.JSONEncodeError)


class SoapConnector:
    """Calls SOAP backends. One serves one routing table: what was compiled for a schema is shared while it lasts."""

    def __init__(self, clock: Clock = time, chance: Chance = urandom) -> None:
        self._clock = clock
        self._chance = chance
        self._codecs: dict[int, tuple[Schema, Codec]] = {}

    async def prepare(self, plan: Plan) -> "SoapCaller":
        """Compile the plan's operation and mappings; in a thread, because a large schema takes a moment.

        Raises MappingInvalid, and Invalid for headers that the operation does not have or that do not fit.
        """
        schema: Schema = plan.backend.types
        found = self._codecs.get(id(schema))
        if found is None:
            found = self._codecs[id(schema)] = (schema, Codec(schema))
        return await asyncio.to_thread(SoapCaller, plan, found[1], self._clock, self._chance)


class SoapCaller:
    """Calls one operation."""

    def __init__(self, plan: Plan, codec: Codec, clock: Clock, chance: Chance) -> None:
        target: SoapTarget = plan.target.call
        operation = target.operation
        self._target = target
        self._operation = operation
        self._codec = codec
        self._clock = clock
        self._chance = chance
        self._request = None if target.request is None else Mapped(target.request)
        self._response = None if target.response is None else Mapped(target.response)
        self._is_error = None if target.error_when is None else Expression(target.error_when)
        self._statuses = dict(target.faults)
        self._frame = Frame(operation.version, codec.schema, encoded=operation.input.encoded)
        self._line = b"POST %b HTTP/1.1\r\nHost: " % _path(plan, target)
        self._fields = _fields(plan, target)
        self._headers = Headers(operation, target.auth, target.headers, codec)
        self._names = operation.output is not None and needs_names(codec.schema, operation.output)
        codec.compiled(operation.input)
        if operation.output is not None:
            codec.compiled(operation.output)

    async def call(self, call: Call, send: Send) -> Answer:
        """Raises ClientError for a request that cannot be read, BackendError when the backend fails."""
        given = await json_body(call, self._target.decode)
        ours = request_id(call.lines)
        try:
            message = self._message(call, given)
        except Invalid as invalid:
            members = {"problems": faults.listed(invalid.problems)}
            return problem_answer(422, DOES_NOT_FIT, ours, Outcome.REFUSED, "no", members)
        head, body = await send(self._outgoing(call, message))
        data = await read_whole(body, self._target.decode)
        if data is None:
            raise AnswerInvalid(f"{call.plan.name}: the reply is larger than {self._target.decode} bytes")
        try:
            return self._answer(head, data, ours)
        except _UNUSABLE as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error

    # -------------------------------------------------------------------------------------------- the request

    def _message(self, call: Call, given: JSON) -> bytes:
        """The envelope: of the request's JSON, or of what the mapping makes of the request.

        Raises Invalid for a value that does not fit, ClientError for a request that cannot be mapped.
        """
        value, asked = {} if given is None else given, None
        try:
            if self._request is not None or self._headers.from_request:
                asked = document(call.request, call.route, given)
            if self._request is not None:
                value = self._request(asked)
            content = self._codec.encode(self._operation.input, value)
            return self._frame.around(content, self._headers.blocks(asked, self._clock, self._chance))
        except MappingFailed as failed:
            raise ClientError(422, f"The request cannot be mapped: {failed}") from failed

    def _outgoing(self, call: Call, message: bytes) -> Outgoing:
        """Head and envelope in one piece, so that they can go again when a kept connection turns out stale."""
        plan, request = call.plan, call.request
        host = plan.host if plan.host is not None else request.host or plan.backend.authority
        length = b"Content-Length: %d\r\n" % len(message)
        whole = b"".join((self._line, host, b"\r\n", self._fields, length, call.lines, b"\r\n", message))
        return Outgoing(whole, EMPTY, plan.timeouts, False, False, request.method in call.route.idempotent)

    # -------------------------------------------------------------------------------------------- the answer

    def _answer(self, head: AnswerHead, data: bytes, ours: str) -> Answer:
        """What a reply means. Raises what is in _UNUSABLE."""
        output = self._operation.output
        if head.status in _NO_LOGON and b"Envelope" not in data:
            return _not_let_in(ours)
        if output is None and head.status < 300 and not data.strip():
            return answer(202, (), b"", Outcome.OK, "yes")
        message = self._opened(head, data)
        if message.fault is not None:
            judged = faults.judge(faults.read(message.fault), self._operation, self._statuses, self._codec)
            if head.status in _NO_LOGON and judged.outcome is Outcome.BACKEND_ERROR:
                return _not_let_in(ours)
            return problem_answer(judged.status, judged.reason, ours, judged.outcome, judged.acted, judged.members)
        if head.status >= 300:
            raise AnswerUnusable(f"HTTP {head.status} without a fault")
        if output is None:
            return answer(202, (), b"", Outcome.OK, "yes")
        value, problems = self._codec.decode(output, message.body, strict=self._target.strict)
        return self._reply(value, problems, self._headers.fields(message.headers), ours)

    def _opened(self, head: AnswerHead, data: bytes) -> Opened:
        """The reply's envelope; one with a fault is read with all its names, because any XML may be in its detail."""
        try:
            message = opened(data, names=self._names)
            if message.fault is not None and not self._names:
                message = opened(data, names=True)
        except XmlRefused as refused:
            raise AnswerUnusable(f"HTTP {head.status}: {refused}") from refused
        if unknown := not_understood(message, self._headers.understood):
            raise AnswerUnusable(f"the reply insists on headers that are not understood: {', '.join(unknown)}")
        return message

    def _reply(self, value: JSON, problems: tuple[Problem, ...], fields: Fields, ours: str) -> Answer:
        status = self._target.error_status
        if self._is_error is not None and is_true(self._is_error(value)):
            if status >= 500:
                return problem_answer(status, AN_ERROR, ours, Outcome.BACKEND_ERROR, "maybe", {})
            return problem_answer(status, AN_ERROR, ours, Outcome.BUSINESS_FAULT, "yes", {})
        mapped = self._response(value) if self._response is not None else value
        flags = ((b"X-Banyan-Schema", _flag(problems)),) if problems else ()
        return answer(200, (*JSON_TYPE, *fields, *flags), orjson.dumps(mapped), Outcome.OK, "yes")


# ------------------------------------------------------------------------------------------------ once per table


def _fields(plan: Plan, target: SoapTarget) -> bytes:
    """The fields that are the same for every call. None of the client's own crosses: the message is ours."""
    action = quote(target.operation.action or "", safe="!#$%&'()*+,/:;=?@[]~").encode()
    if target.operation.version == "1.1":
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


def _not_let_in(ours: str) -> Answer:
    """The backend refused the gateway itself (HTTP 401, 403, 407): nothing that the client could mend."""
    return problem_answer(502, faults.NOT_LOGGED_ON, ours, Outcome.BACKEND_ERROR, "no", {})


def _flag(problems: tuple[Problem, ...]) -> bytes:
    """What a caller is told of a reply that breaks its schema."""
    first = quote(problems[0].pointer[:200], safe="/~@$:").encode() or b"/"
    return b"lenient; problems=%d; first=%b" % (len(problems), first)
