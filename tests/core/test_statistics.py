"""Intervals are those of their papers, and the test that may be looked at for ever keeps its word."""

from math import exp, inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.histogram import BOUNDS, Histogram
from gateway.core.statistics import (
    Interval,
    log_evidence,
    log_mean,
    most_likely_at_most,
    newcombe,
    percentile_interval,
    ratio_interval,
    refutes,
    slowest_bound,
    wilson,
)

counts = st.integers(0, 3_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
rates = st.floats(0.000_1, 0.9)


def of(seconds: float, times: int) -> Histogram:
    histogram = Histogram()
    for _ in range(times):
        histogram.add(seconds)
    return histogram


def spread(times: int, factor: float = 1.0) -> Histogram:
    """Latencies spread evenly from 10 to 110 ms, times a factor."""
    histogram = Histogram()
    for step in range(times):
        histogram.add((0.01 + 0.1 * step / times) * factor)
    return histogram


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_wilsons(events: int, trials: int, low: float, high: float) -> None:
    """The interval of a rate is that of Newcombe's table of examples (1998, 17:857, method 3)."""
    assert wilson(events, trials) == pytest.approx((low, high), abs=0.000_05)


def test_the_fewest_answers_for_a_parity() -> None:
    """99.5 % parity needs 765 answers of which not one is wrong."""
    assert wilson(764, 764).low < 0.995 <= wilson(765, 765).low
    assert wilson(0, 0) == (0, 1)


@given(counts)
def test_wilson_holds_the_rate(seen: tuple[int, int]) -> None:
    """The interval holds the rate that was seen, within 0 and 1, and mirrors that of what did not happen."""
    events, trials = seen
    interval, mirrored = wilson(events, trials), wilson(trials - events, trials)
    assert 0 <= interval.low <= (events / trials if trials else 0.5) <= interval.high <= 1
    assert interval == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


@pytest.mark.parametrize(
    ("seen", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((10, 10, 0, 20), 0.6791, 1.0),
    ],
)
def test_newcombe_is_newcombes(seen: tuple[int, int, int, int], low: float, high: float) -> None:
    """The interval of a difference is that of Newcombe's table of examples (1998, 17:873, method 10)."""
    assert newcombe(*seen) == pytest.approx((low, high), abs=0.000_05)


@given(counts, counts)
def test_a_difference_turns_round(ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    """Legacy less new is new less legacy with the other sign; without trials nothing is known."""
    there, back = newcombe(*ours, *theirs), newcombe(*theirs, *ours)
    assert there == pytest.approx((-back.high, -back.low))
    assert newcombe(*ours, 0, 0) == (-1, 1)


def test_a_percentile_has_the_interval_of_its_ranks() -> None:
    """Of 10,000 evenly spread latencies the 95th percentile is known to 0.43 % of the ranks on either side."""
    interval = percentile_interval(spread(10_000), 0.95)
    assert interval == pytest.approx((0.01 + 0.1 * 0.94573, 0.01 + 0.1 * 0.95427), rel=0.01)


def test_few_latencies_bound_no_percentile() -> None:
    """With 70 latencies the 95th percentile has no upper end, with 3 none at all, with none nothing is known."""
    assert percentile_interval(spread(70), 0.95).high == inf
    assert percentile_interval(spread(70), 0.95).low > 0
    assert percentile_interval(spread(3), 0.5) == (0, inf)
    assert percentile_interval(Histogram(), 0.95) == (0, inf)


def test_a_ratio_is_known_as_well_as_its_percentiles() -> None:
    """Of a side that takes 1.5 times as long, many latencies say so closely and few say little."""
    many = ratio_interval(spread(20_000, 1.5), spread(20_000), 0.95)
    assert many.low < 1.5 < many.high
    assert many.high - many.low < 0.05
    few = ratio_interval(spread(40, 1.5), spread(20_000), 0.95)
    assert 0 < few.low < 1.5
    assert few.high == inf
    assert ratio_interval(spread(40), spread(3), 0.5).high == inf
    assert ratio_interval(spread(3), spread(40), 0.5).low == 0
    assert ratio_interval(Histogram(), spread(9), 0.5) == ratio_interval(spread(9), Histogram(), 0.5) == (0, inf)


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0.1, 0.99))
def test_a_ratio_holds_what_was_seen(ours: int, theirs: int, part: float) -> None:
    """The interval of a ratio holds the ratio."""
    one, other = spread(ours, 1.3), spread(theirs)
    interval = ratio_interval(one, other, part)
    seen = one.percentile(part) / other.percentile(part)
    assert interval.low <= seen * (1 + 1e-9)
    assert seen <= interval.high * (1 + 1e-9)


@given(counts, rates)
def test_a_bet_is_fair(seen: tuple[int, int], most: float) -> None:
    """At the rate that is claimed, the next trial changes the evidence by nothing on average: it is a martingale."""
    events, trials = seen
    now = log_evidence(events, trials, most)
    grown = most * exp(log_evidence(events + 1, trials + 1, most) - now)
    shrunk = (1 - most) * exp(log_evidence(events, trials + 1, most) - now)
    assert grown + shrunk == pytest.approx(1)


@given(counts, rates)
def test_only_events_speak_against_a_claim(seen: tuple[int, int], most: float) -> None:
    """An event adds to the evidence and its absence takes away, so lower rates than the claimed gain nothing."""
    events, trials = seen
    now = log_evidence(events, trials, most)
    assert log_evidence(events, trials + 1, most) < now < log_evidence(events + 1, trials + 1, most)


def ever_refuted(rate: float, most: float, error: float, looks: int) -> float:
    """The exact probability that `looks` looks, one after each trial, refute a claim at least once."""
    alive, refuted = {0: 1.0}, 0.0
    for trial in range(1, looks + 1):
        following: dict[int, float] = {}
        for events, chance in alive.items():
            for more, part in ((events + 1, rate), (events, 1 - rate)):
                if refutes(more, trial, most, error):
                    refuted += chance * part
                else:
                    following[more] = following.get(more, 0.0) + chance * part
        alive = following
    return refuted


@pytest.mark.parametrize("most", [0.005, 0.2, 0.5])
def test_looking_for_ever_is_paid_for(most: float) -> None:
    """However often it is looked at, a true claim is refuted no more often than the error says; a false one is."""
    assert 0 < ever_refuted(most, most, 0.05, 300) <= 0.05
    assert ever_refuted(min(1.0, 10 * most), most, 0.05, 300) > 0.99


def test_the_ends_of_a_claim() -> None:
    """ "At most never" is refuted by one event, and "at most always" by nothing; nothing seen says nothing."""
    assert log_evidence(1, 1_000, 0.0) == inf
    assert log_evidence(0, 1_000, 0.0) == 0
    assert log_evidence(9, 9, 1.0) == 0
    assert log_evidence(0, 0, 0.5) == 0


def test_the_mean_of_evidence() -> None:
    """Means are taken of the values, not of their logs, also of those beyond any float, and of an infinite one."""
    assert log_mean([log(1), log(3)]) == pytest.approx(log(2))
    assert log_mean([5_000.0, 5_000.0]) == pytest.approx(5_000)
    assert log_mean([0.0, inf]) == inf


@given(counts, st.sampled_from([0.05, 0.000_25]))
def test_the_most_that_a_rate_can_be(seen: tuple[int, int], error: float) -> None:
    """The bound is above what was seen, just refuted from there on, and not refuted a little below."""
    events, trials = seen
    most = most_likely_at_most(events, trials, error)
    assert (events / trials if trials else 1.0) <= most <= 1
    if most < 1:
        assert refutes(trials - events, trials, 1 - most, error)
        assert not refutes(trials - events, trials, 1 - most + 2e-6, error)


def test_a_thousand_good_answers_bound_a_rate() -> None:
    """With no error in 1,000 the rate may still be one of 1 to 2 %, at 1 in 4,000; with none in none, all of it."""
    assert 0.008 < most_likely_at_most(0, 1_000, 1 / 4_000) < 0.02
    assert most_likely_at_most(0, 0, 0.05) == 1


def test_a_percentile_is_bounded_for_ever() -> None:
    """Ten thousand latencies of 10 ms bound their 95th percentile there; a few, or endless ones, bound nothing."""
    place = slowest_bound(of(0.010, 10_000), 0.95, 1 / 4_000)
    assert place is not None
    assert BOUNDS[place - 1] < 0.010 <= BOUNDS[place]
    assert slowest_bound(of(0.010, 20), 0.95, 1 / 4_000) is None
    assert slowest_bound(of(1e9, 10_000), 0.95, 1 / 4_000) is None


def test_an_interval_has_two_ends() -> None:
    """An interval is a pair, so it can be compared and unpacked."""
    low, high = Interval(0.1, 0.2)
    assert (low, high) == (0.1, 0.2)
