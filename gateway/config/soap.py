"""SOAP in routes.yaml: what is written about backends that speak it, and about calls of their operations.

A target that names an `operation` calls it; any other target of a SOAP backend passes HTTP on as it comes. While a file
is checked, `Backend.types` holds what was written about the WSDL (`Described`) and `Target.call` what is wanted of it
(`Wanted`, `Faced`, `Bridged`); `binding.py` turns them into what the connectors go by.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.config.bridges import Bridged, faults_of
from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.core.model import Match

if TYPE_CHECKING:
    from gateway.config.routes import TargetSpec
    from gateway.config.schema import AuthSpec, BackendSpec, ValuesSpec

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
    address = spec.first
    url = f"{'https' if address.secure else 'http'}://{(address.authority + address.base).decode()}"
    shown = spec.auth, spec.values, entry, spec.addressing, url, spec.mtom
    return Described(address.base, folder / spec.wsdl, root, spec.port, *shown)


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
