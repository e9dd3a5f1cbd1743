"""What people see of messages."""

from gateway.cli.envelopes import envelope

SECRET = b"<a><w:Password xmlns:w='u' Type='t'>s3cret</w:Password><b/></a>"
SHOWN = '<a>\n  <w:Password xmlns:w="u" Type="t">***</w:Password>\n  <b/>\n</a>'
PACKAGE = (
    b"--cut\r\nContent-Type: text/xml\r\n\r\n%b\r\n--cut\r\nContent-Type: image/png\r\nContent-ID: <p>\r\n\r\n\0\1\2"
)


def test_envelopes_are_shown_for_people() -> None:
    """An element to a line, and no password; what is no XML as it came."""
    assert envelope(SECRET) == SHOWN
    assert envelope(b"no \xff XML") == "no \ufffd XML"
    assert envelope(b"<a b='t' c='u'>t<d>tt</d></a>", {"t"}) == '<a b="***" c="u">***<d>tt</d>\n</a>'


def test_of_attachments_only_their_size_is_shown() -> None:
    """Behind the envelope that they belong to, whose password is masked there too."""
    inside = b"<e:Envelope xmlns:e='x'>" + SECRET + b"</e:Envelope>"
    told = envelope(PACKAGE % inside + b"\r\n--cut\r\n\r\n\r\n--cut--").split("\n")
    assert told[0].startswith("<e:Envelope")
    assert told[-2:] == ["and 3 bytes (image/png), p", "and 0 bytes (no type), without a name"]
    assert "s3cret" not in "".join(told)


def test_a_broken_package_tells_no_secret() -> None:
    """It is shown as the text that it is."""
    assert "s3cret" not in envelope(PACKAGE % SECRET)
    assert envelope(b"--cut\r\n") == "--cut\r\n"
