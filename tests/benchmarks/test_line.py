"""Reading an answer, as the load client does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.line import read_answer


@given(status=st.integers(100, 599), body=st.binary(max_size=100), closes=st.booleans(), cut=st.integers(0, 300))
def test_an_answer_is_whole_only_with_its_last_byte(status: int, body: bytes, closes: bool, cut: int) -> None:
    """Every beginning of an answer is not enough, and the whole one gives its status and whether the end is near."""
    fields = b"Connection: close\r\n" if closes else b""
    whole = b"HTTP/1.1 %d Fine\r\n%bContent-Length: %d\r\n\r\n%b" % (status, fields, len(body), body)
    assert read_answer(whole) == (status, closes)
    assert read_answer(whole[: min(cut, len(whole) - 1)]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        b"nothing like it\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_no_answer_with_a_length_is_unreadable(data: bytes) -> None:
    """Bytes that belong to no answer are a failure, not a success."""
    with pytest.raises(ValueError, match="answer"):
        read_answer(data)
