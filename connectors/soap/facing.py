"""What a SOAP client asks, and what it is told: bytes in, bytes out, and no socket.

A request is an envelope of either version, a reply the backend's JSON in an envelope of that version. Small messages
are coded where they come, large ones in a process of their own (`workshop.py`).
"""

import re
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, Literal, NamedTuple

import orjson

from connectors.base import Answer
from connectors.mapping import Mapped, MappingFailed
from connectors.soap import addressing
from connectors.soap.addressing import Given, Misaddressed, Related
from connectors.soap.answers import answer
from connectors.soap.attachments import Wanted, packed
from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import NAMESPACES, Frame, Opened, Version, headers_for_us, not_understood, opened
from connectors.soap.filling import Filled, Filling
from connectors.soap.fitting import ILLEGAL
from connectors.soap.marks import LONGEST, Marks, marked
from connectors.soap.plan import Field, Message, Schema
from connectors.soap.problems import UNKNOWN_MEMBER, Invalid
from connectors.soap.target import FacadeTarget
from connectors.soap.words import JSON
from connectors.soap.xmltext import Element, local
from connectors.soap.xop import (
    Found,
    Sent,
    content_type,
    included,
    refers,
    resolved,
    root_fields,
    sent,
    with_declared,
    without_declared,
)
from gateway.core.model import Acted, Outcome, SoapOperation
from gateway.core.problems import Cause, Refusal, soap_fault
from gateway.core.soap import Called, action_contradicts

CONTENT_TYPES: dict[Version, bytes] = {
    "1.1": b"text/xml; charset=utf-8",
    "1.2": b"application/soap+xml; charset=utf-8",
}
NO_ANSWER = "The service behind this address cannot answer now."
_UNSPEAKABLE = re.compile(f"[{ILLEGAL}]")


class Refused(Exception):
    """A request that is answered with a fault; `version` is that of its envelope, where only the error knows it.

    `related` is what the fault owes the request's headers, and `cause` what is wrong with those.
    """

    def __init__(
        self,
        reason: str,
        version: Version | None = None,
        code: Literal["", "MustUnderstand"] = "",
        related: Related | None = None,
        cause: Cause | None = None,
    ) -> None:
        super().__init__(reason, version, code, related, cause)  # all, because it may come from the other process
        self.reason = reason
        self.version = version
        self.must_understand = code == "MustUnderstand"
        self.related = related
        self.cause = cause


class Said(NamedTuple):
    """What a client said: the version of its envelope, the operation's input, and its declared headers by key.

    `related` is what a reply owes its other headers.
    """

    version: Version
    value: JSON
    headers: dict[str, JSON]
    related: Related | None


Asked = tuple[Version, Filled, Related | None]
"""The version of an envelope, what the backend is asked, and what a reply owes the envelope's headers."""


def facing(target: FacadeTarget, schema: Schema) -> "Facing":
    """As the process for large messages makes it."""
    return Facing(target, Codec(schema))


class Facing:
    """Codes one operation's messages: requests in, replies out."""

    def __init__(self, target: FacadeTarget, codec: Codec, *, reads_headers: bool = False) -> None:
        operation = target.operation
        encoded = operation.output is not None and operation.output.encoded
        self._operation = operation
        self._codec = codec
        self._filling = Filling(target)
        self._response = None if target.response is None else Mapped(target.response)
        self._reply_headers = None if target.reply_headers is None else Mapped(target.reply_headers)
        self._frames = {version: Frame(version, codec.schema, encoded=encoded) for version in NAMESPACES}
        self._known = frozenset(field.name for field in operation.input.headers) | addressing.UNDERSTOOD
        headers = operation.input.headers if reads_headers or target.request is not None else ()
        self._headers = {field.name: field for field in headers}
        self._names = needs_names(codec.schema, operation.input) or needs_names(codec.schema, Message(headers))
        self._returned = {field.key: field for field in operation.output.headers} if operation.output else {}
        self._faults = target.faults
        codec.compiled(operation.input)
        if operation.output is not None:
            codec.compiled(operation.output)
        self._is_referred_to = refers(codec.schema, operation.input)
        self._refers = operation.output is not None and refers(codec.schema, operation.output)
        self.packs = operation.output is not None and (self._refers or bool(operation.output.attachments))

    def asked(self, data: bytes, given: dict[str, Any], chance: bytes) -> Asked:
        """The version of an envelope that came, what the backend is asked, and what a reply owes the headers.

        `given` is the rest of the request's document. Raises Refused, XmlRefused.
        """
        return self._asked(self.request(data, chance), given)

    def asked_with(self, data: bytes, given: dict[str, Any], chance: bytes) -> tuple[Asked, dict[Wanted, int]]:
        """The same for a request with attachments: marks, of this chance too, are in their places."""
        said, numbers = self.request_with(data, chance)
        return self._asked(said, given), numbers

    def _asked(self, said: Said, given: dict[str, Any]) -> Asked:
        try:
            filled = self._filling({**given, "body": said.value, "soap_header": said.headers})
        except MappingFailed as failed:
            raise Refused(str(failed), said.version, related=said.related) from failed
        return said.version, filled, said.related

    def request(self, data: bytes, chance: bytes) -> Said:
        """What an envelope says; `chance` makes the id of the reply. Raises Refused, XmlRefused."""
        return self._said(data, chance, None)

    def request_with(self, data: bytes, chance: bytes) -> tuple[Said, dict[Wanted, int]]:
        """The same of an envelope with attachments: marks are in their places, and this is what they stand for."""
        found = Found(Marks(chance), {})
        return self._said(data, chance, found), found.numbers

    def _said(self, data: bytes, chance: bytes, found: Found | None) -> Said:
        message = opened(data, names=self._names)
        related = self._related(message, chance)
        if unknown := not_understood(message, self._known):
            reason = f"The request insists on headers that are not understood here: {', '.join(unknown)}."
            raise Refused(reason, message.version, "MustUnderstand", related)
        taken = self._operation.input
        if found is not None:
            included(message.body, found, encoded=taken.encoded)
        try:
            value, _ = self._codec.decode(taken, message.body, strict=True)
            headers = self._declared(message.headers)
        except Invalid as invalid:
            raise Refused(str(invalid), message.version, related=related) from invalid
        if self._is_referred_to:
            value = resolved(value, found)
        value = value if found is None else with_declared(value, taken, found)
        return Said(message.version, value, headers, related)

    def _declared(self, blocks: Iterable[Element]) -> dict[str, JSON]:
        """The headers that the operation declares, as far as they can be read. Raises Invalid."""
        known = ((self._headers[block.tag], block) for block in blocks if block.tag in self._headers)
        return {field.key: self._codec.decode_element(field, block)[0] for field, block in known}

    def _related(self, message: Opened, chance: bytes) -> Related | None:
        """What a reply owes the headers of WS-Addressing. Raises Refused for those that cannot be obeyed."""
        given = addressing.given(headers_for_us(message)) if message.headers else None
        if given is None:
            return None
        related = addressing.related(given, chance)
        problem = self._misaddressed(given, message)
        if problem is not None:
            cause = Cause(given.namespace, problem.codes)
            raise Refused(problem.reason, message.version, related=related, cause=cause)
        return related

    def _misaddressed(self, given: Given, message: Opened) -> Misaddressed | None:
        operation, body = self._operation, next(iter(message.body), None)
        element = operation.name if body is None else local(body.tag)
        known = SoapOperation(operation.name, element, None, operation.action or None, operation.addressing.input)
        contradicts = action_contradicts(Called("", "", element, given.action), known)
        return addressing.misaddressed(given, contradicts=contradicts, one_way=operation.output is None)

    def reply(self, version: Version, data: bytes, related: Related | None = None, headers: str = "") -> bytes:
        """The operation's reply, of a backend's JSON. Raises Invalid, MappingFailed, JSONDecodeError."""
        output = self._operation.output
        if output is None:
            return b""
        value, blocks = self._mapped(data, related)
        return self._frames[version].around(self._codec.encode(output, value), headers + blocks)

    def reply_with(
        self, version: Version, data: bytes, related: Related | None, chance: bytes, xop: bool, headers: str = ""
    ) -> Sent:
        """The reply, and what travels beside it: large base64 if a client takes `xop`. Raises what `reply` does."""
        output = self._operation.output
        if output is None:
            return Sent(b"")
        longest = -1 if self._refers else LONGEST if xop else inf
        value, blocks = self._mapped(data, related)
        value, attached = marked(value, Marks(chance), longest, names=False)
        value, declared = without_declared(value, output)
        envelope = self._frames[version].around(self._codec.encode(output, value), headers + blocks)
        return sent(envelope.decode(), chance, attached, declared, xop=xop)

    def _mapped(self, data: bytes, related: Related | None) -> tuple[JSON, str]:
        """The reply's value, and its headers."""
        found: JSON = orjson.loads(data) if data.strip() else {}
        blocks = "" if self._reply_headers is None else self.blocks(self._reply_headers(found))
        value = found if self._response is None else self._response(found)
        return value, blocks + addressing.reply_blocks(related, self._operation.addressing.output)

    def blocks(self, values: Mapping[str, JSON]) -> str:
        """Headers of a reply, as XML. Raises Invalid."""
        return "".join(self._codec.encode_element(self._returned[key], value) for key, value in values.items())

    def refusal(self, envelope: str, status: int, data: bytes, ours: str, related: Related | None = None) -> Answer:
        """What a backend's refusal is in SOAP: the fault declared for its status, or one that blames the same side."""
        name = next((name for name, code in self._faults if code == status), "")
        if status >= 500 and not name:
            fault = soap_fault(envelope, NO_ANSWER, ours, sender=False, headers=self.fault_headers(related))
            return answered(fault, Outcome.BACKEND_ERROR, "maybe")
        said = _said(data)
        reason = _reason(said) or name or f"The request was refused ({status})."
        details = [each for each in (said.get("detail"), said) if isinstance(each, dict)]
        return answered(self.fault(envelope, reason, ours, name, details, related), Outcome.BUSINESS_FAULT)

    def fault_headers(self, related: Related | None, name: str = "", *, own: bool = False) -> str:
        """What a fault owes its request's headers: a declared one by its name, or one about the headers (`own`)."""
        return addressing.fault_blocks(related, self._operation.addressing, name, own=own)

    def refused(self, envelope: str, refused: Refused, ours: str) -> Answer:
        """The fault for a request that is refused here, before anything was sent."""
        headers = self.fault_headers(refused.related, own=refused.cause is not None)
        insists = refused.must_understand
        fault = soap_fault(
            envelope, refused.reason, ours, must_understand=insists, headers=headers, cause=refused.cause
        )
        return answered(fault, Outcome.REFUSED, "no")

    def fault(
        self,
        envelope: str,
        reason: str,
        ours: str,
        name: str,
        details: Iterable[JSON],
        related: Related | None = None,
        *,
        sender: bool = True,
    ) -> Refusal:
        """The declared fault of a name, with the first of these details that fits; any other fault has none."""
        detail, declared = self._detail(name, details), self._frames["1.1"].declared
        headers = self.fault_headers(related, name)
        return soap_fault(envelope, reason, ours, sender=sender, detail=detail, declared=declared, headers=headers)

    def _detail(self, name: str, details: Iterable[JSON]) -> str:
        """A declared fault's detail, as XML; none when nothing fits."""
        field = dict(self._operation.faults).get(name)
        if field is None:
            return ""
        for value in details:
            known = self._known_members(field, value)
            try:
                return self._codec.encode_element(field, known)
            except Invalid:
                continue
        return ""

    def _known_members(self, field: Field, value: JSON) -> JSON:
        """The members of an object that the detail has: others are another schema's, or HTTP's (title, status, ...)."""
        try:
            self._codec.encode_element(field, value)
        except Invalid as invalid:
            unknown = {each.pointer.removeprefix("/") for each in invalid.problems if each.reason == UNKNOWN_MEMBER}
            return {key: each for key, each in value.items() if key not in unknown} if unknown else value
        return value


def packaged(sent: Sent, version: Version, boundary: str, *, xop: bool) -> tuple[bytes, bytes]:
    """A reply and its content type: a package if something travels beside the envelope."""
    if not sent.pieces:
        return sent.envelope, CONTENT_TYPES[version]
    texts = packed(boundary, root_fields(version, boundary, "", xop=xop), sent.envelope, sent.pieces)
    return b"".join(texts), content_type(version, boundary, "", xop=xop)


def _said(data: bytes) -> dict[str, Any]:
    """What a backend says about its refusal, if that is a JSON object."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(said: dict[str, Any]) -> str:
    """A backend's own words, without what XML cannot carry."""
    words = (said.get("detail"), said.get("title"))
    return _UNSPEAKABLE.sub("", next((each for each in words if isinstance(each, str) and each), ""))


def answered(refusal: Refusal, outcome: Outcome, acted: Acted = "yes") -> Answer:
    """A fault as an answer."""
    return answer(refusal.status, ((b"Content-Type", refusal.content_type),), refusal.body, outcome, acted)
