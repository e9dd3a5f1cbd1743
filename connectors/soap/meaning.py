"""What a reply of a SOAP route means, by its contract: for comparing two of them, whichever envelopes they came in.

Values are those that clients get, but that exact decimals, which keep their spelling there (12.50), lose it here.
"""

from typing import Any, TypeVar, cast

from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import opened
from connectors.soap.numeric import SHORTEST
from connectors.soap.plan import Message, Schema, Simple
from connectors.soap.problems import Invalid
from connectors.soap.reach import inside_out
from connectors.soap.target import BridgeTarget, FacadeTarget
from connectors.soap.xmltext import XmlRefused
from gateway.core.model import Route

Plan = TypeVar("Plan")


class Meaning:
    """Reads replies of one operation. Values of the same meaning are equal, however they were written."""

    def __init__(self, output: Message, schema: Schema) -> None:
        self._output = _unspelled(output)
        self._codec = Codec(_unspelled_schema(schema, output))
        self._names = needs_names(schema, output)

    def __call__(self, envelope: bytes) -> Any:
        """The operation's result, as values of JSON. Raises ValueError for a fault, and for what is no reply."""
        try:
            found = opened(envelope, names=self._names)
            if found.fault is not None:
                raise ValueError("the reply is a fault")
            value, _ = self._codec.decode(self._output, found.body)
        except (XmlRefused, Invalid) as refused:
            raise ValueError(str(refused)) from refused
        return value


def meaning_of(route: Route) -> Meaning | None:
    """The reader of a route's replies; None where no WSDL says what they mean (JSON, or SOAP that only passes)."""
    for target in (route.legacy, route.new):
        call = target.call if target is not None else None
        if isinstance(call, FacadeTarget | BridgeTarget) and call.operation.output is not None:
            return Meaning(call.operation.output, call.schema)
    return None


def _unspelled_schema(schema: Schema, message: Message) -> Schema:
    """A schema in which the types that a message reaches read decimals in their shortest form."""
    types, done = [*schema.types], set[int]()
    for part in message.parts:
        for place in inside_out(schema, part.type, done):
            types[place] = _unspelled(types[place])
            done.add(place)
    return schema._replace(types=tuple(types))


def _unspelled(plan: Plan) -> Plan:
    """A part of a plan, which is tuples all through, with every decimal of the usual form in its shortest."""
    if not isinstance(plan, tuple):
        return plan
    if isinstance(plan, Simple) and plan.kind == "decimal":
        return cast(Plan, plan._replace(form=plan.form or SHORTEST))
    parts = map(_unspelled, plan)
    return cast(Plan, plan._make(parts) if hasattr(plan, "_make") else tuple(parts))
