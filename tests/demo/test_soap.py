"""SOAP envelopes of both versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.soap import SOAP_11, SOAP_12, Message, SoapFault, Version, read, write, write_fault

versions = st.sampled_from([SOAP_11, SOAP_12])
texts = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=20)


@given(versions, texts)
def test_what_is_written_can_be_read(version: Version, text: str) -> None:
    """An envelope comes back as it was meant, whatever characters its values have."""
    text = "".join(character for character in text if not "\x7f" <= character <= "\x9f").strip()
    expected = Message(version, "urn:x", "Ask", {"Name": text})
    assert expected == read(write(version, "urn:x", "Ask", (("Name", text),)))


@given(st.binary(max_size=200))
def test_noise_is_a_fault_and_nothing_else(noise: bytes) -> None:
    """Whatever arrives, the answer is a fault and never a crash."""
    with pytest.raises(SoapFault):
        read(noise)


def test_a_document_type_is_refused_before_its_entities_grow() -> None:
    """A DOCTYPE is refused when it begins."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    with pytest.raises(SoapFault, match="document type declaration"):
        read(bomb)


@pytest.mark.parametrize("body", [b"<Envelope/>", b'<Letter xmlns="http://schemas.xmlsoap.org/soap/envelope/"/>'])
def test_another_root_is_no_envelope(body: bytes) -> None:
    """An element that is not an Envelope of a known version is named in the fault."""
    with pytest.raises(SoapFault, match=r"expected a SOAP 1\.1 or 1\.2 Envelope"):
        read(body)


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_an_empty_body_is_a_fault_in_the_version_of_the_request(version: Version) -> None:
    """A fault speaks the version in which it was asked."""
    empty = f'<e:Envelope xmlns:e="{version.namespace}"><e:Header/><e:Body> </e:Body></e:Envelope>'.encode()
    with pytest.raises(SoapFault) as caught:
        read(empty)
    assert version == caught.value.version


@pytest.mark.parametrize(
    ("version", "sender", "status", "code"),
    [
        (SOAP_11, True, 500, b"<faultcode>soap:Client</faultcode>"),
        (SOAP_11, False, 500, b"<faultcode>soap:Server</faultcode>"),
        (SOAP_12, True, 400, b"<soap:Value>soap:Sender</soap:Value>"),
        (SOAP_12, False, 500, b"<soap:Value>soap:Receiver</soap:Value>"),
    ],
)
def test_a_fault_has_the_status_and_words_of_its_version(
    version: Version, sender: bool, status: int, code: bytes
) -> None:
    """SOAP 1.1 answers every fault with 500; SOAP 1.2 answers 400 where the sender is wrong."""
    got, envelope = write_fault(SoapFault("no <account>", sender=sender, version=version))
    assert status == got
    assert code in envelope
    assert b"no &lt;account&gt;" in envelope
