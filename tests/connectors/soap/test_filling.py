"""What a JSON backend is asked, of a decoded message. How it looks on the wire is in test_facade.py."""

from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping import MappingFailed, MappingInvalid
from connectors.soap.filling import Filled, Filling
from connectors.soap.target import FacadeTarget
from tests.connectors.soap.samples import GET_BALANCE, SCHEMA


def filled(body: Any, *places: str, **how: Any) -> Filled:
    """What is asked of a message, and of a document that says nothing else."""
    filling = Filling(FacadeTarget(GET_BALANCE, SCHEMA, places=places, **how))
    return filling({"path": {}, "query": {}, "header": {}, "soap_header": {"Session": {"Key": "k"}}, "body": body})


def test_a_message_goes_as_it_is() -> None:
    """Without a mapping it is the body; where there is none, nothing of it goes but into the path."""
    assert filled({"AccountNo": "R1"}, "AccountNo") == Filled((b"R1",), b"", b'{"AccountNo":"R1"}')
    assert filled({"AccountNo": "R1"}, "AccountNo", in_query=True) == Filled((b"R1",), b"", b"")


def test_a_mapping_makes_the_body_or_the_query() -> None:
    """Of all that the request brings, headers of the envelope included."""
    request = {"no": "body.AccountNo", "key": "soap_header.Session.Key"}
    assert filled({"AccountNo": "R 1"}, request=request) == Filled((), b"", b'{"no":"R 1","key":"k"}')
    assert filled({"AccountNo": "R 1"}, request=request, in_query=True) == Filled((), b"?no=R+1&key=k", b"")
    assert filled({}, request={"no": "body.AccountNo"}, in_query=True) == Filled((), b"", b"")


def test_places_are_filled_in_order() -> None:
    """Each by its own way into the message; the same one twice is fine."""
    body = {"a": {"b.c": 1, "d": "x/y"}}
    assert filled(body, "a.d", "a.d").segments == (b"x%2Fy", b"x%2Fy")


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_value_is_one_segment(text: str) -> None:
    """It never leaves its segment, and can be read out of it again; or it is refused."""
    try:
        (segment,) = filled({"a": text}, "a").segments
    except (MappingFailed, UnicodeEncodeError):
        return
    assert b"/" not in segment
    assert unquote_to_bytes(segment) == text.encode()


@pytest.mark.parametrize("value", [None, True, [], {}, "", ".", ".."])
def test_what_is_no_segment_is_refused(value: Any) -> None:
    """Nothing, truths, many, and steps upwards."""
    with pytest.raises(MappingFailed, match=r"The request has no a|The a cannot be part of a path"):
        filled({"a": value}, "a")


def test_a_broken_mapping_is_told_at_once() -> None:
    """Before any message comes."""
    with pytest.raises(MappingInvalid):
        Filling(FacadeTarget(GET_BALANCE, SCHEMA, request="a..b"))
