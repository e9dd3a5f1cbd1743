"""A file of routes drafted from a WSDL: a backend for each port, a route for each operation, all served by legacy.

Without a mapping an operation is `POST /{service}/{Operation}` and takes and gives the operation's own JSON, of which a
comment lists every field. Mappings stand there too, to be pruned; unless asked for they are comments themselves,
because the operation's own JSON loses nothing and has its shape in the OpenAPI document.
"""

import json
import re
from collections.abc import Iterator
from textwrap import wrap
from typing import NamedTuple
from urllib.parse import quote

from connectors.soap.fields import Node, shape
from connectors.soap.plan import Operation, Schema
from gateway.cli.mappings import get_lines, request_lines, response_lines, scalar
from gateway.config.addresses import address as read_address
from gateway.config.problems import Unreadable

WIDTH = 100
NO_ADDRESS = "http://localhost:8080"
MOST_LINES = 200
"""So many fields of one message are listed, no more."""


class Port(NamedTuple):
    """A port to be called: its backend's name, the operations taken from it, and how it is written in the file."""

    backend: str
    port: str | None
    version: str
    address: str
    operations: tuple[Operation, ...]


class Draft(NamedTuple):
    """What the file is made of. `wsdl` and `root` are as the file names them; `others` are ports that were left out."""

    source: str
    wsdl: str
    root: str | None
    ports: tuple[Port, ...]
    schema: Schema
    others: tuple[str, ...] = ()


def written(draft: Draft, *, mapped: bool) -> str:
    """The file's text."""
    lines = [
        f"# Written by `banyan import wsdl` from {draft.source}.",
        "# Every route serves legacy. Delete those that no front end needs, and prune the mappings of the others.",
        "",
        "backends:",
    ]
    for port in draft.ports:
        lines += _backend(draft, port)
    lines += ["", "routes:"]
    for port in draft.ports:
        for operation in port.operations:
            lines += [*_route(port, operation, draft.schema, mapped=mapped), ""]
    return "\n".join(lines).rstrip() + "\n"


# ------------------------------------------------------------------------------------------------ backends


def _backend(draft: Draft, port: Port) -> Iterator[str]:
    name = re.sub("[^A-Z0-9]", "_", port.backend.upper())
    yield f"  {scalar(port.backend)}:"
    yield "    type: soap"
    yield f"    wsdl: {scalar(draft.wsdl)}"
    if draft.root is not None:
        yield f"    wsdl_root: {scalar(draft.root)}"
    if port.port is not None:
        others = f"; there is also {', '.join(draft.others)}" if draft.others else ""
        yield f"    port: {scalar(port.port)}   # SOAP {port.version}{others}"
    yield from _url(port.address)
    yield f'    # auth: {{basic: {{username: gateway, password: "${{{name}_PASSWORD}}"}}}}   # or wsse, for WS-Security'


def _url(address: str) -> Iterator[str]:
    """The backend's address, where the WSDL's can be used."""
    try:
        read_address(address)
    except Unreadable:
        told = json.dumps(address, ensure_ascii=False) if address else "nothing"
        yield f"    url: {NO_ADDRESS}   # the WSDL says {told}: write the address here"
        return
    yield f"    url: {scalar(address)}"


# ------------------------------------------------------------------------------------------------ routes


def _route(port: Port, operation: Operation, schema: Schema, *, mapped: bool) -> Iterator[str]:
    path = f"/{quote(operation.service, safe='')}/{quote(operation.name, safe='')}"
    asked = shape(operation.input, schema)
    given = None if operation.output is None else shape(operation.output, schema)
    yield from _comment(f"{operation.name}: {operation.documentation}".rstrip(": "), "  # ")
    yield from _tree("takes", asked)
    if given is not None:
        yield from _tree("gives", given)
    else:
        yield "  #   gives nothing: the answer is 202"
    for name, _ in operation.faults:
        yield f"  #   may answer 422 with the fault {name}"
    yield f"  - name: {scalar(route_name(operation))}"
    yield f"    match: POST {path}"
    for line in get_lines(path, asked):
        yield f"    # {line}"
    yield "    legacy:"
    yield f"      backend: {scalar(port.backend)}"
    yield f"      operation: {scalar(operation.name)}"
    mark = "" if mapped else "# "
    for line in [*request_lines(asked), *(response_lines(given) if given is not None else ())]:
        yield f"      {mark}{line}"
    yield "    serve: legacy"


def _tree(word: str, root: Node) -> Iterator[str]:
    """Every field with its type, as a comment."""
    if not root.children:
        yield f"  #   {word} {root.words if root.simple or root.whole else 'no fields'}"
        return
    yield f"  #   {word}"
    lines = list(_lines(root, 0))
    width = min(max(len(name) for name, _ in lines), 40)
    for name, words in lines[:MOST_LINES]:
        yield f"  #     {name:<{width}}  {words}"
    if len(lines) > MOST_LINES:
        yield f"  #     and {len(lines) - MOST_LINES} more"


def _lines(node: Node, depth: int) -> Iterator[tuple[str, str]]:
    for each in node.children:
        yield f"{'  ' * depth}{each.key}", each.words
        yield from _lines(each, depth + 1)


def _comment(text: str, mark: str) -> Iterator[str]:
    for line in wrap(text, WIDTH - len(mark)):
        yield mark + line


def route_name(operation: Operation) -> str:
    """`Rents.GetBalance`: letters, digits, dots, dashes and underscores, 100 at most."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", f"{operation.service}.{operation.name}")[:100]
