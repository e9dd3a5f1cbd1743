"""Problems: places, pointers, and giving up."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.problems import MOST_PROBLEMS, At, Broken, Invalid, Problem, object_to


def test_a_pointer_names_members_and_items_from_the_outside_in() -> None:
    """A place is told by its members and the numbers of its items."""
    assert At([])["lines"][2]["amount"].pointer == "/lines/2/amount"


def test_the_whole_has_the_empty_pointer() -> None:
    """RFC 6901: the whole document is ""."""
    assert At([]).pointer == ""


def test_an_empty_key_is_a_step() -> None:
    """A member that is called "" has a pointer of its own."""
    assert At([])[""].pointer == "/"


@given(st.lists(st.one_of(st.text(), st.integers(0, 9)), max_size=5))
def test_any_key_can_be_told(keys: list[str | int]) -> None:
    """Whatever members are called, the pointer leads to them."""
    at = At([])
    for key in keys:
        at = at[key]
    steps = at.pointer.split("/")[1:]
    assert [step.replace("~1", "/").replace("~0", "~") for step in steps] == [str(key) for key in keys]


def test_all_places_note_into_one_list() -> None:
    """Every problem is listed, in the order in which they were met."""
    problems: list[Problem] = []
    at = At(problems)
    object_to(at["a"], "is odd")
    object_to(at, "is not right")
    assert problems == [("/a", "is odd"), ("", "is not right")]


def test_nobody_keeping_track_ends_it_at_once() -> None:
    """Without a place the first problem is the last: the caller looks again."""
    with pytest.raises(Broken, match="is odd"):
        object_to(None, "is odd")


def test_problems_are_bounded() -> None:
    """A message that is wrong throughout does not fill the memory with reasons."""
    problems: list[Problem] = []
    at = At(problems)
    for number in range(MOST_PROBLEMS + 5):
        at[number].problem("is odd")
    assert len(problems) == MOST_PROBLEMS
    assert at.is_full


def test_what_is_invalid_says_where() -> None:
    """The exception reads like a sentence, and holds the problems."""
    invalid = Invalid([Problem("/a", "is odd"), Problem("", "is late")])
    assert str(invalid) == "/a: is odd; the whole: is late"
    assert invalid.problems == (("/a", "is odd"), ("", "is late"))


def test_what_is_invalid_can_be_sent_to_another_process() -> None:
    """The problems go with it."""
    assert pickle.loads(pickle.dumps(Invalid([Problem("/a", "is odd")]))).problems == (("/a", "is odd"),)
