"""How one side of a route calls a SOAP backend, or answers a SOAP client from a JSON backend, as plain data."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from connectors.mapping import Given
from connectors.soap.plan import Operation, Schema
from connectors.soap.security import Auth

DECODE = 8 * 1024 * 1024
"""The usual bound."""


class SoapTarget(NamedTuple):
    """One operation, and what stands between it and the route's contract.

    `request` and `response` are mappings (None: the operation's own JSON), and so is `headers`, by the keys of headers
    that the operation declares. `faults` are statuses by a fault's name, its detail's element or its code; `error_when`
    is an expression over the reply: where it is true, the reply is an error with `error_status`. `strict` refuses
    replies that break their schema; `decode` bounds what is decoded, in bytes; `mtom` sends large base64 beside the
    envelope.
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
    mtom: bool = False

    def document(self) -> dict[str, Any]:
        """What is written about the call, without secrets: no credentials, and no literals of expressions."""
        written = {
            "operation": self.operation.name,
            "version": self.operation.version,
            "request": without_literals(self.request),
            "headers": without_literals(self.headers),
            "response": without_literals(self.response),
            "faults": dict(self.faults),
            "error_when": without_literals(self.error_when),
            "strict": self.strict,
            "mtom": self.mtom,
            "auth": [type(each).__name__ for each in self.auth],
        }
        return {key: value for key, value in written.items() if value}

    @property
    def told(self) -> str:
        """What is done, in words for `banyan explain`."""
        return f"{self.operation.name} of {self.operation.service}, called in SOAP {self.operation.version}"


class FacadeTarget(NamedTuple):
    """One operation, answered by a JSON backend.

    `request` makes the JSON sent (of GET and DELETE: the query) from `{path, query, header, body}`, where `body` is the
    decoded message; None sends that message itself (and no query). `response` makes the reply from the backend's JSON;
    None: as it is. `faults` are declared faults by name, and the status that means each; `decode` bounds what is
    decoded, in bytes.
    """

    operation: Operation
    schema: Schema
    request: Given | None = None
    response: Given | None = None
    faults: tuple[tuple[str, int], ...] = ()
    decode: int = DECODE

    def document(self) -> dict[str, Any]:
        """What is written about the answer, without literals of expressions."""
        written = {
            "answers": self.operation.name,
            "request": without_literals(self.request),
            "response": without_literals(self.response),
            "faults": dict(self.faults),
        }
        return {key: value for key, value in written.items() if value}

    @property
    def told(self) -> str:
        """What is done, in words for `banyan explain`."""
        return f"{self.operation.name} of {self.operation.service}, answered from JSON"


def without_literals(given: Any) -> Any:
    """A mapping whose literals, which may hold what only the environment knows, are masked."""
    if isinstance(given, str):
        return _LITERAL.sub("'***'", given)
    if isinstance(given, Mapping):
        return {key: without_literals(each) for key, each in given.items()}
    return [without_literals(each) for each in given] if isinstance(given, list) else None if given is None else "***"


_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
