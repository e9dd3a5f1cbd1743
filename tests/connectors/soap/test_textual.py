"""The kinds that are text in JSON too. What each of them reads and writes is in test_simple.py."""

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.plan import Facets, Simple
from connectors.soap.textual import base64, hexadecimal, string, verbatim


@given(st.binary(min_size=1, max_size=200), st.integers(1, 76))
def test_base64_may_be_broken_into_lines(data: bytes, width: int) -> None:
    """It comes out in one, however it was wrapped."""
    text = b64encode(data).decode()
    wrapped = "\n".join(text[at : at + width] for at in range(0, len(text), width))
    assert base64(Simple("base64", "base64Binary")).decode(wrapped) == text


@given(st.binary(min_size=1, max_size=50))
def test_hexadecimal_keeps_its_spelling(data: bytes) -> None:
    """Small letters stay small."""
    both = hexadecimal(Simple("hex", "hexBinary"))
    for text in (data.hex(), data.hex().upper()):
        assert (both.decode(text), both.encode(text)) == (text, text)


def test_a_string_is_sent_as_it_is_given() -> None:
    """White space that reading takes away is not ours to take."""
    both = string(Simple("string", "token", Facets()))
    assert (both.encode(" a  b "), both.decode(" a  b ")) == (" a  b ", "a b")


def test_a_type_that_is_not_known_is_words() -> None:
    """Whatever it is, it is kept as it is spelled."""
    assert verbatim(Simple("verbatim", "strange")).decode(" a  b ") == "a b"
