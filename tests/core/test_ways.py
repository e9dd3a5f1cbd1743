"""Values are found where a way leads, in whatever a request or an answer is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.policies import Way
from gateway.core.ways import value_in, value_of
from tests.support.values import plan_of, request, route

JSON, XML, FORM = b"application/json; charset=utf-8", b"text/xml", b"application/x-www-form-urlencoded"
ENVELOPE = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><Pay><No>0</No></Pay></e:Header>'
    b'<e:Body><m:Pay xmlns:m="urn:m"><m:Account><m:No> 7 </m:No></m:Account></m:Pay></e:Body></e:Envelope>'
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("path.id", "a b"),
        ("path.other", None),
        ("query.date", "2026-01-01"),
        ("query.none", None),
        ("header.X-Tenant", "seven"),
        ("header.x-none", None),
        ("body.account.no", "00123456789012345678"),
        ("response.id", None),
    ],
)
def test_a_request_is_looked_through(text: str, found: str | None) -> None:
    """Its path, its query, its header and its body; a request has no answer yet."""
    source, *names = text.split(".")
    asked = request("PUT /a/a%20b?date=2026-01-01", "X-Tenant: seven", "Content-Type: application/json")
    body = b'{"account": {"no": "00123456789012345678"}}'
    way = Way(source, tuple(names))  # type: ignore[arg-type]
    assert value_of(way, plan_of(route("PUT /a/{id}")), asked, body) == found
    assert str(way) == text


@pytest.mark.parametrize(
    ("data", "content_type", "names", "found"),
    [
        (b'{"a": [{"b": 12345678901234567890}]}', JSON, "a.0.b", "12345678901234567890"),
        (b'{"a": 1.50}', b"application/problem+json", "a", "1.50"),
        (b'{"a": [1]}', JSON, "a.1", None),
        (b'{"a": [1]}', JSON, "a.b", None),
        (b'{"a": {"b": 1}}', JSON, "a", None),
        (b'{"a": true}', JSON, "a", None),
        (b'{"a": 1}', b"", "a", "1"),
        (b'{"a": 1}', JSON, "a.b", None),
        (b"{", JSON, "a", None),
        (b"[" * 100_000, JSON, "a", None),
        (ENVELOPE, XML, "Account.No", "7"),
        (
            ENVELOPE.replace(b"schemas.xmlsoap.org/soap/envelope/", b"www.w3.org/2003/05/soap-envelope"),
            XML,
            "Account.No",
            "7",
        ),
        (ENVELOPE, XML, "Account", None),
        (ENVELOPE, XML, "Account.Other.No", None),
        (b"<a><b/></a>", b"application/xml", "b", ""),
        (b"<a><b>1</b></a>", b"application/vnd.x+xml", "b", "1"),
        (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>', XML, "a", None),
        (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>', XML, "a", None),
        (b"<a>", XML, "b", None),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a><b>&b;</b></a>', XML, "b", None),
        (b"a=1&b=x+y", FORM, "b", "x y"),
        (b"a=1", FORM, "b", None),
    ],
)
def test_a_document_is_looked_through(data: bytes, content_type: bytes, names: str, found: str | None) -> None:
    """Numbers as they are written; only what is one value; nothing where a document is none."""
    assert value_in(data, content_type, names.split(".")) == found


@given(st.binary(max_size=60), st.sampled_from([JSON, XML, FORM]))
def test_anything_may_come(data: bytes, content_type: bytes) -> None:
    """No document makes it fail."""
    found = value_in(data, content_type, ["a"])
    assert found is None or isinstance(found, str)
