"""Endpoints as routes to paste into routes.yaml: one per method and template, most used first.

Each says only what is so already: that legacy serves it. So they change nothing but what can be seen, and moved, alone.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

from gateway.core.discovering.endpoints import Endpoint, ranked
from gateway.core.discovering.names import singular

_LONGEST_NAME = 80
_NO_NAME = re.compile(r"[^A-Za-z0-9._]+")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_NO_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader of YAML takes for something else."""


def proposals(
    endpoints: Iterable[Endpoint], backend: str, *, host: str = "", taken: Collection[str] = (), least: int = 1
) -> str:
    """Routes as YAML, indented as under `routes:`; "" where there are none.

    `backend` is that of the catch-all route that served them, `host` the host in its match ("" where it names none).
    `taken` are the names that routes have already. What had less than `least` requests is left out.
    """
    names = set(taken)
    entries: list[str] = []
    for each in ranked(each for each in endpoints if each.requests >= least):
        name = _unique(_name(each), names)
        names.add(name)
        entries.append("".join(f"  {line}\n" for line in _entry(each, name, backend, host)))
    return "\n".join(entries)


def _entry(endpoint: Endpoint, name: str, backend: str, host: str) -> Iterator[str]:
    failed = f", {endpoint.errors:,} failed" if endpoint.errors else ""
    seen = datetime.fromtimestamp(endpoint.last, UTC)
    match = f"{endpoint.method} {endpoint.template}"
    if host:
        match = f'{{method: {endpoint.method}, host: "{host}", path: "{endpoint.template}"}}'
    requests = "1 request" if endpoint.requests == 1 else f"{endpoint.requests:,} requests"
    yield f"# {requests}{failed}, last seen {seen:%Y-%m-%d %H:%M} UTC"
    yield f"- name: {name}"
    yield f"  match: {match}"
    yield f"  legacy: {_text(backend)}"


def _name(endpoint: Endpoint) -> str:
    """`GET /housing/repairs/{repair}` is housing-repair, `POST /housing/repairs` housing-repairs-post."""
    parts: list[str] = []
    for segment in endpoint.template.split("/")[1:]:
        if not segment.startswith("{"):
            parts.append(_NO_NAME.sub("-", unquote(segment)).strip("-._"))
        elif parts and parts[-1] and segment[1:-1].removesuffix("_name") == singular(parts[-1]):
            parts[-1] = singular(parts[-1]).replace("_", "-")
        else:
            parts.append(f"by-{segment[1:-1].replace('_', '-')}")
    name = "-".join(filter(None, parts)).lower()[:_LONGEST_NAME].strip("-._") or "root"
    if endpoint.method != "GET":
        name += f"-{endpoint.method.lower()}"
    return name if _PLAIN.fullmatch(name) and name not in _NO_TEXT else f"route-{name}"


def _unique(name: str, taken: Collection[str]) -> str:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}-{number}"
    return unique


def _text(name: str) -> str:
    """The name of a backend, so that YAML reads it as text."""
    return name if _PLAIN.fullmatch(name) and name.lower() not in _NO_TEXT else f'"{name}"'
