"""How one side of a route calls a SOAP backend, or answers a SOAP client, from JSON or by a call, as plain data."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from connectors.mapping import Given
from connectors.soap.plan import Operation, Schema
from connectors.soap.security import Auth, Session

DECODE = 8 * 1024 * 1024
"""The usual bound."""


class SoapTarget(NamedTuple):
    """One operation, and what stands between it and the route's contract.

    `request` and `response` are mappings (None: the operation's own JSON), and so is `headers`, by the keys of headers
    that the operation declares. `faults` are statuses by a fault's name, its detail's element or its code; `error_when`
    is an expression over the reply: where it is true, the reply is an error with `error_status`. `strict` refuses
    replies that break their schema; `decode` bounds what is decoded, in bytes. `session` is what calls are part of.
    `to` is the address that WS-Addressing names, "" where that is the WSDL's; `mtom` sends large base64 beside the
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
    session: Session | None = None
    to: str = ""
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
            "error_status": self.error_status if self.error_when is not None else None,
            "strict": self.strict,
            "addressing": self.operation.addressing.namespace,
            "mtom": self.mtom,
            "auth": [type(each).__name__ for each in self.auth],
            "session": None if self.session is None else _session(self.session),
            "decode": self.decode if self.decode != DECODE else None,
        }
        return {key: value for key, value in written.items() if value}

    @property
    def told(self) -> str:
        """What is done, in words for `banyan explain`."""
        operation = self.operation
        addressed = " with WS-Addressing" if operation.addressing.namespace else ""
        logged_on = f", logged on by {self.session.log_on.operation.name}" if self.session is not None else ""
        return f"{operation.name} of {operation.service}, called in SOAP {operation.version}{addressed}{logged_on}"


class FacadeTarget(NamedTuple):
    """One operation, answered by a JSON backend.

    `request` makes the JSON sent (of GET and DELETE: the query) from `{path, query, header, body}`, where `body` is the
    decoded message; None sends that message itself (and no query). `response` makes the reply from the backend's JSON;
    None: as it is. `faults` are declared faults by name, and the status that means each; `decode` bounds what is
    decoded, in bytes. `reply_headers` makes declared headers of the reply from that JSON, by key.

    What the backend's address asks for is told when the table is built: `places` are the ways to the values of the
    message that its path has places for; `in_query` says that it is called without a body.
    """

    operation: Operation
    schema: Schema
    request: Given | None = None
    response: Given | None = None
    faults: tuple[tuple[str, int], ...] = ()
    decode: int = DECODE
    reply_headers: Mapping[str, Any] | None = None
    places: tuple[str, ...] = ()
    in_query: bool = False

    def document(self) -> dict[str, Any]:
        """What is written about the answer, without literals of expressions."""
        written = {
            "answers": self.operation.name,
            "request": without_literals(self.request),
            "response": without_literals(self.response),
            "reply_headers": without_literals(self.reply_headers),
            "faults": dict(self.faults),
            "decode": self.decode if self.decode != DECODE else None,
        }
        return {key: value for key, value in written.items() if value}

    @property
    def told(self) -> str:
        """What is done, in words for `banyan explain`."""
        return f"{self.operation.name} of {self.operation.service}, answered from JSON"


class BridgeTarget(NamedTuple):
    """One operation, answered by a call of another.

    `operation` and `schema` are the contract's, `call` is what answers; its mappings stand between the two, and their
    `{path, query, header, soap_header, body}` speaks of what the client sent. `faults` are pairs of names: of a fault
    of that call (its own, its detail's element, or its code), and of the contract's fault that it becomes. `decode`
    bounds what is decoded on either side, in bytes.
    """

    operation: Operation
    schema: Schema
    call: SoapTarget
    faults: tuple[tuple[str, str], ...] = ()
    decode: int = DECODE

    def document(self) -> dict[str, Any]:
        """What is written about the call, without secrets."""
        written = {"answers": self.operation.name, **self.call.document(), "faults": dict(self.faults)}
        return {key: value for key, value in written.items() if value}

    @property
    def told(self) -> str:
        """What is done, in words for `banyan explain`."""
        return f"{self.operation.name} of {self.operation.service}, answered by {self.call.told}"


def _session(session: Session) -> dict[str, Any]:
    """What is written about a session: how it is begun, but nothing of what proves who begins it."""
    log_on = session.log_on
    written = {
        "operation": log_on.operation.name,
        "token": without_literals(log_on.token),
        "header": without_literals(session.header),
        "body": without_literals(session.body),
        "renew_on": list(session.renew_on),
        "renew_when": without_literals(session.renew_when),
        "lasts": log_on.lasts,
    }
    return {key: value for key, value in written.items() if value}


def without_literals(given: Any) -> Any:
    """A mapping whose literals, which may hold what only the environment knows, are masked."""
    if isinstance(given, str):
        return _LITERAL.sub("'***'", given)
    if isinstance(given, Mapping):
        return {key: without_literals(each) for key, each in given.items()}
    return [without_literals(each) for each in given] if isinstance(given, list) else None if given is None else "***"


_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
