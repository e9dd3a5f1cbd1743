"""Faults of both versions: read as they come, and judged: what the caller is told, and what the gateway makes of it.

A fault that the WSDL or the route declares is an answer of the business, not a failure of the backend; so is one that
blames the client, as a 4xx of HTTP is. Sources: SOAP 1.1, section 4.4; SOAP 1.2, part 1, section 5.4; the error codes
of WS-Security 1.1, section 12.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from connectors.soap.codec import Codec
from connectors.soap.plan import Field, Operation
from connectors.soap.problems import Invalid, Problem
from connectors.soap.words import JSON
from connectors.soap.xmltext import Element, as_text, local
from gateway.core.model import Acted, Outcome
from gateway.errors import NotLoggedOn

BAD_REQUEST, UNPROCESSABLE, BAD_GATEWAY = 400, 422, 502
_CLIENT = frozenset({"Client", "Sender"})
_NO_LOGON = frozenset(
    {"FailedAuthentication", "InvalidSecurity", "InvalidSecurityToken", "FailedCheck", "SecurityTokenUnavailable"}
    | {"UnsupportedSecurityToken", "UnsupportedAlgorithm", "MessageExpired", "Authentication"}
)
"""Codes that say that the gateway's own proof was not accepted: nothing the client could mend."""
NOT_LOGGED_ON = NotLoggedOn.public_detail
NO_REASON = "The service behind this address gave no reason."


class Fault(NamedTuple):
    """A fault as it came. Codes are local names; `detail` are the elements in it."""

    code: str
    subcode: str | None
    reason: str
    actor: str | None
    detail: tuple[Element, ...]


class Judged(NamedTuple):
    """What becomes of a fault: the answer's status, words and further members, and what it was."""

    status: int
    reason: str
    members: Mapping[str, JSON]
    outcome: Outcome
    acted: Acted


# ------------------------------------------------------------------------------------------------ reading


def read(element: Element) -> Fault:
    """The fault in an element, whichever version's shape it has; servers mix the two, and their namespaces."""
    inside = {local(child.tag): child for child in element}
    if "Code" in inside:
        codes = list(_codes(inside["Code"]))
        reason = _reason(inside.get("Reason"))
        actor = _text(inside.get("Role")) or _text(inside.get("Node"))
    else:
        codes = _local(_text(inside.get("faultcode"))).split(".")  # `Client.Authentication` (section 4.4.1)
        reason = _text(inside.get("faultstring"))
        actor = _text(inside.get("faultactor"))
    detail = inside.get("Detail", inside.get("detail"))
    subcode = codes[-1] if len(codes) > 1 else None
    return Fault(
        codes[0] if codes else "", subcode or None, reason, actor or None, () if detail is None else tuple(detail)
    )


def _codes(code: Element | None) -> Iterator[str]:
    """The values of a Code and of the Subcodes in it, outermost first."""
    while code is not None:
        inside = {local(child.tag): child for child in code}
        yield _local(_text(inside.get("Value")))
        code = inside.get("Subcode")


def _reason(element: Element | None) -> str:
    """The text in English, where there is one."""
    texts = list(element) if element is not None else []
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    texts.sort(key=lambda each: not each.get(language, "").lower().startswith("en"))
    return _text(texts[0]) if texts else ""


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _local(name: str) -> str:
    """A QName's local part; its prefix may be bound to anything."""
    return name.rpartition(":")[2]


# ------------------------------------------------------------------------------------------------ judging


def judge(fault: Fault, operation: Operation, statuses: Mapping[str, int], codec: Codec) -> Judged:
    """What becomes of a fault. `statuses` are the route's own, by a fault's name, its detail's or its code."""
    declared = _declared(fault, operation)
    given = next((statuses[name] for name in names_of(fault, operation) if name in statuses), None)
    if given is None and not declared and _NO_LOGON & {fault.code, fault.subcode}:
        return Judged(BAD_GATEWAY, NOT_LOGGED_ON, {}, Outcome.BACKEND_ERROR, "no")
    answers, blames_client = bool(declared) or given is not None, fault.code in _CLIENT
    status = given or (UNPROCESSABLE if declared else BAD_REQUEST if blames_client else BAD_GATEWAY)
    detail = _detail(fault, declared, codec, shown=status < 500)
    members = {"code": fault.code, "subcode": fault.subcode, "actor": fault.actor, "detail": detail or None}
    soap = {key: value for key, value in members.items() if value is not None}
    outcome = Outcome.BUSINESS_FAULT if answers or blames_client else Outcome.BACKEND_ERROR
    return Judged(status, fault.reason or NO_REASON, {"soap": soap}, outcome, "yes" if answers else "maybe")


def names_of(fault: Fault, operation: Operation) -> tuple[str, ...]:
    """What a fault may be called by: its declared name, its detail's elements, its codes."""
    tags = (local(each.tag) for each in fault.detail)
    return (*(name for name, _, _ in _declared(fault, operation)), *tags, fault.subcode or "", fault.code)


Found = tuple[str, Field, Element]


def _declared(fault: Fault, operation: Operation) -> list[Found]:
    """The declared faults that are in the detail: their names, and their elements."""
    by_element = {field.name: (name, field) for name, field in operation.faults}
    return [(*by_element[each.tag], each) for each in fault.detail if each.tag in by_element]


def _detail(fault: Fault, declared: list[Found], codec: Codec, *, shown: bool) -> dict[str, JSON]:
    """Declared details by name, as JSON. Others as XML, but only where `shown`: those of failures hold stack traces."""
    found: dict[str, Any] = {}
    for name, field, element in declared:
        try:
            found[name] = codec.decode_element(field, element)[0]
        except Invalid:
            found[name] = None  # it is that fault all the same
    known = {id(element) for _, _, element in declared}
    others = [as_text(each) for each in fault.detail if id(each) not in known]
    return found | {"$any": others} if others and shown else found


def listed(problems: tuple[Problem, ...]) -> list[JSON]:
    """Problems as they stand in a problem document."""
    return [{"pointer": pointer, "reason": reason} for pointer, reason in problems]
