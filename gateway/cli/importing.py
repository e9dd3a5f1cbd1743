"""`banyan import wsdl`: from a WSDL to a file with its backend and a route for each operation."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import CONFIG, Config

if TYPE_CHECKING:
    from connectors.soap.bound import Bound
    from connectors.soap.plan import Service
    from connectors.soap.wsdl import Wsdl
    from gateway.cli.drafting import Draft, Port

MOST_TOLD = 5
LONGEST = 300
"""Characters of an example that is shown on a command line."""
INCLUDING = "version: 1\ninclude: {include}\n"

importing = typer.Typer(
    name="import",
    help="Draft routes from the description of a service.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


@importing.command("wsdl")
def wsdl(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="The WSDL.")],
    backend: Annotated[str, typer.Option(metavar="NAME", help="What the backend shall be called.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Default: routes.d/NAME.yaml.")] = None,
    operation: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this operation; as often as needed.")
    ] = None,
    port: Annotated[
        str | None, typer.Option(metavar="NAME", help="The WSDL's port to call. Default: SOAP 1.2 where there is one.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the WSDL's files lie, if not all below its own folder.")
    ] = None,
    mappings: Annotated[bool, typer.Option("--mappings", help="Write the mappings as such, not as comments.")] = False,
    config: Config = CONFIG,
) -> None:
    """Draft a backend and a route for each operation of a WSDL, all served by legacy.

    A URL is fetched, with all it imports, into a copy of its own: wsdl/NAME. Nothing that exists is overwritten.
    """
    from connectors.soap.wsdl import load
    from gateway.cli.drafting import written
    from gateway.cli.fetching import fetch, is_address, keep

    out = out or config.parent / "routes.d" / f"{backend}.yaml"
    _check(backend, out)
    path = keep(fetch(source), config.parent / "wsdl" / backend) if is_address(source) else Path(source)
    loaded = load(path, root)
    draft = _draft(loaded, source, backend, port, operation, out, root)
    text = written(draft, mapped=mappings)
    _try(out, text)
    begun = _write(config, out, text)
    _tell(loaded, draft, out, config, begun=begun)


def _check(backend: str, out: Path) -> None:
    """Refuse what cannot end well before anything is fetched."""
    from gateway.config.kinds import is_name
    from gateway.errors import CommandError

    if not is_name(backend):
        raise CommandError(f"{backend!r} cannot be a backend's name: only letters, digits, dots, dashes, underscores.")
    if os.path.exists(out):
        raise CommandError(f"{out} exists already. Name another with --out, or remove it.")


# ------------------------------------------------------------------------------------------------ the draft


def _draft(
    wsdl: "Wsdl", source: str, backend: str, port: str | None, names: list[str] | None, out: Path, root: Path | None
) -> "Draft":
    from connectors.soap.service import offered, service_of
    from gateway.cli.drafting import Draft
    from gateway.errors import CommandError

    known = offered(wsdl, port)
    if not known:
        ports = ", ".join(dict.fromkeys(each.port for each in wsdl.bound))
        what = f"has no SOAP port {port}; it has {ports}" if port and ports else "offers no SOAP operation"
        raise CommandError(f"{wsdl.name} {what}.")
    service = service_of(wsdl, names, port)
    here = out.parent
    return Draft(
        source=source,
        wsdl=os.path.relpath(wsdl.path, here),
        root=None if root is None else os.path.relpath(root, here),
        ports=tuple(_ports(service, wsdl.bound, backend)),
        schema=service.schema,
        others=tuple(_others(service, wsdl.bound)),
    )


def _ports(service: "Service", bound: tuple["Bound", ...], backend: str) -> list["Port"]:
    """The ports that are called. Each needs a backend, since each has an address of its own."""
    from gateway.cli.drafting import Port

    called = list(dict.fromkeys(each.port for each in service.operations))
    several = len({each.port for each in bound}) > 1
    ports = []
    for name in called:
        operations = tuple(each for each in service.operations if each.port == name)
        own = backend if len(called) == 1 else f"{backend}-{name}"
        ports.append(Port(own, name if several else None, operations[0].version, operations[0].address, operations))
    return ports


def _others(service: "Service", bound: tuple["Bound", ...]) -> list[str]:
    """The ports that are not called."""
    called = {each.port for each in service.operations}
    return list(dict.fromkeys(f"{each.port} (SOAP {each.version})" for each in bound if each.port not in called))


# ------------------------------------------------------------------------------------------------ the file


def _try(out: Path, text: str) -> None:
    """Check the draft as if it were a whole configuration, before it is written. Raises ConfigError."""
    from gateway.config.check import load
    from gateway.errors import CommandError

    try:
        out.parent.mkdir(parents=True, exist_ok=True)  # names of files are seen from there
    except OSError as error:
        raise CommandError(f"{out.parent} cannot be written: {error.strerror}.") from error
    load(out, {}, {out: f"{text}\nversion: 1\n".encode()})


def _write(config: Path, out: Path, text: str) -> bool:
    """Write the draft, and a main file that includes it where there is none; whether that was so."""
    from gateway.errors import CommandError

    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
        if config.exists():
            return False
        include = os.path.relpath(out.parent / "*.yaml", config.parent)
        config.write_text(INCLUDING.format(include=include), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename or out} cannot be written: {error.strerror}.") from error
    return True


def _tell(wsdl: "Wsdl", draft: "Draft", out: Path, config: Path, *, begun: bool) -> None:
    from gateway.cli.output import counted, say
    from gateway.config.check import load

    routes = sum(len(port.operations) for port in draft.ports)
    backends = " and ".join(port.backend for port in draft.ports)
    say(f"Wrote {out}: {counted(routes, 'route')} for {backends}." + (f" Wrote {config}, which includes it." * begun))
    if wsdl.warnings:
        say(f"{counted(len(wsdl.warnings), 'defect')} of the WSDL had to be mended:")
        for warning in wsdl.warnings[:MOST_TOLD]:
            say(f"  {warning}")
    files = load(config, os.environ).files
    if out.resolve() not in {path.resolve() for path, _ in files}:
        say(f"{config} does not include it yet; add:")
        beside = out.parent.resolve() == config.parent.resolve()
        say(f"  include: {out.name if beside else os.path.relpath(out.parent / '*.yaml', config.parent)}")
    say("Then try:")
    say("  banyan check")
    say(f"  banyan call {_first_call(draft)} --dry-run")
    say("  banyan openapi")


def _first_call(draft: "Draft") -> str:
    """A route and a body to try it with."""
    import json
    from shlex import quote

    from connectors.soap.openapi import Components
    from connectors.soap.sampling import sample
    from gateway.cli.drafting import route_name

    operation = draft.ports[0].operations[0]
    schemas: dict[str, Any] = {}
    body = Components(draft.schema, schemas).message(operation.input, reply=False)
    data = json.dumps(sample(body, schemas), ensure_ascii=False)
    return f"{route_name(operation)} --data {quote(data) if len(data) <= LONGEST else '@FILE'}"
