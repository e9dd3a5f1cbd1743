"""A fault that blames the client is an answer; every other body with its status is a failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.problems import SOAP_11, SOAP_12
from gateway.core.soapfaults import blames_client

OLD = f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP_11}"><s:Body><s:Fault>%s</s:Fault></s:Body></s:Envelope>'
NEW = f'<e:Envelope xmlns:e="{SOAP_12}"><e:Body><e:Fault>%s</e:Fault></e:Body></e:Envelope>'


@pytest.mark.parametrize(
    ("envelope", "content", "client"),
    [
        (OLD, "<faultcode>s:Client</faultcode><faultstring>No such account</faultstring>", True),
        (OLD, "<faultcode> Client </faultcode>", True),
        (OLD, "<faultcode>s:Client.Authentication</faultcode>", True),
        (OLD, "<faultcode>s:Server</faultcode><detail><faultcode>Client</faultcode></detail>", False),
        (OLD, "<faultcode>s:Clients</faultcode>", False),
        (OLD, "<faultcode/><faultstring>Client</faultstring>", False),
        (OLD, "<faultstring>Client</faultstring>", False),
        (NEW, "<e:Code><e:Value>e:Sender</e:Value></e:Code>", True),
        (NEW, "<e:Code><e:Value>e:Receiver</e:Value><e:Subcode><e:Value>Sender</e:Value></e:Subcode></e:Code>", False),
    ],
)
def test_the_code_says_whom_a_fault_blames(envelope: str, content: str, client: bool) -> None:
    """Of either version, whatever its prefix; what is nested in it or said beside it does not count."""
    assert blames_client((envelope % content).encode()) is client


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Internal Server Error",
        b'{"faultcode": "Client"}',
        b"<faultcode>Client</faultcode>",
        b"<a><Value>Sender</Value></a>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b'<!DOCTYPE a [<!ENTITY c "Client">]><Fault><faultcode>&c;</faultcode></Fault>',
    ],
)
def test_what_is_no_fault_blames_nobody(body: bytes) -> None:
    """Nor does what has a DOCTYPE, which is not read any further."""
    assert not blames_client(body)


@given(st.binary())
def test_any_bytes_are_looked_at_without_failing(body: bytes) -> None:
    """They come from a backend that is perhaps broken."""
    assert blames_client(body) in (True, False)
