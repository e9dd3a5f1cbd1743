"""Items of two lists find their partners, so that one item too many does not make all later ones differ."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.comparing import alignment
from gateway.core.comparing.alignment import Alignment, Reading, as_multisets, by_member, identifying, ordered
from gateway.core.comparing.values import canonical

PLAIN = Reading(canonical, canonical, lambda member: True)


def named(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": name, **more} for name in names]


def test_items_in_place_are_paired_by_position() -> None:
    """Whatever else differs in them."""
    old, new = named("a", "b", at=1), named("a", "b", at=2)
    assert ordered(old, new, PLAIN) == Alignment(((0, 0), (1, 1)))
    assert ordered([1], [{}], PLAIN) == Alignment(((0, 0),))


def test_one_item_less_is_missing() -> None:
    """The others are paired with themselves."""
    assert ordered(named("a", "b", "c"), named("a", "c"), PLAIN) == Alignment(((0, 0), (2, 1)), missing=(1,))
    assert ordered(named("a", "c"), named("a", "b", "c"), PLAIN) == Alignment(((0, 0), (1, 2)), extra=(1,))


def test_items_in_other_order_are_told() -> None:
    """Once, for the whole list; the items are still paired with themselves."""
    old, new = named("a", "b", "c", at=1), named("c", "b", "a", at=2)
    assert ordered(old, new, PLAIN) == Alignment(((0, 2), (1, 1), (2, 0)), moved=True)
    assert ordered(["a", "b", "b"], ["b", "a", "b"], PLAIN) == Alignment(((0, 1), (1, 0), (2, 2)), moved=True)


def test_a_changed_identity_is_a_change() -> None:
    """An item left over on either side is paired with the other."""
    assert ordered(named("a", "b", "c"), named("a", "x", "c"), PLAIN).pairs == ((0, 0), (2, 2), (1, 1))


def test_changed_scalars_are_paired_by_position() -> None:
    """In lists of one length."""
    assert ordered(["a", "b"], ["a", "c"], PLAIN) == Alignment(((0, 0), (1, 1)))


@pytest.mark.parametrize(
    ("old", "new", "missing", "extra"),
    [
        ("abcd", "acd", (1,), ()),
        ("abcd", "abc", (3,), ()),
        ("bcd", "abcd", (), (0,)),
        ("abcde", "axde", (2,), ()),
        ("ab", "xyzab", (), (0, 1, 2)),
        ("", "ab", (), (0, 1)),
        ("abxcdy", "abcd", (2, 5), ()),
    ],
)
def test_scalars_go_by_their_longest_common_part(
    old: str, new: str, missing: Sequence[int], extra: Sequence[int]
) -> None:
    """What stands between is paired by position, and the rest is missing, or too many."""
    found = ordered(list(old), list(new), PLAIN)
    assert (found.missing, found.extra) == (missing, extra)
    assert len(found.pairs) == len(old) - len(missing) == len(new) - len(extra)


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lists lose their common ends, and what is left is paired by position."""
    monkeypatch.setattr(alignment, "MOST_WORK", 3)
    assert ordered(list("abcxyef"), list("abyxcvef"), PLAIN).extra == (5,)
    assert ordered(list("ab" * 5_000), list("ab" * 5_000)[1:], PLAIN).missing == (0,)


@pytest.mark.parametrize(
    ("old", "new", "member"),
    [
        (named("a", "b"), named("a", "b"), "id"),
        ([{"n": 1}, {"n": 2}], [{"n": 2}], "n"),
        ([{"n": 1, "id": "a"}, {"n": 1, "id": "b"}], [{"n": 1, "id": "b"}], "id"),
        (
            [{"name": "x", "id": "a"}, {"name": "y", "id": "b"}],
            [{"name": "y", "id": "a"}, {"name": "x", "id": "b"}],
            "id",
        ),
        (named("a", "b"), named("c", "d"), None),
        ([{"f": 0.5}, {"f": 1.5}], [{"f": 0.5}], None),
        ([{"f": True}], [{"f": True}, {"f": False}], None),
        ([{"f": [1]}], [{"f": [1]}], None),
        ([{"a": 1}, {}], [{"a": 1}], None),
        (["a"], ["a"], None),
        ([], [{}], None),
    ],
)
def test_an_identifying_member_is_found(old: Any, new: Any, member: str | None) -> None:
    """Texts and whole numbers that differ in every item and are mostly in both lists; in place rather than moved."""
    assert identifying(old, new, PLAIN) == member


def test_members_with_a_rule_identify_nothing() -> None:
    """What a rule lets pass is no identity, even where it happens to be the same."""
    reading = PLAIN._replace(tells=lambda member: member != "id")
    assert identifying(named("a", "b"), named("a", "b"), reading) is None


def test_a_named_member_tells_items_apart() -> None:
    """Other identities are other items; where it is absent the whole item is its own identity."""
    old, new = [*named("a", "b"), {"x": 1}, 5], [5, *named("c", "a"), {"x": 1}]
    assert by_member(old, new, "id", PLAIN) == Alignment(((0, 2), (2, 3), (3, 0)), missing=(1,), extra=(1,))


def test_multisets_pair_what_is_equal() -> None:
    """As often as it is there; the rest by rank."""
    found = as_multisets(["b", "a", "a"], ["a", "b", "b", "c"], PLAIN)
    assert sorted(found.pairs) == [(0, 1), (1, 0), (2, 2)]
    assert (found.missing, found.extra, found.moved) == ((), (3,), False)


def test_multisets_go_by_identity_first() -> None:
    """Items with noise in them are found by what identifies them."""
    old, new = [*named("a", "b", at=1), {"id": "x"}], [{"id": "y"}, *named("b", "a", at=2)]
    assert sorted(as_multisets(old, new, PLAIN).pairs) == [(0, 2), (1, 1), (2, 0)]


def test_numbers_within_a_tolerance_find_each_other() -> None:
    """Where one token stands for all numbers, the smallest meets the smallest."""
    reading = Reading(lambda item: 0, lambda item: 0, lambda member: True)
    assert sorted(as_multisets([10.0, 2.0], [2.001, 10.001], reading).pairs) == [(0, 1), (1, 0)]


ITEMS = st.lists(st.integers(0, 5) | st.fixed_dictionaries({"id": st.integers(0, 9)}), max_size=8)


@given(ITEMS, ITEMS)
def test_every_item_is_accounted_for_once(old: list[Any], new: list[Any]) -> None:
    """Paired, or without a partner, in each of the ways."""
    for found in (ordered(old, new, PLAIN), by_member(old, new, "id", PLAIN), as_multisets(old, new, PLAIN)):
        assert sorted([*(one for one, _ in found.pairs), *found.missing]) == list(range(len(old)))
        assert sorted([*(other for _, other in found.pairs), *found.extra]) == list(range(len(new)))


@given(st.lists(st.integers(0, 5)), st.randoms())
def test_a_shuffled_list_is_the_same_multiset(items: list[int], chance: Any) -> None:
    """Every item is paired with an equal one."""
    shuffled = chance.sample(items, len(items))
    assert all(items[one] == shuffled[other] for one, other in as_multisets(items, shuffled, PLAIN).pairs)
