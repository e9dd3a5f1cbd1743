"""Latencies come out of a histogram as they went in, to a fraction of 5 %."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.histogram import BOUNDS, FIRST, LAST, STEP, Histogram

latencies = st.lists(st.floats(FIRST, LAST), min_size=1, max_size=200)


def of(*seconds: float) -> Histogram:
    histogram = Histogram()
    for each in seconds:
        histogram.add(each)
    return histogram


def test_the_bounds_reach_from_a_tenth_of_a_millisecond_to_a_hundred_seconds() -> None:
    """Neighbouring bounds are 5 % apart, and the last is the first that reaches 100 s."""
    assert BOUNDS[0] == 0.0001
    assert BOUNDS[-2] < 100 <= BOUNDS[-1]
    assert all(more / less == pytest.approx(1.05) for less, more in pairwise(BOUNDS))


def test_what_lies_beyond_the_bounds_is_counted_too() -> None:
    """A latency of nothing is in the first count, one without end in the last, and a bound belongs to what is below."""
    assert of(0.0, FIRST).counts[0] == 2
    assert of(1e9).counts[-1] == 1
    assert of(1e9).percentile(0.5) == pytest.approx(BOUNDS[-1] * STEP**0.5)
    assert of(BOUNDS[7]).counts[7] == 1


@given(latencies, st.floats(0, 1))
def test_a_percentile_is_within_a_step_of_the_truth(seconds: list[float], part: float) -> None:
    """The percentile is at most 5 % from the latency that has that rank."""
    ordered = sorted(seconds)
    exact = next(each for rank, each in enumerate(ordered, 1) if rank >= part * len(ordered))
    assert exact / 1.051 <= of(*seconds).percentile(part) <= exact * 1.051


@given(latencies, st.floats(0, 1), st.floats(0, 1))
def test_percentiles_rise(seconds: list[float], one: float, other: float) -> None:
    """A higher percentile is never less."""
    histogram = of(*seconds)
    assert histogram.percentile(min(one, other)) <= histogram.percentile(max(one, other)) * (1 + 1e-9)


@given(latencies, latencies)
def test_replicas_are_added(ours: list[float], theirs: list[float]) -> None:
    """The sum of two histograms is that of all their latencies; neither changes."""
    one, other = of(*ours), of(*theirs)
    assert one + other == of(*ours, *theirs)
    assert (one.total, other.total) == (len(ours), len(theirs))


@given(latencies)
def test_it_survives_json(seconds: list[float]) -> None:
    """What is written down is read back, and is no longer than what was seen."""
    plain = json.loads(json.dumps(of(*seconds).to_plain()))
    assert Histogram.from_plain(plain) == of(*seconds)
    assert len(plain) <= len(seconds)


def test_what_took_longer_is_counted() -> None:
    """Above a bound are those that took longer than it, not those that took as long."""
    assert of(BOUNDS[3], BOUNDS[4], BOUNDS[5], 1e9).above(4) == 2


def test_it_shows_what_it_holds() -> None:
    """Failing tests and logs say what is in it; only another histogram equals it; it is no key, since it changes."""
    assert repr(of(0.0001, 0.0001)) == "Histogram({'0': 2})"
    assert of() != 0
    with pytest.raises(TypeError):
        hash(of())
