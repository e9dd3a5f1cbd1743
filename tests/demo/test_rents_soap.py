"""The rents contract in SOAP."""

from xml.etree.ElementTree import fromstring

import pytest

from gateway.demo import council
from gateway.demo.rents_soap import NAMESPACE, OPERATIONS, answer, wsdl
from gateway.demo.soap import SOAP_11, SOAP_12, Field, Version, write

VERSIONS = pytest.mark.parametrize("version", [SOAP_11, SOAP_12])


def ask(version: Version, operation: str, *fields: Field, namespace: str = NAMESPACE) -> tuple[int, str, str]:
    """Status, content type and text of the answer to an operation."""
    got = answer(write(version, namespace, operation, fields))
    return got.status, got.content_type, got.body.decode()


@VERSIONS
def test_each_operation_answers_in_the_version_it_was_asked_in(version: Version) -> None:
    """Every operation answers, with the content type and namespace of the request's version."""
    for operation in OPERATIONS:
        status, content_type, text = ask(version, operation, ("AccountNo", "RA100042"), ("Amount", "12.50"))
        assert (200, version.content_type) == (status, content_type)
        assert f'<{operation}Response xmlns="{NAMESPACE}"><AccountNo>RA100042</AccountNo>' in text
        assert version.namespace in text


def test_the_balance_is_that_of_the_account() -> None:
    """SOAP and REST speak of the same money."""
    balance = council.balance("RA100042")
    assert balance is not None
    assert (
        f"<Amount>{council.pounds(balance.pence)}</Amount>" in ask(SOAP_11, "GetBalance", ("AccountNo", "RA100042"))[2]
    )


@VERSIONS
def test_mistakes_are_faults_of_the_sender(version: Version) -> None:
    """An unknown account, operation or namespace, and money that is none, are faults that say what is wrong."""
    status = 500 if version is SOAP_11 else 400
    mistakes = {
        "no account 'RA1'": ask(version, "GetBalance", ("AccountNo", "RA1")),
        "no account ''": ask(version, "ListCharges"),
        "no operation 'Evict'": ask(version, "Evict"),
        "no operation 'GetBalance'": ask(version, "GetBalance", namespace="urn:other"),
        "'' is not an amount": ask(version, "RecordPayment", ("AccountNo", "RA100042")),
        "'lots' is not an amount": ask(version, "RecordPayment", ("AccountNo", "RA100042"), ("Amount", "lots")),
        "'NaN' is not an amount": ask(version, "RecordPayment", ("AccountNo", "RA100042"), ("Amount", "NaN")),
        "'1E+999999' is not an amount": ask(version, "RecordPayment", ("AccountNo", "RA1"), ("Amount", "1E+999999")),
        "'-5' is not an amount": ask(version, "RecordPayment", ("AccountNo", "RA100042"), ("Amount", "-5")),
        "'0.001' is not an amount": ask(version, "RecordPayment", ("AccountNo", "RA100042"), ("Amount", "0.001")),
    }
    for reason, (got, content_type, text) in mistakes.items():
        assert (status, version.content_type) == (got, content_type)
        assert reason in text
        assert "Fault>" in text


def test_the_wsdl_names_every_operation_and_the_address_it_was_asked_at() -> None:
    """A client that reads the WSDL comes back to where it found it."""
    text = wsdl('http://127.0.0.1:1/a"b').decode()
    root = fromstring(text)
    port_type = "{http://schemas.xmlsoap.org/wsdl/}portType"
    assert list(OPERATIONS) == [operation.get("name") for operation in root.iterfind(f"{port_type}/*")]
    assert "Invented" in text
    addresses = [node.get("location") for node in root.iter() if node.tag.endswith("}address")]
    assert addresses == ['http://127.0.0.1:1/a"b'] * 2
