"""SOAP routes whose target calls an operation by another name, and the contract that their clients go by.

What clients send is described by one WSDL, the route's contract: that of the backend it names, or of its first side
that has one. A target that calls an operation stands behind that contract as one of JSON does.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.core.model import Route

if TYPE_CHECKING:
    from connectors.soap.plan import Operation
    from connectors.soap.target import BridgeTarget, SoapTarget
    from gateway.config.routes import TargetSpec
    from gateway.config.rules import Draft
    from gateway.config.soap import Described, Wanted
    from gateway.config.wsdls import Operations

Problems = list[Problem]
_WANTED = {
    int: "must be a status, 400 to 599; names are for a SOAP route whose target calls an `operation`",
    str: "must be the name of a fault that the contract declares; statuses are for REST",
}


T = TypeVar("T", int, str)


class Bridged(NamedTuple):
    """What is written about a target that answers a SOAP operation by a call of another."""

    call: "Wanted"
    faults: tuple[tuple[str, str], ...]


def faults_of(
    spec: "TargetSpec", kind: type[T], entry: Entry, side: str, problems: Problems
) -> tuple[tuple[str, T], ...]:
    """What a target makes of faults, by name: statuses, or other names."""
    found: list[tuple[str, T]] = []
    for name, value in spec.faults.items():
        if isinstance(value, kind):
            found.append((name, value))
        else:
            problems.append(entry.problem((side, "faults", name), f"{{written}} {_WANTED[kind]}"))
    return tuple(found)


def contract_of(
    draft: "Draft", described: "Mapping[str, Described]", backends: Collection[str], problems: Problems
) -> str | None:
    """The backend whose WSDL describes what a SOAP route takes."""
    route, named = draft.route, draft.contract
    if route.match.soap is None:
        if named is not None:
            message = "`contract` belongs to a SOAP route: it says by which WSDL its clients go"
            problems.append(draft.entry.key_problem(("contract",), message))
        return None
    if named is None:
        sides = (target for target in (route.legacy, route.new) if target is not None)
        return next((target.backend for target in sides if target.backend in described), None)
    if named not in described and named in backends:
        problems.append(draft.problem("contract", "{written} is no backend of `type: soap`, so it has no WSDL"))
    return named if named in described else None


def bridge(
    route: Route,
    bridged: Bridged,
    call: "SoapTarget | None",
    contract: "Operations | None",
    entry: Entry,
    side: str,
    problems: Problems,
) -> "BridgeTarget | None":
    """The target as the connector wants it; None where something about it is wrong."""
    from connectors.soap.target import BridgeTarget

    name = route.match.soap.name if route.match.soap is not None else ""
    operation = None if contract is None else contract.by_name.get(name)
    if contract is None or operation is None or call is None:
        return None
    declared = [each for each, _ in operation.faults]
    for theirs, ours in bridged.faults:
        if ours not in declared:
            message = f"{name} declares no fault {{written}}; it declares {', '.join(declared) or 'none'}"
            problems.append(entry.problem((side, "faults", theirs), message))
    statuses = tuple((theirs, 422) for theirs, _ in bridged.faults)  # they are answers
    return BridgeTarget(operation, contract.schema, call._replace(faults=statuses), bridged.faults)


def reply_headers(
    operation: "Operation", given: Mapping[str, Any] | None, entry: Entry, side: str, problems: Problems
) -> Mapping[str, Any] | None:
    """Mappings of headers that the reply of an operation declares."""
    declared: Sequence[str] = [field.key for field in operation.output.headers] if operation.output is not None else ()
    for key in given or ():
        if key.partition(".")[0] not in declared:
            offer = ", ".join(declared) or "none"
            message = f"the reply of {operation.name} declares no header `{key}`; it declares {offer}"
            problems.append(entry.key_problem((side, "reply_headers", key), message))
    return given
