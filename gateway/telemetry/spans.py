"""Spans out of observations: one of the gateway's own for each request, one for each attempt on a backend.

Their names and attributes are those of OpenTelemetry's conventions for HTTP; what only Banyan knows begins with
`banyan.`. Paths carry personal data, so `url.path` and `url.full` are left out though the conventions ask for them: the
route and the target stand in their place, as they are written. What spans of one way have in common is made once.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from gateway import __version__
from gateway.core.model import (
    SERVED,
    Backend,
    Estate,
    Match,
    Observation,
    Outcome,
    Placeholder,
    Route,
    Target,
    Way,
    way_of,
)
from gateway.core.tracing import Traced, traced_of

SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
"""The version of the conventions that the names below are taken from."""
_SCOPE = InstrumentationScope("banyan", __version__, SCHEMA)
METHODS = frozenset({b"CONNECT", b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT", b"TRACE"})
"""The methods that may be told by their names; a client could make up any number of others."""
_RECORDED = TraceFlags(TraceFlags.SAMPLED)
_KEPT, _UNDER_WAY = 10_000, 10_000
_BY_THE_BACKEND = frozenset({"", "client_gone", "answer_truncated"})
"""With these errors, or none, the status is the backend's own."""
_NOT_OURS = frozenset({"", "client_gone", "refused"})
"""Errors that are no failure of the gateway's."""

Attributes = dict[str, str | int | float]


class Told(NamedTuple):
    """What all spans of one kind and one way have in common."""

    name: str
    attributes: Attributes
    status: Status


_FAILED, _UNSET = Status(StatusCode.ERROR), Status(StatusCode.UNSET)


class Spans:
    """Makes spans, of the routes and backends of an estate."""

    def __init__(self, resource: Resource, estate: Estate) -> None:
        self._resource = resource
        self._ways: dict[tuple[object, ...], tuple[Told, Told | None]] = {}
        self._went_on: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()
        self.follow(estate)

    def follow(self, estate: Estate) -> None:
        """Other routes and backends serve."""
        self.estate = estate
        self._routes = {route.name: route for route in estate.routes}
        self._backends = {backend.name: backend for backend in estate.backends}
        public = urlsplit(estate.gateway.public_url or ("https:" if estate.gateway.tls else "http:"))
        self._public: dict[str, str | int] = {"url.scheme": public.scheme}
        if public.hostname:
            port = public.port or {"http": 80, "https": 443}[public.scheme]
            self._public |= {"server.address": public.hostname, "server.port": port}
        self._ways.clear()

    def of(self, observation: Observation) -> Iterator[ReadableSpan]:
        """What an observation tells: an attempt, if a backend was called; the request, if it ended with it."""
        traced = traced_of(observation.trace)
        if traced is None:
            return
        way = way_of(observation)
        request, attempt = self._ways.get(way) or self._remember(Way._make(way))
        begin = int(observation.at * 1e9)
        end = begin + int(max(observation.duration, 0.0) * 1e9)
        since = self._since(traced, begin, end) if observation.role in SERVED else begin
        if attempt is not None:
            more = {"banyan.connect": observation.connect, "banyan.first_byte": observation.first_byte}
            times = {name: seconds for name, seconds in more.items() if seconds >= 0}
            told = attempt._replace(attributes={**attempt.attributes, **times})
            yield self._span(told, SpanKind.CLIENT, traced.trace, (traced.attempt, traced.request), (since, end))
        if traced.finished:
            yield self._span(request, SpanKind.SERVER, traced.trace, (traced.request, traced.parent), (begin, end))

    def _since(self, traced: Traced, begin: int, end: int) -> int:
        """When an attempt began: with its request, or when the one before it had failed."""
        key = traced.trace, traced.request
        since = self._went_on.pop(key, begin)
        if not traced.finished:
            self._went_on[key] = end
            if len(self._went_on) > _UNDER_WAY:  # the end of some of them was never told
                self._went_on.popitem(last=False)
        return since

    def _span(
        self, told: Told, kind: SpanKind, trace: bytes, ids: tuple[bytes, bytes], times: tuple[int, int]
    ) -> ReadableSpan:
        """A span with its own id and its parent's, from one time to another in nanoseconds. The client is remote."""
        span, parent = ids
        number, remote = int(trace, 16), kind is SpanKind.SERVER
        return ReadableSpan(
            told.name,
            SpanContext(number, int(span, 16), is_remote=False, trace_flags=_RECORDED),
            SpanContext(number, int(parent, 16), is_remote=remote, trace_flags=_RECORDED) if parent else None,
            self._resource,
            told.attributes,
            kind=kind,
            status=told.status,
            start_time=times[0],
            end_time=times[1],
            instrumentation_scope=_SCOPE,
        )

    # -------------------------------------------------------------------------------------------- what is in common

    def _remember(self, way: Way) -> tuple[Told, Told | None]:
        route = self._routes.get(way.route)
        if len(self._ways) >= _KEPT:
            self._ways.clear()
        both = self._request(way, route), self._attempt(way, route) if was_called(way) else None
        self._ways[way] = both
        return both

    def _request(self, way: Way, route: Route | None) -> Told:
        """The request as the gateway was asked it. What it refuses, or the client gives up, is no failure of its."""
        template = "" if route is None else path_template(route.match)
        failed = way.status >= 500 or way.error not in _NOT_OURS
        error = way.error if way.error == "client_gone" else (way.error or str(way.status)) if failed else ""
        attributes = {**_method(way.method), **self._public, "http.route": template, **_came(way.status, error)}
        return Told(_name(way.method, template), _given(attributes | _ours(way)), _FAILED if failed else _UNSET)

    def _attempt(self, way: Way, route: Route | None) -> Told:
        """The request as the gateway asked it. To who asks, every status from 400 on is a failure."""
        target = None if route is None else route.legacy if way.side == "legacy" else route.new
        method, template = sent(target, way.method, route)
        status = way.status if way.error in _BY_THE_BACKEND else 0
        failed = (status >= 400 or bool(way.error)) and way.error != "client_gone"
        error = way.error or (str(status) if failed else "")
        where = _where(self._backends.get(way.backend))
        attributes = {**_method(method), **where, "url.template": template, **_came(status, error)}
        return Told(_name(method, template), _given(attributes | _ours(way)), _FAILED if failed else _UNSET)


def was_called(way: Way) -> bool:
    """Whether anything was sent to a backend, or tried to be: not where an answer was kept, or the gateway refused."""
    return bool(way.backend) and way.role != "cached" and not (way.outcome == Outcome.REFUSED and way.acted == "no")


def path_template(match: Match) -> str:
    """A route's path as it is written: `/repairs/{id}`."""
    written = {"literal": "{}", "one": "{{{}}}", "rest": "**"}
    return "/" + "/".join(written[each.kind].format(each.text.decode(errors="replace")) for each in match.segments)


def sent(target: Target | None, method: bytes, route: Route | None) -> tuple[bytes, str]:
    """The method and the path, as written, with which a target is asked. What has SOAP on either side is posted, unless
    it says otherwise, and then to one address unless it has a path."""
    if target is None or route is None:
        return method, ""
    verb = target.method or (method if target.call is None else b"POST")
    if target.path is not None:
        return verb, "".join(_part(part) for part in target.path)
    return verb, path_template(route.match) if target.call is None else ""


def _part(part: bytes | Placeholder) -> str:
    if isinstance(part, bytes):
        return part.decode(errors="replace")
    return "**" if part.source == "rest" else f"{{{part.name.decode(errors='replace')}}}"


def _name(method: bytes, template: str) -> str:
    verb = method.decode() if method in METHODS else "HTTP"
    return f"{verb} {template}" if template else verb


def _method(method: bytes) -> Attributes:
    return {"http.request.method": method.decode() if method in METHODS else "_OTHER"}


def _came(status: int, error: str) -> Attributes:
    return {"http.response.status_code": status, "error.type": error}


def _where(backend: Backend | None) -> Attributes:
    """A backend's address; which of several was asked is not noted."""
    if backend is None or backend.others:
        return {}
    return {"server.address": backend.unix} if backend.unix else _address(backend)


def _address(backend: Backend) -> Attributes:
    return {"server.address": backend.host, "server.port": backend.port, "url.scheme": _scheme(backend)}


def _scheme(backend: Backend) -> str:
    return "https" if backend.tls else "http"


def _ours(way: Way) -> Attributes:
    words = ("route", "side", "role", "backend", "outcome")
    return {f"banyan.{name}": getattr(way, name) for name in words}


def _given(attributes: Attributes) -> Attributes:
    """Without what is empty: it is not known, or there is none."""
    return {name: value for name, value in attributes.items() if value}
