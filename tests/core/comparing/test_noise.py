"""A field is wrong only where it differs significantly more than from itself."""

from random import Random

import pytest

from gateway.core.comparing.differences import OVERFLOW, FieldKind, Kind
from gateway.core.comparing.noise import FieldCount, count, state_of, states_of, verdict_of

A: FieldKind = (("a", "b"), "value")


@pytest.mark.parametrize(
    ("within", "beside", "odd"),
    [
        (set(), {A}, FieldCount(1, candidate=1)),
        ({A}, set(), FieldCount(1, control=1)),
        ({A}, {A}, FieldCount(1, every=1)),
        ({(("a", "b"), "missing")}, {(("a", "b"), "extra")}, FieldCount(1, every=1)),
        ({(("a",), "missing")}, {(("a",), "extra")}, FieldCount(1, every=1)),
        ({((), "type")}, set(), FieldCount(1, control=1)),
        ({(("a",), "value")}, {A}, FieldCount(1, candidate=1)),
        ({((":status",), "value")}, {((":status",), "value")}, FieldCount(1, every=1)),
    ],
)
def test_one_of_three_is_the_odd_one(within: set[FieldKind], beside: set[FieldKind], odd: FieldCount) -> None:
    """What is around a field, or the status, makes it differ, too; the order of a list around it does not."""
    assert count(frozenset({A}), (frozenset(within), frozenset(beside))) == {A: odd}


@pytest.mark.parametrize(
    ("kind", "within", "candidate"),
    [
        ("missing", "value", 1),
        ("missing", "type", 1),
        ("missing", "missing", 0),
        ("missing", "extra", 1),
        ("extra", "value", 1),
        ("extra", "extra", 0),
        ("type", "value", 1),
        ("type", "missing", 0),
        ("value", "type", 0),
    ],
)
def test_kinds_count_apart(kind: Kind, within: Kind, candidate: int) -> None:
    """A time that differs every time is noise, and leaving it out is not."""
    counted = count(frozenset({(("a",), kind)}), (frozenset({(("a",), within)}), frozenset({(("a",), kind)})))
    assert counted[(("a",), kind)].candidate == candidate


def test_without_a_second_answer_nobody_is_odd() -> None:
    """It is only counted that the field differed."""
    assert count(frozenset({A}), None) == {A: FieldCount(1)}


@pytest.mark.parametrize(
    ("counted", "state"),
    [
        (FieldCount(), "unsure"),
        (FieldCount(1_000), "unsure"),
        (FieldCount(5, 5), "unsure"),
        (FieldCount(6, 6), "wrong"),
        (FieldCount(60, 52, 8), "wrong"),
        (FieldCount(60, 40, 20), "unsure"),
        (FieldCount(3, 0, 0, 3), "unsure"),
        (FieldCount(6, 0, 0, 6), "noise"),
        (FieldCount(6, 0, 6), "noise"),
        (FieldCount(100, 50, 50), "unsure"),
        (FieldCount(150, 75, 75), "noise"),
        (FieldCount(200, 100, 0, 100), "unsure"),
        (FieldCount(200, 80, 0, 120), "noise"),
    ],
)
def test_states_need_certainty(counted: FieldCount, state: str) -> None:
    """Six of six suffice either way; what stands at one half for ever is noise in the end."""
    assert state_of(counted) == state


def test_noise_of_two_values_is_rarely_called_wrong() -> None:
    """Though it is looked at after each of 500 probes: in at most 5 % of 400 runs."""
    chance, called = Random(7), 0
    for _ in range(400):
        counted = FieldCount()
        for _ in range(500):
            odd = chance.random() < 0.5
            counted = counted.plus(FieldCount(1, int(odd), int(not odd)))
            if state_of(counted) == "wrong":
                called += 1
                break
    assert called <= 20


def test_what_overflowed_stays_unsure() -> None:
    """Different fields are in it, whatever was counted."""
    assert states_of({A: FieldCount(6, 6), OVERFLOW: FieldCount(36, 36)}) == {A: "wrong", OVERFLOW: "unsure"}


B: FieldKind = (("b",), "missing")


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ([], "matched"),
        ([A], "matched"),
        ([B], "mismatched"),
        ([A, B], "mismatched"),
        ([A, OVERFLOW], "unsure"),
        ([B, OVERFLOW], "mismatched"),
    ],
)
def test_a_sample_is_judged_by_its_fields(fields: list[FieldKind], verdict: str) -> None:
    """One that is wrong suffices; noise is none; what is not known makes it unsure."""
    assert verdict_of(fields, {A: "noise", B: "wrong"}) == verdict
