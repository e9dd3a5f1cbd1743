"""Marks stand for attachments, and are found again wherever the message went."""

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.fitting import Codec, Unfit, kind_of
from connectors.soap.marks import CHANCE, LONGEST, Attached, Holed, Marks, attachable, marked, octets, reference
from connectors.soap.plan import Facets, Simple
from connectors.soap.textual import base64, hexadecimal

MARKS = Marks(bytes(range(CHANCE)))
LARGE = "QUJD" * 400


def refusing(_: Any) -> str:
    raise Unfit("is refused")


def test_a_mark_is_base64_and_hexadecimal() -> None:
    """So codecs take it for a value as it is, and write it as it was."""
    mark = MARKS.mark(7)
    for kind in (base64(Simple("base64", "base64Binary")), hexadecimal(Simple("hex", "hexBinary", Facets()))):
        assert kind.encode(kind.decode(mark)) == mark


def test_marks_of_two_messages_differ() -> None:
    """By chance alone."""
    assert Marks(bytes(CHANCE)).mark(1) != MARKS.mark(1)
    assert Marks(bytes(CHANCE)).cut(MARKS.mark(1).encode()).holes == ()


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6), st.lists(st.integers(0, 2**31), min_size=5, max_size=5))
def test_json_with_holes_is_filled_again(texts: list[str], numbers: list[int]) -> None:
    """A message cut at its marks and filled with what they stood for is the message that it would have been."""
    numbers = numbers[: len(texts) - 1]
    value = [{"a": text, "b": MARKS.mark(number)} for text, number in zip(texts, numbers, strict=False)] + texts[-1:]
    holed = MARKS.cut(json.dumps(value).encode())
    assert holed.holes == tuple(numbers)
    filled = holed.joined({number: b"%d" % number for number in numbers})
    expected = [{"a": text, "b": str(number)} for text, number in zip(texts, numbers, strict=False)] + texts[-1:]
    assert json.loads(filled) == expected


def test_a_message_without_marks_is_one_text() -> None:
    """There is nothing to fill."""
    assert MARKS.cut(b"abc") == Holed((b"abc",), ())
    assert Holed((b"abc",), ()).joined({}) == b"abc"


def test_marks_are_found_in_texts() -> None:
    """Each once, in their order; between tags something else may be put."""
    text = f"<a>{MARKS.mark(3)}</a><b x='{MARKS.mark(1)}'>{MARKS.mark(3)} </b>"
    assert MARKS.used(text) == [3, 1]
    assert MARKS.between_tags(text, str) == f"<a>3</a><b x='{MARKS.mark(1)}'>{MARKS.mark(3)} </b>"


def test_strings_that_may_become_attachments_are_marked() -> None:
    """Long ones, and, where parts can be named, those that name one: each name has one mark."""
    made: Any
    value: Any = {"a": [LARGE, "short", 7, None], "b": {"c": "cid:x"}, "d": "cid:x", "e": "cid:y"}
    made, found = marked(value, MARKS, LONGEST, names=True)
    assert made == {"a": [LARGE, "short", 7, None], "b": {"c": "cid:x"}, "d": "cid:x", "e": "cid:y"}
    assert sorted(found) == sorted([LARGE, "cid:x", "cid:y"])
    assert [each.mark for each in found] == [MARKS.mark(number) for number in range(3)]
    assert made["b"]["c"] is made["d"]
    assert [each.is_name for each in sorted(found)] == [False, True, True]


def test_without_names_a_name_is_a_string() -> None:
    """And a string by itself may be the whole of it."""
    assert marked({"a": "cid:x"}, MARKS, LONGEST, names=False)[1] == []
    made, found = marked(LARGE, MARKS, LONGEST, names=False)
    assert (made, type(made), len(found)) == (LARGE, Attached, 1)


def test_what_is_attached_is_a_string_to_everyone() -> None:
    """Also in another process, and with its mark."""
    value = Attached("cid:x", "m", is_name=True)
    assert value == "cid:x"
    assert kind_of(value) == "a string"
    again = pickle.loads(pickle.dumps(value))
    assert (again, again.mark, again.is_name) == ("cid:x", "m", True)


def test_base64_is_marked_only_where_it_fits() -> None:
    """Base64 is held to its type before its mark is written; a name needs no holding."""
    write = attachable(base64(Simple("base64", "base64Binary", Facets(max_length=4))).encode)
    assert write(Attached("aGk=", "m")) == "m"
    assert write(Attached("cid:x", "m", is_name=True)) == "m"
    assert write("aGk=") == "aGk="
    for wrong in (Attached("aGVsbG8=", "m"), Attached("h!", "m"), Attached("cid:x")):
        with pytest.raises(Unfit):
            write(wrong)


def test_references_are_written_for_what_is_attached() -> None:
    """A swaRef names the part that is made of base64, or was named."""
    codec = reference(Codec(str, str))
    assert codec.encode(Attached("aGk=", "m")) == "cid:m@banyan"
    assert codec.encode(Attached("cid:x", "m", is_name=True)) == "cid:m@banyan"
    assert codec.encode("http://x/y") == "http://x/y"
    with pytest.raises(Unfit, match="base64"):
        codec.encode(Attached("h!", "m"))


def test_references_that_were_read_are_known_as_such() -> None:
    """Others are addresses like any."""
    codec = reference(Codec(str, str))
    found = codec.decode("cid:x")
    assert (found, type(found)) == ("cid:x", Attached)
    assert type(codec.decode("http://x/y")) is str


def test_octets_are_what_base64_stands_for() -> None:
    """White space or not."""
    assert octets("aG\r\n k=") == b"hi"
    with pytest.raises(Unfit, match="base64"):
        octets("a")
