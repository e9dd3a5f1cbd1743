"""Rows in slices, texts that fit."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.statements import SLICE, slices, storable


@given(st.integers(0, 3 * SLICE + 1))
def test_slices_are_the_rows(number: int) -> None:
    """Every row is in one slice, in its order, and no slice is longer than SLICE."""
    found = list(slices(iter(range(number))))
    assert [row for some in found for row in some] == list(range(number))
    assert all(0 < len(some) <= SLICE for some in found)


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=900))
def test_any_text_is_made_storable(text: str) -> None:
    """What comes out of answers may be anything; what is stored is bounded, is UTF-8, and has no U+0000."""
    stored = storable(text)
    assert len(stored) == min(len(text), 400)
    assert "\0" not in stored
    assert storable(stored) == stored == stored.encode().decode()


def test_an_ordinary_text_stays() -> None:
    """Text that fits is stored as it is."""
    assert storable("/charges/*/währung") == "/charges/*/währung"


def test_a_sentence_is_not_cut() -> None:
    """Only texts in keys have to be short."""
    assert storable("\0" + "x" * 900, None) == "\ufffd" + "x" * 900
