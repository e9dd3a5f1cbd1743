"""One operation answered by another: what a REST client would be told, said to a SOAP client in its contract's words.

A bridge is a facade whose backend is the call of an operation, so what comes back is that call's JSON, or its problem
document (`coding.py`). A fault that the contract declares goes under its own name there, or the one that the route
gives it, with as much of its detail as the contract knows.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import orjson

from connectors.base import Answer
from connectors.mapping import MappingFailed
from connectors.soap.addressing import Related
from connectors.soap.answers import answer
from connectors.soap.attachments import Wanted
from connectors.soap.codec import Codec
from connectors.soap.envelope import NAMESPACES, Version
from connectors.soap.facing import CONTENT_TYPES, NO_ANSWER, Facing, Refused, Said, answered, packaged
from connectors.soap.filling import as_json
from connectors.soap.plan import Field, Schema
from connectors.soap.problems import Invalid
from connectors.soap.target import BridgeTarget, FacadeTarget
from connectors.soap.words import JSON
from connectors.soap.xmltext import local
from gateway.core.fields import Fields
from gateway.core.model import Acted, Outcome

_ANSWERS = frozenset({Outcome.BUSINESS_FAULT, Outcome.REFUSED})
_SERVER = frozenset({"Server", "Receiver"})
_ROOT = re.compile(r"<(?:[^\s:/>]+:)?([^\s:/>]+)")
_SHOWN = 20
"""Problems told in one fault."""


class Told(NamedTuple):
    """What came of the call, as plain values."""

    status: int
    fields: Fields
    data: bytes
    outcome: Outcome
    acted: Acted


class Heard(NamedTuple):
    """What a client said: the version of its envelope, its message as JSON, its declared headers by key.

    `related` is what a reply owes its other headers.
    """

    version: Version
    message: bytes
    headers: dict[str, JSON]
    related: Related | None


def bridging(target: BridgeTarget, schema: Schema) -> "Bridging":
    """As the process for large messages makes it."""
    return Bridging(target, Codec(schema))


class Bridging:
    """Codes the client's side of one bridge."""

    def __init__(self, target: BridgeTarget, codec: Codec) -> None:
        operation, called = target.operation, target.call.operation
        self._facing = Facing(FacadeTarget(operation, target.schema), codec, reads_headers=True)
        self._codec = codec
        self._returned = operation.output.headers if operation.output is not None else ()
        self._declared = frozenset(name for name, _ in operation.faults)
        self._elements = {name: local(field.name) for name, field in called.faults}
        self._renamed = dict(target.faults)

    def request(self, data: bytes, chance: bytes) -> Heard:
        """What an envelope says. Raises Refused, XmlRefused."""
        return _as_told(self._facing.request(data, chance))

    def request_with(self, data: bytes, chance: bytes) -> tuple[Heard, dict[Wanted, int]]:
        """The same for a message with attachments: marks are in their places, and this is what they stand for."""
        said, numbers = self._facing.request_with(data, chance)
        return _as_told(said), numbers

    def refused(self, envelope: str, refused: Refused, ours: str) -> Answer:
        """The fault for a request that is refused here."""
        return self._facing.refused(envelope, refused, ours)

    def answer(
        self,
        version: Version,
        told: Told,
        ours: str,
        related: Related | None = None,
        chance: bytes = b"",
        xop: bool = False,
    ) -> Answer:
        """What the client is answered; with large base64 in parts, if it takes `xop`.

        Raises Invalid for a result that is none of the contract's operation.
        """
        flags = tuple(pair for pair in told.fields if pair[0] == b"X-Banyan-Schema")
        if told.status >= 400:
            return self._refusal(NAMESPACES[version], told, ours, related)
        headers = self._headers(told.fields)
        if xop or self._facing.packs:
            sent = self._facing.reply_with(version, told.data, related, chance, xop, headers)
            content, kind = packaged(sent, version, chance.hex(), xop=xop)
        else:
            content, kind = self._facing.reply(version, told.data, related, headers), CONTENT_TYPES[version]
        if not content:
            return answer(202, (), b"", told.outcome, told.acted)
        return answer(200, ((b"Content-Type", kind), *flags), content, told.outcome, told.acted)

    # -------------------------------------------------------------------------------------------- headers of a reply

    def _headers(self, fields: Fields) -> str:
        """The declared headers that came back with the call, of the same name: `Soap-Name` fields (`headers.py`)."""
        given = {name: unquote(value.decode()) for name, value in fields}
        blocks = ((field, given.get(f"Soap-{local(field.name)}".encode())) for field in self._returned)
        return "".join(self._header(field, text) for field, text in blocks if text is not None)

    def _header(self, field: Field, text: str) -> str:
        """A header as XML: its text, or the JSON in it, whichever fits; nothing where neither does."""
        try:
            return self._codec.encode_element(field, text)
        except Invalid:
            pass  # then it is JSON
        try:
            return self._codec.encode_element(field, orjson.loads(text))
        except (Invalid, orjson.JSONDecodeError):
            return ""

    # -------------------------------------------------------------------------------------------- faults

    def _refusal(self, envelope: str, told: Told, ours: str, related: Related | None) -> Answer:
        """A fault that blames the same side. Whatever a failing backend says of itself stays here."""
        problem = orjson.loads(told.data)
        soap: dict[str, Any] = problem.get("soap", {})
        if told.outcome not in _ANSWERS:
            fault = self._facing.fault(envelope, NO_ANSWER, ours, "", (), related, sender=False)
            return answered(fault, told.outcome, told.acted)
        details = [value for name, value in soap.get("detail", {}).items() if name in self._elements]
        sender = soap.get("code") not in _SERVER
        told_by = ours if told.outcome is Outcome.REFUSED else ""  # the words of a fault that came stay as they are
        what = envelope, _reason(problem), told_by, self._name(soap), [*details, {}], related
        fault = self._facing.fault(*what, sender=sender)
        return answered(fault, told.outcome, told.acted)

    def _name(self, soap: dict[str, Any]) -> str:
        """The contract's name for a fault; "" where it has none."""
        names = list(_names(soap, self._elements))
        renamed = (self._renamed[name] for name in names if name in self._renamed)
        return next(renamed, next((name for name in soap.get("detail", {}) if name in self._declared), ""))


def _as_told(said: Said) -> Heard:
    """Raises Refused for what cannot be JSON."""
    try:
        return Heard(said.version, as_json(said.value), said.headers, said.related)
    except MappingFailed as failed:
        raise Refused(str(failed), said.version, related=said.related) from failed


def _names(soap: dict[str, Any], elements: dict[str, str]) -> Iterator[str]:
    """What a fault may be called, the most telling first: its name, its detail's element, its codes."""
    details = soap.get("detail", {})
    declared = [name for name in details if name in elements]
    yield from declared
    yield from (elements[name] for name in declared)
    yield from (found[1] for text in details.get("$any", ()) if (found := _ROOT.match(text)) is not None)
    yield from (soap[key] for key in ("subcode", "code") if key in soap)


def _reason(problem: dict[str, Any]) -> str:
    """A problem's words, and what it lists."""
    listed = [f"{each['pointer'] or 'the whole'}: {each['reason']}" for each in problem.get("problems", ())]
    more = ["..."] if len(listed) > _SHOWN else []
    return " ".join([problem["detail"], "; ".join([*listed[:_SHOWN], *more])]).rstrip()
