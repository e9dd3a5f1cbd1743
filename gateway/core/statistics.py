"""How far a few numbers carry: intervals for what is promoted, and a test that may be looked at for ever.

Promoting waits for an interval (Wilson, Newcombe). Rolling back is asked every second, and an interval that is looked
at often enough excludes the truth sooner or later; so it goes by an e-process, which pays for every look beforehand.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import exp, fsum, hypot, inf, log, log1p, sqrt
from typing import NamedTuple

from gateway.core.histogram import BOUNDS, Histogram

Z = 1.959_963_984_540_054
"""The normal deviate of two-sided 95 %."""
ALTERNATIVES = 11
"""How many other rates an e-process bets on."""


class Interval(NamedTuple):
    """Where a figure may well lie, given what was seen."""

    low: float
    high: float


def wilson(events: int, trials: int, z: float = Z) -> Interval:
    """The score interval of a rate (Wilson 1927, JASA 22:209): honest for few trials, and near 0 and 1.

    `z` is the normal deviate of its level, 95 % by default. Without trials it is all from 0 to 1.
    """
    if not trials:
        return Interval(0.0, 1.0)
    rate, square = events / trials, z * z
    middle = (rate + square / (2 * trials)) / (1 + square / trials)
    reach = z * sqrt(rate * (1 - rate) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return Interval(max(0.0, middle - reach) if events else 0.0, min(1.0, middle + reach) if events < trials else 1.0)


def newcombe(events: int, trials: int, other_events: int, other_trials: int) -> Interval:
    """The interval of one rate less another, at 95 % (Newcombe 1998, Statistics in Medicine 17:873, method 10).

    Built from the two Wilson intervals, so it stays honest where errors are rare. Without trials on either side it is
    all from -1 to 1.
    """
    if not trials or not other_trials:
        return Interval(-1.0, 1.0)
    one, other = events / trials, other_events / other_trials
    ours, theirs = wilson(events, trials), wilson(other_events, other_trials)
    return Interval(
        one - other - hypot(one - ours.low, theirs.high - other),
        one - other + hypot(ours.high - one, other - theirs.low),
    )


def percentile_interval(latencies: Histogram, part: float) -> Interval:
    """The interval of a percentile, in seconds, at 95 %, by order statistics, whatever the distribution.

    The ranks are those of the normal approximation (Conover 1999, Practical Nonparametric Statistics, 3.2). Where the
    numbers are too few to bound it, it begins at 0 or goes on for ever.
    """
    total = latencies.total
    if not total:
        return Interval(0.0, inf)
    reach = Z * sqrt(part * (1 - part) / total)
    low = latencies.percentile(part - reach) if part - reach > 0 else 0.0
    return Interval(low, latencies.percentile(part + reach) if part + reach < 1 else inf)


def ratio_interval(ours: Histogram, theirs: Histogram, part: float) -> Interval:
    """The interval of one percentile over another, at 95 %: Newcombe's step, taken with logarithms.

    That is the MOVER of Zou and Donner (2008, Statistics in Medicine 27:1693). Without latencies on either side it is
    all from 0 up.
    """
    if not ours.total or not theirs.total:
        return Interval(0.0, inf)
    one, other = ours.percentile(part), theirs.percentile(part)
    mine, its = percentile_interval(ours, part), percentile_interval(theirs, part)
    down, up = (
        hypot(_apart(one, mine.low), _apart(its.high, other)),
        hypot(_apart(mine.high, one), _apart(other, its.low)),
    )
    return Interval(one / other * exp(-down), one / other * exp(up) if up < inf else inf)


def _apart(more: float, less: float) -> float:
    """The logarithm of a ratio that is at least 1 and may be without end."""
    return inf if not less or more == inf else log(more / less)


def log_evidence(events: int, trials: int, most: float) -> float:
    """How strongly what was seen speaks against "events happen at a rate of at most `most`": the log of an e-value.

    A bet against that claim, spread evenly over ALTERNATIVES higher rates between `most` and 1: the mean of their
    likelihood ratios. While the claim holds it is a supermartingale that begins at 1, so that it *ever* reaches 1/a has
    at most the probability a, however often it is looked at (Ville 1939; Robbins 1970, Annals of Mathematical
    Statistics 41:1397; Ramdas and others 2023, Statistical Science 38:576). It asks that each trial's chance is at most
    `most` whatever went before; so what comes in clusters must be counted once.
    """
    if most >= 1 or not trials:
        return 0.0
    if most <= 0:
        return inf if events else 0.0
    return log_mean([events * won + (trials - events) * lost for won, lost in _bets(most)])


def log_mean(logs: Sequence[float]) -> float:
    """The log of the mean of values given by their logs. The mean of e-values is one, however they depend."""
    best = max(logs)
    return best if best == inf else best + log(fsum(exp(each - best) for each in logs) / len(logs))


@lru_cache(maxsize=256)
def _bets(most: float) -> tuple[tuple[float, float], ...]:
    """What each alternative gains by an event, and by its absence (logs). The rates are evenly spaced by their logs."""
    rates = [most ** (1 - step / (ALTERNATIVES + 1)) for step in range(1, ALTERNATIVES + 1)]
    return tuple((log(rate / most), log1p(-rate) - log1p(-most)) for rate in rates)


def refutes(events: int, trials: int, most: float, error: float) -> bool:
    """Whether a rate of at most `most` is refuted: wrongly at most with the probability `error`, over all looks."""
    return log_evidence(events, trials, most) >= -log(error)


def most_likely_at_most(events: int, trials: int, error: float) -> float:
    """A rate that the true one exceeds with a probability of at most `error`, over all looks ever.

    The upper end of the confidence sequence that belongs to `log_evidence`, read for what did not happen.
    """
    least = events / trials if trials else 1.0
    return _first(lambda rate: refutes(trials - events, trials, 1 - rate, error), least)


def slowest_bound(latencies: Histogram, part: float, error: float) -> int | None:
    """The place in BOUNDS that a percentile exceeds with a probability of at most `error`, over all looks ever.

    None where too few were seen, or where they took too long.
    """
    total, done = latencies.total, 0
    for place in range(len(BOUNDS)):
        done += latencies.counts[place]
        if refutes(done, total, part, error):
            return place
    return None


def _first(holds: Callable[[float], bool], low: float) -> float:
    """Where between `low` and 1 something begins to hold (1 where it never does), to a millionth."""
    high = 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
