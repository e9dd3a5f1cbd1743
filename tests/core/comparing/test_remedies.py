"""Noise is let pass by the mildest rule that suffices for all that was seen of it."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.core.comparing.differences import OVERFLOW, STATUS, Difference, FieldKind, Kind
from gateway.core.comparing.noise import State
from gateway.core.comparing.remedies import IGNORE, Remedy, remedy_for, suggest
from gateway.core.comparing.values import ABSENT

CASE: Remedy = ("case", "")


@pytest.mark.parametrize(
    ("kind", "legacy", "new", "remedy"),
    [
        ("missing", None, ABSENT, ("absent_is_null", "")),
        ("extra", ABSENT, None, ("absent_is_null", "")),
        ("missing", 1, ABSENT, IGNORE),
        ("type", 1, "1", IGNORE),
        ("value", [1, 2], [2, 1], ("unordered", "")),
        ("value", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", ("same_instant", "")),
        ("value", "2026-01-01", "2026-01-02", IGNORE),
        ("value", "Open", "OPEN", CASE),
        ("value", "open", "shut", IGNORE),
        ("value", 10.0, 10.01, ("tolerance", "0.01")),
        ("value", "10.0", "10.01", ("tolerance", "0.01")),
        ("value", 10_000, 10_010, ("tolerance", "10")),
        ("value", 10, 11, IGNORE),
        ("value", True, False, IGNORE),
        ("value", Decimal("1e999999999"), Decimal(1), IGNORE),
        ("value", "1e-999999999", "1", IGNORE),
    ],
)
def test_the_mildest_rule_is_found(kind: Kind, legacy: Any, new: Any, remedy: Remedy) -> None:
    """Rather the instant, the order, the case or a rounding than to look away."""
    assert remedy_for(Difference(("a",), ("a",), kind, legacy, new)) == remedy


def key(*tokens: str, kind: Kind = "value") -> FieldKind:
    return tokens, kind


def test_only_noise_is_let_pass() -> None:
    """Neither what is wrong nor what is not known yet; no rule is for the status, or for what overflowed."""
    states: dict[FieldKind, State] = {
        key("a"): "noise",
        key("b", "*", "c~d"): "noise",
        key("e"): "wrong",
        key("f"): "unsure",
        (STATUS, "value"): "noise",
        OVERFLOW: "noise",
    }
    assert suggest(states, []) == {"ignore": ["/a", "/b/*/c~0d"]}


def test_a_milder_rule_needs_all_examples() -> None:
    """The largest difference counts for a tolerance; where examples disagree, the field is ignored."""
    states: dict[FieldKind, State] = {key(name): "noise" for name in ("a", "b", "c", "d")}
    examples: list[tuple[FieldKind, Remedy]] = [
        (key("a"), ("tolerance", "0.009")),
        (key("a"), ("tolerance", "0.01")),
        (key("b"), CASE),
        (key("b"), IGNORE),
        (key("c"), CASE),
        (key("c"), CASE),
    ]
    assert suggest(states, examples) == {"tolerance": {"/a": "0.01"}, "ignore": ["/b", "/d"], "case": ["/c"]}


def test_a_field_that_is_noise_in_two_ways_has_one_rule() -> None:
    """It is ignored, unless one rule is for both."""
    states: dict[FieldKind, State] = {key("a"): "noise", key("a", kind="missing"): "noise"}
    assert suggest(states, [(key("a"), CASE)]) == {"ignore": ["/a"]}
