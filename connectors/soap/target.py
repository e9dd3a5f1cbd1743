"""How a SOAP backend is called for one side of a route, as plain data."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from connectors.soap.plan import Operation
from connectors.soap.security import Auth

DECODE = 8 * 1024 * 1024
"""The usual bound."""


class SoapTarget(NamedTuple):
    """One operation, and what stands between it and the route's contract.

    `request` and `response` are mappings (None: the operation's own JSON), and so is `headers`, by the keys of headers
    that the operation declares. `faults` are statuses by a fault's name, its detail's element or its code; `error_when`
    is an expression over the reply: where it is true, the reply is an error with `error_status`. `strict` refuses
    replies that break their schema; `decode` bounds what is decoded, in bytes.
    """

    operation: Operation
    request: str | Mapping[str, Any] | None = None
    headers: Mapping[str, Any] | None = None
    response: str | Mapping[str, Any] | None = None
    faults: tuple[tuple[str, int], ...] = ()
    error_when: str | None = None
    error_status: int = 502
    strict: bool = False
    auth: tuple[Auth, ...] = ()
    decode: int = DECODE

    @property
    def told(self) -> str:
        """What is done, in words for `banyan explain`."""
        return f"{self.operation.name} of {self.operation.service}, called in SOAP {self.operation.version}"
