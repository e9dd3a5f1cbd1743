"""SOAP in routes.yaml: WSDLs loaded, and the operations that targets name looked up in them.

A target that names an `operation` calls it; any other target of a SOAP backend passes HTTP on as it comes. While a file
is checked, `Backend.types` holds what was written about the WSDL (`Described`) and `Target.call` what is wanted of it
(`Wanted`); `bound` turns them into what the connector goes by. Only the operations in use are compiled.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.core.model import Backend, Match, Route, Target

if TYPE_CHECKING:
    from connectors.soap.plan import Operation
    from connectors.soap.wsdl import Wsdl
    from gateway.config.routes import TargetSpec
    from gateway.config.rules import Draft
    from gateway.config.schema import AuthSpec, BackendSpec

Problems = list[Problem]
_MAPPINGS = ("request", "response", "faults", "error_when", "replies")


class Described(NamedTuple):
    """What is written about a SOAP backend; `entry` is where, `base` the path of its url."""

    base: bytes
    wsdl: Path
    root: Path | None
    port: str | None
    auth: "AuthSpec | None"
    entry: Entry
    mtom: bool | None = None


class Wanted(NamedTuple):
    """What is written about one call of a SOAP backend."""

    operation: str
    request: str | dict[str, Any] | None
    response: str | None
    faults: tuple[tuple[str, int], ...]
    error_when: str | None
    strict: bool


def described(spec: "BackendSpec", entry: Entry, problems: Problems) -> Described | None:
    """What a backend says about its WSDL."""
    if spec.type == "http":
        for key in ("wsdl", "wsdl_root", "port", "auth", "mtom"):
            if getattr(spec, key) is not None:
                problems.append(entry.key_problem((key,), f"`{key}` belongs to a backend of `type: soap`"))
        return None
    if spec.wsdl is None:
        problems.append(entry.problem((), "a backend of `type: soap` needs its `wsdl`"))
        return None
    folder = Path(entry.document.file).parent
    root = folder / spec.wsdl_root if spec.wsdl_root is not None else None
    return Described(spec.url.base, folder / spec.wsdl, root, spec.port, spec.auth, entry, spec.mtom)


class Faced(NamedTuple):
    """What is written about a target that answers a SOAP operation with JSON."""

    request: str | dict[str, Any] | None
    response: str | None
    faults: tuple[tuple[str, int], ...]


def wanted(spec: "TargetSpec", match: Match, entry: Entry, side: str, problems: Problems) -> Wanted | Faced | None:
    """What a target says about the operation it calls, or answers."""
    given = spec.model_fields_set
    if match.soap is not None and spec.operation is not None:
        message = "calling an operation by another name from a SOAP route is not built yet; leave it out to pass it on"
        problems.append(entry.key_problem((side, "operation"), message))
        return None
    if match.soap is not None and spec.method is not None:
        for key in ("error_when", "replies"):
            if key in given:
                problems.append(entry.key_problem((side, key), f"`{key}` belongs to a call of an `operation`"))
        return Faced(spec.request, spec.response, tuple(spec.faults.items()))
    if spec.operation is None:
        for key in _MAPPINGS:
            if key in given:
                needed = "a `method`: it is answered by JSON then" if match.soap else "the `operation` that is called"
                problems.append(entry.key_problem((side, key), f"`{key}` needs {needed}"))
        return None
    for key in ("path", "method"):
        if key in given:
            problems.append(entry.key_problem((side, key), f"a call of an `operation` has no `{key}` of its own"))
    faults = tuple(spec.faults.items())
    strict = spec.replies == "strict"
    return Wanted(spec.operation, spec.request, spec.response, faults, spec.error_when, strict)


# ------------------------------------------------------------------------------------------------ looking up


def bound(
    backends: Sequence[Backend], drafts: "Sequence[Draft]", problems: Problems
) -> tuple[tuple[Backend, ...], tuple[Route, ...]]:
    """Backends and routes with everything that calling SOAP takes."""
    described = {each.name: each.types for each in backends if isinstance(each.types, Described)}
    if not described and all(target.call is None for draft in drafts for _, target in _sides(draft.route)):
        return tuple(backends), tuple(draft.route for draft in drafts)
    used: dict[str, set[str]] = {}
    for draft in drafts:
        contract = _contract(draft.route, described)
        for side, target in _sides(draft.route):
            if isinstance(target.call, Wanted) and target.backend in described:
                used.setdefault(target.backend, set()).add(target.call.operation)
            elif isinstance(target.call, Wanted):
                message = f"{target.backend} is no backend of `type: soap`, so it has no operations"
                problems.append(draft.entry.problem((side, "operation"), message))
            elif isinstance(target.call, Faced) and contract is None:
                message = "a SOAP client is answered with JSON by the WSDL of the other side: make it a `type: soap`"
                problems.append(draft.entry.problem((side,), message))
        if contract is not None and draft.route.match.soap is not None:
            used.setdefault(contract, set()).add(draft.route.match.soap.name)
    known = {name: _Operations(described[name], names, problems) for name, names in used.items()}
    for name, unused in described.items():
        if name not in known:
            _load(unused, problems)
    found = tuple(each._replace(types=known[each.name].schema if each.name in known else None) for each in backends)
    return found, tuple(_route(draft, known, problems) for draft in drafts)


def _contract(route: Route, described: Mapping[str, Described]) -> str | None:
    """The backend whose WSDL describes what a SOAP route takes."""
    if route.match.soap is None:
        return None
    return next((target.backend for _, target in _sides(route) if target.backend in described), None)


def _sides(route: Route) -> Iterator[tuple[str, Target]]:
    for side, target in (("legacy", route.legacy), ("new", route.new)):
        if target is not None:
            yield side, target


class _Operations:
    """The operations of one backend that routes call."""

    def __init__(self, described: Described, names: set[str], problems: Problems) -> None:
        self.described = described
        self.schema: Any = None
        self.by_name: dict[str, Operation] = {}
        self.offered: tuple[str, ...] = ()
        wsdl = _load(described, problems)
        if wsdl is None:
            return
        from connectors.soap.service import offered, service_of

        self.offered = tuple(sorted(offered(wsdl, described.port)))
        if described.port is not None and not self.offered:
            ports = ", ".join(dict.fromkeys(each.port for each in wsdl.bound)) or "none"
            message = f"the WSDL has no SOAP port {{written}}; it has {ports}"
            problems.append(described.entry.problem(("port",), message))
            return
        service = service_of(wsdl, names.intersection(self.offered), described.port)
        self.schema = service.schema
        self.by_name = {each.name: each for each in service.operations}


def _route(draft: "Draft", known: Mapping[str, _Operations], problems: Problems) -> Route:
    route = _described_match(draft, known, problems)
    legacy = _bound_target(route, route.legacy, "legacy", draft, known, problems)
    new = _bound_target(route, route.new, "new", draft, known, problems)
    return route._replace(legacy=legacy, new=new)


def _described_match(draft: "Draft", known: Mapping[str, _Operations], problems: Problems) -> Route:
    """A SOAP route that goes by what its WSDL says of the operation: its element, its namespace, its action."""
    route = draft.route
    operations = _operations_of(route, known)
    if operations is None or route.match.soap is None:
        return route
    operation = operations.by_name.get(route.match.soap.name)
    if operation is None:
        if operations.offered:
            message = f"the WSDL has no operation {route.match.soap.name}; it has {_some(operations.offered)}"
            problems.append(draft.problem("match", message))
        return route
    space, _, element = _element_of(operation)[1:].rpartition("}")
    soap = route.match.soap._replace(element=element, namespace=space, action=operation.action or None)
    return route._replace(match=route.match._replace(soap=soap))


def _element_of(operation: "Operation") -> str:
    """The name of the first child of the Body, `{namespace}local`."""
    name = operation.input.wrapper or (operation.input.parts[0].name if operation.input.parts else operation.name)
    return name if name.startswith("{") else f"{{}}{name}"


def _operations_of(route: Route, known: Mapping[str, _Operations]) -> _Operations | None:
    if route.match.soap is None:
        return None
    return next((known[target.backend] for _, target in _sides(route) if target.backend in known), None)


def _bound_target(
    route: Route,
    target: Target | None,
    side: str,
    draft: "Draft",
    known: Mapping[str, _Operations],
    problems: Problems,
) -> Target | None:
    """A side with its call as the connector wants it; without one where something about it is wrong."""
    if target is None:
        return None
    if target.call is None:
        return _passed_on(route, target, known)
    if isinstance(target.call, Faced):
        operations = _operations_of(route, known)
        call = None if operations is None else _faced(route, target.call, operations, draft.entry, side, problems)
    else:
        operations = known.get(target.backend)
        call = None if operations is None else _call(target.call, operations, draft.entry, side, problems)
    return target._replace(call=call)


def _passed_on(route: Route, target: Target, known: Mapping[str, _Operations]) -> Target:
    """A target that gets the message as it is: a SOAP backend has one address for all of them."""
    if route.match.soap is None or target.path is not None or target.backend not in known:
        return target
    return target._replace(path=() if known[target.backend].described.base else (b"/",))


def _faced(route: Route, faced: Faced, operations: _Operations, entry: Entry, side: str, problems: Problems) -> Any:
    from connectors.soap.target import FacadeTarget

    operation = operations.by_name.get(route.match.soap.name) if route.match.soap is not None else None
    if operation is None:
        return None
    _check_mappings((("request", faced.request), ("response", faced.response)), entry, side, problems)
    return FacadeTarget(operation, operations.schema, faced.request, faced.response, faced.faults)


def _call(wanted: Wanted, operations: _Operations, entry: Entry, side: str, problems: Problems) -> Any:
    operation = operations.by_name.get(wanted.operation)
    if operation is None:
        if operations.offered:
            message = f"the WSDL has no operation {{written}}; it has {_some(operations.offered)}"
            problems.append(entry.problem((side, "operation"), message))
        return None
    from connectors.soap.target import SoapTarget

    mappings = (("request", wanted.request), ("response", wanted.response), ("error_when", wanted.error_when))
    _check_mappings(mappings, entry, side, problems)
    return SoapTarget(
        operation=operation,
        request=wanted.request,
        response=wanted.response,
        faults=wanted.faults,
        error_when=wanted.error_when,
        strict=wanted.strict,
        auth=_auth(operations.described.auth),
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


def _auth(spec: "AuthSpec | None") -> tuple[Any, ...]:
    from connectors.soap.security import Basic, UsernameToken

    if spec is None:
        return ()
    basic, wsse = spec.basic, spec.wsse
    shown: list[Any] = [] if basic is None else [Basic(basic.username, basic.password)]
    if wsse is not None:
        lifetime = UsernameToken._field_defaults["lifetime"] if wsse.timestamp else None
        shown.append(UsernameToken(wsse.username, wsse.password, wsse.digest, lifetime))
    return tuple(shown)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


# ------------------------------------------------------------------------------------------------ loading

_loaded: dict[tuple[Path, Path | None], "tuple[tuple[tuple[str, int, int], ...], Wsdl]"] = {}
_KEPT = 64


def _load(described: Described, problems: Problems) -> "Wsdl | None":
    """A backend's WSDL; kept, because compiling it takes a moment and most reloads change none."""
    from connectors.soap.wsdl import WsdlError, load

    key = (described.wsdl, described.root)
    kept = _loaded.get(key)
    if kept is not None and _stamps(described, kept[1]) == kept[0]:
        return kept[1]
    try:
        wsdl = load(described.wsdl, described.root)
    except WsdlError as error:
        problems.append(described.entry.problem(("wsdl",), str(error).rstrip(".")))
        return None
    if len(_loaded) >= _KEPT:
        _loaded.clear()
    _loaded[key] = _stamps(described, wsdl), wsdl
    return wsdl


def _stamps(described: Described, wsdl: "Wsdl") -> tuple[tuple[str, int, int], ...]:
    """When each of a WSDL's files was last written, and how large it is."""
    root = described.root or described.wsdl.parent
    found = []
    for name in sorted(wsdl.documents):
        try:
            status = stat(root / name)
        except OSError:
            continue
        found.append((name, status.st_mtime_ns, status.st_size))
    return tuple(found)
