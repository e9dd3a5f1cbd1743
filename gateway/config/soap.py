"""SOAP in routes.yaml: WSDLs loaded, and the operations that targets name looked up in them.

A target that names an `operation` calls it; any other target of a SOAP backend passes HTTP on as it comes. While a file
is checked, `Backend.types` holds what was written about the WSDL (`Described`) and `Target.call` what is wanted of it
(`Wanted`); `bound` turns them into what the connector goes by. Only the operations in use are compiled.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.config.bridges import Bridged, bridge, contract_of, faults_of, reply_headers
from gateway.config.problems import Problem
from gateway.config.proof import Proof, known_headers, log_on_name, twice_given
from gateway.config.wording import Entry
from gateway.config.words import OLD_ADDRESSING
from gateway.core.model import Backend, Match, Route, Target

if TYPE_CHECKING:
    from connectors.soap.plan import Operation
    from connectors.soap.wsdl import Wsdl
    from gateway.config.routes import TargetSpec
    from gateway.config.rules import Draft
    from gateway.config.schema import AuthSpec, BackendSpec, ValuesSpec
    from gateway.core.published import Published

Problems = list[Problem]
_MAPPINGS = ("request", "response", "faults", "error_when", "error_status", "soap_headers", "replies")
_OF_CALLS = ("error_when", "error_status", "soap_headers", "replies")


class Described(NamedTuple):
    """What is written about a SOAP backend; `entry` is where, `url` its url and `base` the path of that."""

    base: bytes
    wsdl: Path
    root: Path | None
    port: str | None
    auth: "AuthSpec | None"
    values: "ValuesSpec | None"
    entry: Entry
    addressing: bool | str | None = None
    url: str = ""
    mtom: bool | None = None


class Wanted(NamedTuple):
    """What is written about one call of a SOAP backend."""

    operation: str
    request: str | dict[str, Any] | None
    response: str | None
    faults: tuple[tuple[str, int], ...]
    error_when: str | None
    strict: bool
    error_status: int | None = None
    headers: dict[str, Any] | None = None


def described(spec: "BackendSpec", entry: Entry, problems: Problems) -> Described | None:
    """What a backend says about its WSDL."""
    if spec.type == "http":
        for key in ("wsdl", "wsdl_root", "port", "auth", "values", "addressing", "mtom"):
            if getattr(spec, key) is not None:
                problems.append(entry.key_problem((key,), f"`{key}` belongs to a backend of `type: soap`"))
        return None
    if spec.wsdl is None:
        problems.append(entry.problem((), "a backend of `type: soap` needs its `wsdl`"))
        return None
    folder = Path(entry.document.file).parent
    root = folder / spec.wsdl_root if spec.wsdl_root is not None else None
    url = f"{'https' if spec.url.secure else 'http'}://{(spec.url.authority + spec.url.base).decode()}"
    shown = spec.auth, spec.values, entry, spec.addressing, url, spec.mtom
    return Described(spec.url.base, folder / spec.wsdl, root, spec.port, *shown)


class Faced(NamedTuple):
    """What is written about a target that answers a SOAP operation with JSON."""

    request: str | dict[str, Any] | None
    response: str | None
    faults: tuple[tuple[str, int], ...]
    reply_headers: dict[str, Any] | None = None


Call = Wanted | Faced | Bridged


def wanted(spec: "TargetSpec", match: Match, entry: Entry, side: str, problems: Problems) -> Call | None:
    """What a target says about the operation it calls, or answers."""
    given = spec.model_fields_set
    if match.soap is not None and spec.method is not None and spec.operation is None:
        for key in _OF_CALLS:
            if key in given:
                problems.append(entry.key_problem((side, key), f"`{key}` belongs to a call of an `operation`"))
        return Faced(spec.request, spec.response, faults_of(spec, int, entry, side, problems), spec.reply_headers)
    if "reply_headers" in given:
        message = "`reply_headers` belongs to a SOAP route whose target has a `method`: it is answered by JSON then"
        problems.append(entry.key_problem((side, "reply_headers"), message))
    if spec.operation is None:
        for key in _MAPPINGS:
            if key in given:
                needed = "a `method`: it is answered by JSON then" if match.soap else "the `operation` that is called"
                problems.append(entry.key_problem((side, key), f"`{key}` needs {needed}"))
        return None
    for key in ("path", "method"):
        if key in given:
            problems.append(entry.key_problem((side, key), f"a call of an `operation` has no `{key}` of its own"))
    if spec.error_status is not None and spec.error_when is None:
        problems.append(entry.key_problem((side, "error_status"), "`error_status` is the status of an `error_when`"))
    how = (spec.error_when, spec.replies == "strict", spec.error_status, spec.soap_headers)
    call = Wanted(spec.operation, spec.request, spec.response, (), *how)
    if match.soap is not None:
        return Bridged(call, faults_of(spec, str, entry, side, problems))
    return call._replace(faults=faults_of(spec, int, entry, side, problems))


# ------------------------------------------------------------------------------------------------ looking up


def bound(
    backends: Sequence[Backend], drafts: "Sequence[Draft]", decode: int, problems: Problems
) -> tuple[tuple[Backend, ...], tuple[Route, ...]]:
    """Backends and routes with everything that calling SOAP takes; `decode` bounds messages that are decoded."""
    described = {each.name: each.types for each in backends if isinstance(each.types, Described)}
    if not described and not any(_is_about_soap(draft) for draft in drafts):
        return tuple(backends), tuple(draft.route for draft in drafts)
    sound = {each.name for each in backends}  # of the others something else has been said
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
    known = {name: _Operations(described[name], names, problems) for name, names in used.items()}
    for name, unused in described.items():
        if name not in known:
            _load(unused, problems)
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


def _is_about_soap(draft: "Draft") -> bool:
    return draft.contract is not None or any(target.call is not None for _, target in _sides(draft.route))


def _published(operations: "_Operations") -> "Published | None":
    return operations.wsdl.published if operations.wsdl is not None else None


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
        self.proof = Proof(described.auth, described.entry, {}, None)
        self.wsdl = wsdl = _load(described, problems)
        if wsdl is None:
            return
        from connectors.soap.forms import formed
        from connectors.soap.service import offered, service_of

        self.offered = tuple(sorted(offered(wsdl, described.port)))
        if described.port is not None and not self.offered:
            ports = ", ".join(dict.fromkeys(each.port for each in wsdl.bound)) or "none"
            message = f"the WSDL has no SOAP port {{written}}; it has {ports}"
            problems.append(described.entry.problem(("port",), message))
            return
        service = formed(service_of(wsdl, names.intersection(self.offered), described.port), _forms(described.values))
        self.schema = service.schema
        self.by_name = {each.name: _addressed(each, described.addressing) for each in service.operations}
        self.proof = Proof(described.auth, described.entry, self.by_name, self.schema)
        self.proof.check(problems)
        log_on = log_on_name(described.auth)
        if log_on is not None and log_on not in self.by_name:
            message = f"the WSDL has no operation {{written}}; it has {_some(self.offered)}"
            problems.append(described.entry.problem(("auth", "session", "operation"), message))


def _route(draft: "Draft", known: Mapping[str, _Operations], decode: int, problems: Problems) -> Route:
    route = _described_match(draft, known, problems)
    legacy = _bound_target(route, route.legacy, "legacy", draft, known, problems)
    new = _bound_target(route, route.new, "new", draft, known, problems)
    bounds = route.decode or decode
    return route._replace(legacy=_bounded(legacy, bounds), new=_bounded(new, bounds))


def _bounded(target: Target | None, decode: int) -> Target | None:
    """A side that decodes messages of so many bytes."""
    if target is None or target.call is None:
        return target
    return target._replace(call=target.call._replace(decode=decode))


def _described_match(draft: "Draft", known: Mapping[str, _Operations], problems: Problems) -> Route:
    """A SOAP route that goes by what its WSDL says of the operation: its element, its namespace, its action."""
    route = draft.route
    operations = _operations_of(draft, known)
    if operations is None or route.match.soap is None:
        return route
    operation = operations.by_name.get(route.match.soap.name)
    if operation is None:
        if operations.offered:
            message = f"the WSDL has no operation {route.match.soap.name}; it has {_some(operations.offered)}"
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


def _operations_of(draft: "Draft", known: Mapping[str, _Operations]) -> _Operations | None:
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
    known: Mapping[str, _Operations],
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
    headers = reply_headers(operation, faced.reply_headers, entry, side, problems)
    _check_mappings((("reply_headers", headers),), entry, side, problems)
    target = FacadeTarget(operation, operations.schema, faced.request, faced.response, faced.faults)
    return target._replace(reply_headers=headers)


def _call(wanted: Wanted, operations: _Operations, entry: Entry, side: str, problems: Problems) -> Any:
    operation = operations.by_name.get(wanted.operation)
    if operation is None:
        if operations.offered:
            message = f"the WSDL has no operation {{written}}; it has {_some(operations.offered)}"
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


def _addressed(operation: "Operation", given: bool | str | None) -> "Operation":
    """The operation with WS-Addressing or without, as the file says; where it says nothing, as the WSDL does."""
    from connectors.soap.addressing import WSA, WSA_2004

    if given is None:
        return operation
    space = "" if not given else WSA_2004 if given == OLD_ADDRESSING else operation.addressing.namespace or WSA
    return operation._replace(addressing=operation.addressing._replace(namespace=space))


def _check_mappings(mappings: Iterable[tuple[str, Any]], entry: Entry, side: str, problems: Problems) -> None:
    from connectors.mapping import Mapped, MappingInvalid

    for key, given in mappings:
        try:
            if given is not None:
                Mapped(given)
        except MappingInvalid as error:
            problems.append(entry.problem((side, key), str(error).rstrip(".")))


def _forms(spec: "ValuesSpec | None") -> Any:
    from connectors.soap.forms import Forms

    return Forms() if spec is None else Forms(*(getattr(spec, name) for name in Forms._fields))


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


def documents(backends: Sequence[Backend]) -> tuple[tuple[Path, bytes], ...]:
    """The files that the WSDLs of backends were read from; of one that could not be loaded, itself alone."""
    found: dict[Path, bytes] = {}
    for described in (each.types for each in backends):
        if not isinstance(described, Described):
            continue
        kept = _loaded.get((described.wsdl, described.root))
        if kept is None:
            found[described.wsdl] = b""
        else:
            root = described.root or described.wsdl.parent
            found |= {root / name: data for name, data in kept[1].documents.items()}
    return tuple(sorted(found.items()))


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
