"""A body becomes a document of what its content type says, or of what it is."""

import gzip
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.comparing.documents import EMPTY, Incomparable, field, media_type, read
from gateway.core.problems import SOAP_11
from tests.core.comparing.answers import ENVELOPE, answer, as_json, as_soap, document

FAULT = "<s:Fault><faultcode>s:Server</faultcode></s:Fault>"


@pytest.mark.parametrize(
    ("body", "media", "kind", "value"),
    [
        (b'{"a": 1}', "application/json", "json", {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', "application/problem+json; charset=utf-8", "json", {"a": 1}),
        ('{"a": "ë"}'.encode("latin-1"), "application/json; charset=ISO-8859-1", "json", {"a": "ë"}),
        (b'{"a": 1}', "application/json; charset=klingon", "json", {"a": 1}),
        (b'{"a": 1}', "application/json; charset=utf-16", "text", None),
        (b'{"a": 1}', "", "json", {"a": 1}),
        (b" \n[1]", "text/plain", "json", [1]),
        (b"[1", "text/plain", "text", "[1"),
        (b"{x", "application/json", "text", "{x"),
        (b"<r><a>1</a></r>", "text/xml", "xml", {"r": {"a": "1"}}),
        (b"<r><a>1</a></r>", "", "xml", {"r": {"a": "1"}}),
        (b"<r><a>1</a>", "application/xml", "text", "<r><a>1</a>"),
        (b"a=1&b=2&a=3&c=", "application/x-www-form-urlencoded", "form", {"a": ["1", "3"], "b": "2", "c": ""}),
        (b"a=1&a", "application/x-www-form-urlencoded", "text", "a=1&a"),
        (b"one\r\ntwo", "text/csv", "text", "one\ntwo"),
        ("£5".encode("latin-1"), "text/plain; charset=latin-1", "text", "£5"),
        (b"<p>x", "text/html", "text", "<p>x"),
        (b"var a", "application/javascript", "text", "var a"),
        (b"plain", "", "text", "plain"),
    ],
)
def test_kinds_are_read(body: bytes, media: str, kind: str, value: Any) -> None:
    """By the content type, or by the first byte without one; what is not what it claims is text."""
    found = document(answer(body, media))
    assert found.kind == kind
    assert value is None or found.value == value


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"%PDF", "application/pdf"),
        (b"\xff\xfe\xfd", ""),
        (b"\xff", "text/plain; charset=klingon"),
        (b"\xff{", "application/json"),
        (b"a=\xff", "application/x-www-form-urlencoded"),
    ],
)
def test_the_rest_is_known_by_its_digest(body: bytes, media: str) -> None:
    """Bytes are equal or not."""
    found = document(answer(body, media))
    assert (found.kind, found.shape) == ("bytes", "binary")
    assert found.value.startswith(f"{len(body)} bytes, blake2b ")
    assert found == document(answer(body, media))
    assert found.canonical != document(answer(body + b"\xff", media)).canonical


@pytest.mark.parametrize("given", [answer(b""), answer(b"x", status=204), answer(b"x", status=304)])
def test_no_body_is_empty(given: Any) -> None:
    """Without bytes, or where the status allows none."""
    assert read(given) == EMPTY


def test_codings_are_undone_first() -> None:
    """A gzipped answer is the same as a plain one."""
    plain, packed = as_json({"a": 1}), gzip.compress(b'{"a":1}')
    assert read(answer(packed, "application/json", Content_Encoding="gzip")) == read(plain)
    assert read(answer(packed, "application/json", content_encoding="br")) == Incomparable(
        "has a content coding that is not undone here: br"
    )


@pytest.mark.parametrize(
    ("body", "media", "reason"),
    [
        (b"--x\r\n", "multipart/related; boundary=x", "is of several parts"),
        (b"<!DOCTYPE r><r/>", "text/xml", "has a DOCTYPE"),
        (b"[" * 10_000 + b"]" * 10_000, "application/json", "is nested too deep"),
        (b"[" * 300 + b"]" * 300, "application/json", "is nested too deep"),
        (b"[" * 100_000 + b"1234567890123456" + b"]" * 100_000, "application/json", "is nested too deep"),
    ],
)
def test_what_cannot_be_compared_says_why(body: bytes, media: str, reason: str) -> None:
    """Depth ends no process, in either way of reading JSON."""
    assert read(answer(body, media)) == Incomparable(reason)


def test_numbers_keep_every_digit() -> None:
    """Where a double would hide a difference, numbers are exact; elsewhere they are read quickly."""
    exact = document(answer(b"[12345678901234567890123, 0.1234567890123456789, 12, 0.5]", "application/json"))
    assert exact.value == [Decimal("12345678901234567890123"), Decimal("0.1234567890123456789"), 12, Decimal("0.5")]
    assert (
        exact.canonical
        != document(answer(b"[12345678901234567890124, 0.1234567890123456789, 12, 0.5]", "application/json")).canonical
    )
    assert type(document(answer(b"[0.1234567890123]", "application/json")).value[0]) is float


@pytest.mark.parametrize(
    "body", [b"[NaN, 1234567890123456]", b"[1e9999999999999999999999, 1234567890123456]", b"[1234567890123456"]
)
def test_odd_numbers_are_no_json(body: bytes) -> None:
    """Beside long numbers, too, what is no JSON is text."""
    assert document(answer(body, "application/json")).kind == "text"


def test_soap_is_what_the_codec_says() -> None:
    """The codec's values are the document; where it cannot tell, the infoset of the Body is."""

    def refuses(_: bytes) -> Any:
        raise ValueError

    message = as_soap("<s:r><Amount>5</Amount></s:r>")
    assert document(message, lambda data: {"size": len(data)})[:2] == ("soap", {"size": len(message.body or b"")})
    assert document(message, lambda data: 1).decoded
    infoset = {"#element": "r", "Amount": "5", "#namespaces": {"r": SOAP_11}}
    for decode in (None, refuses):
        found = document(message, decode)
        assert (found.kind, found.value, found.decoded) == ("soap", infoset, False)


def test_a_fault_is_never_decoded() -> None:
    """It is no answer of the operation, and its shape says so."""
    found = document(as_soap(FAULT), lambda data: 1)
    assert (found.shape, found.decoded) == ("fault", False)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({}, "empty"),
        ([], "empty"),
        (None, "empty"),
        ("", "empty"),
        (0, "one"),
        (False, "one"),
        ([1], "one"),
        ([1, 2], "many"),
        ({"a": [1, 2]}, "many"),
        ({"a": {"b": [1, 2]}}, "many"),
        ({"a": {"b": {"c": [1, 2]}}}, "one"),
        ([[[1]]], "one"),
    ],
)
def test_shapes_of_json(value: Any, shape: str) -> None:
    """Nothing, one, or a list of two or more near the top."""
    assert document(as_json(value)).shape == shape


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (answer(b"x", "text/plain"), "text"),
        (answer(b"a=1", "application/x-www-form-urlencoded"), "one"),
        (answer(b"<r/>", "text/xml"), "empty"),
        (answer(b"<r><l><x>1</x><x>2</x></l></r>", "text/xml"), "many"),
        (as_soap(""), "empty"),
        (as_soap("<s:r/>"), "empty"),
        (as_soap("<s:r>5</s:r>"), "one"),
        (as_soap("<r xmlns='urn:r'/>"), "empty"),
        (as_soap("<s:r><s:l><s:x/><s:x/></s:l></s:r>"), "many"),
    ],
)
def test_shapes_of_the_rest(given: Any, shape: str) -> None:
    """XML's own element, and the wrapping of a message, are not counted as levels."""
    assert document(given).shape == shape


def test_fields_are_joined() -> None:
    """A field that is there twice has both values, whatever case its name is in."""
    given = answer(b"", fields="x")._replace(fields=((b"Vary", b" a "), (b"VARY", b"b"), (b"other", b"c")))
    assert field(given, b"vary") == b"a, b"
    assert field(given, b"none") == b""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'Text/XML ; Charset="UTF-8"; q=1', ("text/xml", "utf-8")),
        (b"text/xml", ("text/xml", "")),
        (b"", ("", "")),
    ],
)
def test_content_types_are_read(text: bytes, found: tuple[str, str]) -> None:
    """Name and charset, in lower case, without quotes."""
    assert media_type(text) == found


def test_the_envelope_is_handed_to_the_codec_whole() -> None:
    """As it came, without its content coding."""
    text = ENVELOPE.format("<s:r/>").encode()
    given = answer(gzip.compress(text), "application/soap+xml", content_encoding="gzip")
    assert document(given, lambda data: {"seen": data.decode()}).value == {"seen": text.decode()}
