"""What a reply of a SOAP route means, by its contract: for comparing two of them, whichever envelopes they came in."""

from typing import Any

from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import opened
from connectors.soap.plan import Message, Schema
from connectors.soap.problems import Invalid
from connectors.soap.target import BridgeTarget, FacadeTarget
from connectors.soap.xmltext import XmlRefused
from gateway.core.model import Route


class Meaning:
    """Reads replies of one operation. Values of the same meaning are equal, however they were written."""

    def __init__(self, output: Message, schema: Schema) -> None:
        self._output = output
        self._codec = Codec(schema)
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
