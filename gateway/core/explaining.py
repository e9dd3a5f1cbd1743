"""Why a request goes where it goes: the route and why the others lost, the side and why, and what would be sent.

Nothing is decided here. The decisions are those of `matching`, `planning` and `forwarding`, asked one after another as
the proxy does; this module only puts them into words.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.core import soap
from gateway.core.asking import Asked
from gateway.core.caching import METHODS as CACHED
from gateway.core.fields import names_and_values
from gateway.core.forwarding import (
    Peer,
    client_address,
    forwarding_lines,
    is_trusted,
    networks_of,
    request_head,
)
from gateway.core.headers import read_request
from gateway.core.losing import Lost, others
from gateway.core.matching import NotFound, RoutingTable, find, operations, published
from gateway.core.model import BUCKETS, Backend, Gateway, Request, Side
from gateway.core.paths import needs_raw, problem_of
from gateway.core.planning import (
    Choice,
    PathProblem,
    Plan,
    PlannedRoute,
    may_fall_back,
    side_of,
    target_path,
)
from gateway.core.problems import soap_fault
from gateway.core.published import page_for
from gateway.core.reasons import key_name, why
from gateway.core.secrecy import shown
from gateway.core.tracing import identify
from gateway.errors import ClientError


class Sending(NamedTuple):
    """What one side would be sent; `refused` says why nothing would be, "" when something would.

    `head` are the exact lines, secrets masked; `timeouts` seconds by name.
    """

    side: Side
    backend: str
    url: str
    host: str
    head: tuple[str, ...]
    timeouts: dict[str, float]
    refused: str = ""


class Explanation(NamedTuple):
    """A request, explained. `status` is that of the gateway's own answer, 0 when a backend answers.

    `side` is legacy, new, "drawn" when chance decides between both, or "" when nothing is sent. `sends` has one entry
    for each side that may serve; `shadow` tells of the copy to the other side, or why there is none ("" where there is
    no other side, or no backend). `revision` and `digest` name the routing table.
    """

    request: str
    status: int
    detail: str
    route: str
    match: str
    place: str
    side: str
    why: str
    sends: tuple[Sending, ...]
    shadow: str
    others: tuple[Lost, ...]
    notes: tuple[str, ...]
    revision: int
    digest: str

    def document(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        lists = {
            "sends": [each._asdict() | {"head": list(each.head)} for each in self.sends],
            "others": [each._asdict() for each in self.others],
            "notes": list(self.notes),
        }
        return self._asdict() | lists


def explain(table: RoutingTable, gateway: Gateway, asked: Asked, fresh: tuple[bytes, bytes]) -> Explanation:
    """Explain a request. `fresh` makes the ids of the example that is shown."""
    nothing = Explanation(_title(asked), 0, "", "", "", "", "", "", (), "", (), (), table.revision, table.digest)
    try:
        request = read_request(asked.method, asked.target, *names_and_values(asked.fields), False)
    except ClientError as fault:
        return nothing._replace(status=fault.status, detail=fault.detail)
    try:
        route = routed(table, request, asked.body)
    except ClientError as fault:
        if fault.status in (404, 405) and (told := _published(table, request)):
            return nothing._replace(status=200, detail=told)
        lost = others(table, request, None, asked.body) if fault.status in (404, 405) else ()
        notes = _soap_note(table, request, asked.body)
        return nothing._replace(status=fault.status, detail=_with_allow(fault), others=lost, notes=notes)
    visit = _Visit(route, request, gateway, asked)
    choices = visit.choices()
    explained = nothing._replace(
        route=route.name,
        match=route.route.pattern,
        place=str(route.route.place or ""),
        why="; ".join(dict.fromkeys(visit.why(choice) for choice in choices)),
        others=others(table, request, route, asked.body),
    )
    if choices[0].why == "retired":
        successor = route.route.successor
        detail = "This service has been retired." + (f" Its successor is {successor}." if successor else "")
        return explained._replace(status=410, detail=detail)
    sends = tuple(visit.sending(route.plans[choice.side], fresh) for choice in choices)
    return explained._replace(
        side=choices[0].side if len(choices) == 1 else "drawn",
        sends=sends,
        shadow=visit.shadow(choices),
        notes=(*visit.notes(choices[0].why, sends), *_soap_note(table, request, asked.body)),
    )


def _title(asked: Asked) -> str:
    return f"{asked.method.decode(errors='replace')} {asked.target.decode(errors='replace')}"


# ------------------------------------------------------------------------------------------------ which route


def routed(table: RoutingTable, request: Request, body: bytes) -> PlannedRoute:
    """The route that takes a request; raises ClientError when none does. It looks in the order the proxy does."""
    problem = problem_of(request.path)
    if problem is not None:
        raise ClientError(400, problem)
    if request.method == b"TRACE":
        raise ClientError(405, "TRACE is not served.")
    if request.path == b"*" or _hops_are_spent(request):
        raise ClientError(204, "The gateway answers this itself: it asks what the gateway can do.")
    found = _operation(table, request, body) or find(table, request)
    if isinstance(found, NotFound):
        if found.allow:
            allow = ((b"Allow", b", ".join(found.allow)),)
            raise ClientError(405, "This address does not take this method.", headers=allow)
        raise ClientError(404, "Nothing is served at this address.")
    if needs_raw(request.path) and not found.route.raw_path:
        detail = f"The path has an empty segment or an encoded slash, which {found.name} does not take."
        raise ClientError(400, f"{detail} `path: raw` would let it.")
    return found


def _hops_are_spent(request: Request) -> bool:
    return request.method == b"OPTIONS" and any(
        name.lower() == b"max-forwards" and value.strip() == b"0" for name, value in request.reserved
    )


def _operation(table: RoutingTable, request: Request, body: bytes) -> PlannedRoute | None:
    """The SOAP route that the body calls; raises ClientError for what is answered with a fault."""
    offered = operations(table, request)
    if not offered or not soap.is_soap(request):
        return None
    called = soap.called(request, body[: soap.READ_AHEAD], len(body) <= soap.READ_AHEAD)
    known = [route.route.match.soap for route in offered if route.route.match.soap is not None]
    wanted = called if isinstance(called, soap.SoapProblem) else soap.operation_for(called, known)
    if isinstance(wanted, soap.SoapProblem):
        raise ClientError(soap_fault(wanted.envelope, wanted.reason, "").status, f"SOAP fault: {wanted.reason}")
    if wanted is None:
        return None
    return next(route for route in offered if route.route.match.soap == wanted)


def _soap_note(table: RoutingTable, request: Request, body: bytes) -> tuple[str, ...]:
    if body or not operations(table, request):
        return ()
    return ("SOAP operations have routes of their own at this address; give the call's envelope with --data FILE.",)


def _published(table: RoutingTable, request: Request) -> str:
    """Which file of a WSDL the gateway answers with, in words; "" where it is none."""
    wsdl = published(table, request)
    page = page_for(request.query, wsdl) if wsdl is not None else None
    if wsdl is None or page is None:
        return ""
    name = next(name for name, each in wsdl.pages if each is page)
    return f"{name}, of the WSDL that the SOAP routes here go by, with the gateway's address in place of the service's."


def _with_allow(fault: ClientError) -> str:
    return " ".join([fault.detail, *(f"It takes {value.decode()}." for _, value in fault.headers)])


# ------------------------------------------------------------------------------------------------ which side


class _Visit:
    """A request with its route, seen as the proxy sees it."""

    def __init__(self, route: PlannedRoute, request: Request, gateway: Gateway, asked: Asked) -> None:
        trusted = networks_of(gateway.trusted_proxies)
        scheme = b"https" if gateway.tls else b"http"
        self.route = route
        self.request = request
        self.asked = asked
        self.capture = gateway.capture
        self.identify = identify(gateway.otlp)
        self.peer = Peer(asked.address, scheme, is_trusted(asked.address, trusted))
        self.address = client_address(self.peer, request, trusted)

    def choices(self) -> tuple[Choice, ...]:
        """The side that serves; both, the new one first, when chance decides."""
        first = side_of(self.route, self.request, self.address, lambda: 0)
        last = side_of(self.route, self.request, self.address, lambda: BUCKETS - 1)
        return (first,) if first == last else (first, last)

    def why(self, choice: Choice) -> str:
        return why(choice, self.route, self.request, self.address)

    def sending(self, plan: Plan, fresh: tuple[bytes, bytes]) -> Sending:
        request = self.request
        backend = plan.backend
        target = target_path(plan, self.route, request)
        sending = Sending(plan.side, backend.name, "", "", (), plan.timeouts._asdict())
        if plan.target.call is not None:
            return sending._replace(url=_address(backend), head=(plan.target.call.told,))
        if isinstance(target, PathProblem):
            return sending._replace(refused=f"422: {target.detail}")
        if plan.max_body and request.length > plan.max_body:
            return sending._replace(
                refused=f"413: the body is longer than {plan.max_body} bytes, this route's max_body."
            )
        _, _, lines = self.identify(request, fresh)
        lines = forwarding_lines(self.peer, request) + lines
        head = request_head(plan, request, target, lines).decode(errors="replace")
        first, host, *fields = head.rstrip("\r\n").split("\r\n")
        added = {name.lower().decode() for name, _ in plan.target.request.add}
        return sending._replace(
            url=_address(backend) + target.decode(errors="replace"),
            host=host.partition(": ")[2],
            head=(first, host, *(_masked(line, added) for line in fields)),
        )

    def shadow(self, choices: tuple[Choice, ...]) -> str:
        """What is copied to the side that does not serve, or why nothing is."""
        plans, shadow = self.route.plans, self.route.route.shadow
        if len(plans) < 2:
            return ""
        if shadow is None:
            return "none: the route has no `shadow`"
        if self.request.method not in self.route.safe and not shadow.sandbox:
            return "none: only safe requests are copied, unless the shadow says `sandbox: true`"
        if choices[0].why == "tester":
            return "none: what a tester asks for is no evidence"
        if self.request.length > self.capture:
            return f"none: the body is longer than {self.capture} bytes, the gateway's `capture`"
        others = [plan.name for side, plan in plans.items() if side != choices[0].side]
        where = others[0] if len(choices) == 1 else "the side that does not serve"
        return f"{shadow.share / 100:g} % of such requests are copied to {where}; answers are compared and dropped"

    def _promises(self, sends: tuple[Sending, ...]) -> Iterator[str]:
        """What else becomes of a write, or of the answer to a read."""
        planned, route, writes = self.route, self.route.route, self.route.route.writes
        if self.request.method in planned.safe:
            if planned.cache is not None and self.request.method in CACHED:
                yield "A kept answer may be given, and this one may be kept (`cache`)."
            return
        if writes.copy and len(sends) == 1:
            others = [plan.name for side, plan in planned.plans.items() if side != sends[0].side]
            yield f"It is stored before {sends[0].backend} is called, and {others[0]} gets it, too (`writes.copy`)."
        if writes.queue:
            yield "While that is away it is stored, and answered with a receipt (`writes.when_down`)."
        if route.idempotency is not None:
            yield "Sent again under the same Idempotency-Key it is made once (`idempotency`)."

    def notes(self, reason: str, sends: tuple[Sending, ...]) -> Iterator[str]:
        """What else a person may wonder about."""
        route = self.route.route
        reserved = {name.lower() for name, _ in self.request.reserved}
        if reason == "drawn" and route.sticky and route.sticky.issue:
            yield f"The answer would set {key_name(route.sticky)}, which keeps the client on the side it was given."
        if len(sends) == 1 and reason != "tester" and may_fall_back(self.route, self.request):
            other = next(plan.name for side, plan in self.route.plans.items() if side != sends[0].side)
            yield f"If {sends[0].backend} fails, {other} answers (`fallback`)."
        yield from self._promises(sends)
        if route.tester and reason != "tester" and route.tester.header in reserved:
            needed = "the right secret, a side that exists, a safe request, no override"
            yield f"A tester's choice was ignored: it needs {needed}."
        sent = {line.partition(":")[0].lower() for sending in sends for line in sending.head}
        if not self.peer.trusted:
            sent -= {name.lower().decode() for name, _ in self.request.forwarding}
        names = [name.decode(errors="replace") for name, _ in self.asked.fields]
        kept = ", ".join(dict.fromkeys(name for name in names if name.lower() not in sent))
        if sent and kept:
            yield f"Not passed on as received: {kept}."
        if sent and not reserved >= {b"x-request-id", b"traceparent"}:
            yield "X-Request-ID and traceparent are examples: they are drawn for each request that brings none."


def _address(backend: Backend) -> str:
    if backend.unix:
        return f"unix:{backend.unix}:"
    return f"{'https' if backend.tls else 'http'}://{backend.authority.decode()}"


def _masked(line: str, added: set[str]) -> str:
    """A line of the head; a value that configuration added may be a secret."""
    name, _, value = line.partition(": ")
    return f"{name}: {shown(name, value)}" if name.lower() in added else line
