"""SOAP outside, another SOAP behind: an old client keeps its contract while a system with other names answers.

It is the facade (`facing.py`) in front of a call (`client.py`): the client's envelope is read by the contract's
operation, the target's operation is called with what it says, and the result is written by the contract again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from os import urandom
from typing import Any
from urllib.parse import quote

from connectors.base import Answer, Call, Kept, Send
from connectors.soap.addressing import ID
from connectors.soap.bridging import Bridging, Heard, Told, bridging
from connectors.soap.client import SoapCaller, SoapConnector
from connectors.soap.codec import Codec
from connectors.soap.envelope import NAMESPACES
from connectors.soap.facade import is_about_the_envelope, version_of
from connectors.soap.facing import Refused
from connectors.soap.headers import Chance
from connectors.soap.incoming import bad_request, read_whole, request_id
from connectors.soap.logons import Given
from connectors.soap.marks import CHANCE, CID, Marks
from connectors.soap.packages import Package, comes_in_parts, opened, takes_xop
from connectors.soap.packed import message_of
from connectors.soap.plan import Schema
from connectors.soap.problems import Invalid
from connectors.soap.target import BridgeTarget
from connectors.soap.workshop import Recipe, coded
from connectors.soap.xmltext import XmlRefused
from gateway.core.fields import field_lines
from gateway.core.planning import Plan
from gateway.errors import AnswerInvalid, ClientError, ClientGone
from gateway.wire.body import whole


class BridgeConnector:
    """Answers SOAP clients from other SOAP backends. One serves one routing table."""

    def __init__(self, calls: SoapConnector | None = None, chance: Chance = urandom) -> None:
        self._calls = calls or SoapConnector()
        self._chance = chance
        self._codecs: dict[int, tuple[Schema, Codec]] = {}

    async def prepare(self, plan: Plan, kept: Kept | None = None) -> "BridgeCaller":
        """Compile both operations and the mappings; in a thread, because a large schema takes a moment.

        Raises MappingInvalid, and Invalid for headers that the operation does not have or that do not fit.
        """
        target: BridgeTarget = plan.target.call
        inner = plan.target._replace(call=target.call._replace(decode=target.decode))
        caller = await self._calls.prepare(replace(plan, target=inner), kept)
        found = self._codecs.setdefault(id(target.schema), (target.schema, Codec(target.schema)))
        return await asyncio.to_thread(BridgeCaller, target, found[1], caller, self._chance)


class AsJson(Call):
    """A SOAP client's call as a REST client would have made it; `given` are the headers of its envelope."""

    __slots__ = ("_given",)

    def __init__(self, call: Call, message: bytes, given: dict[str, Any]) -> None:
        kept = [field for field in call.request.fields if not is_about_the_envelope(field[0].lower())]
        lines = field_lines([*kept, (b"Content-Type", b"application/json")])
        request = replace(call.request, lines=lines, length=len(message), expect=False)
        super().__init__(request, call.route, call.plan, call.lines, whole(message))
        self._given = given

    @property
    def given(self) -> Mapping[str, Any]:
        return self._given


class BridgeCaller:
    """Answers one operation."""

    def __init__(self, target: BridgeTarget, codec: Codec, caller: SoapCaller, chance: Chance) -> None:
        self._chance = chance
        self._decode = target.decode
        self._bridging = Bridging(target, codec)
        self._recipe = Recipe(bridging, target, codec.schema)
        self._caller = caller

    async def call(self, call: Call, send: Send) -> Answer:
        """Raises ClientError for a message that cannot be unpacked, BackendError when the backend fails."""
        ours, envelope = request_id(call.lines), version_of(call.request.fields)
        try:
            heard, package = await self._heard(call)
        except Refused as refused:
            envelope = NAMESPACES[refused.version] if refused.version is not None else envelope
            return self._bridging.refused(envelope, refused, ours)
        except XmlRefused as error:
            return self._bridging.refused(envelope, Refused(str(error)), ours)
        version, message, headers, related = heard
        asked = AsJson(call, message, {"soap_header": headers})
        try:
            came = await self._caller.ask(asked, Given(message, package), send)
        except ClientGone:
            raise
        except ClientError as error:  # a mapping does not take the message, or a part of it is not there
            return self._bridging.refused(NAMESPACES[version], Refused(error.detail, related=related), ours)
        result = await read_whole(came.body, self._decode)
        if result is None:
            raise AnswerInvalid(f"{call.plan.name}: the result is larger than {self._decode} bytes")
        told = Told(came.head.status, came.head.fields, result, came.outcome, came.acted)
        what = version, told, ours, related, self._chance(CHANCE), takes_xop(call.request.fields)
        try:
            answer: Answer = await coded(self._bridging, self._recipe, result, "answer", *what)
        except Invalid as error:
            raise AnswerInvalid(f"{call.plan.name}: {error} (in what it becomes)") from error
        return answer

    async def _heard(self, call: Call) -> tuple[Heard, Package | None]:
        """What the message says, and what it came in, if that has attachments: the message names them then."""
        if not comes_in_parts(call.request.fields):
            data = await message_of(call, self._decode)
            return await coded(self._bridging, self._recipe, data, "request", data, self._chance(ID)), None
        package = await opened(call.request.fields, call.body, self._decode, bad_request)
        chance, root = self._chance(CHANCE), package.root
        heard, numbers = await coded(self._bridging, self._recipe, root, "request_with", root, chance)
        names = {number: f"{CID}{quote(wanted.name)}".encode() for wanted, number in numbers.items()}
        return heard._replace(message=Marks(chance).cut(heard.message).joined(names)), package
