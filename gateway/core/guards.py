"""What the evidence of a stage says about each guard: what is still missing, and what turns the ramp back.

Two standards, on purpose. To promote, every doubt counts against the new side: 95 % intervals, agreement on nothing is
no agreement, and what may be noise is wrong. To roll back, every doubt counts for it, and the tests may be looked at
for ever: each is wrong at most once in 2,000 stages.
"""

from collections.abc import Callable
from math import log
from typing import NamedTuple

from gateway.core.evidence import Attempts, Evidence, Recent
from gateway.core.histogram import BOUNDS
from gateway.core.policies import Guards
from gateway.core.statistics import (
    Interval,
    log_evidence,
    log_mean,
    most_likely_at_most,
    newcombe,
    ratio_interval,
    refutes,
    slowest_bound,
    wilson,
)

ERROR = 1 / 2_000
"""How likely one test rolls back for nothing, in one stage. Four tests in five stages: 1 % of ramps at most.

Half of it is for the stage as a whole, half for its chapters, of which each gets a part.
"""
LEAST_AGREEING, LEAST_REQUESTS = 50, 50
REPEATED = 20
"""Asked so often on average, the requests of a route are known: at most one in so many is new."""
MOST_PASSED_OVER = 0.1
LEAST_ERRORS, LEAST_TIMED = 10, 50
"""Errors, and timed attempts, of the new side below which these roll nothing back: a restart or a cold start is brief,
and what fails together proves less than the test believes."""


class Case(NamedTuple):
    """What is judged: a stage's evidence, the attempts on legacy to hold it against, the pointer of the worst field."""

    guards: Guards
    evidence: Evidence
    legacy: Attempts
    worst: str = ""


class Missing(NamedTuple):
    """Why a ramp does not go on yet: what it has, what it needs (in the guard's unit), and both in a sentence."""

    guard: str
    seen: float
    needed: float
    sentence: str


class Breach(NamedTuple):
    """Why a ramp is turned back: the guard that was broken, and a sentence for somebody who was woken by it."""

    guard: str
    sentence: str


def missing_of(case: Case) -> tuple[Missing, ...]:
    """What the evidence lacks for the next stage, by every guard that is on."""
    found = (needs(case) for needs in NEEDS[case.guards.parity is not None])
    return tuple(each for each in found if each is not None)


def breach_of(case: Case) -> Breach | None:
    """What turns the ramp back, if anything does."""
    return next((breach for tripped in TRIPWIRES if (breach := tripped(case)) is not None), None)


def _samples(case: Case) -> Missing | None:
    seen, needed = case.evidence.telling, case.guards.samples
    if seen >= needed:
        return None
    return Missing("samples", seen, needed, f"{seen:,} of {needed:,} judged answers with content")


def _attempts(case: Case) -> Missing | None:
    seen, needed = case.evidence.new.attempts, case.guards.samples
    if seen >= needed:
        return None
    return Missing("samples", seen, needed, f"{seen:,} of {needed:,} requests served by the new side")


def _coverage(case: Case) -> Missing | None:
    seen, needed = case.evidence.agreeing, max(LEAST_AGREEING, case.guards.samples // 10)
    if seen >= needed:
        return None
    return Missing(
        "coverage", seen, needed, f"{seen:,} of {needed:,} matched answers with content: empty ones say little"
    )


def _variety(case: Case) -> Missing | None:
    """Enough different requests; or all that the route has, which shows by their being asked again and again."""
    seen, needed = case.evidence.full, max(LEAST_REQUESTS, case.guards.samples // 10)
    if seen >= needed or case.evidence.telling >= REPEATED * max(1, seen):
        return None
    sentence = f"{seen:,} of {needed:,} different requests, or each of them asked {REPEATED} times"
    return Missing("variety", seen, needed, sentence)


def _passed_over(case: Case) -> Missing | None:
    passed, all_of_them = case.evidence.passed_over, case.evidence.passed_over + case.evidence.judged
    if passed <= MOST_PASSED_OVER * all_of_them:
        return None
    part = passed / all_of_them
    sentence = (
        f"{percent(part)} of the copies were skipped or not comparable, at most {percent(MOST_PASSED_OVER)} may be"
    )
    return Missing("passed_over", part, MOST_PASSED_OVER, sentence)


def _parity(case: Case) -> Missing | None:
    """Of answers, for what clients see; and of different requests, for how many of those are right."""
    evidence, needed = case.evidence, case.guards.parity or 0.0
    right, telling = evidence.agreeing, evidence.telling
    answers = wilson(right, telling)
    if telling and answers.low < needed:
        sentence = (
            f"parity is {between(answers)} of {telling:,} answers with content, {percent(needed)} must be certain"
        )
        return Missing("parity", answers.low, needed, sentence)
    if wilson(evidence.requests - evidence.wrong, evidence.requests).high < needed:
        part = 1 - evidence.wrong / evidence.requests
        sentence = (
            f"{evidence.wrong:,} of {evidence.requests:,} different requests are wrong, at {percent(needed)} parity"
        )
        return Missing("parity", part, needed, sentence)
    return None


def _errors(case: Case) -> Missing | None:
    new, legacy, most = case.evidence.new, case.legacy, case.guards.errors
    if most is None:
        return None
    found = newcombe(new.errors, new.attempts, legacy.errors, legacy.attempts)
    if not legacy.attempts and new.attempts:
        found = wilson(new.errors, new.attempts)
    if _will_do(case, found, most, equal=0.0):
        return None
    sentence = f"errors are {signed(found.low)} to {signed(found.high)} against legacy's, {signed(most)} are allowed"
    return Missing("errors", found.high, most, sentence)


def _latency(case: Case) -> Missing | None:
    most, part = case.guards.latency, case.guards.percentile
    if most is None:
        return None
    found = ratio_interval(case.evidence.new.latency, case.legacy.latency, part)
    if _will_do(case, found, most, equal=1.0):
        return None
    sentence = f"{named(part)} is {found.low:.2f} to {found.high:.2f} times legacy's, {most:g} times is allowed"
    return Missing("latency", found.high, most, sentence)


def _will_do(case: Case, found: Interval, most: float, equal: float) -> bool:
    """Whether the interval allows to go on: it keeps to what is allowed, or shows no sign of being worse at all.

    The second is enough only where copies are compared: parity has judged the new side's errors on many more requests
    than a small share sends it, and waiting for those would hold a quiet route for ever.
    """
    return found.high <= most or (case.guards.parity is not None and found.low <= equal)


def error_of(chapter: int) -> float:
    """What a chapter may spend of the error: 1/2, 1/6, 1/12 ... of a half, which add up to no more than that."""
    return ERROR / 2 / ((chapter + 1) * (chapter + 2))


def views(evidence: Evidence) -> tuple[tuple[Evidence | Recent, float, str], ...]:
    """The stage as a whole and its latest chapter, with the error that each may spend, and a word for it."""
    return (evidence, ERROR / 2, ""), (evidence.recent, error_of(evidence.recent.chapter), " lately")


def _wrong_requests(case: Case) -> Breach | None:
    parity = case.guards.parity
    for seen, error, lately in views(case.evidence):
        if parity is not None and refutes(seen.wrong, seen.requests, 1 - parity, error):
            right = seen.requests - seen.wrong
            found = f"parity {percent(right / seen.requests)} ({between(wilson(right, seen.requests))})"
            wrong = f"{seen.wrong:,} of {seen.requests:,} different requests were answered wrongly"
            return Breach("parity", f"{found} is below {percent(parity)}{lately}: {wrong}{most_at(case)}")
    return None


def _wrong_again_and_again(case: Case) -> Breach | None:
    """What few requests do all the time: more than half of the spans are bad, or many are awful."""
    evidence, parity = case.evidence, case.guards.parity
    for seen, error, lately in views(evidence):
        if parity is not None and spans_refute(seen, 1 - parity, error):
            spans = f"{seen.bad:,} of {seen.spans:,} minutes (or longer spans)"
            wrong = f"{evidence.differing:,} of {evidence.judged:,} answers of this stage differ"
            found = f"parity is far below {percent(parity)}{lately} in {spans}"
            return Breach("parity", f"{found}: {wrong}{most_at(case)}")
    return None


def spans_refute(seen: Evidence | Recent, allowed: float, error: float) -> bool:
    """Whether the spans refute that at most the allowed part of answers is wrong.

    By Markov's inequality at most half of the spans are bad then, and at most 2 x `allowed` awful; the mean of the two
    e-values is one.
    """
    bad = log_evidence(seen.bad, seen.spans, 0.5)
    awful = log_evidence(seen.awful, seen.spans, 2 * allowed)
    return log_mean([bad, awful]) >= -log(error)


def _more_errors(case: Case) -> Breach | None:
    """Against the most that legacy's rate can be, half of the error being spent on that."""
    new, legacy, recent, most = case.evidence.new, case.legacy, case.evidence.recent, case.guards.errors
    if most is None or new.errors < LEAST_ERRORS:
        return None
    usual = most_likely_at_most(legacy.errors, legacy.attempts, ERROR / 2) if legacy.attempts else 0.0
    usually = f"{percent(legacy.errors / legacy.attempts)} of {legacy.attempts:,}" if legacy.attempts else "not asked"
    whole = new.errors, new.attempts, ERROR / 4, ""
    latest = recent.errors, recent.attempts, error_of(recent.chapter) / 2, " lately"
    for errors, attempts, error, when in (whole, latest):
        if errors >= LEAST_ERRORS and refutes(errors, attempts, usual + most, error):
            rate = f"{percent(errors / attempts)} ({between(wilson(errors, attempts))}) of {attempts:,} requests{when}"
            return Breach("errors", f"errors {rate} are more than {signed(most)} above legacy's ({usually})")
    return None


def _slower(case: Case) -> Breach | None:
    """Against the most that legacy's percentile can be: too many requests take longer than that allows."""
    new, legacy, most, part = case.evidence.new, case.legacy, case.guards.latency, case.guards.percentile
    if most is None or new.latency.total < LEAST_TIMED:
        return None
    usual = slowest_bound(legacy.latency, part, ERROR / 2)
    limit = None if usual is None else _place(most * BOUNDS[usual])
    if limit is None or not refutes(new.latency.above(limit), new.latency.total, 1 - part, ERROR / 2):
        return None
    ours, theirs = new.latency.percentile(part), legacy.latency.percentile(part)
    times = f"{ours / theirs:.2f} times legacy's {duration(theirs)}"
    sentence = f"{named(part)} is {duration(ours)}, {times}; {most:g} times is allowed"
    return Breach("latency", sentence)


def _place(seconds: float) -> int | None:
    """The place of the first bound that is not below."""
    return next((place for place, bound in enumerate(BOUNDS) if bound >= seconds), None)


def percent(part: float) -> str:
    """A rate as people write it."""
    return f"{100 * part:.2f}".rstrip("0").rstrip(".") + " %"


def signed(part: float) -> str:
    """A difference of rates, in the way of routes.yaml: "+0.5 %"."""
    return ("+" if part >= 0 else "") + percent(part)


def between(interval: Interval) -> str:
    """An interval of a rate, in percent."""
    return f"{percent(interval.low).removesuffix(' %')}-{percent(interval.high)}"


def named(part: float) -> str:
    """A percentile's name."""
    return f"p{100 * part:g}"


def duration(seconds: float) -> str:
    """A latency, to be read."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1_000 * seconds:.3g} ms"


def most_at(case: Case) -> str:
    """Where the differences are, if that is known."""
    return f", most at {case.worst}" if case.worst else ""


NEEDS: dict[bool, tuple[Callable[[Case], Missing | None], ...]] = {
    True: (_samples, _coverage, _variety, _passed_over, _parity, _errors, _latency),
    False: (_attempts, _errors, _latency),
}
"""What a stage needs, with a parity guard and without."""
TRIPWIRES: tuple[Callable[[Case], Breach | None], ...] = (
    _wrong_requests,
    _wrong_again_and_again,
    _more_errors,
    _slower,
)
