"""What benchmarks say at the end."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report import Finding, figure, finish, ratio, spread, table


@pytest.mark.parametrize(
    ("finding", "ok"),
    [
        (Finding("told", 5), True),
        (Finding("as much as allowed", 5, at_most=5), True),
        (Finding("too much", 5.1, at_most=5), False),
        (Finding("enough", 5, at_least=5), True),
        (Finding("too little", 4, at_least=5), False),
        (Finding("never", float("inf"), at_most=1), False),
    ],
)
def test_a_finding_is_judged_by_what_is_required(finding: Finding, ok: bool) -> None:
    """A figure at its limit is fine, one beyond it is not, and without a limit none is wrong."""
    assert finding.ok == ok


def test_a_missed_requirement_fails_the_benchmark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 1, the table says MISSED, and the JSON has all of it."""
    out = tmp_path / "new" / "result.json"
    code = finish("cost", [Finding("slow", 2.5, "s", at_most=1)], [], settings={"file": tmp_path}, out=out, samples=[1])
    document = json.loads(out.read_text())
    assert code == 1
    assert "MISSED" in capsys.readouterr().out
    assert document["findings"][0] | {"note": ""} == document["findings"][0]
    assert (document["findings"][0]["value"], document["findings"][0]["ok"], document["samples"]) == (2.5, False, [1])


def test_an_invalid_sample_fails_the_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    """Good figures of a worthless measurement are no success."""
    assert finish("cost", [Finding("quick", 1, at_most=2)], ["the origin was down"], settings={}) == 1
    assert "invalid: the origin was down" in capsys.readouterr().out


def test_what_is_required_and_met_is_a_success() -> None:
    """Exit code 0, and only then."""
    assert finish("cost", [Finding("quick", 1, at_most=2)], [], settings={}) == 0


def test_what_never_came_is_no_number_in_json(tmp_path: Path) -> None:
    """JSON knows no infinity."""
    finish("faults", [Finding("served again", float("inf"), "s", at_most=1)], [], settings={}, out=tmp_path / "out")
    assert json.loads((tmp_path / "out").read_text())["findings"][0]["value"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1_000_000, "1,000,000"), (1.234, "1.23"), (12_345.6, "12,346"), (float("inf"), "never")],
)
def test_figures_are_written_for_people(value: float, text: str) -> None:
    """Three digits that count, and thousands apart."""
    assert figure(value) == text


def test_columns_of_a_table_stand_below_each_other() -> None:
    """Every column is as wide as its widest cell."""
    assert table(["a", "b"], [["long", "x"]]) == "a     b\n----  -\nlong  x"


def test_a_ratio_is_formed_within_rounds() -> None:
    """What one round has in common cancels out."""
    found = ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0])
    assert found is not None
    assert (found.median, found.low, found.high) == (2.0, 2.0, 2.0)


def test_without_a_round_there_is_no_ratio() -> None:
    """A division by nothing measured is not a figure."""
    assert ratio([1.0], [0.0]) is None


@pytest.mark.parametrize(("count", "interval"), [(5, (0, 4)), (7, (0, 6)), (9, (1, 7)), (12, (2, 9)), (15, (3, 11))])
def test_the_interval_of_the_median_comes_from_the_order(count: int, interval: tuple[int, int]) -> None:
    """The known ranks for 95 %; below six values the whole range."""
    assert spread([float(n) for n in range(count)]).interval == interval


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=30))
def test_the_interval_holds_the_median(values: list[float]) -> None:
    """Whatever the values are."""
    found = spread(values)
    assert found.low <= found.interval[0] <= found.median <= found.interval[1] <= found.high
