"""An OpenAPI 3.1 document of everything the gateway serves, made from the estate: the contract that front ends see.

It tells addresses, methods and shapes, and never which side serves or where that is. Where a side calls a SOAP
operation without a mapping, the shapes come from the WSDL (`contracts`); what passes through is the business of whoever
answers.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from gateway.admin.contracts import Contracts, problem_responses
from gateway.core.model import Deprecation, Estate, Match, Route, Segment, Serve

Document = dict[str, Any]

VERBS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
USUAL = ("get", "post", "put", "patch", "delete")
"""What a route that takes any method is shown with."""

ABOUT = (
    "What this gateway serves. Decimal numbers are strings, so that they stay exact. Dates and times are spelled as "
    "XML Schema has them: the zone may be missing. The gateway's own refusals are problem documents (RFC 9457)."
)


def document(estate: Estate) -> Document:
    """The OpenAPI document of an estate."""
    contracts = Contracts(estate)
    names = Names()
    paths = {path: _path_item(path, routes, contracts, names) for path, routes in _by_path(estate.routes)}
    address = estate.gateway.public_url or "/"
    return {
        "openapi": "3.1.0",
        "info": {"title": "Banyan", "version": estate.digest, "description": ABOUT},
        "servers": [{"url": address}],
        "paths": paths,
        "components": {"schemas": contracts.schemas, "responses": problem_responses()},
    }


class Names:
    """Names of operations, each given once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def unique(self, name: str) -> str:
        found, number = name, 2
        while found in self._given:
            found, number = f"{name}-{number}", number + 1
        self._given.add(found)
        return found


# ------------------------------------------------------------------------------------------------ paths


def _by_path(routes: Iterable[Route]) -> Iterator[tuple[str, list[Route]]]:
    """Routes by their path; templates that differ only in the names of their parameters are one."""
    grouped: dict[tuple[tuple[str, bytes], ...], list[Route]] = {}
    for route in routes:
        shape = tuple((each.kind, each.text if each.kind == "literal" else b"") for each in route.match.segments)
        grouped.setdefault(shape, []).append(route)
    for found in grouped.values():
        yield _path(found[0].match.segments), found


def _path(segments: tuple[Segment, ...]) -> str:
    names = parameter_names(segments)
    return "".join(
        f"/{quote(each.text, safe=SAFE)}" if each.kind == "literal" else f"/{{{next(names)}}}" for each in segments
    )


SAFE = "!$&'()*+,;=:@"
"""What stands in a path's segment as it is, beside letters and digits (RFC 3986, section 3.3)."""


def parameter_names(segments: tuple[Segment, ...]) -> Iterator[str]:
    """The names of a path's parameters; that of the rest is one that is free."""
    named = [each.text.decode() for each in segments if each.kind == "one"]
    yield from named
    yield next(name for name in ("rest", "rest_of_path", "the_rest_of_path") if name not in named)


def _path_item(path: str, routes: list[Route], contracts: Contracts, names: Names) -> Document:
    """All methods of a path, in the usual order."""
    by_verb: dict[str, list[Route]] = {}
    for route in routes:
        for verb in _verbs(route.match):
            by_verb.setdefault(verb, []).append(route)
    segments = routes[0].match.segments
    item: Document = {"parameters": parameters} if (parameters := _path_parameters(segments)) else {}
    for verb in VERBS:
        if verb in by_verb:
            item[verb] = _operation(verb, by_verb[verb], contracts, names)
    unknown = sorted(
        {method.decode() for route in routes for method in route.match.methods} - {v.upper() for v in VERBS}
    )
    if unknown:
        item["description"] = f"Also: {', '.join(unknown)}, which OpenAPI has no words for."
    return item


def _verbs(match: Match) -> tuple[str, ...]:
    methods = tuple(method.decode().lower() for method in match.methods)
    return tuple(verb for verb in VERBS if verb in methods) if methods else USUAL


def _path_parameters(segments: tuple[Segment, ...]) -> list[Document]:
    names = parameter_names(segments)
    found = []
    for each in segments:
        if each.kind != "literal":
            parameter: Document = {"name": next(names), "in": "path", "required": True, "schema": {"type": "string"}}
            if each.kind == "rest":
                parameter["description"] = "The rest of the path, with its slashes; it may be empty."
            found.append(parameter)
    return found


# ------------------------------------------------------------------------------------------------ operations


def _operation(verb: str, routes: list[Route], contracts: Contracts, names: Names) -> Document:
    """What one method of a path does. Of several routes the plainest is shown, and the others are told of."""
    main, *others = sorted(routes, key=_how_special)
    calls = [route for route in routes if route.match.soap is not None]
    shown = {
        "operationId": names.unique(main.name if len(_verbs(main.match)) == 1 else f"{main.name}-{verb}"),
        "summary": _as_words(main.name),
        "description": "\n\n".join(_told(main, others, calls, contracts)),
        "deprecated": main.deprecated is not None or main.serve is Serve.RETIRED,
        "parameters": contracts.parameters(main),
        **contracts.exchange(verb, main, calls),
    }
    return {key: value for key, value in shown.items() if value or key == "responses"}


def _as_words(name: str) -> str:
    """`Rent balance` for `rent-balance`."""
    return re.sub("[-_.]+", " ", name[:1].upper() + name[1:])


def _how_special(route: Route) -> tuple[bool, bool, bool, int]:
    match = route.match
    return match.soap is not None, match.host is not None, not match.methods, len(match.headers) + len(match.query)


def _told(main: Route, others: list[Route], calls: list[Route], contracts: Contracts) -> Iterator[str]:
    """What a front-end developer should know beyond shapes, a paragraph each."""
    if calls:
        yield f"SOAP operations: {', '.join(route.match.soap.name for route in calls if route.match.soap)}."
    yield from contracts.documentation(main)
    if condition := _condition(main.match):
        yield f"Only {condition}."
    for route in others:
        if route not in calls:
            condition = _condition(route.match) or "with any other method"
            yield f"Another route, {route.name}, takes requests {condition}."
    if main.deprecated is not None:
        yield _announced(main.deprecated)
    if main.serve is Serve.RETIRED:
        yield "Retired: the answer is 410." + (f" It has moved: {main.successor}" if main.successor else "")


def _condition(match: Match) -> str:
    """What a request needs beside its path; names only, since values may be secrets."""
    words = [f"for the host {match.host.decode()}"] if match.host else []
    words += [f"with the header {each.name.decode()}" for each in match.headers]
    words += [f"with the query parameter {each.name.decode()}" for each in match.query]
    return " and ".join(words)


def _announced(deprecation: Deprecation) -> str:
    words = f"Deprecated since {_day(deprecation.since)}"
    if deprecation.sunset is not None:
        words += f"; it goes away on {_day(deprecation.sunset)}"
    return words + (f". Read more: {deprecation.link}" if deprecation.link else ".")


def _day(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).date().isoformat()
