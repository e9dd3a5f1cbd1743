"""Routes and SOAP: the operations that targets name, looked up in the WSDLs of their backends.

Only the operations in use are compiled. What comes out is what the connectors go by: plain values, and nothing of how
they were written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from gateway.config.bridges import Bridged, bridge, contract_of, reply_headers
from gateway.config.problems import Problem
from gateway.config.proof import known_headers, log_on_name, twice_given
from gateway.config.soap import Described, Faced, Wanted
from gateway.config.wording import Entry
from gateway.config.wsdls import Operations, load, some
from gateway.core.model import Backend, Route, Target

if TYPE_CHECKING:
    from connectors.soap.plan import Operation
    from gateway.config.rules import Draft
    from gateway.core.published import Published

Problems = list[Problem]


def bound(
    backends: Sequence[Backend], drafts: "Sequence[Draft]", decode: int, problems: Problems
) -> tuple[tuple[Backend, ...], tuple[Route, ...]]:
    """Backends and routes with everything that calling SOAP takes; `decode` bounds messages that are decoded."""
    described = {each.name: each.types for each in backends if isinstance(each.types, Described)}
    if not described and not any(_is_about_soap(draft) for draft in drafts):
        return tuple(backends), tuple(draft.route for draft in drafts)
    used, contracts = _used(drafts, described, {each.name for each in backends}, problems)
    known = {name: Operations(described[name], names, problems) for name, names in used.items()}
    for name, unused in described.items():
        if name not in known:
            load(unused, problems)
    found = tuple(
        each._replace(
            types=known[each.name].schema if each.name in known else None,
            published=_published(known[each.name]) if each.name in contracts else None,
        )
        for each in backends
    )
    routes = tuple(_route(draft, known, decode, problems) for draft in drafts)
    problems.extend(each for operations in known.values() for each in operations.proof.unfit())
    return found, routes


def _used(
    drafts: "Sequence[Draft]", described: Mapping[str, Described], sound: Set[str], problems: Problems
) -> tuple[dict[str, set[str]], set[str]]:
    """The operations in use by backend, and the backends whose WSDL is a contract.

    `sound` are the backends that nothing is wrong with: of the others something else has been said.
    """
    used: dict[str, set[str]] = {}
    contracts: set[str] = set()
    for draft in drafts:
        contract = contract_of(draft, described, sound, problems)
        for side, target in _sides(draft.route):
            called = target.call.call if isinstance(target.call, Bridged) else target.call
            if isinstance(called, Wanted) and target.backend in described:
                used.setdefault(target.backend, set()).add(called.operation)
            elif isinstance(called, Wanted) and target.backend in sound:
                message = f"{target.backend} is no backend of `type: soap`, so it has no operations"
                problems.append(draft.entry.problem((side, "operation"), message))
            elif isinstance(called, Faced) and contract is None and draft.contract is None:
                message = "a SOAP client is answered with JSON by a WSDL: name the `type: soap` backend that has it, "
                problems.append(draft.entry.problem((side,), message + "as `contract` or on the other side"))
            elif draft.route.match.soap is not None and target.backend in described:
                used.setdefault(target.backend, set())  # the message passes
        if contract is not None and draft.route.match.soap is not None:
            used.setdefault(contract, set()).add(draft.route.match.soap.name)
            contracts.add(contract)
    for name, each in described.items():
        if (log_on := log_on_name(each.auth)) is not None:
            used.setdefault(name, set()).add(log_on)
    return used, contracts


def _is_about_soap(draft: "Draft") -> bool:
    return draft.contract is not None or any(target.call is not None for _, target in _sides(draft.route))


def _published(operations: "Operations") -> "Published | None":
    return operations.wsdl.published if operations.wsdl is not None else None


def _sides(route: Route) -> Iterator[tuple[str, Target]]:
    for side, target in (("legacy", route.legacy), ("new", route.new)):
        if target is not None:
            yield side, target


def _route(draft: "Draft", known: Mapping[str, Operations], decode: int, problems: Problems) -> Route:
    route = _described_match(draft, known, problems)
    legacy = _bound_target(route, route.legacy, "legacy", draft, known, problems)
    new = _bound_target(route, route.new, "new", draft, known, problems)
    bounds = route.decode or decode
    return route._replace(legacy=_bounded(legacy, bounds), new=_bounded(new, bounds), contract=draft.contract)


def _bounded(target: Target | None, decode: int) -> Target | None:
    """A side that decodes messages of so many bytes."""
    if target is None or target.call is None:
        return target
    return target._replace(call=target.call._replace(decode=decode))


def _described_match(draft: "Draft", known: Mapping[str, Operations], problems: Problems) -> Route:
    """A SOAP route that goes by what its WSDL says of the operation: its element, its namespace, its action."""
    route = draft.route
    operations = _operations_of(draft, known)
    if operations is None or route.match.soap is None:
        return route
    operation = operations.by_name.get(route.match.soap.name)
    if operation is None:
        if operations.offered:
            message = f"the WSDL has no operation {route.match.soap.name}; it has {some(operations.offered)}"
            bridges = any(isinstance(target.call, Bridged) for _, target in _sides(route))
            hint = "; `contract: BACKEND` says whose WSDL clients go by" if bridges and draft.contract is None else ""
            problems.append(draft.problem("match", message + hint))
        return route
    space, _, element = _element_of(operation)[1:].rpartition("}")
    soap = route.match.soap._replace(element=element, namespace=space, action=operation.action or None)
    if operation.addressing.input != soap.action:
        soap = soap._replace(addressed=operation.addressing.input)
    return route._replace(match=route.match._replace(soap=soap))


def _element_of(operation: "Operation") -> str:
    """The name of the first child of the Body, `{namespace}local`."""
    name = operation.input.wrapper or (operation.input.parts[0].name if operation.input.parts else operation.name)
    return name if name.startswith("{") else f"{{}}{name}"


def _operations_of(draft: "Draft", known: Mapping[str, Operations]) -> Operations | None:
    """Those of the contract."""
    route = draft.route
    if route.match.soap is None or draft.contract is not None:
        return None if route.match.soap is None else known.get(draft.contract or "")
    return next((known[target.backend] for _, target in _sides(route) if target.backend in known), None)


def _bound_target(
    route: Route,
    target: Target | None,
    side: str,
    draft: "Draft",
    known: Mapping[str, Operations],
    problems: Problems,
) -> Target | None:
    """A side with its call as the connector wants it; without one where something about it is wrong."""
    if target is None:
        return None
    if target.call is None:
        return _passed_on(route, target, known)
    if isinstance(target.call, Faced):
        operations = _operations_of(draft, known)
        call = None if operations is None else _faced(route, target.call, operations, draft.entry, side, problems)
    elif isinstance(target.call, Bridged):
        called, operations = known.get(target.backend), _operations_of(draft, known)
        call = None if called is None else _call(target.call.call, called, draft.entry, side, problems)
        call = bridge(route, target.call, call, operations, draft.entry, side, problems)
    else:
        operations = known.get(target.backend)
        call = None if operations is None else _call(target.call, operations, draft.entry, side, problems)
    return target._replace(call=call)


def _passed_on(route: Route, target: Target, known: Mapping[str, Operations]) -> Target:
    """A target that gets the message as it is: a SOAP backend has one address for all of them."""
    if route.match.soap is None or target.path is not None or target.backend not in known:
        return target
    return target._replace(path=() if known[target.backend].described.base else (b"/",))


def _faced(route: Route, faced: Faced, operations: Operations, entry: Entry, side: str, problems: Problems) -> Any:
    from connectors.soap.target import FacadeTarget

    operation = operations.by_name.get(route.match.soap.name) if route.match.soap is not None else None
    if operation is None:
        return None
    _check_mappings((("request", faced.request), ("response", faced.response)), entry, side, problems)
    headers = reply_headers(operation, faced.reply_headers, entry, side, problems)
    _check_mappings((("reply_headers", headers),), entry, side, problems)
    target = FacadeTarget(operation, operations.schema, faced.request, faced.response, faced.faults)
    return target._replace(reply_headers=headers)


def _call(wanted: Wanted, operations: Operations, entry: Entry, side: str, problems: Problems) -> Any:
    operation = operations.by_name.get(wanted.operation)
    if operation is None:
        if operations.offered:
            message = f"the WSDL has no operation {{written}}; it has {some(operations.offered)}"
            problems.append(entry.problem((side, "operation"), message))
        return None
    from connectors.soap.target import SoapTarget

    mappings = (("request", wanted.request), ("response", wanted.response), ("error_when", wanted.error_when))
    _check_mappings((*mappings, ("soap_headers", wanted.headers)), entry, side, problems)
    for message in known_headers(operation, tuple(wanted.headers or ())):
        problems.append(entry.problem((side, "soap_headers"), message))
    auth = operations.proof.auth(operation, problems)
    session = operations.proof.session(operation, problems)
    for message in twice_given(tuple(wanted.headers or ()), auth, session):
        problems.append(entry.problem((side, "soap_headers"), message))
    return SoapTarget(
        operation=operation,
        request=wanted.request,
        headers=wanted.headers,
        response=wanted.response,
        faults=wanted.faults,
        error_when=wanted.error_when,
        strict=wanted.strict,
        error_status=wanted.error_status or 502,
        auth=auth,
        session=session,
        to=operation.address if "://" in operation.address else operations.described.url,
        mtom=operation.mtom if operations.described.mtom is None else operations.described.mtom,
    )


def _check_mappings(mappings: Iterable[tuple[str, Any]], entry: Entry, side: str, problems: Problems) -> None:
    from connectors.mapping import Mapped, MappingInvalid

    for key, given in mappings:
        try:
            if given is not None:
                Mapped(given)
        except MappingInvalid as error:
            problems.append(entry.problem((side, key), str(error).rstrip(".")))
