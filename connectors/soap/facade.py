"""SOAP outside, JSON behind: an old client is answered from a REST backend and does not notice.

A request is decoded by its operation's plan and held to its schema; the target's path, query and body are filled from
it; the backend's JSON is mapped and written as the operation's reply, in the envelope version that the client sent.
"""

from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from connectors.base import Answer, Call, Send
from connectors.mapping import Expression, Given, Mapped, MappingFailed
from connectors.soap.answers import answer
from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import NAMESPACES, Frame, Version, not_understood, opened
from connectors.soap.incoming import document, read_whole, request_id
from connectors.soap.plan import Field, Operation, Schema
from connectors.soap.problems import UNKNOWN_MEMBER, Invalid
from connectors.soap.target import DECODE
from connectors.soap.words import JSON
from connectors.soap.workshop import LARGE, WORKSHOP, Recipe
from connectors.soap.xmltext import XmlRefused
from gateway.core.forwarding import field_lines
from gateway.core.headers import Fields
from gateway.core.model import Acted, Outcome, Placeholder
from gateway.core.paths import problem_of
from gateway.core.planning import PathProblem, Plan, edited, target_path
from gateway.core.problems import SOAP_11, SOAP_12, Refusal, soap_fault
from gateway.errors import AnswerInvalid
from gateway.wire.body import EMPTY, too_large
from gateway.wire.pool import Outgoing

BODYLESS = frozenset({b"GET", b"HEAD", b"DELETE"})
_NOT_PASSED = frozenset(
    {b"content-type", b"content-encoding", b"content-language", b"soapaction", b"accept", b"accept-encoding"}
)
CONTENT_TYPES = {"1.1": b"text/xml; charset=utf-8", "1.2": b"application/soap+xml; charset=utf-8"}
NO_ANSWER = "The service behind this address cannot answer now."


class FacadeTarget(NamedTuple):
    """One operation, answered by a JSON backend.

    `request` makes the JSON sent (of GET and DELETE: the query) from `{path, query, header, body}`, where `body` is the
    decoded message; None sends that message itself. `response` makes the reply from the backend's JSON; None: as it is.
    `faults` are declared faults by name, and the status that means each; `decode` bounds what is decoded, in bytes.
    """

    operation: Operation
    schema: Schema
    request: Given | None = None
    response: Given | None = None
    faults: tuple[tuple[str, int], ...] = ()
    decode: int = DECODE

    @property
    def told(self) -> str:
        """What is done, in words for `banyan explain`."""
        return f"{self.operation.name} of {self.operation.service}, answered from JSON"


class FacadeConnector:
    """Answers SOAP clients from JSON backends. One serves one routing table."""

    def __init__(self) -> None:
        self._codecs: dict[int, tuple[Schema, Codec]] = {}

    async def prepare(self, plan: Plan) -> "FacadeCaller":
        """Compile the plan's operation and mappings. Raises MappingInvalid."""
        schema: Schema = plan.target.call.schema
        found = self._codecs.setdefault(id(schema), (schema, Codec(schema)))
        return FacadeCaller(plan, found[1])


class Refused(Exception):
    """A request that is answered with a fault."""


def facing(target: FacadeTarget, schema: Schema) -> "Facing":
    """As the process for large messages makes it."""
    return Facing(target, Codec(schema))


class Facing:
    """Codes one operation's messages: requests in, replies out."""

    def __init__(self, target: FacadeTarget, codec: Codec) -> None:
        operation = target.operation
        encoded = operation.output is not None and operation.output.encoded
        self._operation = operation
        self._codec = codec
        self._response = None if target.response is None else Mapped(target.response)
        self._frames = {version: Frame(version, codec.schema, encoded=encoded) for version in NAMESPACES}
        self._known = frozenset(field.name for field in operation.input.headers)
        self._names = needs_names(codec.schema, operation.input)
        self.declared = self._frames["1.1"].declared

    def request(self, data: bytes) -> tuple[Version, JSON]:
        """The version of an envelope that came, and the operation's input. Raises Refused, XmlRefused, Invalid."""
        message = opened(data, names=self._names)
        if unknown := not_understood(message, self._known):
            raise Refused(f"The request insists on headers that are not understood here: {', '.join(unknown)}.")
        value, _ = self._codec.decode(self._operation.input, message.body, strict=True)
        return message.version, value

    def reply(self, version: Version, data: bytes) -> bytes:
        """The operation's reply, of a backend's JSON. Raises Invalid, MappingFailed, JSONDecodeError."""
        output = self._operation.output
        if output is None:
            return b""
        found: JSON = orjson.loads(data) if data.strip() else {}
        value = found if self._response is None else self._response(found)
        return self._frames[version].around(self._codec.encode(output, value))


class FacadeCaller:
    """Answers one operation."""

    def __init__(self, plan: Plan, codec: Codec) -> None:
        target: FacadeTarget = plan.target.call
        self._target = target
        self._operation = target.operation
        self._codec = codec
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
        data = await read_whole(call.body, self._target.decode)
        if data is None:
            raise too_large(self._target.decode)
        try:
            version, value = await self._coded(data, "request", data)
            envelope = NAMESPACES[version]
            sent = self._sent(call, value)
        except (Refused, XmlRefused, Invalid, MappingFailed) as error:
            return _faulted(envelope, str(error), ours, Outcome.REFUSED, "no")
        head, body = await send(sent)
        data = await read_whole(body, self._target.decode)
        if data is None:
            raise AnswerInvalid(f"{call.plan.name}: the answer is larger than {self._target.decode} bytes")
        if head.status >= 300:
            return self._refusal(envelope, head.status, data, ours)
        try:
            content = await self._coded(data, "reply", version, data)
        except (Invalid, MappingFailed, orjson.JSONDecodeError) as error:
            raise AnswerInvalid(f"{call.plan.name}: {error}") from error
        if not content:
            return answer(202, (), b"", Outcome.OK, "yes")
        return answer(200, ((b"Content-Type", CONTENT_TYPES[version]),), content, Outcome.OK, "yes")

    async def _coded(self, data: bytes, method: str, *arguments: Any) -> Any:
        """What a method of the coding makes: here, or, of a large message, where it holds nobody up."""
        if len(data) > LARGE:
            return await WORKSHOP.code(self._recipe, method, *arguments)
        return getattr(self._facing, method)(*arguments)

    # -------------------------------------------------------------------------------------------- the request

    def _sent(self, call: Call, value: JSON) -> Outgoing:
        """What the backend is sent. Raises Refused, MappingFailed."""
        plan, request = call.plan, call.request
        given = document(call.request, call.route, value)
        content = value if self._request is None else self._request(given)
        filled = replace(plan, as_received=False, target=plan.target._replace(path=self._filled(plan, given)))
        target = target_path(filled, call.route, replace(request, query=b""))
        if isinstance(target, PathProblem):
            raise Refused(target.detail)
        method = plan.method or b"POST"
        data = b"" if method in BODYLESS else orjson.dumps(content)
        if method in BODYLESS and self._request is not None:
            target += _query(content)
        head = _head(plan, method, target, call, len(data))
        resend = request.method in call.route.idempotent
        return Outgoing(head + data, EMPTY, plan.timeouts, False, method == b"HEAD", resend)

    def _filled(self, plan: Plan, given: dict[str, Any]) -> tuple[bytes | Placeholder, ...]:
        """The target's path, its places for values of the body filled. Raises Refused."""
        return tuple(
            self._value(self._places[part], given) if isinstance(part, Placeholder) and part in self._places else part
            for part in plan.target.path or (b"/",)
        )

    def _value(self, place: Expression, given: dict[str, Any]) -> bytes:
        value = place(given)
        if value is None or isinstance(value, bool | list | dict):
            raise Refused(f"The request has no {place.text}.")
        text = str(value).encode()
        if not text or problem_of(b"/" + quote(text, safe="").encode()):
            raise Refused(f"The {place.text} cannot be part of a path.")
        return quote(text, safe="").encode()

    # -------------------------------------------------------------------------------------------- the answer

    def _refusal(self, envelope: str, status: int, data: bytes, ours: str) -> Answer:
        """What a backend's refusal is in SOAP: the fault declared for its status, or one that blames the same side."""
        if status >= 500:
            return _faulted(envelope, NO_ANSWER, ours, Outcome.BACKEND_ERROR, "maybe", sender=False)
        name = next((name for name, code in self._target.faults if code == status), None)
        said = _said(data)
        detail = self._detail(name, said) if name is not None else ""
        reason = str(said.get("detail") or said.get("title") or name or f"The request was refused ({status}).")
        declared = self._facing.declared
        refusal = soap_fault(envelope, reason, ours, sender=True, detail=detail, declared=declared)
        return _answered(refusal, Outcome.BUSINESS_FAULT, "yes")

    def _detail(self, name: str, said: dict[str, Any]) -> str:
        """A declared fault's detail, out of the backend's JSON; none when that does not fit."""
        field = dict(self._operation.faults).get(name)
        if field is None:
            return ""
        for value in (said.get("detail"), said):
            if not isinstance(value, dict):
                continue
            known = self._known_members(field, value)
            try:
                return self._codec.encode_element(field, known)
            except Invalid:
                continue
        return ""

    def _known_members(self, field: Field, value: dict[str, Any]) -> dict[str, Any]:
        """The members of a problem document that the detail has: the others (title, status, ...) are HTTP's."""
        try:
            self._codec.encode_element(field, value)
        except Invalid as invalid:
            unknown = {each.pointer.removeprefix("/") for each in invalid.problems if each.reason == UNKNOWN_MEMBER}
            return {key: each for key, each in value.items() if key not in unknown}
        return value


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
    passed = [field for field in request.fields if field[0].lower() not in _NOT_PASSED]
    fields = [*passed, (b"Accept", b"application/json")]
    if length:
        fields += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % length)]
    lines = field_lines(edited(fields, plan.target.request))
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b\r\n" % (method, target, host, lines, call.lines)


def _query(content: JSON) -> bytes:
    """A query string out of an object; arrays give their name several times. Raises MappingFailed."""
    if not isinstance(content, dict) or any(isinstance(each, dict) for each in content.values()):
        raise MappingFailed("`request` must be an object of plain values: they become the query")
    texts = {name: value if isinstance(value, list) else [value] for name, value in content.items()}
    query = urlencode([(name, _plain(each)) for name, values in texts.items() for each in values])
    return b"?" + query.encode() if query else b""


def _plain(value: JSON) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _said(data: bytes) -> dict[str, Any]:
    """What a backend says about its refusal, if that is a JSON object."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _faulted(envelope: str, reason: str, ours: str, outcome: Outcome, acted: Acted, *, sender: bool = True) -> Answer:
    return _answered(soap_fault(envelope, reason, ours, sender=sender), outcome, acted)


def _answered(refusal: Refusal, outcome: Outcome, acted: Acted) -> Answer:
    return answer(refusal.status, ((b"Content-Type", refusal.content_type),), refusal.body, outcome, acted)
