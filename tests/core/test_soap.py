import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import SoapOperation
from gateway.core.problems import SOAP_11, SOAP_12
from gateway.core.soap import (
    READ_AHEAD,
    Called,
    SoapProblem,
    action_contradicts,
    called,
    is_soap,
    last_name,
    operation_for,
    spoken,
)
from tests.support.values import request

BALANCE = b'<GetBalance xmlns="urn:rents"><AccountNo>7</AccountNo></GetBalance>'
NO_OPERATION = "The envelope has no operation in its Body."
NOT_XML = "The request is not well-formed XML."


def envelope(body: bytes = BALANCE, header: bytes = b"", version: str = SOAP_11) -> bytes:
    head = b"<s:Header>" + header + b"</s:Header>" if header else b""
    start = f'<?xml version="1.0"?>\n<s:Envelope xmlns:s="{version}">'.encode()
    return start + head + b"<s:Body>" + body + b"</s:Body></s:Envelope>"


def read(data: bytes, *lines: str, content_type: str = "text/xml", whole: bool = True) -> Called | SoapProblem:
    return called(request("POST /s", f"Content-Type: {content_type}", *lines), data, whole)


def name_of(data: bytes, *lines: str, content_type: str = "text/xml") -> str:
    """The element that a request calls, or why none is known."""
    found = read(data, *lines, content_type=content_type)
    return found.element if isinstance(found, Called) else found.reason


# ------------------------------------------------------------------------------------------------ which operation


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_the_first_child_of_the_body_is_what_is_called(version: str) -> None:
    """Name and namespace of the operation are read, whatever the envelope's version and prefixes."""
    assert read(envelope(version=version)) == Called(version, "urn:rents", "GetBalance", "")
    bare = envelope(b"<!-- now -->\n <GetBalance/><Second/>", version=version)
    assert read(bare) == Called(version, "", "GetBalance", "")


def test_headers_hide_nothing() -> None:
    """Security headers, however long and whatever they hold, do not pass for the Body."""
    header = b'<w:Security xmlns:w="urn:w"><s:Body><Evil/></s:Body>' + b"<x>y</x>" * 500 + b"</w:Security>"
    assert name_of(envelope(header=header)) == "GetBalance"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"<a/>",
        envelope(b""),
        envelope(b"text only"),
        b'<s:Envelope xmlns:s="urn:other"><s:Body><Op/></s:Body></s:Envelope>',
        f'<Wrapper><s:Body xmlns:s="{SOAP_11}"><Op/></s:Body></Wrapper>'.encode(),
        f'<s:Envelope xmlns:s="{SOAP_11}"><s:Other><Op/></s:Other></s:Envelope>'.encode(),
        f'<s:Envelope xmlns:s="{SOAP_11}"><Body><Op/></Body></s:Envelope>'.encode(),
        f'<s:Envelope xmlns:s="{SOAP_11}" xmlns:t="{SOAP_12}"><t:Body><Op/></t:Body></s:Envelope>'.encode(),
    ],
)
def test_what_is_no_envelope_calls_nothing(data: bytes) -> None:
    """Only a child of the Body of an Envelope of the same version is an operation."""
    assert name_of(data) == NO_OPERATION


def test_only_the_beginning_is_read() -> None:
    """Where the beginning holds no operation and more would come, the reason says how far was read."""
    found = read(envelope()[:80], whole=False)
    assert found == SoapProblem(SOAP_11, "No operation within the first 64 KiB.")
    assert name_of(envelope()[:-20]) == "GetBalance"


def test_a_problem_answers_in_the_client_s_version() -> None:
    """The version is that of the envelope where one was seen, else that of the content type."""
    soap_12 = "application/soap+xml; charset=utf-8"
    assert read(b"<", content_type=soap_12, whole=False).envelope == SOAP_12
    assert read(b"<a></b>", content_type=soap_12).envelope == SOAP_12
    assert read(b"<a></b>").envelope == SOAP_11
    assert read(envelope(b"", version=SOAP_12)).envelope == SOAP_12
    assert read(envelope(b""), content_type=soap_12).envelope == SOAP_11


# ------------------------------------------------------------------------------------------------ how it is packed


def test_operations_are_found_through_gzip() -> None:
    """A compressed request is looked into, and no further than the bound, however much it would unpack to."""
    assert name_of(gzip.compress(envelope()), "Content-Encoding: GZIP") == "GetBalance"
    assert name_of(gzip.compress(envelope())[:-12], "Content-Encoding: x-gzip") == "GetBalance"
    bomb = gzip.compress(envelope(header=b"<x/>" * READ_AHEAD))
    assert name_of(bomb, "Content-Encoding: gzip") == NO_OPERATION
    assert name_of(b"not gzip", "Content-Encoding: gzip") == NO_OPERATION


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_operations_are_found_through_attachments(end: bytes) -> None:
    """The first part of a multipart request is its envelope."""
    start = [b"--b", b"Content-Type: application/xop+xml; charset=utf-8", b"Content-ID: <root>", b"", b""]
    packed = end.join(start) + envelope() + end + b"--b--" + end
    assert name_of(packed, content_type='Multipart/Related; type="application/xop+xml"; boundary=b') == "GetBalance"
    assert name_of(b"--b", content_type="multipart/related; boundary=b") == NO_OPERATION


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("start", ['"<root>"', "<root>"])
def test_the_envelope_may_be_a_later_part(end: bytes, start: str) -> None:
    """`start` names it; where no part has that name, it is the first after all."""
    first = [b"--b", b"Content-Type: text/xml", b"Content-ID: <other>", b"", b"<a/>"]
    packed = end.join([*first, b"--b", b"content-id:  <root> ", b"", envelope(), b"--b--", b""])
    kind = f"multipart/related; boundary=b; start={start}"
    assert name_of(packed, content_type=kind) == "GetBalance"
    assert name_of(packed, content_type=kind.replace("root", "none")) != "GetBalance"
    assert name_of(packed[: packed.index(b"content-id")], content_type=kind) != "GetBalance"


@pytest.mark.parametrize(
    ("content_type", "soap"),
    [
        ("text/xml", True),
        ("Text/XML; charset=utf-8", True),
        ("application/soap+xml; action=x", True),
        ("multipart/related; boundary=b", True),
        ("application/xop+xml", True),
        ("application/xml", True),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_soap_call_is_known_by_its_content_type(content_type: str, soap: bool) -> None:
    """Only what can hold an envelope is read for an operation."""
    assert is_soap(request("POST /s", f"content-TYPE: {content_type}")) == soap
    assert not is_soap(request("POST /s"))


# ------------------------------------------------------------------------------------------------ hostile bytes


@pytest.mark.parametrize(
    ("line", "fields", "operation", "envelope"),
    [
        ("POST /s", ("Content-Type: text/xml", 'SOAPAction: ""'), None, SOAP_11),
        ("POST /s", ("Content-Type: text/xml",), None, None),
        ("POST /s", ("Content-Type: text/xml",), SoapOperation("Op", "Op"), SOAP_11),
        ("POST /s", ("Content-Type: Application/SOAP+xml; charset=utf-8",), None, SOAP_12),
        ("POST /s", ('Content-Type: multipart/related; start-info="application/soap+xml"',), None, SOAP_12),
        ("POST /s", ("Content-Type: application/json", "SOAPAction: x"), SoapOperation("Op", "Op"), None),
        ("PUT /s", ("Content-Type: application/soap+xml",), None, None),
    ],
)
def test_a_client_of_soap_is_known_by_its_fields(
    line: str, fields: tuple[str, ...], operation: SoapOperation | None, envelope: str | None
) -> None:
    """A client is answered in SOAP when its content type, its action, or its route says so; others are not."""
    assert spoken(request(line, *fields), operation) == envelope


def test_a_doctype_is_refused() -> None:
    """Entities never grow and never reach out: SOAP forbids the declaration they need."""
    laughs = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>' + envelope()[22:]
    assert name_of(laughs) == "A SOAP message must not have a DOCTYPE."
    assert name_of(b'<!DOCTYPE a SYSTEM "http://x/"><a/>') == "A SOAP message must not have a DOCTYPE."


@pytest.mark.parametrize("data", [b"<a></b>", b"no XML", b"<a b=>", b"<s:Envelope/>", envelope(b"<\xff/>")])
def test_what_is_no_xml_is_refused(data: bytes) -> None:
    """What breaks XML before an operation is seen is the client's mistake."""
    assert name_of(data) == NOT_XML


@pytest.mark.parametrize("name", ["utf-16", "iso-8859-1", "windows-1252", "US-ASCII"])
def test_old_encodings_are_understood(name: str) -> None:
    """Encodings that old clients declare are read."""
    text = envelope("<Größe/>".encode() if name != "US-ASCII" else b"<Size/>").decode()
    data = text.replace('"1.0"', f'"1.0" encoding="{name}"', 1).encode(name)
    assert name_of(data) == ("Size" if name == "US-ASCII" else "Größe")


@pytest.mark.parametrize("name", ["shift_jis", "utf-7", "rot13", "base64", "punycode", "idna", "undefined", "no-such"])
def test_an_encoding_that_cannot_be_read_is_the_client_s_mistake(name: str) -> None:
    """A declared encoding never makes the gateway fail, whatever codec its name leads to."""
    data = envelope().replace(b'"1.0"', f'"1.0" encoding="{name}"'.encode(), 1)
    assert name_of(data) == "The request has a character encoding that is not understood here; send UTF-8."


PIECES = [
    *(b"<", b">", b"/", b"&", b'"', b"<!DOCTYPE a>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?x ?>", b"\xff\xfe"),
    *(
        b"<s:Body>",
        b"</s:Body>",
        b"<a>",
        b"</a>",
        b'<a xmlns="">',
        b"&#0;",
        b"&lt;",
        b"\r\n\r\n",
        b"--b",
        b"\x1f\x8b\x08",
    ),
    *(
        b'<?xml version="1.0" encoding="',
        b'"?>',
        b"utf-16",
        b"cp037",
        b"unicode_escape",
        f'xmlns:s="{SOAP_12}"'.encode(),
    ),
    *(envelope(), envelope()[:60], gzip.compress(envelope()), f'<s:Envelope xmlns:s="{SOAP_11}">'.encode()),
]
hostile = st.one_of(
    st.binary(max_size=200),
    st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4)), max_size=8).map(b"".join),
)
content_types = st.sampled_from(
    ["", "text/xml", "application/soap+xml; action=", "multipart/related", 'text/xml;action="']
)
codings = st.sampled_from(["", "gzip", "x-gzip", "br"])


@given(hostile, content_types, codings, st.binary(max_size=20), st.booleans())
def test_any_bytes_are_read_without_failing(
    data: bytes, content_type: str, coding: str, action: bytes, whole: bool
) -> None:
    """Whatever arrives is a call or a problem; nothing makes the reader fail."""
    lines = (f"Content-Type: {content_type}", f"Content-Encoding: {coding}", b"SOAPAction: " + action)
    found = called(request("POST /s", *lines), data, whole)
    assert found.envelope in (SOAP_11, SOAP_12)
    if isinstance(found, Called):
        operation_for(found, [SoapOperation("GetBalance", "GetBalance")])


# ------------------------------------------------------------------------------------------------ the action


@pytest.mark.parametrize(
    ("content_type", "lines", "action"),
    [
        ("text/xml", (), ""),
        ("text/xml", ('SOAPAction: ""',), ""),
        ("text/xml", ('soapaction: "urn:rents#GetBalance"',), "urn:rents#GetBalance"),
        ("text/xml", ("SOAPAction: urn:rents#GetBalance",), "urn:rents#GetBalance"),
        ("text/xml", ("SOAPAction: x", 'SOAPAction: "x"'), "x"),
        ('application/soap+xml; charset=utf-8; Action="urn:x"', (), "urn:x"),
        ("application/soap+xml; action=urn:x; charset=utf-8", (), "urn:x"),
        ('application/soap+xml; action=""', ("SOAPAction: urn:x",), "urn:x"),
        ('application/soap+xml; action="urn:x"', ("SOAPAction: urn:x",), "urn:x"),
    ],
)
def test_the_action_is_read(content_type: str, lines: tuple[str, ...], action: str) -> None:
    """SOAP 1.1 has it in a field of its own and SOAP 1.2 in the content type; saying it twice is no contradiction."""
    found = read(envelope(), *lines, content_type=content_type)
    assert isinstance(found, Called)
    assert found.action == action


@pytest.mark.parametrize(
    ("content_type", "lines"),
    [
        ("application/soap+xml; action=Delete", ("SOAPAction: GetBalance",)),
        ("text/xml", ("SOAPAction: GetBalance", "SOAPAction: Delete")),
    ],
)
def test_two_actions_are_refused(content_type: str, lines: tuple[str, ...]) -> None:
    """A request that names two actions could be read as either: it is dispatched as neither."""
    found = read(envelope(version=SOAP_12), *lines, content_type=content_type)
    assert found == SoapProblem(SOAP_12, "The request has two SOAP actions, which contradict each other.")


GET = SoapOperation("GetBalance", "GetBalance")
PAY = SoapOperation("Pay", "PayRequest", "urn:rents", "urn:rents/do-pay")


def call(element: str, action: str = "", namespace: str = "urn:rents") -> Called:
    return Called(SOAP_11, namespace, element, action)


@pytest.mark.parametrize(
    ("made", "operation"),
    [
        (call("GetBalance"), GET),
        (call("GetBalance", "urn:rents#GetBalance"), GET),
        (call("GetBalance", "http://x/IRents/GetBalance/"), GET),
        (call("PayRequest"), PAY),
        (call("PayRequest", "urn:rents/do-pay"), PAY),
        (call("PayRequest", namespace="urn:other"), None),
        (call("GetTenant"), None),
        (call("GetTenant", "urn:rents#GetTenant"), None),
    ],
)
def test_a_call_goes_to_its_operation(made: Called, operation: SoapOperation | None) -> None:
    """The body decides which operation is called; one without a route of its own goes to the path's plain route."""
    assert operation_for(made, [GET, PAY]) == operation


@pytest.mark.parametrize(
    "made",
    [
        call("GetBalance", "urn:rents#Pay"),
        call("PayRequest", "urn:rents#Pay"),
        call("PayRequest", "urn:rents#GetBalance"),
        call("GetTenant", "urn:rents#GetBalance"),
        call("GetTenant", "urn:rents/do-pay"),
    ],
)
def test_an_action_that_contradicts_the_body_is_refused(made: Called) -> None:
    """Servers differ in which of the two they believe, so a call that says both is a way past the route."""
    problem = operation_for(made, [GET, PAY])
    assert problem == SoapProblem(
        SOAP_11, f"The SOAP action names another operation than the body, which calls {made.element}."
    )


def test_a_declared_action_must_be_met_exactly() -> None:
    """An action ends in the operation's name or its element's, unless the route says what it is."""
    renamed = SoapOperation("Balance", "BalanceRequest")
    assert not action_contradicts(call("BalanceRequest", "urn:x#Balance"), renamed)
    assert not action_contradicts(call("BalanceRequest", "urn:x#BalanceRequest"), renamed)
    assert action_contradicts(call("BalanceRequest", "urn:x#balance"), renamed)
    assert action_contradicts(call("PayRequest", "urn:x/do-pay"), PAY)


@pytest.mark.parametrize(
    ("action", "name"), [("urn:x#Op", "Op"), ("http://x/a/Op/", "Op"), ("urn:x:Op", "Op"), ("Op", "Op"), ("", "")]
)
def test_an_action_ends_in_a_name(action: str, name: str) -> None:
    """Whatever stands between the parts of an action's address, the last is the name."""
    assert last_name(action) == name


def test_an_action_of_ws_addressing_may_be_said_instead() -> None:
    """It stands in the content type of SOAP 1.2, and need not be like the SOAPAction; it names one operation only."""
    asking = PAY._replace(addressed="urn:rents/IRents/PayIn")
    assert operation_for(call("PayRequest", "urn:rents/IRents/PayIn"), [GET, asking]) == asking
    assert operation_for(call("PayRequest", "urn:rents/do-pay"), [GET, asking]) == asking
    assert isinstance(operation_for(call("GetTenant", "urn:rents/IRents/PayIn"), [GET, asking]), SoapProblem)
    assert isinstance(operation_for(call("PayRequest", "urn:rents/IRents/Other"), [GET, asking]), SoapProblem)
