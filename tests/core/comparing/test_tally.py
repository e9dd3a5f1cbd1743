"""Samples are counted by how they differ, so that what was unsure is decided once the noise is known."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.noise import FieldCount, State
from gateway.core.comparing.tally import MATCHED, MOST_SIGNATURES, Tally, counts_of_plain, plain_counts, tally_of

A: FieldKind = (("a", "*"), "value")
B: FieldKind = (("b",), "missing")


def test_the_past_is_decided_by_what_is_known_now() -> None:
    """The same samples: unsure first, then by the states of their fields."""
    tally = tally_of(MATCHED).plus(tally_of(frozenset({A}))).plus(tally_of(frozenset({A, B})))
    assert tally.counted({}) == (1, 0, 2)
    noise: dict[FieldKind, State] = {A: "noise"}
    assert tally.counted(noise) == (2, 0, 1)
    assert tally.counted({**noise, B: "wrong"}) == (2, 1, 0)


def test_signatures_are_bounded() -> None:
    """The most frequent stay, and matched ones always; the rest is unsure."""
    rare = Tally({frozenset({((f"f{index}",), "value")}): 2 for index in range(MOST_SIGNATURES)})
    tally = tally_of(MATCHED).plus(rare).plus(Tally({frozenset({A}): 5}, others=3))
    assert len(tally.signatures) == MOST_SIGNATURES
    assert tally.signatures[MATCHED] == 1
    assert tally.signatures[frozenset({A})] == 5
    assert tally.others == 3 + 2 * 2
    assert sum(tally.counted({})) == 1 + 2 * MOST_SIGNATURES + 5 + 3


FIELDS = st.tuples(
    st.lists(st.sampled_from("ab*"), max_size=3).map(tuple), st.sampled_from(["missing", "extra", "type", "value"])
)
TALLIES = st.builds(
    Tally, st.dictionaries(st.frozensets(FIELDS, max_size=3), st.integers(1, 9), max_size=5), st.integers(0, 3)
)


@given(TALLIES)
def test_a_tally_is_plain_json_and_back(tally: Tally) -> None:
    """As it is stored."""
    assert Tally.of_plain(orjson.loads(orjson.dumps(tally.plain()))) == tally


@given(TALLIES, TALLIES, TALLIES)
def test_tallies_are_summed_in_any_order(one: Tally, two: Tally, three: Tally) -> None:
    """Over replicas and over time."""
    assert one.plus(two) == two.plus(one)
    assert one.plus(two).plus(three) == one.plus(two.plus(three))
    assert one.plus(Tally()) == one


@given(st.dictionaries(FIELDS, st.builds(FieldCount, *[st.integers(0, 99)] * 4)))
def test_counts_are_plain_json_and_back(counts: dict[FieldKind, FieldCount]) -> None:
    """As they are stored."""
    assert counts_of_plain(orjson.loads(orjson.dumps(plain_counts(counts)))) == counts
