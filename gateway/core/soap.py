"""Which operation a SOAP request calls: read from the first child of its Body, without touching a byte of it.

Only the beginning is read (64 KiB at most), through multipart and gzip. DOCTYPE is refused, as SOAP forbids it. An
action that says otherwise than the body is refused too: servers differ in which of the two they believe.
"""

import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple
from xml.parsers import expat

from gateway.core.model import Request, SoapOperation
from gateway.core.problems import SOAP_11, SOAP_12

READ_AHEAD = 65_536
_TYPES = (b"text/xml", b"application/soap+xml", b"multipart/related", b"application/xop+xml", b"application/xml")
_CONTENT_ID = re.compile(rb"^content-id[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_ACTION = re.compile(rb'action\s*=\s*(?:"([^"]*)"|([^;\s]*))', re.IGNORECASE)


class Called(NamedTuple):
    """What a request calls: the envelope's namespace, the body's first child, and the action given beside it."""

    envelope: str
    namespace: str
    element: str
    action: str


class SoapProblem(NamedTuple):
    """Why a SOAP request cannot be dispatched, in words for its author; `envelope` is the version to answer in."""

    envelope: str
    reason: str


def is_soap(request: Request) -> bool:
    """Whether a request has a content type that can hold an envelope."""
    return _field(request, b"content-type").lower().lstrip().startswith(_TYPES)


def spoken(request: Request, operation: SoapOperation | None) -> str | None:
    """The envelope that a client of SOAP is answered in, before its own was opened; None for other clients.

    SOAP 1.1 demands a SOAPAction (section 6.1.1), which not every client sends, and 1.2 a content type of its own (part
    2, section 7.1.4). `operation` is that of the request's route, if it is one of SOAP.
    """
    if request.method != b"POST" or not is_soap(request):
        return None
    if b"application/soap+xml" in _field(request, b"content-type").lower():
        return SOAP_12
    says_so = operation is not None or any(name.lower() == b"soapaction" for name, _ in request.fields)
    return SOAP_11 if says_so else None


def called(request: Request, start: bytes, whole: bool) -> Called | SoapProblem:
    """The operation that a request calls. `start` is the beginning of its body, `whole` whether that is all of it."""
    content_type = _field(request, b"content-type")
    version = SOAP_12 if content_type.lower().startswith(b"application/soap+xml") else SOAP_11
    actions = _actions(request)
    data = start
    if _field(request, b"content-encoding").lower().strip() in (b"gzip", b"x-gzip"):
        data = _inflated(data)
    if content_type.lower().startswith(b"multipart/"):
        data = _root_part(data, content_type)
    reading = _Reading(version)
    problem = reading.read(data)
    if problem:
        return SoapProblem(reading.envelope, problem)
    if reading.found is None:
        reason = "The envelope has no operation in its Body." if whole else "No operation within the first 64 KiB."
        return SoapProblem(reading.envelope, reason)
    if len(actions) > 1:
        return SoapProblem(reading.envelope, "The request has two SOAP actions, which contradict each other.")
    namespace, element = reading.found
    return Called(reading.envelope, namespace, element, next(iter(actions), ""))


def _field(request: Request, wanted: bytes) -> bytes:
    return next((value for name, value in request.fields if name.lower() == wanted), b"")


def _actions(request: Request) -> set[str]:
    """Every action given: in SOAPAction (SOAP 1.1), and in the content type (SOAP 1.2)."""
    given = [value.strip().strip(b'"') for name, value in request.fields if name.lower() == b"soapaction"]
    if found := _ACTION.search(_field(request, b"content-type").partition(b";")[2]):
        given.append(found[1] or found[2] or b"")
    return {action.decode("utf-8", "replace").strip() for action in given} - {""}


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data, READ_AHEAD)
    except zlib.error:
        return b""


def _root_part(data: bytes, content_type: bytes) -> bytes:
    """The content of the part that `start` names, otherwise of the first (RFC 2387, section 3.2)."""
    boundary, start = (_parameter(name, content_type) for name in (b"boundary", b"start"))
    if boundary and start:
        for part in data.split(b"\n--" + boundary):
            head, content = _taken_apart(part)
            if any(each.strip() == start for each in _CONTENT_ID.findall(head)):
                return content
    return _taken_apart(data)[1]


def _parameter(name: bytes, content_type: bytes) -> bytes:
    found = re.search(rb';\s*%b\s*=\s*(?:"([^"]*)"|([^;\s]*))' % name, content_type, re.IGNORECASE)
    return (found[1] or found[2] or b"") if found is not None else b""


def _taken_apart(part: bytes) -> tuple[bytes, bytes]:
    """A part's head and its content; nothing of a part whose head does not end."""
    for blank in (b"\r\n\r\n", b"\n\n"):
        head, found, content = part.partition(blank)
        if found:
            return head, content
    return b"", b""


class _Found(Exception):
    pass


class _Reading:
    """One look at the beginning of an envelope."""

    def __init__(self, envelope: str) -> None:
        self.envelope = envelope
        self.found: tuple[str, str] | None = None
        self._depth = 0
        self._in_envelope = False
        self._in_body = False
        self._doctype = False

    def read(self, data: bytes) -> str | None:
        """What is wrong, in words; None if nothing is (so far)."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        try:
            parser.Parse(data, False)
        except _Found:
            pass
        except expat.ExpatError:
            return "The request is not well-formed XML."
        except (LookupError, ValueError):
            return "The request has a character encoding that is not understood here; send UTF-8."
        if self._doctype:
            return "A SOAP message must not have a DOCTYPE."
        return None

    def _refuse_doctype(self, *_: object) -> None:
        self._doctype = True
        raise _Found

    def _start(self, name: str, _attributes: object) -> None:
        namespace, _, local = name.rpartition(" ")
        if self._depth == 0 and local == "Envelope" and namespace in (SOAP_11, SOAP_12):
            self.envelope = namespace
            self._in_envelope = True
        elif self._depth == 1:
            self._in_body = self._in_envelope and local == "Body" and namespace == self.envelope
        elif self._depth == 2 and self._in_body:
            self.found = (namespace, local)
            raise _Found
        self._depth += 1

    def _end(self, _name: str) -> None:
        self._depth -= 1


def operation_for(call: Called, operations: Sequence[SoapOperation]) -> SoapOperation | SoapProblem | None:
    """The operation among those with a route of their own; None when the call is for another one."""
    for operation in operations:
        if operation.element == call.element and operation.namespace in (None, call.namespace):
            if action_contradicts(call, operation):
                return SoapProblem(call.envelope, _contradiction(call))
            return operation
    if any(_names(call.action, operation) for operation in operations):
        return SoapProblem(call.envelope, _contradiction(call))
    return None


def action_contradicts(call: Called, operation: SoapOperation) -> bool:
    """Whether a given action is not the operation's: declared, or ending in its name or its element's."""
    if not call.action or call.action == operation.addressed:
        return False
    if operation.action is not None:
        return call.action != operation.action
    return last_name(call.action) not in (operation.name, operation.element)


def _names(action: str, operation: SoapOperation) -> bool:
    known = (operation.action, operation.addressed)
    return bool(action) and (action in known or last_name(action) == operation.name)


def last_name(action: str) -> str:
    """The last part of an action's URI."""
    return re.split(r"[/#:]", action.rstrip("/"))[-1]


def _contradiction(call: Called) -> str:
    return f"The SOAP action names another operation than the body, which calls {call.element}."
