"""What a route takes and answers, for the OpenAPI document: from the WSDL where a side calls an operation, as it is.

The contract is that of the side that says most about it: one that calls an operation, the legacy side first. So the
document stays the same when a route is flipped.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any, NamedTuple

from connectors.soap.openapi import Components
from connectors.soap.sampling import sample
from connectors.soap.target import BridgeTarget, FacadeTarget, SoapTarget, without_literals
from connectors.soap.xmltext import local
from gateway.core.model import Estate, Placeholder, Route, Serve, Target

if TYPE_CHECKING:
    from connectors.soap.plan import Schema

Document = dict[str, Any]

PROBLEM = "application/problem+json"
XML = {"text/xml": {"schema": {"type": "string"}}, "application/soap+xml": {"schema": {"type": "string"}}}
BODILESS = ("get", "head", "delete", "options", "trace")
UNPROCESSABLE = 422


class Refusal(NamedTuple):
    """A refusal of the gateway's own: its name among the components, and when it comes."""

    name: str
    when: str


REFUSALS = {
    400: Refusal("BadRequest", "The request is malformed, or its path holds what no path may hold."),
    408: Refusal("RequestTimeout", "The request did not arrive in time."),
    410: Refusal("Gone", "The endpoint is retired; a Link field tells its successor where there is one."),
    413: Refusal("TooLarge", "The request's body is too large."),
    415: Refusal("NotJson", "The request's body is not JSON."),
    422: Refusal("Unprocessable", "The request does not fit what is asked for here; `problems` lists every reason."),
    502: Refusal("BadGateway", "The service behind this address cannot be reached, or gave no usable answer."),
    503: Refusal("Unavailable", "The service behind this address cannot take more at the moment; see Retry-After."),
    504: Refusal("GatewayTimeout", "The service behind this address did not answer in time."),
}

SCHEMAS: dict[str, Document] = {
    "Problem": {
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string", "description": "Quote it when you ask for help."},
            "successor": {"type": "string", "format": "uri"},
        },
        "required": ["type", "title", "status", "detail", "request_id"],
    },
    "InvalidRequest": {
        "description": "A problem document that lists what is wrong with the request.",
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {
            "problems": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "pointer": {"type": "string", "format": "json-pointer"},
                        "reason": {"type": "string"},
                    },
                    "required": ["pointer", "reason"],
                },
            }
        },
    },
    "SoapFault": {
        "description": "A problem document that tells of a fault.",
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {
            "soap": {
                "type": "object",
                "properties": {
                    "code": {"type": "string"},
                    "subcode": {"type": "string"},
                    "actor": {"type": "string"},
                    "detail": {"type": "object"},
                },
                "required": ["code"],
            }
        },
    },
}


def reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def problem_responses() -> Document:
    """The gateway's own refusals, as components."""
    return {
        name: {
            "description": when,
            "content": {PROBLEM: {"schema": reference("InvalidRequest" if status == UNPROCESSABLE else "Problem")}},
        }
        for status, (name, when) in REFUSALS.items()
    }


class Contracts:
    """The contracts of an estate's routes; `schemas` are the components that they refer to."""

    def __init__(self, estate: Estate) -> None:
        self.schemas: dict[str, Document] = dict(SCHEMAS)
        self._types: dict[str, Schema] = {each.name: each.types for each in estate.backends if each.types is not None}
        self._components: dict[str, Components] = {}
        self._max_body = estate.gateway.max_body
        self._guarded = {backend.name for backend in estate.backends if backend.protect is not None}

    # -------------------------------------------------------------------------------------------- what is taken

    def parameters(self, route: Route) -> list[Document]:
        """The query parameters and headers that a route asks for."""
        needed = [("query", each.name.decode(), True) for each in route.match.query]
        needed += [("header", each.name.decode(), True) for each in route.match.headers]
        used = [each for target in sides(route) for each in used_by(target)]
        found: dict[tuple[str, str], Document] = {}
        for place, name, required in [*needed, *((place, name, False) for place, name in used)]:
            if place == "header" and name.lower() in ("accept", "content-type", "authorization"):
                continue  # OpenAPI ignores these
            document: Document = {"name": name, "in": place, "schema": {"type": "string"}}
            found.setdefault((place, name), document | ({"required": True} if required else {}))
        return list(found.values())

    def documentation(self, route: Route) -> Iterator[str]:
        """What the WSDL says about the operation that a route calls, or that its SOAP clients do."""
        calls = (side.call for side in sides(route) if isinstance(side.call, SoapTarget | FacadeTarget | BridgeTarget))
        call = next(calls, None)
        if call is not None and call.operation.documentation:
            yield call.operation.documentation

    def exchange(self, verb: str, route: Route, calls: list[Route]) -> Document:
        """`requestBody` and `responses`."""
        if route.serve is Serve.RETIRED:
            return {"responses": own_responses([410])}
        found = call_of(route)
        if route.match.soap is not None:
            return self._soap(route)
        exchange = self._called(verb, route, *found) if found is not None else self._passed(verb, route)
        if calls:
            body = exchange.setdefault("requestBody", {"content": {}})
            body["content"] = body["content"] | XML
        return exchange

    def _passed(self, verb: str, route: Route) -> Document:
        """An exchange that passes as it is."""
        body: Document = {} if verb in BODILESS else {"requestBody": {"content": {"*/*": {}}}}
        answers = {"2XX": {"description": "The answer."}}
        return {**body, "responses": answers | own_responses(self._refusals(route))}

    def _soap(self, route: Route) -> Document:
        answers = {
            "200": {"description": "The reply's envelope.", "content": XML},
            "500": {"description": "A fault.", "content": XML},
        }
        body = {"required": True, "description": "An envelope.", "content": XML}
        return {"requestBody": body, "responses": answers | own_responses(self._refusals(route))}

    def _refusals(self, route: Route) -> list[int]:
        bounded = [413] if route.max_body or self._max_body else []
        filled = [422] if any(used_in_path(target) for target in sides(route)) else []
        return [400, 408, *bounded, *filled, 502, *self._protected(route), 504]

    def _protected(self, route: Route) -> list[int]:
        return [503] if any(side.backend in self._guarded for side in sides(route)) else []

    # -------------------------------------------------------------------------------------------- calls of operations

    def _called(self, verb: str, route: Route, backend: str, target: SoapTarget) -> Document:
        """JSON that becomes a call, and its result."""
        body = self._request_body(verb, backend, target)
        statuses = [400, 408, 413, *([415] if body else []), 422, 502, *self._protected(route), 504]
        answers = self._result(backend, target) | own_responses(statuses) | self._faults(backend, target)
        return ({"requestBody": body} if body else {}) | {"responses": dict(sorted(answers.items()))}

    def _request_body(self, verb: str, backend: str, target: SoapTarget) -> Document:
        if target.request is not None:
            if not uses_body(target.request):
                return {}
            told = f"The service's own request is made of it by `{written(target.request)}`."
            return {"content": {"application/json": {"schema": {"description": told}}}}
        if verb in BODILESS:
            return {}
        schema = self._of(backend).message(target.operation.input, reply=False)
        put = target.session.body if target.session is not None else None
        if put:
            schema = without(schema, {key.partition(".")[0] for key in put}, self.schemas)
        return {"required": True, "content": {"application/json": self._shown(schema)}}

    def _result(self, backend: str, target: SoapTarget) -> Document:
        output = target.operation.output
        if output is None:
            return {"202": {"description": "Taken; there is nothing to answer."}}
        if target.response is not None:
            told = f"Made of the service's own answer by `{written(target.response)}`."
            content: Document = {"schema": {"description": told}}
        else:
            content = self._shown(self._of(backend).message(output, reply=True))
        return {"200": {"description": "The result.", "content": {"application/json": content}}}

    def _shown(self, schema: Document) -> Document:
        """A schema, and an example of it."""
        return {"schema": schema, "example": sample(schema, self.schemas)}

    def _faults(self, backend: str, target: SoapTarget) -> Document:
        """The answers that stand for faults, by status: those declared, and those that the route gives a status."""
        given = dict(target.faults)
        by_status: dict[int, dict[str, Document]] = {}
        for name, field in target.operation.faults:
            element = local(field.name)
            status = given.pop(name, given.pop(element, UNPROCESSABLE))
            detail = self._of(backend).element(field, reply=True)
            by_status.setdefault(status, {})[name or element] = detail
        for name, status in given.items():
            by_status.setdefault(status, {})[name] = {}
        return {str(status): fault_response(status, details) for status, details in by_status.items()}

    def _of(self, backend: str) -> Components:
        if backend not in self._components:
            self._components[backend] = Components(self._types[backend], self.schemas)
        return self._components[backend]


def without(schema: Document, members: Set[str], schemas: Mapping[str, Document]) -> Document:
    """An object's schema without the members that the gateway itself fills."""
    found = schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    properties = {name: each for name, each in found.get("properties", {}).items() if name not in members}
    return found | {
        "properties": properties,
        "required": [name for name in found.get("required", []) if name not in members],
    }


# ------------------------------------------------------------------------------------------------ sides and mappings


def sides(route: Route) -> list[Target]:
    return [side for side in (route.legacy, route.new) if side is not None]


def call_of(route: Route) -> tuple[str, SoapTarget] | None:
    """The backend and the call that a route's contract comes from."""
    return next(((side.backend, side.call) for side in sides(route) if isinstance(side.call, SoapTarget)), None)


def fault_response(status: int, details: dict[str, Document]) -> Document:
    """An answer that stands for one of these faults."""
    soap = {"type": "object", "properties": {"detail": {"type": "object", "properties": details}}}
    fault = {"allOf": [reference("SoapFault")], "properties": {"soap": soap}}
    schema = {"anyOf": [fault, reference("InvalidRequest")]} if status == UNPROCESSABLE else fault
    own = REFUSALS.get(status)
    told = f"{own.when} Or a fault" if own else "A fault"
    return {"description": f"{told}: {', '.join(details)}.", "content": {PROBLEM: {"schema": schema}}}


def own_responses(statuses: Iterable[int]) -> Document:
    return {str(status): {"$ref": f"#/components/responses/{REFUSALS[status].name}"} for status in statuses}


def written(mapping: object) -> str:
    """A mapping as text. Its literals are masked: they may come from the environment, and this is for everyone."""
    shown = without_literals(mapping)
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, default=dict)


_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`")
_USED = re.compile(r"\b(query|header)\.(?:\"([^\"]+)\"|([A-Za-z_]\w*))")


def expressions(mapping: object) -> Iterator[str]:
    """Every expression in a mapping, without its literals."""
    match mapping:
        case str():
            yield _QUOTED.sub("", mapping)
        case dict():
            for each in mapping.values():
                yield from expressions(each)
        case list():
            for each in mapping:
                yield from expressions(each)


def uses_body(mapping: object) -> bool:
    return any(re.search(r"\bbody\b", each) for each in expressions(mapping))


def used_in_path(target: Target) -> list[tuple[str, str]]:
    """The query parameters and headers that a target's path is filled from."""
    places = [part for part in target.path or () if isinstance(part, Placeholder)]
    return [(each.source, each.name.decode()) for each in places if each.source in ("query", "header")]


def request_of(target: Target) -> object:
    """The mapping that makes a side's request."""
    call = target.call.call if isinstance(target.call, BridgeTarget) else target.call
    return call.request if isinstance(call, SoapTarget | FacadeTarget) else None


def used_by(target: Target) -> Iterator[tuple[str, str]]:
    """The query parameters and headers that a side makes something of."""
    yield from used_in_path(target)
    for each in expressions(request_of(target)):
        for found in _USED.finditer(each):
            yield found[1], found[2] or found[3]
