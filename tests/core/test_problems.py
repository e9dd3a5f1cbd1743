import json
from xml.etree import ElementTree

import pytest

from gateway.core.problems import SOAP_11, SOAP_12, Cause, problem, soap_fault, wants_html
from tests.support.values import request


def test_a_problem_is_a_document() -> None:
    """Status, title, what is wrong, and the id to quote, as RFC 9457 wants it."""
    found = problem(404, "Nothing is served at this address.", "r-1")
    assert (found.status, found.content_type) == (404, b"application/problem+json")
    assert json.loads(found.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing is served at this address.",
        "request_id": "r-1",
    }


def test_a_problem_names_the_successor() -> None:
    """What has moved says where to, to machines and to people."""
    successor = "https://new.example/?a=1&b=2"
    assert json.loads(problem(410, "Retired.", "r-1", successor=successor).body)["successor"] == successor
    page = problem(410, "Retired.", "r-1", html=True, successor=successor).body.decode()
    assert '<a href="https://new.example/?a=1&amp;b=2">https://new.example/?a=1&amp;b=2</a>' in page


def test_a_browser_gets_a_page() -> None:
    """A person reads the same as a page, with everything in it escaped."""
    found = problem(403, "<b>", '"r-1"', html=True)
    page = found.body.decode()
    assert found.content_type == b"text/html; charset=utf-8"
    assert "<h1>Forbidden</h1><p>&lt;b&gt;</p><p>Reference: <code>&quot;r-1&quot;</code></p>" in page


def test_a_status_without_a_name() -> None:
    """A status nobody has named has a title all the same."""
    assert json.loads(problem(599, "x", "r").body)["title"] == "Error"


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("TEXT/HTML", True),
        ("application/json", False),
        ("*/*", False),
    ],
)
def test_a_browser_is_known_by_what_it_accepts(accept: str, html: bool) -> None:
    """Only a client that names text/html gets a page; one that takes anything gets the document."""
    assert wants_html(request("GET /", f"aCCept: {accept}")) == html


def test_an_unreadable_request_gets_the_document() -> None:
    """A request that could not be read, or does not say, is answered for machines."""
    assert not wants_html(None)
    assert not wants_html(request())


@pytest.mark.parametrize(
    ("envelope", "status", "content_type", "path"),
    [
        (SOAP_11, 500, b"text/xml; charset=utf-8", "{%s}Body/{%s}Fault/faultstring"),
        (SOAP_12, 400, b"application/soap+xml; charset=utf-8", "{%s}Body/{%s}Fault/{%s}Reason/{%s}Text"),
    ],
)
def test_a_soap_client_gets_a_fault(envelope: str, status: int, content_type: bytes, path: str) -> None:
    """The fault is in the client's own envelope, blames the client, and carries the reason and the id."""
    found = soap_fault(envelope, "It has <no> operation & more.", "r-1")
    assert (found.status, found.content_type) == (status, content_type)
    root = ElementTree.fromstring(found.body)
    assert root.tag == f"{{{envelope}}}Envelope"
    text = root.find(path.replace("%s", envelope))
    assert text is not None
    assert text.text == "It has <no> operation & more. (request r-1)"
    code = "e:Client" if envelope == SOAP_11 else "e:Sender"
    assert f">{code}<" in found.body.decode()


@pytest.mark.parametrize("envelope", [SOAP_11, SOAP_12])
def test_the_words_of_others_stay_as_they_are(envelope: str) -> None:
    """Without an id, a reason is told to the letter."""
    assert b">No such account.<" in soap_fault(envelope, "No such account.", "").body


@pytest.mark.parametrize("envelope", [SOAP_11, SOAP_12])
def test_a_header_that_is_not_understood_has_a_fault_of_its_own(envelope: str) -> None:
    """It is HTTP 500 in both versions, and its code is not the client's."""
    found = soap_fault(envelope, "It insists.", "r-1", must_understand=True)
    assert found.status == 500
    assert ">e:MustUnderstand<" in found.body.decode()


@pytest.mark.parametrize(("envelope", "code"), [(SOAP_11, "Server"), (SOAP_12, "Receiver")])
def test_a_fault_may_blame_this_side_and_carry_a_detail(envelope: str, code: str) -> None:
    """The detail's prefixes are declared on it."""
    found = soap_fault(envelope, "Oh.", "r-1", sender=False, detail="<a:b/>", declared=' xmlns:a="urn:a"')
    assert (found.status, f">e:{code}<" in found.body.decode()) == (500, True)
    assert ElementTree.fromstring(found.body).find(".//{urn:a}b") is not None


@pytest.mark.parametrize(
    ("envelope", "codes", "said"),
    [
        (SOAP_11, ("Wide", "Narrow"), ["c:Narrow"]),
        (SOAP_12, ("Wide", "Narrow"), ["e:Sender", "c:Wide", "c:Narrow"]),
        (SOAP_12, ("Wide",), ["e:Sender", "c:Wide"]),
    ],
)
def test_a_fault_may_say_its_cause(envelope: str, codes: tuple[str, ...], said: list[str]) -> None:
    """In codes of another standard, narrower and narrower; SOAP 1.1 has room for one."""
    found = soap_fault(envelope, "No.", "r-1", cause=Cause("urn:c", codes))
    root = ElementTree.fromstring(found.body)
    codes_said = [each.text for each in root.iter() if each.tag.endswith(("Value", "faultcode"))]
    assert (codes_said, b' xmlns:c="urn:c"' in found.body) == (said, True)


@pytest.mark.parametrize("envelope", [SOAP_11, SOAP_12])
def test_a_fault_may_have_headers(envelope: str) -> None:
    """Before the Body, where SOAP wants them."""
    root = ElementTree.fromstring(soap_fault(envelope, "No.", "r-1", headers='<h xmlns="urn:h">1</h>').body)
    assert [each.tag for each in root] == [f"{{{envelope}}}Header", f"{{{envelope}}}Body"]
    assert root[0].findtext("{urn:h}h") == "1"
