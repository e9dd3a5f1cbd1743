"""WSDLs that routes.yaml refers to: loaded, kept while their files stay the same, the operations in use compiled."""

from collections.abc import Sequence
from os import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.config.problems import Problem
from gateway.config.proof import Proof, log_on_name
from gateway.config.soap import Described
from gateway.config.words import OLD_ADDRESSING
from gateway.core.model import Backend

if TYPE_CHECKING:
    from connectors.soap.plan import Operation
    from connectors.soap.wsdl import Wsdl
    from gateway.config.schema import ValuesSpec

Problems = list[Problem]


class Operations:
    """The operations of one backend that routes call."""

    def __init__(self, described: Described, names: set[str], problems: Problems) -> None:
        self.described = described
        self.schema: Any = None
        self.by_name: dict[str, Operation] = {}
        self.offered: tuple[str, ...] = ()
        self.proof = Proof(described.auth, described.entry, {}, None)
        self.wsdl = wsdl = load(described, problems)
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
            message = f"the WSDL has no operation {{written}}; it has {some(self.offered)}"
            problems.append(described.entry.problem(("auth", "session", "operation"), message))


def _forms(spec: "ValuesSpec | None") -> Any:
    from connectors.soap.forms import Forms

    return Forms() if spec is None else Forms(*(getattr(spec, name) for name in Forms._fields))


def _addressed(operation: "Operation", given: bool | str | None) -> "Operation":
    """The operation with WS-Addressing or without, as the file says; where it says nothing, as the WSDL does."""
    from connectors.soap.addressing import WSA, WSA_2004

    if given is None:
        return operation
    space = "" if not given else WSA_2004 if given == OLD_ADDRESSING else operation.addressing.namespace or WSA
    return operation._replace(addressing=operation.addressing._replace(namespace=space))


def some(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


# ------------------------------------------------------------------------------------------------ loading

_loaded: dict[tuple[Path, Path | None], "tuple[tuple[tuple[str, int, int], ...], Wsdl]"] = {}
_KEPT = 64


def load(described: Described, problems: Problems) -> "Wsdl | None":
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
