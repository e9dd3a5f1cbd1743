"""What a SOAP client asks, and what it is told: bytes in, bytes out, and no socket.

A request is an envelope of either version, a reply the backend's JSON in an envelope of that version. Small messages
are coded where they come, large ones in a process of their own (`workshop.py`).
"""

import re
from math import inf
from typing import Any, Literal

import orjson

from connectors.base import Answer
from connectors.mapping import Mapped
from connectors.soap.answers import answer
from connectors.soap.attachments import Wanted
from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import NAMESPACES, Frame, Version, not_understood, opened
from connectors.soap.fitting import ILLEGAL
from connectors.soap.marks import LONGEST, Marks, marked
from connectors.soap.plan import Field, Message, Schema
from connectors.soap.problems import UNKNOWN_MEMBER, Invalid
from connectors.soap.target import FacadeTarget
from connectors.soap.words import JSON
from connectors.soap.xop import Found, Sent, included, refers, resolved, sent, with_declared, without_declared
from gateway.core.model import Acted, Outcome
from gateway.core.problems import Refusal, soap_fault

CONTENT_TYPES: dict[Version, bytes] = {
    "1.1": b"text/xml; charset=utf-8",
    "1.2": b"application/soap+xml; charset=utf-8",
}
NO_ANSWER = "The service behind this address cannot answer now."
_UNSPEAKABLE = re.compile(f"[{ILLEGAL}]")


class Refused(Exception):
    """A request that is answered with a fault; `version` is that of its envelope, where only the error knows it."""

    def __init__(self, reason: str, version: Version | None = None, code: Literal["", "MustUnderstand"] = "") -> None:
        super().__init__(reason, version, code)  # all of it, because it may come from the other process
        self.reason = reason
        self.version = version
        self.must_understand = code == "MustUnderstand"


def facing(target: FacadeTarget, schema: Schema) -> "Facing":
    """As the process for large messages makes it."""
    return Facing(target, Codec(schema))


class Facing:
    """Codes one operation's messages: requests in, replies out."""

    def __init__(self, target: FacadeTarget, codec: Codec) -> None:
        operation, output = target.operation, target.operation.output
        encoded = operation.output is not None and operation.output.encoded
        self._operation = operation
        self._codec = codec
        self._response = None if target.response is None else Mapped(target.response)
        self._frames = {version: Frame(version, codec.schema, encoded=encoded) for version in NAMESPACES}
        self._known = frozenset(field.name for field in operation.input.headers)
        self._names = needs_names(codec.schema, operation.input)
        self._faults = target.faults
        codec.compiled(operation.input)
        if operation.output is not None:
            codec.compiled(operation.output)

        self._is_referred_to = refers(codec.schema, operation.input)
        self._refers = output is not None and refers(codec.schema, output)
        self.packs = output is not None and (self._refers or bool(output.attachments))

    def request(self, data: bytes) -> tuple[Version, JSON]:
        """The version of an envelope that came, and the operation's input. Raises Refused, XmlRefused."""
        return self._request(data, None)

    def request_with(self, data: bytes, chance: bytes) -> tuple[Version, JSON, dict[Wanted, int]]:
        """The same for a request with attachments: marks are in their places. Raises what `request` does."""
        found = Found(Marks(chance), {})
        return (*self._request(data, found), found.numbers)

    def _request(self, data: bytes, found: Found | None) -> tuple[Version, JSON]:
        message = opened(data, names=self._names)
        if unknown := not_understood(message, self._known):
            reason = f"The request insists on headers that are not understood here: {', '.join(unknown)}."
            raise Refused(reason, message.version, "MustUnderstand")
        taken = self._operation.input
        if found is not None:
            included(message.body, found, encoded=taken.encoded)
        try:
            value, _ = self._codec.decode(taken, message.body, strict=True)
        except Invalid as invalid:
            raise Refused(str(invalid), message.version) from invalid
        if self._is_referred_to:
            value = resolved(value, found)
        return message.version, value if found is None else with_declared(value, taken, found)

    def reply(self, version: Version, data: bytes) -> bytes:
        """The operation's reply, of a backend's JSON. Raises Invalid, MappingFailed, JSONDecodeError."""
        output = self._operation.output
        return b"" if output is None else self._enveloped(version, output, self._mapped(data))

    def reply_with(self, version: Version, data: bytes, chance: bytes, xop: bool) -> Sent:
        """The reply, and what travels beside it: large base64 if a client takes `xop`. Raises what `reply` does."""
        output = self._operation.output
        if output is None:
            return Sent(b"")
        longest = -1 if self._refers else LONGEST if xop else inf
        value, attached = marked(self._mapped(data), Marks(chance), longest, names=False)
        value, declared = without_declared(value, output)
        return sent(self._enveloped(version, output, value).decode(), chance, attached, declared, xop=xop)

    def _mapped(self, data: bytes) -> JSON:
        found: JSON = orjson.loads(data) if data.strip() else {}
        return found if self._response is None else self._response(found)

    def _enveloped(self, version: Version, output: Message, value: JSON) -> bytes:
        return self._frames[version].around(self._codec.encode(output, value))

    def refusal(self, envelope: str, status: int, data: bytes, ours: str) -> Answer:
        """What a backend's refusal is in SOAP: the fault declared for its status, or one that blames the same side."""
        name = next((name for name, code in self._faults if code == status), "")
        if status >= 500 and not name:
            return answered(soap_fault(envelope, NO_ANSWER, ours, sender=False), Outcome.BACKEND_ERROR, "maybe")
        said = _said(data)
        reason = _reason(said) or name or f"The request was refused ({status})."
        detail, declared = self._detail(name, said), self._frames["1.1"].declared
        return answered(soap_fault(envelope, reason, ours, detail=detail, declared=declared), Outcome.BUSINESS_FAULT)

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
