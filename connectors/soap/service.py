"""From a loaded WSDL to the plan of what is used of it.

Ports of one portType collapse: of several that offer an operation, SOAP 1.2 is preferred unless a port is named. Only
the operations asked for are compiled, so that only the types they reach are sent to the data process.
"""

from collections.abc import Collection, Iterable

from connectors.soap.bound import Body, Bound, Part
from connectors.soap.documents import WsdlError
from connectors.soap.plan import Field, Message, Operation, Service
from connectors.soap.schema import Compiler
from connectors.soap.wsdl import Wsdl
from connectors.soap.xmltext import local


def offered(wsdl: Wsdl, port: str | None = None) -> dict[str, Bound]:
    """The operations by name, one port for each."""
    found: dict[str, Bound] = {}
    for each in wsdl.bound:
        known = found.get(each.operation)
        if port is not None and port != each.port:
            continue
        if known is None or (known.version == "1.1" and each.version == "1.2"):
            found[each.operation] = each
    return found


def service_of(wsdl: Wsdl, names: Collection[str] | None = None, port: str | None = None) -> Service:
    """The plan of some operations, or of all. Raises WsdlError when the WSDL lacks one, or the port."""
    ports = list(dict.fromkeys(each.port for each in wsdl.bound))
    if port is not None and port not in ports:
        raise WsdlError(f"{wsdl.name} has no SOAP port {port}; it has {', '.join(ports) or 'none'}.")
    known = offered(wsdl, port)
    missing = sorted(set(names or ()) - known.keys())
    if missing:
        raise WsdlError(f"{wsdl.name} has no operation {missing[0]}; it has {', '.join(sorted(known)) or 'none'}.")
    compiler = Compiler(wsdl.schemas.maps)
    chosen = [known[name] for name in (known if names is None else sorted(set(names)))]
    operations = tuple(compiled(each, compiler) for each in chosen)
    return Service(operations, compiler.schema(), wsdl.warnings)


def compiled(bound: Bound, compiler: Compiler) -> Operation:
    """One operation, its messages compiled."""
    rpc = bound.style == "rpc"
    output = bound.output
    return Operation(
        name=bound.operation,
        service=bound.service,
        port=bound.port,
        address=bound.address,
        version=bound.version,
        action=bound.action,
        input=message(bound.input, compiler, wrapper=wrapper(bound.input, bound.operation) if rpc else None),
        output=None
        if output is None
        else message(output, compiler, wrapper=wrapper(output, f"{bound.operation}Response") if rpc else None),
        faults=tuple((each.name or each.part.name, part(each.part, compiler)) for each in bound.faults),
        documentation=bound.documentation,
        addressing=bound.addressing,
        mtom=bound.mtom,
    )


def wrapper(body: Body, name: str) -> str:
    """The element around the parts of an RPC message (SOAP 1.1, section 7.1)."""
    return f"{{{body.namespace}}}{name}" if body.namespace else name


def message(body: Body, compiler: Compiler, wrapper: str | None) -> Message:
    return Message(
        parts=fields(body.parts, compiler),
        wrapper=wrapper,
        headers=fields(body.headers, compiler),
        encoded=body.use == "encoded",
        attachments=body.attachments,
    )


def fields(parts: Iterable[Part], compiler: Compiler) -> tuple[Field, ...]:
    return tuple(part(each, compiler) for each in parts)


def part(given: Part, compiler: Compiler) -> Field:
    """A part as an element: its own where it names one, otherwise one of its type that has the part's name."""
    if given.element is not None:
        return compiler.element(given.element)._replace(least=1, most=1, key=local(given.element))
    return compiler.part(given.name, given.type or "")
