"""Answers of the gateway's own: problem documents (RFC 9457), plain HTML for browsers, SOAP faults for SOAP clients.

They carry the request id, so that a person can quote it, and nothing about the systems behind.
"""

import json
from collections.abc import Sequence
from html import escape
from http import HTTPStatus
from typing import NamedTuple

from gateway.core.model import Request


class Refusal(NamedTuple):
    """An answer of the gateway's own: its status, content type and body."""

    status: int
    content_type: bytes
    body: bytes


def problem(status: int, detail: str, request_id: str, *, html: bool = False, successor: str | None = None) -> Refusal:
    """A problem document, or a page saying the same."""
    title = _title(status)
    if html:
        more = f'<p>It has moved: <a href="{escape(successor)}">{escape(successor)}</a></p>' if successor else ""
        page = (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{status} {escape(title)}</title>"
            f"<h1>{escape(title)}</h1><p>{escape(detail)}</p>{more}<p>Reference: <code>{escape(request_id)}</code></p>"
        )
        return Refusal(status, b"text/html; charset=utf-8", page.encode())
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": request_id}
    if successor:
        document["successor"] = successor
    return Refusal(status, b"application/problem+json", json.dumps(document).encode())


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def wants_html(request: Request | None) -> bool:
    """Whether the client is a browser that asks for a page: `text/html` stands in its Accept field."""
    if request is None:
        return False
    return any(name.lower() == b"accept" and b"text/html" in value.lower() for name, value in request.fields)


class Cause(NamedTuple):
    """What is wrong, more closely than SOAP's own codes say: codes of one namespace, each narrower than the last.

    SOAP 1.1 has room for the narrowest only.
    """

    namespace: str
    codes: tuple[str, ...]


SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


def soap_fault(
    envelope: str,
    reason: str,
    request_id: str,
    *,
    sender: bool = True,
    must_understand: bool = False,
    detail: str = "",
    declared: str = "",
    headers: str = "",
    cause: Cause | None = None,
) -> Refusal:
    """A SOAP fault that blames the client (`sender`), or this side; `detail` is XML, `declared` declares its prefixes.

    `must_understand` is the fault for headers that have to be understood and are not; `headers` are header blocks, as
    XML. SOAP 1.1, section 6.2: always HTTP 500. SOAP 1.2, part 2, table 20: 400 where the sender is to blame. A reason
    that is not the gateway's own goes without a request id: clients may know it by heart.
    """
    blamed = sender and not must_understand
    text = escape(f"{reason} (request {request_id})" if request_id else reason, quote=False)
    named = f' xmlns:c="{cause.namespace}"' if cause is not None else ""
    header = f"<e:Header>{headers}</e:Header>" if headers else ""
    if envelope == SOAP_12:
        code = "MustUnderstand" if must_understand else "Sender" if sender else "Receiver"
        closer = _subcodes(cause.codes) if cause is not None else ""
        inside = f"<e:Detail{declared}>{detail}</e:Detail>" if detail else ""
        body = (
            f'<e:Envelope xmlns:e="{SOAP_12}"{named}>{header}<e:Body><e:Fault><e:Code><e:Value>e:{code}'
            f'</e:Value>{closer}</e:Code><e:Reason><e:Text xml:lang="en">{text}</e:Text></e:Reason>{inside}</e:Fault>'
            "</e:Body></e:Envelope>"
        )
        return Refusal(400 if blamed else 500, b"application/soap+xml; charset=utf-8", body.encode())
    code = "e:MustUnderstand" if must_understand else "e:Client" if sender else "e:Server"
    if cause is not None:
        code = f"c:{cause.codes[-1]}"
    inside = f"<detail{declared}>{detail}</detail>" if detail else ""
    body = (
        f'<e:Envelope xmlns:e="{SOAP_11}"{named}>{header}<e:Body><e:Fault><faultcode>{code}</faultcode>'
        f"<faultstring>{text}</faultstring>{inside}</e:Fault></e:Body></e:Envelope>"
    )
    return Refusal(500, b"text/xml; charset=utf-8", body.encode())


def _subcodes(codes: Sequence[str]) -> str:
    """Codes inside one another, as SOAP 1.2 has them."""
    if not codes:
        return ""
    return f"<e:Subcode><e:Value>c:{codes[0]}</e:Value>{_subcodes(codes[1:])}</e:Subcode>"
