"""Rows in slices, texts that fit."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.statements import SLICE, clean, clean_key, clean_row, slices


@given(st.integers(0, 3 * SLICE + 1))
def test_slices_are_the_rows(number: int) -> None:
    """Every row is in one slice, in its order, and no slice is longer than SLICE."""
    found = list(slices(iter(range(number))))
    assert [row for some in found for row in some] == list(range(number))
    assert all(0 < len(some) <= SLICE for some in found)


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=900))
def test_any_text_is_made_storable(text: str) -> None:
    """What comes out of answers may be anything; what is stored is UTF-8 and has no U+0000, and a key is bounded."""
    stored = clean(text)
    assert (len(stored), "\0" in stored) == (len(text), False)
    assert clean(stored) == stored == stored.encode().decode()
    assert clean_key(text) == stored[:400]
    assert clean_row({"why": text, "at": 1.5, "until": None}) == {"why": stored, "at": 1.5, "until": None}


def test_an_ordinary_text_stays() -> None:
    """Text that fits is stored as it is."""
    assert clean_key("/charges/*/währung") == "/charges/*/währung"
